"""Names short enough for the head of a column or a place in a plot, and still told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from string import ascii_uppercase

MOST_LETTERS = 16


def short_names(names: Sequence[str], most: int = MOST_LETTERS) -> list[str]:
    """The names where they are short; else the part in which they differ, else letters A, B, C.

    >>> short_names(["run-1", "run-1@0.5"])
    ['run-1', 'run-1@0.5']
    >>> short_names(["qwen2.5-7b-lora-r64-lr2e-4", "qwen2.5-7b-lora-r16-lr5e-5"])
    ['…r64-lr2e-4', '…r16-lr5e-5']
    >>> short_names(["first of two names without a part", "second name"])
    ['A', 'B']
    """
    if all(len(name) <= most for name in names):
        return list(names)
    start = _boundary(_beginning(names))
    end = _boundary(_beginning([name[start:][::-1] for name in names]))
    cut = [name[start : len(name) - end] for name in names]
    differing = [f"{'…' * bool(start)}{part}{'…' * bool(end)}" for part in cut]
    if len(set(cut)) == len(cut) and all(cut) and all(len(name) <= most for name in differing):
        return differing
    return [_letters(at) for at in range(len(names))]


def _beginning(names: Sequence[str]) -> str:
    """The letters that all begin with."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike)


def _boundary(common: str) -> int:
    """How much of a common beginning ends where a part of a name ends."""
    ends = [match.end() for match in re.finditer(r"[-_./@ ]", common)]
    return ends[-1] if ends else 0


def _letters(at: int) -> str:
    """A to Z, then AA, AB, ..."""
    more, last = divmod(at, len(ascii_uppercase))
    return (_letters(more - 1) if more else "") + ascii_uppercase[last]
