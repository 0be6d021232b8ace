"""OFT (Qiu et al. 2023): the input of each linear layer is rotated, block by block of its features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paretune.errors import TrainingError
from paretune.methods import Method
from paretune.training.methods.lora import ALL_LINEAR, adapted_layers, targets

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel


@dataclass(frozen=True, slots=True)
class OftSettings:
    """block_size: features that are rotated together; it divides the inputs of every layer."""

    block_size: int = field(default=32, metadata={"minimum": 2})
    target_modules: tuple[str, ...] = (ALL_LINEAR,)


def _peft_config(settings: OftSettings, base: LoadedModel, seed: int) -> Any:
    from peft import OFTConfig

    size = settings.block_size
    for name, layer in adapted_layers(base.model, settings.target_modules).items():
        if layer.in_features % size:
            raise TrainingError(f"oft: block_size = {size} does not divide the {layer.in_features} inputs of {name}")
    return OFTConfig(oft_block_size=size, target_modules=targets(settings.target_modules), task_type="CAUSAL_LM")


METHOD = Method(OftSettings, _peft_config)
