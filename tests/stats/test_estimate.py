"""One estimate at every level: agreement of interval, p value and reach; few flips; several sources of error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from paretune.errors import StatisticsError
from paretune.stats.estimate import ErrorPart, Estimate, noncentrality, score_variance
from paretune.stats.paired import paired_estimate


def flips(gained: int, lost: int, questions: int, clusters: int | None = None) -> Estimate:
    """Flips spread evenly over the questions."""
    first = np.zeros(questions, dtype=bool)
    second = np.zeros(questions, dtype=bool)
    places = np.linspace(0, questions - 1, gained + lost, dtype=int) if gained + lost else np.array([], dtype=int)
    second[places[:gained]] = True
    first[places[gained:]] = True
    labels = None if clusters is None else np.arange(questions) * clusters // questions
    return paired_estimate(first, second, None if labels is None else labels.tolist())


@given(st.integers(0, 30), st.integers(0, 30), st.sampled_from([None, 4, 20]), st.sampled_from([0.05, 0.025, 0.004]))
@settings(max_examples=80)
def test_estimate_interval_and_p_values_agree(gained: int, lost: int, clusters: int | None, tail: float) -> None:
    estimate = flips(gained, lost, 300, clusters)
    interval = estimate.interval(tail)
    assert -100 <= interval.low < interval.high <= 100
    assert interval.low < estimate.difference < interval.high
    for value in (interval.low + 0.01, interval.low - 0.01):
        if value < estimate.difference:
            assert (estimate.p_above(value) < tail) == (value < interval.low)
    assert estimate.p_above(0.3) + estimate.p_below(0.3) == pytest.approx(1)


@pytest.mark.parametrize(("questions", "clusters"), [(300, None), (300, 20), (450, 6), (450, 4)])
def test_estimate_every_lost_question_makes_the_bound_worse(questions: int, clusters: int | None) -> None:
    lows = [flips(0, lost, questions, clusters).low(0.025) for lost in range(6)]
    assert lows == sorted(lows, reverse=True)
    exact = [-100 * float(stats.beta.ppf(0.975, lost + 1, questions - lost)) for lost in range(6)]
    assert all(low < bound + 0.05 for low, bound in zip(lows[:3], exact[:3], strict=True))


def test_estimate_of_few_clusters_without_flips_claims_less_than_independent_questions() -> None:
    assert flips(0, 0, 450, 4).low(0.025) < 2 * flips(0, 0, 450).low(0.025)


def test_score_variance_equals_its_definition_at_the_observed_difference() -> None:
    assert score_variance(30, 10, 200, 0.1) == pytest.approx((40 / 200 - 0.1**2) / 200)


def test_score_variance_maximises_the_likelihood_under_the_difference() -> None:
    gained, lost, questions, difference = 3, 5, 100, -0.06
    grid = np.linspace(0.06 + 1e-6, 0.4, 200_001)
    likelihood = (
        gained * np.log(grid + difference)
        + lost * np.log(grid)
        + (questions - gained - lost) * np.log(1 - 2 * grid - difference)
    )
    wrong = grid[likelihood.argmax()]
    expected = (2 * wrong + difference - difference**2) / questions
    assert score_variance(gained, lost, questions, difference) == pytest.approx(expected, rel=1e-3)


def test_estimate_second_source_of_error_widens_by_squares() -> None:
    one = Estimate(5.0, (ErrorPart(1.0, 20.0),), 100, 50, 1000, 20, 15.0, "t")
    both = replace(one, parts=(*one.parts, ErrorPart(2.0, 2.0)))
    expected = (stats.t.ppf(0.975, 20) ** 2 + (2 * stats.t.ppf(0.975, 2)) ** 2) ** 0.5
    assert 5 - both.low(0.025) == pytest.approx(expected)
    assert both.p_two_sided() > one.p_two_sided()


def test_estimate_detectable_is_found_with_the_power_named() -> None:
    estimate = Estimate(0.0, (ErrorPart(2.0, 10.0),), 100, 100, 1000, 20, 15.0, "t")
    reach = estimate.detectable(0.025)
    assert reach is not None
    unbiased = 2 / stats.chi.mean(10) * 10**0.5  # a standard deviation with 10 degrees of freedom is 2.5 % too small
    assert stats.nct.sf(stats.t.ppf(0.975, 10), 10, reach / unbiased) == pytest.approx(0.8, abs=1e-3)
    assert (estimate.detectable(0.025 / 6) or 0) > 1.3 * reach


def test_estimate_detectable_never_exceeds_what_is_possible() -> None:
    assert flips(1, 1, 4, 2).detectable(0.025) is None
    found = [flips(0, lost, 300).detectable(0.025) for lost in range(4)]
    assert all(reach is not None and 0 < reach < 5 for reach in found)


def test_noncentrality_equals_scipy() -> None:
    shift = noncentrality(0.01, 0.8, 7.0)
    assert stats.nct.sf(stats.t.ppf(0.99, 7), 7, shift) == pytest.approx(0.8, abs=1e-5)
    with pytest.raises(StatisticsError, match="power"):
        noncentrality(0.01, 1.0, 7.0)


@pytest.mark.parametrize("tail", [0.0, 0.7])
def test_estimate_level_out_of_range_raises(tail: float) -> None:
    with pytest.raises(StatisticsError, match="one-sided level"):
        flips(1, 2, 100).low(tail)
