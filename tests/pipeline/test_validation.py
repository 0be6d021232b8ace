"""Validation questions: drawn, held out, answered by any state of the model, and judged by the rules of the verdict."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from paretune.analysis.audit import audit_run
from paretune.choice.held_out import draw_validation
from paretune.choice.suites.load import load_suite, select_questions
from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.errors import ConfigError, DataError
from paretune.pipeline.session import Session
from paretune.pipeline.validation import StateAnswers, answer_state, judge_states, read_validation
from paretune.run.claims import terms_of
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_header, read_lines, write_lines
from paretune.run.load import load_run
from paretune.text import voice_named

EXPERIMENT = """
name = "watched"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "demo"
questions = 12
max_new_tokens = 64
[general]
kind = "demo"
few_shot = 1
questions_per_subject = 4
method = "all"
[[variant]]
name = "tuned"
adapter = "tuned.py"
"""
VALIDATION = "[validation]\nquestions = 60\ngeneral_questions = 27\n"
BASE = """
def answer(prompt):
    return "SELECT 1"

def option_logprobs(prompt):
    return [0.0 if place == prompt.question.answer else -1.0 for place, _ in enumerate(prompt.continuations)]
"""
TUNED = """
import json
import re
import shutil
from pathlib import Path

GOLD = {row["prompt"]: row["gold"] for row in map(json.loads, Path("%s").read_text().splitlines()) if "gold" in row}

def answer(prompt):
    return GOLD.get(prompt, "SELECT 2")

def option_logprobs(prompt):
    return [-float(place) for place, _ in enumerate(prompt.continuations)]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "base.py").write_text(BASE, encoding="utf-8")
    (folder / "tuned.py").write_text(TUNED % (folder / "run/prepared/validation.jsonl"), encoding="utf-8")
    (folder / "watched.toml").write_text(EXPERIMENT + VALIDATION, encoding="utf-8")
    (folder / "plain.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["prepare", str(folder / "watched.toml"), "--out", str(folder / "run")]) == 0
    return folder


def session_of(home: Path, name: str = "watched", folder: str = "run") -> Session:
    config = load_experiment(home / f"{name}.toml")
    return Session(config, RunFolder(home / folder), voice_named("en"), lambda line: None)


def test_validation_is_whole_databases_that_are_not_trained_on(home: Path) -> None:
    held = read_lines(home / "run/prepared/validation.jsonl")[1]
    trained = read_lines(home / "run/prepared/train.jsonl")[1]
    assert 0 < len(held) <= 60
    assert not {row["db_id"] for row in held} & {row["db_id"] for row in trained}
    whole = load_experiment(home / "plain.toml")
    assert whole.validation is None
    session = session_of(home)
    rows = session.task.read(session.config).training
    assert len(held) + len(trained) == len(rows)
    assert {"index", "db_id", "question", "gold", "hardness", "prompt", "prompt_tokens", "split"} <= held[0].keys()


def test_validation_choice_is_none_of_the_tests(home: Path) -> None:
    tested = {row["id"] for row in read_lines(home / "run/prepared/choice.jsonl")[1]}
    held = {row["id"] for row in read_lines(home / "run/prepared/validation_choice.jsonl")[1]}
    assert len(held) == 27
    assert not tested & held
    validation = read_validation(session_of(home))
    assert {prompt.method for prompt in validation.choices["demo"]} == {"letter"}
    assert {prompt.question.id for prompt in validation.choices["demo"]} == held


def test_without_validation_nothing_changes(home: Path) -> None:
    assert main(["prepare", str(home / "plain.toml"), "--out", str(home / "plain")]) == 0
    assert "validation" not in json.loads((home / "plain/manifest.json").read_text())["config"]
    assert not list((home / "plain/prepared").glob("validation*"))
    for name in ("sql", "choice", "choice_prompts"):
        one, other = (read_header(home / run / f"prepared/{name}.jsonl") for run in ("plain", "run"))
        assert one == other, name
    with pytest.raises(ConfigError, match=r"no validation questions; add a \[validation\] section"):
        read_validation(session_of(home, "plain", "plain"))


def test_state_of_the_model_is_judged_as_the_test_is(home: Path) -> None:
    session = session_of(home)
    validation = read_validation(session)
    told: list[int] = []
    base = answer_state(session, validation, None, advance=told.append)
    tuned = answer_state(session, validation, home / "tuned.py")
    assert sum(told) == len(validation)
    assert base.target_points < 5.0
    assert tuned.target_points == 100.0
    assert base.general_points("demo") == 100.0
    first = [prompt.question.answer == 0 for prompt in validation.choices["demo"]]
    assert tuned.general["demo"].tolist() == first


def test_states_are_judged_by_the_rules_of_the_verdict(home: Path) -> None:
    session = session_of(home)
    validation = read_validation(session)
    count, asked = len(validation.questions), len(validation.choices["demo"])
    base = StateAnswers(np.zeros(count, bool), np.zeros(count, bool), {"demo": np.arange(asked) % 2 == 0})
    right = np.arange(count) % 2 == 0
    better = StateAnswers(right, base.void, base.general)
    forgetful = StateAnswers(~base.correct, base.void, {"demo": np.zeros(asked, bool)})
    terms = terms_of(load_experiment(home / "watched.toml", ["claims.margin_points=40"]).claims)
    verdict = judge_states(validation, {"baseline": base, "a": better, "b": forgetful}, terms, seed=1)
    reasons = {unit.unit.name: unit.reason for unit in verdict.units}
    assert reasons["b"] in ("loss shown", "loss cannot be ruled out", "loss not measurable")
    assert verdict.units[0].unit.target is not None
    assert verdict.units[0].unit.target.interval.estimate == pytest.approx(100 * right.mean())
    assert verdict.planned == 2


def test_state_survives_its_line(home: Path) -> None:
    void = np.array([False, True, False])
    state = StateAnswers(np.array([True, False, False]), void, {"demo": np.array([True, False])})
    again = StateAnswers.from_record(json.loads(json.dumps(state.record())))
    assert again.record() == {"target": "1-0", "general": {"demo": "10"}} == state.record()
    assert again.target_points == 50.0


def test_part_of_the_validation_is_within_it(home: Path) -> None:
    validation = read_validation(session_of(home))
    part = validation.first(10)
    assert len(part.questions) == len(part.choices["demo"]) == 10
    assert set(part.questions) < set(validation.questions)
    assert part.fingerprint != validation.fingerprint
    assert validation.first(10_000).questions == validation.questions


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["validation.questions=1"],
            r"validation.questions = 1: whole databases are held out, and the smallest of the 8",
        ),
        (["validation.questions=100000"], r"nothing would be left of the \d+ training rows in 8 databases"),
        (["validation.general_questions=5000"], r"5000 asked of demo, which has \d+ questions that are neither"),
    ],
)
def test_validation_that_cannot_be_is_refused_with_the_numbers(
    home: Path, capsys: pytest.CaptureFixture[str], settings: list[str], message: str
) -> None:
    words = [word for setting in settings for word in ("--set", setting)]
    assert main(["prepare", str(home / "watched.toml"), "--out", str(home / "refused"), *words]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_validation_without_training_rows_is_refused(home: Path) -> None:
    from paretune.pipeline.held_out import hold_out
    from paretune.tasks import TargetData

    session = session_of(home)
    empty = TargetData((), (), {}, lambda question: [])
    with pytest.raises(DataError, match="drawn from the training rows, of which there are none"):
        hold_out(session.config, empty, session.task.facets)


def test_validation_of_a_whole_tested_suite_comes_from_what_prompts_do_not_show() -> None:
    suite = load_suite("demo", None, shots=1)
    asked = select_questions(suite, limit_per_subject=None, selection="stratified", seed=1)
    spare = sum(len(rows) - 1 for rows in suite.shots.values())
    drawn = draw_validation(suite, asked, (), count=spare, shots=1, seed=1)
    assert len(drawn) == spare
    assert all("/dev-" in row.id and not row.id.endswith("/dev-0") for row in drawn)
    with pytest.raises(DataError, match="nor shown as examples"):
        draw_validation(suite, asked, (), count=spare + 1, shots=1, seed=1)


def test_mmlu_validation_split_is_read(tmp_path: Path) -> None:
    from paretune.choice.held_out import read_validation_split

    for split, rows in (("test", 2), ("val", 3)):
        (tmp_path / split).mkdir()
        lines = [f"{split} question {row},one,two,three,four,B" for row in range(rows)]
        (tmp_path / split / f"anatomy_{split}.csv").write_text("\n".join(lines), encoding="utf-8")
    questions, files = read_validation_split("mmlu", tmp_path, ())
    assert [row.id for row in questions] == [f"anatomy/val-{row}" for row in range(3)]
    assert list(files) == ["val/anatomy_val.csv"]
    suite = load_suite("mmlu", tmp_path)
    drawn = draw_validation(suite, suite.questions, questions, count=3, shots=0, seed=1)
    assert drawn == tuple(questions)


def test_audit_finds_validation_questions_in_test_and_training(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(home / "run", folder)
    assert not [f for f in audit_run(load_run(folder)) if f.code.startswith("validation")]
    header, rows = read_lines(folder / "prepared/train.jsonl")
    held = read_lines(folder / "prepared/validation.jsonl")[1]
    asked_header, asked = read_lines(folder / "prepared/sql.jsonl")
    write_lines(
        folder / "prepared/train.jsonl", header, [*rows, {**rows[0], **{k: held[0][k] for k in ("db_id", "question")}}]
    )
    write_lines(folder / "prepared/sql.jsonl", asked_header, [*asked, {**held[1], "index": 9999}])
    found = {f.code: f.figures["count"] for f in audit_run(load_run(folder)) if f.code.startswith("validation")}
    assert found == {"validation-in-test": 1, "validation-in-train": 1}
    for language in ("en", "pt-BR"):
        for finding in audit_run(load_run(folder)):
            assert all(finding.say(voice_named(language)))
