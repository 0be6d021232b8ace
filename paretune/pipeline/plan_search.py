"""What a search will be: so many trainings of a recipe of its space, and the judgement of its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from paretune.config import TrainingConfig, VariantConfig
from paretune.config.training import recipe_training
from paretune.errors import ConfigError
from paretune.pipeline.experiment import training_todo
from paretune.pipeline.overhead import Held, looking
from paretune.pipeline.pace import Work
from paretune.pipeline.study import candidate_name
from paretune.space import largest, middle

if TYPE_CHECKING:
    from paretune.config import ExperimentConfig
    from paretune.pipeline.session import Session

TRIALS = "trials"  # the variant that stands for all trainings of the search


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """trials: trainings of the search. usual: of a recipe in the middle of the space, which says the time; most: of its
    largest values, which say the memory."""

    trials: int
    usual: TrainingConfig
    most: TrainingConfig


def plan_search(config: ExperimentConfig, table: Mapping[str, Any], where: str, trials: int) -> SearchPlan:
    """Of an experiment file as tables. Raises ConfigError without [search] or [validation], or fewer trials than 1."""
    if config.search is None or config.validation is None:
        raise ConfigError(f"{where}: --trials belongs to a search; add [search] and [validation] (docs/search.md), or "
                          "leave the option out")  # fmt: skip
    if trials < 1:
        raise ConfigError(f"--trials {trials}: expected at least 1")
    training = table.get("training", {})
    usual, most = ({key: of(values) for key, values in config.search.space.items()} for of in (middle, largest))
    return SearchPlan(trials, recipe_training(training, usual, where), recipe_training(training, most, where))


def finals(config: ExperimentConfig, plan: SearchPlan) -> tuple[VariantConfig, ...]:
    """What is judged in the end: every candidate with every seed, and each at a scale where scales are searched."""
    assert config.search is not None
    made = []
    for number in range(1, config.search.candidates + 1):
        for seed in config.search.seeds:
            name = candidate_name(number, seed)
            made.append(VariantConfig(name, training=replace(plan.usual, seed=seed)))
            scale = next((scale for scale in config.search.scales if scale != 1.0), None)
            if scale is not None:
                made.append(VariantConfig(f"{name}@{scale:g}", source=name, adapter_scale=scale))
    return tuple(made)


def trials_todo(session: Session, plan: SearchPlan, rows: int, held: Held) -> list[Work]:
    """The trainings of the search, and its looks at every scale, the base model's first."""
    assert session.config.search is not None
    training = [
        replace(work, items=plan.trials * work.items) for work in training_todo(session, TRIALS, plan.usual, rows, held)
    ]
    looks = 1 + plan.trials * len(session.config.search.scales)
    return [*training, looking(TRIALS, "look", looks * held.questions, looks * held.choices)]
