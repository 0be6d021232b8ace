"""Paired comparisons: agreement with scipy and statsmodels, planted differences and nulls, claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.claims import loss_test
from paretune.stats.clusters import sum_by_cluster
from paretune.stats.paired import PairedDifference, holm, mcnemar_exact, paired_difference, permutation_p

GROUPS = np.repeat(np.arange(20), 50).tolist()


def compare(first: np.ndarray, second: np.ndarray, clusters: list[int] | None = GROUPS) -> PairedDifference:
    return paired_difference(first, second, clusters, generator=np.random.default_rng(0), replicates=2000)


def answers(seed: int, gain: float, loss: float, count: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    first = generator.random(count) < 0.5
    turned = generator.random(count) < np.where(first, loss, gain)
    return first, first ^ turned


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=80)
def test_mcnemar_exact_equals_statsmodels(gained: int, lost: int) -> None:
    table = [[50, lost], [gained, 60]]
    expected = 1.0 if gained + lost == 0 else mcnemar(table, exact=True).pvalue
    assert mcnemar_exact(gained, lost) == pytest.approx(min(1.0, expected))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=80)
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_planned_comparisons_that_were_not_made_count() -> None:
    assert holm([0.01, 0.02], planned=6) == pytest.approx((0.06, 0.1))
    assert holm([0.01, 0.02], planned=6) == holm([0.01, 0.02, 1, 1, 1, 1])[:2]


def test_holm_without_values_raises() -> None:
    with pytest.raises(EmptySample):
        holm([])
    with pytest.raises(StatisticsError, match="outside"):
        holm([0.5, 1.5])


def test_permutation_p_few_clusters_equals_scipy_exact() -> None:
    sums = np.array([3.0, -1.0, 4.0, 2.0, 2.0, -2.0, 5.0, 1.0])
    expected = stats.permutation_test(
        (sums, np.zeros(8)), lambda x, y, axis: np.sum(x - y, axis=axis), permutation_type="samples", n_resamples=1000
    )
    total = sum_by_cluster(sums, list(range(8)))
    assert permutation_p(total, replicates=10, generator=np.random.default_rng(0)) == pytest.approx(expected.pvalue)


def test_permutation_p_many_clusters_agrees_with_scipy_drawn() -> None:
    sums = np.random.default_rng(1).normal(0.3, 1, size=30).round(1)
    expected = stats.permutation_test(
        (sums, np.zeros(30)),
        lambda x, y, axis: np.sum(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=20000,
        rng=np.random.default_rng(2),
    )
    total = sum_by_cluster(sums, list(range(30)))
    found = permutation_p(total, replicates=20000, generator=np.random.default_rng(3))
    assert found == pytest.approx(expected.pvalue, abs=0.01)


def test_permutation_p_four_clusters_cannot_fall_below_one_eighth() -> None:
    first = np.zeros(400, dtype=bool)
    found = compare(first, ~first, np.repeat(np.arange(4), 100).tolist())
    assert found.permutation_p == pytest.approx(2 / 16)


def test_paired_difference_independent_questions_equals_scipy_paired_t() -> None:
    first, second = answers(2, 0.2, 0.18)
    found = compare(first, second, None)
    expected = stats.ttest_rel(second.astype(float), first.astype(float))
    low, high = expected.confidence_interval()
    assert found.t_p == pytest.approx(expected.pvalue, rel=0.01)  # the score test's error is that under no difference
    assert found.t_p >= expected.pvalue * (1 - 1e-9)
    assert (found.t.low, found.t.high) == pytest.approx((100 * low, 100 * high), abs=0.02)


def test_paired_difference_counts_and_names_flips() -> None:
    found = compare(np.array([1, 0, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool), None)
    assert (found.gained, found.lost) == ((1, 3), (2,))
    assert found.discordant_share == pytest.approx(0.6)
    assert found.difference == pytest.approx(20)


def test_paired_difference_planted_gain_is_found() -> None:
    found = compare(*answers(3, 0.4, 0.1))
    assert found.t.low > 0
    assert found.bootstrap.low > 0
    assert max(found.mcnemar_p, found.permutation_p, found.t_p) < 0.001
    assert 15.0 in found.t


def test_paired_difference_planted_null_is_rejected_one_time_in_twenty() -> None:
    rejected = {"t": 0, "permutation": 0, "bootstrap": 0}
    for seed in range(300):
        found = compare(*answers(seed, 0.2, 0.2))
        rejected["t"] += found.t_p < 0.05
        rejected["permutation"] += found.permutation_p < 0.05
        rejected["bootstrap"] += 0 not in found.bootstrap
    for count in rejected.values():
        assert count <= 28  # 15 expected; 28 has a probability of 0.001


def test_paired_difference_databases_that_turn_together_need_clusters() -> None:
    generator = np.random.default_rng(4)
    first = np.zeros(1000, dtype=bool)
    first[::2] = True
    direction = generator.permutation([1] * 12 + [-1] * 8)
    second = first.copy()
    for group, way in enumerate(direction):
        rows = np.arange(50 * group, 50 * group + 50)
        second[rows] = way > 0
    found = compare(first, second)
    assert found.mcnemar_p < 0.01  # 500 gains and losses that are in truth 20 coin tosses
    assert found.t_p > 0.3
    assert found.permutation_p > 0.3


def test_paired_difference_no_flip_at_all_is_not_certainty() -> None:
    first = np.random.default_rng(5).random(1000) < 0.5
    found = compare(first, first)
    assert found.difference == 0
    assert found.t.low < -0.2
    assert found.t.high > 0.2
    assert found.t_p == found.mcnemar_p == found.permutation_p == 1.0
    assert loss_test(found.estimate, 0.1).verdict == "cannot be ruled out"
    assert loss_test(found.estimate, 2.0).verdict == "ruled out"


def test_paired_difference_one_cluster_says_so() -> None:
    first, second = answers(6, 0.3, 0.1, 60)
    assert "too few clusters" in compare(first, second, [1] * 60).t.method


def test_paired_difference_giant_cluster_beside_singletons_is_not_four_clusters() -> None:
    first, second = answers(6, 0.3, 0.1, 503)
    found = compare(first, second, [0] * 500 + [1, 2, 3])
    assert "too few clusters" in found.t.method
    assert found.t.clusters == 0
    assert found.estimate.effective_clusters == pytest.approx(503**2 / (500**2 + 3))


@pytest.mark.parametrize(("first", "second"), [([True, False], [True]), ([[True]], [[True]])])
def test_paired_difference_different_questions_raises(first: list[bool], second: list[bool]) -> None:
    with pytest.raises(StatisticsError, match="same questions"):
        compare(np.array(first), np.array(second), None)


def test_paired_difference_without_questions_raises() -> None:
    with pytest.raises(EmptySample):
        compare(np.array([], bool), np.array([], bool), None)


def test_minimum_detectable_effect_is_shown_four_times_in_five() -> None:
    effect, shown, simulations = 0.0, 0, 300
    for seed in range(simulations):
        first, second = answers(1000 + seed, 0.25, 0.15)  # 5 points, 20 % discordant, 1000 questions
        found = compare(first, second, None)
        effect += (found.minimum_detectable_effect or 100.0) / simulations
        shown += found.t_p < 0.05
    assert effect == pytest.approx(2.8016 * (0.2 - 0.05**2) ** 0.5 / 1000**0.5 * 100, rel=0.02)
    assert shown / simulations > 0.85  # 5 points lie above the 3.9 that are shown four times in five
