"""The look that all plots share: paper, inks, colours and markers by variant, numbers on the axes, legends."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paretune.analysis.results import Comparison
from paretune.text import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
ON_DARK = ("#56B4E9", "#E69F00", "#2FC79A", "#E59CC4", "#F0E442", "#5C9DF5", "#FF8A4C")
MARKERS = "osD^vPX"
FULL_WIDTH, NARROW_WIDTH = 7.2, 4.3  # inches; the second for the width of a phone, where letters keep their size
MOST_LETTERS = 24  # of a name in a plot
LETTERS_ACROSS = 105  # of the legend's size, over the full width
READABLE_CONTRAST = 4.5


def inks(dark: bool) -> dict[str, str]:
    """Colours of text, of quiet lines, of the grid and of the paper."""
    if dark:
        return {"text": "#e8e8ea", "quiet": "#8b8d94", "grid": "#33353b", "paper": "#16171a"}
    return {"text": "#1c1d20", "quiet": "#75777d", "grid": "#e3e4e8", "paper": "#ffffff"}


def budget_inks(dark: bool) -> dict[str, str]:
    """Colours of the line of the loss allowed, and of what lies beyond it."""
    if dark:
        return {"allowed": "#f2a65a", "beyond": "#2d221a"}
    return {"allowed": "#a34400", "beyond": "#fbefe6"}


def new_figure(
    dark: bool, rows: int, size: tuple[float, float], *, share_x: bool = False, heights: tuple[float, ...] | None = None
) -> tuple[Figure, list[Axes]]:
    """An empty figure in the house's look: no box, quiet ticks, titles to the left."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ink = inks(dark)
    figure = Figure(figsize=size, layout="constrained", facecolor=ink["paper"])
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, 1, sharex=share_x, squeeze=False, gridspec_kw={"height_ratios": heights})
    panels: list[Axes] = [row[0] for row in grid]
    for panel in panels:
        panel.set_facecolor(ink["paper"])
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            panel.spines[side].set_color(ink["quiet"])
        panel.tick_params(colors=ink["quiet"], labelcolor=ink["text"], labelsize=9)
        panel.xaxis.label.set_color(ink["text"])
        panel.yaxis.label.set_color(ink["text"])
    return figure, panels


def looks(comparison: Comparison, dark: bool) -> dict[str, tuple[str, str]]:
    """Colour and marker by variant: one an adapter, its scales and checkpoints in the same."""
    palette = ON_DARK if dark else OKABE_ITO
    found: dict[str, tuple[str, str]] = {comparison.variants[0].name: (inks(dark)["text"], "o")}
    sources = [row.name for row in comparison.variants[1:] if row.source is None]
    for at, name in enumerate(sources):
        found[name] = (palette[at % len(palette)], MARKERS[at % len(MARKERS)])
    for row in comparison.variants[1:]:
        found.setdefault(row.name, found.get(row.source or "", (palette[-2], "o")))
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """How one variant is drawn among others. hollow: derived from another, whose colour it has."""

    colour: str
    marker: str
    hollow: bool


def distinct_looks(comparison: Comparison, shown: Sequence[str], dark: bool) -> dict[str, Look]:
    """A look for each of the variants shown, no two alike: what is derived from an adapter has its colour, hollow
    markers, and a shape that no other of the same colour has."""
    colours = looks(comparison, dark)
    kinds = {row.name: row.source is not None for row in comparison.variants}
    found: dict[str, Look] = {}
    for name in shown:
        colour, marker = colours[name]
        taken = {look.marker for look in found.values() if look.colour == colour}
        if kinds[name]:
            marker = next((shape for shape in MARKERS if shape not in taken | {marker}), marker)
        found[name] = Look(colour, marker, kinds[name])
    return found


def wrapped(name: str, letters: int) -> str:
    """A name in lines of at most so many letters.

    >>> wrapped("high school government", 12)
    'high school\\ngovernment'
    """
    return "\n".join(textwrap.wrap(name, letters))


def readable(colour: str, ink: Mapping[str, str]) -> str:
    """The colour, darkened (on dark paper: lightened) until words in it can be read: WCAG's contrast of 4.5."""
    toward = 0.0 if _luminance(ink["paper"]) > 0.5 else 1.0
    parts = _parts(colour)
    while _contrast(_hexadecimal(parts), ink["paper"]) < READABLE_CONTRAST:
        parts = [part + 0.08 * (toward - part) for part in parts]
    return _hexadecimal(parts)


def _parts(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _hexadecimal(parts: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _luminance(colour: str) -> float:
    """Relative luminance in [0, 1] (WCAG 2)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, two: str) -> float:
    low, high = sorted((_luminance(one), _luminance(two)))
    return (high + 0.05) / (low + 0.05)


def legend_below(figure: Figure, handles: Mapping[str, Any], ink: Mapping[str, str]) -> None:
    """A legend under the axes, in as many columns as its longest name lets fit."""
    longest = max(len(name) for name in handles)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", frameon=False, labelcolor=ink["text"],
        ncols=max(1, min(len(handles), int(LETTERS_ACROSS * figure.get_figwidth() / FULL_WIDTH) // (longest + 8))),
        fontsize=9,
    )  # fmt: skip


def write_instead(axes: Axes, sentence: str, ink: Mapping[str, str]) -> None:
    """A sentence where there is nothing to draw."""
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", color=ink["text"])


def write_ticks(axes: Axes, voice: Voice, *, both: bool = True, signed: bool = False) -> None:
    """Numbers as the language writes them, with a sign that prints as one; signed: gains with theirs too."""
    from matplotlib.ticker import FuncFormatter

    def written(value: float, _: int) -> str:
        sign = "+" if signed and value > 0 else ""
        return voice.marked(sign + f"{value:.10g}".replace("-", "\N{MINUS SIGN}"))

    for axis in (axes.xaxis, axes.yaxis) if both else (axes.xaxis,):
        axis.set_major_formatter(FuncFormatter(written))


def draw_budget(
    axes: Axes, words: str, budget: float, ink: Mapping[str, str], dark: bool, *, in_corner: bool = False
) -> None:
    """The line of the loss allowed, and a tint below it: a cross that reaches there does not rule the loss out.
    in_corner: the words stand at the lower left, where curves begin above them."""
    low, high = axes.get_ylim()
    if in_corner:  # which stays the corner
        axes.set_ylim(low, high)
    colours = budget_inks(dark)
    axes.axhspan(min(low, -budget), -budget, facecolor=colours["beyond"], zorder=0)
    axes.axhline(-budget, color=colours["allowed"], linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    left, place, away = ("left", (0, low), (3, 3)) if in_corner else ("right", (1, -budget), (-3, -3))
    axes.annotate(words, place, away, axes.get_yaxis_transform(), "offset points", ha=left,
                  va="bottom" if in_corner else "top", fontsize=8.5, color=readable(colours["allowed"], ink),
                  zorder=1)  # fmt: skip


def draw_front(axes: Axes, front: Sequence[tuple[float, float]], ink: Mapping[str, str]) -> Any:
    """The outline of what is dominated: steps down from point to point."""
    across, up = [front[0][0]], [front[0][1]]
    for gain, change in front[1:]:
        across += [across[-1], gain]
        up += [change, change]
    (line,) = axes.plot(across, up, color=ink["quiet"], linewidth=3.2, alpha=0.45, solid_joinstyle="round", zorder=2)
    return line
