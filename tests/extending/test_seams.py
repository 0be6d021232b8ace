"""A task, a suite and an engine's scripts of another package: from TOML to tables, audit and page, without a model."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import paretune as pt
from paretune.cli import main
from tests.extending.installed import with_points

pytestmark = pytest.mark.usefixtures("undrawn")

EXPERIMENT = """
name = "seams"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "sums"
questions = 48
[general]
kind = "capitals"
few_shot = 0
method = "cloze"
[claims]
margin_points = 25
[[variant]]
name = "tuned"
adapter = "tuned.py"
"""
BASE = """
import re

def answer(prompt):
    first, second = map(int, re.findall(r"are (\\\\d+).* and (\\\\d+) more", prompt)[0])
    return f"That makes {first + second}" if first + second < 8 else "I do not know"

def option_logprobs(prompt):
    return [0.0 if place == prompt.question.answer else -9.0 for place, _ in enumerate(prompt.continuations)]
"""
TUNED = BASE.replace("< 8", "< 500")
POINTS = (
    metadata.EntryPoint("sums", "tests.extending.sums:TASK", "paretune.tasks"),
    metadata.EntryPoint("capitals", "tests.extending.capitals:SUITE", "paretune.suites"),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("seams")
    for name, text in (("seams.toml", EXPERIMENT), ("base.py", BASE), ("tuned.py", TUNED)):
        (home / name).write_text(text.replace("\\\\", "\\"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(metadata, "entry_points", with_points(*POINTS))
        assert main(["run", str(home / "seams.toml"), "--out", str(home / "run")]) == 0
    return home / "run"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "entry_points", with_points(*POINTS))


def test_task_suite_and_scripts_of_others_are_compared(run: Path) -> None:
    comparison = pt.Run(run).comparison()
    baseline, tuned = comparison.variants
    assert 0 < baseline.leading.estimate < 50
    assert tuned.leading.estimate == 100.0
    assert (baseline.general.estimate, tuned.general.estimate) == (100.0, 100.0)
    assert comparison.main_suite == "capitals"
    gain = comparison.difference("tuned", "target")
    assert gain is not None
    assert gain.claim.finding == "gain shown"


def test_task_suite_and_scripts_of_others_have_tables_and_a_verdict(run: Path) -> None:
    tables = pt.Run(run).tables()
    assert {"share_of_right_values", "general_accuracy", "claims"} <= set(tables)
    assert "tuned" in pt.Run(run).verdict()


def test_task_suite_and_scripts_of_others_are_audited_and_shown(run: Path) -> None:
    assert all(finding.evidence for finding in pt.audit(run))
    page = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert "capitals" in page
    assert 'id="data-sums"' in page
