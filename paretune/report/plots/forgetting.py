"""What a training's monitor saw on the way: gain, loss and distance from the base model against steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from paretune.analysis.results import Comparison, TrainingCurve, TrainingLook
from paretune.report.names import short_names
from paretune.report.plots.look import (
    FULL_WIDTH,
    MOST_LETTERS,
    NARROW_WIDTH,
    draw_budget,
    inks,
    looks,
    new_figure,
    wrapped,
    write_instead,
    write_ticks,
)
from paretune.report.target_words import target_say
from paretune.report.verdict import stated
from paretune.stats.intervals import Interval
from paretune.text import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 1.45  # inches


def watched(comparison: Comparison) -> tuple[TrainingCurve, ...]:
    """The trainings that were looked at on the way."""
    return tuple(curve for curve in comparison.training if curve.looks)


def draw_forgetting(comparison: Comparison, voice: Voice, dark: bool, narrow: bool = False) -> Figure:
    """Change of accuracy on the target and on every suite by step, with the interval of each look; below, how far the
    model has moved from the base. A ring: a loss was shown there, and the training ended. At step 0 the model is the
    base."""
    say, ink, curves = voice.say, inks(dark), watched(comparison)
    suites = list(dict.fromkeys(suite for curve in curves for look in curve.looks for suite in look.general))
    count = 3 + len(suites)
    figure, panels = new_figure(
        dark, count, (NARROW_WIDTH if narrow else FULL_WIDTH, 1.0 + PANEL * count), share_x=True
    )
    gained = target_say(comparison.facets, voice)("plot.gain")
    titles = [gained, *(say("plot.general", suite=suite) for suite in suites)]
    titles += [say("Kullback-Leibler divergence from the base model, nats per token"),
               say("bits per byte of general text, more than the base model")]  # fmt: skip
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(wrapped(title, 48 if narrow else 99), loc="left", color=ink["text"], fontsize=9)
        panel.grid(axis="y", color=ink["grid"], linewidth=0.6)
    for panel in (*panels[:-2], panels[-1]):
        panel.axhline(0, color=ink["quiet"], linewidth=0.8, zorder=1)
    places = looks(comparison, dark)
    short = short_names([curve.variant for curve in curves], MOST_LETTERS)
    for curve, label in zip(curves, short, strict=True):
        colour, marker = places[curve.variant]
        for panel, values in zip(panels, _values(suites), strict=True):
            _curve(panel, curve, values, colour, marker, label)
        for panel, suite in zip(panels[1:], suites, strict=False):
            _rings(panel, [(look.step, look.general[suite].estimate) for look in curve.looks if look.stopped],
                   ink["text"])  # fmt: skip
    budget = stated(comparison.verdict.terms.budget_points)
    for panel in panels[1 : 1 + len(suites)]:
        draw_budget(panel, say("first.beyond", budget=budget), float(budget), ink, dark, in_corner=True)
    panels[-2].set_ylim(bottom=0)
    panels[-1].set_xlabel(say("step"))
    if curves:
        asked = max(look.questions for curve in curves for look in curve.looks)
        title = say("plot.forgetting", questions=asked)
        if any(look.stopped for curve in curves for look in curve.looks):
            title += " " + say("Ring: a loss was shown, and the training ended there.")
        figure.suptitle(wrapped(title, 52 if narrow else 100), x=0.012, ha="left", color=ink["text"], fontsize=10)
        panels[0].legend(frameon=False, ncols=2, labelcolor=ink["text"], fontsize=9)
    else:
        write_instead(panels[0], say("no training was watched"), ink)
    for panel, signed in zip(panels, [*[True] * (1 + len(suites)), False, True], strict=True):
        write_ticks(panel, voice, signed=signed)
        panel.xaxis.set_major_formatter(lambda step, _: f"{step:.0f}")
    return figure


def _values(suites: list[str]) -> Iterator[Callable[[TrainingLook], Interval | float | None]]:
    """What stands in each panel, from a look."""
    yield lambda look: look.target
    for suite in suites:
        yield lambda look, suite=suite: look.general.get(suite)  # type: ignore[misc]  # bound where it is made
    yield lambda look: look.divergence
    yield lambda look: look.bits


def _curve(
    panel: Axes,
    curve: TrainingCurve,
    values: Callable[[TrainingLook], Interval | float | None],
    colour: str,
    marker: str,
    label: str,
) -> None:
    """One training in one panel; where the figure has an interval, as a whisker."""
    seen = [(look.step, value) for look in curve.looks if (value := values(look)) is not None]
    if not seen:
        return
    steps = [0, *(step for step, _ in seen)]
    heights = [0.0, *(value.estimate if isinstance(value, Interval) else value for _, value in seen)]
    panel.plot(steps, heights, color=colour, linewidth=1.3, marker=marker, markersize=4, label=label)
    for step, value in seen:
        if isinstance(value, Interval):
            panel.vlines(step, value.low, value.high, color=colour, linewidth=0.8, alpha=0.6)


def _rings(panel: Axes, places: list[tuple[int, float]], colour: str) -> None:
    for step, height in places:
        panel.plot([step], [height], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=colour,
                   linestyle="none")  # fmt: skip
