"""Weights to a model that answers: precision and quantisation by configuration and hardware."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.config import ExperimentConfig, ModelConfig
from paretune.errors import ModelError
from paretune.models.source import ModelSource, find_model, find_tokenizer

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")


@dataclass(slots=True)
class LoadedModel:
    """A base model in evaluation mode; models/adapters.py puts adapters on `model` and takes them off again.

    model: a transformers causal language model. precision: of its computation. context_tokens: longest input it
    was made for.
    """

    model: Any
    tokenizer: Any
    source: ModelSource
    precision: str
    quantization: str
    context_tokens: int


class ModelHandle:
    """A base model by its configuration: each part of it is had when first asked for, and kept.

    on_load: called with the loaded model, before its first use. download: fetch weights that are not stored. Raises
    ModelError, in whatever is asked for first, where the weights cannot be had.
    """

    def __init__(
        self, config: ModelConfig, before_load: Callable[[ModelSource], None] = lambda source: None,
        on_load: Callable[[LoadedModel], None] = lambda model: None, *, download: bool = True,
    ) -> None:  # fmt: skip
        self.config = config
        self._before_load, self._on_load, self._download = before_load, on_load, download
        self._source: ModelSource | None = None
        self._alone: ModelSource | None = None
        self._tokenizer: Any = None
        self._loaded: LoadedModel | None = None

    @classmethod
    def of(cls, loaded: LoadedModel) -> ModelHandle:
        """The handle of a model that is in memory already."""
        handle = cls(ModelConfig(precision=loaded.precision, quantization=loaded.quantization))  # type: ignore[arg-type]  # as they were given
        handle._source, handle._tokenizer, handle._loaded = loaded.source, loaded.tokenizer, loaded
        return handle

    @property
    def source(self) -> ModelSource:
        """Where the weights are."""
        if self._source is None:
            self._source = find_model(self.config, download=self._download)
        return self._source

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, without its weights."""
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer(self.source)
        return self._tokenizer

    @property
    def context_tokens(self) -> int:
        """The longest input, from the model's configuration file alone."""
        if self._loaded is not None:
            return self._loaded.context_tokens
        return context_of(self.source.directory, self.config.context_tokens)

    @property
    def tokenizer_alone(self) -> Any:
        """The tokenizer where a server has the weights: of a Hub model they are not fetched."""
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer(self._files_alone)
        return self._tokenizer

    @property
    def context_alone(self) -> int:
        """The longest input, likewise."""
        if self._loaded is not None:
            return self._loaded.context_tokens
        return context_of(self._files_alone.directory, self.config.context_tokens)

    @property
    def _files_alone(self) -> ModelSource:
        if self._alone is None:
            self._alone = self._source or find_tokenizer(self.config, download=self._download)
        return self._alone

    def load(self) -> LoadedModel:
        """The model with its weights in memory."""
        if self._loaded is None:
            self._before_load(self.source)
            self._loaded = load_model(self.config, self.source)
            self._on_load(self._loaded)
        return self._loaded

    def release(self) -> None:
        """Let go of the weights; they are loaded again when asked for."""
        self._loaded = None


def context_of(directory: Path, wanted: int | None) -> int:
    """The model's context in tokens, from its configuration alone; the wanted one where that is shorter."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    own = int(config.get("text_config", config).get("max_position_embeddings") or 1 << 20)
    return min(own, wanted or own)


def choose_device() -> str:
    """ "cuda" where there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_precision(requested: str) -> str:
    """The precision asked for; "auto" is bfloat16 or float16 by what the GPU computes, float32 on a CPU."""
    import torch

    if requested != "auto":
        return requested
    if not torch.cuda.is_available():
        return "float32"
    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


def keep_freed_memory() -> None:
    """On a CPU with glibc: keep freed memory instead of giving it back and faulting it in again at every step.

    Activations of hundreds of megabytes are freed and taken again all the time; in a measurement with two cores, a
    third of the time of training went into page faults before. Does nothing elsewhere. It changes the whole process, so
    the command line calls it, and no library function does.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 256 * 2**20)


def load_tokenizer(source: ModelSource) -> Any:
    """The tokenizer, padding set: to a token of its own where there is one, else the end token."""
    import transformers

    if not any((source.directory / name).is_file() for name in _TOKENIZER_FILES):  # transformers makes an empty one
        raise ModelError(f"{source.directory}: its tokenizer cannot be loaded (none of {', '.join(_TOKENIZER_FILES)})")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.directory)
    except Exception as error:  # missing files, unknown class: transformers has no common error
        raise ModelError(f"{source.directory}: its tokenizer cannot be loaded ({error})") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(config: ModelConfig, source: ModelSource | None = None) -> LoadedModel:
    """Load weights and tokenizer. Raises ModelError where they cannot be had or do not fit the machine."""
    drop_needless_remarks()
    import torch
    import transformers
    from safetensors import SafetensorError

    source = source or find_model(config)
    tokenizer = load_tokenizer(source)
    precision = choose_precision(config.precision)
    arguments: dict[str, Any] = {"dtype": getattr(torch, precision)}
    if config.quantization != "none":
        arguments["quantization_config"] = _quantization(config.quantization, precision)
        arguments["device_map"] = {"": choose_device()}
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(source.directory, **arguments)
        if config.quantization == "none":
            model = model.to(choose_device())
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"{source.directory}: the model cannot be loaded ({error})") from error
    if config.quantization == "nf4" and choose_device() == "cpu":
        _keep_weights_unpacked(model)
    model.eval()
    longest = int(getattr(model.config.get_text_config(), "max_position_embeddings", 0)) or 1 << 20
    return LoadedModel(
        model, tokenizer, source, precision, config.quantization, min(longest, config.context_tokens or longest)
    )


def require_bitsandbytes(config: ExperimentConfig) -> None:
    """Refuse an experiment that needs bitsandbytes where it is not installed, before anything is read or loaded.

    Raises ModelError naming the settings that need it and what to set instead.
    """
    needed = {}
    if config.model.quantization != "none":
        needed[f'model.quantization = "{config.model.quantization}"'] = "model.quantization=none"
    for variant in config.variants:
        if variant.training is not None and variant.training.optimizer.endswith("8bit"):
            needed[f'training.optimizer = "{variant.training.optimizer}"'] = "training.optimizer=adamw_torch"
    if needed and importlib.util.find_spec("bitsandbytes") is None:
        raise _bitsandbytes_missing(" and ".join(needed), *dict.fromkeys(needed.values()))


def _bitsandbytes_missing(what: str, *settings: str) -> ModelError:
    instead = " ".join(f"--set {setting}" for setting in settings) or "quantization none"
    return ModelError(f'{what} needs bitsandbytes: pip install ".[quantization]", or do without: {instead}')


def _quantization(kind: str, precision: str) -> Any:
    import torch
    import transformers

    if importlib.util.find_spec("bitsandbytes") is None:
        raise _bitsandbytes_missing(f'quantization "{kind}"')
    if kind == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, precision),
    )


def _keep_weights_unpacked(model: Any) -> None:
    """On a CPU with AVX-512 bfloat16, bitsandbytes 0.50 packs 4-bit weights at the first evaluation, for a product in
    bfloat16 that has no gradient: a training after an evaluation would learn from wrong ones without a word. Unpacked
    weights are multiplied in the precision asked for, and differentiated."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def drop_needless_remarks() -> None:
    """bitsandbytes remarks at import that a kernel for CPUs is not installed, whether or not anything is quantised,
    and at every product of 8-bit weights that its input is rounded, as that method does."""
    for module in ("backends.cpu.ops", "autograd._functions"):
        logging.getLogger(f"bitsandbytes.{module}").addFilter(_is_worth_reading)


def _is_worth_reading(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return "gemm_4bit_forward" not in message and not message.startswith("MatMul8bitLt: inputs will be cast")
