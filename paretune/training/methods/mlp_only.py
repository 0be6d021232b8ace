"""LoRA on the feed-forward networks alone: attention stays as it was, which was seen to forget less."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paretune.errors import TrainingError
from paretune.methods import Method
from paretune.training.methods.lora import LoraSettings, linear_layers, lora_config

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel

_NETWORK = "mlp"


@dataclass(frozen=True, slots=True)
class MlpSettings:
    """As LoRA's, without target_modules."""

    rank: int = field(default=16, metadata={"minimum": 1})
    alpha: float = field(default=32.0, metadata={"above": 0.0})
    dropout: float = field(default=0.0, metadata={"minimum": 0.0, "maximum": 0.99})


def _peft_config(settings: MlpSettings, base: LoadedModel, seed: int) -> Any:
    modules = mlp_modules(base.model)
    if not modules:
        raise TrainingError(
            'mlp-only: this model has no linear layers below a module called "mlp"; set method = "lora" and name its '
            "layers in target_modules"
        )
    return lora_config(LoraSettings(settings.rank, settings.alpha, settings.dropout, modules))


def mlp_modules(model: Any) -> tuple[str, ...]:
    """Endings of the names of all linear layers in the model's feed-forward networks, such as mlp.up_proj."""
    parts = (name.split(".") for name in linear_layers(model))
    return tuple(sorted({".".join(part[part.index(_NETWORK) :]) for part in parts if _NETWORK in part[:-1]}))


METHOD = Method(MlpSettings, _peft_config, low_rank=True)
