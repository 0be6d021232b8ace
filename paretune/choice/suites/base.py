"""What a suite is to this program: how its files are read, and how its questions are worded.

A suite is one file of this folder that makes a `SuiteKind`, and one line in `SUITES`. Where lm-eval (0.4.13) defines a
form, ours is equal to it to the letter, so that figures compare: `letter` for mmlu and commonsense-qa, `cloze` for arc,
hellaswag, piqa, winogrande, openbookqa, boolq and truthfulqa-mc1. The other forms are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paretune.choice.letters import LETTERS
from paretune.choice.suites.files import Splits, SuiteFolder
from paretune.errors import PromptError
from paretune.records import METHODS, ChoiceQuestion, Method

SHOT_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Form:
    """How one suite words one question. contexts: question -> one text, or one per option; continuations: question
    -> one per option, without the separating space; description: subject -> text before the shots."""

    contexts: Callable[[ChoiceQuestion], tuple[str, ...]]
    continuations: Callable[[ChoiceQuestion], tuple[str, ...]]
    description: Callable[[str], str] = lambda subject: ""

    def shot(self, question: ChoiceQuestion) -> str:
        """The question answered, as an example."""
        contexts = self.contexts(question)
        context = contexts[question.answer if len(contexts) > 1 else 0]
        return f"{context} {self.continuations(question)[question.answer]}{SHOT_SEPARATOR}"


def letters(question: ChoiceQuestion) -> tuple[str, ...]:
    """A, B, ... for each option."""
    if len(question.options) > len(LETTERS):
        raise PromptError(f"question {question.id}: {len(question.options)} options, more than there are letters")
    return tuple(LETTERS[: len(question.options)])


def options(question: ChoiceQuestion) -> tuple[str, ...]:
    """The options' texts."""
    return question.options


def lettered(question: ChoiceQuestion) -> str:
    """ "A. first option", one line per option."""
    return "\n".join(f"{letter}. {text}" for letter, text in zip(letters(question), question.options, strict=True))


def worded(pattern: str) -> Callable[[ChoiceQuestion], tuple[str, ...]]:
    """One context by a pattern of {question}, {stripped} (the question without white space around) and {lettered}."""

    def contexts(question: ChoiceQuestion) -> tuple[str, ...]:
        shown = lettered(question) if "{lettered}" in pattern else ""
        return (pattern.format(question=question.question, stripped=question.question.strip(), lettered=shown),)

    return contexts


def described(pattern: str) -> Callable[[str], str]:
    """A description by a pattern of {topic}: the subject in words."""
    return lambda subject: pattern.format(topic=subject.replace("_", " "))


def _as_it_is(question: ChoiceQuestion) -> ChoiceQuestion:
    return question


def _no_validation(folder: SuiteFolder, subjects: Sequence[str]) -> list[ChoiceQuestion]:
    return []


@dataclass(frozen=True, slots=True)
class SuiteKind:
    """One benchmark of multiple choice.

    read: folder, subjects (all when empty) and number of shots to the rows; letter, cloze: how it is worded (written
    answers follow the letter form); methods: how it may be asked; has_subjects: whether subjects may be chosen;
    takes_shots: False where it brings its own examples; embedded: the folder that comes with the program, if one does;
    arranged: the question as it is shown with letters. validation: the rows of a split that is neither tested nor shown
    as examples. chance is that of one right option among all, per question.
    """

    name: str
    read: Callable[[SuiteFolder, Sequence[str], int], Splits]
    letter: Form = Form(worded("Question: {stripped}\n{lettered}\nAnswer:"), letters)
    cloze: Form = Form(worded("Question: {question}\nAnswer:"), options)
    methods: tuple[Method, ...] = METHODS
    has_subjects: bool = False
    takes_shots: bool = True
    embedded: Callable[[], Path] | None = None
    arranged: Callable[[ChoiceQuestion], ChoiceQuestion] = _as_it_is
    validation: Callable[[SuiteFolder, Sequence[str]], list[ChoiceQuestion]] = _no_validation

    def form(self, method: Method) -> Form:
        """The form of a method."""
        return self.cloze if method == "cloze" else self.letter
