"""Several trainings of one recipe: what the seed changes, apart from what the questions change.

A difference measured on one seed is a statement about that one adapter, not about the recipe. With several seeds the
model is crossed random effects: difference = recipe + question + seed + rest, every seed having answered the same
questions. The variance between seeds is what their means vary by beyond what the same questions' rest would make
them vary.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import ClusteredMean, FloatArray, clustered_mean
from paretune.stats.intervals import Interval


@dataclass(frozen=True)
class SeedEffect:
    """A recipe's difference from the baseline over several seeds, in points.

    interval: for the recipe, seeds and questions both random; with one seed only the questions are, and `single_seed`
    is true. per_seed: each seed's own difference. seed_deviation: standard deviation between seeds after the
    questions' part is taken off (None with one seed: it cannot be known). question_error: standard error that would
    remain with endless seeds. seed_share: share of the interval's variance that comes from seeds, in [0, 1].
    """

    difference: float
    interval: Interval
    per_seed: tuple[float, ...]
    seed_deviation: float | None
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
    confidence: float = 0.95,
) -> SeedEffect:
    """The second recipe's difference from the first, with the seeds' variance separated from the questions'.

    The interval adds the squared half-widths of both parts, each with its own t (Howe 1974): one t on the summed
    variance covers 84 to 93 % with two to five seeds, this 95 to 97 % (99 with two).

    first, second: correct or not, (seeds, n_questions), or (n_questions,) for the untrained baseline, which has no
    seed. When both have seeds they need not be equally many, and their seeds are not paired. clusters: (n_questions,).
    Raises EmptySample without questions, StatisticsError when the questions differ in number or are in one cluster.
    """
    one, two = _by_seed(first), _by_seed(second)
    if one.shape[1] != two.shape[1]:
        raise StatisticsError(f"{one.shape[1]} and {two.shape[1]} questions: seeds must have answered the same ones")
    difference = two.mean(axis=0) - one.mean(axis=0)
    questions = clustered_mean(difference, clusters)
    # The baseline is one fixed model: it adds no variance of seeds.
    baseline_is_fixed = np.ndim(first) == 1
    recipes = [two] if baseline_is_fixed else [one, two]
    parts = [_between_seeds(recipe, clusters) for recipe in recipes if len(recipe) > 1]
    per_seed = tuple((100 * (two.mean(axis=1) - one.mean())).tolist())
    if len(parts) < len(recipes):
        return _single(questions, per_seed, confidence, clusters)
    between = sum(variance / seeds for variance, _, seeds in parts)
    total = questions.standard_error**2 + between
    half_squared = (_t(confidence, questions.degrees_of_freedom) * questions.standard_error) ** 2
    half_squared += sum(_t(confidence, seeds - 1) ** 2 * safe / seeds for _, safe, seeds in parts)
    interval = _interval(questions, half_squared**0.5, confidence, "t, seeds and questions random", clusters)
    deviation = float(np.mean([variance for variance, _, _ in parts])) ** 0.5
    return SeedEffect(
        difference=100 * questions.mean,
        interval=interval,
        per_seed=per_seed,
        seed_deviation=100 * deviation,
        question_error=100 * questions.standard_error,
        seed_share=between / total if total > 0 else 0.0,
        single_seed=False,
    )


def _between_seeds(correct: FloatArray, clusters: Sequence[Hashable] | None) -> tuple[float, float, int]:
    """Variance between the seeds' means beyond that of their questions (cut at 0), the one the interval uses, and
    the number of seeds. With two seeds nothing is taken off for the interval: the cut would make it too short."""
    seeds = len(correct)
    observed = float(correct.mean(axis=1).var(ddof=1))
    centred = correct - correct.mean(axis=0)
    noise = [clustered_mean(row, clusters).standard_error ** 2 for row in centred]
    beyond = max(0.0, observed - float(np.mean(noise)) * seeds / (seeds - 1))
    return beyond, observed if seeds == 2 else beyond, seeds


def _single(
    questions: ClusteredMean, per_seed: tuple[float, ...], confidence: float, clusters: Sequence[Hashable] | None
) -> SeedEffect:
    error = questions.standard_error
    half = _t(confidence, questions.degrees_of_freedom) * error
    interval = _interval(questions, half, confidence, "t, one seed", clusters)
    return SeedEffect(100 * questions.mean, interval, per_seed, None, 100 * error, None, single_seed=True)


def _interval(
    found: ClusteredMean, half: float, confidence: float, method: str, clusters: Sequence[Hashable] | None
) -> Interval:
    groups = 0 if clusters is None else found.clusters
    low, high = max(-100.0, 100 * (found.mean - half)), min(100.0, 100 * (found.mean + half))
    return Interval(100 * found.mean, low, high, confidence, found.questions, groups, method)


def _t(confidence: float, freedom: float) -> float:
    return float(stats.t.ppf((1 + confidence) / 2, freedom))


def _by_seed(correct: npt.ArrayLike) -> FloatArray:
    array = np.atleast_2d(np.asarray(correct, dtype=np.float64))
    if array.ndim != 2:
        raise StatisticsError(f"expected (seeds, questions), not shape {array.shape}")
    if array.size == 0:
        raise EmptySample("no seeds or no questions: there is nothing to compare")
    return array
