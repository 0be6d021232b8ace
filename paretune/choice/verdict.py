"""From log-probabilities of tokens to verdicts on questions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from paretune.engines.hf.packing import PackedBatch
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt

OnAnswer = Callable[[ChoiceAnswer], None]
Answered = Collection[tuple[str, str]]  # (method, question id)


def is_answered(prompt: ChoicePrompt, answered: Answered) -> bool:
    """Whether an earlier run has the answer already."""
    return (prompt.method, prompt.question.id) in answered


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


def judge(
    prompt: ChoicePrompt, log_probabilities: tuple[float, ...], suite: str, variant: str, *, prompt_tokens: int
) -> ChoiceAnswer:
    """The verdict that the options' log-probabilities give, by the prompt's method.

    letter: the most probable. cloze: the most probable a byte of its text (lm-eval's acc_bytes, and its acc_norm
    where the texts are ASCII), with the most probable (lm-eval's acc) as correct_raw. The first of equals counts.
    A log-probability that is not a number makes the outcome `failed`.
    """
    question = prompt.question
    finite = bool(np.isfinite(log_probabilities).all())
    raw = int(np.argmax(log_probabilities))
    lengths = [max(1, len(option_text(text).encode())) for text in prompt.continuations]
    normalised = int(np.argmax(np.array(log_probabilities) / lengths))
    cloze = prompt.method == "cloze"
    predicted = normalised if cloze else raw
    correct = finite and predicted == question.answer
    outcome = ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG
    return ChoiceAnswer(
        suite=suite,
        id=question.id,
        subject=question.subject,
        category=question.category,
        variant=variant,
        method=prompt.method,
        outcome=outcome if finite else ChoiceOutcome.FAILED,
        correct=correct,
        correct_raw=(finite and raw == question.answer) if cloze else None,
        answer=question.answer,
        predicted=predicted if finite else None,
        log_probabilities=log_probabilities if finite else (),
        letter_mass=None if cloze or not finite else float(min(1.0, np.exp(log_probabilities).sum())),
        prompt_tokens=prompt_tokens,
    )


def option_text(continuation: str) -> str:
    """A continuation without the space that separates it from its context: what its length is counted on.

    >>> option_text(" a brown dog")
    'a brown dog'
    """
    return continuation.removeprefix(" ")
