"""Each kind of finding: a planted defect is reported, and a clean run has nothing above a note."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.audit.general import below_chance
from paretune.analysis.comparison import compare_run
from paretune.cli import audit as command
from paretune.errors import ConfigError, RunFolderError
from paretune.findings import Finding
from paretune.run.jsonl import Record, read_header, read_lines, write_lines
from paretune.run.lines import GeneratedAnswer
from paretune.run.load import load_run
from paretune.sql.limit import is_undecided, limit_findings
from paretune.sql.records import SqlOutcome, SqlVerdict
from paretune.text import Voice
from tests.analysis.audit.test_plants import PLANTED as ARTEFACTS
from tests.simulated_run import SimulatedVariant, change_header, change_lines, change_manifest, variants, write_run

Plant = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", variants(3), size="demo", seed=3)


def findings(folder: Path) -> list[Finding]:
    return audit_run(load_run(folder))


def change(file: str, share: float = 1.0, **parts: Any) -> Plant:
    """Set fields in the first `share` of a file's records."""

    def plant(folder: Path) -> None:
        path = folder / file
        header, records = read_lines(path)
        last = round(share * len(records))
        write_lines(path, header, [{**row, **parts} if at < last else row for at, row in enumerate(records)])

    return plant


def rewrite(file: str, how: Callable[[Record], Record | None]) -> Plant:
    return lambda folder: change_lines(folder / file, how)


def header(file: str, **parts: Any) -> Plant:
    return lambda folder: change_header(folder / file, **parts)


def about(variant: str, **parts: Any) -> Plant:
    def plant(folder: Path) -> None:
        entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["variants"]
        change_manifest(folder, variants={**entries, variant: {**entries[variant], **parts}})

    return plant


def drop_lines(variant: str) -> Plant:
    return rewrite(f"{variant}/sql.jsonl", lambda row: None if row["index"] < 10 else row)


def letters(**parts: Any) -> Plant:
    """The baseline's first suite answered by letter."""

    def turned(row: Record) -> Record:
        return {**row, "method": "letter", "letter_mass": 0.9, "prompt_tokens": 100, **parts}

    return rewrite("baseline/choice.jsonl", turned)


def right_rarely(every: int) -> Plant:
    """Only each `every`-th choice question of the baseline is right."""
    counter = iter(range(10**6))

    def turned(row: Record) -> Record:
        correct = next(counter) % every == 0
        return {**row, "correct": correct, "outcome": "correct" if correct else "wrong"}

    return rewrite("baseline/choice.jsonl", turned)


def copy_questions(change_words: Callable[[str], str] = str, rows: int = 3) -> Plant:
    """Test questions among the training rows."""

    def plant(folder: Path) -> None:
        test = read_lines(folder / "prepared" / "sql.jsonl")[1][:rows]
        path = folder / "prepared" / "train.jsonl"
        head, train = read_lines(path)
        copied = [{**train[0], "db_id": row["db_id"], "question": change_words(row["question"])} for row in test]
        write_lines(path, head, [*train, *copied])

    return plant


def shot_from_test(folder: Path) -> None:
    path = folder / "prepared" / "sql.jsonl"
    shot = read_lines(path)[1][5]
    change_lines(
        path, lambda row: {**row, "prompt": f"Question: {shot['question']}\nSQL: SELECT 1\n\n" + row["prompt"]}
    )


def repeated_question(folder: Path) -> None:
    path = folder / "prepared" / "sql.jsonl"
    head, rows = read_lines(path)
    write_lines(path, head, [*rows[:-1], {**rows[0], "index": rows[-1]["index"]}])


def seen_database(folder: Path) -> None:
    db_id = read_lines(folder / "prepared" / "sql.jsonl")[1][0]["db_id"]
    change("prepared/train.jsonl", 0.1, db_id=db_id)(folder)


def non_finite(folder: Path) -> None:
    """A training log written elsewhere, with a loss that is not a number."""
    path = folder / "run-1" / "training.jsonl"
    head, rows = read_lines(path)
    write_lines(path, head, [{**rows[0], "loss": None}, *rows[1:]])


def runs_on(variant: str, share: float) -> Plant:
    """Answers that go on after a complete statement until the limit."""

    def plant(folder: Path) -> None:
        path = folder / variant / "answers.jsonl"
        header, rows = read_lines(path)
        last = round(share * len(rows))
        endless = [{**row, "text": row["text"] + ";\n\nSELECT more", "finish": "length"} for row in rows[:last]]
        write_lines(path, header, [*endless, *rows[last:]])

    return plant


def few_questions(folder: Path) -> None:
    for variant in ("baseline", "run-1", "run-2"):
        change_lines(folder / variant / "sql.jsonl", lambda row: row if row["index"] < 20 else None)
    change_lines(folder / "prepared" / "sql.jsonl", lambda row: row if row["index"] < 20 else None)


def one_database(folder: Path) -> None:
    for variant in ("baseline", "run-1", "run-2"):
        change(f"{variant}/sql.jsonl", db_id="only")(folder)


def other_decoding(folder: Path) -> None:
    for variant, decoding in (("baseline", "greedy"), ("run-1", "sampled"), ("run-2", "greedy")):
        change_header(folder / variant / "answers.jsonl", decoding=decoding)


def header_and_methods(folder: Path) -> None:
    """run-1 was asked by letter what the others were asked by cloze, and prepared/ does not say which it should be."""
    path = folder / "prepared" / "choice.jsonl"
    change_header(path, suites={name: {**suite, "method": None} for name, suite in read_header(path)["suites"].items()})
    change_lines(folder / "run-1" / "choice.jsonl", lambda row: {**row, "method": "letter"})


PLANTED: list[tuple[str, str, Plant]] = [
    ("failed-lines", "invalid", change("run-1/sql.jsonl", 0.02, outcome="failed")),
    ("missing-answers", "invalid", drop_lines("run-1")),
    ("different-setup", "invalid", header("run-1/sql.jsonl", rules="tp4")),
    ("different-setup", "invalid", header("run-2/choice.jsonl", prepared="other data")),
    ("different-setup", "invalid", other_decoding),
    ("different-prompts", "invalid", change("run-1/choice.jsonl", prompt_tokens=7)),
    ("no-sql", "warning", change("run-1/sql.jsonl", 0.2, outcome="no_answer", sql="")),
    ("no-sql", "invalid", change("run-1/sql.jsonl", 0.7, outcome="no_answer", sql="")),
    ("cut-statements", "warning", change("run-1/answers.jsonl", 0.2, finish="length")),
    ("cut-statements", "invalid", change("run-1/answers.jsonl", 0.9, finish="length")),
    ("never-stops", "warning", runs_on("run-1", 0.9)),
    ("never-stops", "note", runs_on("baseline", 0.9)),
    ("failed-matches-empty", "invalid", change("run-1/sql.jsonl", 0.02, outcome="correct", error="no such table: x")),
    ("both-empty", "note", change("run-1/sql.jsonl", 0.02, outcome="correct", both_empty=True, error=None)),
    ("gold-fails", "warning", change("run-1/sql.jsonl", 0.02, outcome="gold_failed")),
    ("unknown-names", "warning", change("run-1/sql.jsonl", 0.7, outcome="invalid_sql", error="no such table: x")),
    ("no-schema", "invalid", rewrite("prepared/sql.jsonl", lambda row: {**row, "prompt": row["question"] + "\nSQL:"})),
    ("prompts-differ", "warning", rewrite("prepared/train.jsonl", lambda row: {**row, "prompt": row["prompt"] + "->"})),
    ("train-in-test", "invalid", copy_questions()),
    ("train-near-test", "warning", copy_questions(lambda question: question + " now", rows=40)),
    ("shots-in-test", "invalid", shot_from_test),
    ("databases-overlap", "warning", seen_database),
    ("test-repeats", "note", repeated_question),
    ("rows-truncated", "warning", change("prepared/train.jsonl", 0.1, completion="SELECT")),
    ("rows-truncated", "warning", about("run-1", truncated_rows=5)),
    ("rows-left-out", "note", about("run-1", left_out_rows=2)),
    ("rows-left-out", "note", header("prepared/train.jsonl", left_out={"run-1": 2})),
    ("rows-left-out", "warning", about("run-1", left_out_rows=100)),
    ("non-finite-steps", "warning", about("run-1", skipped_steps=3)),
    ("non-finite-steps", "warning", non_finite),
    ("non-finite-steps", "invalid", about("run-1", skipped_steps=300)),
    ("below-chance", "invalid", right_rarely(50)),
    ("at-chance", "warning", right_rarely(4)),
    ("letters-improbable", "warning", letters(letter_mass=0.1)),
    ("one-letter", "warning", letters(predicted=2)),
    ("no-letter", "invalid", letters(method="generate", outcome="no_answer", predicted=None, correct=False)),
    ("too-few-questions", "warning", few_questions),
    ("few-clusters", "note", one_database),
    ("selected-on-test", "warning", few_questions),
    ("selected-on-test", "warning", lambda folder: change_manifest(folder, selection={"rows": "test"})),
    ("no-manifest", "warning", lambda folder: (folder / "manifest.json").unlink()),
    ("no-file", "warning", lambda folder: (folder / "prepared" / "choice.jsonl").unlink()),
    ("unreadable-lines", "invalid", change("run-1/sql.jsonl", 0.1, outcome="excellent")),
    ("not-asked", "invalid", rewrite("run-1/sql.jsonl", lambda row: {**row, "index": row["index"] or 5000})),
    ("two-lines", "invalid", rewrite("run-1/sql.jsonl", lambda row: {**row, "index": max(1, row["index"])})),
    ("another-reference", "invalid", change("run-1/sql.jsonl", 0.1, gold="SELECT 1")),
    ("another-right-answer", "invalid", change("run-1/choice.jsonl", 0.1, subject="alchemy")),
    ("different-methods", "invalid", header_and_methods),
    ("outdated-answers", "invalid", header("prepared/sql.jsonl", fingerprint="0123456789abcdef")),
    ("other-answers", "invalid", header("run-1/sql.jsonl", answers="0123456789abcdef")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "level", "plant"), PLANTED, ids=[f"{code}-{level}-{at}" for at, (code, level, _) in enumerate(PLANTED)]
)
def test_audit_run_planted_defect_is_found(folder: Path, code: str, level: str, plant: Plant) -> None:
    # the Portuguese suite has few subjects without anybody's planting
    alike = [finding for finding in findings(folder) if (finding.code, finding.level) == (code, level)]
    assert all(finding.figures["axis"] == "demo-pt (cloze)" for finding in alike)
    plant(folder)
    found = [finding for finding in findings(folder) if finding.code == code]
    assert sum(finding.level == level for finding in found) > len(alike)
    for finding in found:
        assert "{" not in finding.evidence
        assert len(finding.advice) > 10


def test_audit_run_notes_of_every_run_are_planted_by_the_run_itself(tmp_path: Path) -> None:
    many = findings(write_run(tmp_path / "many", variants(5), size="spider", seed=1))
    assert {"best-of-many", "public-test-set", "single-seed"} <= {finding.code for finding in many}
    three_seeds = [SimulatedVariant(f"run-{seed}", 25.0, 5.0, seed=seed, peak_learning_rate=2e-4) for seed in (1, 2)]
    few = findings(write_run(tmp_path / "few", three_seeds, size="demo", seed=1))
    assert not {"best-of-many", "public-test-set", "single-seed"} & {finding.code for finding in few}


@pytest.mark.parametrize("size", ["demo", "spider"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_audit_run_clean_run_has_nothing_above_a_note(tmp_path: Path, size: Any, seed: int) -> None:
    found = findings(write_run(tmp_path / "run", variants(4), size=size, seed=seed))
    assert [finding.evidence for finding in found if finding.level != "note"] == []


@pytest.mark.parametrize("fewest", [2, 4])
def test_audit_run_weak_differences_have_the_intervals_of_the_tables(folder: Path, fewest: int) -> None:
    subjects: list[str] = []

    def keep(line: Record) -> Record | None:
        if line["subject"] not in subjects and len(subjects) < fewest:
            subjects.append(line["subject"])
        return line if line["subject"] in subjects else None

    for path in [folder / "prepared/choice.jsonl", *folder.glob("*/choice.jsonl")]:
        change_lines(path, keep)
    weak = [found.figures for found in findings(folder) if found.code == "too-few-questions"]
    said = {(found["variant"], round(float(found["low"]), 6), round(float(found["high"]), 6)) for found in weak}
    differences = compare_run(load_run(folder), replicates=50).differences
    holding_zero = [item for item in differences if 0 in item.claim.alone]
    shown = {
        (item.second, round(item.claim.alone.low, 6), round(item.claim.alone.high, 6))
        for item in holding_zero
        if item.first == "baseline"
    }
    assert shown
    assert said >= shown


def test_audit_run_gravest_findings_come_first(folder: Path) -> None:
    drop_lines("run-1")(folder)
    levels = [finding.level for finding in findings(folder)]
    assert levels == sorted(levels, key=["invalid", "warning", "note"].index)
    assert levels[0] == "invalid"


def test_audit_run_selection_on_validation_rows_is_no_finding(folder: Path) -> None:
    change_manifest(folder, selection={"rows": "validation", "variant": "run-1"})
    assert "selected-on-test" not in {finding.code for finding in findings(folder)}


def test_load_run_folder_without_variants_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="expected a run folder"):
        load_run(tmp_path)


def test_load_run_folder_made_elsewhere_without_manifest_is_judged(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    for path in (folder / "prepared").iterdir():
        path.unlink()
    change("run-1/sql.jsonl", 0.7, outcome="no_answer")(folder)
    assert "no-sql" in {finding.code for finding in findings(folder)}


def test_wording_every_finding_is_planted_or_published() -> None:
    published = {
        "published-score", "published-differs", "text-after-query", "old-data", "ranked-without-evidence",
        "these-databases-only", "published-summary", "published-aggregate", "other-questions", "references-changed",
        "different-rows", "copied-run", "data-changed", "no-data-hashes", "prepared-not-data", "verdict-differs",
    }  # fmt: skip
    noted = {"best-of-many", "public-test-set", "single-seed"}
    planted = {code for code, _, _ in (*PLANTED, *ARTEFACTS)}
    worded = {code.split(".")[1] for code in Voice("en").catalogue.text if code.startswith("audit.")}
    elsewhere = {"groups-overlap", "cut-answers", "no-answer"}  # tests/extending
    elsewhere |= {"validation-in-test", "validation-in-train"}  # tests/pipeline/test_validation.py
    assert planted | published | noted | elsewhere == worded


def test_below_chance_one_of_150_is_impossible() -> None:
    assert below_chance(1, 150, 0.25) == pytest.approx(9e-18, rel=0.06)


def run_command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_command_strict_exits_one_for_an_invalid_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(str(folder), "--strict") == 0
    drop_lines("run-1")(folder)
    assert run_command(str(folder)) == 0
    assert run_command(str(folder), "--strict", "--lang", "pt-BR") == 1
    assert "INVÁLIDO  run-1: 10 de" in capsys.readouterr().out


@pytest.mark.parametrize("words", [(), ("--tp4", "x"), ("folder", "--tp4", "x", "--spider", "y")])
def test_command_incomplete_options_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        run_command(*words)


def test_command_experiment_file_takes_settings_and_a_folder(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\n[target]\nkind = "demo"\n[general]\nkind = "demo"\n[[variant]]\nname = "run-1"\n',
        encoding="utf-8",
    )
    assert run_command(str(file), "--out", str(folder)) == 0
    (tmp_path / "runs").mkdir()
    folder.rename(tmp_path / "runs" / "again")
    monkeypatch.chdir(tmp_path)
    assert run_command(str(file), "--set", "name=again") == 0
    with pytest.raises(RunFolderError):
        run_command(str(file))


@pytest.mark.parametrize(
    ("text", "sql", "gold", "undecided"),
    [
        ("SELECT name FROM sing", "SELECT name FROM sing", "SELECT name FROM singer", True),
        ("I would think that", "", "SELECT 1", True),
        ("<think>long", "", "SELECT 1", True),
        ("Try this: SELECT T1.", "SELECT T1", "SELECT a FROM t", True),
        ("SELECT name FROM singer;", "SELECT name FROM singer", "SELECT 1", False),
        ("```sql\nSELECT name FROM singer\n```", "SELECT name FROM singer", "SELECT 1", False),
        ("SELECT name FROM singer\n\nIt lists", "SELECT name FROM singer", "SELECT 1", False),
        ("SELECT 1; SELECT 1", "SELECT 1", "SELECT 1", False),
        ("CREATE TABLE t (a INT", "CREATE TABLE t (a INT", "SELECT 1", False),
        ("SELECT a, b, c, ", "SELECT a, b, c,", "SELECT a, b FROM t", False),
        ("SELECT a, b", "SELECT a, b", "SELECT a, b FROM t", True),
        ("SELECT *", "SELECT *", "SELECT a, b FROM t", True),
        ("SELECT max(a, 1), (SELECT b, c FR", "SELECT max(a, 1), (SELECT b, c FR", "SELECT a, b FROM t", True),
        ("WITH x AS (SELECT 1, 2, 3", "WITH x AS (SELECT 1, 2, 3", "SELECT 1", True),
    ],
)
def test_is_undecided_only_where_more_tokens_could_change_the_verdict(
    text: str, sql: str, gold: str, undecided: bool
) -> None:
    outcome = "not_a_query" if sql.startswith("CREATE") else "invalid_sql"
    assert is_undecided(text, sql, gold=gold, outcome=outcome) is undecided


def answered(count: int, cut: int, finish: str | None = "length") -> tuple[list[GeneratedAnswer], list[SqlVerdict]]:
    """`count` questions answered by SELECT 1, two of them right; the first `cut` answers ended otherwise."""
    answers = [GeneratedAnswer(at, "d", "SELECT 1", 3, finish if at < cut else "stop") for at in range(count)]
    verdicts = [
        SqlVerdict(
            at, "d", "q", "SELECT 1", "SELECT 1", "SELECT 1", SqlOutcome.CORRECT if right else SqlOutcome.WRONG, right,
            None, None, "easy", False, None, None, 0.0,
        )
        for at in range(count)
        for right in [at in (0, 5)]
    ]  # fmt: skip
    return answers, verdicts


def test_limit_findings_quote_the_range_that_the_accuracy_may_have() -> None:
    (found,) = limit_findings("run-1", *answered(10, 3))
    assert (found.level, found.code, found.figures["share"]) == ("invalid", "cut-statements", 30.0)
    assert (found.figures["lowest"], found.figures["highest"]) == (10.0, 40.0)


def test_limit_findings_answers_without_a_known_end_are_not_judged() -> None:
    assert list(limit_findings("run-1", *answered(10, 10, None))) == []


def test_training_row_without_the_comment_of_its_reference_is_not_cut(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    commented = "SELECT name -- of the\nFROM singer;"
    change("prepared/train.jsonl", gold=commented, completion="SELECT name FROM singer</s>")(folder)
    assert "rows-truncated" not in {finding.code for finding in audit_run(load_run(folder))}
    change("prepared/train.jsonl", gold=commented, completion="SELECT name</s>")(folder)
    assert "rows-truncated" in {finding.code for finding in audit_run(load_run(folder))}
