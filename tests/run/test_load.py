"""Run folders read back: what is refused, what is listed as missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretune.analysis.audit import audit_run
from paretune.errors import RunFolderError
from paretune.run.jsonl import Record, read_header, read_lines, write_lines
from paretune.run.load import load_run
from paretune.sql.records import SqlOutcome
from tests.simulated_run import change_header, change_lines, change_manifest, variants, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", variants(3))


def test_load_run_whole_folder_has_every_line(folder: Path) -> None:
    records = load_run(folder)
    assert [variant.name for variant in records.variants] == ["baseline", "run-1", "run-2"]
    assert len(records.questions) == 155
    assert [suite.name for suite in records.suites] == ["demo", "demo-pt"]
    assert all(len(variant.verdicts) == 155 for variant in records.variants)
    assert all(len(variant.choice) == 240 for variant in records.variants)
    assert records.variants[0].training == ()
    assert len(records.variants[1].training) == 80
    assert records.variants[0].verdicts[0].outcome in set(SqlOutcome)
    assert isinstance(records.variants[0].choice[0].log_probabilities, tuple)
    assert not records.incomplete


def test_load_run_shuffled_lines_follow_the_questions(folder: Path) -> None:
    path = folder / "run-1" / "sql.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *reversed(lines[1:])]), encoding="utf-8")
    records = load_run(folder)
    assert [line.id for line in records.variant("run-1").verdicts] == [item.id for item in records.questions]


def test_load_run_no_manifest_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no manifest\.json and no variant .* expected a run folder"):
        load_run(tmp_path)


def test_load_run_broken_manifest_is_a_problem_not_an_end(folder: Path) -> None:
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    records = load_run(folder)
    assert [str(problem) for problem in records.problems] == [
        "manifest.json: not JSON; delete it, `paretune prepare` writes it anew"
    ]
    assert len(records.variants) == 3


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
    with pytest.raises(RunFolderError, match=r"run-1/sql\.jsonl: question 7: another database or reference"):
        load_run(folder).check()


def test_load_run_other_right_answer_is_refused(folder: Path) -> None:
    change_lines(folder / "run-2" / "choice.jsonl", lambda line: {**line, "answer": (line["answer"] + 1) % 4})
    with pytest.raises(RunFolderError, match=r"run-2/choice\.jsonl: demo: .* and 235 more: another right answer"):
        load_run(folder).check()


def test_load_run_question_twice_is_refused(folder: Path) -> None:
    change_lines(folder / "run-1" / "sql.jsonl", lambda line: {**line, "index": 0} if line["index"] == 1 else line)
    with pytest.raises(RunFolderError, match="question 0: two lines"):
        load_run(folder).check()


@pytest.mark.parametrize(("file", "part"), [("sql.jsonl", "rules"), ("choice.jsonl", "prepared")])
def test_load_run_other_conditions_are_refused(folder: Path, file: str, part: str) -> None:
    change_header(folder / "run-2" / file, **{part: "something else"})
    with pytest.raises(RunFolderError, match=f"{file}: run-2: another {part} than baseline"):
        load_run(folder).check()


def test_load_run_answers_to_earlier_prompts_are_refused(folder: Path) -> None:
    change_header(folder / "prepared" / "sql.jsonl", fingerprint="0123456789abcdef")
    with pytest.raises(RunFolderError, match=r"baseline/sql\.jsonl: answers to an earlier prepared/"):
        load_run(folder).check()


def test_load_run_failed_outcomes_are_named(folder: Path) -> None:
    change_lines(
        folder / "run-1" / "sql.jsonl",
        lambda line: {**line, "outcome": "failed"} if line["index"] in (3, 9) else line,
    )
    with pytest.raises(RunFolderError, match="run-1: question 3, question 9 failed here"):
        load_run(folder).check()


def test_load_run_other_conditions_are_collected(folder: Path) -> None:
    change_header(folder / "run-2" / "sql.jsonl", rules="strict")
    records = load_run(folder)
    assert len(records.variants) == 3
    assert [str(problem) for problem in records.problems] == ["sql.jsonl: run-2: another rules than baseline"]


def test_load_run_damaged_lines_are_left_out_and_named(folder: Path) -> None:
    def damage(line: Record) -> Record:
        if line["index"] == 3:
            return {**line, "outcome": "excellent"}
        if line["index"] == 5:
            return {key: value for key, value in line.items() if key != "gold"}
        return {**line, "db_id": 7} if line["index"] == 9 else line

    change_lines(folder / "run-1" / "sql.jsonl", damage)
    path = folder / "run-2" / "sql.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"index": 4,', '"index" 4,'), encoding="utf-8")
    records = load_run(folder)
    assert [str(problem) for problem in records.problems] == [
        "run-1/sql.jsonl: 3 of 155 lines cannot be read (outcome: 'excellent' is not known here)",
        "run-2/sql.jsonl: 1 of 155 lines cannot be read (line 6: not JSON; delete the file to compute it again)",
    ]
    assert set(records.incomplete) == {"run-1", "run-2"}
    with pytest.raises(RunFolderError, match=r"cannot be compared: run-1/sql\.jsonl: 3 of 155"):
        records.check()


@pytest.mark.parametrize("file", ["sql.jsonl", "choice.jsonl"])
def test_load_run_file_of_a_header_alone_leaves_the_variant_out(folder: Path, file: str) -> None:
    change_lines(folder / "run-1" / file, lambda line: None)
    records = load_run(folder)
    assert records.problems == ()
    assert list(records.incomplete) == ["run-1"]
    assert file in records.incomplete["run-1"][0]


def test_load_run_suite_asked_by_one_of_its_methods_leaves_the_variant_out(folder: Path) -> None:
    path = folder / "prepared" / "choice.jsonl"
    suites = read_header(path)["suites"]
    change_header(path, suites={**suites, "demo": {**suites["demo"], "method": "all"}})
    for name in ("baseline", "run-2"):
        header, lines = read_lines(folder / name / "choice.jsonl")
        more = [
            {**line, "method": method} for line in lines if line["suite"] == "demo" for method in ("letter", "generate")
        ]
        write_lines(folder / name / "choice.jsonl", header, [*lines, *more])
    records = load_run(folder)
    assert records.problems == ()
    assert records.incomplete == {"run-1": ("360 multiple-choice answers are missing (choice.jsonl)",)}


def test_load_run_variant_that_left_the_experiment_blocks_nothing(folder: Path) -> None:
    config = load_run(folder).config
    change_manifest(folder, config={**config, "variants": config["variants"][:1]})
    change_header(folder / "run-2" / "sql.jsonl", rules="strict")
    records = load_run(folder)
    assert records.problems == ()
    assert records.former == ("run-2",)
    assert [variant.name for variant in records.all_variants] == ["baseline", "run-1"]


def test_load_run_adapter_that_cannot_answer_is_left_out_with_the_reason(folder: Path) -> None:
    change_lines(folder / "run-1" / "choice.jsonl", lambda line: {**line, "outcome": "failed"})
    variants = load_run(folder).manifest["variants"]
    change_manifest(
        folder, variants={**variants, "run-1": {**variants["run-1"], "unusable": "its weights are not finite"}}
    )
    records = load_run(folder)
    assert records.problems == ()
    assert records.incomplete == {"run-1": ("its weights are not finite",)}


def test_load_run_verdicts_on_other_answers_are_refused(folder: Path) -> None:
    change_header(folder / "run-1" / "sql.jsonl", answers="0123456789abcdef")
    with pytest.raises(RunFolderError, match=r"run-1/sql\.jsonl: verdicts on other answers"):
        load_run(folder).check()


@pytest.mark.parametrize("part", ["databases", "lm_eval", "sqlite"])
def test_conditions_are_the_same_for_comparison_and_audit(folder: Path, part: str) -> None:
    path = folder / "baseline" / "sql.jsonl"
    header, lines = read_lines(path)
    write_lines(path, {key: value for key, value in header.items() if key != part}, lines)
    assert load_run(folder).problems == ()  # an older baseline does not say
    change_header(folder / "run-1" / "sql.jsonl", **{part: "a"})
    change_header(folder / "run-2" / "sql.jsonl", **{part: "b"})
    records = load_run(folder)
    with pytest.raises(RunFolderError, match=f"run-2: another {part} than run-1"):
        records.check()
    (said,) = [item for item in audit_run(records) if item.code == "different-setup"]
    assert said.evidence == f"variants differ in {part} (target): a (run-1); b (run-2)"


def test_load_run_two_versions_of_lm_eval_are_a_problem(folder: Path) -> None:
    for name, version in (("baseline", "0.4.12"), ("run-1", "0.4.13")):
        change_header(folder / name / "choice.jsonl", lm_eval=version)
    problem = next(item for item in load_run(folder).problems if item.code == "different-setup")
    assert (problem.figures["setting"], problem.figures["others"]) == ("lm_eval", "run-1")
