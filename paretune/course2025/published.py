"""What is wrong with published CSV files in the form of the 2025 course results, and what their figures should be.

A variant's file has the columns question, generated_sql, expected_sql, score, one row per question of the split in its
order; a choice file has one row per variant and one column per category, shares in [0, 1], the last column their mean.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from paretune.analysis.audit.alike import cluster_findings
from paretune.analysis.audit.general import chance_findings
from paretune.errors import DataError
from paretune.findings import LEVELS, Figures, Finding
from paretune.sql.audit import sql_findings
from paretune.sql.records import SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.stats.intervals import Interval, accuracy_interval
from paretune.stats.paired import paired_difference

COLUMNS = ("question", "generated_sql", "expected_sql", "score")
PREFIX = "avaliacao_"
SHARE_OF_ANOTHER_SET = 0.2  # of the rows; another release differs in fewer
SHARE_OF_REPLACED = 0.05
FEWEST_TO_BE_A_COPY = 20
ROUNDED = 0.0006  # of a share written with three decimals


@dataclass(frozen=True)
class Published:
    """variants: name -> rows of its file; choice: variant -> category -> share correct in [0, 1], means left out.
    aggregates: the means that the choice file states; summary: what a summary file states, by variant."""

    variants: Mapping[str, Sequence[Mapping[str, str]]]
    choice: Mapping[str, Mapping[str, float]]
    aggregates: Mapping[str, float] = field(default_factory=dict)
    summary: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CorrectedRow:
    """One variant's figures in percent. published, reproduced: as in the file and by the 2025 rule; official: by the
    official rule, the text run as written, over databases; independent: the same figure with questions taken as
    independent, which says nothing about other databases; extracted: how many are correct when one statement is taken
    from the text first."""

    variant: str
    questions: int
    published: float
    reproduced: float
    official: Interval
    independent: Interval
    extracted: int


def read_published(folder: Path) -> Published:
    """Read all CSV files of a folder. Raises DataError naming file, line and what was expected."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected published CSV files")
    variants: dict[str, list[dict[str, str]]] = {}
    choice: dict[str, dict[str, float]] = {}
    aggregates: dict[str, float] = {}
    summary: dict[str, float] = {}
    for path in sorted(folder.glob("*.csv")):
        header, rows = _table(path)
        if set(COLUMNS) <= set(header):
            variants[path.stem.removeprefix(PREFIX).replace("_", " ")] = rows
        elif header[0] == "" and len(header) > 2:
            choice |= {row[""]: _shares(path, number, row, header[1:-1]) for number, row in enumerate(rows, start=2)}
            stated = {row[""]: _shares(path, number, row, header[-1:]) for number, row in enumerate(rows, start=2)}
            aggregates |= {name: shares[header[-1]] for name, shares in stated.items()}
        elif header[0] == "" and len(header) == 2:
            for number, row in enumerate(rows, start=2):
                summary[row[""]] = _shares(path, number, row, header[1:])[header[1]]
    if not variants:
        raise DataError(f"{folder}: no CSV file with the columns {', '.join(COLUMNS)}")
    names = sorted(variants, key=lambda name: (not name.lower().startswith("base"), name))
    return Published({name: variants[name] for name in names}, choice, aggregates, summary)


def audit_published(
    published: Published,
    questions: Sequence[SqlQuestion],
    databases: Path,
    *,
    questions_per_category: int = 50,
    chance: float = 0.25,
    workers: int | None = None,
) -> tuple[list[CorrectedRow], list[Finding]]:
    """Corrected figures and what is wrong with the published ones, the gravest first.

    questions: the split that the rows belong to, by position (it gives each row its database; gold is the row's own).
    questions_per_category: of the choice file, which does not say. Raises DataError where rows and split cannot belong
    together.
    """
    rows, findings = [], []
    official: dict[str, list[SqlVerdict]] = {}
    for name, lines in published.variants.items():
        predictions = _predictions(name, lines, questions)
        settings = ScoreSettings(rules="official", as_written=True, workers=workers)
        old, strict, extracted = (
            score_predictions(predictions, databases, kind)
            for kind in (replace(settings, rules="tp4"), settings, replace(settings, as_written=False))
        )
        official[name] = strict
        scores = [_share(f"{name}, row {number}: score", line["score"]) for number, line in enumerate(lines)]
        row = CorrectedRow(
            variant=name,
            questions=len(lines),
            published=100 * sum(scores) / len(lines),
            reproduced=100 * _correct(old) / len(lines),
            official=accuracy_interval([v.execution_match for v in strict], [v.db_id for v in strict]),
            independent=accuracy_interval([v.execution_match for v in strict]),
            extracted=_correct(extracted),
        )
        rows.append(row)
        findings += [*_score_findings(row), *sql_findings(name, old)]
        findings += _text_after(row, strict, extracted)
    findings += [*_data_findings(published, questions), *_stated(published), *_copies(published), *_rankings(official)]
    findings += _choice_findings(published.choice, questions_per_category, chance)
    return rows, sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def _score_findings(row: CorrectedRow) -> Iterator[Finding]:
    figures: Figures = {
        "variant": row.variant,
        "published": row.published,
        "reproduced": row.reproduced,
        "official": row.official.estimate,
        "low": row.independent.low,
        "high": row.independent.high,
        "wide_low": row.official.low,
        "wide_high": row.official.high,
        "clusters": row.official.clusters,
    }
    if abs(row.published - row.reproduced) > 1e-6:
        yield Finding("invalid", "published-differs", figures)
    if abs(row.published - row.official.estimate) > 1e-6:
        yield Finding("invalid", "published-score", figures)


def _text_after(row: CorrectedRow, strict: Sequence[SqlVerdict], extracted: Sequence[SqlVerdict]) -> Iterator[Finding]:
    count = sum(one.sql != other.sql for one, other in zip(strict, extracted, strict=True))
    if count:
        figures: Figures = {"variant": row.variant, "count": count, "questions": row.questions}
        more: Figures = {"extracted": row.extracted, "official": _correct(strict)}
        changed = row.extracted != _correct(strict)
        yield Finding("warning" if changed else "note", "text-after-query", {**figures, **more})


def _data_findings(published: Published, questions: Sequence[SqlQuestion]) -> Iterator[Finding]:
    first = next(iter(published.variants.values()))
    for name, lines in published.variants.items():
        pairs = list(zip(lines, questions, strict=False))
        other = sum(not _alike(line["question"], row.question) for line, row in pairs)
        replaced = sum(
            _alike(line["question"], row.question) and not _alike(line["expected_sql"], row.gold) for line, row in pairs
        )
        figures: Figures = {"variant": name, "questions": len(lines)}
        if other > SHARE_OF_ANOTHER_SET * len(lines):
            yield Finding("invalid", "other-questions", {**figures, "count": other})
        elif replaced > SHARE_OF_REPLACED * len(lines):
            yield Finding("warning", "references-changed", {**figures, "count": replaced})
        elif lines is first and other + replaced:
            yield Finding("note", "old-data", {"count": other + replaced, "questions": len(lines)})
    lines = first
    yield from cluster_findings("target", [row.db_id for row in questions[: len(lines)]])
    if len(published.variants) > 1:
        yield Finding("note", "single-seed", {"recipes": len(published.variants) - 1})


def _alike(one: str, other: str) -> bool:
    return one.split() == other.split()


def _stated(published: Published) -> Iterator[Finding]:
    """Sums and means that do not follow from what they are of."""
    means = {name: sum(float(row["score"]) for row in rows) / len(rows) for name, rows in published.variants.items()}
    by_name = {name.lower(): mean for name, mean in means.items()}
    for name, written in published.summary.items():
        mean = by_name.get(name.lower())
        if mean is not None and abs(mean - written) > ROUNDED:
            figures: Figures = {"variant": name, "written": 100 * written, "recomputed": 100 * mean}
            yield Finding("invalid", "published-summary", figures)
    for name, written in published.aggregates.items():
        shares = published.choice[name].values()
        mean = sum(shares) / len(shares)
        if abs(mean - written) > ROUNDED:
            figures = {"variant": name, "written": 100 * written, "recomputed": 100 * mean}
            yield Finding("invalid", "published-aggregate", figures)


def _copies(published: Published) -> Iterator[Finding]:
    """Files that are one run, and files that cannot be ranked because they answer different questions."""
    for (first, rows), (second, others) in combinations(published.variants.items(), 2):
        asked = [[row["question"] for row in lines] for lines in (rows, others)]
        if asked[0] != asked[1]:
            figures: Figures = {"first": first, "second": second, "rows": len(rows), "other": len(others)}
            yield Finding("invalid", "different-rows", figures)
        elif len(rows) >= FEWEST_TO_BE_A_COPY and all(
            row["generated_sql"] == other["generated_sql"] for row, other in zip(rows, others, strict=True)
        ):
            yield Finding("invalid", "copied-run", {"first": first, "second": second, "questions": len(rows)})


def _rankings(official: Mapping[str, Sequence[SqlVerdict]]) -> Iterator[Finding]:
    """Pairs of variants whose difference is shown for no questions, or for those of these databases only."""
    for first, second in combinations(official, 2):
        if len(official[first]) != len(official[second]):
            continue
        alone, over_databases = (
            paired_difference(
                [verdict.execution_match for verdict in official[first]],
                [verdict.execution_match for verdict in official[second]],
                clusters,
                generator=np.random.default_rng(0),
                replicates=1,
            )
            for clusters in (
                [(verdict.db_id, verdict.gold) for verdict in official[first]],  # alike answers to one reference
                [verdict.db_id for verdict in official[first]],
            )
        )
        figures: Figures = {
            "first": first,
            "second": second,
            "difference": alone.difference,
            "low": alone.t.low,
            "high": alone.t.high,
            "questions": alone.n,
            "clusters": over_databases.t.clusters,
            "probability": alone.t_p,
            "detectable": 100.0 if alone.minimum_detectable_effect is None else alone.minimum_detectable_effect,
        }
        if 0 in alone.t:
            yield Finding("warning", "ranked-without-evidence", figures)
        elif 0 in over_databases.t:
            yield Finding("warning", "these-databases-only", figures)


def _choice_findings(
    choice: Mapping[str, Mapping[str, float]], questions_per_category: int, chance: float
) -> Iterator[Finding]:
    for variant, categories in choice.items():
        correct: list[bool] = []
        for category, share in categories.items():
            right = round(share * questions_per_category)
            if abs(share * questions_per_category - right) > 0.01:
                raise DataError(
                    f"{variant}, {category}: {share} of {questions_per_category} questions is no whole number; "
                    "give the number of questions a category with --questions-per-category"
                )
            correct += [True] * right + [False] * (questions_per_category - right)
        if correct:
            yield from chance_findings(variant, "MMLU", "generate", correct, chance)


def _predictions(
    name: str, lines: Sequence[Mapping[str, str]], questions: Sequence[SqlQuestion]
) -> list[SqlPrediction]:
    if not lines or len(lines) > len(questions):
        raise DataError(f"{name}: {len(lines)} rows, but the split has {len(questions)} questions")
    return [
        SqlPrediction(row.index, row.db_id, line["question"], line["expected_sql"], line["generated_sql"])
        for line, row in zip(lines, questions, strict=False)
    ]


def _table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            header = list(reader.fieldnames or [""])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from error
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise DataError(f"{path}, line {number}: expected {len(header)} fields")
    return header, rows


def _shares(path: Path, number: int, row: Mapping[str, str], categories: Sequence[str]) -> dict[str, float]:
    return {category: _share(f"{path}, line {number}: {category}", row[category]) for category in categories}


def _share(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise DataError(f"{where}: expected a share from 0 to 1, found {text!r}")
    return value


def _correct(verdicts: Sequence[SqlVerdict]) -> int:
    return sum(verdict.execution_match for verdict in verdicts)
