"""What `choice` prints of its answers is what the tables of a run would say of them."""

from __future__ import annotations

import pytest

from paretune.records import ChoiceAnswer, ChoiceOutcome
from paretune.report.summaries import choice_summary
from paretune.stats.clusters import FEWEST_SUBJECTS
from paretune.stats.intervals import accuracy_interval
from paretune.text import Voice


def answers(subjects: int, right: tuple[int, ...]) -> list[ChoiceAnswer]:
    """50 questions per subject, of which so many are right, the numbers in turn."""
    return [
        ChoiceAnswer(
            suite="mmlu", id=f"{subject}/{row}", subject=f"subject {subject}", category="Other", variant="base",
            method="cloze", outcome=ChoiceOutcome.CORRECT if row < right[subject % len(right)] else ChoiceOutcome.WRONG,
            correct=row < right[subject % len(right)], correct_raw=False, answer=0, predicted=0, log_probabilities=(),
            letter_mass=None, prompt_tokens=1,
        )
        for subject in range(subjects)
        for row in range(50)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("subjects", "clustered", "said"),
    [(3, False, "questions as independent: few subjects"), (FEWEST_SUBJECTS, True, "clustered by subject")],
)
def test_choice_summary_clusters_as_the_tables_do(subjects: int, clustered: bool, said: str) -> None:
    given = answers(subjects, (12, 25, 36))
    interval = accuracy_interval(
        [answer.correct for answer in given], [answer.subject for answer in given] if clustered else None
    )
    lines = choice_summary(given, chance=0.25, voice=Voice("en")).splitlines()
    micro = next(line for line in lines if "micro (all questions)" in line)
    assert Voice("en").limits(interval.low, interval.high) in micro
    assert lines[-1] == f"confidence intervals: 95 %, {said}"
