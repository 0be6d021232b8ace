"""Where files are kept between runs, and what identifies a file: its bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

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
