"""Adapters that start from a part of the base's weights (PiSSA, CorDA): the base is lent, the adapter made whole again.

PEFT takes the part that such an adapter starts from out of the base's weights. Here the base gets its weights back
after the training, bit for bit, and what is written is the difference to it: an ordinary LoRA of twice the rank, which
is put on the base like any other, scaled and compared. The difference is refactored, so that rounding it to 16 bits
costs a share of the difference and not of the weights that it is the difference of.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from paretune.files import write_text
from paretune.training.methods.lora import linear_layers

TRAINED_FILE = "trained.safetensors"  # of a checkpoint: the weights as they are trained, to go on from
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


class LentWeights:
    """The weights of a model's linear layers, kept in the machine's memory while PEFT puts others in their place."""

    def __init__(self, model: Any) -> None:
        self._kept = [(layer, layer.weight.data.to("cpu")) for layer in linear_layers(model).values()]

    def give_back(self) -> None:
        """Put them back."""
        for layer, weight in self._kept:
            layer.weight.data = weight.to(layer.weight.device)


class AdapterStart:
    """The adapter as it was before the first step. model: a PeftModel, not trained yet."""

    def __init__(self, model: Any) -> None:
        self._weights: Mapping[str, torch.Tensor] = {
            name: weight.detach().clone() for name, weight in get_peft_model_state_dict(model).items()
        }

    def differs_from(self, model: Any) -> bool:
        """Whether the model's adapter is another one by now."""
        now = get_peft_model_state_dict(model)
        return any(not torch.equal(now[name], weight) for name, weight in self._weights.items())

    def write_difference(self, folder: Path, *, keep_trained: bool = False) -> None:
        """Make an adapter that PEFT has written the difference to the base as it was.

        keep_trained: keep its weights beside it, to go on from.
        """
        trained = load_file(folder / _WEIGHTS)
        if keep_trained:
            shutil.copyfile(folder / _WEIGHTS, folder / TRAINED_FILE)
        difference: dict[str, torch.Tensor] = {}
        for name in trained:
            layer = name.removesuffix(_DOWN)
            if layer != name:
                difference[name], difference[layer + _UP] = self._difference(trained, layer)
        save_file(difference, folder / _WEIGHTS, metadata={"format": "pt"})
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        config |= {"r": 2 * config["r"], "lora_alpha": 2 * config["lora_alpha"]}
        config |= {"init_lora_weights": True, "corda_config": None}
        write_text(folder / _CONFIG, json.dumps(config, indent=1) + "\n")

    def load_trained(self, model: Any, checkpoint: Path) -> None:
        """Put the weights that a checkpoint was trained to on the model."""
        set_peft_model_state_dict(model, load_file(checkpoint / TRAINED_FILE))

    def _difference(self, trained: Mapping[str, torch.Tensor], layer: str) -> tuple[torch.Tensor, torch.Tensor]:
        """A and B of trained B A - B A at the start, of twice the rank."""
        downs = [weights[layer + _DOWN].double().cpu() for weights in (trained, self._weights)]
        ups = [weights[layer + _UP].double().cpu() for weights in (trained, self._weights)]
        down, up = torch.cat(downs), torch.cat([ups[0], -ups[1]], dim=1)
        left, left_core = torch.linalg.qr(up)
        right, right_core = torch.linalg.qr(down.t())
        outer, sizes, inner = torch.linalg.svd(left_core @ right_core.t(), full_matrices=False)
        new_down, new_up = torch.zeros_like(down), torch.zeros_like(up)
        new_down[: len(sizes)] = sizes.sqrt()[:, None] * (inner @ right.t())
        new_up[:, : len(sizes)] = (left @ outer) * sizes.sqrt()
        return new_down.float().contiguous(), new_up.float().contiguous()
