"""What the explorer needs to know of every question, packed for one file; results of queries beside them."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from paretune.analysis.axes import METHODS
from paretune.analysis.results import Comparison
from paretune.records import ChoiceAnswer, SqlOutcome, SqlVerdict
from paretune.run.load import Run, Variant
from paretune.sql.dialects import database_file
from paretune.sql.execute import ExecutionLimits
from paretune.sql.pool import Answer, WorkerPool
from paretune.text import LANGUAGES, SOURCE, Voice
from paretune.text.sql import why_wrong

LIMITS = ExecutionLimits(seconds=2.0, max_rows=100_000, max_bytes=16 * 2**20)
MEMORY_BYTES = 256 * 2**20  # SQLite's heap in a process
ROWS_SHOWN = 20
LETTERS_SHOWN = 200
RAN = (SqlOutcome.CORRECT, SqlOutcome.WRONG)  # every other outcome has no result to show
Query = tuple[str, str]  # database and SQL


def result_tables(records: Run, databases: Path) -> dict[str, Any]:
    """First rows of every result, alike ones once.

    databases: folder of <db_id>/<db_id>.sqlite, opened for reading only. tables: [columns, rows in all, first
    ROWS_SHOWN rows]; gold, answers: which table belongs to a question (by variant), null where a database is not
    there or a query did not end within LIMITS. Raises ScoringError where no process can be started for them.
    """
    gold = [(question.db_id, question.gold) for question in records.questions]
    answers = [
        [(line.db_id, line.sql) if line.outcome in RAN else None for line in variant.sql]
        for variant in records.variants
    ]
    asked = dict.fromkeys([*gold, *(query for queries in answers for query in queries if query is not None)])
    tables, places = _run_queries(list(asked), databases)
    return {
        "tables": tables,
        "gold": [places.get(query) for query in gold],
        "answers": [[None if query is None else places.get(query) for query in queries] for queries in answers],
    }


def _run_queries(queries: Sequence[Query], databases: Path) -> tuple[list[list[Any]], dict[Query, int]]:
    """The tables, each once, in the order of the queries; and which of them a query returns. A model wrote the queries,
    so they run in processes that can be killed."""
    limits = {"seconds": LIMITS.seconds, "max_rows": LIMITS.max_rows, "max_bytes": LIMITS.max_bytes}
    files = {db_id: database_file(databases / db_id, db_id) for db_id, _ in queries}
    known = [query for query in queries if files[query[0]].is_file()]
    requests = [
        {"task": "rows", "database": str(files[db_id]), "sql": sql, "limits": limits, "rows": ROWS_SHOWN,
         "letters": LETTERS_SHOWN}
        for db_id, sql in known
    ]  # fmt: skip
    answers: dict[int, Answer] = {}
    with WorkerPool(os.cpu_count() or 1, MEMORY_BYTES) as pool:
        pool.run(requests, answers.__setitem__)
    tables: dict[str, list[Any]] = {}
    places: dict[Query, int] = {}
    numbers: dict[str, int] = {}
    for position, query in enumerate(known):
        answer = answers[position]
        if answer["status"] == "ok":
            table = [answer["columns"], answer["count"], answer["rows"]]
            content = json.dumps(table)
            tables.setdefault(content, table)
            places[query] = numbers.setdefault(content, len(numbers))
    return list(tables.values()), places


Data = dict[str, Any]


def packed(value: Data) -> str:
    """The value as base64 of gzip of JSON; the same value gives the same text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def explorer_sql(records: Run, comparison: Comparison) -> Data:
    """Target questions with what each variant answered.

    questions: [index, db_id, hardness, question, gold, prompt]; prompts of one database are alike, so they are kept
    as (number of a shared beginning, rest). answers: a list a variant, in the order of the questions:
    [outcome, error class, what was wrong in English, sql, raw text or null where it is the sql itself, both empty,
    tokens, finish]. wording: language -> what was wrong in English -> in the language, where that is other words.
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
        "wording": _wording(records),
    }


def _wording(records: Run) -> dict[str, dict[str, str]]:
    """By language, every English explanation in other words."""
    wrong = {_why(line, Voice(SOURCE)): line for variant in records.variants for line in variant.sql if line.error}
    wording = {}
    for language in LANGUAGES[1:]:
        worded = {english: _why(line, Voice(language)) for english, line in wrong.items()}
        wording[language] = {english: words for english, words in worded.items() if words != english}
    return wording


def _why(line: SqlVerdict, voice: Voice) -> str:
    return why_wrong(voice, line.error, line.error_code, line.error_fields)


def _sql_answers(variant: Variant) -> list[list[Any]]:
    generated = {answer.index: answer for answer in variant.answers}
    found: list[list[Any]] = []
    for line in variant.sql:
        answer = generated.get(line.index)
        about = [answer.tokens, answer.finish] if answer else [None, None]
        found.append(_sql_answer(line) + about)
    return found


def _sql_answer(line: SqlVerdict) -> list[Any]:
    text = None if line.text.strip() == line.sql else line.text
    return [str(line.outcome), line.error_class, _why(line, Voice(SOURCE)) or None, line.sql, text, line.both_empty]


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
