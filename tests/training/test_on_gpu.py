"""Trainings on a GPU, in the precisions that a CPU does not train in; skipped where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from paretune.config import TrainingConfig
from paretune.models.load import LoadedModel
from paretune.objectives import find_objective
from paretune.run.jsonl import read_lines
from paretune.training.sft import train_adapter
from tests.training.test_shared_training import rows_of_databases
from tests.training.tiny_training import PLAIN, loaded, weights

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
WAYS = {
    "plain": PLAIN,
    "shared": replace(PLAIN, share_prompts=True, prompts_per_step=2),
    "shared and fused": replace(PLAIN, share_prompts=True, prompts_per_step=2, fuse_adapters=True),
}


def on_gpu(precision: str) -> LoadedModel:
    base = loaded()
    base.model = base.model.to("cuda", getattr(torch, precision))
    base.precision = precision
    return base


def losses(folder: Path, config: TrainingConfig, precision: str) -> list[float]:
    train_adapter(on_gpu(precision), rows_of_databases(), config, folder, "f", lambda *_: None)
    lines: list[dict[str, Any]] = read_lines(folder / "training.jsonl")[1]
    return [line["loss"] for line in lines]


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("way", WAYS)
def test_16_bits_train_float32_adapters_as_float32_does(way: str, precision: str, tmp_path: Path) -> None:
    expected = losses(tmp_path / "float32", WAYS[way], "float32")
    got = losses(tmp_path / "half", WAYS[way], precision)
    assert got == pytest.approx(expected, rel=0.05)
    assert got[-1] < 0.8 * got[0]
    assert {value.dtype for value in weights(tmp_path / "half").values()} == {torch.float32}


@pytest.mark.parametrize("objective", ["sft", "dft", "kl"])
def test_every_objective_shared_and_fused_is_that_of_plain_rows(objective: str, tmp_path: Path) -> None:
    settings = find_objective(objective).settings()
    one, other = (
        losses(tmp_path / way, replace(WAYS[way], objective=objective, objective_settings=settings), "bfloat16")
        for way in ("shared", "shared and fused")
    )
    assert one == pytest.approx(other, rel=0.05)
