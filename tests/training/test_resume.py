from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paretune.run.jsonl import read_lines
from paretune.training import sft
from paretune.training.methods.lora import LoraSettings
from paretune.training.sft import is_trained
from tests.training.tiny_training import CONFIG, Killed, assert_same, train, weights

GROUPED = replace(CONFIG, group_by_length=True)


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one uninterrupted training on rows grouped by length; read it, do not change it."""
    folder = tmp_path_factory.mktemp("grouped") / "run-1"
    train(folder, GROUPED)
    return folder


@pytest.mark.parametrize("at", [2, 3, 4, 5, 10, 12])
def test_training_killed_and_started_again_ends_the_same(whole: Path, tmp_path: Path, at: int) -> None:
    def kill(step: int, steps: int) -> None:
        if step == at:
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path, on_step=kill)
    assert not (tmp_path / "adapter").exists()
    taken: list[int] = []
    train(tmp_path, on_step=lambda step, steps: taken.append(step))
    last_checkpoint = (at - 1) // 3 * 3  # a step is saved after it was counted
    assert taken == list(range(last_checkpoint + 1, 13))
    assert_same(weights(tmp_path), weights(whole))
    steps = [record["step"] for record in read_lines(tmp_path / "training.jsonl")[1]]
    assert steps == [2, 4, 6, 8, 10, 12]
    tokens = [read_lines(folder / "training.jsonl")[1][-1]["tokens"] for folder in (tmp_path, whole)]
    assert tokens[0] == tokens[1]


@pytest.mark.parametrize("at", [2, 4, 8, 10])
def test_training_grouped_by_length_killed_and_started_again_ends_the_same(
    grouped: Path, tmp_path: Path, at: int
) -> None:
    """Steps 7 to 12 are the second epoch, whose order must not hang on how the first was reached."""

    def kill(step: int, steps: int) -> None:
        if step == at:
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path, GROUPED, on_step=kill)
    train(tmp_path, GROUPED)
    adapters = [(folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (tmp_path, grouped)]
    assert adapters[0] == adapters[1]


def test_training_killed_after_its_last_step_only_saves(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sft, "_save", kill)
        with pytest.raises(Killed):
            train(tmp_path)
    taken: list[int] = []
    train(tmp_path, on_step=lambda step, steps: taken.append(step))
    assert taken == []
    assert_same(weights(tmp_path), weights(whole))


def test_checkpoint_half_written_is_not_resumed_from(whole: Path, tmp_path: Path) -> None:
    def kill(step: int, steps: int) -> None:
        if step == 8:
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path, on_step=kill)
    (tmp_path / "checkpoints" / "checkpoint-6" / "paretune_progress.json").unlink()
    taken: list[int] = []
    train(tmp_path, on_step=lambda step, steps: taken.append(step))
    assert taken[0] == 4
    assert_same(weights(tmp_path), weights(whole))


def test_training_of_another_fingerprint_is_set_aside_whole(whole: Path, tmp_path: Path) -> None:
    train(tmp_path, replace(CONFIG, epochs=1.0), fingerprint="old")
    old = weights(tmp_path)
    taken: list[int] = []
    train(tmp_path, on_step=lambda step, steps: taken.append(step))
    assert taken[0] == 1
    assert_same(weights(tmp_path), weights(whole))
    assert_same(weights(tmp_path, "adapter.old-1"), old)
    assert read_lines(tmp_path / "training.jsonl.old-1")[0]["fingerprint"] == "old"
    assert (tmp_path / "checkpoints.old-1").is_dir()
    assert is_trained(tmp_path, "f")


def test_checkpoints_without_their_log_are_never_resumed_from(whole: Path, tmp_path: Path) -> None:
    def kill(step: int, steps: int) -> None:
        if step == 4:
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path, replace(CONFIG, settings=LoraSettings(rank=4, alpha=32.0)), fingerprint="old", on_step=kill)
    (tmp_path / "training.jsonl").unlink()  # as after a kill while the old training is set aside
    train(tmp_path)
    assert_same(weights(tmp_path), weights(whole))
