"""Names beside points so that no name covers a point, a line or another name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Place = tuple[float, float]
Segment = tuple[Place, Place]
Box = tuple[float, float, float, float]  # left, bottom, right, top, in pixels
DISTANCES = (8.0, 12.0, 18.0, 28.0, 42.0, 60.0, 80.0)  # points of 1/72 inch from the marker's centre
DIRECTIONS = ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.5), (1, -0.5), (-1, 0.5))
LEADER_FROM = 18.0
FONT_SIZE = 8.5
MARKER_RADIUS = 6.0


@dataclass(frozen=True, slots=True)
class Label:
    """A name, the place in data units that it belongs to, and its colour."""

    text: str
    place: Place
    colour: str


def place_labels(figure: Figure, axes: Axes, labels: Sequence[Label], segments: Sequence[Segment], paper: str) -> None:
    """Write each label near its place, with a thin line to it where it stands away.

    segments: lines already drawn, in data units. The figure is laid out here, so call it last.
    """
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    frame = axes.get_window_extent()
    pixels = [_pixels(axes, label.place) for label in labels]
    lines = [(_pixels(axes, start), _pixels(axes, end)) for start, end in segments]
    sizes = [_size(axes, label.text) for label in labels]
    spots = spots_beside(pixels, sizes, lines, [(frame.x0, frame.y0, frame.x1, frame.y1)] * len(labels), scale)
    for label, (box, distance) in zip(labels, spots, strict=True):
        _write(axes, label, box, distance >= LEADER_FROM, paper)


def spots_beside(
    points: Sequence[Place],
    sizes: Sequence[tuple[float, float]],
    lines: Sequence[Segment],
    limits: Sequence[Box],
    scale: float,
) -> list[tuple[Box, float]]:
    """Where the name of each point stands, and how far from it, in points of 1/72 inch.

    points, sizes, lines, limits: in pixels; within its limits each name should stay. scale: pixels per point. Greedy:
    labels of crowded points first, each at the spot that covers least, nearer spots first.
    """
    radius = MARKER_RADIUS * scale
    markers = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    taken: list[Box] = []
    spots: dict[int, tuple[Box, float]] = {}
    for at in sorted(range(len(points)), key=lambda at: -_crowding(points[at], points)):
        best: tuple[float, Box, float] | None = None
        for order, (distance, direction) in enumerate(product(DISTANCES, DIRECTIONS)):
            box = _beside(points[at], distance * scale, direction, sizes[at])
            covered = (
                8 * _share_covered(box, taken) + 5 * _share_covered(box, markers) + 100 * _outside(box, limits[at])
            )
            price = covered + 0.6 * _crossings(box, lines) + 0.02 * order
            if best is None or price < best[0]:
                best = (price, box, distance)
        assert best is not None  # there is always a nearest spot
        spots[at] = best[1:]
        left, bottom, right, top = best[1]
        taken.append((left - 2 * scale, bottom - scale, right + 2 * scale, top + scale))
    return [spots[at] for at in range(len(points))]


def _write(axes: Axes, label: Label, box: Box, leader: bool, paper: str) -> None:
    across, up = axes.transData.inverted().transform(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    arrow = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.6, "alpha": 0.7, "shrinkB": 3, "shrinkA": 1}
    axes.annotate(
        label.text,
        xy=label.place,
        xytext=(float(across), float(up)),
        ha="center",
        va="center",
        fontsize=FONT_SIZE,
        color=label.colour,
        zorder=7,
        arrowprops=arrow if leader else None,
        bbox={"facecolor": paper, "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
    )


def _pixels(axes: Axes, place: Place) -> Place:
    across, up = axes.transData.transform(place)
    return float(across), float(up)


def _size(axes: Axes, name: str) -> tuple[float, float]:
    """Width and height of a name in pixels."""
    text = axes.text(0, 0, name, fontsize=FONT_SIZE)
    extent = text.get_window_extent()
    text.remove()
    return float(extent.width), float(extent.height)


def _beside(point: Place, away: float, direction: tuple[float, float], size: tuple[float, float]) -> Box:
    """The box that stands `away` from the point in a direction."""
    across, up = direction
    length = math.hypot(across, up)
    x, y = point[0] + away * across / length, point[1] + away * up / length
    left = x + size[0] / 2 * ((across > 0) - (across < 0) - 1)
    bottom = y + size[1] / 2 * ((up > 0) - (up < 0) - 1)
    return (left, bottom, left + size[0], bottom + size[1])


def _share_covered(box: Box, others: Sequence[Box]) -> float:
    """Common area with all others, as a share of the box."""
    area = 0.0
    for other in others:
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        if width > 0 and height > 0:
            area += width * height
    return area / ((box[2] - box[0]) * (box[3] - box[1]))


def _crossings(box: Box, lines: Sequence[Segment]) -> float:
    """How many box heights of line run under the box."""
    return sum(_length_inside(box, line) for line in lines) / (box[3] - box[1])


def _length_inside(box: Box, line: Segment) -> float:
    """Length of a segment within a box (Liang and Barsky 1984)."""
    (x, y), (end_x, end_y) = line
    step_x, step_y = end_x - x, end_y - y
    enter, leave = 0.0, 1.0
    for step, room in ((-step_x, x - box[0]), (step_x, box[2] - x), (-step_y, y - box[1]), (step_y, box[3] - y)):
        if step == 0:
            if room < 0:
                return 0.0
        elif step < 0:
            enter = max(enter, room / step)
        else:
            leave = min(leave, room / step)
    return max(0.0, leave - enter) * math.hypot(step_x, step_y)


def _outside(box: Box, limits: Box) -> float:
    """Pixels by which the box leaves the frame."""
    beyond = (limits[0] - box[0], limits[1] - box[1], box[2] - limits[2], box[3] - limits[3])
    return sum(max(0.0, distance) for distance in beyond)


def _crowding(point: Place, others: Sequence[Place]) -> float:
    """How near all others are: the sum of 1 / distance."""
    return sum(1 / (math.dist(point, other) + 5) for other in others)
