"""What makes figures on a target's data doubtful, found by running its references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from paretune.errors import ParetuneError
from paretune.records import SqlQuestion
from paretune.sources.splitting import same_question
from paretune.sql.dialects import as_sqlite
from paretune.sql.execute import ExecutionLimits, execute
from paretune.sql.references import doubt_references
from paretune.sql.spider import database_path
from paretune.sql.spider_metrics import hardness

if TYPE_CHECKING:
    from paretune.pipeline.prepare import TargetData

_LIMITS = ExecutionLimits(seconds=10.0)
_NAMED = 3  # rows of one remark


def doubtful_references(split: str, target: TargetData) -> list[str]:
    """References that fail, that are not deterministic or whose sorted rows tie, and training rows that fail.

    Each test reference is run up to three times (sql/references.py), each training row once.
    """
    remarks = []
    paths = [database_path(target.directory, question.db_id) for question in target.questions]
    golds = [question.gold for question in target.questions]
    doubts = doubt_references(list(zip(paths, golds, strict=True)), _LIMITS, lambda _: None)
    for problem, what in (
        ("fails", "fail: no answer to them can be right"),
        ("not deterministic", "do not return the same each time"),
        ("order of ties", "sort rows that tie, in an order that they leave open"),
    ):
        found = [
            f"entry {question.index} ({doubt.message})"
            for question, doubt in zip(target.questions, doubts, strict=True)
            if doubt is not None and doubt.problem == problem
        ]
        if found:
            remarks.append(f"{split}.json: {len(found)} of {len(golds)} references {what}: {_some(found)}")
    broken = [
        f"{name}.json entry {row.index} ({ran.error})"
        for name, row in target.training
        if (ran := execute(database_path(target.directory, row.db_id), row.gold, _LIMITS)).status != "ok"
    ]
    if broken:
        remarks.append(f"{len(broken)} of {len(target.training)} training rows hold SQL that fails: {_some(broken)}")
    return remarks


def unreadable_references(split: str, target: TargetData) -> list[str]:
    """The references that have no hardness, because they are no single SELECT statement."""
    found = []
    for question in target.questions:
        try:
            hardness(as_sqlite(question.gold, database_path(target.directory, question.db_id)))
        except ParetuneError as error:
            found.append(f"{split}.json, entry {question.index}: {error}")
    return found


def trained_on_the_test(target: TargetData) -> Iterator[str]:
    """One remark where questions are asked that are trained on."""

    def mark(row: SqlQuestion) -> tuple[str, str]:
        return row.db_id, same_question(row.question)

    trained = {mark(row) for _, row in target.training}
    count = sum(mark(question) in trained for question in target.questions)
    if count:
        yield (
            f"{count} of {len(target.questions)} test questions stand among the training rows: what is gained on them "
            "is memory; take them out of the training data"
        )


def _some(found: Sequence[str]) -> str:
    return ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
