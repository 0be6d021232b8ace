"""Run folders read back: what is refused, what is listed as missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretune.errors import DataError, RunFolderError
from paretune.records import SqlOutcome
from paretune.run.jsonl import Record
from paretune.run.load import load_run
from tests.simulated_run import change_header, change_lines, variants, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", variants(3))


def test_load_run_whole_folder_has_every_line(folder: Path) -> None:
    records = load_run(folder)
    assert [variant.name for variant in records.variants] == ["baseline", "run-1", "run-2"]
    assert len(records.questions) == 155
    assert [suite.name for suite in records.suites] == ["demo", "demo-pt"]
    assert all(len(variant.sql) == 155 for variant in records.variants)
    assert all(len(variant.choice) == 240 for variant in records.variants)
    assert records.variants[0].training == ()
    assert len(records.variants[1].training) == 80
    assert isinstance(records.variants[0].sql[0].outcome, SqlOutcome)
    assert isinstance(records.variants[0].choice[0].log_probabilities, tuple)
    assert not records.incomplete


def test_load_run_shuffled_lines_follow_the_questions(folder: Path) -> None:
    path = folder / "run-1" / "sql.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *reversed(lines[1:])]), encoding="utf-8")
    records = load_run(folder)
    assert [line.index for line in records.variant("run-1").sql] == [item.index for item in records.questions]


def test_load_run_no_manifest_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json: not there"):
        load_run(tmp_path)


def test_load_run_variant_without_answers_is_listed_not_dropped(folder: Path) -> None:
    (folder / "run-2" / "choice.jsonl").unlink()
    records = load_run(folder)
    assert [variant.name for variant in records.variants] == ["baseline", "run-1"]
    assert records.incomplete == {"run-2": ("no multiple-choice answers (choice.jsonl)",)}
    with pytest.raises(RunFolderError, match="no multiple-choice answers"):
        records.variant("run-2")


def test_load_run_half_scored_variant_counts_what_is_missing(folder: Path) -> None:
    change_lines(folder / "run-1" / "sql.jsonl", lambda line: line if line["index"] < 100 else None)
    change_lines(folder / "run-2" / "choice.jsonl", lambda line: None if line["suite"] == "demo-pt" else line)
    records = load_run(folder)
    assert records.incomplete["run-1"] == ("55 of 155 questions have no scored answer (sql.jsonl)",)
    assert records.incomplete["run-2"] == ("60 multiple-choice answers are missing (choice.jsonl)",)


def test_load_run_unstarted_variant_is_listed(folder: Path) -> None:
    for path in (folder / "run-2").iterdir():
        path.unlink()
    assert "run-2" in load_run(folder).incomplete


def test_load_run_other_reference_is_refused(folder: Path) -> None:
    def change(line: Record) -> Record:
        return {**line, "gold": "SELECT 1"} if line["index"] == 7 else line

    change_lines(folder / "run-1" / "sql.jsonl", change)
    with pytest.raises(RunFolderError, match=r"run-1/sql\.jsonl: question 7 has another database or reference"):
        load_run(folder)


def test_load_run_other_right_answer_is_refused(folder: Path) -> None:
    change_lines(folder / "run-2" / "choice.jsonl", lambda line: {**line, "answer": (line["answer"] + 1) % 4})
    with pytest.raises(RunFolderError, match=r"run-2/choice\.jsonl: demo: .* another right answer.* and 235 more"):
        load_run(folder)


def test_load_run_question_twice_is_refused(folder: Path) -> None:
    change_lines(folder / "run-1" / "sql.jsonl", lambda line: {**line, "index": 0} if line["index"] == 1 else line)
    with pytest.raises(RunFolderError, match="question 0 has two lines"):
        load_run(folder)


@pytest.mark.parametrize(("file", "part"), [("sql.jsonl", "rules"), ("choice.jsonl", "prepared")])
def test_load_run_other_conditions_are_refused(folder: Path, file: str, part: str) -> None:
    change_header(folder / "run-2" / file, **{part: "something else"})
    with pytest.raises(RunFolderError, match=f"{file}: run-2: another {part} than baseline"):
        load_run(folder)


def test_load_run_answers_to_earlier_prompts_are_refused(folder: Path) -> None:
    change_header(folder / "prepared" / "sql.jsonl", fingerprint="0123456789abcdef")
    with pytest.raises(RunFolderError, match=r"baseline/sql\.jsonl: answers to an earlier prepared/"):
        load_run(folder)


def test_load_run_failed_outcomes_are_named(folder: Path) -> None:
    change_lines(
        folder / "run-1" / "sql.jsonl",
        lambda line: {**line, "outcome": "failed"} if line["index"] in (3, 9) else line,
    )
    with pytest.raises(RunFolderError, match="run-1: question 3, question 9 failed here"):
        load_run(folder)


def test_load_run_without_check_keeps_the_problems(folder: Path) -> None:
    change_header(folder / "run-2" / "sql.jsonl", rules="strict")
    records = load_run(folder, check=False)
    assert len(records.variants) == 3
    assert records.problems == ("sql.jsonl: run-2: another rules than baseline",)


def test_load_run_unknown_outcome_is_a_data_error(folder: Path) -> None:
    change_lines(folder / "run-1" / "sql.jsonl", lambda line: {**line, "outcome": "excellent"})
    with pytest.raises(DataError, match="outcome: 'excellent'"):
        load_run(folder)


def test_load_run_missing_key_is_a_data_error(folder: Path) -> None:
    def without_gold(line: Record) -> Record:
        return {key: value for key, value in line.items() if key != "gold"}

    change_lines(folder / "run-1" / "sql.jsonl", without_gold)
    with pytest.raises(DataError, match="lacks 'gold'"):
        load_run(folder)
