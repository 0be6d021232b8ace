"""Ratios, and the front."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.errors import EmptySample, StatisticsError, UndefinedFigure
from paretune.stats.clusters import joint_bootstrap
from paretune.stats.paired import PairedDifference, paired_difference
from paretune.stats.tradeoff import (
    expanded_percentiles,
    fieller,
    front_probability,
    hypervolume,
    hypervolume_interval,
    loss_at_matched_gain,
    matched_loss_interval,
    pareto_front,
    points_lost_per_point_gained,
    retention,
)

POINTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8)


def difference(seed: int, base: float, gain: float, loss: float, count: int = 2000) -> PairedDifference:
    generator = np.random.default_rng(seed)
    first = generator.random(count) < base
    second = first ^ (generator.random(count) < np.where(first, loss, gain))
    clusters = np.repeat(np.arange(20), count // 20).tolist()
    return paired_difference(first, second, clusters, generator=generator, replicates=200)


def test_retention_of_planted_loss_holds_the_truth() -> None:
    generator = np.random.default_rng(0)
    base = generator.random(4000) < 0.65
    tuned = base & (generator.random(4000) > 0.1)
    clusters = np.repeat(np.arange(40), 100).tolist()
    found = retention(base, tuned, 0.25, clusters)
    assert (0.585 - 0.25) / 0.4 * 100 in found
    assert found.estimate == pytest.approx(100 * (tuned.mean() - 0.25) / (base.mean() - 0.25))


def test_retention_near_chance_is_undefined() -> None:
    base = np.random.default_rng(1).random(500) < 0.26
    with pytest.raises(UndefinedFigure, match="chance"):
        retention(base, base, 0.25, np.repeat(np.arange(10), 50).tolist())


def test_retention_below_chance_is_undefined_although_significant() -> None:
    with pytest.raises(UndefinedFigure, match="chance"):
        retention([False] * 150, [False] * 150, 0.25, None)


def test_retention_of_itself_is_a_hundred_percent_but_not_certainly() -> None:
    base = np.random.default_rng(2).random(1000) < 0.7
    found = retention(base, base, 0.25, np.repeat(np.arange(10), 100).tolist())
    assert found.estimate == pytest.approx(100)
    assert 95 < found.low < 99.9
    assert 100.1 < found.high < 105


def test_retention_chance_of_each_question_is_used() -> None:
    base, tuned = np.array([1, 1, 1, 0] * 50, bool), np.array([1, 1, 0, 0] * 50, bool)
    found = retention(base, tuned, [0.2, 0.2, 0.3, 0.3] * 50, None)
    assert found.estimate == pytest.approx(100 * (0.5 - 0.25) / (0.75 - 0.25))


def test_retention_chance_in_points_is_refused() -> None:
    with pytest.raises(StatisticsError, match="probability"):
        retention([True, False], [True, False], 25, None)


@given(st.floats(-5, 5), st.floats(1, 5), st.floats(0.01, 0.4), st.floats(0.01, 0.3))
@settings(max_examples=80)
def test_fieller_limits_solve_their_definition(a: float, b: float, error_a: float, error_b: float) -> None:
    for limit in fieller(a, b, np.diag([error_a**2, error_b**2]), 2.0):
        error = (error_a**2 + limit**2 * error_b**2) ** 0.5
        assert abs(a - limit * b) == pytest.approx(2.0 * error, rel=1e-6, abs=1e-9)


def test_fieller_exact_denominator_is_the_plain_interval() -> None:
    assert fieller(4.0, 2.0, np.diag([1.0, 0.0]), 2.0) == pytest.approx((1.0, 3.0))


def test_fieller_denominator_near_zero_is_undefined() -> None:
    with pytest.raises(UndefinedFigure):
        fieller(1.0, 0.1, np.diag([0.1, 0.1]), 2.0)


def test_points_lost_per_point_gained_planted_price_is_held() -> None:
    target, general = difference(3, 0.4, 0.4, 0.05), difference(4, 0.6, 0.05, 0.1)
    found = points_lost_per_point_gained(target, general)
    assert 0.04 / 0.22 in found
    assert found.estimate == pytest.approx(-general.difference / target.difference)


@pytest.mark.parametrize(("gain", "loss"), [(0.1, 0.1), (0.02, 0.4)])
def test_points_lost_per_point_gained_without_a_gain_is_undefined(gain: float, loss: float) -> None:
    with pytest.raises(UndefinedFigure, match="not shown"):
        points_lost_per_point_gained(difference(5, 0.5, gain, loss), difference(6, 0.6, 0.05, 0.1))


def test_points_lost_per_point_gained_general_that_rose_is_negative() -> None:
    found = points_lost_per_point_gained(difference(7, 0.4, 0.4, 0.05), difference(8, 0.5, 0.3, 0.05))
    assert found.high < 0


@given(POINTS)
@settings(max_examples=100)
def test_pareto_front_is_what_nobody_beats(points: list[tuple[int, int]]) -> None:
    for (gain, kept), on in zip(points, pareto_front(points), strict=True):
        beaten = any(a >= gain and b >= kept and (a, b) != (gain, kept) for a, b in points)
        assert on != beaten


@given(POINTS)
@settings(max_examples=100)
def test_hypervolume_equals_counted_cells(points: list[tuple[int, int]]) -> None:
    cells = sum(any(x < a and y < b for a, b in points) for x in range(20) for y in range(20))
    assert hypervolume(points, (0, 0)) == pytest.approx(cells)


def test_hypervolume_below_the_reference_counts_nothing() -> None:
    assert hypervolume([[5, 1]], (0, 2)) == 0
    with pytest.raises(EmptySample):
        hypervolume([], (0, 0))


def test_front_probability_clear_and_tied_variants() -> None:
    generator = np.random.default_rng(9)
    target = np.stack([np.full(500, 50.0), generator.normal(60, 1, 500), generator.normal(60, 1, 500)], axis=1)
    general = np.stack([np.full(500, 50.0), np.full(500, 49.0), np.full(500, 49.0)], axis=1)
    best, one, other = front_probability(target, general)
    assert best == 1.0
    assert one + other == pytest.approx(1.0)
    assert 0.4 < one < 0.6


def test_hypervolume_interval_holds_its_estimate() -> None:
    generator = np.random.default_rng(10)
    points = np.array([[50.0, 60.0], [70.0, 58.0]])
    target, general = (column + generator.normal(0, 1, (500, 2)) for column in points.T)
    found = hypervolume_interval(points, target, general, (0, 25), freedom=15)
    assert found.low < found.estimate < found.high


def test_loss_at_matched_gain_follows_the_curve() -> None:
    assert loss_at_matched_gain([10, 20], [1, 5], 5) == pytest.approx(0.5)
    assert loss_at_matched_gain([10, 20], [1, 5], 20) == pytest.approx(5)
    assert loss_at_matched_gain([10, 8, 20], [1, 2, 5], 9) == pytest.approx(0.9)  # the first crossing


def test_loss_at_matched_gain_beyond_the_curve_is_undefined() -> None:
    with pytest.raises(UndefinedFigure, match="the most is 20"):
        loss_at_matched_gain([10, 20], [1, 5], 21)


def test_matched_loss_interval_holds_planted_loss_and_refuses_rare_gains() -> None:
    generator = np.random.default_rng(11)
    target = np.array([50.0, 60.0, 70.0]) + generator.normal(0, 1, (400, 3))
    general = np.array([60.0, 59.0, 55.0]) + generator.normal(0, 0.3, (400, 3))
    found = matched_loss_interval(target, general, 10.0, 1.0, freedom=15)
    assert 1.0 in found
    with pytest.raises(UndefinedFigure, match="smaller gain"):
        matched_loss_interval(target, general, 20.0, 5.0, freedom=15)


def test_expanded_percentiles_are_wider_than_percentiles() -> None:
    drawn = np.random.default_rng(12).normal(size=20000)
    low, high = expanded_percentiles(drawn, 0.95, 11)
    assert high == pytest.approx(2.2986, abs=0.06)  # t of 11 degrees of freedom times sqrt(12 / 11)
    assert low == pytest.approx(-high, abs=0.08)


def test_front_probability_from_joint_bootstrap_of_real_shapes() -> None:
    right = np.random.default_rng(13).random((1034, 3)) < np.array([0.4, 0.6, 0.6])
    clusters = (np.arange(1034) % 20).tolist()
    drawn = joint_bootstrap(right, clusters, generator=np.random.default_rng(0), replicates=300)
    assert len(front_probability(drawn, drawn)) == 3
