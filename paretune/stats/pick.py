"""Which of several variants to take when general ability may lose no more than so much, and what it is then worth.

The variant is chosen on validation rows and judged on test rows, so that the luck that made it look best is not in the
figures that are quoted.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretune.errors import StatisticsError
from paretune.stats.clusters import as_columns
from paretune.stats.paired import PairedDifference, Verdict, equivalence, paired_difference

FEWEST_TO_SPLIT = 40  # questions of an axis; fewer are not worth two halves


@dataclass(frozen=True)
class Axis:
    """All variants' answers to one benchmark: ids (n,), clusters (n,), correct (n, variants), baseline in column 0."""

    ids: tuple[Hashable, ...]
    clusters: tuple[Hashable, ...]
    correct: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """The variant with the greatest gain within the budget, chosen on validation rows, judged on test rows.

    variant: its column; 0 when no variant stays within the budget with a gain. validation_gain, validation_loss: what
    it was chosen by, in points. gain, general: test differences against the baseline. within_budget: whether the test
    rows show that the loss is below the budget.
    """

    variant: int
    budget: float
    validation_gain: float
    validation_loss: float
    gain: PairedDifference
    general: PairedDifference
    within_budget: Verdict


def choose_within_budget(
    validation: tuple[Axis, Axis], test: tuple[Axis, Axis], budget: float, *, generator: np.random.Generator
) -> Choice:
    """Greatest gain on the target with a general loss of at most `budget` points; each pair is (target, general).

    The selection sees validation rows only; the figures to quote are those of the test rows. Raises StatisticsError
    where a question stands in both, where the variants differ in number, or for a budget that is not positive.
    """
    if not budget > 0:
        raise StatisticsError(f"budget {budget}: expected a positive number of points")
    for name, ours, theirs in zip(("target", "general"), validation, test, strict=True):
        shared = set(ours.ids) & set(theirs.ids)
        if shared:
            example = sorted(map(str, shared))[0]
            raise StatisticsError(f"{len(shared)} {name} questions are in validation and test, such as {example}")
    if len({axis.correct.shape[1] for axis in (*validation, *test)}) != 1:
        raise StatisticsError("validation and test must hold the same variants in the same order")
    gains, kept = (100 * as_columns(axis.correct).mean(axis=0) for axis in validation)
    gains, losses = gains - gains[0], kept[0] - kept
    allowed = np.flatnonzero(losses <= budget)
    best = int(min(allowed, key=lambda column: (-gains[column], losses[column], column)))
    gain, general = (_against_baseline(axis, best, generator) for axis in test)
    verdict: Verdict = equivalence(general, budget) if best else "shown"
    return Choice(best, budget, float(gains[best]), float(losses[best]), gain, general, verdict)


def _against_baseline(axis: Axis, column: int, generator: np.random.Generator) -> PairedDifference:
    return paired_difference(axis.correct[:, 0], axis.correct[:, column], axis.clusters, generator=generator)
