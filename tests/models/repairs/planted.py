"""A tiny model on disk and plain LoRA adapters on it whose updates are known to the last direction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from paretune.config import ModelConfig
from paretune.models.load import ModelHandle
from tests.tiny_models import save_tiny_model

WIDE, FLAT = "model.layers.0.self_attn.q_proj", "model.layers.1.mlp.up_proj"  # 32 x 32, 48 x 32


def handle(folder: Path) -> ModelHandle:
    save_tiny_model(folder / "model")
    return ModelHandle(ModelConfig(path=str(folder / "model"), precision="float32"))


def write_adapter(folder: Path, factors: Mapping[str, tuple[torch.Tensor, torch.Tensor]], **config: Any) -> Path:
    """factors: (up, down) by layer, multiplied by 2 when the adapter is on."""
    folder.mkdir(parents=True)
    rank = len(next(iter(factors.values()))[1])
    tensors = {}
    for name, (up, down) in factors.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = down.float().contiguous()
        tensors[f"base_model.model.{name}.lora_B.weight"] = up.float().contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank,
                "target_modules": sorted(name.rpartition(".")[2] for name in factors),
                "layers_to_transform": None, **config}  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def update_of(folder: Path, name: str) -> torch.Tensor:
    """What an adapter adds to a layer's weight, in float64."""
    tensors = load_file(folder / "adapter_model.safetensors")
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    up, down = (tensors[f"base_model.model.{name}.lora_{part}.weight"].double() for part in "BA")
    return float(config["lora_alpha"]) / len(down) * up @ down


def directions(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    left, values, right = torch.linalg.svd(weight.double(), full_matrices=False)
    return left, values, right


def foreign(vectors: torch.Tensor) -> torch.Tensor:
    """A direction that resembles none of the columns: as much of each of them."""
    return vectors.sum(dim=1) / vectors.shape[1] ** 0.5
