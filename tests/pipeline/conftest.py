"""A tiny experiment, processes that run it, and one uninterrupted run of it that all tests compare with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tiny_models import save_tiny_model

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = """
name = "tiny"
[model]
path = "model"
[target]
kind = "demo"
questions = 24
train_rows = 16
max_new_tokens = 8
batch_size = 2
[general]
kind = "demo"
few_shot = 1
questions_per_subject = 4
method = "cloze"
[training]
batch_size = 2
checkpoint_steps = 2
logging_steps = 1
rank = 2
peak_learning_rate = 1e-2
[[variant]]
name = "run-1"
[[variant]]
name = "run-2"
peak_learning_rate = 1e-3
[[variant]]
from = "run-1"
adapter_scale = 0.5
"""
VARIANTS = ("baseline", "run-1", "run-2", "run-1@0.5")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it told the user, without the progress bars."""
        return [line for line in self.err.replace("\r", "\n").splitlines() if line.strip() and "%" not in line]


class Commands:
    """Runs `paretune` in processes of their own, one at a time."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = environment
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.warm"],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def words(self, stage: str, folder: Path, *settings: str) -> list[str]:
        """A command's words."""
        changes = [word for setting in settings for word in ("--set", setting)]
        return [stage, str(self.home / "tiny.toml"), "--out", str(folder), *changes]

    def start(self, words: list[str], *, drawn: bool = True) -> int:
        """Start a command; returns its process number. `finish` must follow. drawn: False for empty plots."""
        assert self.server.stdin is not None
        order = {"words": words, "out": str(self.home / "out.txt"), "err": str(self.home / "err.txt"), "drawn": drawn}
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return self._number()

    def finish(self) -> Finished:
        """Wait for the started command."""
        status = self._number()
        out, err = ((self.home / name).read_text(encoding="utf-8") for name in ("out.txt", "err.txt"))
        return Finished(status, out, err)

    def run(self, stage: str, folder: Path, *settings: str, drawn: bool = True) -> Finished:
        """Start a command and wait for it."""
        self.start(self.words(stage, folder, *settings), drawn=drawn)
        return self.finish()

    def _number(self) -> int:
        assert self.server.stdout is not None
        line = self.server.stdout.readline()
        assert line, "the process that starts the others has ended"
        return int(line)


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run that nothing interrupted."""

    folder: Path
    result: Finished


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    home = tmp_path_factory.mktemp("experiment")
    save_tiny_model(home / "model")
    (home / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    environment = {
        **os.environ,
        "PARETUNE_CACHE": str(home / "cache"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "Agg",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
    }
    started = Commands(home, environment)
    yield started
    assert started.server.stdin is not None
    started.server.stdin.close()
    started.server.wait(timeout=60)


@pytest.fixture(scope="session")
def whole_run(commands: Commands) -> WholeRun:
    """The whole experiment. Not to be changed: copy it."""
    folder = commands.home / "whole"
    return WholeRun(folder, commands.run("run", folder))


@pytest.fixture
def copied_run(whole_run: WholeRun, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    assert whole_run.result.status == 0, whole_run.result.err
    return shutil.copytree(whole_run.folder, tmp_path / "copied")
