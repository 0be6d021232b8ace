"""LoRA (Hu et al. 2021): a product of two low-rank matrices beside each linear layer. The usual method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paretune.methods import Method

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel

ALL_LINEAR = "all-linear"


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Keys of the methods that are LoRA or begin as it does. The update is multiplied by alpha / rank."""

    rank: int = field(default=16, metadata={"minimum": 1})
    alpha: float = field(default=32.0, metadata={"above": 0.0})
    dropout: float = field(default=0.0, metadata={"minimum": 0.0, "maximum": 0.99})
    target_modules: tuple[str, ...] = (ALL_LINEAR,)


def lora_config(settings: LoraSettings, **further: Any) -> Any:
    """PEFT's configuration. further: what a method adds to it."""
    from peft import LoraConfig

    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets(settings.target_modules),
        task_type="CAUSAL_LM",
        **further,
    )


def targets(modules: tuple[str, ...]) -> str | list[str]:
    """Names of modules as PEFT takes them."""
    return ALL_LINEAR if modules == (ALL_LINEAR,) else list(modules)


def linear_layers(model: Any) -> dict[str, Any]:
    """The linear layers of a model by name, quantised ones too; not the one that gives the logits."""
    import torch

    output = model.get_output_embeddings()
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not output
    }


def adapted_layers(model: Any, modules: tuple[str, ...]) -> dict[str, Any]:
    """The linear layers that these names mean."""
    layers = linear_layers(model)
    if modules == (ALL_LINEAR,):
        return layers
    return {
        name: layer
        for name, layer in layers.items()
        if any(name == module or name.endswith(f".{module}") for module in modules)
    }


def _peft_config(settings: LoraSettings, base: LoadedModel, seed: int) -> Any:
    return lora_config(settings)


METHOD = Method(LoraSettings, _peft_config, low_rank=True)
