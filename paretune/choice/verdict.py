"""From what a model made of a question (log-probabilities of its options, or a text) to the verdict."""

from __future__ import annotations

import numpy as np

from paretune.choice.letters import parse_letter
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt


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


def judge_written(prompt: ChoicePrompt, text: str, suite: str, variant: str, *, prompt_tokens: int) -> ChoiceAnswer:
    """The verdict on a written answer: no_answer where `parse_letter` finds no choice in it."""
    question = prompt.question
    predicted = parse_letter(text, question.options)
    correct = predicted == question.answer
    answered = ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG
    return ChoiceAnswer(
        suite=suite,
        id=question.id,
        subject=question.subject,
        category=question.category,
        variant=variant,
        method=prompt.method,
        outcome=ChoiceOutcome.NO_ANSWER if predicted is None else answered,
        correct=correct,
        correct_raw=None,
        answer=question.answer,
        predicted=predicted,
        log_probabilities=(),
        letter_mass=None,
        prompt_tokens=prompt_tokens,
        text=text,
    )


def option_text(continuation: str) -> str:
    """A continuation without the space that separates it from its context: what its length is counted on.

    >>> option_text(" a brown dog")
    'a brown dog'
    """
    return continuation.removeprefix(" ")
