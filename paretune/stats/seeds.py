"""Several trainings of one recipe: what the seed changes, apart from what the questions change.

A difference measured on one seed is a statement about that one adapter, not about the recipe. With several seeds the
model is crossed random effects: difference = recipe + question + seed + rest, every seed having answered the same
questions. The variance between seeds is what their means vary by beyond what the same questions' rest would make
them vary. Trainings of equal settings and equal seed are one training.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import stats

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import (
    FEW_CLUSTERS,
    FloatArray,
    are_a_sample,
    clustered_mean,
    effective_clusters,
)
from paretune.stats.estimate import ErrorPart, Estimate
from paretune.stats.intervals import Interval

DEVIATION_CONFIDENCE = 0.95  # of the upper limit of the deviation between seeds


@dataclass(frozen=True)
class SeedEffect:
    """A recipe's difference from the baseline over several seeds, in points.

    estimate: for the recipe, questions, their clusters and seeds random; with one seed only the questions are, and
    `single_seed` is true. interval: of the estimate as the only comparison. per_seed: each seed's own difference.
    seed_deviation: standard deviation between seeds after the questions' part is taken off, deviation_high: what it
    may be at most (None with one seed: they cannot be known). question_error: standard error that would remain with
    endless seeds. seed_share: share of the interval's variance that comes from seeds, in [0, 1].
    """

    difference: float
    estimate: Estimate
    interval: Interval
    per_seed: tuple[float, ...]
    seed_deviation: float | None
    deviation_high: float | None
    question_error: float
    seed_share: float | None
    single_seed: bool

    @property
    def caveat(self) -> str:
        """What a reader must be told about the seeds, in English; "" when nothing."""
        if self.single_seed:
            return "one seed: the difference holds for this adapter, the recipe may vary more"
        if len(self.per_seed) < 3:
            return "two seeds: the variance between seeds is hardly known"
        return ""


def seed_effect(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    clusters: Sequence[Hashable] | None,
    *,
    seeds: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> SeedEffect:
    """The second recipe's difference from the first, with the seeds' variance separated from the questions'.

    The interval adds the squared half-widths of both parts, each with its own t (Howe 1974): one t on the summed
    variance covers 84 to 93 % with two to five seeds, this 95 to 97 % (99 with two).

    first, second: correct or not, (seeds, n_questions), or (n_questions,) for the untrained baseline, which has no
    seed. When both have seeds they need not be equally many, and their seeds are not paired. clusters: (n_questions,).
    seeds: the second's, one per row; rows of the same seed are one training. Raises EmptySample without questions,
    StatisticsError when the questions differ in number.
    """
    one, two = _by_seed(first), _distinct(_by_seed(second), seeds)
    if one.shape[1] != two.shape[1]:
        raise StatisticsError(f"{one.shape[1]} and {two.shape[1]} questions: seeds must have answered the same ones")
    known = clusters if clusters is not None and are_a_sample(clusters) else None
    difference = two.mean(axis=0) - one.mean(axis=0)
    questions = clustered_mean(difference, known)
    # The baseline is one fixed model: it adds no variance of seeds.
    recipes = [two] if np.ndim(first) == 1 else [one, two]
    parts = [_between_seeds(recipe, known) for recipe in recipes if len(recipe) > 1]
    single = len(parts) < len(recipes)
    method = "t over questions" if known is None else "t over clusters"
    method += f", {FEW_CLUSTERS}" if clusters is not None and known is None else ""
    errors = [ErrorPart(100 * questions.standard_error, questions.degrees_of_freedom)]
    if not single:
        errors += [ErrorPart(100 * (part.safe / part.seeds) ** 0.5, part.seeds - 1) for part in parts]
    estimate = Estimate(
        difference=100 * questions.mean,
        parts=tuple(errors),
        gained=float(np.maximum(difference, 0).sum()),
        lost=float(np.maximum(-difference, 0).sum()),
        questions=questions.questions,
        clusters=questions.clusters if known is not None else 0,
        effective_clusters=effective_clusters(clusters) if clusters is not None else 0.0,
        method=f"{method}, one seed" if single else f"{method} and t over seeds",
    )
    between = sum(part.beyond / part.seeds for part in parts)
    total = questions.standard_error**2 + between
    return SeedEffect(
        difference=estimate.difference,
        estimate=estimate,
        interval=estimate.interval((1 - confidence) / 2, confidence),
        per_seed=tuple((100 * (two.mean(axis=1) - one.mean())).tolist()),
        seed_deviation=None if single else 100 * float(np.mean([part.beyond for part in parts])) ** 0.5,
        deviation_high=None if single else 100 * max(part.deviation_high for part in parts),
        question_error=100 * questions.standard_error,
        seed_share=None if single else between / total if total > 0 else 0.0,
        single_seed=single,
    )


@dataclass(frozen=True, slots=True)
class _Between:
    """Variance between the seeds' means. observed: with the noise of the questions' rest; beyond: that taken off, cut
    at 0; safe: the one that intervals use (with two seeds nothing is taken off: the cut would make it too short)."""

    observed: float
    beyond: float
    seeds: int

    @property
    def safe(self) -> float:
        return self.observed if self.seeds == 2 else self.beyond

    @property
    def deviation_high(self) -> float:
        freedom = self.seeds - 1
        smallest = float(stats.chi2.ppf(1 - DEVIATION_CONFIDENCE, freedom))
        return sqrt(self.observed * freedom / smallest)


def _between_seeds(correct: FloatArray, clusters: Sequence[Hashable] | None) -> _Between:
    seeds = len(correct)
    observed = float(correct.mean(axis=1).var(ddof=1))
    centred = correct - correct.mean(axis=0)
    noise = [clustered_mean(row, clusters).standard_error ** 2 for row in centred]
    beyond = max(0.0, observed - float(np.mean(noise)) * seeds / (seeds - 1))
    return _Between(observed, beyond, seeds)


def _distinct(correct: FloatArray, seeds: Sequence[Hashable] | None) -> FloatArray:
    """One row per seed: the mean of rows that share it."""
    if seeds is None:
        return correct
    if len(seeds) != len(correct):
        raise StatisticsError(f"{len(correct)} trainings but {len(seeds)} seeds")
    rows = [[at for at, seed in enumerate(seeds) if seed == one] for one in dict.fromkeys(seeds)]
    return np.stack([correct[at].mean(axis=0) for at in rows])


def _by_seed(correct: npt.ArrayLike) -> FloatArray:
    array = np.atleast_2d(np.asarray(correct, dtype=np.float64))
    if array.ndim != 2:
        raise StatisticsError(f"expected (seeds, questions), not shape {array.shape}")
    if array.size == 0:
        raise EmptySample("no seeds or no questions: there is nothing to compare")
    return array
