"""Minimum detectable effect and questions needed, against reference values and statsmodels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from paretune.errors import StatisticsError, UndefinedFigure
from paretune.stats.power import (
    Clustering,
    clusters_needed,
    design_effect,
    minimum_detectable_effect,
    minutes_needed,
    questions_needed,
)


@pytest.mark.parametrize(
    ("questions", "discordant", "effect", "decimals"),
    [(100, 0.2, 12.5, 1), (1034, 0.2, 3.9, 1), (150, 0.1, 7.2, 1), (14042, 0.1, 0.75, 2)],
)
def test_minimum_detectable_effect_reference_values(
    questions: int, discordant: float, effect: float, decimals: int
) -> None:
    assert round(minimum_detectable_effect(questions, discordant), decimals) == effect


def test_questions_needed_equals_statsmodels() -> None:
    expected = NormalIndPower(ddof=0).solve_power(effect_size=0.01 / 0.1**0.5, power=0.8, alpha=0.05, ratio=0)
    assert questions_needed(1.0, 0.1) == pytest.approx(expected, abs=1)


@given(st.floats(0.2, 20), st.floats(0.01, 1), st.floats(0.5, 0.99), st.sampled_from([None, (20, 0.01), (57, 0.002)]))
@settings(max_examples=150, deadline=None)
def test_questions_needed_are_just_enough(
    effect: float, discordant: float, power: float, clusters: tuple[int, float] | None
) -> None:
    clustering = Clustering(*clusters) if clusters else None
    try:
        questions = questions_needed(effect, discordant, power=power, clustering=clustering)
    except UndefinedFigure:
        assert clustering is not None
        return
    enough = minimum_detectable_effect(questions, discordant, power=power, clustering=clustering)
    assert enough <= effect * (1 + 1e-9)
    if questions > 2:
        fewer = minimum_detectable_effect(questions - 1, discordant, power=power, clustering=clustering)
        assert fewer > effect * (1 - 1e-9)


def test_questions_needed_clusters_that_share_too_much_say_how_many_are_needed() -> None:
    with pytest.raises(UndefinedFigure, match="at least") as raised:
        questions_needed(1.0, 0.1, clustering=Clustering(20, 0.05))
    least = clusters_needed(1.0, 0.1, 0.05)
    assert f"at least {least} clusters" in str(raised.value)
    assert questions_needed(1.0, 0.1, clustering=Clustering(least, 0.05)) > 7849
    with pytest.raises(UndefinedFigure):
        questions_needed(1.0, 0.1, clustering=Clustering(least - 1, 0.05))


def test_design_effect_without_correlation_or_clusters_is_one() -> None:
    assert design_effect(1000, None) == design_effect(1000, Clustering(20, 0.0)) == 1.0
    assert design_effect(1000, Clustering(20, 1.0)) == 50.0


def test_minutes_needed_counts_all_variants() -> None:
    assert minutes_needed(1200, 0.5, variants=3) == 30
    with pytest.raises(StatisticsError, match="seconds"):
        minutes_needed(100, 0)


@pytest.mark.parametrize(
    ("effect", "discordant", "power"),
    [(0, 0.1, 0.8), (1, 0, 0.8), (1, 1.2, 0.8), (1, 0.1, 1.0), (float("nan"), 0.1, 0.8)],
)
def test_questions_needed_values_out_of_range_raise(effect: float, discordant: float, power: float) -> None:
    with pytest.raises(StatisticsError):
        questions_needed(effect, discordant, power=power)


@pytest.mark.parametrize(("clusters", "intraclass"), [(1, 0.1), (20, -0.1), (20, 1.1)])
def test_clustering_that_cannot_be_raises(clusters: int, intraclass: float) -> None:
    with pytest.raises(StatisticsError):
        Clustering(clusters, intraclass)
