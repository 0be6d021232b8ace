"""A run in the form of the course project's 2025 results, so that what reads those files reads these.

One file a variant (question, generated_sql, expected_sql, score), the MMLU file with three categories and their mean,
and the summary of execution accuracy. Figures are shares in [0, 1], without intervals: that form has no place for
them, the tables of the run have.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from paretune.analysis.axes import AnsweredAxis, general_axes
from paretune.config import BASELINE
from paretune.errors import DataError, EmptySample
from paretune.files import write_text
from paretune.run.load import Run, Variant

CATEGORIES = {"STEM": "STEM", "Humanities": "Humanidades", "Social sciences": "Ciências Sociais"}
AGGREGATE = "Acurácia Agregada"


def export_tp4(records: Run, folder: Path) -> list[Path]:
    """Write the files into the folder; returns them.

    The MMLU file takes the first suite that has questions of all three categories; a fourth (Other) has no column and
    is left out of the mean. Raises DataError where no suite has the three, or two variants would share a file name;
    EmptySample without questions; RunFolderError where the records cannot be compared.
    """
    records.check()
    if records.facets.lines != "sql":
        raise DataError(f"the tp4 form is that of text-to-SQL; the target of this run is {records.target_kind}")
    if not records.questions:
        raise EmptySample(f"{records.path}: no target questions to export")
    suite = _suite_with_categories(records)
    titles = {variant.name: _title(variant.name) for variant in records.variants}
    if len(set(titles.values())) < len(titles):
        raise DataError("two variants have the same name in the exported form; rename one (case, - and _ do not count)")
    written = [
        _write(folder / f"avaliacao_{_long_title(titles[variant.name]).replace(' ', '_')}.csv", _answers(variant))
        for variant in records.variants
    ]
    written.append(_write(folder / "avaliacao_mmlu_resultados.csv", _categories(suite, list(titles.values()))))
    written.append(_write(folder / "summary_fase3_accuracy.csv", _summary(records, titles)))
    return written


def _title(variant: str) -> str:
    """ "run-1" is called "Run 1" there."""
    words = variant.replace("-", " ").replace("_", " ").split()
    return " ".join(word[:1].upper() + word[1:] for word in words)


def _long_title(title: str) -> str:
    return "Baseline Model" if title == _title(BASELINE) else f"Fine-Tuned {title}"


def _suite_with_categories(records: Run) -> AnsweredAxis:
    axes = general_axes(records)
    for axis in axes:
        if CATEGORIES.keys() <= set(axis.categories):
            return axis
    categories = {axis.benchmark: ", ".join(dict.fromkeys(axis.categories)) or "no categories" for axis in axes}
    found = "; ".join(f"{name} with {own}" for name, own in categories.items()) or "none"
    raise DataError(
        f"the tp4 form needs one suite with questions of {', '.join(CATEGORIES)} (demo, or mmlu with some of each); "
        f"this run has: {found}"
    )


def _answers(variant: Variant) -> Iterable[Sequence[object]]:
    yield ("question", "generated_sql", "expected_sql", "score")
    for line in variant.verdicts:
        sql = line.detail
        yield (sql["question"], sql["sql"], sql["gold"], float(line.outcome == "correct"))


def _categories(axis: AnsweredAxis, titles: Sequence[str]) -> Iterable[Sequence[object]]:
    yield ("", *CATEGORIES.values(), AGGREGATE)
    for at, title in enumerate(titles):
        shares = [
            _share(
                [
                    bool(right)
                    for right, category in zip(axis.correct[:, at], axis.categories, strict=True)
                    if category == name
                ]
            )
            for name in CATEGORIES
        ]
        yield (title, *shares, sum(shares) / len(shares))


def _summary(records: Run, titles: dict[str, str]) -> Iterable[Sequence[object]]:
    yield ("", "Execution Accuracy")
    for variant in records.variants:
        right = [line.outcome == "correct" for line in variant.verdicts]
        yield (_long_title(titles[variant.name]), _share(right))


def _share(correct: Sequence[bool]) -> float:
    return sum(correct) / len(correct)


def _write(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())
    return path
