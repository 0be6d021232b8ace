"""Names beside points so that no name covers a point, a cross or another name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from paretune.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]  # left, bottom, right, top, in pixels
DISTANCES = (9.0, 16.0, 26.0, 40.0, 58.0, 80.0)  # points of 1/72 inch from the marker's centre
DIRECTIONS = ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.5), (1, -0.5), (-1, 0.5))
LEADER_FROM = 20.0
FONT_SIZE = 8.5


def place_labels(
    figure: Figure,
    axes: Axes,
    places: Mapping[str, tuple[float, float]],
    crosses: Sequence[tuple[Interval, Interval]],
    colours: Mapping[str, str],
) -> None:
    """Write each name near its place (in data units), with a thin line to it where it stands away.

    crosses: the intervals drawn around the points, across and up. Greedy: names of crowded points first, each at the
    spot with the least overlap, nearer spots first. The figure is laid out here, so call it last.
    """
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    frame = axes.get_window_extent()
    limits: Box = (frame.x0, frame.y0, frame.x1, frame.y1)
    pixels = {name: tuple(axes.transData.transform(place)) for name, place in places.items()}
    markers = [_around((x, y), 7 * scale, 7 * scale) for x, y in pixels.values()]
    lines = [box for cross in crosses for box in _cross_boxes(axes, cross, scale)]
    taken: list[Box] = []
    sizes = _sizes(figure, axes, list(places))
    for name in sorted(places, key=lambda name: -_neighbours(pixels[name], list(pixels.values()))):
        width, height = sizes[name]
        best: tuple[float, Box, float] | None = None
        for order, (distance, direction) in enumerate(product(DISTANCES, DIRECTIONS)):
            box = _beside((pixels[name][0], pixels[name][1]), distance * scale, direction, (width, height))
            price = (
                60 * _overlap([box], taken) + 25 * _overlap([box], markers) + 4 * _overlap([box], lines)
            ) / (width * height) + 100 * _outside(box, limits) + 0.012 * order  # fmt: skip
            if best is None or price < best[0]:
                best = (price, box, distance)
        if best is not None:
            _write(axes, name, best[1], best[2] >= LEADER_FROM, places[name], colours[name])
            taken.append(_grown(best[1], 2 * scale))


def _write(axes: Axes, name: str, box: Box, leader: bool, place: tuple[float, float], colour: str) -> None:
    to_data = axes.transData.inverted()
    centre = to_data.transform(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    axes.annotate(
        name,
        xy=place,
        xytext=(float(centre[0]), float(centre[1])),
        ha="center",
        va="center",
        fontsize=FONT_SIZE,
        color=colour,
        zorder=7,
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.7, "shrinkB": 3, "shrinkA": 1}
        if leader
        else None,
    )


def _sizes(figure: Figure, axes: Axes, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Width and height of each name in pixels."""
    sizes: dict[str, tuple[float, float]] = {}
    for name in names:
        text = axes.text(0, 0, name, fontsize=FONT_SIZE)
        extent = text.get_window_extent()
        sizes[name] = (extent.width, extent.height)
        text.remove()
    return sizes


def _cross_boxes(axes: Axes, cross: tuple[Interval, Interval], scale: float) -> list[Box]:
    across, up = cross
    left, y = axes.transData.transform((across.low, up.estimate))
    right, _ = axes.transData.transform((across.high, up.estimate))
    x, bottom = axes.transData.transform((across.estimate, up.low))
    _, top = axes.transData.transform((across.estimate, up.high))
    return [(left, y - scale, right, y + scale), (x - scale, bottom, x + scale, top)]


def _beside(point: tuple[float, float], away: float, direction: tuple[float, float], size: tuple[float, float]) -> Box:
    """The box that stands `away` from the point in a direction."""
    across, up = direction
    length = math.hypot(across, up)
    x, y = point[0] + away * across / length, point[1] + away * up / length
    left = x - size[0] / 2 + (size[0] / 2) * (1 if across > 0 else -1 if across < 0 else 0)
    bottom = y - size[1] / 2 + (size[1] / 2) * (1 if up > 0 else -1 if up < 0 else 0)
    return (left, bottom, left + size[0], bottom + size[1])


def _around(point: tuple[float, ...], across: float, up: float) -> Box:
    return (point[0] - across, point[1] - up, point[0] + across, point[1] + up)


def _grown(box: Box, by: float) -> Box:
    return (box[0] - by, box[1] - by, box[2] + by, box[3] + by)


def _overlap(boxes: Sequence[Box], others: Sequence[Box]) -> float:
    """Common area in square pixels, added up over all pairs."""
    area = 0.0
    for one in boxes:
        for two in others:
            width = min(one[2], two[2]) - max(one[0], two[0])
            height = min(one[3], two[3]) - max(one[1], two[1])
            if width > 0 and height > 0:
                area += width * height
    return area


def _outside(box: Box, limits: Box) -> float:
    """Pixels by which the box leaves the frame."""
    return sum(
        max(0.0, distance)
        for distance in (limits[0] - box[0], limits[1] - box[1], box[2] - limits[2], box[3] - limits[3])
    )


def _neighbours(point: tuple[float, ...], others: Sequence[tuple[float, ...]]) -> float:
    """How crowded a point is: the sum of 1 / distance to all others."""
    distances = [math.hypot(point[0] - x, point[1] - y) for x, y, *_ in others]
    return sum(1 / (distance + 5) for distance in distances)
