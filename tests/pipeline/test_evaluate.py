from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from paretune.config import ExperimentConfig
from paretune.files import fingerprint
from paretune.pipeline import evaluate
from paretune.run.folder import RunFolder
from paretune.run.jsonl import write_lines
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import TASK, SqlTarget

STOPS: tuple[Literal["turn", "statement"], ...] = ("turn", "statement")
CONDITIONS = {"weights": "w", "adapter": None}


def header_of(target: SqlTarget, path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(evaluate, "prepared_mark", lambda *_: "prepared")
    session: Any = SimpleNamespace(config=ExperimentConfig("x", target=target, prompt=PromptConfig()), task=TASK)
    return evaluate._answers_header(session, CONDITIONS, path, RunFolder(path.parent))


def test_answers_of_before_the_memory_chose_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = {**CONDITIONS, "prepared": "prepared", "decoding": "greedy", "max_new_tokens": 256, "batch_size": 16}
    earlier = {"kind": "answers", "fingerprint": fingerprint(decided), **decided}
    path = tmp_path / "answers.jsonl"
    assert header_of(SqlTarget(), path, monkeypatch)["batch_size"] is None
    write_lines(path, earlier, [])
    assert header_of(SqlTarget(), path, monkeypatch) == earlier
    assert header_of(SqlTarget(batch_size=16), path, monkeypatch) == earlier
    assert header_of(SqlTarget(batch_size=8), path, monkeypatch)["batch_size"] == 8


def test_answers_that_end_with_the_statement_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "answers.jsonl"
    turn, statement = (header_of(SqlTarget(stop=stop), path, monkeypatch) for stop in STOPS)
    assert "stop" not in turn
    assert statement["stop"] == "statement"
    assert turn["fingerprint"] != statement["fingerprint"]
