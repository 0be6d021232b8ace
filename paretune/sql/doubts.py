"""What makes figures on text-to-SQL data doubtful, found by running the references."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paretune.sql.execute import ExecutionLimits, execute
from paretune.sql.references import doubt_references
from paretune.sql.spider import database_path
from paretune.tasks import TargetData

_LIMITS = ExecutionLimits(seconds=10.0)
_NAMED = 3  # rows of one remark


def doubtful_references(split: str, directory: Path, target: TargetData) -> list[str]:
    """References that fail, that no parser reads, that are not deterministic or whose sorted rows tie, and training
    rows that fail.

    Each test reference is run up to three times (sql/references.py), each training row once.
    """
    remarks = []
    paths = [database_path(directory, question.cluster) for question in target.questions]
    golds = [question.reference for question in target.questions]
    doubts = doubt_references(list(zip(paths, golds, strict=True)), _LIMITS, lambda _: None)
    for problem, what in (
        ("fails", "fail: they are in no accuracy"),
        ("unreadable", "are no single SELECT statement: they have no hardness and no exact set match"),
        ("not deterministic", "do not return the same each time"),
        ("order of ties", "sort rows that tie, in an order that they leave open"),
    ):
        found = [
            f"entry {question.id} ({doubt.message})"
            for question, doubt in zip(target.questions, doubts, strict=True)
            if doubt is not None and doubt.problem == problem
        ]
        if found:
            remarks.append(f"{split}.json: {len(found)} of {len(golds)} references {what}: {_some(found)}")
    broken = [
        f"{name}.json entry {row.id} ({ran.error})"
        for name, row in target.training
        if (ran := execute(database_path(directory, row.cluster), row.reference, _LIMITS)).status != "ok"
    ]
    if broken:
        remarks.append(f"{len(broken)} of {len(target.training)} training rows hold SQL that fails: {_some(broken)}")
    return remarks


def _some(doubts: Sequence[str]) -> str:
    return ", ".join(doubts[:_NAMED]) + (", ..." if len(doubts) > _NAMED else "")
