"""Adapters in PEFT's format on one loaded base: checked, scaled, and taken off again without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from paretune.errors import ModelError
from paretune.files import file_sha256, fingerprint
from paretune.models.load import LoadedModel
from paretune.models.source import ModelSource

ORIGIN_FILE = "paretune.json"  # what an adapter trained here says of its base and its training
_WEIGHTS = "adapter_model.safetensors"

# Shapes of a base model's modules by name: (inputs, outputs) of a linear layer, None of any other module.
ModuleShapes = Mapping[str, tuple[int, int] | None]


def adapter_fingerprint(directory: Path) -> str:
    """Fingerprint of an adapter's weights and configuration. Raises ModelError where it is incomplete.

    PEFT writes lists such as target_modules in an order that changes from process to process; they count as sets.
    """
    return fingerprint([file_sha256(_weights(directory)), _canonical(read_adapter_config(directory))])


def fingerprint_as_written(directory: Path) -> str:
    """The fingerprint of releases up to 0.1, to which the order of lists counts: their run folders hold it."""
    return fingerprint([file_sha256(_weights(directory)), read_adapter_config(directory)])


def _canonical(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: sorted(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else value
        for key, value in config.items()
    }


def _weights(directory: Path) -> Path:
    path = directory / _WEIGHTS
    if path.is_file():
        return path
    if (directory / "adapter_model.bin").is_file():
        raise ModelError(
            f"{directory}: adapter_model.bin is a pickle, which can run any code when it is read; save the adapter "
            f"again as {_WEIGHTS} (save_pretrained of a current PEFT)"
        )
    raise ModelError(f"{directory}: no {_WEIGHTS}; expected an adapter in PEFT's format")


def why_unusable(directory: Path | None) -> str | None:
    """Why an adapter cannot answer; None where it can, and for the bare base model.

    A training that diverged, or overflowed in float16, leaves weights that are not finite.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    if directory is None or not (path := directory / "adapter_model.safetensors").is_file():
        return None  # another engine's, or incomplete, which is said where it is put on
    try:
        with safe_open(path, framework="pt") as file:
            for name in sorted(file.keys()):
                if not bool(torch.isfinite(file.get_tensor(name)).all()):
                    return f"its weights are not finite ({name})"
    except (OSError, SafetensorError):
        return None  # what cannot be read is said where it is put on
    return None


def read_adapter_config(directory: Path) -> dict[str, Any]:
    """adapter_config.json as PEFT wrote it."""
    path = directory / "adapter_config.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not readable; expected an adapter in PEFT's format") from error


def check_base(directory: Path, source: ModelSource) -> None:
    """Refuse an adapter that says it was made for another base model.

    An adapter trained here names its base by the fingerprint of the weights. Others name it in words: two Hub names
    must agree in their last part; a local path says nothing, and only the shapes decide (see `on_base`).
    """
    origin = directory / ORIGIN_FILE
    if origin.is_file():
        try:
            recorded = json.loads(origin.read_text(encoding="utf-8")).get("base_weights")
        except ValueError as error:
            raise ModelError(f"{origin}: not readable; train the adapter again") from error
        if recorded != source.weights:
            raise ModelError(
                f"{directory}: trained on another base (weights {recorded}, here {source.weights} from "
                f"{source.directory}); evaluate it on its own base model"
            )
        return
    check_declared_base(directory, source.names)


def check_declared_base(directory: Path, names: Sequence[str]) -> None:
    """Refuse an adapter whose configuration names another Hub model than the base's names do."""
    declared, hub_names = _declared_base(directory), {_plain(name) for name in names if "/" in name}
    if declared is not None and hub_names and _plain(declared) not in hub_names:
        raise ModelError(
            f"{directory}: an adapter of {declared}, but the base model here is {names[0]}; "
            f"name {declared} as the model (model.path, or --model)"
        )


def doubt_about_base(directory: Path, names: Sequence[str]) -> str | None:
    """A remark where an adapter names a Hub model and the base has local names only, none of them like it."""
    declared = _declared_base(directory)
    if declared is None or (directory / ORIGIN_FILE).is_file() or _plain(declared) in map(_plain, names):
        return None
    return f"made for {declared}; whether {names[0]} is that model cannot be told from its name"


def _declared_base(directory: Path) -> str | None:
    """The Hub model that an adapter's configuration names; None where it names a path or nothing."""
    declared = str(read_adapter_config(directory).get("base_model_name_or_path") or "")
    return declared if declared.count("/") == 1 and not Path(declared).exists() else None


def check_shapes(directory: Path, modules: ModuleShapes, model: str) -> None:
    """Refuse an adapter whose LoRA matrices do not fit the base model's layers, before any weights are loaded."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(_weights(directory), framework="pt") as file:
            stored = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{directory / _WEIGHTS}: not readable ({error}); copy or fetch it again") from error
    for key, shape in stored.items():
        name, found, matrix = key.removeprefix("base_model.model.").rpartition(".lora_")
        if not found or matrix not in ("A.weight", "B.weight"):
            continue
        if name not in modules:
            raise ModelError(f"{directory}: the adapter does not fit the base model {model}: it has no {name}")
        layer = modules[name]
        side, size = ("inputs", shape[1]) if matrix == "A.weight" else ("outputs", shape[0])
        expected = None if layer is None else layer[side == "outputs"]
        if expected is not None and size != expected:
            raise ModelError(
                f"{directory}: the adapter does not fit the base model {model}: {name} has {expected} {side}, "
                f"the adapter's has {size}"
            )


@contextmanager
def on_base(base: LoadedModel, directory: Path | None, scale: float = 1.0) -> Iterator[Any]:
    """The model with the adapter active, unmerged, in evaluation mode; the bare base without a directory.

    scale: factor on the adapter's update; equals interpolating the weights between base and tuned (WiSE-FT). LoRA
    computes in the base's precision, the adapters of other methods in float32. Raises ModelError where it does not fit
    the base or is not finite.
    """
    if directory is None:
        yield base.model
        return
    check_base(directory, base.source)
    if unusable := why_unusable(directory):
        raise ModelError(f"{directory}: {unusable}; train it again, at a lower learning rate or in another precision")
    tuned = _attach(base, directory)
    try:
        if scale == 1.0:
            yield tuned
        else:
            with _scaled(tuned, scale):
                yield tuned
    finally:
        base.model = tuned.unload()


@contextmanager
def _scaled(tuned: Any, scale: float) -> Iterator[None]:
    """Within, each layer computes (1 - scale) times the base's and scale times the adapted one's output.

    For plain LoRA that is its own factor times the scale; other layers, such as DoRA's, are computed both ways.
    """
    from peft.tuners.lora import LoraLayer
    from peft.tuners.tuners_utils import BaseTunerLayer

    with ExitStack() as stack:
        for layer in list(tuned.modules()):
            if isinstance(layer, LoraLayer) and not layer.lora_variant:
                stack.callback(setattr, layer, "scaling", layer.scaling)
                layer.scaling = {name: factor * scale for name, factor in layer.scaling.items()}
            elif isinstance(layer, BaseTunerLayer):
                layer.forward = _between(layer.base_layer, layer.forward, scale)
                stack.callback(delattr, layer, "forward")
        yield


def scale_beside(layer: Any) -> float:
    """The scale at which a layer of an adapter computes, where its own factor does not hold it: that of `on_base`."""
    return float(getattr(layer.__dict__.get("forward"), "scale", 1.0))


def _between(base: Callable[..., Any], adapted: Callable[..., Any], scale: float) -> Callable[..., Any]:
    def forward(*args: Any, **kwargs: Any) -> Any:
        start = base(*args, **kwargs)
        return start + scale * (adapted(*args, **kwargs) - start)

    forward.scale = scale  # type: ignore[attr-defined]  # of a function
    return forward


def is_plain_lora(config: Mapping[str, Any]) -> bool:
    """Whether an adapter of this configuration computes W x + s B A x: then s carries a scale, and 16 bits hold it. Of
    others they do not: DoRA's lengths of rows lose what they learnt when rounded."""
    return config.get("peft_type") == "LORA" and not config.get("use_dora")


def _attach(base: LoadedModel, directory: Path) -> Any:
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import SafetensorError, safe_open

    _weights(directory)
    plain = is_plain_lora(read_adapter_config(directory))
    try:
        tuned = PeftModel.from_pretrained(
            base.model, str(directory), autocast_adapter_dtype=not plain, is_trainable=False
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        _strip(base.model)
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{directory}: the adapter does not fit the base model {base.source.names[0]} ({reason})"
        ) from error
    with safe_open(directory / _WEIGHTS, framework="pt") as file:
        stored = set(file.keys())
    missing = set(get_peft_model_state_dict(tuned, save_embedding_layers=False)) ^ stored
    if missing:
        tuned.unload()
        raise ModelError(
            f"{directory}: the adapter does not fit the base model {base.source.names[0]}: {len(missing)} weights are "
            f"without a counterpart, for example {min(missing)}"
        )
    if plain and base.quantization == "none":
        tuned.to(base.model.dtype)
    return tuned.eval()


def _strip(model: Any) -> None:
    """Take off the layers that a loading which failed midway has left on the base."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import ModulesToSaveWrapper

    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            model.set_submodule(name, module.get_base_layer())
        elif isinstance(module, ModulesToSaveWrapper):
            model.set_submodule(name, module.original_module)
    if hasattr(model, "peft_config"):
        del model.peft_config


def _plain(name: str) -> str:
    last = name.rsplit("/", maxsplit=1)[-1].lower()
    for ending in ("-gguf", "-awq", "-gptq", "-bnb-4bit", "-unsloth"):
        last = last.removesuffix(ending)
    return last
