"""A server in a variant's place: does it answer as what it stands for?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.run.jsonl import read_header
from tests.engines.hostile import Hostile, hostile
from tests.tiny_models import save_tiny_model

EXPERIMENT = """
name = "served"
[model]
path = "tiny"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "demo"
questions = 40
max_new_tokens = 4000
[general]
kind = "demo"
few_shot = 0
questions_per_subject = 2
method = "generate"
[claims]
margin_points = 60.0
[[variant]]
name = "tuned"
adapter = "tuned.py"
[[variant]]
from = "tuned"
served = "{url}"
"""
BACKWARDS = "def answer(prompt):\n    return ' '.join(prompt.split()[::-1])\n"  # what the server on loopback does


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    home = tmp_path_factory.mktemp("served")
    save_tiny_model(home / "tiny")
    (home / "base.py").write_text("def answer(prompt):\n    return 'SELECT 1'\n", encoding="utf-8")
    (home / "tuned.py").write_text(BACKWARDS, encoding="utf-8")
    with hostile() as server:
        (home / "served.toml").write_text(EXPERIMENT.format(url=server.url), encoding="utf-8")
        assert main(["evaluate", str(home / "served.toml"), "--out", str(home / "run")]) == 0
        asked(server)
    header = read_header(home / "run" / "tuned@served" / "answers.jsonl")
    assert header["served"] == {"kind": "server", "url": server.url, "model": "words", "version": None,
                                "choices": "written"}  # fmt: skip
    assert "engine" not in header
    assert main(["compare", str(home / "run")]) == 0
    assert "tuned@served" in (home / "run" / "tables" / "served.md").read_text(encoding="utf-8")
    with (home / "run" / "tables" / "served.csv").open(encoding="utf-8") as file:
        return {row["benchmark"]: row for row in csv.DictReader(file)}


def asked(server: Hostile) -> None:
    assert {request["model"] for request in server.asked} == {"words"}


def test_server_that_answers_alike_is_found_to(table: dict[str, dict[str, str]]) -> None:
    row = table["execution accuracy"]
    assert (row["variant"], row["source"], row["finding"]) == ("tuned@served", "tuned", "alike")
    assert (row["gained_questions"], row["lost_questions"], float(row["change_points"])) == ("0", "0", 0.0)
    assert float(row["same_answers_percent"]) == 100.0


def test_every_benchmark_has_its_row(table: dict[str, dict[str, str]]) -> None:
    assert set(table) == {"execution accuracy", "demo"}
    assert table["demo"]["method"] == "generate"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('served = "nowhere"', r"variant.tuned@served.served: expected an address"),
        ('served = "http://user:word@127.0.0.1/v1"', "give the key in the environment"),
        ('served = "http://127.0.0.1/v1"\ncheckpoint = 200', "leave only `from`"),
        ('served_model = "a"', "needs `served`"),
    ],
)
def test_served_that_cannot_be_is_refused(
    keys: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = EXPERIMENT.replace('served = "{url}"', keys)
    (tmp_path / "served.toml").write_text(text, encoding="utf-8")
    (tmp_path / "base.py").write_text("", encoding="utf-8")
    assert main(["evaluate", str(tmp_path / "served.toml"), "--out", str(tmp_path / "run")]) == 2
    assert expected in capsys.readouterr().err
