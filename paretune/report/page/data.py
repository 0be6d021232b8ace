"""What the explorer needs to know of every question, packed for one file."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any

from paretune.analysis.results import Comparison
from paretune.records import ALL_METHODS, ChoiceAnswer
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines
from paretune.run.load import Run, Variant
from paretune.tasks import Task, Verdict
from paretune.text import LANGUAGES, SOURCE, Voice

Data = dict[str, Any]
CHOICE_PROMPTS = "choice_prompts"  # of prepared/


def packed(value: Data) -> str:
    """The value as base64 of gzip of JSON; the same value gives the same text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def explorer_target(records: Run, comparison: Comparison) -> Data:
    """Target questions with what each variant answered.

    questions: [id, cluster, level, question, reference, prompt]; prompts of one cluster are alike, so they are kept
    as (number of a shared beginning, rest). answers: a list a variant, in the order of the questions:
    [outcome, error class, what was wrong in English, answer, raw text or null where it is the answer itself, first
    mark of the task, tokens, finish]. wording: language -> what was wrong in English -> in the language, where that is
    other words.
    """
    beginnings, prompts = _shared([question.prompt for question in records.questions])
    questions = [
        [question.id, question.cluster, question.level, question.question, question.reference, *prompt]
        for question, prompt in zip(records.questions, prompts, strict=True)
    ]
    return {
        "variants": [variant.name for variant in records.variants],
        "kinds": [row.kind for row in comparison.variants],
        "beginnings": beginnings,
        "questions": questions,
        "answers": [_target_answers(variant, records.task) for variant in records.variants],
        "wording": _wording(records),
    }


def _wording(records: Run) -> dict[str, dict[str, str]]:
    """By language, every English explanation in other words."""
    explain = records.task.explain
    wrong = {explain(line, Voice(SOURCE)): line for variant in records.variants for line in variant.verdicts}
    wording = {}
    for language in LANGUAGES[1:]:
        worded = {english: explain(line, Voice(language)) for english, line in wrong.items() if english}
        wording[language] = {english: words for english, words in worded.items() if words != english}
    return wording


def _target_answers(variant: Variant, task: Task) -> list[list[Any]]:
    generated = {answer.id: answer for answer in variant.answers}
    found: list[list[Any]] = []
    for line in variant.verdicts:
        written = generated.get(line.id)
        about = [written.tokens, written.finish] if written else [None, None]
        raw = str(line.detail.get("text", written.text if written else ""))
        found.append(_target_answer(line, raw, task) + about)
    return found


def _target_answer(line: Verdict, raw: str, task: Task) -> list[Any]:
    answer = str(line.detail.get(task.facets.answer, raw))
    marked = next((bool(line.detail.get(mark)) for mark in task.facets.marks), False)
    text = None if raw.strip() == answer else raw
    return [line.outcome, line.reason, task.explain(line, Voice(SOURCE)) or None, answer, text, marked]


def _shared(prompts: Sequence[str]) -> tuple[list[str], list[tuple[int, str]]]:
    """Prompts cut after their last blank line before the end: the part before is the same for many."""
    beginnings: dict[str, int] = {}
    cut: list[tuple[int, str]] = []
    for prompt in prompts:
        at = prompt.rfind("\n\n") + 2 if "\n\n" in prompt else 0
        number = beginnings.setdefault(prompt[:at], len(beginnings))
        cut.append((number, prompt[at:]))
    return list(beginnings), cut


def explorer_choice(records: Run) -> Data:
    """Multiple-choice questions of all suites with what each variant answered.

    questions: [suite, id, subject, category, question, options, answer, prompts], the last method -> (number of a
    shared beginning, rest), where prepared/ has them. answers: method -> a list a variant, in the order of the
    questions, null where the method did not ask it: [right, predicted, log-probabilities, letter mass, text].
    """
    beginnings, prompts = _choice_prompts(records)
    order = {(question.suite, question.id): at for at, question in enumerate(records.choice_questions)}
    asked = {line.method for variant in records.variants for line in variant.choice}
    answers: dict[str, list[list[Any]]] = {}
    for method in ALL_METHODS:
        if method in asked:
            answers[method] = [
                _choice_answers(variant.choice, method, order, len(order)) for variant in records.variants
            ]
    return {
        "variants": [variant.name for variant in records.variants],
        "beginnings": beginnings,
        "questions": [
            [
                item.suite,
                item.id,
                item.subject,
                item.category,
                item.question,
                list(item.options),
                item.answer,
                prompts.get((item.suite, item.id)),
            ]
            for item in records.choice_questions
        ],
        "answers": answers,
    }


def _choice_prompts(records: Run) -> tuple[list[str], dict[tuple[str, str], dict[str, tuple[int, str]]]]:
    """Prompts of multiple choice by suite and question; none in folders of before they were kept."""
    path = RunFolder(records.path).prepared(CHOICE_PROMPTS)
    if not path.is_file():
        return [], {}
    header, lines = read_lines(path)
    prompts: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
    for line in lines:
        asked = prompts.setdefault((str(line["suite"]), str(line["question"]["id"])), {})
        asked[str(line["method"])] = (int(line["prefix"]), "\n".join(line["contexts"]))
    return [str(text) for text in header.get("prefixes", [])], prompts


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
