"""A command run on a terminal of a chosen width, and everything that it wrote there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a terminal after a command. raw: with its colours."""

    status: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """Without colours; a bar that was drawn again is a line of its own."""
        return re.split(r"\r?\n|\r", COLOUR.sub("", self.raw).rstrip())


def on_a_terminal(words: Sequence[str], columns: int, **environment: str) -> Shown:
    """Run `python -m WORDS` with standard output and error on a terminal of that many columns."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    bare: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "TERM")
    }
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal, close_fds=True,
        env={**bare, "TERM": "xterm", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", **environment},
    )  # fmt: skip
    os.close(terminal)
    written = b""
    while True:
        try:
            block = os.read(main, 1 << 16)
        except OSError:  # Linux says so where the last writer has closed it
            break
        if not block:
            break
        written += block
    os.close(main)
    return Shown(process.wait(timeout=60), written.decode())
