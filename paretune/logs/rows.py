"""CSV or JSONL of any origin: id, correct, and what else is known of a question."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.logs.answers import UNNAMED, Benchmark, LoggedAnswer, cluster_of, json_object, mark

REQUIRED = ("id", "correct")
CLUSTER = "cluster"
_VERDICTS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def read(path: Path, cluster: str) -> tuple[Benchmark, ...] | None:
    """The rows of a file. Columns beside id and correct: cluster (or the field that `cluster` names), question,
    reference, prompt, answer. Raises DataError naming the line."""
    if path.suffix.lower() not in (".csv", ".jsonl") or not path.is_file():
        return None
    answers = []
    for where, row in _rows(path):
        missing = [name for name in REQUIRED if row.get(name) in (None, "")]
        if missing:
            raise DataError(f"{where}: no value under {' and '.join(missing)}; expected at least id and correct")
        correct = _VERDICTS.get(str(row["correct"]).strip().lower())
        if correct is None:
            raise DataError(f"{where}: correct is {row['correct']!r}; expected true, false, 1 or 0")
        prompt = row.get("prompt")
        answers.append(
            LoggedAnswer(
                id=str(row["id"]),
                correct=correct,
                cluster=cluster_of(row, cluster, where) if cluster else str(row.get(CLUSTER) or ""),
                question=str(row.get("question") or ""),
                reference=str(row.get("reference") or ""),
                prompt=mark(prompt) if prompt else "",
                text=None if row.get("answer") is None else str(row["answer"]),
            )
        )
    return (Benchmark(UNNAMED, tuple(answers)),)


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its place. Raises DataError where it is no text or no JSON."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.DictReader(file)
                for row in reader:
                    yield f"{path}, line {reader.line_num}", row
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield (where := f"{path}, line {number}"), json_object(line, where)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as text ({error})") from error
