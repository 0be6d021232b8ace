"""Several answers per question, from the experiment file to the tables, by a script."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.run.jsonl import read_lines

EXPERIMENT = """
name = "drawn"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "demo"
questions = 12
max_new_tokens = 64
temperature = 0.8
samples = 5
vote = true
[general]
kind = "demo"
few_shot = 0
questions_per_subject = 1
method = "letter"
"""
# Two of five seeds, say, give one result, and one gives none.
BASE = """
def answer(prompt):
    return "SELECT 0"

def sample(prompt, seed):
    return ["SELECT 1", "SELECT 1 AS one", "SELECT 2", "no idea", "SELECT count(*) FROM nothing"][seed % 5]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "drawn.toml").write_text(EXPERIMENT, encoding="utf-8")
    (folder / "base.py").write_text(BASE, encoding="utf-8")
    assert main(["evaluate", str(folder / "drawn.toml"), "--out", str(folder / "run")]) == 0
    return folder


def test_every_sample_is_kept_and_judged(home: Path) -> None:
    header, samples = read_lines(home / "run" / "baseline" / "samples.jsonl")
    assert header["decoding"] == {"temperature": 0.8, "samples": 5, "seed": 42}
    assert len({(line["index"], line["sample"]) for line in samples}) == len(samples) == 60
    assert len({line["text"] for line in samples}) == 5
    verdicts = read_lines(home / "run" / "baseline" / "sample_verdicts.jsonl")[1]
    assert len(verdicts) == 60
    assert {line["outcome"] for line in verdicts} >= {"wrong", "no_answer", "invalid_sql"}


def test_answer_that_counts_is_the_first_of_the_most_frequent_result(home: Path) -> None:
    samples: dict[int, list[str]] = {}
    for line in sorted(read_lines(home / "run" / "baseline" / "samples.jsonl")[1], key=lambda line: line["sample"]):
        samples.setdefault(line["index"], []).append(line["text"])
    results = {"SELECT 1": 1, "SELECT 1 AS one": 1, "SELECT 2": 2}
    for line in read_lines(home / "run" / "baseline" / "answers.jsonl")[1]:
        said = [results.get(text) for text in samples[line["index"]]]
        executed = [result for result in said if result is not None]
        expected = said.index(max(executed, key=lambda one: (executed.count(one), -executed.index(one))))
        assert line["sample"] == expected
        assert line["text"] == samples[line["index"]][expected]


def test_other_choice_among_the_same_samples_draws_none_again(home: Path, tmp_path: Path) -> None:
    before = (home / "run" / "baseline" / "samples.jsonl").read_bytes()
    words = ["evaluate", str(home / "drawn.toml"), "--out", str(home / "run"), "--set", "target.vote=false"]
    assert main(words) == 0
    assert (home / "run" / "baseline" / "samples.jsonl").read_bytes() == before
    assert {line["sample"] for line in read_lines(home / "run" / "baseline" / "answers.jsonl")[1]} == {0}
    assert main(words[:-2]) == 0


def test_samples_cut_short_are_gone_on_with(home: Path) -> None:
    path = home / "run" / "baseline" / "samples.jsonl"
    before = read_lines(path)
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:20]), encoding="utf-8")
    (home / "run" / "baseline" / "answers.jsonl").unlink()
    assert main(["evaluate", str(home / "drawn.toml"), "--out", str(home / "run")]) == 0
    assert read_lines(path) == before


def test_tables_tell_what_samples_are_worth_and_what_they_cost(home: Path) -> None:
    assert main(["compare", str(home / "run")]) == 0
    with (home / "run" / "tables" / "samples.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["figure"], row["k"]) for row in rows] == [
        ("mean", "1"), ("pass", "2"), ("pass", "4"), ("oracle", "5"), ("vote", "5"),
    ]  # fmt: skip
    shown = [float(row["accuracy_percent"]) for row in rows[:4]]
    assert shown == sorted(shown)
    assert "vote of 5" in (home / "run" / "tables" / "samples.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("target.temperature=0.0", "target.samples = 5: all alike at temperature 0"),
     ("target.samples=1", "target.vote: one answer has nothing to vote on")],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(
    setting: str, expected: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(home / "drawn.toml"), "--out", str(home / "run"), "--set", setting]) == 2
    assert expected in capsys.readouterr().err
