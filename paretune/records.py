"""The records of multiple choice that pass between stages: one JSON line each, every field by name.

A record is written once by one stage and read by later ones; averages are always recomputed from the lines. Those of
a target are its task's: sql/records.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Method = Literal["letter", "cloze", "generate", "logged"]
METHODS: tuple[Method, ...] = ("letter", "cloze", "generate")  # ours, what the method "all" stands for
ALL_METHODS: tuple[Method, ...] = (*METHODS, "logged")  # and whatever a log of others was made by


class ChoiceOutcome(StrEnum):
    """What became of one multiple-choice question under one method."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"  # `generate` only: no option letter in the text
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChoiceQuestion:
    """One multiple-choice question. id: "<subject>/<0-based row>", unique in its suite; answer: index of the right
    option. Where a suite has no subjects the suite's name stands for both subject and category."""

    id: str
    subject: str
    category: str
    question: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class ChoicePrompt:
    """A question as the model sees it. Option i is scored as log P(continuations[i] | prefix + contexts[i]).

    prefix: text that many questions of a subject share (description and shots; may be ""). contexts: one string,
    or one an option (winogrande). continuations: (n_options,), each starting with its separating space if any.
    """

    question: ChoiceQuestion
    method: Method
    prefix: str
    contexts: tuple[str, ...]
    continuations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """The verdict on one multiple-choice question: one line of choice.jsonl.

    log_probabilities: (n_options,) natural log of P(continuation | context), summed over tokens; empty for
    `generate`. letter_mass: probability of all option letters together (letter only, else null). correct: by the
    method's main rule (letter: argmax; cloze: argmax of log-probability a byte; generate: the letter read).
    correct_raw: cloze without length normalisation (lm-eval's acc), null otherwise. text: what was generated.
    """

    suite: str
    id: str
    subject: str
    category: str
    variant: str
    method: Method
    outcome: ChoiceOutcome
    correct: bool
    correct_raw: bool | None
    answer: int
    predicted: int | None
    log_probabilities: tuple[float, ...]
    letter_mass: float | None
    prompt_tokens: int
    text: str | None = None
