"""Where text is printed: how many columns it has, and whether it shows colours."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

WIDTH = 100  # of a file, and of prose on any screen
NARROWEST = 40
Ink = Literal["bold", "red", "yellow", "green", "faint"]
_CODES: Mapping[Ink, str] = {"bold": "1", "red": "1;31", "yellow": "33", "green": "32", "faint": "2"}


@dataclass(frozen=True, slots=True)
class Screen:
    """width: columns that a table may take. colour: whether `inked` does anything."""

    width: int = WIDTH
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """The screen behind a stream: a terminal's own width, COLUMNS where it is set, else that of a file; colours on
        a terminal alone, and never where NO_COLOR is set (https://no-color.org)."""
        terminal = stream.isatty()
        columns = os.environ.get("COLUMNS", "")
        width = WIDTH
        if columns.isdecimal() and int(columns) > 0:
            width = int(columns)
        elif terminal:
            width = _columns(stream)
        dumb = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls(max(NARROWEST, width), terminal and not dumb)

    @property
    def prose_width(self) -> int:
        """Columns of a line of prose: long lines are hard to read."""
        return min(self.width, WIDTH)

    def inked(self, text: str, ink: Ink) -> str:
        """The text in a colour, where there are any.

        >>> Screen().inked("gain", "bold"), Screen(colour=True).inked("gain", "bold")
        ('gain', '\\x1b[1mgain\\x1b[0m')
        """
        return f"\x1b[{_CODES[ink]}m{text}\x1b[0m" if self.colour else text

    def wrapped(self, text: str, first: str = "", hanging: str | None = None) -> list[str]:
        """Lines of prose. first: what stands before the first line; hanging: before the others, first when None. Words
        longer than a line, such as paths, stay whole."""
        return textwrap.wrap(
            text,
            self.prose_width,
            initial_indent=first,
            subsequent_indent=first if hanging is None else hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )


FILE = Screen()  # no terminal at all


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return shutil.get_terminal_size((WIDTH, 24)).columns
