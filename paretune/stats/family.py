"""Several comparisons judged together: one level for each, so that a whole family errs as seldom as one would.

Every comparison keeps its own estimate; the family only says at which level (`tail`) intervals are made. All of them
then hold together, so whichever is picked may be quoted: a difference is shown where its interval leaves out 0, and a
loss is ruled out where its interval does. Interval, p value and finding cannot disagree.

The level of each is Bonferroni's where nothing better is known. Scales and checkpoints of one adapter nearly repeat
each other; with FEWEST_TO_FLIP effective clusters or more the signs of whole clusters are flipped for all comparisons
at once (Westfall and Young 1993), which sees how far they do.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from paretune.errors import StatisticsError
from paretune.stats.clusters import FloatArray, are_a_sample, mean_from_sums, sum_by_cluster
from paretune.stats.estimate import Estimate

FEWEST_TO_FLIP = 8.0  # effective clusters; of fewer there are too few sign patterns to know a tail of 2.5 %
FLIPS = 4000
ALONE, BONFERRONI, FLIPPED = "one comparison", "Bonferroni", "sign flips of clusters"


@dataclass(frozen=True)
class Family:
    """Comparisons judged together, and the one-sided level `tail` that each interval has for `confidence` of all.

    planned: comparisons, those never made or left out included; present: those that were made. method: ALONE,
    BONFERRONI or FLIPPED. smallest: (draws,) the smallest two-sided p of the family in each draw under no difference,
    sorted; empty unless flipped.
    """

    planned: int
    present: int
    confidence: float
    method: str
    tail: float
    smallest: FloatArray = field(repr=False, compare=False)

    def adjusted(self, p_value: float) -> float:
        """The p value of one comparison, counting all of them: below 1 - confidence where its interval leaves out 0."""
        return _adjusted(p_value, self.smallest, self.present, self.planned)


def bonferroni(planned: int, confidence: float = 0.95) -> Family:
    """Each comparison at the family's level over their number."""
    if planned < 1:
        raise StatisticsError("a family needs at least one comparison")
    method = ALONE if planned == 1 else BONFERRONI
    return Family(planned, planned, confidence, method, (1 - confidence) / 2 / planned, np.empty(0))


def family_of(
    differences: npt.ArrayLike,
    clusters: Sequence[Hashable] | None,
    *,
    planned: int,
    generator: np.random.Generator,
    confidence: float = 0.95,
    draws: int = FLIPS,
) -> Family:
    """The level of each of several comparisons on the same questions.

    differences: (questions, comparisons), second minus first in [-1, 1], of single adapters (a recipe's seeds are
    another source of error: use `bonferroni`). planned: comparisons in all; those without a column count in full.
    Raises StatisticsError for fewer planned than made.
    """
    columns = np.asarray(differences, dtype=np.float64)
    present = columns.shape[1]
    if planned < present:
        raise StatisticsError(f"{present} comparisons were made, {planned} planned")
    known = clusters if clusters is not None and are_a_sample(clusters) else None
    total = sum_by_cluster(columns, known)
    if present < 2 or total.effective < FEWEST_TO_FLIP or not columns.any(axis=0).all():
        return bonferroni(planned, confidence)
    smallest = _smallest_p(columns, known, draws, generator)
    return Family(planned, present, confidence, FLIPPED, _tail(smallest, present, planned, confidence), smallest)


def findings_differ(estimates: Sequence[Estimate], family: Family, holm_p: Sequence[float]) -> tuple[bool, ...]:
    """Where Holm's p and the family's stand on different sides of the level."""
    level = 1 - family.confidence
    return tuple(
        (family.adjusted(estimate.p_two_sided()) < level) != (p_value < level)
        for estimate, p_value in zip(estimates, holm_p, strict=True)
    )


def _tail(smallest: FloatArray, present: int, planned: int, confidence: float) -> float:
    """Half the largest p that the family still counts as below 1 - confidence."""
    level = 1 - confidence
    low, high = level / planned, level
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _adjusted(middle, smallest, present, planned) < level else (low, middle)
    return low / 2


def _adjusted(p_value: float, smallest: FloatArray, present: int, planned: int) -> float:
    """Share of draws with a smaller p anywhere in the family, between p itself and Bonferroni's."""
    most = min(1.0, planned * p_value)
    if not smallest.size:
        return most
    below = int(np.searchsorted(smallest, p_value, side="right"))
    drawn = (below + 1) / (smallest.size + 1) + (planned - present) * p_value
    return float(min(most, max(p_value, drawn)))


def _smallest_p(
    columns: FloatArray, clusters: Sequence[Hashable] | None, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Smallest two-sided p by t over all comparisons when residual sums of whole clusters change sign, sorted."""
    total = sum_by_cluster(columns, clusters)
    questions = total.questions
    residuals = total.sums - np.outer(total.sizes, total.sums.sum(axis=0) / questions)
    # Clusters of one size and the same residuals are one kind: how many of them turn is binomial.
    kinds, counts = np.unique(np.column_stack([total.sizes, residuals.round(9)]), axis=0, return_counts=True)
    sizes, parts = kinds[:, 0], kinds[:, 1:]
    weight = 1 / (1 - sizes / questions)
    flipped = 2.0 * generator.binomial(counts, 0.5, size=(draws, len(counts))) - counts
    means = flipped @ parts / questions
    squares = (counts * weight) @ parts**2
    crossed = flipped @ (parts * (weight * sizes)[:, None])
    variance = squares - 2 * means * crossed + means**2 * float(counts @ (weight * sizes**2))
    errors = np.sqrt(np.maximum(variance, 0.0)) / questions
    freedom = np.array([mean_from_sums(total, at).degrees_of_freedom for at in range(columns.shape[1])])
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = np.where(errors > 0, np.abs(means) / errors, 0.0)
    p_values = 2 * special.stdtr(freedom, -distances)
    return np.sort(p_values.min(axis=1))
