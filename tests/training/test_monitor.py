from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from paretune.errors import TrainingError
from paretune.run.jsonl import LineWriter, read_lines
from paretune.training.monitor import NON_FINITE_IN_A_ROW, PROGRESS_FILE, Monitor, Progress, last_checkpoint


class Layer:
    """A model of one parameter with the gradient it is given."""

    def __init__(self, gradient: float | None) -> None:
        import torch

        self.weight = torch.nn.Parameter(torch.ones(2))
        self.weight.grad = None if gradient is None else torch.tensor([1.0, gradient])

    def parameters(self) -> list[Any]:
        return [self.weight]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "training.jsonl"


def monitor_of(log: Path, progress: Progress | None = None, *, scaling: bool = False) -> Monitor:
    return Monitor(LineWriter(log, {"kind": "training"}), progress or Progress(), lambda step, steps: None, scaling)


def state(step: int = 1) -> Any:
    return SimpleNamespace(global_step=step, max_steps=10, epoch=0.1)


def optimizer_step(monitor: Monitor, gradient: float | None) -> bool:
    """Whether the step's gradients reached the optimizer."""
    layer = Layer(gradient)
    monitor.on_pre_optimizer_step(None, state(), None, model=layer)
    return layer.weight.grad is not None


@pytest.mark.parametrize("gradient", [math.nan, math.inf, -math.inf])
def test_gradient_not_finite_is_dropped_and_counted(log: Path, gradient: float) -> None:
    monitor = monitor_of(log)
    assert optimizer_step(monitor, 2.0)
    assert not optimizer_step(monitor, gradient)
    assert optimizer_step(monitor, 3.0)
    assert monitor.progress.skipped_steps == 1


def test_loss_not_finite_drops_its_step_only(log: Path) -> None:
    monitor = monitor_of(log)
    monitor.note_loss(torch.tensor(math.nan))
    assert not optimizer_step(monitor, 2.0)
    assert optimizer_step(monitor, 2.0)
    assert monitor.progress.skipped_steps == 1


def test_gradient_overflow_is_left_to_the_scaler(log: Path) -> None:
    monitor = monitor_of(log, scaling=True)
    assert optimizer_step(monitor, math.inf)
    assert monitor.progress.skipped_steps == 0
    monitor.note_loss(torch.tensor(math.nan))
    assert not optimizer_step(monitor, 2.0)


def test_steps_not_finite_in_a_row_stop_and_a_good_one_starts_the_count_anew(log: Path) -> None:
    monitor = monitor_of(log)
    for gradient in [math.nan] * (NON_FINITE_IN_A_ROW - 1) + [1.0] + [math.nan] * (NON_FINITE_IN_A_ROW - 1):
        optimizer_step(monitor, gradient)
    with pytest.raises(TrainingError, match=r"3 steps in a row; lower peak_learning_rate, or set model\.precision"):
        optimizer_step(monitor, math.nan)
    assert monitor.progress.skipped_steps == 5


def test_log_line_holds_what_was_counted(log: Path) -> None:
    monitor = monitor_of(log, Progress(step=4, tokens=100, seconds=50.0, skipped_steps=2))
    monitor.count_tokens(30)
    monitor.count_tokens(7)
    monitor.on_step_end(None, state(5), None)
    logs = {"loss": 1.5, "grad_norm": 0.25, "learning_rate": 1e-3, "epoch": 0.123456}
    monitor.on_log(None, state(5), None, logs)
    (record,) = read_lines(log)[1]
    assert 50.0 <= record.pop("seconds") < 60.0
    assert record == {
        "step": 5, "epoch": 0.1235, "loss": 1.5, "learning_rate": 1e-3, "gradient_norm": 0.25, "tokens": 137,
        "skipped": 2,
    }  # fmt: skip


def test_log_without_a_loss_is_no_line(log: Path) -> None:
    monitor = monitor_of(log)
    monitor.on_log(None, state(), None, {"train_runtime": 3.0})
    monitor.on_log(None, state(), None, None)
    assert read_lines(log)[1] == []


def test_log_of_numbers_not_finite_or_missing_is_null(log: Path) -> None:
    monitor = monitor_of(log)
    monitor.on_log(None, state(), None, {"loss": math.nan, "grad_norm": math.inf})
    (record,) = read_lines(log)[1]
    assert record["loss"] is record["gradient_norm"] is record["learning_rate"] is None


def test_log_after_a_dropped_loss_has_none_once(log: Path) -> None:
    monitor = monitor_of(log)
    monitor.note_loss(torch.tensor(math.nan))
    optimizer_step(monitor, 2.0)
    for step in (1, 2):
        monitor.on_log(None, state(step), None, {"loss": 1.0})
    assert [record["loss"] for record in read_lines(log)[1]] == [None, 1.0]


def test_step_is_told_with_the_total(log: Path) -> None:
    told: list[tuple[int, int]] = []
    monitor = Monitor(LineWriter(log, {}), Progress(), lambda step, steps: told.append((step, steps)), False)
    monitor.on_step_end(None, state(3), None)
    assert told == [(3, 10)]
    assert monitor.progress.step == 3


def checkpoint(folder: Path, step: int, *, whole: bool = True, optimizer: bool = True) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    if whole:
        (path / PROGRESS_FILE).write_text(json.dumps({"step": step, "tokens": step * 10}), encoding="utf-8")
    if optimizer:
        (path / "optimizer.pt").write_bytes(b"")
    return path


def test_checkpoint_last_is_the_latest_whole_one(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path / "absent") is None
    assert last_checkpoint(tmp_path) is None
    checkpoint(tmp_path, 9)
    expected = checkpoint(tmp_path, 20)
    checkpoint(tmp_path, 30, whole=False)
    checkpoint(tmp_path, 40, optimizer=False)
    (tmp_path / "checkpoint-best").mkdir()
    assert last_checkpoint(tmp_path) == (expected, Progress(step=20, tokens=200))


def test_checkpoint_saved_is_found_with_its_progress(log: Path, tmp_path: Path) -> None:
    monitor = monitor_of(log, Progress(tokens=5, seconds=2.0, skipped_steps=1))
    path = checkpoint(tmp_path, 7, whole=False)
    assert last_checkpoint(tmp_path) is None
    monitor.on_save(SimpleNamespace(output_dir=str(tmp_path)), state(7), None)
    assert last_checkpoint(tmp_path) == (path, Progress(step=7, tokens=5, seconds=2.0, skipped_steps=1))


def test_loss_not_finite_is_0_in_the_trainers_sum(log: Path) -> None:
    monitor = monitor_of(log)
    assert [float(monitor.note_loss(torch.tensor(loss))) for loss in (math.nan, math.inf, 2.5)] == [0.0, 0.0, 2.5]


def test_gradients_all_0_at_the_first_step_stop_the_training(log: Path) -> None:
    monitor = monitor_of(log)
    layer = Layer(0.0)
    layer.weight.grad = torch.zeros(2)
    monitor.on_pre_optimizer_step(None, state(7), None, model=layer)
    with pytest.raises(TrainingError, match="every gradient is 0, so nothing would be trained; check that target_mod"):
        monitor.on_pre_optimizer_step(None, state(0), None, model=layer)
