"""A training method in one file, as another package may bring it: LoRA on the last layers alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from paretune.methods import Method
from paretune.models.load import LoadedModel


@dataclass(frozen=True, slots=True)
class LastLayersSettings:
    """layers: how many of the last ones are adapted."""

    layers: int = field(default=1, metadata={"minimum": 1})
    rank: int = field(default=8, metadata={"minimum": 1})


def _peft_config(settings: LastLayersSettings, base: LoadedModel, seed: int) -> Any:
    from peft import LoraConfig

    count = base.model.config.num_hidden_layers
    return LoraConfig(
        r=settings.rank,
        target_modules=["q_proj", "v_proj"],
        layers_to_transform=list(range(count - settings.layers, count)),
        task_type="CAUSAL_LM",
    )


METHOD = Method(LastLayersSettings, _peft_config, low_rank=True)
