"""A user's task: a database and pairs of question and query become data and an experiment that runs as it is.

Every reference is executed before anything is written (sql/references.py); what cannot be relied on is left out and
named. Alike questions and equal queries never stand on both sides of the split (sources/splitting.py).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paretune.disk import copy_file, write_bytes
from paretune.errors import ConfigError, DataError
from paretune.files import file_sha256
from paretune.sources.pairs import Pair
from paretune.sources.splitting import alike_groups, same_query, same_question, split_groups
from paretune.sql.dialects import dialect_of
from paretune.sql.execute import ExecutionLimits
from paretune.sql.references import UNUSABLE, Doubt, doubt_references

TASK_FILE = "task.json"  # says that a folder was made here, and of what; written last
TEST_SPLIT, TRAINING_SPLIT = "test", "train"
_LIMITS = ExecutionLimits(seconds=30.0)
_FEWEST_QUESTIONS = 2


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know about a pair. kind: a Doubt's problem, or "repeated", "contradiction", "alike". left_out:
    whether the pair is not in the task."""

    pair: Pair
    kind: str
    message: str
    left_out: bool


@dataclass(slots=True)
class CheckedPairs:
    """The pairs by side, and what is to be said about them and those left out."""

    training: list[Pair] = field(default_factory=list)
    test: list[Pair] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def check_pairs(
    pairs: Sequence[Pair], database: Path, *, test_share: float, seed: int, on_done: Callable[[int], None]
) -> CheckedPairs:
    """Run every reference, leave out what cannot be used, and split the rest.

    test_share: of the pairs, where the file has no split of its own. on_done(1) after each pair. Raises DataError when
    too few pairs are left for two sides.
    """
    checked = CheckedPairs()
    doubts = doubt_references([(database, pair.query) for pair in pairs], _LIMITS, on_done)
    usable = list(_usable(pairs, doubts, checked.remarks))
    groups = alike_groups([pair.question for pair in usable], [pair.query for pair in usable])
    if any(pair.side for pair in usable):
        _split_as_said(usable, groups, checked)
    else:
        sides = split_groups(groups, test_share, seed)
        for pair, is_test in zip(usable, sides, strict=True):
            (checked.test if is_test else checked.training).append(pair)
    if len(checked.test) < _FEWEST_QUESTIONS or not checked.training:
        raise DataError(
            f"{len(usable)} of {len(pairs)} pairs can be used, {len(set(groups))} groups of alike ones: too few for "
            "questions to ask and rows to train on; add pairs, or say with --split COLUMN which are which"
        )
    return checked


def _usable(pairs: Sequence[Pair], doubts: Sequence[Doubt | None], remarks: list[Remark]) -> list[Pair]:
    """The pairs that can be asked or trained on; a repeated question is used once."""
    usable: list[Pair] = []
    first: dict[str, Pair] = {}
    for pair, doubt in zip(pairs, doubts, strict=True):
        if doubt is not None:
            remarks.append(Remark(pair, doubt.problem, doubt.message, doubt.problem in UNUSABLE))
            if doubt.problem in UNUSABLE:
                continue
        earlier = first.setdefault(same_question(pair.question), pair)
        if earlier is not pair and same_query(earlier.query) == same_query(pair.query):
            remarks.append(Remark(pair, "repeated", f"the same pair as {earlier.where}", True))
            continue
        if earlier is not pair:
            remarks.append(Remark(pair, "contradiction", f"the question of {earlier.where} with another query", False))
        usable.append(pair)
    return usable


def _split_as_said(usable: Sequence[Pair], groups: Sequence[int], checked: CheckedPairs) -> None:
    """By the pairs' own sides; training pairs alike to a test pair are left out."""
    asked = {group: pair for pair, group in reversed(list(zip(usable, groups, strict=True))) if pair.side == "test"}
    for pair, group in zip(usable, groups, strict=True):
        if pair.side == "test":
            checked.test.append(pair)
        elif group in asked:
            message = f"too much like the test pair at {asked[group].where}"
            checked.remarks.append(Remark(pair, "alike", message, True))
        else:
            checked.training.append(pair)


def write_task(
    directory: Path, database: Path, checked: CheckedPairs, experiment: str, origin: Mapping[str, Any]
) -> tuple[Path, bool]:
    """Write DIR/data and DIR/experiment.toml; returns the latter, and whether it was written now.

    An experiment file that is there stays, for it may have been changed by hand. origin: what the task was made of,
    kept in task.json. Raises ConfigError for a folder with anything else in it.
    """
    data = directory / "data"
    db_id = database_name(database)
    if directory.exists() and any(directory.iterdir()) and not (data / TASK_FILE).is_file():
        raise ConfigError(f"{directory}: a folder with other things in it; name a new one")
    (data / TASK_FILE).unlink(missing_ok=True)
    copied = data / "database" / db_id / f"{db_id}{dialect_of(database).suffix}"
    if not copied.is_file() or file_sha256(copied) != file_sha256(database):
        copy_file(database, copied)
    for split, pairs in ((TEST_SPLIT, checked.test), (TRAINING_SPLIT, checked.training)):
        entries = [{"db_id": db_id, "question": pair.question, "query": pair.query} for pair in pairs]
        write_bytes(data / f"{split}.json", _json(entries))
    file = directory / "experiment.toml"
    fresh = not file.exists()
    if fresh:
        write_bytes(file, experiment.encode())
    write_bytes(data / TASK_FILE, _json(origin))
    return file, fresh


def database_name(database: Path) -> str:
    """The name that a database file has as db_id: its stem, with what not every file system takes replaced.

    >>> database_name(Path("My shop (2024).sqlite"))
    'My_shop_2024'
    """
    plain = unicodedata.normalize("NFC", database.stem)
    return re.sub(r"\W+", "_", plain).strip("_") or "database"


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
