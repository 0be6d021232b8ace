"""What a search looked at: a table of its front, every look as CSV, and a plot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.analysis.results import UnitVerdict, Verdict
from paretune.files import write_text
from paretune.report.csv import csv_text
from paretune.report.plots import image_bytes
from paretune.report.plots.look import inks, new_figure, write_ticks
from paretune.report.text_table import Table, as_markdown
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
    many were asked; dropped: trainings without a look."""

    rows: Sequence[LookRow]
    verdict: Verdict
    trainings: int
    dropped: int
    questions: int
    general: int


def search_table(report: SearchReport, voice: Voice) -> Table:
    """The front with its intervals, by gain, and what it was chosen from."""
    say, units = voice.say, {item.unit.name: item for item in report.verdict.units}
    shown = sorted((row for row in report.rows if row.is_on_front or row.is_candidate), key=lambda row: -row.gain)
    keys = list(dict.fromkeys(key for row in shown for key in row.recipe))
    header = (
        say("search.state"), *keys, say("scale"), say("gain"), say("search.worst"), say("search.candidate"),
    )  # fmt: skip
    rows = tuple(
        (
            row.name,
            *(_value(row.recipe.get(key), voice) for key in keys),
            voice.marked(f"{row.scale:g}"),
            voice.interval(units[row.name].unit.leading.interval, signed=True),
            voice.interval(units[row.name].worst.interval, signed=True),
            say("yes") if row.is_candidate else "",
        )
        for row in shown
    )
    note = say(
        "search.looks", looks=len(report.rows), trainings=report.trainings, questions=report.questions,
        general=report.general, dropped=report.dropped,
    )  # fmt: skip
    return Table(say("search.title"), header, rows, (note,))


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


def draw_search(report: SearchReport, voice: Voice) -> Any:
    """Loss to the right, gain upward; the stepped line is the front, rings are the candidates, the dashed line is the
    budget."""
    ink = inks(dark=False)
    figure, (axes,) = new_figure(False, 1, (7.2, 4.4))
    front = sorted((row.loss, row.gain) for row in report.rows if row.is_on_front)
    chosen: Collection[LookRow] = [row for row in report.rows if row.is_candidate]
    axes.scatter([row.loss for row in report.rows], [row.gain for row in report.rows], s=18, color=ink["quiet"])
    axes.step(*zip(*front, strict=True), where="post", color=ink["text"], label=voice.say("search.front"))
    axes.scatter(
        [row.loss for row in chosen], [row.gain for row in chosen], s=110, facecolors="none", edgecolors=ink["text"],
        label=voice.say("search.candidate"),
    )  # fmt: skip
    axes.axvline(report.verdict.terms.budget_points, color=ink["quiet"], linestyle="--", label=voice.say("budget"))
    write_ticks(axes, voice)
    axes.set_xlabel(voice.say("search.loss"))
    axes.set_ylabel(voice.say("search.gain"))
    axes.legend(frameon=False, fontsize=8, labelcolor=ink["text"])
    return figure


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
