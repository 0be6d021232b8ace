"""Progress bars on standard error that show the time left, of the work at hand and of the whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_QUIET_SECONDS = 15.0  # between two lines where standard error is a file
_FILE_WIDTH = 90
_LABEL = 34  # columns
_SHORTEST_LABEL, _SHORTEST_BAR = 12, 6

Whole = Callable[[float | None], float | None]


@contextmanager
def progress_bar(label: str, total: int, done: int = 0, whole: Whole | None = None) -> Iterator[Callable[[int], None]]:
    """A bar over `total` items of which `done` are there already; yields advance(count).

    whole: from the seconds left of these items (None while unknown) to those left of everything, shown beside. On a
    narrow screen a long label is shortened and the bar with it, never the time left.
    """
    from tqdm import tqdm

    terminal = sys.stderr.isatty()

    class Bar(tqdm):  # type: ignore[type-arg]  # generic in its stubs alone
        @property
        def format_dict(self) -> dict[str, Any]:
            facts = dict(super().format_dict)
            width = facts["ncols"] or _FILE_WIDTH
            left = _seconds_left(facts)
            time = "--:--" if left is None else tqdm.format_interval(left)
            everything = None if whole is None else whole(left)
            time = f"left {time}" if everything is None else f"left {time}, run {in_short(everything)}"
            end = f"{facts['n']}/{facts['total']} {time}"
            room = width - len(f" 100% || {facts['total']}{end[len(str(facts['n'])) :]}") - _SHORTEST_BAR
            size = min(max(_LABEL, len(label)), max(_SHORTEST_LABEL, room))
            return {**facts, "label": f"{shortened(label, size):<{size}}", "end": end}

    with Bar(
        total=total,
        initial=done,
        dynamic_ncols=terminal,
        ncols=None if terminal else _FILE_WIDTH,
        mininterval=0.2 if terminal else _QUIET_SECONDS,
        maxinterval=1.0 if terminal else _QUIET_SECONDS,
        smoothing=0.05,
        bar_format="{label} {percentage:3.0f}% |{bar}| {end}",
    ) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance


def shortened(text: str, width: int) -> str:
    """A text in at most `width` letters: what is too much goes from its middle.

    >>> shortened("3/12 qwen2.5-7b-lora-r64@step-200 train", 20)
    '3/12 qwe…p-200 train'
    """
    if len(text) <= width:
        return text
    head = 2 * (width - 1) // 5 + 1
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def in_short(seconds: float) -> str:
    """A time to come, no more exact than it can be known.

    >>> in_short(20), in_short(840), in_short(9000), in_short(200000)
    ('1 min', '14 min', '2.5 h', '56 h')
    """
    minutes = max(1, round(seconds / 60))
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes / 60:.1f} h" if minutes < 600 else f"{minutes / 60:.0f} h"


def in_words(seconds: float) -> str:
    """The same for a sentence.

    >>> in_words(20), in_words(840), in_words(9000)
    ('1 minute', '14 minutes', '2.5 hours')
    """
    number, unit = in_short(seconds).split()
    word = {"min": "minute", "h": "hour"}[unit]
    return f"{number} {word}" if number == "1" else f"{number} {word}s"


def _seconds_left(facts: dict[str, Any]) -> float | None:
    """By tqdm's own rate, which follows the work at hand."""
    done = facts["n"] - facts["initial"]
    rate = facts["rate"] or (done / facts["elapsed"] if facts["elapsed"] and done else None)
    if facts["total"] is None:
        return None
    remaining = max(0, facts["total"] - facts["n"])
    if not remaining:
        return 0.0
    return remaining / rate if rate else None
