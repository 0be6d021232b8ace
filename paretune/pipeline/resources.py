"""How much memory a cell takes: a guess, from the size of the weights and the model's configuration, before it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.config import TrainingConfig
from paretune.engines import engine_kind
from paretune.errors import ModelError
from paretune.pipeline.cells import Cell
from paretune.pipeline.session import Session

_GIB = 2**30
_PLAIN_BYTES = _GIB  # Python and its libraries, without a model


@dataclass(frozen=True, slots=True)
class Resources:
    """What a cell takes. gpu_bytes: of a GPU's memory, where there is one; None: all of it, since as many questions are
    answered at once as fit."""

    cores: int
    memory_bytes: int
    gpu_bytes: int | None


def resources_of(session: Session, cell: Cell) -> Resources:
    """A guess on the safe side. Where the weights are not here yet, they count nothing."""
    if not cell.needs_model or not engine_kind(session.config.engine.kind).takes_peft:
        return Resources(1, _PLAIN_BYTES, 0)
    try:
        directory = session.source.directory
    except ModelError:
        return Resources(1, 2 * _PLAIN_BYTES, None)
    weights = sum(path.stat().st_size for path in directory.glob("*.safetensors"))
    memory = 2 * _PLAIN_BYTES + 2 * weights  # 16 bits in the file may become 32 on a CPU
    if cell.kind == "train":
        training = session.config.variant(cell.variant).training
        assert training is not None
        return Resources(1, memory, 2 * _GIB + weights * 3 // 2 + _activation_bytes(training, directory))
    if cell.kind == "answer" and session.config.target.batch_size is None:
        return Resources(1, memory, None)
    return Resources(1, memory, 6 * _GIB + weights * 5 // 4)


def _activation_bytes(training: TrainingConfig, directory: Path) -> int:
    """What a step keeps for its gradients in 16 bits: 34 bytes per token, layer and hidden place (Korthikanti et al.
    2022, equation 1, without the attention's squares), or 2 where layers are computed again; and three copies of the
    logits in 32 bits."""
    config: dict[str, Any] = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    config = config.get("text_config", config)
    hidden, layers = int(config.get("hidden_size", 0)), int(config.get("num_hidden_layers", 0))
    per_token = hidden * (2 * layers + 34 if training.gradient_checkpointing else 34 * layers)
    return training.batch_size * training.max_tokens * (per_token + 12 * int(config.get("vocab_size", 0)))
