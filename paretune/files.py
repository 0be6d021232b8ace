"""Where files are kept between runs, and what identifies a file: its bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from paretune.errors import DataError


def cache_directory() -> Path:
    """The folder of what is made once and kept: converted models, the embedded benchmark, results of gold queries.

    $PARETUNE_CACHE, or ~/.cache/paretune. It need not exist.
    """
    return Path(os.environ.get("PARETUNE_CACHE") or Path.home() / ".cache" / "paretune").expanduser()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises DataError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
