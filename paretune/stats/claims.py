"""What may be claimed of a loss: ruled out, not ruled out, shown, or not measurable on this suite.

Non-inferiority as in clinical trials (ICH E9 and E10): the margin is stated before looking; the suite must be able to
show a loss at all (assay sensitivity); with several primary suites the claim must hold on each of them
(intersection-union), which needs no adjustment; the bound that decides is the lower end of the interval that is
printed, one-sided 2.5 % where a single variant is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.estimate import Estimate
from paretune.stats.intervals import Interval

LossVerdict = Literal["ruled out", "not measurable", "cannot be ruled out", "shown"]
Finding = Literal["gain shown", "loss shown", "not shown"]
CLEAR_BY = 5  # margins between the base model's accuracy, with its error, and chance or 100 %
GRAVITY: tuple[LossVerdict, ...] = ("ruled out", "not measurable", "cannot be ruled out", "shown")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Whether a suite can show a loss of `margin` points at all.

    losable: points between the base model's accuracy and chance, all that there is to forget. limit: "chance" or
    "ceiling" where the accuracy's interval comes within CLEAR_BY margins of it, "" where the suite is sensitive.
    """

    margin: float
    losable: float
    limit: Literal["", "chance", "ceiling"]

    @property
    def margin_share(self) -> float | None:
        """The margin as a share of what can be lost, in [0, 1]; None where there is nothing to lose."""
        return min(1.0, self.margin / self.losable) if self.losable > 0 else None


def sensitivity(base: Interval, chance: float, margin: float) -> Sensitivity:
    """Whether the base model is clear of chance and of 100 % by CLEAR_BY margins, its interval's error counted.

    base: its accuracy in points; chance: accuracy of a blind guess in points. Raises StatisticsError for a margin that
    is not positive or a chance outside [0, 100).

    >>> base = Interval(27.0, 26.3, 27.7, 0.95, 14042, 57, "")
    >>> sensitivity(base, 25.0, 1.0).limit
    'chance'
    """
    _check_margin(margin)
    if not 0 <= chance < 100:
        raise StatisticsError(f"chance {chance}: expected points in [0, 100), such as 25 for four options")
    limit: Literal["", "chance", "ceiling"] = ""
    if base.low - chance < CLEAR_BY * margin:
        limit = "chance"
    elif 100 - base.high < CLEAR_BY * margin:
        limit = "ceiling"
    return Sensitivity(margin, base.estimate - chance, limit)


@dataclass(frozen=True, slots=True)
class LossTest:
    """Is a loss of more than `margin` points ruled out?

    low: the change that decides, in points: the lower end of the interval at one-sided level `tail`. p_value:
    one-sided, of a loss of at least the margin, unadjusted. sensitive: None where no claim was gated by it.
    """

    verdict: LossVerdict
    margin: float
    low: float
    tail: float
    p_value: float
    sensitivity: Sensitivity | None


def loss_test(
    estimate: Estimate, margin: float, *, tail: float = 0.025, sensitivity: Sensitivity | None = None
) -> LossTest:
    """Test "loses at most `margin` points" at one-sided level `tail` (of a family: `Family.tail`).

    "ruled out": the interval's lower end lies above -margin, and the suite is sensitive (where even a gain is shown, it
    is); "shown": its upper end lies below. Raises StatisticsError for a margin that is not positive.
    """
    _check_margin(margin)
    low = estimate.low(tail)
    verdict: LossVerdict = "cannot be ruled out"
    if estimate.high(tail) < -margin:
        verdict = "shown"
    elif low <= 0 and sensitivity is not None and sensitivity.limit:
        verdict = "not measurable"
    elif low > -margin:
        verdict = "ruled out"
    return LossTest(verdict, margin, low, tail, estimate.p_above(-margin), sensitivity)


def gravest(tests: Sequence[LossTest]) -> int:
    """Which of a variant's tests on all primary suites must be quoted: the gravest verdict, then the lowest bound.

    A loss is ruled out on all suites exactly where this one says so. Raises EmptySample without tests.
    """
    if not tests:
        raise EmptySample("no primary suite: nothing can be said of a loss")
    return max(range(len(tests)), key=lambda at: (GRAVITY.index(tests[at].verdict), -tests[at].low))


def finding(interval: Interval) -> Finding:
    """What an interval shows: it leaves out 0 on one side, or it shows nothing."""
    if interval.low > 0:
        return "gain shown"
    return "loss shown" if interval.high < 0 else "not shown"


def _check_margin(margin: float) -> None:
    if not margin > 0:
        raise StatisticsError(f"margin {margin}: expected a positive number of points, stated before looking")
