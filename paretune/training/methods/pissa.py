"""PiSSA (Meng et al. 2024): LoRA that starts from the largest singular values of each weight instead of from 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paretune.methods import Method
from paretune.training.methods.lora import LoraSettings, lora_config

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel


@dataclass(frozen=True, slots=True)
class PissaSettings(LoraSettings):
    """svd_iterations: of an approximate decomposition, which takes seconds; absent: the exact one."""

    svd_iterations: int | None = field(default=None, metadata={"minimum": 1})


def _peft_config(settings: PissaSettings, base: LoadedModel, seed: int) -> Any:
    count = settings.svd_iterations
    return lora_config(settings, init_lora_weights="pissa" if count is None else f"pissa_niter_{count}")


METHOD = Method(PissaSettings, _peft_config, low_rank=True, moves_base=True)
