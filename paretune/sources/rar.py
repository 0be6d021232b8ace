"""RAR archives, read by whatever unpacker is installed: Python brings none, and the format is not free to write."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from paretune.errors import DataError

_HEAD = b"Rar!\x1a\x07"
_POLL_SECONDS = 0.1

# Program -> its words for an archive and the folder to fill. None asks for a password or writes over a file.
_UNPACKERS: dict[str, Callable[[str, str], list[str]]] = {
    "bsdtar": lambda archive, folder: ["-x", "-k", "--no-same-owner", "-f", archive, "-C", folder],
    "unrar": lambda archive, folder: ["x", "-p-", "-o-", archive, f"{folder}/"],
    "unar": lambda archive, folder: ["-quiet", "-no-directory", "-force-skip", "-output-directory", folder, archive],
    "7zz": lambda archive, folder: ["x", "-y", "-p", f"-o{folder}", archive],
    "7z": lambda archive, folder: ["x", "-y", "-p", f"-o{folder}", archive],
}


def is_rar(path: Path) -> bool:
    """Whether the file begins as RAR archives do."""
    with open(path, "rb") as file:
        return file.read(len(_HEAD)) == _HEAD


def unpack_rar(archive: Path, folder: Path, most_bytes: int) -> None:
    """Fill an empty folder with what the archive holds, links included: the caller refuses those.

    The first unpacker that can read it decides; one that writes more than most_bytes is stopped. Raises DataError
    where none is installed, saying how to get one, and where none can read the archive.
    """
    there = [name for name in _UNPACKERS if shutil.which(name) is not None]
    if not there:
        raise DataError(
            f"{archive}: a RAR archive, and none of {', '.join(_UNPACKERS)} is installed to read it; install one "
            "(Debian, Ubuntu, Colab: apt-get install libarchive-tools; macOS has bsdtar), or pack it again as .zip"
        )
    reasons = []
    for name in there:
        folder.mkdir(parents=True, exist_ok=True)
        reason = _try([name, *_UNPACKERS[name](str(archive), str(folder))], archive, folder, most_bytes)
        if reason is None:
            return
        reasons.append(f"{name}: {reason}")
        shutil.rmtree(folder)
    raise DataError(f"{archive}: cannot be unpacked ({'; '.join(reasons)}); unpack it by hand and pack it as .zip")


def _try(words: list[str], archive: Path, folder: Path, most_bytes: int) -> str | None:
    """Run an unpacker; returns why it failed."""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        try:
            while process.poll() is None:
                if _written(folder) > most_bytes:
                    raise DataError(f"{archive}: unpacks to more than {most_bytes} bytes; refused")
                time.sleep(_POLL_SECONDS)
        finally:
            process.kill()
        assert process.stderr is not None
        said = process.stderr.read().strip().splitlines()
    return None if process.returncode == 0 else (said[-1] if said else f"exit status {process.returncode}")


def _written(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_size
        except OSError:  # renamed by the unpacker meanwhile
            continue
    return total
