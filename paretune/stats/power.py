"""How many questions a comparison needs, and what a given number of questions could show.

All for paired comparisons: the same questions under two variants, `discordant` the share on which they differ. The
difference of the two accuracies then has the variance discordant / n (under the null, questions independent; Miller
2024, "Adding Error Bars to Evals"). Clusters multiply it by the design effect 1 + (n / clusters - 1) * intraclass,
and t with clusters - 1 degrees of freedom takes the place of the normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite

from scipy import stats

from paretune.errors import StatisticsError, UndefinedFigure

LARGEST_BENCHMARK = 10_000_000


@dataclass(frozen=True)
class Clustering:
    """clusters: how many databases or subjects; intraclass: correlation of differences within one, in [0, 1]."""

    clusters: int
    intraclass: float

    def __post_init__(self) -> None:
        if self.clusters < 2:
            raise StatisticsError(f"{self.clusters} clusters: at least 2 are needed to see the spread between them")
        if not 0 <= self.intraclass <= 1:
            raise StatisticsError(f"intraclass correlation {self.intraclass}: expected a share in [0, 1]")


def minimum_detectable_effect(
    questions: int,
    discordant: float,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
    clustering: Clustering | None = None,
) -> float:
    """Smallest true difference, in points, that `questions` pairs show with probability `power`.

    discordant: share of questions on which the variants differ, in (0, 1]. Raises StatisticsError for values out of
    range.

    >>> round(minimum_detectable_effect(100, 0.2), 1), round(minimum_detectable_effect(14042, 0.1), 2)
    (12.5, 0.75)
    """
    _check(discordant, power, confidence)
    if questions < 2:
        raise StatisticsError(f"{questions} questions: a comparison needs at least two")
    variance = discordant / questions * design_effect(questions, clustering)
    return float(100 * _quantiles(power, confidence, clustering) * variance**0.5)


def design_effect(questions: int, clustering: Clustering | None) -> float:
    """How many times the variance grows because questions come in clusters: 1 + (n / clusters - 1) * intraclass.

    >>> design_effect(1000, Clustering(20, 0.02))
    1.98
    """
    if clustering is None:
        return 1.0
    return 1 + max(0.0, questions / clustering.clusters - 1) * clustering.intraclass


def questions_needed(
    effect: float,
    discordant: float,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
    clustering: Clustering | None = None,
) -> int:
    """Fewest questions that show a true difference of `effect` points with probability `power`.

    With clustering the number of clusters is fixed and more questions come from the same clusters; raises
    UndefinedFigure where no number of them suffices, and says how many clusters would be the least.

    >>> questions_needed(1.0, 0.1)
    7849
    """
    _check(discordant, power, confidence)
    if not (isfinite(effect) and 0 < effect <= 100):
        raise StatisticsError(f"effect {effect}: expected points in (0, 100]")
    allowed = (effect / 100 / _quantiles(power, confidence, clustering)) ** 2 / discordant
    if clustering is None:
        return max(2, ceil(1 / allowed - 1e-9))
    # variance / discordant = (1 - r) / n + r / clusters, once n exceeds the number of clusters
    between = clustering.intraclass / clustering.clusters
    if allowed <= between:
        least = clusters_needed(effect, discordant, clustering.intraclass, power=power, confidence=confidence)
        raise UndefinedFigure(
            f"no number of questions in {clustering.clusters} clusters shows {effect:g} points: what the "
            f"questions of a cluster share does not average out; at least {least} clusters are needed"
        )
    if clustering.intraclass == 1:
        return clustering.clusters
    within = (1 - clustering.intraclass) / (allowed - between)
    alone = 1 / allowed
    needed = alone if alone <= clustering.clusters else within
    if needed > LARGEST_BENCHMARK:
        raise UndefinedFigure(f"more than {LARGEST_BENCHMARK:,} questions: take more clusters or a larger effect")
    return max(2, ceil(needed - 1e-9))


def clusters_needed(
    effect: float, discordant: float, intraclass: float, *, power: float = 0.8, confidence: float = 0.95
) -> int:
    """Fewest clusters with which some number of questions shows the effect.

    Raises UndefinedFigure beyond LARGEST_BENCHMARK.
    """
    low, high = 2, 4

    def suffices(clusters: int) -> bool:
        reach = effect / 100 / _quantiles(power, confidence, Clustering(clusters, intraclass))
        return reach**2 / discordant > intraclass / clusters

    while not suffices(high):
        low, high = high, high * 2
        if high > LARGEST_BENCHMARK:
            raise UndefinedFigure(f"more than {LARGEST_BENCHMARK:,} clusters: the effect is too small")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low


def minutes_needed(questions: int, seconds_per_question: float, variants: int = 2) -> float:
    """Minutes that answering costs: questions * seconds * variants / 60. Raises StatisticsError for a speed <= 0."""
    if not (isfinite(seconds_per_question) and seconds_per_question > 0):
        raise StatisticsError(f"{seconds_per_question} seconds a question: expected a positive number")
    return questions * seconds_per_question * variants / 60


def _quantiles(power: float, confidence: float, clustering: Clustering | None) -> float:
    """Quantile of the test plus that of the power."""
    if clustering is None:
        return float(stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(power))
    freedom = clustering.clusters - 1
    return float(stats.t.ppf((1 + confidence) / 2, freedom) + stats.t.ppf(power, freedom))


def _check(discordant: float, power: float, confidence: float) -> None:
    if not 0 < discordant <= 1:
        raise StatisticsError(f"discordant {discordant}: expected the share of questions that differ, in (0, 1]")
    if not 0.5 <= power < 1:
        raise StatisticsError(f"power {power}: expected a probability in [0.5, 1), such as 0.8")
    if not 0 < confidence < 1:
        raise StatisticsError(f"confidence {confidence}: expected a share in (0, 1), such as 0.95")
