"""paretune doctor: what this machine can run, and what to set, in one screen."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from paretune.cli.fetch import add_store

_WIDTH = 13  # of the first column
_SCARCE_BYTES = 5 * 2**30


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the screen. remedy: what to do, where something is wrong or could be better. broken: paretune
    cannot work like this."""

    subject: str
    text: str
    remedy: str | None = None
    broken: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune doctor`."""
    parser.description = "Say what this machine can run and what to set. Nothing is downloaded and nothing is changed."
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the screen; 1 where paretune cannot work as it is installed."""
    del arguments
    lines = list(diagnose())
    for line in lines:
        print(f"{line.subject:<{_WIDTH}} {line.text}")
    remedies = [line for line in lines if line.remedy is not None]
    print()
    print("what to do" if remedies else "nothing to do")
    for line in remedies:
        print(f"  {line.subject}: {line.remedy}")
    return int(any(line.broken for line in lines))


def diagnose() -> Iterator[Line]:
    """Every line of the screen."""
    import paretune

    yield Line(
        "paretune", f"{paretune.__version__} on Python {platform.python_version()}, {platform.platform(terse=True)}"
    )
    yield from _versions()
    yield _processor()
    yield from _device()
    yield _quantization()
    yield from _store()
    yield _data()


def _processor() -> Line:
    memory = _memory_bytes()
    size = f", {memory / 2**30:.1f} GiB of memory" if memory is not None else ""
    return Line("processor", f"{os.cpu_count()} cores{size}")


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _device() -> Iterator[Line]:
    try:
        import torch
    except ImportError:
        yield Line("device", "unknown, torch cannot be imported", "install torch", broken=True)
        return
    from paretune.models.load import choose_precision

    precision = choose_precision("auto")
    if not torch.cuda.is_available():
        yield Line("device", "no GPU that torch can use", _no_gpu_remedy(torch))
        yield Line("precision", f'{precision} by "auto"')
        return
    count = torch.cuda.device_count()
    for number in range(count):
        device = torch.cuda.get_device_properties(number)
        yield Line(
            "device",
            f"{device.name}, {device.total_memory / 2**30:.1f} GiB, compute capability {device.major}.{device.minor}",
        )
    if count > 1:
        yield Line("devices", f"{count} GPUs; one is used", "choose it with CUDA_VISIBLE_DEVICES=NUMBER")
    text = f'{precision} by "auto"'
    if precision == "float16":
        text += " (this GPU does not compute bfloat16)"
    yield Line("precision", text)


def _no_gpu_remedy(torch: Any) -> str | None:
    if shutil.which("nvidia-smi") is not None and torch.version.cuda is None:
        return "there is an NVIDIA driver, but this torch is built without CUDA; install a build with CUDA"
    if Path("/content").is_dir() and "COLAB_RELEASE_TAG" in os.environ:
        return "in Colab: Runtime, Change runtime type, T4 GPU"
    return None


def _quantization() -> Line:
    try:
        return Line("4 and 8 bits", f"bitsandbytes {metadata.version('bitsandbytes')}")
    except metadata.PackageNotFoundError:
        return Line("4 and 8 bits", 'not installed (for quantization = "nf4" or "int8": pip install ".[quantization]")')


def _versions() -> Iterator[Line]:
    """Packages that are missing or of another version than paretune asks for; one line where all agree."""
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(text) for text in metadata.requires("paretune") or []]
    except metadata.PackageNotFoundError:
        yield Line("packages", "unknown: paretune runs from a folder and is not installed", "pip install -e .")
        return
    agreed = 0
    for requirement in asked:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Line("packages", f"{requirement.name} is missing", f'pip install "{requirement}"', broken=True)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            agreed += 1
        else:
            yield Line(
                "packages",
                f"{requirement.name} {version}; paretune wants {requirement.specifier}",
                f'pip install "{requirement}"',
                broken=True,
            )
    yield Line("packages", f"{agreed} as paretune wants them ({_main_versions()})")


def _main_versions() -> str:
    versions = []
    for name in ("torch", "transformers", "peft", "trl"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(versions)


def _store() -> Iterator[Line]:
    from paretune.disk import lacking
    from paretune.files import COLAB_DRIVE, store_directory

    store = store_directory()
    if "PARETUNE_HOME" in os.environ:
        why = "PARETUNE_HOME"
    elif COLAB_DRIVE.is_dir():
        why = "Google Drive"
    else:
        why = "the default; PARETUNE_HOME or --store names another"
    standing = next(folder for folder in (store, *store.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(standing).free
    remedy = "little is free; name another store with PARETUNE_HOME" if free < _SCARCE_BYTES else None
    if "COLAB_RELEASE_TAG" in os.environ and not COLAB_DRIVE.is_dir():
        remedy = 'it ends with this session; mount Drive: google.colab.drive.mount("/content/drive")'
    yield Line("store", f"{store} ({why}), {free / 2**30:.1f} GiB free", remedy)
    if not os.access(standing, os.W_OK):
        yield Line("disk", "the store cannot be written", "name another store with PARETUNE_HOME", broken=True)
        return
    missing = lacking(standing)
    text = (
        f"without {' and '.join(missing)}; files are copied, and nobody is kept out" if missing else "locks and renames"
    )
    yield Line("disk", text)


def _data() -> Line:
    from paretune.sources.known import KNOWN
    from paretune.sources.store import data_folder, read_marker

    there = [name for name in KNOWN if read_marker(name, data_folder(name)) is not None]
    text = ", ".join(there) if there else "none in the store (paretune fetch lists what can be had)"
    return Line("data", text)
