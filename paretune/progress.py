"""Progress bars on standard error that show the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_QUIET_SECONDS = 15.0  # between two lines where standard error is a file


@contextmanager
def progress_bar(label: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar over `total` items of which `done` are there already; yields advance(count)."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        total=total,
        initial=done,
        desc=label,
        unit="",
        dynamic_ncols=terminal,
        ncols=None if terminal else 90,
        mininterval=0.2 if terminal else _QUIET_SECONDS,
        maxinterval=1.0 if terminal else _QUIET_SECONDS,
        smoothing=0.05,
        bar_format="{desc:<34} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} {elapsed} (left {remaining})",
    ) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance
