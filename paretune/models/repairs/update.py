"""The updates of a low-rank adapter, layer by layer, as its files hold them, and their exact decomposition."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.errors import ModelError
from paretune.models.adapters import is_plain_lora, read_adapter_config

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
_ELSEWHERE = ("modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication", "lora_bias",
              "fan_in_fan_out", "use_qalora", "alora_invocation_tokens", "arrow_config")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Factors:
    """An update as a product of two matrices, up @ down. up: (outputs, rank), the adapter's factor included; down:
    (rank, inputs); float32."""

    up: torch.Tensor
    down: torch.Tensor

    @property
    def rank(self) -> int:
        """How many singular values may differ from 0."""
        return len(self.down)


@dataclass(frozen=True, slots=True)
class LayerUpdate:
    """What an adapter adds to one linear layer. name: of the layer in the base model; depth: its block, from 0, None
    outside the blocks; depths: blocks of the model; weight: the base's (outputs, inputs), read when asked for."""

    name: str
    factors: Factors
    depth: int | None
    depths: int
    weight: Callable[[], torch.Tensor]


def decompose(factors: Factors) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The singular value decomposition of an update: (outputs, rank), (rank,) falling, (rank, inputs).

    Exact, and of matrices of the size of the rank alone: of the triangles that QR leaves of both factors. In float64.
    """
    import torch

    left, left_rest = torch.linalg.qr(factors.up.double())
    right, right_rest = torch.linalg.qr(factors.down.double().T)
    inner_left, values, inner_right = torch.linalg.svd(left_rest @ right_rest.T, full_matrices=False)
    return left @ inner_left, values, inner_right @ right.T


def compose(left: torch.Tensor, values: torch.Tensor, right: torch.Tensor) -> Factors:
    """The update of a singular value decomposition, its values shared by both factors."""
    root = values.sqrt()
    return Factors((left * root).float(), (root[:, None] * right).float())


def why_not_repairable(directory: Path) -> str | None:
    """Why an adapter cannot be repaired: it is not W x + s B A x in every layer that it changes. None where it is.

    Raises ModelError where it cannot be read.
    """
    config = read_adapter_config(directory)
    if not is_plain_lora(config):
        kind = "DoRA" if config.get("use_dora") else config.get("peft_type")
        return f"an adapter of type {kind} is no low-rank update of the weights"
    further = [key for key in _ELSEWHERE if config.get(key)]
    if further:
        return f"its configuration has {', '.join(further)}, which is more than a low-rank update of linear layers"
    strangers = [key for key in _keys(directory) if not key.endswith((DOWN, UP))]
    return f"it holds {strangers[0]}, which is no part of a linear layer's update" if strangers else None


def read_updates(
    directory: Path, depths: int, weight: Callable[[str], torch.Tensor], device: str
) -> Iterator[LayerUpdate]:
    """The layers of a plain LoRA adapter, by name. depths: blocks of the model; weight: a layer's, by its name."""
    from safetensors import safe_open

    config = read_adapter_config(directory)
    with safe_open(directory / WEIGHTS, framework="pt", device=device) as file:
        names = sorted(key.removesuffix(DOWN) for key in file.keys() if key.endswith(DOWN))  # noqa: SIM118  # no mapping
        for name in names:
            down, up = file.get_tensor(name + DOWN).float(), file.get_tensor(name + UP).float()
            plain = name.removeprefix(PREFIX)
            factor = _factor(config, plain, len(down))
            yield LayerUpdate(plain, Factors(up * factor, down), _depth(plain), depths, _reader(weight, plain))


def layers_of(directory: Path) -> int:
    """How many layers an adapter changes. Raises ModelError where it cannot be read."""
    return sum(key.endswith(DOWN) for key in _keys(directory))


def _reader(weight: Callable[[str], torch.Tensor], name: str) -> Callable[[], torch.Tensor]:
    return lambda: weight(name)


def _keys(directory: Path) -> list[str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(directory / WEIGHTS, framework="pt") as file:
            return sorted(file.keys())
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{directory / WEIGHTS}: not readable ({error}); copy or fetch it again") from error


def _factor(config: Mapping[str, Any], name: str, rank: int) -> float:
    """What PEFT multiplies a layer's update by: alpha / rank, or alpha / sqrt(rank); some layers have an alpha of their
    own."""
    from peft.utils.other import get_pattern_key

    own: Mapping[str, float] = config.get("alpha_pattern") or {}
    alpha = own.get(get_pattern_key(own.keys(), name), config["lora_alpha"])
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _depth(name: str) -> int | None:
    """The block of a layer: the first number in its name.

    >>> _depth("model.layers.11.mlp.up_proj"), _depth("lm_head")
    (11, None)
    """
    found = re.search(r"\.(\d+)\.", name)
    return int(found.group(1)) if found else None
