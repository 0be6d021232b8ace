"""Multiple-choice prompts: the text that a model sees, and the continuations it is scored on.

Each suite's file says how it words a question (choice/suites). `generate` shows exactly the letter prompt, so that only
the way of reading the answer differs between the two.
"""

from __future__ import annotations

from collections.abc import Sequence

from paretune.choice.suites import suite_kind
from paretune.choice.suites.base import Form
from paretune.choice.suites.load import Suite
from paretune.errors import PromptError
from paretune.records import ChoicePrompt, ChoiceQuestion, Method


def build_prompts(
    suite: Suite, questions: Sequence[ChoiceQuestion], *, shots: int, method: Method
) -> list[ChoicePrompt]:
    """The prompts of the questions, in their order, after the first `shots` development rows of each one's subject.

    method: letter (continuations " A", " B", ...), cloze (the options' texts) or generate (the letter prompt).
    In truthfulqa-mc1 the right option always stands first, so its letter and generate prompts hold the options in
    an order drawn from the question's id; the prompt's `question` is the reordered one.
    Raises PromptError for shots that the suite does not have.
    """
    kind = suite_kind(suite.name)
    if shots and not kind.takes_shots:
        raise PromptError(f"{suite.name} carries its own examples; ask it with shots = 0")
    form = kind.form(method)
    prefixes: dict[str, str] = {}
    prompts = []
    for question in questions:
        if question.subject not in prefixes:
            prefixes[question.subject] = _prefix(suite, question.subject, shots, form)
        shown = question if method == "cloze" else kind.arranged(question)
        prompts.append(
            ChoicePrompt(
                question=shown,
                method=method,
                prefix=prefixes[question.subject],
                contexts=form.contexts(shown),
                continuations=tuple(f" {text}" for text in form.continuations(shown)),
            )
        )
    return prompts


def _prefix(suite: Suite, subject: str, shots: int, form: Form) -> str:
    rows = suite.shots.get(subject, ())[:shots]
    if shots < 0 or len(rows) < shots:
        raise PromptError(f"{suite.name}, subject {subject}: {shots} shots asked, {len(rows)} development rows loaded")
    return form.description(subject) + "".join(form.shot(row) for row in rows)
