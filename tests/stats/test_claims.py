"""What may be said of a loss: margins, sensitivity, all suites."""

from __future__ import annotations

import numpy as np
import pytest

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.claims import LossTest, LossVerdict, finding, gravest, loss_test, sensitivity
from paretune.stats.estimate import ErrorPart, Estimate
from paretune.stats.intervals import Interval, accuracy_interval


def estimate(difference: float, error: float) -> Estimate:
    lost = max(0.0, -difference) * 10 + 50
    return Estimate(difference, (ErrorPart(error, 1e6),), lost + 10 * difference, lost, 1000, 0, 0.0, "t")


@pytest.mark.parametrize(
    ("difference", "error", "verdict"),
    [(0.0, 1.0, "ruled out"), (-1.0, 1.5, "cannot be ruled out"), (-9.0, 1.5, "shown"), (5.0, 1.5, "ruled out")],
)
def test_loss_test_margin_of_three_points(difference: float, error: float, verdict: LossVerdict) -> None:
    found = loss_test(estimate(difference, error), 3.0)
    assert found.verdict == verdict
    assert (found.low > -3.0) == (verdict == "ruled out")
    assert (found.p_value < 0.025) == (verdict == "ruled out")


def test_loss_test_decides_by_the_interval_that_is_printed() -> None:
    for tail in (0.025, 0.025 / 6):
        one = estimate(-0.7, 1.0)
        assert loss_test(one, 3.0, tail=tail).low == one.interval(tail).low


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_loss_test_margin_that_is_none_raises(margin: float) -> None:
    with pytest.raises(StatisticsError, match="margin"):
        loss_test(estimate(0, 1), margin)


def base_at(points: float, questions: int = 14042) -> Interval:
    return accuracy_interval(np.arange(questions) < questions * points / 100)


@pytest.mark.parametrize(
    ("points", "limit"), [(25.6, "chance"), (27.0, "chance"), (45.0, ""), (99.9, "ceiling"), (96.0, "ceiling")]
)
def test_sensitivity_near_chance_and_ceiling_forbids_the_claim(points: float, limit: str) -> None:
    found = sensitivity(base_at(points), 25.0, 1.0)
    assert found.limit == limit
    verdict = loss_test(estimate(0.0, 0.1), 1.0, sensitivity=found).verdict
    assert (verdict == "not measurable") == bool(limit)


def test_sensitivity_says_how_much_can_be_lost() -> None:
    found = sensitivity(base_at(45.0), 25.0, 1.0)
    assert found.losable == pytest.approx(20.0, abs=0.01)
    assert found.margin_share == pytest.approx(0.05, abs=1e-4)
    assert sensitivity(base_at(20.0), 25.0, 1.0).margin_share is None


def test_sensitivity_of_few_questions_counts_their_error() -> None:
    assert sensitivity(base_at(45.0, 100), 25.0, 3.0).limit == "chance"


def test_gain_shown_at_chance_rules_a_loss_out() -> None:
    near = sensitivity(Interval(26.0, 25.3, 26.7, 0.95, 14042, 57, ""), 25.0, 1.0)
    assert near.limit == "chance"
    assert loss_test(estimate(5.0, 1.0), 1.0, sensitivity=near).verdict == "ruled out"
    assert loss_test(estimate(0.5, 0.5), 1.0, sensitivity=near).verdict == "not measurable"


def test_loss_shown_at_chance_is_still_shown() -> None:
    near = sensitivity(base_at(27.0), 25.0, 1.0)
    assert loss_test(estimate(-9.0, 1.0), 1.0, sensitivity=near).verdict == "shown"


def result(verdict: LossVerdict, low: float) -> LossTest:
    return LossTest(verdict, 1.0, low, 0.025, 0.5, None)


def test_gravest_quotes_the_suite_that_lost_wherever_it_stands() -> None:
    tests = [result("ruled out", -0.5), result("shown", -56.0), result("cannot be ruled out", -3.0)]
    assert gravest(tests) == 1
    assert gravest(tests[::-1]) == 1
    assert gravest([result("ruled out", -0.2), result("ruled out", -0.9)]) == 1
    with pytest.raises(EmptySample):
        gravest([])


@pytest.mark.parametrize(
    ("low", "high", "shown"), [(0.1, 4, "gain shown"), (-4, -0.1, "loss shown"), (-1, 2, "not shown")]
)
def test_finding_is_what_the_interval_leaves_out(low: float, high: float, shown: str) -> None:
    assert finding(Interval((low + high) / 2, low, high, 0.95, 100, 0, "t")) == shown
