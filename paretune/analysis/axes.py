"""Answers of all variants to one benchmark, side by side: the tables of booleans that statistics work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretune.analysis.results import Axis
from paretune.run.load import AskedChoice, Run, Suite
from paretune.stats.clusters import subject_clusters

METHODS = ("letter", "cloze", "generate")


@dataclass(frozen=True, slots=True)
class AnsweredAxis:
    """One benchmark by one method. groups: (n,) cluster or subject; categories: (n,) level or category;
    clusters: groups, or None where questions count as independent; correct: (n, variants), the baseline first;
    chance: (n,) probability of a blind guess, None on the target."""

    axis: Axis
    benchmark: str
    method: str
    is_main: bool
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    categories: tuple[str, ...]
    clusters: tuple[str, ...] | None
    correct: npt.NDArray[np.bool_]
    chance: tuple[float, ...] | None
    suite: Suite | None = None

    def part(self, keep: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], tuple[str, ...] | None]:
        """Answers and clusters of some of the questions."""
        groups = tuple(group for group, kept in zip(self.groups, keep, strict=True) if kept)
        clusters = groups if self.axis == "target" else subject_clusters(groups)
        return self.correct[keep], clusters


def target_axis(records: Run) -> AnsweredAxis:
    """The task's accuracy: right where the outcome is correct, over the questions of `judged`."""
    at = judged(records)
    columns = [[variant.verdicts[place].outcome == "correct" for place in at] for variant in records.variants]
    questions = [records.questions[place] for place in at]
    clusters = tuple(question.cluster for question in questions)
    return AnsweredAxis(
        axis="target",
        benchmark=records.facets.metric,
        method="",
        is_main=True,
        ids=tuple(str(question.id) for question in questions),
        groups=clusters,
        categories=tuple(question.level for question in questions),
        clusters=clusters,
        correct=np.array(columns, dtype=np.bool_).T,
        chance=None,
    )


def judged(records: Run) -> tuple[int, ...]:
    """Positions of the target questions that are in its accuracies: all but those whose outcome, under any variant,
    says nothing of the answer (a reference that fails)."""
    void = records.facets.void
    return tuple(
        at
        for at in range(len(records.questions))
        if not any(variant.verdicts[at].outcome in void for variant in records.variants)
    )


def general_axes(records: Run) -> tuple[AnsweredAxis, ...]:
    """Every suite by every method it was asked by; the first suite's first method of METHODS is the main one."""
    given: dict[tuple[str, str], list[dict[str, bool]]] = {}
    for number, variant in enumerate(records.variants):
        for answer in variant.choice:
            columns = given.setdefault((answer.suite, answer.method), [])
            while len(columns) <= number:
                columns.append({})
            columns[number][answer.id] = answer.correct
    axes: list[AnsweredAxis] = []
    for suite in records.suites:
        asked = [choice for choice in records.choice_questions if choice.suite == suite.name]
        for method in METHODS:
            if (suite.name, method) in given:
                axes.append(_general_axis(suite, method, asked, given[suite.name, method], is_main=not axes))
    return tuple(axes)


def _general_axis(
    suite: Suite, method: str, asked: Sequence[AskedChoice], columns: Sequence[dict[str, bool]], *, is_main: bool
) -> AnsweredAxis:
    subjects = tuple(choice.subject for choice in asked)
    known = suite.chance
    chance = tuple(1 / len(choice.options) if known is None else known for choice in asked)
    return AnsweredAxis(
        axis="general",
        benchmark=suite.name,
        method=method,
        is_main=is_main,
        ids=tuple(choice.id for choice in asked),
        groups=subjects,
        categories=tuple(choice.category for choice in asked),
        clusters=subject_clusters(subjects),
        correct=np.array([[column[choice.id] for column in columns] for choice in asked], dtype=np.bool_),
        chance=chance,
        suite=suite,
    )
