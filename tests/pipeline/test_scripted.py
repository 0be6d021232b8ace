"""A whole experiment answered by a script: from TOML to tables, audit and page without a model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.run.jsonl import read_lines

pytestmark = pytest.mark.usefixtures("undrawn")

EXPERIMENT = """
name = "scripted"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "demo"
questions = 24
max_new_tokens = 64
[general]
kind = "demo"
few_shot = 1
questions_per_subject = 4
method = "all"
[[variant]]
name = "tuned"
adapter = "tuned.py"
[[variant]]
from = "tuned"
adapter_scale = 0.5
"""
BASE = """
def answer(prompt):
    return "B" if "Answer:" in prompt else "SELECT 1"

def option_logprobs(prompt):
    return [0.0 if place == prompt.question.answer else -1.0 for place, _ in enumerate(prompt.continuations)]
"""
TUNED = """
def answer(prompt):
    return "SELECT count(*) FROM sqlite_master"

def option_logprobs(prompt):
    return [-float(place) for place, _ in enumerate(prompt.continuations)]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripted")
    for name, text in (("scripted.toml", EXPERIMENT), ("base.py", BASE), ("tuned.py", TUNED)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(home: Path) -> Path:
    assert main(["run", str(home / "scripted.toml"), "--out", str(home / "run")]) == 0
    return home / "run"


def test_scripted_experiment_writes_tables_and_page(finished: Path) -> None:
    assert (finished / "report" / "index.html").is_file()
    assert "tuned@0.5" in (finished / "tables" / "general_accuracy.md").read_text(encoding="utf-8")


def test_scripted_experiment_is_answered_by_its_scripts(finished: Path) -> None:
    texts = {
        name: {record["text"] for record in read_lines(finished / name / "answers.jsonl")[1]}
        for name in ("baseline", "tuned", "tuned@0.5")
    }
    assert texts["baseline"] == {"SELECT 1"}
    assert texts["tuned"] == {"SELECT count(*) FROM sqlite_master"}
    assert texts["tuned@0.5"] == texts["baseline"] | texts["tuned"]
    right = [record["correct"] for record in read_lines(finished / "baseline" / "choice.jsonl")[1]
             if record["method"] == "letter"]  # fmt: skip
    assert right
    assert all(right)


def test_scripted_experiment_run_again_asks_nothing(
    home: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.glob("*/*.jsonl")}
    assert main(["run", str(home / "scripted.toml"), "--out", str(finished)]) == 0
    assert {path: path.stat().st_mtime_ns for path in finished.glob("*/*.jsonl")} == before
    assert "tuned@0.5: already answered" in capsys.readouterr().err


def test_scripted_experiment_audit_reads_it(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", str(finished)])
    assert "tuned" in capsys.readouterr().out


def test_script_edited_its_answers_start_anew(home: Path, finished: Path, tmp_path: Path) -> None:
    edited = tmp_path / "edited"
    edited.mkdir()
    for name, text in (("scripted.toml", EXPERIMENT), ("base.py", BASE + "# edited\n"), ("tuned.py", TUNED)):
        (edited / name).write_text(text, encoding="utf-8")
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    assert main(["evaluate", str(edited / "scripted.toml"), "--out", str(copy)]) == 0
    assert (copy / "baseline" / "answers.jsonl.old-1").is_file()
    assert (copy / "prepared" / "sql.jsonl").read_bytes() == (finished / "prepared" / "sql.jsonl").read_bytes()


def test_scripted_experiment_with_a_training_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "trained.toml"
    file.write_text(EXPERIMENT + '[[variant]]\nname = "run-1"\n', encoding="utf-8")
    assert main(["run", str(file), "--out", str(home / "trained")]) == 2
    assert "'scripted' takes no trained adapters; name one made for it (adapter = PATH)" in capsys.readouterr().err


def test_scripted_experiment_loads_no_model_library(home: Path, finished: Path) -> None:
    words = ["evaluate", str(home / "scripted.toml"), "--out", str(finished)]
    code = f"import sys; from paretune.cli import main; main({words!r}); print('transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False", done.stderr


def test_scripted_experiment_dry_run_reads_no_model(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(home / "scripted.toml"), "--dry-run", "--set", "model.path=/no/such"]) == 0
    assert "engine scripted" in capsys.readouterr().out


def test_scripted_experiment_dry_run_names_an_adapter_that_is_none(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(home / "scripted.toml"), "--dry-run", "--set", "variant.tuned.adapter=/no/such.py"]
    assert main(words) == 2
    assert "variant tuned: /no/such.py: not there" in capsys.readouterr().err
