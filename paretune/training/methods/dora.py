"""DoRA (Liu et al. 2024): LoRA gives the direction of each weight's rows, a vector of its own their lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paretune.methods import Method
from paretune.training.methods.lora import LoraSettings, lora_config

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel


def _peft_config(settings: LoraSettings, base: LoadedModel, seed: int) -> Any:
    return lora_config(settings, use_dora=True)


METHOD = Method(LoraSettings, _peft_config)
