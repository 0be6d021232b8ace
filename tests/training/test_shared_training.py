"""Trainings on shared prompts and fused adapters beside plain ones: the same rows in the same order, the same end."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from paretune.config import TrainingConfig
from paretune.run.jsonl import read_lines
from paretune.training import sft, shared_attention, step_sizes, trainer
from paretune.training.batches import TrainingRow
from paretune.training.sft import total_steps, train_adapter
from paretune.training.step_graphs import shared_of_padded
from tests.tiny_models import Architecture
from tests.training.test_step_graphs import with_mask
from tests.training.tiny_training import EOS_ID, PLAIN, Killed, assert_same, loaded, weights

SHARED = replace(PLAIN, share_prompts=True, prompts_per_step=2, fuse_adapters=True)


def rows_of_databases() -> list[TrainingRow]:
    """Rows that begin like one of four long prompts, and one row like none."""
    generator = random.Random(0)
    made = []
    for rows in (9, 5, 4, 2, 1):
        prompt = [generator.randrange(5, 300) for _ in range(25)]
        for _ in range(rows):
            question = [generator.randrange(5, 300) for _ in range(generator.randrange(2, 9))]
            made.append(TrainingRow((3, 4, *prompt, *question, 50, 51, 52, EOS_ID), 4))
    return generator.sample(made, len(made))


def train(folder: Path, config: TrainingConfig, **overrides: Any) -> list[str]:
    """Train; returns what was said."""
    said: list[str] = []
    base = overrides.pop("base", None) or loaded()
    on_step = overrides.pop("on_step", lambda step, steps: None)
    train_adapter(base, rows_of_databases(), config, folder, "f", on_step, said.append)
    return said


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one uninterrupted training on shared prompts; read it, do not change it."""
    folder = tmp_path_factory.mktemp("shared") / "run-1"
    assert train(folder, SHARED) == []
    return folder


def test_training_shared_and_fused_is_that_of_whole_rows_by_peft(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_attention, "why_not_shared", lambda *_: "a test wants it so")
    said = train(tmp_path, replace(SHARED, fuse_adapters=False))
    assert said == ["share_prompts: a test wants it so; every row is computed whole"]
    assert_same(weights(tmp_path), weights(shared), within=2e-5)
    logs = [read_lines(folder / "training.jsonl")[1] for folder in (tmp_path, shared)]
    for plain, other in zip(*logs, strict=True):
        assert plain["loss"] == pytest.approx(other["loss"], abs=1e-4)
        assert plain["tokens"] == other["tokens"]
    assert logs[0][-1]["tokens"] == 2 * sum(len(row.tokens) for row in rows_of_databases())


@pytest.mark.parametrize("changed", [{"fuse_adapters": False}, {"batch_size": 1, "accumulation_steps": 4},
                                     {"gradient_checkpointing": True}])  # fmt: skip
def test_training_shared_by_other_means_is_the_same(shared: Path, tmp_path: Path, changed: dict[str, Any]) -> None:
    train(tmp_path, replace(SHARED, **changed))
    assert_same(weights(tmp_path), weights(shared), within=2e-5)


@pytest.mark.parametrize("at", [2, 4, 8, 10])
def test_training_shared_killed_and_started_again_ends_the_same(shared: Path, tmp_path: Path, at: int) -> None:
    def kill(step: int, steps: int) -> None:
        if step == at:
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path, SHARED, on_step=kill)
    train(tmp_path, SHARED)
    adapters = [(folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (tmp_path, shared)]
    assert adapters[0] == adapters[1]


def test_training_ended_by_sigterm_is_saved_and_goes_on_to_the_same_end(shared: Path, tmp_path: Path) -> None:
    def end(step: int, steps: int) -> None:
        if step == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, SHARED, on_step=end)
    assert (tmp_path / "checkpoints" / "checkpoint-5" / "paretune_progress.json").is_file()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    taken: list[int] = []
    train(tmp_path, SHARED, on_step=lambda step, steps: taken.append(step))
    assert taken[0] == 6
    adapters = [(folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (tmp_path, shared)]
    assert adapters[0] == adapters[1]


@pytest.mark.parametrize("kind", ["mistral", "gemma2"])
def test_training_of_a_model_that_cannot_share_says_so_and_learns(kind: Architecture, tmp_path: Path) -> None:
    from paretune.models.load import LoadedModel
    from tests.tiny_models import tiny_model

    qwen = loaded()
    base = LoadedModel(tiny_model(kind), qwen.tokenizer, qwen.source, "float32", "none", 2048)
    remark = train(tmp_path, replace(SHARED, epochs=0.5), base=base)[0]
    assert remark.startswith("share_prompts: the model")
    assert remark.endswith("; every row is computed whole")
    assert any(bool(value.any()) for name, value in weights(tmp_path).items() if "lora_B" in name)


def test_training_of_padded_steps_is_that_of_the_steps(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    class Computed:
        """Computes a padded step instead of replaying it: no graph is to be had on a CPU."""

        def __init__(self, model: Any, adapters: Any, loss_of: Any) -> None:
            self.adapters, self.loss_of = adapters, loss_of

        def loss(self, size: Any, inputs: Any, answer_tokens: int) -> Any:
            sizes.append(size)
            self.adapters.renew()
            loss = self.loss_of(inputs, with_mask(shared_of_padded(inputs)), torch.tensor(answer_tokens))
            loss.backward()
            return loss.detach()

    monkeypatch.setattr(shared_attention, "kernel_fits", lambda model: True)
    monkeypatch.setattr(shared_attention, "why_not_shared", lambda *_: None)
    monkeypatch.setattr(sft, "_is_replayable", lambda *_: True)
    monkeypatch.setattr(trainer, "StepGraphs", Computed)
    monkeypatch.setattr(step_sizes, "CAPTURE", 100.0)
    train(tmp_path, SHARED)
    steps = total_steps(len(rows_of_databases()), SHARED)
    assert len(sizes) == steps
    assert 1 < len(set(sizes)) < steps
    assert_same(weights(tmp_path), weights(shared), within=2e-5)
