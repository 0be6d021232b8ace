"""Drawn tokens in place of the most probable ones, so that neither batch nor order decides a draw.

Each answer has a seed, which gives one number in [0, 1) per token; the token is the one at that place of the cumulative
distribution. The answer is then a function of prompt, seed and logits alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch

_DOUBLES = 2**25  # of a cumulative distribution held at once: 256 MiB


def places(seeds: Sequence[int], count: int) -> torch.Tensor:
    """(n_answers, count) numbers in [0, 1), a row per seed; a longer row begins as the shorter one does."""
    rows = []
    for seed in seeds:
        generator = random.Random(seed)
        rows.append([generator.random() for _ in range(count)])
    return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), count)


def draw(logits: torch.Tensor, at: torch.Tensor, temperature: float) -> torch.Tensor:
    """(n,) tokens for (n, vocabulary) logits, at (n,) places of their distributions.

    In double precision: a vocabulary of 150,000 adds up to more than float32 can tell apart. Some rows at a time, which
    keeps it from taking several times the memory of the logits.
    """
    rows = max(1, _DOUBLES // logits.shape[-1])
    drawn = []
    for part, places_of_part in zip(logits.split(rows), at.split(rows), strict=True):
        shares = (part.double() / temperature).softmax(-1).cumsum(-1)
        drawn.append(torch.searchsorted(shares, places_of_part[:, None] * shares[:, -1:], right=True)[:, 0])
    return torch.cat(drawn).clamp_max(logits.shape[-1] - 1)


class DrawsTokens:
    """A logits processor that leaves only the drawn token, so that greedy decoding takes it.

    at: (n_rows, n_tokens) for the rows of the batch; begin: tokens in front of the first one drawn.
    """

    def __init__(self, at: torch.Tensor, temperature: float, begin: int) -> None:
        self._at, self._temperature, self._begin = at, temperature, begin

    def __call__(self, input_ids: Any, scores: torch.Tensor) -> torch.Tensor:
        """The scores of transformers' loop, all but one of each row made impossible."""
        chosen = draw(scores, self._at[:, input_ids.shape[1] - self._begin], self._temperature)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen[:, None], 0.0)
