"""From log-probabilities of tokens to verdicts on questions."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt

OnAnswer = Callable[[ChoiceAnswer], None]
Answered = Collection[tuple[str, str]]  # (method, question id)


def is_answered(prompt: ChoicePrompt, answered: Answered) -> bool:
    """Whether an earlier run has the answer already."""
    return (prompt.method, prompt.question.id) in answered


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
