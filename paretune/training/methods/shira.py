"""SHiRA (Bhardwaj et al. 2024): few entries of each weight, drawn at random, are trained; all others stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paretune.methods import Method
from paretune.training.methods.lora import ALL_LINEAR, targets

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel


@dataclass(frozen=True, slots=True)
class ShiraSettings:
    """rank: as many entries are trained as LoRA of that rank has numbers."""

    rank: int = field(default=16, metadata={"minimum": 1})
    target_modules: tuple[str, ...] = (ALL_LINEAR,)


def _peft_config(settings: ShiraSettings, base: LoadedModel, seed: int) -> Any:
    from peft import ShiraConfig

    return ShiraConfig(
        r=settings.rank, random_seed=seed, target_modules=targets(settings.target_modules), task_type="CAUSAL_LM"
    )


METHOD = Method(ShiraSettings, _peft_config)
