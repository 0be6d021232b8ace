"""Published course results: read with care, and corrected by their own lines."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paretune.course2025.published import audit_published, read_published
from paretune.errors import DataError
from paretune.sql.records import SqlQuestion
from paretune.sql.spider import read_split


def published_folder(tmp_path: Path, **cells: str) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    row = {"question": "q", "generated_sql": "SELECT 1", "expected_sql": "SELECT 1", "score": "1.0", **cells}
    text = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
    (folder / "avaliacao_Baseline_Model.csv").write_text(text, encoding="utf-8")
    return folder


def test_read_published_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="generated_sql"):
        read_published(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_published(tmp_path / "absent")


def test_read_published_broken_share_names_file_and_line(tmp_path: Path) -> None:
    folder = published_folder(tmp_path)
    (folder / "mmlu.csv").write_text(",STEM,Mean\nBaseline,1.5,1.5\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"mmlu\.csv, line 2: STEM"):
        read_published(folder)


def test_audit_published_more_rows_than_the_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the split has 0 questions"):
        audit_published(read_published(published_folder(tmp_path)), [], tmp_path)


def test_audit_published_course_results_are_corrected(shared_data: Path, spider_directory: Path) -> None:
    published = read_published(shared_data / "tp4-2025")
    rows, found = audit_published(
        published, read_split(spider_directory, "dev"), spider_directory / "database", workers=2
    )
    assert [round(row.published) for row in rows] == [9, 21, 22]
    assert [round(row.reproduced) for row in rows] == [9, 21, 22]
    assert [round(row.official.estimate) for row in rows] == [4, 19, 19]
    assert all(row.official.low < row.independent.low < row.independent.high < row.official.high for row in rows)
    said = {finding.code: finding for finding in reversed(found)}
    assert {
        "published-score", "failed-matches-empty", "below-chance", "unknown-names", "few-clusters", "old-data",
        "ranked-without-evidence", "these-databases-only", "single-seed", "text-after-query",
    } <= set(said)  # fmt: skip
    assert "published-differs" not in said
    assert "9e-18" in said["below-chance"].evidence
    assert "positions 14, 15, 59, 60" in said["failed-matches-empty"].evidence
    assert said["ranked-without-evidence"].figures["second"] == "Fine-Tuned Run 2"
    assert said["ranked-without-evidence"].figures["first"] == "Fine-Tuned Run 1"


def test_audit_published_score_that_its_own_lines_contradict_is_found(
    shared_data: Path, spider_directory: Path
) -> None:
    published = read_published(shared_data / "tp4-2025")
    lines = [{**line, "score": "1.0"} for line in published.variants["Baseline Model"]][:20]
    altered = type(published)({"Baseline Model": lines}, {})
    found = audit_published(altered, read_split(spider_directory, "dev"), spider_directory / "database", workers=2)[1]
    assert "published-differs" in {finding.code for finding in found}


def test_audit_published_category_of_other_size_asks_for_it(shared_data: Path, spider_directory: Path) -> None:
    published = read_published(shared_data / "tp4-2025")
    first = {"Baseline Model": published.variants["Baseline Model"][:2]}
    with pytest.raises(DataError, match="--questions-per-category"):
        audit_published(
            type(published)(first, {"Baseline": {"STEM": 0.333}}),
            read_split(spider_directory, "dev"),
            spider_directory / "database",
        )


def write_csv(path: Path, rows: list[list[str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Path, list[SqlQuestion], Path]:
    """Two published runs of 40 rows over two databases, with their summary; the questions; the databases."""
    folder, databases = tmp_path / "published", tmp_path / "database"
    folder.mkdir()
    questions = []
    for number in range(40):
        db_id = f"shop_{number % 2}"
        questions.append(
            SqlQuestion(number, db_id, f"What is item {number} of the list?", f"SELECT {number} + a FROM t")
        )
    for db_id in ("shop_0", "shop_1"):
        (databases / db_id).mkdir(parents=True)
        connection = sqlite3.connect(databases / db_id / f"{db_id}.sqlite")
        connection.executescript("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);")
        connection.close()
    header = ["question", "generated_sql", "expected_sql", "score"]
    for name, right in (("Baseline_Model", 10), ("Run_1", 30)):
        rows = [
            [q.question, q.gold if q.index < right else "SELECT 0 FROM t", q.gold, "1.0" if q.index < right else "0.0"]
            for q in questions
        ]
        write_csv(folder / f"avaliacao_{name}.csv", [header, *rows])
    summary = [["", "Execution Accuracy"], ["Baseline Model", "0.25"], ["Run 1", "0.75"]]
    write_csv(folder / "summary.csv", summary)
    write_csv(folder / "mmlu.csv", [["", "STEM", "Humanities", "Mean"], ["Baseline", "0.5", "0.6", "0.55"]])
    return folder, questions, databases


def change_rows(path: Path, change: Callable[[int, list[str]], list[str] | None]) -> None:
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    write_csv(path, [header, *(row for at, old in enumerate(rows) if (row := change(at, old)) is not None)])


PUBLISHED: list[tuple[str, str, str, Callable[[int, list[str]], list[str] | None]]] = [
    ("published-summary", "invalid", "summary.csv", lambda at, row: [row[0], "0.95"] if at else row),
    ("published-aggregate", "invalid", "mmlu.csv", lambda _, row: [*row[:-1], "0.7"]),
    ("other-questions", "invalid", "avaliacao_Run_1.csv", lambda at, row: [f"Another question {at}?", *row[1:]]),
    ("references-changed", "warning", "avaliacao_Run_1.csv", lambda at, row: (
        [row[0], row[1], "SELECT 0 FROM t", "1.0"] if at >= 30 else row)),
    ("different-rows", "invalid", "avaliacao_Run_1.csv", lambda at, row: row if at < 24 else None),
    ("copied-run", "invalid", "avaliacao_Run_1.csv", lambda at, row: [
        row[0], row[2] if at < 10 else "SELECT 0 FROM t", row[2], "1.0" if at < 10 else "0.0"]),
    ("published-differs", "invalid", "avaliacao_Run_1.csv", lambda _, row: [*row[:-1], "1.0"]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "level", "file", "change"), PUBLISHED, ids=[case[0] for case in PUBLISHED])
def test_audit_published_planted_artefact_is_caught(
    shop: tuple[Path, list[SqlQuestion], Path], code: str, level: str, file: str, change: Any
) -> None:
    folder, questions, databases = shop
    codes = {finding.code for finding in audit_published(read_published(folder), questions, databases)[1]}
    assert codes == {"few-clusters", "single-seed"}
    change_rows(folder / file, change)
    found = audit_published(read_published(folder), questions, databases)[1]
    assert {finding.level for finding in found if finding.code == code} == {level}
