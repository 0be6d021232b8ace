"""The study alone, with simulated gains and losses: what it proposes, remembers and finds."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

pytest.importorskip("optuna", reason="Optuna is not installed")

from benchmarks.search import BUDGET, SPACE, area, by_study, front_area, simulated
from paretune.pipeline.study import Look, Proposal, Study, candidates
from paretune.space import Range, SearchConfig

SMALL = SearchConfig({"rank": (2, 4, 8), "peak_learning_rate": Range(1e-4, 1e-2, log=True)}, (0.5, 1.0))


def results(gain: float) -> dict[float, tuple[float, float, str]]:
    return {0.5: (gain / 2, 0.5, "half"), 1.0: (gain, 1.5, "whole")}


def test_search_finds_nine_tenths_of_a_known_front_in_forty_trials() -> None:
    whole = front_area()
    found, drawn = ([area(by_study(way)(40, seed, 0.0)) / whole for seed in range(5)] for way in ("tpe", "random"))
    assert median(found) >= 0.9
    assert median(found) > median(drawn)


def test_front_area_is_that_of_the_true_front() -> None:
    """The best recipe at ever finer scales dominates all of it."""
    recipe = {"peak_learning_rate": 1e-2, "epochs": 2.0, "rank": 16, "method": "lora"}
    looks = [Look(0, recipe, place / 2000, *simulated(recipe, place / 2000)) for place in range(2001)]
    assert area(looks) / front_area() == pytest.approx(1.0, abs=0.002)


def test_study_every_scale_is_a_look_of_its_training() -> None:
    study = Study(SMALL, 1.0, None, seed=1)
    proposal = study.propose()
    study.tell(proposal, results(9.0))
    assert {(look.training, look.scale, look.gain, look.loss, look.record) for look in study.looks} == {
        (0, 0.5, 4.5, 0.5, "half"), (0, 1.0, 9.0, 1.5, "whole"),
    }  # fmt: skip
    assert {look.name for look in study.looks} == {"trial-000@0.5", "trial-000@1"}
    assert all(look.recipe == proposal.recipe for look in study.looks)


def test_study_killed_in_a_training_proposes_it_again_and_keeps_the_rest(tmp_path: Path) -> None:
    journal = tmp_path / "study.log"
    first = Study(SMALL, 1.0, journal, seed=1)
    first.tell(first.propose(), results(9.0))
    begun = first.propose()
    second = Study(SMALL, 1.0, journal, seed=1)
    assert second.propose() == begun == Proposal(1, begun.recipe)
    second.tell(begun, results(3.0))
    assert second.looks[:2] == first.looks[:2]
    assert second.propose().training == 2


def test_study_suggested_recipes_come_first_and_only_from_the_space() -> None:
    study = Study(SMALL, 1.0, None, seed=1)
    assert study.is_new
    inside = {"rank": 8, "peak_learning_rate": 2e-3, "epochs": 1.0}
    assert study.suggest(inside)
    assert not study.suggest({**inside, "rank": 3})
    assert not study.suggest({**inside, "peak_learning_rate": 1.0})
    assert not study.suggest({"rank": 8})
    assert study.propose().recipe == {"rank": 8, "peak_learning_rate": 2e-3}


def test_study_dropped_training_has_its_reason_and_no_look() -> None:
    study = Study(SMALL, 1.0, None, seed=1)
    study.drop(study.propose(), "out of memory")
    assert study.dropped == {0: "out of memory"}
    assert study.looks == []
    assert study.propose().training == 1


def test_study_of_lists_of_names_proposes_them_as_they_stand() -> None:
    space = SearchConfig({"target_modules": (("q_proj",), ("q_proj", "v_proj")), "method": ("lora", "oft")}, (1.0,))
    study = Study(space, 1.0, None, seed=1)
    for _ in range(6):
        proposal = study.propose()
        assert proposal.recipe["target_modules"] in space.space["target_modules"]
        assert proposal.recipe["method"] in ("lora", "oft")
        study.tell(proposal, {1.0: (1.0, 0.0, None)})


def look(training: int, gain: float, loss: float, scale: float = 1.0) -> Look:
    return Look(training, {}, scale, gain, loss)


def test_candidates_are_the_largest_gains_within_the_budget_of_different_trainings() -> None:
    looks = [look(0, 9, 3), look(1, 7, 0.9), look(1, 6, 0.5, 0.5), look(2, 5, 0.2), look(3, 4, 0.8)]
    assert candidates(looks, 1.0, 2) == [looks[1], looks[3]]


def test_candidates_with_nothing_within_the_budget_are_the_one_that_loses_least() -> None:
    looks = [look(0, 9, 3), look(1, 7, 2), look(2, -1, 0.0)]
    assert candidates(looks, 1.0, 2) == [looks[1]]
    assert candidates(looks[2:], 1.0, 2) == looks[2:]


def test_simulated_space_holds_the_budget() -> None:
    best = {"peak_learning_rate": 1e-2, "epochs": 2.0, "rank": 16, "method": "lora"}
    assert simulated(best, max(SPACE.scales))[1] > BUDGET  # so that the budget decides
