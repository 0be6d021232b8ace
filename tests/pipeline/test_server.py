"""A whole experiment answered by a server on loopback: what is kept when it fails, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.run.jsonl import read_lines
from tests.engines.hostile import Hostile, hostile
from tests.tiny_models import save_tiny_model

pytestmark = pytest.mark.usefixtures("undrawn")

EXPERIMENT = """
name = "served"
[model]
path = "tiny"
[engine]
kind = "server"
url = "{url}"
concurrency = 3
retries = 0
pause_seconds = 0.01
[target]
kind = "demo"
questions = 20
max_new_tokens = 64
[general]
kind = "demo"
few_shot = 1
questions_per_subject = 2
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with hostile() as state:
        yield state


@pytest.fixture(scope="module")
def file(server: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    save_tiny_model(folder / "tiny")
    (folder / "served.toml").write_text(EXPERIMENT.format(url=server.url), encoding="utf-8")
    return folder / "served.toml"


@pytest.fixture(scope="module")
def whole(file: Path) -> Path:
    """The folder of a run that nothing interrupted."""
    assert main(["run", str(file), "--out", str(file.parent / "whole")]) == 0  # the page too
    return file.parent / "whole"


def lines(run: Path, name: str) -> tuple[dict[str, object], list[str]]:
    """Header and records, the latter in an order of their own: answers come in any."""
    header, records = read_lines(run / "baseline" / name)
    return header, sorted(json.dumps({**record, "seconds": 0}) for record in records)


@pytest.mark.parametrize("fault", ["drop", "half line"])
def test_server_that_fails_half_way_is_gone_on_with_to_the_same_figures(
    fault: str, file: Path, whole: Path, server: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    run = file.parent / f"run-{fault}"
    server.faults, server.always = ["answer"] * 27, fault
    assert main(["evaluate", str(file), "--out", str(run)]) == 2
    assert "what is answered is kept" in capsys.readouterr().err
    kept = len(read_lines(run / "baseline" / "answers.jsonl")[1]) + len(
        read_lines(run / "baseline" / "choice.jsonl")[1]
    )
    assert kept == 27
    server.always, server.asked = "answer", []
    assert main(["evaluate", str(file), "--out", str(run)]) == 0
    assert main(["compare", str(run)]) == 0
    assert len(server.asked) == 20 + 18 - kept
    for name in ("answers.jsonl", "sql.jsonl", "choice.jsonl"):
        assert lines(run, name) == lines(whole, name)
    for table in sorted((whole / "tables").iterdir()):
        if table.name != "costs.csv":  # seconds
            assert (run / "tables" / table.name).read_bytes() == table.read_bytes()


def test_options_that_are_not_scored_are_asked_in_writing_and_the_table_says_so(whole: Path) -> None:
    records = read_lines(whole / "baseline" / "choice.jsonl")[1]
    assert {record["method"] for record in records} == {"generate"}
    assert len(records) == 18
    table = (whole / "tables" / "general_accuracy.md").read_text(encoding="utf-8")
    assert "Asked in writing instead of by letter" in table


def test_key_stands_in_no_file_and_in_no_message(
    file: Path, server: Hostile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARETUNE_API_KEY", "very-secret")
    server.faults, server.always, server.keys = ["answer"] * 30, "400", set()
    run = file.parent / "with-key"
    assert main(["evaluate", str(file), "--out", str(run)]) == 2
    server.always = "answer"
    assert main(["evaluate", str(file), "--out", str(run)]) == 0
    assert server.keys == {"Bearer very-secret"}
    said = capsys.readouterr()
    assert "very-secret" not in said.out + said.err
    assert all(b"very-secret" not in path.read_bytes() for path in run.rglob("*") if path.is_file())


def test_dry_run_names_a_server_that_is_not_there(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", str(file), "--dry-run", "--set", "engine.url=http://127.0.0.1:9"]
    assert main(words) == 2
    assert "http://127.0.0.1:9/v1/models: no usable answer" in capsys.readouterr().err
