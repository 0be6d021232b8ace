"""Gain on the target against loss of general ability: ratios, the Pareto front, and a choice under a budget.

A variant is a point (target, general), both in percentage points, more is better on both. Ratios come with Fieller's
interval or not at all: where the denominator cannot be told from zero they raise UndefinedFigure.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from paretune.errors import EmptySample, StatisticsError, UndefinedFigure
from paretune.stats.clusters import FloatArray, are_a_sample, as_columns, covariance, mean_from_sums, sum_by_cluster
from paretune.stats.intervals import FEWEST_CLUSTERS_FOR_BOOTSTRAP, Interval
from paretune.stats.paired import PairedDifference, implied_error, paired_estimate

FEWEST_REPLICATES_REACHING = 0.95
EXPANDED_PERCENTILE = "expanded percentile bootstrap"


def retention(
    base: Sequence[bool] | npt.NDArray[np.bool_],
    tuned: Sequence[bool] | npt.NDArray[np.bool_],
    chance: float | Sequence[float],
    clusters: Sequence[Hashable] | None,
    *,
    confidence: float = 0.95,
) -> Interval:
    """How much of the ability above chance was kept, in percent: 100 (tuned - chance) / (base - chance).

    base, tuned: (n_questions,), aligned. chance: probability of a blind guess in [0, 1], one for all questions or one
    each. Fieller's interval over clusters, both means correlated (measured coverage of 95 % over 20 databases: 94 to
    96; over 3 to 6, 88 to 96 and often too wide to use). Above 100 means improved. Raises UndefinedFigure
    where the base model cannot be told from chance, EmptySample without questions.
    """
    right = np.column_stack([as_columns(tuned)[:, 0], as_columns(base)[:, 0]])
    guessed = np.broadcast_to(np.asarray(chance, dtype=np.float64), (len(right),))
    if not ((guessed >= 0) & (guessed < 1)).all():
        raise StatisticsError("chance: expected a probability in [0, 1), such as 0.25 for four options")
    known = clusters if clusters is not None and are_a_sample(clusters) else None
    total = sum_by_cluster(right - guessed[:, None], known)
    means = total.sums.sum(axis=0) / total.questions
    spread = covariance(total)
    freedom = mean_from_sums(total, 1).degrees_of_freedom
    quantile = float(stats.t.ppf((1 + confidence) / 2, freedom))
    floor = float(np.var(right[:, 1], ddof=1)) / total.questions * (_normal(confidence) / quantile) ** 2
    if means[1] <= quantile * max(float(spread[1, 1]), floor) ** 0.5:
        raise UndefinedFigure(
            f"the base model is {100 * means[1]:.1f} points from chance, within the error of that figure: "
            "retention has no meaning; ask more questions or another method (cloze)"
        )
    paired = paired_estimate(right[:, 1], right[:, 0], known)
    floored = implied_error(paired, (1 - confidence) / 2) / 100
    spread[0, 0] += max(0.0, floored**2 - (paired.parts[0].standard_error / 100) ** 2)
    low, high = fieller(float(means[0]), float(means[1]), spread, quantile)
    groups = len(total.sizes) if known is not None else 0
    ratio = float(means[0] / means[1])
    return Interval(100 * ratio, 100 * low, 100 * high, confidence, total.questions, groups, "Fieller over clusters")


def fieller(numerator: float, denominator: float, covariances: FloatArray, quantile: float) -> tuple[float, float]:
    """Limits of numerator / denominator (Fieller 1954): all ratios r with |a - r b| <= quantile * SE(a - r b).

    covariances: (2, 2) of (numerator, denominator). Raises UndefinedFigure where that set is not an interval, which
    is where the denominator cannot be told from zero.
    """
    squared = quantile**2
    leading = denominator**2 - squared * float(covariances[1, 1])
    middle = numerator * denominator - squared * float(covariances[0, 1])
    constant = numerator**2 - squared * float(covariances[0, 0])
    if leading <= 0:
        raise UndefinedFigure("the denominator's interval holds 0: the ratio can be anything")
    root = max(0.0, middle**2 - leading * constant) ** 0.5
    return (middle - root) / leading, (middle + root) / leading


def points_lost_per_point_gained(target: PairedDifference, general: PairedDifference) -> Interval:
    """What a point on the target cost in general ability: -general / target, both against the same baseline.

    The two benchmarks share no question, so their errors are independent; Fieller's interval, degrees of freedom by
    Satterthwaite over both, with few target clusters no more than the target's own. Negative means that general
    ability rose. Measured coverage of 95 % over 20 databases: 93 to 97 where most samples show the gain; where only the
    lucky ones do, their price is too low, as their gain is too high. Raises UndefinedFigure where the gain's interval
    holds 0 or lies below it.
    """
    if target.t.low <= 0:
        raise UndefinedFigure(
            f"the gain of {target.difference:.1f} points [{target.t.low:.1f}, {target.t.high:.1f}] "
            "is not shown to be above 0: there is no price for a point"
        )
    confidence = min(target.t.confidence, general.t.confidence)
    ratio = -general.difference / target.difference
    errors = np.diag([general.standard_error**2, target.standard_error**2])
    lost, gained = float(errors[0, 0]), ratio**2 * float(errors[1, 1])
    freedom = (lost + gained) ** 2 / (lost**2 / general.degrees_of_freedom + gained**2 / target.degrees_of_freedom)
    if 0 < target.t.clusters < FEWEST_CLUSTERS_FOR_BOOTSTRAP:
        freedom = min(freedom, target.degrees_of_freedom)
    low, high = fieller(
        -general.difference, target.difference, errors, float(stats.t.ppf((1 + confidence) / 2, freedom))
    )
    groups = min(target.t.clusters, general.t.clusters)
    questions = target.n + general.n
    return Interval(ratio, low, high, confidence, questions, groups, "Fieller, independent benchmarks")


def pareto_front(points: npt.ArrayLike) -> tuple[bool, ...]:
    """Which variants no other beats: at least as good on both axes and better on one. points: (variants, 2).

    >>> pareto_front([[60, 50], [75, 49], [70, 48], [75, 49]])
    (True, True, False, True)
    """
    array = _points(points)
    return tuple(bool(on) for on in _on_front(array[None, :, 0], array[None, :, 1])[0])


def front_probability(target: FloatArray, general: FloatArray) -> tuple[float, ...]:
    """Probability in [0, 1] that each variant is on the front, over bootstrap replicates.

    target, general: (replicates, variants) from `clusters.joint_bootstrap` of each axis; the axes are independent.
    """
    if target.shape != general.shape or target.ndim != 2 or target.size == 0:
        raise StatisticsError(f"expected (replicates, variants) on both axes, not {target.shape} and {general.shape}")
    return tuple(_on_front(target, general).mean(axis=0).tolist())


def hypervolume(points: npt.ArrayLike, reference: tuple[float, float]) -> float:
    """Area (square points) that the variants dominate above the reference point (Zitzler and Thiele 1999).

    A useful reference is (0, chance): every curve of the same experiment must be given the same one.

    >>> hypervolume([[2, 1], [1, 2]], (0, 0))
    3.0
    """
    array = np.maximum(_points(points) - np.asarray(reference, dtype=np.float64), 0)
    area, height = 0.0, 0.0
    for gain, kept in sorted(array.tolist(), reverse=True):
        if kept > height:
            area += gain * (kept - height)
            height = kept
    return area


def hypervolume_interval(
    points: npt.ArrayLike,
    target: FloatArray,
    general: FloatArray,
    reference: tuple[float, float],
    *,
    freedom: float,
    confidence: float = 0.95,
) -> Interval:
    """Hypervolume with the expanded percentile interval of the replicates (in the unit of points).

    The best of many noisy variants looks better than it is, so this favours experiments with many variants: compare
    only experiments of the same number of variants.
    """
    drawn = np.array(
        [hypervolume(np.column_stack([gain, kept]), reference) for gain, kept in zip(target, general, strict=True)]
    )
    low, high = expanded_percentiles(drawn, confidence, freedom)
    estimate = hypervolume(points, reference)
    return Interval(
        estimate, min(low, estimate), max(high, estimate), confidence, 0, 0, "expanded percentile bootstrap"
    )


def loss_at_matched_gain(gains: Sequence[float], losses: Sequence[float], gain: float) -> float:
    """Points lost where a curve reaches `gain`, by straight lines between its points.

    gains, losses: along the curve in the order of its scales or checkpoints; (0, 0), the baseline, is put first when
    absent. The first crossing counts: the least tuning that reaches the gain. Raises UndefinedFigure where the curve
    never does.

    >>> loss_at_matched_gain([4, 8, 12], [0, 1, 3], 10)
    2.0
    """
    if len(gains) != len(losses):
        raise StatisticsError(f"{len(gains)} gains but {len(losses)} losses")
    if len(gains) == 0:
        raise EmptySample("a curve without points")
    at, lost = [0.0, *map(float, gains)], [0.0, *map(float, losses)]
    for left in range(len(at) - 1):
        low, high = at[left], at[left + 1]
        if low <= gain <= high or high <= gain <= low:
            if low == high:
                return min(lost[left], lost[left + 1])
            share = (gain - low) / (high - low)
            return lost[left] + share * (lost[left + 1] - lost[left])
    raise UndefinedFigure(f"no point of the curve gains {gain:.1f} points; the most is {max(at):.1f}")


def matched_loss_interval(
    target: FloatArray,
    general: FloatArray,
    gain: float,
    estimate: float,
    *,
    freedom: float,
    confidence: float = 0.95,
) -> Interval:
    """Loss at a matched gain with the expanded percentile interval over bootstrap replicates, in points.

    target, general: (replicates, 1 + curve points) in points, the baseline in column 0. estimate: the figure from the
    data themselves. Raises UndefinedFigure where fewer than 95 % of the replicates reach the gain.
    """
    differences: list[float] = []
    for reached, kept in zip(target, general, strict=True):
        try:
            differences.append(
                loss_at_matched_gain((reached[1:] - reached[0]).tolist(), (kept[0] - kept[1:]).tolist(), gain)
            )
        except UndefinedFigure:
            continue
    if len(differences) < FEWEST_REPLICATES_REACHING * len(target):
        raise UndefinedFigure(
            f"only {len(differences)} of {len(target)} replicates of the curve gain {gain:.1f} points; "
            "choose a smaller gain"
        )
    low, high = expanded_percentiles(np.asarray(differences), confidence, freedom)
    return Interval(estimate, low, high, confidence, 0, 0, EXPANDED_PERCENTILE)


def expanded_percentiles(replicates: FloatArray, confidence: float, freedom: float) -> tuple[float, float]:
    """Percentiles of bootstrap replicates, moved outwards as t is wider than the normal (Hesterberg 2015).

    freedom: degrees of freedom of the axis with the fewest (`PairedDifference.degrees_of_freedom`). Without the
    widening, percentiles over 20 clusters cover too seldom.
    """
    if replicates.size == 0:
        raise EmptySample("no replicates")
    quantile = float(stats.t.ppf((1 + confidence) / 2, freedom)) * ((freedom + 1) / freedom) ** 0.5
    tail = float(stats.norm.cdf(-quantile))
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def _on_front(target: FloatArray, general: FloatArray) -> npt.NDArray[np.bool_]:
    """(replicates, variants): not dominated within its replicate."""
    beaten = np.zeros(target.shape, dtype=np.bool_)
    for rival in range(target.shape[1]):
        ahead, above = target[:, [rival]], general[:, [rival]]
        beaten |= (ahead >= target) & (above >= general) & ((ahead > target) | (above > general))
    return ~beaten


def _points(points: npt.ArrayLike) -> FloatArray:
    array = np.asarray(points, dtype=np.float64)
    if array.size == 0:
        raise EmptySample("no variants: there is no front")
    if array.ndim != 2 or array.shape[1] != 2:
        raise StatisticsError(f"expected points as (variants, 2), not shape {array.shape}")
    return array


def _normal(confidence: float) -> float:
    return float(stats.norm.ppf((1 + confidence) / 2))
