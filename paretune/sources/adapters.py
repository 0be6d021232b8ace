"""Adapters made elsewhere, as a folder on this disk: named by a folder, an archive, or their Hub id."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from paretune.disk import copy_file, move
from paretune.errors import DataError, ModelError
from paretune.files import file_sha256, store_directory
from paretune.sources.archive import unpack

_CONFIG = "adapter_config.json"
_FILES = (_CONFIG, "adapter_model.safetensors", "paretune.json")
_HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def find_adapter(named: str) -> Path:
    """The folder of an adapter in PEFT's format, unpacked or fetched where need be.

    named: a folder, a .zip, .tar.gz or .rar file (kept unpacked in the store), or ID or ID@REVISION on the Hub.
    Raises ModelError or DataError saying what was tried and what to do.
    """
    path = Path(named).expanduser()
    if path.is_dir():
        return _root(path, named)
    if path.is_file():
        return _from_archive(path)
    hub = _HUB_ID.fullmatch(named)
    if hub is None:
        raise ModelError(
            f"{path / _CONFIG}: not readable; expected an adapter in PEFT's format: a folder, an archive of one "
            "(.zip, .tar.gz, .rar), or its Hub id"
        )
    return _from_hub(hub[1], hub[2])


def _from_archive(archive: Path) -> Path:
    digest = file_sha256(archive)
    target = store_directory() / "adapters" / f"{archive.name.partition('.')[0]}-{digest[:12]}"
    if (target / _CONFIG).is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".fetching-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        try:
            unpack(archive, scratch / "unpacked")
            root = _root(scratch / "unpacked", str(archive))
            for file in _FILES:
                if (root / file).is_file():
                    copy_file(root / file, scratch / "adapter" / file)
            if not (target / _CONFIG).is_file():
                move(scratch / "adapter", target, last=(_CONFIG,))
        except OSError as error:
            if not (target / _CONFIG).is_file():  # else another process unpacked it meanwhile
                raise DataError(f"{archive}: cannot be unpacked to {target} ({error.strerror or error})") from error
    return target


def _root(folder: Path, named: str) -> Path:
    """The folder that holds adapter_config.json: the one at hand, or the only one nearest below it."""
    if (folder / _CONFIG).is_file():
        return folder
    below = sorted(folder.rglob(_CONFIG), key=lambda file: (len(file.parts), file))
    nearest = [file.parent for file in below if len(file.parts) == len(below[0].parts)]
    if len(nearest) == 1:
        return nearest[0]
    if not nearest:
        raise ModelError(f"{named}: no {_CONFIG} in it; expected an adapter in PEFT's format")
    listed = ", ".join(str(place.relative_to(folder)) for place in nearest)
    raise ModelError(f"{named}: several adapters ({listed}); name the folder of one of them")


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except Exception as error:  # the client's errors are many: offline, unknown, gated, disk full
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(
            f"adapter {name!r}: neither a folder or archive here nor to be had from the Hub ({reason}); check the "
            "name, your connection and access, or name a local copy"
        ) from error
    return _root(folder, name)
