"""Minimum detectable effect and questions needed, against reference values, statsmodels and simulated decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from paretune.errors import StatisticsError, UndefinedFigure
from paretune.stats.claims import loss_test
from paretune.stats.paired import paired_estimate
from paretune.stats.power import (
    Clustering,
    Plan,
    design_effect,
    minimum_detectable_effect,
    minutes_needed,
    power_to_rule_out,
    power_to_show,
    questions_needed,
    questions_to_rule_out,
)

SPIDER = (4, 15, 16, 18, 30, 30, 38, 40, 40, 42, 45, 56, 62, 62, 78, 80, 82, 84, 92, 120)


@pytest.mark.parametrize(
    ("questions", "discordant", "effect", "decimals"),
    [(100, 0.2, 12.5, 1), (1034, 0.2, 3.9, 1), (150, 0.1, 7.2, 1), (14042, 0.1, 0.75, 2)],
)
def test_minimum_detectable_effect_reference_values(
    questions: int, discordant: float, effect: float, decimals: int
) -> None:
    assert round(minimum_detectable_effect(questions, Plan(discordant)), decimals) == effect


def test_questions_needed_equals_statsmodels() -> None:
    expected = NormalIndPower(ddof=0).solve_power(effect_size=0.01 / 0.1**0.5, power=0.8, alpha=0.05, ratio=0)
    assert questions_needed(1.0, Plan(0.1)) == pytest.approx(expected, abs=1)


@given(st.floats(0.2, 20), st.floats(0.21, 1), st.floats(0.5, 0.99), st.sampled_from([None, (20, 0.01), (57, 0.002)]))
@settings(max_examples=60)
def test_questions_needed_are_just_enough(
    effect: float, discordant: float, power: float, clusters: tuple[int, float] | None
) -> None:
    plan = Plan(discordant, power, clustering=Clustering(*clusters) if clusters else None)
    try:
        questions = questions_needed(effect, plan)
    except UndefinedFigure:
        assert clusters is not None
        return
    assert power_to_show(questions, effect, plan) >= power
    if questions > 2:
        assert power_to_show(questions - 1, effect, plan) < power


def test_questions_needed_of_a_family_are_more() -> None:
    alone, six = Plan(0.1), Plan(0.1, family=6)
    assert questions_needed(1.0, six) > 1.5 * questions_needed(1.0, alone)
    assert minimum_detectable_effect(1034, six) > minimum_detectable_effect(1034, alone)


def test_questions_needed_clusters_that_share_too_much_say_how_many_are_needed() -> None:
    with pytest.raises(UndefinedFigure, match="at least 395 clusters"):
        questions_needed(1.0, Plan(0.1, clustering=Clustering(20, 0.05)))
    assert questions_needed(1.0, Plan(0.1, clustering=Clustering(395, 0.05))) > 7849
    with pytest.raises(UndefinedFigure):
        questions_needed(1.0, Plan(0.1, clustering=Clustering(394, 0.05)))


def test_questions_needed_effect_beyond_the_discordant_share_is_refused() -> None:
    with pytest.raises(StatisticsError, match="at most 10 points when 10 % of the questions differ"):
        questions_needed(20.0, Plan(0.1))


def test_minimum_detectable_effect_beyond_what_is_possible_is_refused() -> None:
    with pytest.raises(UndefinedFigure, match="10 questions show no difference reliably"):
        minimum_detectable_effect(10, Plan(0.1))


def test_questions_to_rule_out_a_loss_near_the_margin_are_many() -> None:
    none, half = (questions_to_rule_out(1.0, Plan(0.1), true_loss=loss) for loss in (0.0, 0.5))
    assert none == pytest.approx(7849, rel=0.01)
    assert half == pytest.approx(4 * none, rel=0.01)


@pytest.mark.parametrize(("margin", "true_loss"), [(1.0, 1.0), (1.0, 2.0), (0.0, -1.0), (30.0, 12.0), (1.0, -11.0)])
def test_questions_to_rule_out_the_impossible_are_refused(margin: float, true_loss: float) -> None:
    with pytest.raises(StatisticsError):
        questions_to_rule_out(margin, Plan(0.1), true_loss=true_loss)


def test_power_to_rule_out_rare_flips_agrees_with_simulated_decisions() -> None:
    generator = np.random.default_rng(0)
    ruled_out = []
    for _ in range(400):
        draw = generator.random(900)
        first, second = draw < 0.01, draw > 0.99
        ruled_out.append(loss_test(paired_estimate(first, second, None), 1.5).verdict == "ruled out")
    expected = power_to_rule_out(900, 1.5, Plan(0.02))
    assert np.mean(ruled_out) == pytest.approx(expected, abs=0.06)


def test_clustering_of_unequal_sizes_is_worth_fewer() -> None:
    unequal = Clustering.of(SPIDER, 0.05)
    assert unequal.effective == pytest.approx(15.06, abs=0.01)
    assert 9 < unequal.freedom(1034) < 12
    assert design_effect(1034, unequal) > design_effect(1034, Clustering(20, 0.05))
    assert design_effect(1000, None) == design_effect(1000, Clustering(20, 0.0)) == 1.0


def test_minutes_needed_counts_all_variants() -> None:
    assert minutes_needed(1200, 0.5, variants=3) == 30
    with pytest.raises(StatisticsError, match="seconds"):
        minutes_needed(100, 0)


@pytest.mark.parametrize(("discordant", "power", "family"), [(0, 0.8, 1), (1.2, 0.8, 1), (0.1, 1.0, 1), (0.1, 0.8, 0)])
def test_plan_values_out_of_range_raise(discordant: float, power: float, family: int) -> None:
    with pytest.raises(StatisticsError):
        Plan(discordant, power, family=family)


@pytest.mark.parametrize("effect", [0.0, float("nan"), 101.0])
def test_questions_needed_effect_out_of_range_raises(effect: float) -> None:
    with pytest.raises(StatisticsError):
        questions_needed(effect, Plan(0.1))


@pytest.mark.parametrize(
    ("clusters", "intraclass", "sizes"), [(1, 0.1, ()), (20, -0.1, ()), (20, 1.1, ()), (3, 0.1, (1.0, 2.0))]
)
def test_clustering_that_cannot_be_raises(clusters: int, intraclass: float, sizes: tuple[float, ...]) -> None:
    with pytest.raises(StatisticsError):
        Clustering(clusters, intraclass, sizes)
