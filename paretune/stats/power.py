"""How many questions a claim needs, and what a given number of questions could show.

All for paired comparisons: the same questions under two variants, `discordant` the share on which they differ. The
difference of the two accuracies then has the variance discordant / n (under the null, questions independent; Miller
2024, "Adding Error Bars to Evals"). Clusters multiply it by the design effect 1 + (n / effective clusters - 1) *
intraclass, and t takes the place of the normal; a family of comparisons divides the level. Power is that of the very
decision that `estimate` and `claims` make: both its t over clusters and its score test must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from scipy import optimize, special, stats

from paretune.errors import StatisticsError, UndefinedFigure
from paretune.stats.clusters import degrees_of_freedom
from paretune.stats.estimate import score_variance

LARGEST_BENCHMARK = 10_000_000


@dataclass(frozen=True)
class Clustering:
    """clusters: how many databases or subjects; intraclass: correlation of differences within one, in [0, 1];
    sizes: their questions or their shares of them, where they are unequal."""

    clusters: int
    intraclass: float
    sizes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.clusters < 2:
            raise StatisticsError(f"{self.clusters} clusters: at least 2 are needed to see the spread between them")
        if not 0 <= self.intraclass <= 1:
            raise StatisticsError(f"intraclass correlation {self.intraclass}: expected a share in [0, 1]")
        if self.sizes and (len(self.sizes) != self.clusters or min(self.sizes) <= 0):
            raise StatisticsError(f"{len(self.sizes)} sizes of {self.clusters} clusters: expected one positive each")

    @classmethod
    def of(cls, sizes: Sequence[int], intraclass: float) -> Clustering:
        """Clusters of these sizes, such as those of a benchmark at hand."""
        return cls(len(sizes), intraclass, tuple(map(float, sizes)))

    @property
    def effective(self) -> float:
        """Clusters of equal size that they are worth (Kish)."""
        if not self.sizes:
            return float(self.clusters)
        return sum(self.sizes) ** 2 / sum(size**2 for size in self.sizes)

    def freedom(self, questions: float) -> float:
        """Satterthwaite degrees of freedom of t over these clusters."""
        if not self.sizes:
            return self.clusters - 1.0
        scale = questions / sum(self.sizes)
        return degrees_of_freedom(np.array(self.sizes) * scale, self.intraclass)


@dataclass(frozen=True)
class Plan:
    """What is to be decided, and how. power: probability of showing it; confidence: of the family's intervals;
    family: comparisons judged together, each at its share of the level."""

    discordant: float
    power: float = 0.8
    confidence: float = 0.95
    family: int = 1
    clustering: Clustering | None = None

    def __post_init__(self) -> None:
        if not 0 < self.discordant <= 1:
            raise StatisticsError(
                f"discordant {self.discordant}: expected the share of questions that differ, in (0, 1]"
            )
        if not 0.5 <= self.power < 1:
            raise StatisticsError(f"power {self.power}: expected a probability in [0.5, 1), such as 0.8")
        if not 0 < self.confidence < 1:
            raise StatisticsError(f"confidence {self.confidence}: expected a share in (0, 1), such as 0.95")
        if self.family < 1:
            raise StatisticsError(f"a family of {self.family} comparisons: expected at least 1")

    @property
    def tail(self) -> float:
        """One-sided level of each comparison."""
        return (1 - self.confidence) / 2 / self.family


def power_to_show(questions: int, effect: float, plan: Plan) -> float:
    """Probability that `questions` pairs show a true difference of `effect` points.

    >>> round(power_to_show(7849, 1.0, Plan(0.1)), 3)
    0.8
    """
    return _power(questions, effect / 100, plan.discordant, plan)


def power_to_rule_out(questions: int, margin: float, plan: Plan, *, true_loss: float = 0.0) -> float:
    """Probability that `questions` pairs rule out a loss of more than `margin` points where `true_loss` is lost."""
    lost = questions * (plan.discordant + true_loss / 100) / 2
    gained = questions * plan.discordant - lost
    at_margin = questions * score_variance(gained, lost, questions, -margin / 100)
    return _power(questions, (margin - true_loss) / 100, at_margin, plan)


def minimum_detectable_effect(questions: int, plan: Plan) -> float:
    """Smallest true difference, in points, that `questions` pairs show with the plan's power.

    Raises StatisticsError for fewer than two questions, UndefinedFigure where no difference that is possible (at most
    the discordant share) would be shown.

    >>> round(minimum_detectable_effect(100, Plan(0.2)), 1), round(minimum_detectable_effect(14042, Plan(0.1)), 2)
    (12.5, 0.75)
    """
    if questions < 2:
        raise StatisticsError(f"{questions} questions: a comparison needs at least two")
    most = 100 * plan.discordant
    if power_to_show(questions, most, plan) < plan.power:
        raise UndefinedFigure(
            f"{questions} questions show no difference reliably: where {most:g} % of them differ, it is {most:g} "
            "points at most; ask more questions, in more clusters"
        )
    return float(optimize.brentq(lambda points: power_to_show(questions, points, plan) - plan.power, 0.0, most))


def design_effect(questions: float, clustering: Clustering | None) -> float:
    """How many times the variance grows because questions come in clusters: 1 + (n / effective - 1) * intraclass.

    >>> design_effect(1000, Clustering(20, 0.02))
    1.98
    """
    if clustering is None:
        return 1.0
    return 1 + max(0.0, questions / clustering.effective - 1) * clustering.intraclass


def questions_needed(effect: float, plan: Plan) -> int:
    """Fewest questions that show a true difference of `effect` points with the plan's power.

    With clustering the clusters are fixed and more questions come from the same ones; raises UndefinedFigure where no
    number of them suffices, and says how many clusters would be the least. Raises StatisticsError for an effect that
    is larger than the share of questions that differ.

    >>> questions_needed(1.0, Plan(0.1))
    7849
    """
    if not (isfinite(effect) and 0 < effect <= 100):
        raise StatisticsError(f"effect {effect}: expected points in (0, 100]")
    if effect > 100 * plan.discordant * (1 + 1e-9):
        raise StatisticsError(
            f"effect {effect:g}: at most {100 * plan.discordant:g} points when {100 * plan.discordant:g} % of the "
            "questions differ; name a larger discordant share or a smaller effect"
        )
    return _fewest(lambda count, wanted: power_to_show(count, effect, wanted), f"shows {effect:g} points", plan)


def questions_to_rule_out(margin: float, plan: Plan, *, true_loss: float = 0.0) -> int:
    """Fewest questions that rule out a loss of more than `margin` points where `true_loss` points are lost.

    Raises StatisticsError where the true loss reaches the margin, or is larger than the share of questions that
    differ; UndefinedFigure as `questions_needed`.

    >>> questions_to_rule_out(1.0, Plan(0.1))
    7893
    """
    if not (isfinite(margin) and 0 < margin <= 100):
        raise StatisticsError(f"margin {margin}: expected points in (0, 100]")
    if not (isfinite(true_loss) and true_loss < margin):
        raise StatisticsError(
            f"true loss {true_loss:g}: a loss of more than {margin:g} points can be ruled out only where less is lost; "
            "name a smaller true loss or a larger margin"
        )
    if abs(true_loss) > 100 * plan.discordant:
        raise StatisticsError(
            f"true loss {true_loss:g}: at most {100 * plan.discordant:g} points when {100 * plan.discordant:g} % of "
            "the questions differ"
        )
    return _fewest(
        lambda count, wanted: power_to_rule_out(count, margin, wanted, true_loss=true_loss),
        f"rules out a loss of more than {margin:g} points",
        plan,
    )


def minutes_needed(questions: int, seconds_per_question: float, variants: int = 2) -> float:
    """Minutes that answering costs: questions * seconds * variants / 60. Raises StatisticsError for a speed <= 0."""
    if not (isfinite(seconds_per_question) and seconds_per_question > 0):
        raise StatisticsError(f"{seconds_per_question} seconds per question: expected a positive number")
    return questions * seconds_per_question * variants / 60


def _power(questions: float, distance: float, score: float, plan: Plan) -> float:
    """Probability that the estimate lies far enough from what is to be rejected. distance: of the truth, in shares;
    score: variance of one question's difference under what is to be rejected."""
    error = (plan.discordant / questions * design_effect(questions, plan.clustering)) ** 0.5
    normal = float(special.ndtri(1 - plan.tail))
    by_score = float(special.ndtr((distance - normal * (score / questions) ** 0.5) / error))
    if plan.clustering is None:
        return min(by_score, float(special.ndtr(distance / error - normal)))
    freedom = plan.clustering.freedom(questions)
    critical = float(special.stdtrit(freedom, 1 - plan.tail))
    return min(by_score, float(stats.nct.sf(critical, freedom, distance / error)))


def _fewest(power: Callable[[int, Plan], float], what: str, plan: Plan) -> int:
    """The least number of questions with the plan's power."""
    if power(LARGEST_BENCHMARK, plan) < plan.power:
        if plan.clustering is None or not plan.clustering.intraclass:
            raise UndefinedFigure(
                f"no benchmark of up to {LARGEST_BENCHMARK:,} questions {what} so reliably; take a larger effect or "
                "margin, or a lower level"
            )
        least = _fewest_clusters(power, plan, plan.clustering)
        raise UndefinedFigure(
            f"no number of questions in {plan.clustering.clusters} clusters {what}: what the questions of a cluster "
            f"share does not average out; at least {least} clusters are needed"
        )
    return _bisect(2, LARGEST_BENCHMARK, lambda count: power(count, plan) >= plan.power)


def _fewest_clusters(power: Callable[[int, Plan], float], plan: Plan, clustering: Clustering) -> int:
    """The least number of clusters of equal size with which LARGEST_BENCHMARK questions suffice."""

    def suffices(clusters: int) -> bool:
        equal = Clustering(clusters, clustering.intraclass)
        wanted = Plan(plan.discordant, plan.power, plan.confidence, plan.family, equal)
        return power(LARGEST_BENCHMARK, wanted) >= plan.power

    if not suffices(LARGEST_BENCHMARK):
        raise UndefinedFigure(f"more than {LARGEST_BENCHMARK:,} clusters: the effect is too small")
    return _bisect(2, LARGEST_BENCHMARK, suffices)


def _bisect(low: int, high: int, suffices: Callable[[int], bool]) -> int:
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low
