"""Families: intervals that hold together, correlated scales, comparisons that were never made."""

from __future__ import annotations

import numpy as np
import pytest

from paretune.errors import StatisticsError
from paretune.stats.family import BONFERRONI, FLIPPED, bonferroni, family_of, findings_differ
from paretune.stats.paired import holm, paired_estimate

GROUPS = np.repeat(np.arange(20), 50).tolist()
NOTHING = np.zeros(1000, dtype=bool)


def scales(seed: int, count: int, effect: float = 0.0) -> np.ndarray:
    """(1000, count): nested flips, as scales of one adapter make them, with database effects."""
    generator = np.random.default_rng(seed)
    scale = np.linspace(0.4, 1.0, count)
    shift = np.repeat(generator.normal(effect, 0.06, 20), 50)[:, None] * scale
    draw = generator.random((1000, 1))
    return np.where(draw < 0.1 * scale + shift / 2, 1.0, np.where(draw > 1 - 0.1 * scale + shift / 2, -1.0, 0.0))


def family(columns: np.ndarray, planned: int | None = None, clusters: list[int] = GROUPS):  # type: ignore[no-untyped-def]  # short
    generator = np.random.default_rng(0)
    return family_of(columns, clusters, planned=planned or columns.shape[1], generator=generator, draws=2000)


def test_family_of_one_is_the_usual_interval() -> None:
    found = family(scales(0, 1))
    assert found.tail == pytest.approx(0.025)
    assert found.adjusted(0.03) == 0.03


def test_family_of_equal_columns_costs_nothing() -> None:
    found = family(np.repeat(scales(1, 1), 6, axis=1))
    assert found.method == FLIPPED
    assert found.tail == pytest.approx(0.025, rel=0.25)


def test_family_of_unrelated_columns_is_near_bonferroni() -> None:
    columns = np.column_stack([scales(seed, 1) for seed in range(6)])
    assert 1.0 <= family(columns).tail / (0.025 / 6) < 1.6


def test_family_scales_of_one_adapter_keep_most_of_the_level() -> None:
    found = family(scales(2, 6))
    assert 1.5 < found.tail / (0.025 / 6) <= 6


def test_family_adjusted_p_and_interval_decide_alike() -> None:
    for seed in range(12):
        columns = scales(seed, 6, effect=0.04)
        found = family(columns)
        for column in columns.T:
            estimate = paired_estimate(NOTHING, column, GROUPS)
            interval = estimate.interval(found.tail)
            shown = not interval.low <= 0 <= interval.high
            assert shown == (found.adjusted(estimate.p_two_sided()) < 0.05)


def test_family_comparison_that_was_deleted_still_counts() -> None:
    columns = scales(3, 4)
    whole, part = family(columns, planned=6), family(columns, planned=4)
    assert whole.tail < part.tail
    assert whole.adjusted(0.01) == pytest.approx(part.adjusted(0.01) + 0.02)
    with pytest.raises(StatisticsError, match="4 comparisons were made, 3 planned"):
        family(columns, planned=3)


def test_family_of_few_or_lopsided_clusters_is_bonferroni() -> None:
    few = np.repeat(np.arange(5), 200).tolist()
    lopsided = [0] * 900 + list(range(1, 101))
    assert family(scales(4, 3), clusters=few).method == BONFERRONI
    assert family(scales(4, 3), clusters=few).tail == pytest.approx(0.025 / 3)
    assert family(scales(4, 3), clusters=lopsided).method == FLIPPED  # questions count as independent


def test_family_true_null_is_seldom_shown() -> None:
    shown = 0
    for seed in range(100, 300):
        columns = scales(seed, 6)
        found = family(columns)
        shown += any(
            found.adjusted(paired_estimate(NOTHING, column, GROUPS).p_two_sided()) < 0.05 for column in columns.T
        )
    assert shown <= 20  # 10 expected at most; 20 has a probability of 0.003


def test_findings_differ_names_where_holm_says_otherwise() -> None:
    columns = scales(7, 6, effect=0.04)
    estimates = [paired_estimate(NOTHING, column, GROUPS) for column in columns.T]
    found = family(columns)
    adjusted = holm([estimate.p_two_sided() for estimate in estimates])
    expected = [
        (found.adjusted(e.p_two_sided()) < 0.05) != (p < 0.05) for e, p in zip(estimates, adjusted, strict=True)
    ]
    assert list(findings_differ(estimates, found, adjusted)) == expected


def test_bonferroni_without_comparisons_raises() -> None:
    with pytest.raises(StatisticsError, match="at least one"):
        bonferroni(0)
