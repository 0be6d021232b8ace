"""A difference between two variants and what is known of its error, at every level that a decision may ask for.

One object decides everything: the interval that is printed, whether a gain is shown, whether a loss is ruled out and
what could have been shown. Its error has up to three sources, none of which may be seen through the others:

- questions in their clusters: CR2 standard error with t (`clusters`);
- seeds of a recipe, with a t of their own; both half-widths are added as squares (Howe 1974);
- the flips themselves. With few of them the observed spread says little: of 600 questions that lose one in a hundred,
  some samples lose none. So nothing counts as ruled out that the score test for paired proportions (Tango 1998) would
  not rule out for as many independent questions. Its quantile is the normal one where flips are many per cluster and
  t's where they are fewer than clusters, since the spread between clusters is then not visible either.

Why these: benchmarks/coverage.py and docs/results.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import optimize, special

from paretune.errors import StatisticsError
from paretune.stats.intervals import Interval

POWER = 0.8
_STEPS = 44  # of bisection: 1e-11 of a point, 1e-11 of a p value
_SMALLEST_P = 1e-300


@dataclass(frozen=True, slots=True)
class ErrorPart:
    """One source of error. standard_error: in points; degrees_of_freedom: of its own t."""

    standard_error: float
    degrees_of_freedom: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Second minus first in points, on `questions` questions.

    parts: questions' error first, then that of seeds, if any. gained, lost: questions that only the second, only the
    first answered correctly (of a recipe: mean over seeds). clusters: 0 where questions are independent;
    effective_clusters: clusters of equal size that they are worth. method: how the interval is made, in English.
    """

    difference: float
    parts: tuple[ErrorPart, ...]
    gained: float
    lost: float
    questions: int
    clusters: int
    effective_clusters: float
    method: str

    def interval(self, tail: float, confidence: float | None = None) -> Interval:
        """All differences that neither one-sided test at level `tail` rejects.

        confidence: what to print beside it where the level of a family is meant; 1 - 2 tail when absent.
        """
        level = 1 - 2 * tail if confidence is None else confidence
        low, high = self.low(tail), self.high(tail)
        return Interval(self.difference, low, high, level, self.questions, self.clusters, self.method)

    def low(self, tail: float) -> float:
        """Smallest difference in points that the one-sided test at level `tail` does not reject."""
        _check_tail(tail)
        return max(-100.0, min(self.difference - self._half(tail), self._score_limit(tail)))

    def high(self, tail: float) -> float:
        """Largest such difference."""
        return -self._mirrored().low(tail)

    def p_above(self, value: float) -> float:
        """One-sided p of "the difference is at most `value`"; small where it is shown to be larger."""
        if self.difference == value:
            return 0.5
        if self.difference < value:
            return 1 - self._mirrored().p_above(-value)
        low, high = _SMALLEST_P, 0.5
        for _ in range(_STEPS):
            middle = (low * high) ** 0.5
            low, high = (low, middle) if self._excludes(value, middle) else (middle, high)
        return high

    def p_below(self, value: float) -> float:
        """One-sided p of "the difference is at least `value`"."""
        return self._mirrored().p_above(-value)

    def p_two_sided(self) -> float:
        """Two-sided p of no difference."""
        return min(1.0, 2 * min(self.p_above(0.0), self.p_below(0.0)))

    def detectable(self, tail: float, power: float = POWER) -> float | None:
        """True difference in points that data like these show at level `tail` with probability `power` (noncentral t).

        Several sources of error: half-widths at the level and at the power are added. A difference of d points needs
        d % of the questions to differ, so few flips do not make it small. None where no possible difference would be
        shown.
        """
        _check_tail(tail)
        part = self.parts[0]
        by_t = self._half(tail) + self._half(1 - power)
        if len(self.parts) == 1:
            reach = noncentrality(tail, power, part.degrees_of_freedom)
            by_t = reach * part.standard_error / _bias_of_deviation(part.degrees_of_freedom)
        by_score = self._score_quantile(tail) + float(special.ndtri(power))
        observed = (self.gained + self.lost) / self.questions

        def lacks(points: float) -> float:
            share = points / 100
            independent = 100 * sqrt((max(observed, share) - share**2) / self.questions)
            return points - max(by_t, by_score * independent)

        if lacks(100.0) < 0:
            return None
        return float(optimize.brentq(lacks, 1e-9, 100.0)) if lacks(1e-9) < 0 else None

    def _half(self, tail: float) -> float:
        """Half-width in points by t over clusters, and over seeds where there are any."""
        squares = [
            (float(special.stdtrit(part.degrees_of_freedom, 1 - tail)) * part.standard_error) ** 2
            for part in self.parts
        ]
        return float(sum(squares) ** 0.5)

    def _score_quantile(self, tail: float) -> float:
        """Between z and t: t as far as flips are fewer than clusters."""
        normal = float(special.ndtri(1 - tail))
        if not self.clusters:
            return normal
        student = float(special.stdtrit(self.parts[0].degrees_of_freedom, 1 - tail))
        unseen = self.clusters / (self.clusters + self.gained + self.lost)
        return float((normal**2 + (student**2 - normal**2) * unseen) ** 0.5)

    def _score_limit(self, tail: float) -> float:
        """The smallest difference that the score test does not reject, in points."""
        quantile = self._score_quantile(tail)
        low, high = -100.0, self.difference
        for _ in range(_STEPS):
            middle = (low + high) / 2
            excluded = self.difference - middle > quantile * self._score_error(middle)
            low, high = (middle, high) if excluded else (low, middle)
        return low

    def _score_error(self, value: float) -> float:
        return 100 * sqrt(score_variance(self.gained, self.lost, self.questions, value / 100))

    def _excludes(self, value: float, tail: float) -> bool:
        """Whether a true difference of `value`, below the estimate, is rejected at level `tail`."""
        distance = self.difference - value
        return distance > self._half(tail) and distance > self._score_quantile(tail) * self._score_error(value)

    def _mirrored(self) -> Estimate:
        return Estimate(
            -self.difference,
            self.parts,
            self.lost,
            self.gained,
            self.questions,
            self.clusters,
            self.effective_clusters,
            self.method,
        )


def score_variance(gained: float, lost: float, questions: int, difference: float) -> float:
    """Variance of (gained - lost) / questions if its true value were `difference`, in [-1, 1].

    The shares that turn right and wrong are those most likely under that difference (Tango 1998); questions are
    independent. Without any flip and a difference of -d it is (d - d^2) / questions.

    >>> round(score_variance(0, 0, 100, -0.1), 6)
    0.0009
    """
    flips = gained + lost
    linear = flips * (1 + difference) - 2 * lost * difference - 2 * questions * difference
    root = sqrt(max(0.0, linear**2 + 8 * questions * lost * difference * (1 - difference)))
    turned_wrong = (linear + root) / (4 * questions)
    return max(0.0, (2 * turned_wrong + difference - difference**2) / questions)


def noncentrality(tail: float, power: float, freedom: float) -> float:
    """True difference in standard errors that t with `freedom` degrees shows at one-sided level `tail` with `power`.

    >>> round(noncentrality(0.025, 0.8, 1e9), 3)
    2.802
    """
    if not 0 < power < 1:
        raise StatisticsError(f"power {power}: expected a probability between 0 and 1, such as 0.8")
    _check_tail(tail)
    if freedom > 1e5:
        return float(special.ndtri(1 - tail) + special.ndtri(power))
    critical = float(special.stdtrit(freedom, 1 - tail))

    def lacks(shift: float) -> float:
        return 1 - float(special.nctdtr(freedom, shift, critical)) - power

    top = critical + float(special.stdtrit(freedom, max(power, 0.5))) + 1.0
    while lacks(top) < 0:
        top *= 2
    return float(optimize.brentq(lacks, 0.0, top, xtol=1e-6)) if lacks(0.0) < 0 else 0.0


def _bias_of_deviation(freedom: float) -> float:
    """By how much a standard deviation is estimated too small on average: 0.95 with 5 degrees of freedom."""
    return float(np.exp(special.gammaln((freedom + 1) / 2) - special.gammaln(freedom / 2)) * sqrt(2 / freedom))


def _check_tail(tail: float) -> None:
    if not 0 < tail <= 0.5:
        raise StatisticsError(f"level {tail}: expected a one-sided level in (0, 0.5], such as 0.025")
