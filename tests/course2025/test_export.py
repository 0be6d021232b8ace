"""The form of the 2025 results: same names, same columns, figures as shares."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from paretune.course2025.export import export_tp4
from paretune.errors import DataError
from paretune.run.load import load_run
from tests.simulated_run import SimulatedVariant, change_lines, variants, write_run


def table_of(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_export_tp4_names_and_columns_are_those_of_2025(tmp_path: Path, shared_data: Path) -> None:
    written = export_tp4(load_run(write_run(tmp_path / "run", variants(3))), tmp_path / "out")
    published = sorted((shared_data / "tp4-2025").glob("*.csv"))
    assert sorted(path.name for path in written) == [path.name for path in published]
    for path in published:
        ours, theirs = table_of(tmp_path / "out" / path.name), table_of(path)
        assert ours[0] == theirs[0]
        if not path.name.startswith("avaliacao_Baseline") and "Run" not in path.name:
            assert [row[0] for row in ours] == [row[0] for row in theirs]


def test_export_tp4_scores_and_summary_agree(tmp_path: Path) -> None:
    records = load_run(write_run(tmp_path / "run", variants(3)))
    export_tp4(records, tmp_path)
    answers = table_of(tmp_path / "avaliacao_Fine-Tuned_Run_1.csv")[1:]
    assert len(answers) == 155
    assert {row[3] for row in answers} == {"0.0", "1.0"}
    assert [row[2] for row in answers] == [question.reference for question in records.questions]
    summary = dict(table_of(tmp_path / "summary_fase3_accuracy.csv")[1:])
    assert float(summary["Fine-Tuned Run 1"]) == pytest.approx(sum(float(row[3]) for row in answers) / 155)


def test_export_tp4_aggregate_is_the_mean_of_three_categories(tmp_path: Path) -> None:
    export_tp4(load_run(write_run(tmp_path / "run", variants(2))), tmp_path)
    header, *rows = table_of(tmp_path / "avaliacao_mmlu_resultados.csv")
    assert header == ["", "STEM", "Humanidades", "Ciências Sociais", "Acurácia Agregada"]
    assert [row[0] for row in rows] == ["Baseline", "Run 1"]
    for _, *shares, aggregate in rows:
        assert float(aggregate) == pytest.approx(sum(map(float, shares)) / 3)


def test_export_tp4_without_the_categories_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    change_lines(folder / "prepared" / "choice.jsonl", lambda line: {**line, "category": line["suite"]})
    with pytest.raises(
        DataError,
        match=r"of STEM, .*this run has: demo with demo; demo-pt with demo-pt$",
    ):
        export_tp4(load_run(folder), tmp_path / "out")


def test_export_tp4_colliding_names_are_refused(tmp_path: Path) -> None:
    records = load_run(write_run(tmp_path, [SimulatedVariant("run-1"), SimulatedVariant("run_1")]))
    with pytest.raises(DataError, match="same name"):
        export_tp4(records, tmp_path / "out")
