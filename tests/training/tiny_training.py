"""A training of a tiny model that takes a second, and what tests compare of two such."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretune.config import TrainingConfig
from paretune.models.load import LoadedModel
from paretune.models.source import ModelSource
from paretune.training.batches import TrainingRow
from paretune.training.methods.lora import LoraSettings
from paretune.training.sft import train_adapter
from tests.tiny_models import tiny_model, tiny_tokenizer

CONFIG = TrainingConfig(
    peak_learning_rate=0.01,
    epochs=2.0,
    batch_size=2,
    accumulation_steps=2,
    settings=LoraSettings(rank=4, alpha=8.0, dropout=0.1),
    max_tokens=64,
    checkpoint_steps=3,
    logging_steps=2,
)
PLAIN = replace(CONFIG, settings=LoraSettings(rank=4, alpha=8.0))  # without dropout
EOS_ID = 1


class Killed(BaseException):
    """Stands for kill -9: nothing in the package handles it."""


def loaded(**overrides: Any) -> LoadedModel:
    source = ModelSource(Path("somewhere") / "tiny", "weights-1", ("tiny",))
    return LoadedModel(tiny_model("qwen2", **overrides), tiny_tokenizer(), source, "float32", "none", 2048)


def rows(count: int = 21) -> list[TrainingRow]:
    """Random prompts, answers that can be learned, each ending with the end token."""
    generator = random.Random(0)
    made = []
    for _ in range(count):
        prompt = [generator.randrange(5, 300) for _ in range(generator.randrange(3, 30))]
        made.append(TrainingRow((*prompt, 50, 51, 52, EOS_ID), 4))
    return made


def train(
    folder: Path,
    config: TrainingConfig = CONFIG,
    *,
    base: LoadedModel | None = None,
    fingerprint: str = "f",
    on_step: Callable[[int, int], None] = lambda step, steps: None,
) -> LoadedModel:
    base = base or loaded()
    train_adapter(base, rows(), config, folder, fingerprint, on_step)
    return base


def weights(folder: Path, name: str = "adapter") -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / name / "adapter_model.safetensors"))


def assert_same(one: dict[str, Any], other: dict[str, Any], *, within: float = 1e-6) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert float((value - other[key]).abs().max()) <= within, key


def answer_loss(model: Any) -> float:
    import torch

    total = 0.0
    with torch.inference_mode():
        for row in rows():
            labels = torch.tensor([[-100] * (len(row.tokens) - 4) + list(row.tokens[-4:])])
            total += float(model(torch.tensor([row.tokens]), labels=labels).loss)
    return total / len(rows())
