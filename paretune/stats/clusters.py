"""Means of questions that come in clusters (databases, subjects), and what is known of their error.

Questions about one database share its schema, questions of one subject its field: they succeed and fail together.
Everything here therefore works on sums over clusters. With every question its own cluster the formulas become the
textbook ones for independent questions.

The standard error is CR2 (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018): each cluster's residual sum is
divided by sqrt(1 - its share of the questions), which removes the bias under independence. The degrees of freedom are
Satterthwaite's, computed under the intraclass correlation estimated from the same data (Imbens and Kolesar 2016):
20 clusters of 4 to 120 questions are worth 10 to 14 degrees of freedom, not 19. benchmarks/coverage.py shows why:
the plain t with G - 1 covers 92 to 95 % there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretune.errors import EmptySample, StatisticsError

FloatArray = npt.NDArray[np.float64]
# No interval over clusters is narrower than this share of the one for as many independent questions: a few clusters may
# agree by luck. A share of 1 would cover 97 to 98 % where questions really are independent.
NARROWEST = 0.8
FEWEST_SUBJECTS = 4
# Clusters of equal size that would be worth as much. Below, the spread between clusters is seen through the small ones
# alone: one database of 500 questions beside three of one question "shows" a gain in 22 to 45 % of true nulls.
FEWEST_EFFECTIVE = 2.0
FEW_CLUSTERS = "too few clusters to speak for others"


def effective_clusters(labels: Sequence[Hashable]) -> float:
    """How many clusters of equal size these are worth (Kish): N^2 / sum n^2, from 1 to their number.

    Raises EmptySample without questions.

    >>> effective_clusters(["a"] * 50 + ["b"] * 50)
    2.0
    >>> round(effective_clusters(["giant"] * 500 + ["b", "c", "d"]), 2)
    1.01
    """
    if not labels:
        raise EmptySample("no questions: there are no clusters to count")
    return _effective(np.array(list(Counter(labels).values()), dtype=np.float64))


def are_a_sample(labels: Sequence[Hashable]) -> bool:
    """Whether these databases or subjects can speak for further ones: at least FEWEST_EFFECTIVE effective clusters."""
    return bool(labels) and effective_clusters(labels) >= FEWEST_EFFECTIVE


def sampling_units(
    databases: Sequence[Hashable], references: Sequence[Hashable] | None = None
) -> tuple[Hashable, ...] | None:
    """What the questions of a target are a sample of: their databases, or less where those are too few.

    Too few (`are_a_sample`): questions that share database and reference (references: (n_questions,)) are one unit,
    None without references, and what is said holds for these databases only.
    """
    if are_a_sample(databases):
        return tuple(databases)
    return None if references is None else tuple(zip(databases, references, strict=True))


def subject_clusters(subjects: Sequence[str]) -> tuple[str, ...] | None:
    """The subjects as clusters, or None where they are too few to be a sample of subjects.

    Too few: fewer than FEWEST_SUBJECTS, or one that holds nearly all questions (`are_a_sample`). Questions then count
    as independent, and what is said holds for these subjects.
    """
    return tuple(subjects) if len(set(subjects)) >= FEWEST_SUBJECTS and are_a_sample(subjects) else None


@dataclass(frozen=True)
class ClusterSums:
    """Questions added up within their clusters.

    labels: (G,) in order of first appearance; sizes: (G,) questions in each; sums: (G, V), one column per variant;
    squares: (G, V) sums of squared values.
    """

    labels: tuple[Hashable, ...]
    sizes: FloatArray
    sums: FloatArray
    squares: FloatArray

    @property
    def questions(self) -> int:
        """Questions in all clusters together."""
        return int(self.sizes.sum())

    @property
    def effective(self) -> float:
        """Clusters of equal size that these are worth."""
        return _effective(self.sizes)


@dataclass(frozen=True)
class ClusteredMean:
    """A mean over questions and what is known of its error, in the unit of the values.

    value_variance: variance between single questions; standard_error: CR2, 0.0 when all values are equal;
    degrees_of_freedom: Satterthwaite's; intraclass: estimated intraclass correlation in [0, 1].
    """

    mean: float
    standard_error: float
    degrees_of_freedom: float
    value_variance: float
    intraclass: float
    questions: int
    clusters: int


def as_columns(values: npt.ArrayLike) -> FloatArray:
    """Values as (questions, variants) float64; a vector becomes one column. EmptySample when there are none."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise StatisticsError(f"expected values as (questions,) or (questions, variants), not shape {array.shape}")
    if array.size == 0:
        raise EmptySample("no questions: there is no figure to compute; check the filter or the run's lines")
    if not np.isfinite(array).all():
        raise StatisticsError("a value is not finite; outcomes must be counted as right or wrong before averaging")
    return array


def sum_by_cluster(values: npt.ArrayLike, clusters: Sequence[Hashable] | None) -> ClusterSums:
    """Add values (questions,) or (questions, variants) up within clusters; None makes each question its own cluster.

    Raises EmptySample without questions, StatisticsError when the lengths differ.
    """
    columns = as_columns(values)
    count = columns.shape[0]
    if clusters is None:
        return ClusterSums(tuple(range(count)), np.ones(count), columns, columns**2)
    if len(clusters) != count:
        raise StatisticsError(f"{count} values but {len(clusters)} cluster names; they must be aligned by question")
    order: dict[Hashable, int] = {}
    index = np.fromiter((order.setdefault(name, len(order)) for name in clusters), dtype=np.intp, count=count)
    sums = np.zeros((len(order), columns.shape[1]))
    squares = np.zeros_like(sums)
    np.add.at(sums, index, columns)
    np.add.at(squares, index, columns**2)
    return ClusterSums(tuple(order), np.bincount(index).astype(np.float64), sums, squares)


def clustered_mean(values: npt.ArrayLike, clusters: Sequence[Hashable] | None) -> ClusteredMean:
    """Mean of values (questions,) with its CR2 standard error and Satterthwaite degrees of freedom.

    Raises EmptySample without questions and StatisticsError with one cluster or one question, whose spread nobody
    can know.
    """
    return mean_from_sums(sum_by_cluster(values, clusters))


def mean_from_sums(total: ClusterSums, column: int = 0) -> ClusteredMean:
    """The same from sums already made; column: which variant."""
    sizes, questions, groups = total.sizes, total.questions, len(total.sizes)
    if groups < 2:
        raise StatisticsError(
            "one cluster alone says nothing about the spread between clusters; count its questions as independent"
        )
    mean = float(total.sums[:, column].sum() / questions)
    residuals = total.sums[:, column] - mean * sizes
    value_variance = max(0.0, float(total.squares[:, column].sum() / questions - mean**2)) * questions / (questions - 1)
    variance = float((residuals**2 / (1 - sizes / questions)).sum()) / questions**2
    intraclass = _intraclass(sizes, residuals, value_variance)
    freedom = degrees_of_freedom(sizes, intraclass)
    return ClusteredMean(mean, variance**0.5, freedom, value_variance, intraclass, questions, groups)


def covariance(total: ClusterSums) -> FloatArray:
    """CR2 covariance (V, V) of the means of all columns, in squared units of the values."""
    questions = total.questions
    means = total.sums.sum(axis=0) / questions
    scale = np.sqrt(1 - total.sizes / questions)[:, None] * questions
    residuals = (total.sums - np.outer(total.sizes, means)) / scale
    product: FloatArray = residuals.T @ residuals
    return product


def resampled_weights(counts: npt.ArrayLike, replicates: int, generator: np.random.Generator) -> FloatArray:
    """How often each kind of cluster is drawn in each bootstrap replicate: (replicates, kinds).

    counts: (kinds,) how many clusters there are of each kind; each row adds up to all clusters.
    """
    kinds = np.asarray(counts, dtype=np.int64)
    total = int(kinds.sum())
    if total < 1 or replicates < 1:
        raise StatisticsError(f"a bootstrap needs clusters and replicates, not {total} and {replicates}")
    return generator.multinomial(total, kinds / total, size=replicates).astype(np.float64)


def joint_bootstrap(
    values: npt.ArrayLike,
    clusters: Sequence[Hashable] | None,
    *,
    replicates: int = 10_000,
    generator: np.random.Generator,
) -> FloatArray:
    """Means of all variants in each replicate: (replicates, V), in the unit of the values.

    values: (questions, V). Clusters are drawn with replacement and all variants see the same draw, so differences
    between columns are paired. Cost: one matrix product over cluster sums, whatever the number of questions.
    """
    total = sum_by_cluster(values, clusters)
    kinds, counts = np.unique(np.column_stack([total.sizes, total.sums]), axis=0, return_counts=True)
    means: list[FloatArray] = []
    block = max(1, int(2e7) // len(counts))
    for start in range(0, replicates, block):
        weights = resampled_weights(counts, min(block, replicates - start), generator)
        means.append((weights @ kinds[:, 1:]) / (weights @ kinds[:, :1]))
    return np.concatenate(means)


def _effective(sizes: FloatArray) -> float:
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def _intraclass(sizes: FloatArray, residuals: FloatArray, value_variance: float) -> float:
    """Moment estimate of the intraclass correlation from residual sums, cut to [0, 1]."""
    total = sizes.sum()
    independent = (sizes * (1 - sizes / total)).sum()
    together = (sizes**2 * (1 - 2 * sizes / total)).sum() + (sizes**2).sum() ** 2 / total**2
    if value_variance == 0 or together <= independent * (1 + 1e-9):
        return 0.0
    correlation = float((residuals**2).sum() / value_variance)
    return float(np.clip((correlation - independent) / (together - independent), 0, 1))


def degrees_of_freedom(sizes: FloatArray, intraclass: float) -> float:
    """Satterthwaite degrees of freedom of the CR2 variance of a mean: trace(B)^2 / trace(B^2).

    B = D M diag(v) M' D with D = diag(1/sqrt(1 - n/N)), M = I - n 1'/N, v = n (1 - r) + n^2 r. It is a diagonal plus
    a matrix of rank two, so both traces cost O(G).
    """
    total = sizes.sum()
    scale = 1 / np.sqrt(1 - sizes / total)
    variance = sizes * (1 - intraclass) + sizes**2 * intraclass
    diagonal = scale**2 * variance
    columns = np.stack([scale * sizes, scale * variance], axis=1)
    middle = np.array([[variance.sum() / total**2, -1 / total], [-1 / total, 0.0]])
    gram = columns.T @ columns
    trace = diagonal.sum() + np.trace(middle @ gram)
    weighted = columns.T @ (columns * diagonal[:, None])
    product = middle @ gram
    trace_of_square = (diagonal**2).sum() + 2 * np.trace(middle @ weighted) + np.trace(product @ product)
    return float(trace**2 / trace_of_square)
