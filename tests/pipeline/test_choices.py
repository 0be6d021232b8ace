"""Multiple choice goes through prepared/: what is asked is written down, and evaluation reads nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paretune.choice.prompts import build_prompts
from paretune.choice.suites.load import load_suite
from paretune.cli import main
from paretune.errors import DataError
from paretune.pipeline.choices import FILE, prompt_lines, read_choices
from paretune.records import METHODS, ChoicePrompt
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines, write_lines
from tests.pipeline.test_scripted import BASE, EXPERIMENT, TUNED


@pytest.fixture
def prompts() -> dict[str, list[ChoicePrompt]]:
    suite = load_suite("demo", None, shots=2)
    return {
        "demo": [
            prompt
            for method in METHODS
            for prompt in build_prompts(suite, suite.questions[:30], shots=2, method=method)
        ]
    }


def test_prompts_written_and_read_are_the_same(prompts: dict[str, list[ChoicePrompt]], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    header, records = prompt_lines(prompts)
    write_lines(folder.prepared(FILE), header, records)
    choices = read_choices(folder, ())
    assert choices.prompts == {"demo": tuple(prompts["demo"])}
    assert choices.fingerprint == header["fingerprint"]
    assert len(choices) == 90
    assert len(header["prefixes"]) < 20  # what many prompts begin with stands once


def test_prompts_edited_after_they_were_written_are_refused(
    prompts: dict[str, list[ChoicePrompt]], tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    header, records = prompt_lines(prompts)
    records[3]["contexts"] = ("something else",)
    write_lines(folder.prepared(FILE), header, records)
    with pytest.raises(DataError, match=r"choice_prompts\.jsonl: changed after it was written; run paretune prepare"):
        read_choices(folder, ())


@pytest.mark.parametrize("change", [{"prefix": 99}, {"question": {"id": "x"}}, {"question": None}])
def test_prompts_broken_are_refused_with_the_line(
    change: dict[str, object], prompts: dict[str, list[ChoicePrompt]], tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    header, records = prompt_lines(prompts)
    records[0] |= change
    write_lines(folder.prepared(FILE), header, records)
    with pytest.raises(DataError, match=r"choice_prompts\.jsonl, line 2"):
        read_choices(folder, ())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A prepared and evaluated experiment on a suite of its own in MMLU's layout."""
    experiment = EXPERIMENT.replace(
        '[general]\nkind = "demo"\nfew_shot = 1\n', '[general]\nkind = "mmlu"\npath = "mmlu"\nfew_shot = 1\n'
    )
    for name, text in (("trial.toml", experiment), ("base.py", BASE), ("tuned.py", TUNED)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for split in ("test", "dev"):
        (tmp_path / "mmlu" / split).mkdir(parents=True)
        rows = [f"{split} question {number}?,one,two,three,four,{'ABCD'[number % 4]}" for number in range(6)]
        (tmp_path / "mmlu" / split / f"virology_{split}.csv").write_text("\n".join(rows) + "\n")
    assert main(["evaluate", str(tmp_path / "trial.toml"), "--out", str(tmp_path / "run")]) == 0
    return tmp_path


def evaluate(home: Path, *settings: str) -> int:
    changes = [word for setting in settings for word in ("--set", setting)]
    return main(["evaluate", str(home / "trial.toml"), "--out", str(home / "run"), *changes])


def test_evaluation_needs_no_file_of_the_suite(home: Path) -> None:
    lines = (home / "run" / "tuned" / "choice.jsonl").read_bytes()
    (home / "run" / "tuned" / "choice.jsonl").unlink()
    shutil.rmtree(home / "mmlu")
    assert evaluate(home) == 0
    assert (home / "run" / "tuned" / "choice.jsonl").read_bytes() == lines


def test_evaluation_with_other_settings_prepares_anew(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_lines(home / "run" / "prepared" / f"{FILE}.jsonl")[1]
    assert evaluate(home, "general.questions_per_subject=3") == 0
    assert len(read_lines(home / "run" / "prepared" / f"{FILE}.jsonl")[1]) == len(before) * 3 // 4
    assert f"{FILE}.jsonl: settings or data changed" in capsys.readouterr().err


def test_folder_from_before_prompts_were_written_keeps_its_answers(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {path: path.read_bytes() for path in home.glob("run/*/choice.jsonl")}
    (home / "run" / "prepared" / f"{FILE}.jsonl").unlink()
    capsys.readouterr()
    assert evaluate(home) == 0
    assert "tuned: already answered" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in home.glob("run/*/choice.jsonl")} == answers
    assert (home / "run" / "prepared" / f"{FILE}.jsonl").is_file()
