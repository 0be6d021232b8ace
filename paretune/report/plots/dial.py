"""One adapter at several scales and checkpoints: how both axes change against the base model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paretune.analysis.dial import Between, Dial, DialPoint, between
from paretune.report.plots.look import (
    FULL_WIDTH,
    MARKERS,
    NARROW_WIDTH,
    OKABE_ITO,
    ON_DARK,
    draw_budget,
    inks,
    legend_below,
    new_figure,
    wrapped,
    write_ticks,
)
from paretune.report.target_words import target_say
from paretune.report.verdict import stated
from paretune.stats.intervals import Interval
from paretune.tasks import Facets
from paretune.text import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 1.9  # inches
APART = 0.012  # of the width, between checkpoints at one scale
MOST_CHECKPOINTS = 6  # each with a colour; of more, so many evenly, and the pick's

Changes = Callable[[DialPoint], Interval | None]


def draw_dial(dial: Dial, facets: Facets, voice: Voice, dark: bool = False, narrow: bool = False) -> Figure:
    """Change of the target, and below of every suite, by scale; filled markers with intervals were measured, the dashed
    line between them was not. A colour is a checkpoint; the ring is the pick; below the dashed line is more than the
    budget. With one scale, by step."""
    say, ink = voice.say, inks(dark)
    suites = list(dial.choices)
    figure, panels = new_figure(
        dark, 1 + len(suites), (NARROW_WIDTH if narrow else FULL_WIDTH, 0.9 + PANEL * (1 + len(suites))), share_x=True
    )
    titles = [target_say(facets, voice)("plot.gain"), *(say("plot.general", suite=suite) for suite in suites)]
    of_points: list[Changes] = [lambda point: point.target_change]
    of_points += [lambda point, suite=suite: point.general_change(suite) for suite in suites]  # type: ignore[misc]  # bound where it is made
    of_curve: list[Callable[[Between], Interval]] = [lambda item: item.target]
    of_curve += [lambda item, suite=suite: item.general[suite] for suite in suites]  # type: ignore[misc]  # likewise
    curve = list(between(dial))
    handles: dict[str, Any] = {}
    by_step = len({point.scale for point in dial.points if point.scale}) == 1 and len(_series(dial)) > 1
    for panel, title, changes, along in zip(panels, titles, of_points, of_curve, strict=True):
        panel.set_title(wrapped(title, 48 if narrow else 99), loc="left", color=ink["text"], fontsize=9)
        panel.grid(axis="y", color=ink["grid"], linewidth=0.6)
        panel.axhline(0, color=ink["quiet"], linewidth=0.8, zorder=1)
        if by_step:
            handles |= _steps(panel, dial, changes, voice, dark)
        else:
            handles |= _scales(panel, dial, changes, voice, dark)
            if curve:
                handles |= _curve(panel, [(item.scale, along(item)) for item in curve], voice, dark)
    budget = stated(dial.verdict.terms.budget_points)
    for panel in panels[1:]:
        draw_budget(panel, say("first.beyond", budget=budget), float(budget), ink, dark, in_corner=True)
    title = say("dial.plot", variant=dial.variant)
    figure.suptitle(wrapped(title, 52 if narrow else 100), x=0.012, ha="left", color=ink["text"], fontsize=10)
    panels[-1].set_xlabel(say("step" if by_step else "scale"))
    legend_below(figure, handles, ink)
    for panel in panels:
        write_ticks(panel, voice, signed=True)
        if by_step:
            panel.set_xticks(range(len(_series(dial))), [_step(step, voice) for step in _series(dial)])
        else:
            panel.xaxis.set_major_formatter(lambda scale, _: voice.marked(f"{scale:g}"))
    return figure


def _series(dial: Dial) -> list[int | None]:
    """The steps of the checkpoints in their order, the finished adapter (None) last."""
    steps = {point.checkpoint for point in dial.points}
    return [*sorted(step for step in steps if step is not None), None]


def _step(step: int | None, voice: Voice) -> str:
    return voice.say("dial.finished") if step is None else str(step)


def _scales(panel: Axes, dial: Dial, changes: Changes, voice: Voice, dark: bool) -> dict[str, Any]:
    """The points by scale, checkpoints beside each other."""
    say, palette, series = voice.say, ON_DARK if dark else OKABE_ITO, list(reversed(_series(dial)))
    steps = _evenly(series[1:], MOST_CHECKPOINTS)
    if dial.pick is not None and dial.pick.checkpoint not in (None, *steps):
        steps.append(dial.pick.checkpoint)
    across = max((point.scale for point in dial.points), default=1.0)
    handles = {}
    for at, step in enumerate([None, *steps]):
        name = say("dial.measured") if not steps else _name(step, voice)
        points = [point for point in dial.points if point.checkpoint == step]
        places = [point.scale + at * APART * across for point in points]
        handles[name] = _points(
            panel, places, points, changes, (palette[at % len(palette)], MARKERS[at % len(MARKERS)])
        )
        _ring(panel, places, points, dial, changes, inks(dark)["text"], handles, voice)
    return handles


def _steps(panel: Axes, dial: Dial, changes: Changes, voice: Voice, dark: bool) -> dict[str, Any]:
    """The points by step, the finished adapter last."""
    places = {step: at for at, step in enumerate(_series(dial))}
    points = [point for point in dial.points if point.judged is not None]
    there = [float(places[point.checkpoint]) for point in points]
    palette = ON_DARK if dark else OKABE_ITO
    handles = {voice.say("dial.measured"): _points(panel, there, points, changes, (palette[0], MARKERS[0]))}
    _ring(panel, there, points, dial, changes, inks(dark)["text"], handles, voice)
    return handles


def _points(
    panel: Axes, places: Sequence[float], points: Sequence[DialPoint], changes: Changes, look: tuple[str, str]
) -> Any:
    """Markers with their intervals; the base model has no change and so no interval."""
    colour, marker = look
    for place, point in zip(places, points, strict=True):
        if (change := changes(point)) is not None:
            panel.vlines(place, change.low, change.high, color=colour, linewidth=1.2, alpha=0.7, zorder=4)
    heights = [0.0 if (change := changes(point)) is None else change.estimate for point in points]
    (drawn,) = panel.plot(places, heights, marker=marker, markersize=6, linestyle="none", color=colour, zorder=5)
    return drawn


def _ring(
    panel: Axes, places: Sequence[float], points: Sequence[DialPoint], dial: Dial, changes: Changes, colour: str,
    handles: dict[str, Any], voice: Voice,
) -> None:  # fmt: skip
    for place, point in zip(places, points, strict=True):
        if point is dial.pick and (change := changes(point)) is not None:
            handles[voice.say("dial.ring")] = panel.plot(
                [place], [change.estimate], marker="o", markersize=13, markerfacecolor="none", markeredgecolor=colour,
                markeredgewidth=1.3, linestyle="none", zorder=6,
            )[0]  # fmt: skip


def _curve(panel: Axes, places: Sequence[tuple[float, Interval]], voice: Voice, dark: bool) -> Mapping[str, Any]:
    """The interpolated points: small, hollow and joined by dashes, without intervals."""
    colour = (ON_DARK if dark else OKABE_ITO)[0]
    (line,) = panel.plot(
        [scale for scale, _ in places], [item.estimate for _, item in places], color=colour, linewidth=1,
        linestyle=(0, (3, 2)), marker="o", markersize=3, markerfacecolor=inks(dark)["paper"], markeredgewidth=0.7,
        zorder=3,
    )  # fmt: skip
    return {voice.say("dial.interpolated"): line}


def _name(step: int | None, voice: Voice) -> str:
    return voice.say("dial.finished") if step is None else voice.say("dial.step", step=step)


def _evenly(steps: Sequence[int | None], most: int) -> list[int | None]:
    if len(steps) <= most:
        return list(steps)
    return [steps[round(at * (len(steps) - 1) / (most - 1))] for at in range(most)]
