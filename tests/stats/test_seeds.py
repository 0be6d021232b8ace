"""Seeds' variance apart from questions'."""

from __future__ import annotations

import numpy as np
import pytest

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import clustered_mean
from paretune.stats.paired import paired_estimate
from paretune.stats.seeds import seed_effect

GROUPS = np.repeat(np.arange(20), 50).tolist()


def trainings(seed: int, seeds: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """A baseline of accuracy 0.4 and `seeds` trainings whose accuracy varies around 0.6 by `spread`."""
    generator = np.random.default_rng(seed)
    base = generator.random(1000) < 0.4
    rates = 1 / 3 + generator.normal(0, spread / 0.6, seeds)
    tuned = base | (generator.random((seeds, 1000)) < rates[:, None])
    return base, tuned


def test_seed_effect_one_seed_says_so_and_counts_questions_only() -> None:
    base, tuned = trainings(0, 1, 0.0)
    found = seed_effect(base, tuned, GROUPS)
    alone = clustered_mean(tuned[0].astype(float) - base, GROUPS)
    assert found.single_seed
    assert "one seed" in found.caveat
    assert found.seed_deviation is None
    assert found.question_error == pytest.approx(100 * alone.standard_error)


def test_seed_effect_trainings_of_one_seed_are_one_training() -> None:
    base, tuned = trainings(0, 3, 0.02)
    repeated = seed_effect(base, tuned[[0, 0, 0]], GROUPS, seeds=[42, 42, 42])
    assert repeated == seed_effect(base, tuned[0], GROUPS)
    assert repeated.single_seed
    mixed = seed_effect(base, tuned[[0, 0, 1]], GROUPS, seeds=[42, 42, 43])
    assert mixed == seed_effect(base, tuned[:2], GROUPS)
    with pytest.raises(StatisticsError, match="3 trainings but 2 seeds"):
        seed_effect(base, tuned, GROUPS, seeds=[1, 2])


def test_seed_effect_seeds_that_change_nothing_are_as_uncertain_as_one_variant() -> None:
    base, _ = trainings(0, 1, 0.0)
    found = seed_effect(base, np.stack([base, base, base]), GROUPS)
    alone = paired_estimate(base, base, GROUPS).interval(0.025)
    assert found.interval.low < 0 < found.interval.high
    assert (found.interval.low, found.interval.high) == pytest.approx((alone.low, alone.high))


def test_seed_effect_best_seed_shows_what_the_recipe_does_not() -> None:
    generator = np.random.default_rng(5)
    base = generator.random(1000) < 0.4
    tuned = np.stack([base | (generator.random(1000) < gain / 0.6) for gain in (0.04, 0.08, 0.13)])
    recipe = seed_effect(base, tuned, GROUPS).estimate
    best = paired_estimate(base, tuned[2], GROUPS)
    assert best.low(0.025) > 0
    assert recipe.low(0.025) < 0
    assert recipe.p_two_sided() > 0.05


def test_seed_effect_deviation_has_an_upper_limit_also_where_none_was_seen() -> None:
    found = [seed_effect(*trainings(seed, 3, 0.04), GROUPS) for seed in range(100)]
    held = np.mean([(effect.deviation_high or 0.0) >= 4.0 for effect in found])
    assert held > 0.88


def test_seed_effect_planted_spread_is_found() -> None:
    found = [seed_effect(*trainings(seed, 5, 0.04), GROUPS) for seed in range(60)]
    deviation = np.mean([effect.seed_deviation or 0.0 for effect in found])
    assert deviation == pytest.approx(4 * 0.94, abs=0.6)  # a standard deviation of five is biased to 0.94
    assert np.mean([effect.seed_share or 0.0 for effect in found]) > 0.4


def test_seed_effect_seeds_that_only_differ_by_questions_have_hardly_any_spread() -> None:
    found = [seed_effect(*trainings(seed, 5, 0.0), GROUPS) for seed in range(60)]
    observed = np.mean([np.std(effect.per_seed, ddof=1) for effect in found])
    assert np.mean([effect.seed_deviation or 0.0 for effect in found]) < 0.6 * observed


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.0), (3, 0.04), (5, 0.04)])
def test_seed_effect_interval_covers_the_recipe(seeds: int, spread: float) -> None:
    held = np.mean([20.0 in seed_effect(*trainings(seed, seeds, spread), GROUPS).interval for seed in range(300)])
    assert held > 0.91


def test_seed_effect_two_recipes_with_seeds_count_both_spreads() -> None:
    base, tuned = trainings(1, 4, 0.05)
    _, other = trainings(2, 4, 0.05)
    both, one = seed_effect(other, tuned, GROUPS), seed_effect(base, tuned, GROUPS)
    assert not both.single_seed
    assert both.interval.high - both.interval.low > one.interval.high - one.interval.low


def test_seed_effect_other_recipe_on_one_seed_says_so() -> None:
    _, tuned = trainings(3, 3, 0.02)
    assert seed_effect(tuned[:1], tuned, GROUPS).single_seed


def test_seed_effect_different_questions_raises() -> None:
    with pytest.raises(StatisticsError, match="same ones"):
        seed_effect(np.ones(5), np.ones((2, 6)), None)
    with pytest.raises(EmptySample):
        seed_effect(np.zeros((0,)), np.zeros((2, 0)), None)
