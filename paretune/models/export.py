"""A variant as files that other programs read: a plain PEFT adapter, merged weights, or a GGUF file.

An adapter keeps what it learned apart and is exact. Merging rounds the update to the precision of the weights, and GGUF
types with few bits round once more: whether the answers stay is measured by `pipeline/export.py`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from paretune.disk import move
from paretune.errors import ModelError
from paretune.models.adapters import ORIGIN_FILE, is_plain_lora, on_base, read_adapter_config, scale_beside
from paretune.models.load import LoadedModel
from paretune.models.source import ModelSource

_ADAPTER_FILES = ("adapter_model.safetensors", ORIGIN_FILE)


def write_adapter(adapter: Path, scale: float, source: ModelSource, target: Path) -> None:
    """The adapter with its scale inside: `lora_alpha` times the scale, which is what PEFT multiplies the update by.

    target: an existing, empty folder. Raises ModelError for a scale on an adapter that has no such factor.
    """
    config = read_adapter_config(adapter)
    if scale != 1.0:
        if not is_plain_lora(config):
            kind = "DoRA" if config.get("use_dora") else config.get("peft_type")
            raise ModelError(
                f"{adapter}: an adapter of type {kind} has no factor to carry the scale {scale}; export it with --merge"
            )
        config["lora_alpha"] *= scale
        config["alpha_pattern"] = {name: alpha * scale for name, alpha in (config.get("alpha_pattern") or {}).items()}
    config["base_model_name_or_path"] = next((name for name in source.names if "/" in name), source.names[0])
    for name in _ADAPTER_FILES:
        if (adapter / name).is_file():
            shutil.copyfile(adapter / name, target / name)
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_merged(base: LoadedModel, adapter: Path, scale: float, target: Path) -> None:
    """Weights with the update added, in the base's precision, and the tokenizer beside them. The base is changed.

    Raises ModelError where the weights cannot take the update.
    """
    check_mergeable(base, adapter)
    with on_base(base, adapter, scale) as tuned:
        for layer, update in updates(tuned):
            layer.weight.data += update.to(layer.weight.dtype)
    base.model.save_pretrained(target)
    base.tokenizer.save_pretrained(target)


def check_mergeable(base: LoadedModel, adapter: Path) -> None:
    """Refuse a quantised base, whose weights would be rounded once more, and adapters that replace whole modules."""
    if base.quantization != "none":
        raise ModelError(f'{base.source.names[0]}: weights in {base.quantization} cannot take an update; '
                         'set model.quantization = "none"')  # fmt: skip
    if read_adapter_config(adapter).get("modules_to_save"):
        raise ModelError(f"{adapter}: it replaces whole modules (modules_to_save); export it as an adapter")


def updates(tuned: Any) -> Iterator[tuple[Any, Any]]:
    """Each layer of the base that an adapter changes, and its update as a float32 matrix like the layer's weight.

    Computed as PEFT merges, in float32: layer by layer, so that one copy of the weights is enough.
    """
    import torch
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [layer for layer in tuned.modules() if isinstance(layer, BaseTunerLayer)]
    for layer in layers:
        plain = layer.get_base_layer()
        weight = plain.weight.data.clone()
        layer.to(torch.float32)
        layer.merge()
        update = (plain.weight.data - weight.to(torch.float32)) * scale_beside(layer)
        layer.unmerge()
        layer.to(weight.dtype)
        plain.weight.data = weight  # as it was, to the bit
        yield plain, update


def named_updates(tuned: Any, model: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name of each changed weight in the base model's own file, the weight before, and its update."""
    names = {id(module): name for name, module in model.named_modules()}
    for layer, update in updates(tuned):
        name = names[id(layer)].replace(".base_layer", "").removeprefix("base_model.model.")
        yield f"{name}.weight", layer.weight.data, update


def write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder beside the target and give it its name when it is whole.

    Raises ModelError where the target holds something already.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ModelError(f"{target}: there already; name a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".exporting-", ignore_cleanup_errors=True) as scratch:
        write(Path(scratch))
        Path(scratch).chmod(0o755)
        if target.is_dir():
            target.rmdir()
        move(Path(scratch), target)
