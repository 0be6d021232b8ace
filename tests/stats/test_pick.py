"""The choice under a budget: made on validation rows, judged on test rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from paretune.errors import StatisticsError
from paretune.stats.pick import Axis, choose_within_budget


def axis(prefix: str, seed: int, accuracies: tuple[float, ...], count: int = 2000) -> Axis:
    draws = np.random.default_rng(seed).random(count)
    correct = draws[:, None] < np.array(accuracies)
    ids = tuple(f"{prefix}-{number}" for number in range(count))
    return Axis(ids, tuple(number % 20 for number in range(count)), correct)


def test_choose_within_budget_takes_the_best_that_keeps_the_budget() -> None:
    gains, kept = (0.4, 0.5, 0.6, 0.7), (0.6, 0.597, 0.59, 0.5)
    validation = axis("v", 0, gains), axis("vg", 1, kept)
    test = axis("t", 2, gains), axis("tg", 3, kept)
    found = choose_within_budget(validation, test, 3.0, generator=np.random.default_rng(0))
    assert found.variant == 2
    assert found.gain.difference == pytest.approx(20, abs=2)
    assert found.within_budget == "shown"


def test_choose_within_budget_nothing_allowed_keeps_the_baseline() -> None:
    accuracies = (0.4, 0.6), (0.6, 0.3)
    validation = axis("v", 0, accuracies[0]), axis("vg", 1, accuracies[1])
    test = axis("t", 2, accuracies[0]), axis("tg", 3, accuracies[1])
    found = choose_within_budget(validation, test, 1.0, generator=np.random.default_rng(0))
    assert found.variant == 0
    assert found.gain.difference == 0


def test_choose_within_budget_rows_in_both_are_refused() -> None:
    both = axis("v", 0, (0.4, 0.5)), axis("g", 1, (0.6, 0.6))
    with pytest.raises(StatisticsError, match="2000 target questions are in validation and test"):
        choose_within_budget(both, both, 1.0, generator=np.random.default_rng(0))


def test_choose_within_budget_loss_near_the_budget_is_not_shown() -> None:
    validation = axis("v", 0, (0.4, 0.6)), axis("vg", 1, (0.6, 0.59))
    test = replace(validation[0], ids=tuple(range(2000))), axis("tg", 3, (0.6, 0.59), count=200)
    found = choose_within_budget(validation, test, 1.2, generator=np.random.default_rng(0))
    assert found.variant == 1
    assert found.within_budget == "not shown"
