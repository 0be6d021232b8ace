"""Which variant to use: the largest gain that is shown and whose loss beyond the budget is ruled out.

Everything is judged on all questions with the family's intervals, which hold for whichever variant is picked. What the
picking itself adds to the figure (the winner's curse) is measured on splits: one half of the databases picks, the other
half judges.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.claims import LossTest, finding, gravest
from paretune.stats.clusters import sum_by_cluster
from paretune.stats.intervals import Interval

Reason = Literal[
    "", "gain not shown", "loss on the target", "loss shown", "loss cannot be ruled out", "loss not measurable",
    "smaller gain",
]  # fmt: skip
SPLITS = 200
FEWEST_TO_SPLIT = 4  # clusters; the halves of fewer are one database each


@dataclass(frozen=True, slots=True)
class Candidate:
    """One variant or recipe. gain: on the target, the family's interval; losses: one test per primary suite."""

    gain: Interval
    losses: tuple[LossTest, ...]


def pick_within_budget(candidates: Sequence[Candidate]) -> tuple[int | None, tuple[Reason, ...]]:
    """The candidate to use, None for the base model, and why not the others ("" for the picked one).

    The gain comes first; only where it is shown does the loss count (fixed sequence).
    """
    reasons = [_against(candidate) for candidate in candidates]
    fit = [at for at, reason in enumerate(reasons) if not reason]
    best = max(fit, key=lambda at: candidates[at].gain.estimate, default=None)
    return best, tuple("smaller gain" if at in fit and at != best else reason for at, reason in enumerate(reasons))


def _against(candidate: Candidate) -> Reason:
    shown = finding(candidate.gain)
    if shown != "gain shown":
        return "loss on the target" if shown == "loss shown" else "gain not shown"
    verdict = candidate.losses[gravest(candidate.losses)].verdict
    reasons: dict[str, Reason] = {
        "ruled out": "",
        "shown": "loss shown",
        "cannot be ruled out": "loss cannot be ruled out",
        "not measurable": "loss not measurable",
    }
    return reasons[verdict]


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """What picking the largest gain is worth on clusters that did not pick, over `splits` random halves.

    choosing_gain, judging_gain: mean gain in points of the picked variant on the half that picked and on the other;
    their difference is the winner's curse of half the data. picked: share of splits in which each variant was picked.
    """

    splits: int
    choosing_gain: float
    judging_gain: float
    picked: tuple[float, ...]

    @property
    def optimism(self) -> float:
        """By how many points the half that picks flatters its pick."""
        return self.choosing_gain - self.judging_gain


def split_check(
    differences: npt.ArrayLike,
    clusters: Sequence[Hashable] | None,
    *,
    generator: np.random.Generator,
    splits: int = SPLITS,
) -> SplitCheck:
    """Pick the largest gain on one random half of the clusters and judge it on the other, many times.

    differences: (questions, variants), tuned minus base, of the candidates. Whole clusters are split, since the figure
    is to hold for other databases, and both halves pick in turn. Raises StatisticsError with fewer clusters than
    FEWEST_TO_SPLIT, EmptySample without variants.
    """
    columns = np.asarray(differences, dtype=np.float64)
    if columns.ndim != 2 or columns.shape[1] == 0:
        raise EmptySample("no variants to pick from")
    total = sum_by_cluster(columns, clusters)
    groups = len(total.sizes)
    if groups < FEWEST_TO_SPLIT:
        raise StatisticsError(f"{groups} clusters cannot be split into halves that pick and judge")
    order = generator.random((splits, groups)).argsort(axis=1)
    chosen = (order < (groups + 1) // 2).astype(np.float64)
    first = 100 * (chosen @ total.sums) / (chosen @ total.sizes)[:, None]
    second = 100 * ((1 - chosen) @ total.sums) / ((1 - chosen) @ total.sizes)[:, None]
    rows = np.arange(splits)
    gains: list[tuple[float, float]] = []
    counts = np.zeros(columns.shape[1])
    for choosing, judging in ((first, second), (second, first)):
        best = choosing.argmax(axis=1)
        counts += np.bincount(best, minlength=columns.shape[1])
        gains.append((float(choosing[rows, best].mean()), float(judging[rows, best].mean())))
    picking, judged = (sum(pair) / 2 for pair in zip(*gains, strict=True))
    return SplitCheck(splits, picking, judged, tuple((counts / (2 * splits)).tolist()))
