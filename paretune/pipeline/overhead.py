"""What a training takes besides its own rows: general rows, answers that the base writes first, looks on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from paretune.config import NO_REPLAY, TrainingConfig, ValidationConfig
from paretune.objectives import find_objective
from paretune.pipeline.pace import Work
from paretune.pipeline.replay import mixed_count
from paretune.training.general import read_prompts


@dataclass(frozen=True, slots=True)
class Held:
    """How many validation questions there are: of the target, of all primary suites together, and these suites."""

    questions: int = 0
    choices: int = 0
    suites: int = 0

    @property
    def answers(self) -> int:
        """That one whole look asks for."""
        return self.questions + self.choices


def general_rows(training: TrainingConfig, rows: int) -> int:
    """Rows that are mixed into so many of the target: replay, and texts of the objective. Raises TrainingError for
    files that cannot be read."""
    objective = find_objective(training.objective)
    texts, share = objective.texts(training.objective_settings) if objective.texts and rows else ((), 0.0)
    replayed = 0 if training.replay == NO_REPLAY or not rows else mixed_count(rows, training.replay_share)
    return replayed + (mixed_count(rows, share) if texts else 0)


def written_answers(training: TrainingConfig, rows: int) -> int:
    """Of the rows of replay, how many the base model writes first."""
    if training.replay == NO_REPLAY or not rows:
        return 0
    prompts = read_prompts(training.replay)
    unanswered = sum(prompt.completion is None for prompt in prompts) / len(prompts)
    return round(mixed_count(rows, training.replay_share) * unanswered)


def watched_answers(
    training: TrainingConfig, section: ValidationConfig | None, held: Held, steps: int
) -> tuple[int, int]:
    """Answers to validation questions that a training of so many steps asks for, to the target's and to choices: by
    its monitor (the base model first), and of every checkpoint where the best one is kept."""
    if section is None:
        return 0, 0
    questions = choices = 0
    if training.monitor_steps is not None:
        looks = 1 + ceil(steps / training.monitor_steps)
        whole = training.stop_when_loss is not None
        most = section.monitor_questions
        questions += looks * min(most, held.questions)
        choices += looks * (held.choices if whole else min(most * held.suites, held.choices))
    if training.best_checkpoint is not None:
        looks = 1 + ceil(steps / training.checkpoint_steps)
        questions, choices = questions + looks * held.questions, choices + looks * held.choices
    return questions, choices


def looking(variant: str, stage: str, questions: int, choices: int) -> Work:
    """Work of so many answers to validation questions, by the speed of answers where its own is not known."""
    answers = questions + choices
    shares: Mapping[str, float] = {"generate": questions / max(1, answers), "choice": choices / max(1, answers)}
    return Work(variant, stage, answers, like=tuple((name, share) for name, share in shares.items() if share))
