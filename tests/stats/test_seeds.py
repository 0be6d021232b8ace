"""Seeds' variance apart from questions'."""

from __future__ import annotations

import numpy as np
import pytest

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.clusters import clustered_mean
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
