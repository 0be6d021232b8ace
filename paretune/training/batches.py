"""Which rows meet in a batch, in which order, and to what length they are padded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

NO_LABEL = -100  # of tokens without a loss, as torch and transformers have it
COMPARED = -101  # of tokens whose logits are compared with the base's and that are not learnt
_STEP = 8
_TILE = 64


def padded_length(longest: int) -> int:
    """Places of each row in a batch with a mask on a GPU: at least `longest`, a multiple of 8, never one of 64.

    cuDNN's attention, which torch 2.11 takes on an H200 for 16 bits with a mask, gives gradients of the queries that
    are not finite at every odd multiple of 64 (and at no other length tried), once logits are very negative, as those
    of trained models are: a training of 432 steps lost its four batches of 1216 = 19 * 64 places (docs/results.md).
    Even multiples are left out as well, since the tiles of another kernel may be smaller; 8 masked places are cheap.

    >>> [padded_length(longest) for longest in (1200, 1201, 1209, 1216, 1217)]
    [1200, 1208, 1224, 1224, 1224]
    """
    places = -(-longest // _STEP) * _STEP
    return places + _STEP if places % _TILE == 0 else places


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One training example in tokens. The loss is computed on the last `answer_tokens`, except those whose places, from
    0 in the answer, are `masked`. part: of the target; or general data mixed in among the target's rows, trained on
    alike (replay) or only compared with the base (text)."""

    tokens: tuple[int, ...]
    answer_tokens: int
    part: Literal["target", "replay", "text"] = "target"
    masked: frozenset[int] = frozenset()

    @property
    def labels(self) -> tuple[int, ...]:
        """One per token: the token itself, NO_LABEL or COMPARED."""
        prompt_tokens = len(self.tokens) - self.answer_tokens
        answer = self.tokens[prompt_tokens:]
        if self.part == "text":
            answer = (COMPARED,) * len(answer)
        elif self.masked:
            answer = tuple(NO_LABEL if place in self.masked else token for place, token in enumerate(answer))
        return (NO_LABEL,) * prompt_tokens + answer


def count_parts(rows: Sequence[TrainingRow]) -> dict[str, int]:
    """Rows and tokens of the general data among a training's rows, per epoch; empty where there is none.

    >>> count_parts([TrainingRow((1, 2, 3), 1), TrainingRow((1, 2), 1, "replay")])
    {'replay_rows': 1, 'replay_tokens': 2}
    """
    counts: dict[str, int] = {}
    for part in ("replay", "text"):
        tokens = [len(row.tokens) for row in rows if row.part == part]
        if tokens:
            counts |= {f"{part}_rows": len(tokens), f"{part}_tokens": sum(tokens)}
    return counts


@dataclass(frozen=True, slots=True)
class GpuCollator:
    """TRL's collator, made to pad each batch to `padded_length`. Extra places are masked and carry no label.

    Rows of one length stay as they are: without padding attention gets no mask, and a kernel that is sound. So do
    batches that would pass context_tokens: learned positions end there.
    """

    collator: Any  # trl.trainer.sft_trainer.DataCollatorForLanguageModeling
    context_tokens: int

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """input_ids, attention_mask and labels, each (rows, places)."""
        lengths = {len(example["input_ids"]) for example in examples}
        places = padded_length(max(lengths))
        if len(lengths) == 1 or places > self.context_tokens:
            return dict(self.collator(examples))
        # No row is longer than `places`, so padding to a multiple of it is padding to it.
        return dict(replace(self.collator, pad_to_multiple_of=places)(examples))


class LengthGroupedOrder:
    """Order of the rows in which those of a batch have similar lengths; `lengths` in tokens, (rows,).

    Rows are grouped by transformers' own function, longest row first, so that memory runs out at the first step or not
    at all. Its sampler is not used, for two reasons. It draws from torch's global generator, which a resumed training
    finds in another state: rows would come twice or never. And it leaves fifty batches in a row sorted by length, hence
    nearly by database. Here seed and epoch alone decide, and batches are shuffled. accelerate calls `set_epoch`, as on
    its own random sampler.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = list(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        import torch
        from transformers.trainer_pt_utils import get_length_grouped_indices

        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        rows: list[int] = get_length_grouped_indices(self._lengths, self._batch_size, generator=generator)
        batches = [rows[first : first + self._batch_size] for first in range(0, len(rows), self._batch_size)]
        last = batches.pop() if len(batches) > 1 and len(batches[-1]) < self._batch_size else []
        shuffled = torch.randperm(len(batches) - 1, generator=generator).tolist()
        for batch in (batches[0], *(batches[1 + place] for place in shuffled), last):
            yield from batch


class MixedOrder:
    """Order of a target's rows, 0 to n_target - 1, with n_mixed further ones spread evenly among them.

    order: of the target's rows; None: at random. Every step has its share of the further rows, which are shuffled anew
    each epoch. Seed and epoch alone decide; accelerate calls `set_epoch`.

    >>> [place for place, row in enumerate(MixedOrder(None, 9, 3, seed=0)) if row >= 9]
    [2, 6, 10]
    """

    def __init__(self, order: Any, n_target: int, n_mixed: int, seed: int) -> None:
        self._order = order
        self._n_target, self._n_mixed = n_target, n_mixed
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration."""
        self._epoch = epoch
        if self._order is not None:
            self._order.set_epoch(epoch)

    def __len__(self) -> int:
        return self._n_target + self._n_mixed

    def __iter__(self) -> Iterator[int]:
        generator = random.Random(f"{self._seed} {self._epoch} mixed")
        target = iter(generator.sample(range(self._n_target), self._n_target) if self._order is None else self._order)
        mixed = generator.sample(range(self._n_target, len(self)), self._n_mixed)
        places = {int((number + 0.5) * len(self) / self._n_mixed): row for number, row in enumerate(mixed)}
        for place in range(len(self)):
            yield places[place] if place in places else next(target)


@dataclass(frozen=True, slots=True)
class WholeRowsCollator:
    """Rows of one step to the padded batches that compute it, each of batch_size rows in their order."""

    batch_size: int
    padding: int  # a token
    context_tokens: int

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """layouts: input_ids, attention_mask and labels, each (rows, places), per batch. tokens: of the rows, without
        padding. answer_tokens: to be learnt; compared_tokens: these and those that are only compared with the base."""
        batches = [examples[first : first + self.batch_size] for first in range(0, len(examples), self.batch_size)]
        labels = [label for example in examples for label in example["labels"]]
        return {
            "layouts": [self._padded(batch) for batch in batches],
            "tokens": len(labels),
            "answer_tokens": sum(label >= 0 for label in labels),
            "compared_tokens": sum(label != NO_LABEL for label in labels),
        }

    def _padded(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        import torch

        lengths = [len(example["input_ids"]) for example in batch]
        places = padded_length(max(lengths)) if len(set(lengths)) > 1 else lengths[0]
        places = places if places <= self.context_tokens else max(lengths)
        shape = (len(batch), places)
        found = {"input_ids": torch.full(shape, self.padding), "attention_mask": torch.zeros(shape, dtype=torch.long),
                 "labels": torch.full(shape, NO_LABEL)}  # fmt: skip
        for row, (example, length) in enumerate(zip(batch, lengths, strict=True)):
            found["input_ids"][row, :length] = torch.tensor(example["input_ids"])
            found["attention_mask"][row, :length] = 1
            found["labels"][row, :length] = torch.tensor(example["labels"])
        return found
