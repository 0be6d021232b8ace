"""Two variants on the same questions: what changed, how sure, and what must not be concluded.

A large p value never means that nothing changed. What may be claimed of a loss is in `claims`; what the data could have
shown at all is the minimum detectable effect.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import (
    FEW_CLUSTERS,
    ClusteredMean,
    ClusterSums,
    FloatArray,
    are_a_sample,
    effective_clusters,
    mean_from_sums,
    sum_by_cluster,
)
from paretune.stats.estimate import ErrorPart, Estimate
from paretune.stats.intervals import FEWEST_CLUSTERS_FOR_BOOTSTRAP, Interval, studentised_quantile

LARGEST_EXACT_PERMUTATION = 16  # clusters whose 2^G sign patterns are all looked at


@dataclass(frozen=True)
class PairedDifference:
    """Second minus first on the same questions, in points.

    estimate: the difference with its error, from which a family of comparisons makes its intervals and p values.
    t: its interval as if it were the only comparison; bootstrap: studentised cluster bootstrap. standard_error: that
    t's half-width over its quantile; degrees_of_freedom: of t. gained, lost: positions of the questions that only the
    second, only the first got right. discordant_share: share of questions on which they differ, in [0, 1]. mcnemar_p:
    exact McNemar, which takes questions as independent. permutation_p: the two variants exchanged within whole
    clusters. t_p: two-sided p of t. minimum_detectable_effect: true difference in points that data like these show four
    times in five as the only comparison; None where no possible one is. intraclass: estimated correlation of
    differences within clusters.
    """

    difference: float
    estimate: Estimate
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
    minimum_detectable_effect: float | None
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
    rejections at 5 % with an intraclass correlation of 0.1: t 4, permutation 4, McNemar 36 %. With one cluster, or one
    that holds nearly all questions (`are_a_sample`), questions count as independent and `t.method` says so.
    Raises EmptySample without questions, StatisticsError when lengths differ or there is one question only.
    """
    difference = _differences(first, second)
    total, clustered, estimate = _estimated(difference, clusters)
    tail = (1 - confidence) / 2
    interval = estimate.interval(tail, confidence)
    gained, lost = np.flatnonzero(difference > 0), np.flatnonzero(difference < 0)
    return PairedDifference(
        difference=estimate.difference,
        estimate=estimate,
        t=interval,
        bootstrap=_bootstrap(total, clustered, interval, replicates, generator),
        standard_error=implied_error(estimate, tail),
        degrees_of_freedom=clustered.degrees_of_freedom,
        gained=tuple(gained.tolist()),
        lost=tuple(lost.tolist()),
        discordant_share=float(np.mean(difference != 0)),
        mcnemar_p=mcnemar_exact(len(gained), len(lost)),
        permutation_p=permutation_p(total, replicates=replicates, generator=generator),
        t_p=estimate.p_two_sided(),
        minimum_detectable_effect=estimate.detectable(tail),
        intraclass=clustered.intraclass,
    )


def paired_estimate(first: npt.ArrayLike, second: npt.ArrayLike, clusters: Sequence[Hashable] | None) -> Estimate:
    """The difference and its error alone: what `paired_difference` computes without drawing anything."""
    return _estimated(_differences(first, second), clusters)[2]


def _estimated(
    difference: FloatArray, clusters: Sequence[Hashable] | None
) -> tuple[ClusterSums, ClusteredMean, Estimate]:
    known = clusters if clusters is not None and are_a_sample(clusters) else None
    total = sum_by_cluster(difference, known)
    clustered = mean_from_sums(total)
    alone = clusters is not None and known is None
    label = "t over questions" if known is None else "t over clusters"
    estimate = Estimate(
        difference=100 * clustered.mean,
        parts=(ErrorPart(100 * clustered.standard_error, clustered.degrees_of_freedom),),
        gained=float(np.count_nonzero(difference > 0)),
        lost=float(np.count_nonzero(difference < 0)),
        questions=clustered.questions,
        clusters=0 if known is None else clustered.clusters,
        effective_clusters=effective_clusters(clusters) if clusters is not None else 0.0,
        method=f"{label}, {FEW_CLUSTERS}" if alone else label,
    )
    return total, clustered, estimate


def implied_error(estimate: Estimate, tail: float) -> float:
    """Standard error in points that would give the interval's wider half by t: for ratios, which need one figure."""
    wider = max(estimate.difference - estimate.low(tail), estimate.high(tail) - estimate.difference)
    return wider / float(special.stdtrit(estimate.parts[0].degrees_of_freedom, 1 - tail))


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


def holm(p_values: Sequence[float], planned: int | None = None) -> tuple[float, ...]:
    """Holm's adjusted p values, in the given order: each already counts all comparisons (Holm 1979).

    planned: comparisons of the family, where some were never made or were left out: they count as if they had shown
    nothing. Raises EmptySample without values, StatisticsError for one outside [0, 1].

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.size == 0:
        raise EmptySample("no p values to adjust")
    if not ((values >= 0) & (values <= 1)).all():
        raise StatisticsError("a p value lies outside [0, 1]")
    order = np.argsort(values, kind="stable")
    factors = max(planned or 0, len(values)) - np.arange(len(values))
    adjusted = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return tuple(result.tolist())


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
    total: ClusterSums, clustered: ClusteredMean, t: Interval, replicates: int, generator: np.random.Generator
) -> Interval:
    """Studentised bootstrap, or the t interval under a name that says why."""
    groups = len(total.sizes)
    if groups < FEWEST_CLUSTERS_FOR_BOOTSTRAP or clustered.standard_error == 0:
        reason = "too few clusters to resample" if groups < FEWEST_CLUSTERS_FOR_BOOTSTRAP else "all answers alike"
        return Interval(t.estimate, t.low, t.high, t.confidence, t.n, t.clusters, f"{t.method}, {reason}")
    half = 100 * studentised_quantile(total, t.confidence, replicates, generator) * clustered.standard_error
    low, high = max(-100.0, t.estimate - half), min(100.0, t.estimate + half)
    return Interval(t.estimate, low, high, t.confidence, t.n, t.clusters, "bootstrap-t")
