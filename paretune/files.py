"""Where files are kept between runs, and what identifies a file: its bytes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from paretune.disk import persist, replace_file, sync_file
from paretune.errors import DataError

COLAB_DRIVE = Path("/content/drive/MyDrive")  # where Colab's drive.mount("/content/drive") puts it


def cache_directory() -> Path:
    """The folder of what is made once and kept: converted models, the embedded benchmark, results of gold queries.

    $PARETUNE_CACHE, or ~/.cache/paretune. It need not exist.
    """
    return Path(os.environ.get("PARETUNE_CACHE") or Path.home() / ".cache" / "paretune").expanduser()


def store_directory() -> Path:
    """The one folder that outlives a session: data, converted models, and runs of sessions that end by themselves.

    $PARETUNE_HOME; else the folder `paretune` on Google Drive, where Colab has mounted it; else the cache folder. It
    need not exist.
    """
    chosen = _chosen_store()
    return chosen if chosen is not None else cache_directory()


def runs_directory() -> Path:
    """Where run folders lie by default: in the store where one was chosen or Drive is mounted, else in ./runs."""
    chosen = _chosen_store()
    return chosen / "runs" if chosen is not None else Path("runs")


def _chosen_store() -> Path | None:
    if os.environ.get("PARETUNE_HOME"):
        return Path(os.environ["PARETUNE_HOME"]).expanduser()
    return COLAB_DRIVE / "paretune" if COLAB_DRIVE.is_dir() else None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises DataError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def fingerprint(value: Any) -> str:
    """16 hexadecimal digits that differ whenever the JSON value differs (SHA-256, truncated).

    >>> fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def write_text(path: Path, text: str) -> None:
    """Write the whole file or nothing: to a temporary name beside it, synced, then renamed; again where the disk is
    absent for a while.

    Raises DataError where that fails, and for a folder or a device (/dev/stdout), which the renaming would replace.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"{path}: not a file; expected the name of one to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")

    def attempt() -> None:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            sync_file(file.fileno())
        replace_file(temporary, path)

    try:
        persist(attempt)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise DataError(f"{path}: cannot be written ({error.strerror}); nothing was kept of it") from error
        raise
