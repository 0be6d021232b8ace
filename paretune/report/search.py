"""What a search looked at: a table of its front, every look as CSV, and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.analysis.results import UnitVerdict, Verdict
from paretune.files import write_text
from paretune.report.csv import csv_text
from paretune.report.plots import image_bytes
from paretune.report.plots.search import draw_search
from paretune.report.text_table import Table, as_markdown
from paretune.stats.intervals import Interval
from paretune.text import Voice


@dataclass(frozen=True, slots=True)
class LookRow:
    """One state of the model: its recipe and scale, what it gained and lost on the worst suite by its estimate."""

    name: str
    recipe: Mapping[str, Any]
    scale: float
    gain: float
    loss: float
    is_on_front: bool
    is_candidate: bool


@dataclass(frozen=True, slots=True)
class SearchReport:
    """What there is to tell. verdict: of all looks on the validation questions, as one family; questions, general: how
    many were asked; dropped: trainings without a look, each with its reason; pick: the experiment with the pick of the
    test alone, as TOML, "" where that is the base model."""

    rows: Sequence[LookRow]
    verdict: Verdict
    trainings: int
    dropped: Mapping[str, str]
    questions: int
    general: int
    pick: str

    def intervals(self, row: LookRow) -> tuple[Interval, Interval]:
        """Its gain, and its change on the worst suite."""
        item = next(item for item in self.verdict.units if item.unit.name == row.name)
        return item.unit.leading.interval, item.worst.interval


def search_table(report: SearchReport, voice: Voice) -> Table:
    """The front with its intervals, by gain, and what it was chosen from."""
    shown = [row for row in report.rows if row.is_on_front or row.is_candidate]
    note = voice.say(
        "search.looks", looks=len(report.rows), trainings=report.trainings, questions=report.questions,
        general=report.general, dropped=len(report.dropped),
    )  # fmt: skip
    return Table(voice.say("search.title"), *_looks(report, shown, voice), (note,))


def looks_table(report: SearchReport, voice: Voice) -> Table:
    """Every look, by gain, and what became of trainings without one."""
    reasons = [f"{name}: {reason}" for name, reason in report.dropped.items()]
    return Table(voice.say("search.all"), *_looks(report, report.rows, voice), tuple(reasons))


def _looks(
    report: SearchReport, rows: Sequence[LookRow], voice: Voice
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows."""
    say = voice.say
    shown = sorted(rows, key=lambda row: -row.gain)
    keys = list(dict.fromkeys(key for row in shown for key in row.recipe))
    header = (
        say("search.state"), say("gain"), say("search.worst"), say("search.candidate"), say("scale"), *keys,
    )  # fmt: skip
    return header, tuple(
        (
            row.name,
            *(voice.interval(interval, signed=True) for interval in report.intervals(row)),
            say("yes") if row.is_candidate else "",
            voice.marked(f"{row.scale:g}"),
            *(_value(row.recipe.get(key), voice) for key in keys),
        )
        for row in shown
    )


def search_csv(report: SearchReport) -> str:
    """Every look with its intervals."""
    units = {item.unit.name: item for item in report.verdict.units}
    return csv_text({"state": row.name, **_plain(row.recipe), "adapter_scale": row.scale, **_figures(units[row.name]),
                     "front": row.is_on_front, "candidate": row.is_candidate} for row in report.rows)  # fmt: skip


def write_search(report: SearchReport, tables: Path, plots: Path, voice: Voice) -> None:
    """tables/search.csv and search.md, report/search.svg."""
    write_text(tables / "search.csv", search_csv(report))
    write_text(tables / "search.md", as_markdown(search_table(report, voice)))
    plots.mkdir(parents=True, exist_ok=True)
    (plots / "search.svg").write_bytes(image_bytes(draw_search(report, voice), "svg", "search"))


def _figures(item: UnitVerdict) -> dict[str, Any]:
    gain, change = item.unit.leading.interval, item.worst.interval
    return {
        "gain_points": gain.estimate, "gain_low": gain.low, "gain_high": gain.high, "worst_suite": item.worst.benchmark,
        "change_points": change.estimate, "change_low": change.low, "change_high": change.high,
    }  # fmt: skip


def _plain(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: " ".join(map(str, value)) if isinstance(value, list | tuple) else value for key, value in recipe.items()
    }


def _value(value: Any, voice: Voice) -> str:
    if isinstance(value, float):
        return voice.marked(f"{value:.3g}")
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
