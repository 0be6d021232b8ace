"""A monitored training on the embedded benchmark with a tiny model, from the experiment file to the log."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.pipeline import monitor
from paretune.pipeline.monitor import Seen, StopRule, monitor_line
from paretune.pipeline.validation import StateAnswers, stored_validation
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines
from paretune.run.load import load_run
from paretune.training.watching import AnswerScores
from tests.tiny_experiment import tiny_experiment
from tests.tiny_models import save_tiny_model

EXPERIMENT = tiny_experiment(
    "monitored",
    "questions = 6\nmax_new_tokens = 4\ntrain_rows = 60",
    """
batch_size = 4
rank = 2
peak_learning_rate = 2e-2
checkpoint_steps = 4
""",
)
VALIDATION = "[validation]\nquestions = 20\ngeneral_questions = 18\nmonitor_questions = 6\n"
RUN = '[[variant]]\nname = "run-1"\n'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("monitored")
    save_tiny_model(home / "model")
    (home / "watched.toml").write_text(EXPERIMENT + "monitor_steps = 4\n" + VALIDATION + RUN, encoding="utf-8")
    (home / "unwatched.toml").write_text(EXPERIMENT + VALIDATION + RUN, encoding="utf-8")
    for name in ("watched", "unwatched"):
        assert main(["train", str(home / f"{name}.toml"), "--out", str(home / name)]) == 0
    return home


def test_monitored_training_writes_what_it_sees(home: Path) -> None:
    lines = read_lines(home / "watched/run-1/training.jsonl")[1]
    seen = {line["step"]: line["monitor"] for line in lines if "monitor" in line}
    assert all(step % 4 == 0 or step == lines[-1]["step"] for step in seen)
    assert lines[-1]["step"] in seen
    for look in seen.values():
        assert look["target"]["questions"] == look["general"]["demo"]["questions"] == 6
        assert 0 <= look["target"]["accuracy"] <= 100
        assert look["kl"] > 0
        assert look["bits_per_byte"] != look["base_bits_per_byte"] > 0
        assert "stop" not in look
    first, last = (seen[step]["target"]["loss"] for step in (min(seen), max(seen)))
    assert last < first < seen[min(seen)]["target"]["base_loss"]


def test_monitored_training_is_the_unmonitored_one(home: Path) -> None:
    one, other = (home / name / "run-1/adapter/adapter_model.safetensors" for name in ("watched", "unwatched"))
    assert one.read_bytes() == other.read_bytes()
    marks = [json.loads((path.parent / "paretune.json").read_text())["fingerprint"] for path in (one, other)]
    assert marks[0] == marks[1]


def test_monitored_training_counts_its_looks_apart(home: Path) -> None:
    work = json.loads((home / "watched/manifest.json").read_text())["work"]
    assert {entry["stage"] for entry in work} == {"train", "monitor"}
    run = load_run(home / "watched")
    assert not [problem for problem in run.problems if "line" in problem.code]
    (variant,) = [variant for variant in run.all_variants if variant.name == "run-1"]
    assert any(line.monitor for line in variant.training)


def test_training_already_made_is_not_looked_at_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(home / "watched.toml"), "--out", str(home / "watched")]) == 0
    assert "already trained" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EXPERIMENT + "monitor_steps = 4\n" + RUN, "run-1.monitor_steps: needs questions that are not the test's"),
        (EXPERIMENT + "best_checkpoint = 'pick'\n" + RUN, "run-1.best_checkpoint: needs questions"),
        (EXPERIMENT + "stop_when_loss = 1\n" + VALIDATION + RUN, "stop_when_loss: decided at the monitor's looks"),
        (EXPERIMENT + "monitor_steps = 0\n" + VALIDATION + RUN, "training.monitor_steps: expected at least 1"),
    ],
)
def test_watching_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "refused.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_experiment(tmp_path / "refused.toml")


def test_text_that_is_not_there_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(home / "watched.toml"), "--out", str(home / "no-text"), "--set", "validation.text=/no/such"]
    assert main(words) == 2
    assert "validation.text: /no/such: cannot be read" in capsys.readouterr().err


def test_stop_rule_shares_its_error_among_all_looks(home: Path) -> None:
    """With 18 questions and one look a loss of all of them is shown, with a thousand looks half of it is not."""
    validation = stored_validation(RunFolder(home / "watched"), {"id": "index", "cluster": "db_id",
                                                                 "reference": "gold", "level": "hardness"})  # fmt: skip
    count = len(validation.questions)
    scores = AnswerScores(1.0, None)

    def state(right: int) -> Seen:
        nothing = np.zeros(count, bool)
        return Seen(StateAnswers(nothing, nothing, {"demo": np.arange(18) < right}), scores, 1.0)

    def stops(right: int, looks: int) -> bool:
        return bool(monitor_line(validation, state(18), state(right), StopRule.of(2.0, 0.95, looks, 1))["stop"])

    assert stops(0, looks=1)
    assert stops(9, looks=1)
    assert not stops(16, looks=1)
    assert not stops(9, looks=100_000)


def test_stopped_training_is_finished_and_said_to_be_stopped(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(monitor, "loss_test", lambda *arguments, **settings: SimpleNamespace(verdict="shown"))
    words = [str(home / "watched.toml"), "--out", str(tmp_path), "--set", "training.stop_when_loss=2"]
    assert main(["train", *words]) == 0
    assert "run-1: stopped after step 4: a loss of more than stop_when_loss is shown" in capsys.readouterr().err
    entry = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["variants"]["run-1"]
    assert (entry["steps"], entry["stopped_step"]) == (4, 4)
    (line,) = [line for line in read_lines(tmp_path / "run-1/training.jsonl")[1] if "monitor" in line]
    assert line["monitor"]["stop"] is True
    assert line["monitor"]["general"]["demo"]["questions"] == 18  # all of them decide, not the monitor's six
    assert main(["train", *words]) == 0
    assert "already trained" in capsys.readouterr().err
