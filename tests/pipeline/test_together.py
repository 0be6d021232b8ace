"""Two processes of a launcher train as one does: the same losses, the same adapter, one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from paretune.cli import main
from paretune.errors import ConfigError
from paretune.run.jsonl import read_lines
from tests.pipeline.conftest import ROOT
from tests.tiny_models import save_tiny_model
from tests.training.tiny_training import assert_same, weights

EXPERIMENT = """
[model]
path = "model"
[target]
kind = "demo"
questions = 4
train_rows = 13
[general]
kind = "demo"
questions_per_subject = 1
method = "cloze"
[training]
batch_size = 4
accumulation_steps = 1
rank = 2
peak_learning_rate = 1e-2
logging_steps = 1
checkpoint_steps = 2
[[variant]]
name = "whole"
accumulation_steps = 2
[[variant]]
name = "shared"
share_prompts = true
prompts_per_step = 2
fuse_adapters = true
[[variant]]
name = "kl"
objective = "kl"
"""
TRAINED = ("whole", "shared")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("together")
    save_tiny_model(home / "model")
    (home / "x.toml").write_text(EXPERIMENT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PARETUNE_CACHE", str(home / "cache"))
        assert main(["train", str(home / "x.toml"), "--out", str(home / "one"), *_variants(*TRAINED)]) == 0
    return home


def _variants(*names: str) -> list[str]:
    return [word for name in names for word in ("--variant", name)]


def _launched(home: Path, out: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Two processes, as torchrun starts them."""
    environment = {**os.environ, "PARETUNE_CACHE": str(home / "cache"), "OMP_NUM_THREADS": "1",
                   "CUDA_VISIBLE_DEVICES": "", "TMPDIR": str(home)}  # fmt: skip
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "paretune",
               "train", str(home / "x.toml"), "--out", str(home / out), *words]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False)


def test_two_processes_train_as_one_does(home: Path) -> None:
    done = _launched(home, "two", *_variants(*TRAINED))
    assert done.returncode == 0, done.stderr[-3000:]
    for name in TRAINED:
        one, two = (read_lines(home / out / name / "training.jsonl") for out in ("one", "two"))
        assert one[0] == two[0]
        assert [line["tokens"] for line in one[1]] == [line["tokens"] for line in two[1]]
        assert [line["loss"] for line in two[1]] == pytest.approx([line["loss"] for line in one[1]], rel=1e-5)
        assert_same(weights(home / "one" / name), weights(home / "two" / name), within=1e-4)
    assert not list(home.glob("paretune-*")), "a passing folder was left"
    assert done.stderr.count("whole: training on 13 rows") == 1


def test_two_processes_continue_what_one_began(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from paretune.training.monitor import Monitor

    step_end = Monitor.on_step_end

    def killed(self: Monitor, args: Any, state: Any, control: Any, **rest: Any) -> None:
        step_end(self, args, state, control, **rest)
        if state.global_step == 3:
            raise KeyboardInterrupt

    monkeypatch.setenv("PARETUNE_CACHE", str(home / "cache"))
    with monkeypatch.context() as patched:
        patched.setattr(Monitor, "on_step_end", killed)
        assert main(["train", str(home / "x.toml"), "--out", str(home / "half"), *_variants("shared")]) == 130
    assert not (home / "half" / "shared" / "adapter").exists()
    done = _launched(home, "half", *_variants("shared"))
    assert done.returncode == 0, done.stderr[-3000:]
    one, half = (read_lines(home / out / "shared" / "training.jsonl")[1] for out in ("one", "half"))
    assert [line["loss"] for line in half] == pytest.approx([line["loss"] for line in one], rel=1e-5)
    assert_same(weights(home / "one" / "shared"), weights(home / "half" / "shared"), within=1e-4)


def test_training_that_processes_would_not_do_alike_is_refused(home: Path) -> None:
    from paretune.config.read import load_experiment
    from paretune.pipeline.session import Session
    from paretune.pipeline.together import train_together
    from paretune.run.folder import RunFolder
    from paretune.text import Voice

    config = load_experiment(home / "x.toml")
    session = Session(config, RunFolder(home / "none"), Voice("en"), print)
    with pytest.raises(ConfigError, match="variant kl: objective = 'kl' is not made for several processes"):
        train_together(session, config.variants)


def test_other_stages_are_refused_under_a_launcher(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("LOCAL_RANK", "0"), ("RANK", "0"), ("WORLD_SIZE", "2"), ("CUDA_VISIBLE_DEVICES", "")):
        monkeypatch.setenv(name, value)
    assert main(["evaluate", str(home / "x.toml"), "--out", str(home / "one")]) == 2
    assert "evaluate is the work of one process" in capsys.readouterr().err
