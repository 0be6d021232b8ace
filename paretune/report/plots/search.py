"""What a search looked at, as the plane of gain and change that the trade-off of a run is drawn in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from paretune.report.plots.labels import Label, place_labels
from paretune.report.plots.look import (
    FULL_WIDTH,
    NARROW_WIDTH,
    draw_budget,
    draw_front,
    inks,
    legend_below,
    new_figure,
    write_ticks,
)
from paretune.report.verdict import stated
from paretune.stats.intervals import Interval
from paretune.text import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from paretune.report.search import SearchReport

Pair = tuple[Interval, Interval]


def draw_search(report: SearchReport, voice: Voice, dark: bool = False, narrow: bool = False) -> Figure:
    """Gain to the right, change of the worst suite upward. A dot is a look; the stepped line is the front, its crosses
    are intervals that hold for all looks together; a ring was judged on the test; below the dashed line is more than
    the budget."""
    say, ink = voice.say, inks(dark)
    figure, (axes,) = new_figure(dark, 1, (NARROW_WIDTH, 4.4) if narrow else (FULL_WIDTH, 4.6))
    every = [report.intervals(row) for row in report.rows]
    front = sorted((report.intervals(row) for row in report.rows if row.is_on_front), key=_place)
    judged = [row for row in report.rows if row.is_candidate]
    budget = stated(report.verdict.terms.budget_points)
    _limits(axes, every, front, float(budget))
    axes.axhline(0, color=ink["quiet"], linewidth=0.9, zorder=1)
    axes.axvline(0, color=ink["quiet"], linewidth=0.9, zorder=1)
    axes.grid(color=ink["grid"], linewidth=0.6, zorder=0)
    handles: dict[str, Any] = {
        say("search.look"): axes.plot(*zip(*map(_place, every), strict=True), marker="o", markersize=4,
                                      linestyle="none", color=ink["quiet"], zorder=3)[0],
        say("search.front"): draw_front(axes, [_place(pair) for pair in front], ink),
    }  # fmt: skip
    for gain, change in front:
        axes.hlines(change.estimate, gain.low, gain.high, color=ink["text"], linewidth=0.9, alpha=0.4, zorder=3)
        axes.vlines(gain.estimate, change.low, change.high, color=ink["text"], linewidth=0.9, alpha=0.4, zorder=3)
    handles[say("search.interval")] = axes.plot(
        [], [], marker="+", markersize=13, linestyle="none", color=ink["text"], markeredgewidth=0.9, alpha=0.6
    )[0]
    rings = [_place(report.intervals(row)) for row in judged]
    handles[say("search.candidate")] = axes.plot(
        *zip(*rings, strict=True), marker="o", markersize=11, linestyle="none", markerfacecolor="none",
        markeredgecolor=ink["text"], markeredgewidth=1.3, zorder=6,
    )[0]  # fmt: skip
    draw_budget(axes, say("first.beyond", budget=budget), float(budget), ink, dark, in_corner=True)
    axes.set_xlabel(say("search.gain"))
    axes.set_ylabel(say("search.change"))
    legend_below(figure, handles, ink)
    write_ticks(axes, voice, signed=True)
    labels = [Label(row.name, place, ink["text"]) for row, place in zip(judged, rings, strict=True)]
    place_labels(figure, axes, labels, list(_crosses(front)), ink["paper"])
    return figure


def _place(pair: Pair) -> tuple[float, float]:
    gain, change = pair
    return gain.estimate, change.estimate


def _limits(axes: Axes, every: Sequence[Pair], front: Sequence[Pair], budget: float) -> None:
    """All looks, the crosses of the front, and the line of the budget with room below it."""
    for set_limits, at, least in ((axes.set_xlim, 0, (0.0, 0.0)), (axes.set_ylim, 1, (-1.8 * budget, 0.5 * budget))):
        ends = [*least, *(pair[at].estimate for pair in every)]
        ends += [end for pair in front for end in (pair[at].low, pair[at].high)]
        room = 0.06 * (max(ends) - min(ends)) or 1.0
        set_limits(min(ends) - room, max(ends) + room)


def _crosses(front: Sequence[Pair]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    for gain, change in front:
        yield (gain.low, change.estimate), (gain.high, change.estimate)
        yield (gain.estimate, change.low), (gain.estimate, change.high)
