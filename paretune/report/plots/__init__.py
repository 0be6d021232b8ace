"""Plots of a comparison: the trade-off, the training curves, what a monitor saw, and what changed by subject.

Matplotlib without pyplot: each function builds its own Figure and leaves no state behind. Colours are Okabe and Ito's,
told apart by colour-blind readers, and never the only sign: markers, line styles and names say the same. In SVG text
stays text.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.analysis.results import Comparison, SubjectRow, TradeOffPoint, VariantRow
from paretune.report.names import short_names
from paretune.report.plots.forgetting import draw_forgetting, watched
from paretune.report.plots.labels import Label, Segment, place_labels
from paretune.report.plots.look import (
    FULL_WIDTH,
    MOST_LETTERS,
    NARROW_WIDTH,
    distinct_looks,
    draw_budget,
    draw_front,
    inks,
    legend_below,
    looks,
    new_figure,
    readable,
    wrapped,
    write_instead,
    write_ticks,
)
from paretune.report.target_words import target_say
from paretune.report.verdict import headline, stated
from paretune.text import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KIND_MARKERS = {"scaled": 0.62, "checkpoint": 0.62}
NARROW_NAME = 20  # letters of a subject before it goes on in the next line
MOST_SUBJECTS = 20
MOST_VARIANTS_BY_SUBJECT = 4
DOTS_PER_INCH = 200
LEAST_ACROSS = 10.0  # points of the axis of gains: a difference of nothing should not look like one


def draw_tradeoff(comparison: Comparison, voice: Voice, dark: bool, narrow: bool = False) -> Figure:
    """Gain on the target to the right, change of general ability upward, both in points against the baseline.

    Crosses are the intervals that hold for all variants together; scales and checkpoints of one adapter are joined
    from the baseline on; the stepped line is the Pareto front; the ring is the pick. narrow: for the width of a phone.
    """
    say, ink = voice.say, inks(dark)
    figure, (axes,) = new_figure(dark, 1, (NARROW_WIDTH, 4.7) if narrow else (FULL_WIDTH, 4.9))
    points = {point.variant: point for point in comparison.plane.points}
    colours = looks(comparison, dark)
    _frame_of_tradeoff(axes, comparison, ink)
    front = sorted((p.gain.estimate, p.general_change.estimate) for p in points.values() if p.on_front)
    handles: dict[str, Any] = {}
    if len(front) > 1:
        handles[say("Pareto front")] = draw_front(axes, front, ink)
    for curve in comparison.plane.curves:
        style = (0, (5, 2)) if curve.kind == "scale" else (0, (1, 1.4))
        path = [points[name] for name in curve.variants]
        (line,) = axes.plot(
            [p.gain.estimate for p in path],
            [p.general_change.estimate for p in path],
            color=colours[curve.source][0],
            linestyle=style,
            linewidth=1.4,
            zorder=3,
        )
        handles[say("plot.scales" if curve.kind == "scale" else "plot.checkpoints", variant=curve.source)] = line
    handles[say("interval, all variants together")] = axes.plot(
        [], [], marker="+", markersize=13, linestyle="none", color=ink["quiet"], markeredgewidth=1.1
    )[0]
    for variant in comparison.variants:
        _point(axes, points[variant.name], variant, colours[variant.name], ink)
    pick, budget = comparison.verdict.pick, stated(comparison.verdict.terms.budget_points)
    ringed = [points[name] for name in (pick.unit.variants if pick else (comparison.variants[0].name,))]
    handles[say("plot.pick" if pick else "the pick: the base model", budget=budget)] = axes.scatter(
        [point.gain.estimate for point in ringed], [point.general_change.estimate for point in ringed], s=190,
        facecolor="none", edgecolor=ink["text"], linewidth=1.3, zorder=6,
    )  # fmt: skip
    draw_budget(axes, say("first.beyond", budget=budget), float(budget), ink, dark)
    axes.annotate(
        f"{say('better')} \N{NORTH EAST ARROW}", (1, 1), (-2, -2), "axes fraction", "offset points",
        ha="right", va="top", fontsize=9, color=ink["quiet"],
    )  # fmt: skip
    axes.set_xlabel(target_say(comparison.facets, voice)("plot.gain"))
    axes.set_ylabel(say("plot.general", suite=comparison.main_suite))
    title = headline(comparison, voice)
    axes.set_title(wrapped(title, 38 if narrow else 76), loc="left", color=ink["text"], fontsize=11)
    legend_below(figure, handles, ink)
    write_ticks(axes, voice, signed=True)
    short = dict(zip(points, _labels(comparison, voice), strict=True))
    labels = [
        Label(
            short[row.name],
            (points[row.name].gain.estimate, points[row.name].general_change.estimate),
            readable(colours[row.name][0], ink),
        )
        for row in comparison.variants
    ]
    place_labels(figure, axes, labels, _drawn(comparison), ink["paper"])
    return figure


def draw_training(comparison: Comparison, voice: Voice, dark: bool, narrow: bool = False) -> Figure:
    """Loss, learning rate and gradient norm by step, for every variant trained here."""
    say, ink = voice.say, inks(dark)
    figure, panels = new_figure(
        dark, 3, (NARROW_WIDTH if narrow else FULL_WIDTH, 5.6), share_x=True, heights=(2.2, 1, 1)
    )
    colours = looks(comparison, dark)
    names = ("loss", "learning rate", "gradient norm")
    for panel, name in zip(panels, names, strict=True):
        panel.set_title(say(name), loc="left", color=ink["text"], fontsize=9)
        panel.grid(axis="y", color=ink["grid"], linewidth=0.6)
    short = short_names([curve.variant for curve in comparison.training], MOST_LETTERS)
    for curve, label in zip(comparison.training, short, strict=True):
        colour, marker = colours[curve.variant]
        for panel, values in zip(panels, (curve.loss, curve.learning_rate, curve.gradient_norm), strict=True):
            known = [(step, value) for step, value in zip(curve.steps, values, strict=True) if value is not None]
            panel.plot(
                [step for step, _ in known],
                [value for _, value in known],
                color=colour,
                linewidth=1.3,
                marker=marker,
                markersize=4,
                markevery=max(1, len(known) // 8),
                label=label,
            )
    panels[-1].set_xlabel(say("step"))
    figure.suptitle(say("Training curves"), x=0.012, ha="left", color=ink["text"], fontsize=11)
    if comparison.training:
        panels[0].legend(frameon=False, ncols=2, labelcolor=ink["text"], fontsize=9)
    else:
        write_instead(panels[0], say("no training was logged"), ink)
    for panel in panels:
        write_ticks(panel, voice)
    return figure


def draw_subjects(comparison: Comparison, voice: Voice, dark: bool, narrow: bool = False) -> Figure:
    """Change of each subject with its interval, the greatest mean loss on top; at most MOST_SUBJECTS subjects and
    MOST_VARIANTS_BY_SUBJECT variants (the pick, those trained, then the rest). A scale or checkpoint has its adapter's
    colour, hollow markers of another shape and dashed intervals."""
    say, ink = voice.say, inks(dark)
    pick = comparison.verdict.pick
    picked = pick.unit.variants if pick else ()
    variants = sorted(
        comparison.variants[1:], key=lambda row: (row.name not in picked, row.kind not in ("trained", "adapter"))
    )
    shown = [row.name for row in variants[:MOST_VARIANTS_BY_SUBJECT]]
    subjects = _subjects_shown(comparison, shown)
    names = [wrapped(subject.replace("_", " "), NARROW_NAME if narrow else 99) for subject in subjects]
    lines = 0.09 * sum(name.count("\n") for name in names) if len(shown) < 3 else 0.0
    height = 1.5 + len(subjects) * (0.17 + 0.085 * len(shown)) + lines
    figure, (axes,) = new_figure(dark, 1, (NARROW_WIDTH if narrow else FULL_WIDTH, max(2.4, height)))
    styles = distinct_looks(comparison, shown, dark)
    axes.axvline(0, color=ink["text"], linewidth=0.8)
    axes.grid(axis="x", color=ink["grid"], linewidth=0.6)
    for place, name in enumerate(shown):
        shift = (place - (len(shown) - 1) / 2) * 0.72 / max(1, len(shown))
        rows = [subjects[subject][name] for subject in subjects]
        centres = [at + shift for at in range(len(rows))]
        estimates = [row.change.estimate for row in rows]
        lengths = [
            [row.change.estimate - row.change.low for row in rows],
            [row.change.high - row.change.estimate for row in rows],
        ]
        look = styles[name]
        drawn = axes.errorbar(
            estimates, centres, xerr=lengths, fmt=look.marker, color=look.colour, markersize=4.5 + look.hollow,
            elinewidth=1, capsize=0, label=name, markerfacecolor=ink["paper"] if look.hollow else look.colour,
            markeredgecolor=look.colour if look.hollow else ink["paper"], markeredgewidth=1.0 if look.hollow else 0.5,
        )  # fmt: skip
        if look.hollow:
            drawn[2][0].set_linestyle((0, (3, 1.6)))
    axes.set_yticks(range(len(subjects)), names)
    axes.set_ylim(len(subjects) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(say("change in accuracy, points"))
    title = _subjects_title(comparison, len(subjects), voice)
    if narrow:  # names take half of the width, so the title begins at the edge
        figure.suptitle(title, x=0.012, ha="left", color=ink["text"], fontsize=10)
    else:
        axes.set_title(title, loc="left", color=ink["text"], fontsize=11)
    if shown and subjects:
        columns = 2 if narrow else len(shown)
        figure.legend(loc="outside lower center", ncols=columns, frameon=False, labelcolor=ink["text"])
    else:
        write_instead(axes, say("no subjects to compare"), ink)
    write_ticks(axes, voice, both=False)
    return figure


DRAWINGS: Mapping[str, Callable[[Comparison, Voice, bool, bool], Any]] = {
    "tradeoff": draw_tradeoff,
    "training": draw_training,
    "forgetting": draw_forgetting,
    "subjects": draw_subjects,
}


def write_plots(comparison: Comparison, folder: Path, voice: Voice) -> list[Path]:
    """NAME.svg, NAME-dark.svg and NAME.png of every plot; the same comparison gives the same SVG bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, draw in DRAWINGS.items():
        if (name == "tradeoff" and not comparison.has_target) or (name == "forgetting" and not watched(comparison)):
            continue
        for dark, suffixes in ((False, (".svg", ".png")), (True, ("-dark.svg",))):
            figure = draw(comparison, voice, dark, False)
            for suffix in suffixes:
                path = folder / f"{name}{suffix}"
                path.write_bytes(image_bytes(figure, "png" if suffix == ".png" else "svg", name))
                written.append(path)
    return written


def image_bytes(figure: Figure, form: str, salt: str = "paretune") -> bytes:
    """A figure as "svg" or "png". salt: names within the SVG are drawn from it, so two plots may share a page."""
    import matplotlib

    written = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(written, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
    return written.getvalue()


def _labels(comparison: Comparison, voice: Voice) -> list[str]:
    """Names of all points, no two alike; the base model's with its accuracies, which the axes do not show."""
    base, *tuned = comparison.variants
    accuracy = target_say(comparison.facets, voice)("first.accuracy")
    levels = ((accuracy, base.leading.estimate), (comparison.main_suite, base.general.estimate))
    figures = ", ".join(voice.say("first.base", what=what, accuracy=level) for what, level in levels)
    return [f"{base.name}: {figures}", *short_names([row.name for row in tuned], MOST_LETTERS)]


def _frame_of_tradeoff(axes: Axes, comparison: Comparison, ink: Mapping[str, str]) -> None:
    """Origin lines through the baseline, and limits that hold every cross."""
    points = comparison.plane.points
    axes.axhline(0, color=ink["quiet"], linewidth=0.9, zorder=1)
    axes.axvline(0, color=ink["quiet"], linewidth=0.9, zorder=1)
    axes.grid(color=ink["grid"], linewidth=0.6, zorder=0)
    budget = comparison.verdict.terms.budget_points
    for set_limits, figures, least in (
        (axes.set_xlim, [point.gain for point in points], (0.0, 0.0)),
        (axes.set_ylim, [point.general_change for point in points], (-1.8 * budget, 0.5 * budget)),
    ):
        low, high = min(least[0], *(f.low for f in figures)), max(least[1], *(f.high for f in figures))
        missing = max(0.0, (LEAST_ACROSS if least == (0.0, 0.0) else 3 * budget) - (high - low)) / 2
        room = 0.07 * (high - low) + missing
        set_limits(low - room, high + room)


def _drawn(comparison: Comparison) -> list[Segment]:
    """Crosses and curves, as segments that a name should not cover."""
    points = {point.variant: point for point in comparison.plane.points}
    segments: list[Segment] = []
    for point in points.values():
        gain, change = point.gain, point.general_change
        segments.append(((gain.low, change.estimate), (gain.high, change.estimate)))
        segments.append(((gain.estimate, change.low), (gain.estimate, change.high)))
    for curve in comparison.plane.curves:
        path = [(points[name].gain.estimate, points[name].general_change.estimate) for name in curve.variants]
        segments += list(pairwise(path))
    return segments


def _point(
    axes: Axes, point: TradeOffPoint, variant: VariantRow, look: tuple[str, str], ink: Mapping[str, str]
) -> None:
    colour, marker = look
    gain, change = point.gain, point.general_change
    small = KIND_MARKERS.get(variant.kind, 1.0)
    if gain.low < gain.high:
        axes.errorbar(
            [gain.estimate], [change.estimate],
            xerr=[[gain.estimate - gain.low], [gain.high - gain.estimate]],
            yerr=[[change.estimate - change.low], [change.high - change.estimate]],
            fmt="none", ecolor=colour, elinewidth=1.1, alpha=0.75 if small == 1.0 else 0.35, zorder=4,
        )  # fmt: skip
    axes.plot(
        [gain.estimate], [change.estimate], marker=marker, color=colour, markersize=8.5 * small,
        markeredgecolor=ink["paper"], markeredgewidth=0.9, linestyle="none", zorder=5,
    )  # fmt: skip


def _subjects_shown(comparison: Comparison, variants: list[str]) -> dict[str, dict[str, SubjectRow]]:
    """subject -> variant -> row, for the subjects that changed most, from loss to gain."""
    rows: dict[str, dict[str, SubjectRow]] = {}
    for row in comparison.subjects:
        if row.variant in variants:
            rows.setdefault(row.subject, {})[row.variant] = row
    means = {subject: sum(r.change.estimate for r in found.values()) / len(found) for subject, found in rows.items()}
    most = sorted(rows, key=lambda subject: (-abs(means[subject]), subject))[:MOST_SUBJECTS]
    return {subject: rows[subject] for subject in sorted(most, key=lambda name: (means[name], name))}


def _subjects_title(comparison: Comparison, shown: int, voice: Voice) -> str:
    say = voice.say
    title = say("plot.subjects", suite=comparison.main_suite)
    every = len({row.subject for row in comparison.subjects})
    if shown < every:
        title += "\n" + say("plot.subjects-shown", count=shown, all=every)
    return title
