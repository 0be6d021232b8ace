"""Do the tables that lie in the folder follow from its lines?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from paretune.findings import Figures, Finding
from paretune.run.load import Run

ROUNDED = 1e-3  # percent: CSV files hold ten digits, edited ones fewer


def derived_findings(run: Run) -> Iterator[Finding]:
    """Accuracies of tables/*.csv that the lines do not give, and rows of variants that are not there."""
    metric = run.facets.metric_column
    yield from _accuracies(run, f"{metric}.csv", f"{metric}_percent", _target(run))
    yield from _accuracies(run, "general_accuracy.csv", "accuracy_percent", _general(run))


Expected = dict[tuple[str, ...], tuple[float, ...]]  # by what names a row, the figures that it may have


def _target(run: Run) -> Expected:
    """With questions that cannot be judged among them, and without them."""
    expected: Expected = {}
    for variant in run.variants:
        judged = [line for line in variant.verdicts if line.outcome not in run.facets.void]
        right = sum(line.outcome == "correct" for line in judged)
        expected[variant.name,] = tuple(100 * right / len(lines) for lines in (variant.verdicts, judged) if lines)
    return expected


def _general(run: Run) -> Expected:
    counts: dict[tuple[str, ...], list[int]] = {}
    for variant in run.variants:
        for line in variant.choice:
            counts.setdefault((variant.name, line.suite, line.method), []).append(line.correct)
    return {key: (100 * sum(right) / len(right),) for key, right in counts.items()}


def _accuracies(run: Run, file: str, column: str, expected: Expected) -> Iterator[Finding]:
    rows = _table(run.path / "tables" / file)
    if not rows or column not in rows[0]:
        return
    strangers = []
    for row in rows:
        if row.get("average", "micro") != "micro" or row.get("group"):
            continue
        parts = ("variant",) if "suite" not in row else ("variant", "suite", "method")
        key = tuple(str(row[part]) for part in parts)
        if key not in expected:
            strangers.append(" ".join(key))
        elif all(abs(_number(row[column]) - figure) > ROUNDED for figure in expected[key]):
            figures: Figures = {
                "file": f"tables/{file}", "variant": " ".join(key), "written": row[column],
                "recomputed": expected[key][0],
            }  # fmt: skip
            yield Finding("invalid", "table-differs", figures)
    if strangers and not run.problems:
        yield Finding("invalid", "table-of-others", {"file": f"tables/{file}", "variants": ", ".join(strangers)})


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
