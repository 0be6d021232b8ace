"""Tables and page of a run that goes on: what is there and what is missing until the base model has answered
everything, then renewed with every complete variant."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from paretune.config import BASELINE
from paretune.errors import ParetuneError
from paretune.pipeline.done import PartDone, folder_progress
from paretune.run.folder import RunFolder
from paretune.text import Voice

POLL_SECONDS = 5.0


def watch(
    folder: RunFolder,
    renew: Callable[[], None],
    voice: Voice,
    say: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Call `renew` whenever another variant is complete, until all are; say in between how far the run is.

    As long as the base model's answers are not complete, nothing can be compared and every answer counts: `renew` is
    called for each change.

    What cannot be read now, as while a file is replaced, is read again at the next look.
    """
    shown, told = "", ""
    while True:
        try:
            rows = folder_progress(folder) if folder.manifest_path.is_file() else []
            complete = _complete(rows)
            line = _line(rows, complete, voice)
            state = repr([(name, _changed(folder, name)) for name in complete]) if BASELINE in complete else line
            if line != told:
                say(line)
                told = line
            if _is_prepared(rows) and state != shown:
                renew()
                shown = state
            if rows and len(complete) == len(_variants(rows)):
                return
        except (ParetuneError, FileNotFoundError) as error:
            say(f"{error}; looking again in {POLL_SECONDS:.0f} s")
        pause(POLL_SECONDS)


def _variants(rows: Sequence[PartDone]) -> list[str]:
    return [name for name in dict.fromkeys(row.variant for row in rows) if name]


def _is_prepared(rows: Sequence[PartDone]) -> bool:
    """Whether it stands what is asked."""
    return bool(rows) and all(row.state == "done" for row in rows if not row.variant)


def _complete(rows: Sequence[PartDone]) -> list[str]:
    """Variants that have answered everything; whether their adapter still lies there does not matter."""
    return [
        name
        for name in _variants(rows)
        if all(row.state == "done" for row in rows if row.variant == name and row.part != "adapter")
    ]


def _line(rows: Sequence[PartDone], complete: Sequence[str], voice: Voice) -> str:
    """How many variants are complete, and how far the next one is."""
    names = _variants(rows)
    text = voice.say("list.complete", complete=len(complete), count=len(names))
    for name in names:
        parts = [row for row in rows if row.variant == name and row.part != "adapter"]
        if name not in complete:
            counts = ", ".join(f"{row.part} {row.done}/{row.wanted or '?'}" for row in parts)
            return f"{text}; {name}: {counts}"
    return text


def _changed(folder: RunFolder, variant: str) -> tuple[float, ...]:
    return tuple(path.stat().st_mtime for path in sorted((folder.path / variant).glob("*.jsonl")))
