"""From what a model made of a question (log-probabilities of its options, or a text) to the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from paretune.choice.letters import parse_letter
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt, ChoiceQuestion, Method


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
    correct = predicted == question.answer
    unjudged = unanswered(question, prompt.method, suite, variant, prompt_tokens)
    if not finite:
        return replace(unjudged, outcome=ChoiceOutcome.FAILED, correct_raw=False if cloze else None)
    return replace(
        unjudged,
        outcome=ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG,
        correct=correct,
        correct_raw=raw == question.answer if cloze else None,
        predicted=predicted,
        log_probabilities=log_probabilities,
        letter_mass=None if cloze else float(min(1.0, np.exp(log_probabilities).sum())),
    )


def judge_written(prompt: ChoicePrompt, text: str, suite: str, variant: str, *, prompt_tokens: int) -> ChoiceAnswer:
    """The verdict on a written answer: no_answer where `parse_letter` finds no choice in it."""
    question = prompt.question
    written = replace(unanswered(question, prompt.method, suite, variant, prompt_tokens), text=text)
    predicted = parse_letter(text, question.options)
    if predicted is None:
        return written
    correct = predicted == question.answer
    outcome = ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG
    return replace(written, outcome=outcome, correct=correct, predicted=predicted)


def unanswered(question: ChoiceQuestion, method: Method, suite: str, variant: str, prompt_tokens: int) -> ChoiceAnswer:
    """The line of a question before anything is known of an answer to it: no_answer."""
    return ChoiceAnswer(
        suite=suite,
        id=question.id,
        subject=question.subject,
        category=question.category,
        variant=variant,
        method=method,
        outcome=ChoiceOutcome.NO_ANSWER,
        correct=False,
        correct_raw=None,
        answer=question.answer,
        predicted=None,
        log_probabilities=(),
        letter_mass=None,
        prompt_tokens=prompt_tokens,
    )


def option_text(continuation: str) -> str:
    """A continuation without the space that separates it from its context: what its length is counted on.

    >>> option_text(" a brown dog")
    'a brown dog'
    """
    return continuation.removeprefix(" ")
