"""The trade-off as one piece of SVG whose colours are the page's, whose points can be pointed at, and whose budget line
can be moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from paretune.report.page.parts import typeset
from paretune.report.plots.labels import Segment, spots_beside
from paretune.stats.intervals import Interval
from paretune.text import Voice

LETTER = 6.4  # pixels across, on average, at the size of a label
LINE = 15.0
BASE_ROOM = 18.0  # pixels above the origin beside its words, so that they are clear of every budget's line
MOST_LENGTHS = 5  # lengths of the middle interval that an interval may have and still widen the axes
LEAST_ACROSS = 10.0  # points of the axis: a difference of nothing should not look like one
SHAPES = ("circle", "square", "diamond", "triangle")


@dataclass(frozen=True, slots=True)
class Frame:
    """Pixels of the drawing and of its margins. narrow: words stand in more and shorter lines."""

    width: float
    height: float
    left: float = 46.0
    right: float = 12.0
    top: float = 34.0
    bottom: float = 44.0
    narrow: bool = False


WIDE, NARROW = Frame(640, 430), Frame(372, 400, left=40, narrow=True)


@dataclass(frozen=True, slots=True)
class Point:
    """One unit. key: what the page's table calls its row; label: as short as it can be; told: what pointing at it says;
    href: the questions behind it, "" for none. series: number of its colour; derived: a scale or checkpoint, drawn
    hollow. seeds: places of the single trainings of a recipe."""

    key: str
    label: str
    told: str
    href: str
    gain: Interval
    change: Interval
    series: int
    derived: bool
    seeds: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What is written in the drawing. better: of the corner to the right and up; base: at the origin, its name and its
    accuracies."""

    described: str
    x: str
    y: str
    better: str
    base: tuple[str, ...]
    beyond: str
    pick: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The trade-off of one comparison. paths: keys of points in the order in which a curve joins them; budgets: every
    budget whose line may be asked for, in points."""

    points: tuple[Point, ...]
    paths: tuple[tuple[str, ...], ...]
    budgets: tuple[float, ...]
    words: Words
    voice: Voice

    def svg(self, frame: Frame, budget: float, pick: str | None) -> str:
        """The whole drawing with the line of one budget and that pick marked (None: the base model)."""
        plane = _plane(frame, self.points, budget)
        words = self.words
        paths = [[plane.at(*place) for place in self._places(path)] for path in self.paths]
        lines = [_level(plane, 0.0), _level(plane, budget), *(pair for path in paths for pair in pairwise(path))]
        parts = [
            f'<svg viewBox="0 0 {frame.width:g} {frame.height:g}" role="group" aria-label="{_text(words.described)}">',
            *_axes(plane, words, self.voice),
            _budget(plane, plane.line(budget), words.beyond),
            *map(_path, paths),
            *(_cross(plane, point) for point in self.points),
            _base(plane, words),
            *_points(plane, self.points, lines, plane.line(budget), pick, words),
            "</svg>",
        ]
        return "\n".join(parts)

    def lines(self, frame: Frame, budget: float) -> tuple[float, ...]:
        """Where the line of each budget lies in a drawing made for `budget`, in pixels from the top."""
        plane = _plane(frame, self.points, budget)
        return tuple(round(plane.line(points), 1) for points in self.budgets)

    def _places(self, path: Sequence[str]) -> list[tuple[float, float]]:
        points = {point.key: point for point in self.points}
        joined = [points[key] for key in dict.fromkeys(path) if key in points]
        return [(0.0, 0.0), *((point.gain.estimate, point.change.estimate) for point in joined)]


@dataclass(frozen=True, slots=True)
class _Plane:
    """From points of accuracy to pixels."""

    frame: Frame
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, gain: float, change: float) -> tuple[float, float]:
        frame = self.frame
        across = (gain - self.x[0]) / (self.x[1] - self.x[0])
        up = (change - self.y[0]) / (self.y[1] - self.y[0])
        return (
            frame.left + across * (frame.width - frame.left - frame.right),
            frame.height - frame.bottom - up * (frame.height - frame.top - frame.bottom),
        )

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the axes."""
        frame = self.frame
        return frame.left, frame.top, frame.width - frame.right, frame.height - frame.bottom

    def line(self, budget: float) -> float:
        """The height of a budget's line, at the lower edge where it lies below."""
        return min(self.at(0.0, -budget)[1], self.box[3])


def _plane(frame: Frame, points: Sequence[Point], budget: float) -> _Plane:
    across = _range([0.0, *ends_shown([point.gain for point in points])], LEAST_ACROSS)
    ends = [0.0, -1.8 * budget, 0.5 * budget, *ends_shown([point.change for point in points])]
    low, high = _range(ends, 3 * budget)
    room = (BASE_ROOM + LINE * (3 if frame.narrow else 2)) / (frame.height - frame.top - frame.bottom)
    return _Plane(frame, across, (low, max(high, -low * room / (1 - room))))


def ends_shown(intervals: Sequence[Interval]) -> list[float]:
    """What an axis must hold: all estimates, and the ends of all intervals but those far longer than the rest, as of a
    recipe of two seeds. These leave the frame rather than squeeze everything else."""
    if not intervals:
        return []
    longest = MOST_LENGTHS * sorted(one.high - one.low for one in intervals)[(len(intervals) - 1) // 2]
    held = [end for one in intervals if one.high - one.low <= longest for end in (one.low, one.high)]
    return [one.estimate for one in intervals] + held


def _range(values: Sequence[float], least: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) + max(0.0, least - (high - low)) / 2
    return low - room, high + room


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers within a range, at most so many.

    >>> ticks(-1.4, 17.2), ticks(-2.1, 1.3)
    ([0.0, 5.0, 10.0, 15.0], [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0])
    """
    steps = (step * 10.0**power for power in range(-3, 4) for step in (1, 2, 5))
    for step in steps:
        first, last = -(-low // step), high // step
        if last - first + 1 <= most:
            return [round(step * number, 6) for number in range(int(first), int(last) + 1)]
    return [0.0]


def _axes(plane: _Plane, words: Words, voice: Voice) -> list[str]:
    left, top, right, bottom = plane.box
    parts = []
    for value in ticks(*plane.x):
        x = plane.at(value, 0)[0]
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top:g}" x2="{x:.1f}" y2="{bottom:g}"/>')
        parts.append(_written("tick", (x, bottom + 16), "middle", _tick(value, voice)))
    for value in ticks(*plane.y):
        y = plane.at(0, value)[1]
        parts.append(f'<line class="grid" x1="{left:g}" y1="{y:.1f}" x2="{right:g}" y2="{y:.1f}"/>')
        parts.append(_written("tick", (left - 6, y + 4), "end", _tick(value, voice)))
    zero = plane.at(0, 0)
    parts += [
        f'<line class="zero" x1="{left:g}" y1="{zero[1]:.1f}" x2="{right:g}" y2="{zero[1]:.1f}"/>',
        f'<line class="zero" x1="{zero[0]:.1f}" y1="{top:g}" x2="{zero[0]:.1f}" y2="{bottom:g}"/>',
        _written("axis", (4, 12), "start", f"↑ {words.y}"),
        _written("axis", (left, plane.frame.height - 8), "start", f"{words.x} →"),
        _written("axis", (right, top - 6), "end", f"{words.better} ↗"),
    ]
    return parts


def _tick(value: float, voice: Voice) -> str:
    return voice.points(value, signed=True, decimals=0 if value == int(value) else 1) if value else "0"


def _budget(plane: _Plane, y: float, beyond: str) -> str:
    """The line of the budget, everything below it tinted; a script moves the whole by its `transform`."""
    left, _, right, bottom = plane.box
    return (
        f'<g class="budget" data-line="{y:.1f}"><rect class="beyond" x="{left:g}" y="{y:.1f}" '
        f'width="{right - left:g}" height="{max(0.0, bottom - y):.1f}"/>'
        f'<line class="allowed" x1="{left:g}" y1="{y:.1f}" x2="{right:g}" y2="{y:.1f}"/>'
        f'<text class="beyond-words" x="{right - 4:g}" y="{bottom - 5:g}" text-anchor="end">{_text(beyond)}</text></g>'
    )


def _level(plane: _Plane, budget: float) -> Segment:
    left, _, right, _ = plane.box
    return (left, plane.line(budget)), (right, plane.line(budget))


def _path(pixels: Sequence[tuple[float, float]]) -> str:
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    return f'<polyline class="curve" points="{corners}"/>'


def _cross(plane: _Plane, point: Point) -> str:
    (x, y), gain, change = plane.at(point.gain.estimate, point.change.estimate), point.gain, point.change
    low, high = plane.at(gain.low, change.low), plane.at(gain.high, change.high)
    left, top, right, bottom = plane.box
    return (
        f'<g class="cross series-{point.series}" data-unit="{escape(point.key)}">'
        + _bar((max(low[0], left), y), (min(high[0], right), y), (low[0] < left, high[0] > right))
        + _bar((x, max(high[1], top)), (x, min(low[1], bottom)), (high[1] < top, low[1] > bottom))
        + "".join(_seed(plane, seed) for seed in point.seeds)
        + "</g>"
    )


def _bar(start: tuple[float, float], end: tuple[float, float], goes_on: tuple[bool, bool]) -> str:
    """A line from left to right or from top to bottom, with an arrow where it goes on beyond the frame."""
    (x1, y1), (x2, y2) = start, end
    parts = [f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>']
    flat = y1 == y2
    for is_cut, (x, y), back in ((goes_on[0], start, 6), (goes_on[1], end, -6)):
        if is_cut:
            sides = ((x + back, y - 4), (x + back, y + 4)) if flat else ((x - 4, y + back), (x + 4, y + back))
            corners = " ".join(f"{across:.1f},{down:.1f}" for across, down in ((x, y), *sides))
            parts.append(f'<polygon class="goes-on" points="{corners}"/>')
    return "".join(parts)


def _seed(plane: _Plane, seed: tuple[float, float]) -> str:
    x, y = plane.at(*seed)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'


def _base(plane: _Plane, words: Words) -> str:
    (x, y), told = plane.at(0, 0), ": ".join(_base_lines(words, narrow=False))
    return f'<g class="base"><title>{_text(told)}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"/></g>'


def _base_lines(words: Words, *, narrow: bool) -> tuple[str, ...]:
    return words.base if narrow else (words.base[0], ", ".join(words.base[1:]))


def _points(
    plane: _Plane, points: Sequence[Point], lines: Sequence[Segment], allowed: float, pick: str | None, words: Words
) -> list[str]:
    """Markers with their names, each name where it covers least, lines among it; the origin has the base model's, which
    stand above the height `allowed`, that of the budget's line."""
    left, top, right, bottom = plane.box
    base = _base_lines(words, narrow=plane.frame.narrow)
    pixels = [plane.at(0, 0), *(plane.at(point.gain.estimate, point.change.estimate) for point in points)]
    sizes = [(LETTER * max(map(len, base)), LINE * len(base)), *((LETTER * len(p.label), LINE) for p in points)]
    crosses = [
        segment
        for point in points
        for segment in (
            (plane.at(point.gain.low, point.change.estimate), plane.at(point.gain.high, point.change.estimate)),
            (plane.at(point.gain.estimate, point.change.low), plane.at(point.gain.estimate, point.change.high)),
        )
    ]
    limits = [(left, top, right, allowed), *[(left, top, right, bottom)] * len(points)]
    spots = spots_beside(pixels, sizes, [*lines, *crosses], limits, 1.0)
    box, _ = spots[0]
    levels = "".join(f'<tspan x="{box[0]:.1f}" dy="{LINE - 1:g}">{_text(line)}</tspan>' for line in base[1:])
    parts = [
        f'<text class="base-words" x="{box[0]:.1f}" y="{box[1] + 11:.1f}">'
        f'<tspan class="strong">{_text(base[0])}</tspan>{levels}</text>'
    ]
    for point, place, (box, away) in zip(points, pixels[1:], spots[1:], strict=True):
        picked = " picked" if point.key == pick else ""
        inner = _marker(place, point)
        if away >= 18:
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            inner += f'<line class="leader" x1="{place[0]:.1f}" y1="{place[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}"/>'
        inner += _written("name", ((box[0] + box[2]) / 2, box[1] + 11.5), "middle", point.label)
        opening = f'class="point series-{point.series}{picked}" data-unit="{escape(point.key)}"'
        opening += f' data-told="{_text(point.told)}"'
        if point.href:
            name = point.told if point.label in point.told else f"{point.label}: {point.told}"
            parts.append(f'<a {opening} href="{escape(point.href)}" aria-label="{_text(name)}">{inner}</a>')
        else:
            parts.append(f"<g {opening}>{inner}</g>")
    return parts


def _marker(place: tuple[float, float], point: Point) -> str:
    (x, y), shape = place, SHAPES[point.series % len(SHAPES)]
    hollow, size = (" hollow", 4.5) if point.derived else ("", 6.0)
    if shape == "circle":
        return f'<circle class="marker{hollow}" cx="{x:.1f}" cy="{y:.1f}" r="{size:g}"/>'
    corners = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle": ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    }[shape]
    outline = " ".join(f"{x + size * across:.1f},{y + size * up:.1f}" for across, up in corners)
    return f'<polygon class="marker{hollow}" points="{outline}"/>'


def whisker(interval: Interval, scale: tuple[float, float], series: int, limit: float | None = None) -> str:
    """An interval as a dot with its whiskers, for one cell of a table: a line at 0, a dashed one at -limit."""
    width, height = 120.0, 16.0

    def x(value: float) -> float:
        return 4 + (width - 8) * (value - scale[0]) / (scale[1] - scale[0])

    marks = [f'<line class="zero" x1="{x(0):.1f}" y1="1" x2="{x(0):.1f}" y2="15"/>']
    if limit is not None:
        marks.append(f'<line class="allowed" x1="{x(-limit):.1f}" y1="1" x2="{x(-limit):.1f}" y2="15"/>')
    low, high = max(interval.low, scale[0]), min(interval.high, scale[1])
    marks.append(
        f'<g class="range">{_bar((x(low), 8), (x(high), 8), (interval.low < scale[0], interval.high > scale[1]))}</g>'
    )
    marks.append(f'<circle cx="{x(interval.estimate):.1f}" cy="8" r="3.5"/>')
    opening = f'<svg class="whisker series-{series}" viewBox="0 0 {width:g} {height:g}" aria-hidden="true">'
    return opening + "".join(marks) + "</svg>"


def whisker_scale(intervals: Mapping[str, Interval], limit: float = 0.0) -> tuple[float, float]:
    """One scale for a column of whiskers."""
    ends = ends_shown(list(intervals.values()))
    low, high = min(0.0, -limit, *ends), max(0.0, *ends)
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def paths_of(curves: Sequence[Sequence[str]], unit_of: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """The curves of variants as paths through units, each path once."""
    joined = (tuple(dict.fromkeys(unit_of[name] for name in curve if name in unit_of)) for curve in curves)
    return tuple(dict.fromkeys(path for path in joined if len(path) > 1))


def _written(kind: str, place: tuple[float, float], anchor: str, words: str) -> str:
    return f'<text class="{kind}" x="{place[0]:.1f}" y="{place[1]:.1f}" text-anchor="{anchor}">{_text(words)}</text>'


def _text(words: str) -> str:
    return escape(typeset(words))
