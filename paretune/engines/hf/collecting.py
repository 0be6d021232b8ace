"""From the device's log-probabilities of tokens to answered questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from paretune.choice.verdict import Answered, OnAnswer, is_answered, judge
from paretune.engines.hf.packing import PackedBatch
from paretune.records import ChoicePrompt


class Reading:
    """Log-probabilities on their way to the host."""

    def __init__(self, packed: PackedBatch, prefix_length: int, result: torch.Tensor) -> None:
        self.packed, self.prefix_length = packed, prefix_length
        self._event: Any = None
        if result.device.type == "cuda":
            self._host = torch.empty(result.shape, dtype=result.dtype, pin_memory=True)
            self._host.copy_(result, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._host = result

    def numbers(self) -> npt.NDArray[np.float64]:
        """(n_reads,) natural logs, once the device has them."""
        if self._event is not None:
            self._event.synchronize()
        numbers: npt.NDArray[np.float64] = self._host.numpy().astype(np.float64)
        return numbers


class Collector:
    """Sums tokens to options, options to questions, and hands out the answers that are not known yet."""

    def __init__(
        self, prompts: Sequence[ChoicePrompt], suite: str, variant: str, on_answer: OnAnswer, answered: Answered = ()
    ) -> None:
        self._prompts, self._suite, self._variant = prompts, suite, variant
        self._on_answer, self._answered = on_answer, answered
        self._partial: dict[int, dict[int, float]] = {}

    def take(self, reading: Reading) -> None:
        """Hand out the questions that this batch completes."""
        packed = reading.packed
        sums = np.bincount(packed.reads[:, 2], weights=reading.numbers(), minlength=len(packed.slots))
        questions = {question.index: question for tree in packed.trees for question in tree.questions}
        for (index, option), value in zip(packed.slots, sums.tolist(), strict=True):
            question = questions[index]
            options = self._partial.setdefault(index, {})
            options[option] = value
            if len(options) == len(question.continuations):
                values = tuple(options[place] for place in range(len(options)))
                del self._partial[index]
                prompt = self._prompts[index]
                if not is_answered(prompt, self._answered):
                    tokens = reading.prefix_length + max(map(len, question.contexts))
                    self._on_answer(judge(prompt, values, self._suite, self._variant, prompt_tokens=tokens))
