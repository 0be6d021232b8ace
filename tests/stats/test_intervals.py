"""Intervals of accuracies: agreement with statsmodels, edges, clusters, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import clustered_mean, covariance, joint_bootstrap, sum_by_cluster
from paretune.stats.intervals import accuracy_interval, bootstrap_interval, macro_interval

SPIDER = (4, 15, 16, 18, 30, 30, 38, 40, 40, 42, 45, 56, 62, 62, 78, 80, 82, 84, 92, 120)


def clusters_of(sizes: tuple[int, ...]) -> list[str]:
    return [f"database-{number}" for number, size in enumerate(sizes) for _ in range(size)]


@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=60)
def test_accuracy_interval_without_clusters_equals_statsmodels_wilson(
    count: int, data: st.DataObject, confidence: float
) -> None:
    right = data.draw(st.integers(0, count))
    found = accuracy_interval([True] * right + [False] * (count - right), confidence=confidence)
    low, high = proportion_confint(right, count, alpha=1 - confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high), abs=1e-9)
    assert found.method == "Wilson"


def test_clustered_mean_with_single_questions_equals_textbook_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=57)
    found = clustered_mean(values, list(range(57)))
    assert found.standard_error == pytest.approx(values.std(ddof=1) / 57**0.5)
    assert found.degrees_of_freedom == pytest.approx(56)


def test_clustered_mean_of_equal_clusters_equals_t_over_cluster_means() -> None:
    values = np.random.default_rng(1).normal(size=(12, 9)) + np.random.default_rng(2).normal(size=(12, 1))
    found = clustered_mean(values.ravel(), np.repeat(np.arange(12), 9).tolist())
    means = values.mean(axis=1)
    assert found.standard_error == pytest.approx(means.std(ddof=1) / 12**0.5)
    assert found.degrees_of_freedom == pytest.approx(11)


def test_clustered_mean_standard_error_equals_matrix_definition_of_cr2() -> None:
    generator = np.random.default_rng(3)
    sizes = (2, 3, 7, 11)
    groups = np.repeat(np.arange(4), sizes)
    values = generator.normal(size=groups.size)
    residuals = values - values.mean()
    total = 0.0
    for group in range(4):
        rows = np.flatnonzero(groups == group)
        hat = np.full((len(rows), len(rows)), 1 / groups.size)
        eigenvalues, vectors = np.linalg.eigh(np.eye(len(rows)) - hat)
        adjusted = vectors @ np.diag(eigenvalues**-0.5) @ vectors.T @ residuals[rows]
        total += adjusted.sum() ** 2
    expected = total**0.5 / groups.size
    assert clustered_mean(values, groups.tolist()).standard_error == pytest.approx(expected)


def test_clustered_mean_degrees_of_freedom_equal_their_matrix_definition() -> None:
    sizes = np.array(SPIDER, dtype=float)
    values = np.zeros(int(sizes.sum()))
    values[::3] = 1
    found = clustered_mean(values, clusters_of(SPIDER))
    total, share = sizes.sum(), found.intraclass
    centre = np.eye(20) - np.outer(sizes, np.ones(20)) / total
    scale = np.diag(1 / np.sqrt(1 - sizes / total))
    spread = np.diag(sizes * (1 - share) + sizes**2 * share)
    matrix = scale @ centre @ spread @ centre.T @ scale
    assert found.degrees_of_freedom == pytest.approx(np.trace(matrix) ** 2 / np.trace(matrix @ matrix))
    assert 5 < found.degrees_of_freedom < 19


def test_covariance_diagonal_equals_each_columns_standard_error() -> None:
    values = np.random.default_rng(4).random((sum(SPIDER), 3)) < 0.4
    total = sum_by_cluster(values, clusters_of(SPIDER))
    for column in range(3):
        alone = clustered_mean(values[:, column], clusters_of(SPIDER)).standard_error
        assert covariance(total)[column, column] ** 0.5 == pytest.approx(alone)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("sizes", [SPIDER, (30, 30, 30, 30), (1, 1)])
def test_accuracy_interval_all_alike_is_never_of_zero_width(right: bool, sizes: tuple[int, ...]) -> None:
    found = accuracy_interval([right] * sum(sizes), clusters_of(sizes))
    assert found.high - found.low > 100 / (sum(sizes) + 4)
    assert found.estimate in found
    assert 0 <= found.low <= found.high <= 100


def test_accuracy_interval_clusters_that_happen_to_agree_keeps_most_of_the_independent_width() -> None:
    correct = [True, False] * 60
    clusters = np.repeat(list("abcd"), 30).tolist()
    found, independent = accuracy_interval(correct, clusters), accuracy_interval(correct)
    assert found.high - found.low >= 0.79 * (independent.high - independent.low)


def test_accuracy_interval_questions_of_a_cluster_alike_is_much_wider_than_wilson() -> None:
    correct = np.repeat([True, False, True, True, False, False, True, False], 50)
    clusters = np.repeat(np.arange(8), 50).tolist()
    found, independent = accuracy_interval(correct, clusters), accuracy_interval(correct)
    assert found.high - found.low > 5 * (independent.high - independent.low)


def test_accuracy_interval_one_cluster_uses_wilson_and_says_so() -> None:
    found = accuracy_interval([True, False, True], ["a", "a", "a"])
    assert "too few clusters" in found.method
    assert (found.low, found.high) == (
        accuracy_interval([True, False, True]).low,
        accuracy_interval([True, False, True]).high,
    )


def test_accuracy_interval_without_questions_raises() -> None:
    with pytest.raises(EmptySample, match="no questions"):
        accuracy_interval([])
    with pytest.raises(EmptySample):
        bootstrap_interval([], [], generator=np.random.default_rng(0))
    with pytest.raises(EmptySample):
        macro_interval([], [])


def test_accuracy_interval_misaligned_clusters_raises() -> None:
    with pytest.raises(StatisticsError, match="aligned"):
        accuracy_interval([True, False], ["a"])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=80))
@settings(max_examples=150)
def test_accuracy_interval_any_data_holds_its_estimate_within_bounds(rows: list[tuple[bool, int]]) -> None:
    correct, clusters = [row[0] for row in rows], [row[1] for row in rows]
    found = accuracy_interval(correct, clusters)
    assert 0 <= found.low <= found.estimate <= found.high <= 100
    assert found.high > found.low
    assert found.estimate == pytest.approx(100 * np.mean(correct))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
@settings(max_examples=50)
def test_accuracy_interval_order_of_questions_does_not_matter(rows: list[tuple[bool, int]]) -> None:
    turned = rows[::-1]
    first = accuracy_interval([row[0] for row in rows], [row[1] for row in rows])
    second = accuracy_interval([row[0] for row in turned], [row[1] for row in turned])
    assert (first.low, first.high) == pytest.approx((second.low, second.high))


def test_accuracy_interval_mirrored_answers_mirror_the_interval() -> None:
    correct = np.random.default_rng(5).random(sum(SPIDER)) < 0.8
    found, mirrored = (accuracy_interval(values, clusters_of(SPIDER)) for values in (correct, ~correct))
    assert (found.low, found.high) == pytest.approx((100 - mirrored.high, 100 - mirrored.low))


def test_accuracy_interval_twenty_unequal_clusters_covers_where_plain_t_does_not() -> None:
    generator = np.random.default_rng(6)
    clusters, rates = clusters_of(SPIDER), (0.9 * 9, 0.1 * 9)  # intraclass correlation 0.1
    held, simulations = 0, 500
    for _ in range(simulations):
        rate = np.repeat(generator.beta(*rates, size=20), SPIDER)
        held += 90.0 in accuracy_interval(generator.random(rate.size) < rate, clusters)
    assert 0.91 < held / simulations < 0.98  # the true coverage is 94.2; plain t covers 90.7


def test_bootstrap_interval_independent_questions_agrees_with_t() -> None:
    correct = np.random.default_rng(7).random(900) < 0.6
    found = bootstrap_interval(correct, generator=np.random.default_rng(0))
    low, high = proportion_confint(correct.sum(), 900, method="normal")
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high), abs=0.25)
    assert found.clusters == 0


def test_bootstrap_interval_same_generator_state_gives_same_interval() -> None:
    correct = np.random.default_rng(8).random(sum(SPIDER)) < 0.6
    first, second = (
        bootstrap_interval(correct, clusters_of(SPIDER), generator=np.random.default_rng(3)) for _ in range(2)
    )
    assert first == second


def test_bootstrap_interval_few_clusters_falls_back_and_says_so() -> None:
    correct = np.random.default_rng(9).random(120) < 0.6
    clusters = np.repeat(list("abcd"), 30).tolist()
    found = bootstrap_interval(correct, clusters, generator=np.random.default_rng(0))
    assert "too few clusters" in found.method
    assert (found.low, found.high) == (
        accuracy_interval(correct, clusters).low,
        accuracy_interval(correct, clusters).high,
    )


def test_macro_interval_weighs_subjects_alike() -> None:
    correct = [True] * 90 + [False] * 10
    subjects = ["large"] * 90 + ["small"] * 10
    assert macro_interval(correct, subjects).estimate == pytest.approx(50)


def test_macro_interval_ends_are_where_t_over_subjects_would_just_reject() -> None:
    generator = np.random.default_rng(10)
    rates = generator.uniform(0.2, 0.9, 57)
    correct = generator.random((57, 100)) < rates[:, None]
    found = macro_interval(correct.ravel(), np.repeat(np.arange(57), 100).tolist())
    means = correct.mean(axis=1)
    half = stats.t.ppf(0.975, 56) * means.std(ddof=1) / 57**0.5
    mean = means.mean()
    for end in (found.low / 100, found.high / 100):  # the error shrinks towards 0 and 1 as that of a share does
        assert abs(end - mean) == pytest.approx(half * (end * (1 - end) / (mean * (1 - mean))) ** 0.5)


def test_joint_bootstrap_differences_between_columns_are_paired() -> None:
    generator = np.random.default_rng(11)
    first = generator.random(1034) < 0.6
    drawn = joint_bootstrap(np.column_stack([first, first]), clusters_of(SPIDER), generator=generator, replicates=200)
    assert np.array_equal(drawn[:, 0], drawn[:, 1])
    assert drawn[:, 0].std() > 0
    assert drawn[:, 0].mean() == pytest.approx(first.mean(), abs=0.02)


def test_joint_bootstrap_kinds_of_single_questions_have_binomial_spread() -> None:
    correct = np.random.default_rng(12).random(2000) < 0.3
    drawn = joint_bootstrap(correct, None, generator=np.random.default_rng(1), replicates=4000)
    share = correct.mean()
    assert drawn.std() == pytest.approx((share * (1 - share) / 2000) ** 0.5, rel=0.05)
