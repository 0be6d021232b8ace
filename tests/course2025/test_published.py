"""Published course results: read with care, and corrected by their own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretune.course2025.published import audit_published, read_published
from paretune.errors import DataError
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
