"""Every answer of every variant, packed for the page: columns in JSON, gzip, base64."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any

from paretune.analysis.axes import METHODS
from paretune.analysis.results import Comparison
from paretune.records import ChoiceAnswer, SqlVerdict
from paretune.run.load import RunRecords, VariantRecords
from paretune.text.sql import in_portuguese

Data = dict[str, Any]


def packed(value: Data) -> str:
    """The value as base64 of gzip of JSON; the same value gives the same text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def explorer_sql(records: RunRecords, comparison: Comparison) -> Data:
    """Target questions with what each variant answered.

    questions: [index, db_id, hardness, question, gold, prompt]; prompts of one database are alike, so they are kept
    as (number of a shared beginning, rest). answers: a list a variant, in the order of the questions:
    [outcome, error class, error, sql, raw text or null where it is the sql itself, both empty, tokens, finish].
    portuguese: each error in Brazilian Portuguese, where that is other words.
    """
    beginnings, prompts = _shared([question.prompt for question in records.questions])
    questions = [
        [question.index, question.db_id, question.hardness, question.question, question.gold, *prompt]
        for question, prompt in zip(records.questions, prompts, strict=True)
    ]
    return {
        "variants": [variant.name for variant in records.variants],
        "kinds": [row.kind for row in comparison.variants],
        "beginnings": beginnings,
        "questions": questions,
        "answers": [_sql_answers(variant) for variant in records.variants],
        "portuguese": _translated(records),
    }


def _translated(records: RunRecords) -> dict[str, str]:
    errors = dict.fromkeys(line.error for variant in records.variants for line in variant.sql if line.error)
    worded = {error: in_portuguese(error) for error in errors if error}
    return {error: words for error, words in worded.items() if words != error}


def _sql_answers(variant: VariantRecords) -> list[list[Any]]:
    generated = {answer.index: answer for answer in variant.answers}
    found: list[list[Any]] = []
    for line in variant.sql:
        answer = generated.get(line.index)
        about = [answer.tokens, answer.finish] if answer else [None, None]
        found.append(_sql_answer(line) + about)
    return found


def _sql_answer(line: SqlVerdict) -> list[Any]:
    text = None if line.text.strip() == line.sql else line.text
    return [str(line.outcome), line.error_class, line.error, line.sql, text, line.both_empty]


def _shared(prompts: Sequence[str]) -> tuple[list[str], list[tuple[int, str]]]:
    """Prompts cut after their last blank line before the end: the part before is the same for many."""
    beginnings: dict[str, int] = {}
    cut: list[tuple[int, str]] = []
    for prompt in prompts:
        at = prompt.rfind("\n\n") + 2 if "\n\n" in prompt else 0
        number = beginnings.setdefault(prompt[:at], len(beginnings))
        cut.append((number, prompt[at:]))
    return list(beginnings), cut


def explorer_choice(records: RunRecords) -> Data:
    """Multiple-choice questions of all suites with what each variant answered.

    questions: [suite, id, subject, category, question, options, answer]. answers: method -> a list a variant, in the
    order of the questions, null where the method did not ask it: [right, predicted, log-probabilities, letter mass,
    text].
    """
    order = {(question.suite, question.id): at for at, question in enumerate(records.choice_questions)}
    asked = {line.method for variant in records.variants for line in variant.choice}
    answers: dict[str, list[list[Any]]] = {}
    for method in METHODS:
        if method in asked:
            answers[method] = [
                _choice_answers(variant.choice, method, order, len(order)) for variant in records.variants
            ]
    return {
        "variants": [variant.name for variant in records.variants],
        "questions": [
            [item.suite, item.id, item.subject, item.category, item.question, list(item.options), item.answer]
            for item in records.choice_questions
        ],
        "answers": answers,
    }


def _choice_answers(
    lines: Iterable[ChoiceAnswer], method: str, order: dict[tuple[str, str], int], count: int
) -> list[Any]:
    found: list[Any] = [None] * count
    for line in lines:
        if line.method == method:
            scores = [round(score, 2) for score in line.log_probabilities]
            mass = None if line.letter_mass is None else round(line.letter_mass, 3)
            found[order[line.suite, line.id]] = [int(line.correct), line.predicted, scores, mass, line.text]
    return found
