"""Validation questions of a task of another package: held out by its clusters and judged by its own judge."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.pipeline.session import Session
from paretune.pipeline.validation import answer_state, read_validation
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines
from paretune.text import voice_named
from tests.extending.installed import with_points

EXPERIMENT = """
name = "sums"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "sums"
questions = 8
train_rows = 32
[general]
kind = "demo"
few_shot = 0
questions_per_subject = 2
method = "cloze"
[validation]
questions = 12
general_questions = 9
[[variant]]
name = "tuned"
adapter = "tuned.py"
"""
BASE = """
def answer(prompt):
    return "no idea"

def option_logprobs(prompt):
    return [-float(place) for place, _ in enumerate(prompt.continuations)]
"""
TUNED = BASE.replace('return "no idea"', 'import re; return str(sum(map(int, re.findall(r"\\d+", prompt)[1:3])))')


def test_task_of_another_package_has_validation_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("sums", "tests.extending.sums:TASK", "paretune.tasks")
    monkeypatch.setattr(metadata, "entry_points", with_points(point))
    for name, text in (("sums.toml", EXPERIMENT), ("base.py", BASE), ("tuned.py", TUNED)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["prepare", str(tmp_path / "sums.toml"), "--out", str(tmp_path / "run")]) == 0
    held, trained = (read_lines(tmp_path / f"run/prepared/{name}.jsonl")[1] for name in ("validation", "train"))
    assert len(held) == 12  # three things of four sums each
    assert len({row["cluster"] for row in held}) == 3
    assert not {row["cluster"] for row in held} & {row["cluster"] for row in trained}
    config = load_experiment(tmp_path / "sums.toml")
    session = Session(config, RunFolder(tmp_path / "run"), voice_named("en"), lambda line: None)
    validation = read_validation(session)
    assert answer_state(session, validation, None).target_points == 0.0
    assert answer_state(session, validation, tmp_path / "tuned.py").target_points == 100.0
    assert main(["dial", str(tmp_path / "sums.toml"), "--out", str(tmp_path / "run"), "--variant", "tuned"]) == 0
