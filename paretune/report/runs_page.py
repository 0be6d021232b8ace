"""One page for a folder of runs: of each its pick, its verdict and a link to its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from paretune.analysis.results import Comparison
from paretune.files import write_text
from paretune.report.page.parts import typeset
from paretune.report.verdict import verdict_text
from paretune.text import LANGUAGES, Voice


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run folder. comparison: None where it cannot be compared, for the reason in `problem`."""

    path: Path
    comparison: Comparison | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Shown:
    """An entry in words. page: its address, "" where there is none."""

    name: str
    page: str
    facts: str
    sentences: tuple[str, ...]
    advice: str


def write_runs_page(folder: Path, entries: Sequence[RunEntry], voice: Voice) -> Path:
    """Write FOLDER/index.html and return it: one file, in every language, this one first. Nothing is fetched."""
    voices = sorted(map(Voice, LANGUAGES), key=lambda shown: shown != voice)
    views = [
        {
            "language": shown.language,
            "name": shown.catalogue.name,
            "choose": shown.say("Language"),
            "heading": shown.say("runs.heading", count=len(entries), folder=folder.resolve().name),
            "runs": [_shown(entry, folder, shown) for entry in entries],
        }
        for shown in voices
    ]
    path = folder / "index.html"
    write_text(path, _template().render(title=folder.resolve().name, views=views))
    return path


def _shown(entry: RunEntry, folder: Path, voice: Voice) -> _Shown:
    say, comparison = voice.say, entry.comparison
    relative = entry.path.relative_to(folder)
    page = entry.path / "report" / "index.html"
    address = quote((relative / "report" / "index.html").as_posix()) if page.is_file() else ""
    if comparison is None:
        return _Shown(str(relative), address, "", (say("runs.no-verdict", reason=entry.problem),), "")
    advice = "" if address else say("terminal.no-page", folder=str(relative))
    text, pick = verdict_text(comparison, voice), comparison.verdict.pick
    facts = say(
        "runs.facts",
        model=comparison.model.rstrip("/").rpartition("/")[2] or "–",
        benchmark=comparison.target_benchmark,
        count=len(comparison.variants),
        pick=pick.unit.name if pick is not None else say("base model"),
    )
    return _Shown(str(relative), address, facts, (text.gain, text.general), advice)


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: typeset(value) if type(value) is str else value,
    )
    return environment.from_string(
        (resources.files("paretune.report") / "assets" / "runs.html").read_text(encoding="utf-8")
    )
