"""Two variants on the same questions: what changed, how sure, and what must not be concluded.

A large p value never means that nothing changed. The claim "loses less than so many points" has a test of its own
(`equivalence_test`); what the data could have shown at all is the minimum detectable effect.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import NARROWEST, ClusteredMean, ClusterSums, FloatArray, mean_from_sums, sum_by_cluster
from paretune.stats.intervals import FEWEST_CLUSTERS_FOR_BOOTSTRAP, Interval, studentised_quantile

Verdict = Literal["shown", "not shown", "refuted"]
Claim = Literal["non-inferiority", "equivalence"]
LARGEST_EXACT_PERMUTATION = 16  # clusters whose 2^G sign patterns are all looked at


@dataclass(frozen=True)
class PairedDifference:
    """Second minus first on the same questions, in points.

    t: interval by t over clusters; bootstrap: studentised cluster bootstrap. standard_error, degrees_of_freedom: those
    of t, in points. gained, lost: positions of the questions that only the second, only the first got right.
    discordant_share: share of questions on which they differ, in [0, 1]. mcnemar_p: exact McNemar, which takes
    questions as independent. permutation_p: the two variants exchanged within whole clusters. t_p: two-sided p of t.
    minimum_detectable_effect: true difference in points that data like these would show in four of five repetitions
    (power 0.8) at the interval's level, whatever was found. intraclass: estimated correlation of differences within
    clusters.
    """

    difference: float
    t: Interval
    bootstrap: Interval
    standard_error: float
    degrees_of_freedom: float
    gained: tuple[int, ...]
    lost: tuple[int, ...]
    discordant_share: float
    mcnemar_p: float
    permutation_p: float
    t_p: float
    minimum_detectable_effect: float
    intraclass: float

    @property
    def n(self) -> int:
        """Questions compared."""
        return self.t.n


def paired_difference(
    first: Sequence[bool] | npt.NDArray[np.bool_],
    second: Sequence[bool] | npt.NDArray[np.bool_],
    clusters: Sequence[Hashable] | None,
    *,
    generator: np.random.Generator,
    confidence: float = 0.95,
    replicates: int = 10_000,
) -> PairedDifference:
    """What the second variant gains over the first, with everything needed to judge it.

    first, second: correct or not, (n_questions,), aligned; clusters: database or subject of each question, None when
    questions are independent. Measured coverage of both 95 % intervals over 20 unequal databases: 93 to 97; false
    rejections at 5 % with an intraclass correlation of 0.1: t 4, permutation 4, McNemar 36 %. With a single cluster its
    questions are taken as independent and `t.method` says so.
    Raises EmptySample without questions, StatisticsError when lengths differ or there is one question only.
    """
    difference = _differences(first, second)
    known = clusters if clusters is not None and len(set(clusters)) > 1 else None
    total = sum_by_cluster(difference, known)
    found = mean_from_sums(total)
    alone = clusters is not None and known is None
    groups = 1 if alone else found.clusters if known is not None else 0
    error = floored_error(found, difference, confidence)
    quantile = float(stats.t.ppf((1 + confidence) / 2, found.degrees_of_freedom))
    label = "t over clusters" if known is not None else "t over questions"
    label = f"{label}, one cluster only" if alone else label
    interval = _interval(found.mean, quantile * error, confidence, found.questions, groups, label)
    detectable = 100 * error * (quantile + float(stats.t.ppf(0.8, found.degrees_of_freedom)))
    gained, lost = np.flatnonzero(difference > 0), np.flatnonzero(difference < 0)
    return PairedDifference(
        difference=100 * found.mean,
        t=interval,
        bootstrap=_bootstrap(total, found, interval, replicates, generator),
        standard_error=100 * error,
        degrees_of_freedom=found.degrees_of_freedom,
        gained=tuple(gained.tolist()),
        lost=tuple(lost.tolist()),
        discordant_share=float(np.mean(difference != 0)),
        mcnemar_p=mcnemar_exact(len(gained), len(lost)),
        permutation_p=permutation_p(total, replicates=replicates, generator=generator),
        t_p=_two_sided_p(found.mean, error, found.degrees_of_freedom),
        minimum_detectable_effect=detectable,
        intraclass=found.intraclass,
    )


def floored_error(found: ClusteredMean, difference: FloatArray, confidence: float) -> float:
    """Standard error of a mean difference, kept from pretending certainty when clusters happen to agree.

    The half-width quantile * error is never below NARROWEST times that of as many independent questions. Where no
    question differs at all, the share of differing questions may still be as high as Wilson's upper limit, and the
    difference as large as that.
    """
    normal = float(stats.norm.ppf((1 + confidence) / 2))
    quantile = float(stats.t.ppf((1 + confidence) / 2, found.degrees_of_freedom))
    if found.value_variance == 0:
        weight = quantile**2 / len(difference)
        return weight / (1 + weight) / quantile
    independent = float(found.value_variance / found.questions) ** 0.5
    return max(found.standard_error, NARROWEST * float(independent * normal / quantile))


def mcnemar_exact(gained: int, lost: int) -> float:
    """Exact two-sided McNemar p: are gains and losses equally likely? Questions taken as independent.

    >>> round(mcnemar_exact(13, 1), 5)
    0.00183
    """
    if gained < 0 or lost < 0:
        raise StatisticsError(f"counts of flips cannot be negative: {gained}, {lost}")
    if gained + lost == 0:
        return 1.0
    return float(stats.binomtest(gained, gained + lost, 0.5).pvalue)


def permutation_p(total: ClusterSums, *, replicates: int, generator: np.random.Generator) -> float:
    """Two-sided p when the names of the two variants are exchanged at random within whole clusters.

    total: sums of differences. Up to LARGEST_EXACT_PERMUTATION clusters with a difference all exchanges are counted,
    beyond that `replicates` random ones (p then includes the observed one, so it is never 0). With G clusters p
    cannot fall below 2 / 2^G: four databases can never show anything at 5 %.
    """
    sums = total.sums[:, 0]
    sums = sums[sums != 0]
    if len(sums) == 0:
        return 1.0
    observed = abs(float(sums.sum())) - 1e-9
    if len(sums) <= LARGEST_EXACT_PERMUTATION:
        signs = np.array(list(product((1.0, -1.0), repeat=len(sums))))
        return float(np.mean(np.abs(signs @ sums) >= observed))
    values, counts = np.unique(np.abs(sums), return_counts=True)
    # Equal sums need no separate coins: how many of them turn is binomial.
    drawn = generator.binomial(counts, 0.5, size=(replicates, len(counts)))
    beyond = int(np.count_nonzero(np.abs((2.0 * drawn - counts) @ values) >= observed))
    return (beyond + 1) / (replicates + 1)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p values, in the given order: each already counts all comparisons made (Holm 1979).

    Raises EmptySample without values, StatisticsError for one outside [0, 1].

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.size == 0:
        raise EmptySample("no p values to adjust")
    if not ((values >= 0) & (values <= 1)).all():
        raise StatisticsError("a p value lies outside [0, 1]")
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return tuple(result.tolist())


@dataclass(frozen=True)
class EquivalenceTest:
    """Is the claim about a margin shown, refuted, or neither?

    low, high: the interval in points at confidence 1 - 2 alpha that decides; p_value: one-sided p of the claim's
    opposite (for equivalence the larger of the two tests).
    """

    verdict: Verdict
    claim: Claim
    margin: float
    low: float
    high: float
    confidence: float
    p_value: float


def equivalence_test(
    difference: PairedDifference, margin: float, *, claim: Claim = "non-inferiority", alpha: float = 0.05
) -> EquivalenceTest:
    """Test "loses less than `margin` points" (non-inferiority) or "differs by less than `margin` points".

    Equivalence is Schuirmann's two one-sided tests. "shown": the interval at confidence 1 - 2 alpha lies within the
    margin; "refuted": it lies wholly beyond it; "not shown": the data decide neither. Raises StatisticsError for a
    margin that is not positive.
    """
    if not margin > 0:
        raise StatisticsError(f"margin {margin}: expected a positive number of points, stated before looking")
    if not 0 < alpha < 0.5:
        raise StatisticsError(f"alpha {alpha}: expected a share between 0 and 0.5, such as 0.05")
    error, freedom, value = difference.standard_error, difference.degrees_of_freedom, difference.difference
    half = float(stats.t.ppf(1 - alpha, freedom)) * error
    low, high = value - half, value + half
    worse = float(stats.t.sf((value + margin) / error, freedom))
    better = float(stats.t.cdf((value - margin) / error, freedom))
    if claim == "non-inferiority":
        shown, refuted, p_value = low > -margin, high < -margin, worse
    else:
        shown = low > -margin and high < margin
        refuted = high < -margin or low > margin
        p_value = max(worse, better)
    verdict: Verdict = "shown" if shown else "refuted" if refuted else "not shown"
    return EquivalenceTest(verdict, claim, margin, low, high, 1 - 2 * alpha, p_value)


def equivalence(
    difference: PairedDifference, margin: float, *, claim: Claim = "non-inferiority", alpha: float = 0.05
) -> Verdict:
    """The verdict of `equivalence_test` alone."""
    return equivalence_test(difference, margin, claim=claim, alpha=alpha).verdict


def _differences(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise StatisticsError(
            f"paired variants must have answered the same questions: shapes {one.shape} and {two.shape}"
        )
    if one.size == 0:
        raise EmptySample("no questions in common: there is no difference to compute")
    if one.size == 1:
        raise StatisticsError("one question has no spread; a comparison needs at least two")
    return two - one


def _bootstrap(
    total: ClusterSums, found: ClusteredMean, t: Interval, replicates: int, generator: np.random.Generator
) -> Interval:
    """Studentised bootstrap, or the t interval under a name that says why."""
    groups = len(total.sizes)
    if groups < FEWEST_CLUSTERS_FOR_BOOTSTRAP or found.standard_error == 0:
        reason = "too few clusters to resample" if groups < FEWEST_CLUSTERS_FOR_BOOTSTRAP else "all answers alike"
        return Interval(t.estimate, t.low, t.high, t.confidence, t.n, t.clusters, f"{t.method}, {reason}")
    half = studentised_quantile(total, t.confidence, replicates, generator) * found.standard_error
    return _interval(found.mean, half, t.confidence, found.questions, t.clusters, "bootstrap-t")


def _interval(mean: float, half: float, confidence: float, questions: int, groups: int, method: str) -> Interval:
    low, high = max(-100.0, 100 * (mean - half)), min(100.0, 100 * (mean + half))
    return Interval(100 * mean, low, high, confidence, questions, groups, method)


def _two_sided_p(mean: float, error: float, freedom: float) -> float:
    return float(2 * stats.t.sf(abs(mean) / error, freedom)) if mean else 1.0
