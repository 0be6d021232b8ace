"""A repaired adapter: every layer's update changed by one repair, written as a plain adapter in PEFT's format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.disk import move
from paretune.errors import ModelError
from paretune.files import write_text
from paretune.models.adapters import ORIGIN_FILE, read_adapter_config
from paretune.models.load import ModelHandle, choose_device
from paretune.models.repairs.update import DOWN, PREFIX, UP, WEIGHTS, Factors, read_updates, why_not_repairable
from paretune.repairs import Repair

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Repaired:
    """layers: of the adapter; changed: those that the repair changed; rank: of the written adapter."""

    layers: int
    changed: int
    rank: int


def write_repaired(
    source: Path, repair: Repair, settings: Any, model: ModelHandle, target: Path, origin: Mapping[str, Any],
    on_layer: Callable[[int], None] = lambda layers: None,
) -> Repaired:  # fmt: skip
    """Write the repaired adapter to a new folder, whole or not at all. origin: what its ORIGIN_FILE says.

    Where no layer changes, the source's files are copied as they are. Raises ModelError for an adapter that is no plain
    LoRA, and where nothing of it would be left.
    """
    reason = why_not_repairable(source)
    if reason is not None:
        raise ModelError(f"{source}: {reason}; repairs are defined for those only")
    layers, changed = _repaired_layers(source, repair, settings, model, on_layer)
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    config = read_adapter_config(source)
    if changed:
        if not any(bool(factors.up.any()) and bool(factors.down.any()) for factors in layers.values()):
            raise ModelError(f"{source}: the repair leaves nothing of its update; choose milder settings")
        rank = max(1, *(factors.rank for factors in layers.values()))
        _write_weights(layers, rank, part)
        config |= {"r": rank, "lora_alpha": rank, "rank_pattern": {}, "alpha_pattern": {}, "use_rslora": False,
                   "init_lora_weights": True}  # fmt: skip
    else:
        rank = int(config["r"])
        shutil.copyfile(source / WEIGHTS, part / WEIGHTS)
    write_text(part / "adapter_config.json", json.dumps(config, indent=1) + "\n")
    write_text(part / ORIGIN_FILE, json.dumps(dict(origin), indent=1) + "\n")
    move(part, target, last=(ORIGIN_FILE,))
    return Repaired(len(layers), changed, rank)


def _repaired_layers(
    source: Path, repair: Repair, settings: Any, model: ModelHandle, on_layer: Callable[[int], None]
) -> tuple[dict[str, Factors], int]:
    """Every layer's factors, and how many the repair changed."""
    layers: dict[str, Factors] = {}
    changed = 0
    for update in read_updates(source, blocks_of(model.source.directory), _weights_of(model), choose_device()):
        factors = repair.repaired(settings, update)
        changed += factors is not None
        kept = update.factors if factors is None else factors
        layers[update.name] = Factors(kept.up.cpu(), kept.down.cpu())
        on_layer(1)
    return layers, changed


def blocks_of(directory: Path) -> int:
    """How many blocks a model has, from its configuration alone."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    return int(config.get("text_config", config)["num_hidden_layers"])


def _weights_of(model: ModelHandle) -> Callable[[str], torch.Tensor]:
    """A layer's weight by its name, unpacked where it is quantised; the model is loaded at the first."""

    def weight(name: str) -> torch.Tensor:
        from peft.utils.integrations import dequantize_module_weight

        try:
            layer = model.load().model.get_submodule(name)
        except AttributeError as error:
            raise ModelError(f"the base model has no layer {name}, which the adapter changes") from error
        found: torch.Tensor = dequantize_module_weight(layer)
        return found.detach()

    return weight


def _write_weights(layers: Mapping[str, Factors], rank: int, folder: Path) -> None:
    """All layers at one rank, with zeros behind those of a smaller one, as PEFT names them."""
    import torch
    from safetensors.torch import save_file

    tensors = {}
    for name, factors in layers.items():
        missing = rank - factors.rank
        tensors[PREFIX + name + DOWN] = torch.nn.functional.pad(factors.down, (0, 0, 0, missing)).contiguous()
        tensors[PREFIX + name + UP] = torch.nn.functional.pad(factors.up, (0, missing)).contiguous()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
