"""The pick: shown gains whose loss is ruled out everywhere; what picking adds to the figure."""

from __future__ import annotations

import numpy as np
import pytest

from paretune.errors import EmptySample, StatisticsError
from paretune.stats.claims import LossTest, LossVerdict
from paretune.stats.intervals import Interval
from paretune.stats.pick import Candidate, pick_within_budget, split_check


def candidate(gain: float, *verdicts: LossVerdict, half: float = 2.0) -> Candidate:
    interval = Interval(gain, gain - half, gain + half, 0.95, 1000, 20, "t")
    return Candidate(interval, tuple(LossTest(verdict, 1.0, -0.5, 0.025, 0.5, None) for verdict in verdicts))


def test_pick_takes_the_largest_gain_whose_loss_is_ruled_out() -> None:
    offered = [
        candidate(5, "ruled out", "ruled out"),
        candidate(20, "ruled out", "shown"),
        candidate(12, "ruled out", "ruled out"),
        candidate(15, "ruled out", "cannot be ruled out"),
        candidate(30, "not measurable"),
        candidate(1, "ruled out"),
        candidate(-9, "ruled out"),
    ]
    best, reasons = pick_within_budget(offered)
    assert best == 2
    assert reasons == (
        "smaller gain",
        "loss shown",
        "",
        "loss cannot be ruled out",
        "loss not measurable",
        "gain not shown",
        "loss on the target",
    )


@pytest.mark.parametrize("offered", [[], [candidate(9, "cannot be ruled out")], [candidate(0.5, "ruled out")]])
def test_pick_nothing_fit_is_the_base_model(offered: list[Candidate]) -> None:
    assert pick_within_budget(offered)[0] is None


def equal_variants(seed: int, count: int, spread: float) -> tuple[np.ndarray, list[int]]:
    """(1000, count): every variant gains 10 points in truth, each in other databases."""
    generator = np.random.default_rng(seed)
    rates = np.repeat(np.clip(generator.normal(0.10, spread, (20, count)), -0.4, 0.6), 50, axis=0)
    draw = generator.random((1000, count))
    return np.where(draw < 0.2 + rates / 2, 1.0, np.where(draw > 0.8 + rates / 2, -1.0, 0.0)), np.repeat(
        np.arange(20), 50
    ).tolist()


def test_split_check_databases_that_did_not_pick_see_the_truth() -> None:
    found = [
        split_check(*equal_variants(seed, 12, 0.15), generator=np.random.default_rng(seed), splits=50)
        for seed in range(40)
    ]
    assert np.mean([check.judging_gain for check in found]) == pytest.approx(10, abs=1.0)
    assert np.mean([check.optimism for check in found]) > 5
    assert all(sum(check.picked) == pytest.approx(1) for check in found)


def test_split_check_one_variant_is_not_flattered() -> None:
    columns, clusters = equal_variants(3, 1, 0.15)
    found = split_check(columns, clusters, generator=np.random.default_rng(0))
    assert found.picked == (1.0,)
    assert found.optimism == pytest.approx(0)


def test_split_check_too_few_clusters_or_no_variant_raises() -> None:
    with pytest.raises(StatisticsError, match="3 clusters"):
        split_check(np.zeros((6, 2)), [0, 0, 1, 1, 2, 2], generator=np.random.default_rng(0))
    with pytest.raises(EmptySample):
        split_check(np.zeros((6, 0)), None, generator=np.random.default_rng(0))
