"""The dial: one adapter at several scales and checkpoints, both axes at each, on questions that are not the test's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from paretune.analysis.results import UnitVerdict, Verdict
from paretune.stats.intervals import Interval

STEP = 0.05  # of the scale, between interpolated points
FEWEST = 3  # scales that a curve goes through


@dataclass(frozen=True, slots=True)
class DialPoint:
    """One state of a variant's adapter. checkpoint: after so many steps, None for the finished adapter. target, general
    (by suite): accuracies in points. judged: what is claimed of it; None at scale 0, which is the base model."""

    name: str
    scale: float
    checkpoint: int | None
    target: float
    general: Mapping[str, float]
    judged: UnitVerdict | None

    @property
    def target_change(self) -> Interval | None:
        """Against the base model, with the interval that holds for all points together; None for the base itself."""
        return None if self.judged is None else self.judged.unit.leading.interval

    def general_change(self, suite: str) -> Interval | None:
        """The same on a suite."""
        if self.judged is None:
            return None
        return next(claim.interval for claim in self.judged.unit.general if claim.benchmark == suite)


@dataclass(frozen=True, slots=True)
class Dial:
    """A variant's points with the verdict on them. questions: target questions judged; choices: questions by suite;
    base: the base model's accuracy on the target and on each suite."""

    variant: str
    points: tuple[DialPoint, ...]
    verdict: Verdict
    questions: int
    choices: Mapping[str, int]
    base: tuple[float, Mapping[str, float]]

    @property
    def pick(self) -> DialPoint | None:
        """The point to use; None for the base model."""
        name = None if self.verdict.pick is None else self.verdict.pick.unit.name
        return next((point for point in self.points if point.name == name), None)


@dataclass(frozen=True, slots=True)
class Between:
    """A point of the curve through the measured scales of the finished adapter, changes in points. low, high: the ends
    of the measured points' intervals, joined by the same rule; no interval of their own."""

    scale: float
    target: Interval
    general: Mapping[str, Interval]


def between(dial: Dial) -> Iterator[Between]:
    """The curve between measured scales, in steps of STEP; none with fewer than FEWEST scales.

    A scale is a continuous path of weights, so accuracy between two near ones is not far from theirs; the curve is
    monotone between neighbours (Fritsch and Carlson 1980) and so invents no optimum. Checkpoints are no such path.
    """
    points = sorted((point for point in dial.points if point.checkpoint is None), key=lambda point: point.scale)
    scales = [point.scale for point in points]
    if len(scales) < FEWEST:
        return
    inner = [scale for scale in _grid(scales[0], scales[-1]) if not np.isclose(scale, scales).any()]
    target = _curve(scales, [point.target_change for point in points], inner)
    general = {
        suite: _curve(scales, [point.general_change(suite) for point in points], inner) for suite in dial.choices
    }
    for at, scale in enumerate(inner):
        yield Between(scale, target[at], {suite: curve[at] for suite, curve in general.items()})


def _grid(low: float, high: float) -> list[float]:
    return [round(step * STEP, 10) for step in range(int(np.ceil(low / STEP)), int(np.floor(high / STEP)) + 1)]


def _curve(scales: Sequence[float], changes: Sequence[Interval | None], inner: Sequence[float]) -> list[Interval]:
    from scipy.interpolate import PchipInterpolator

    ends = np.array([(0.0, 0.0, 0.0) if item is None else (item.estimate, item.low, item.high) for item in changes])
    known = next(item for item in changes if item is not None)
    found = PchipInterpolator(scales, ends)(inner) if inner else np.empty((0, 3))
    return [
        Interval(float(row[0]), float(row[1]), float(row[2]), known.confidence, known.n, known.clusters, "interpolated")
        for row in found
    ]
