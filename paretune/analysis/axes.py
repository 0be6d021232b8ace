"""Answers of all variants to one benchmark, side by side: the tables of booleans that statistics work on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from paretune.analysis.results import Axis
from paretune.records import ALL_METHODS
from paretune.run.load import AskedChoice, AskedQuestion, Run, Suite
from paretune.stats.clusters import sampling_units, subject_clusters

CONFIDENCE = 0.95  # of every interval that stands alone


@dataclass(frozen=True, slots=True)
class AnsweredAxis:
    """One benchmark by one method. groups: (n,) cluster or subject; categories: (n,) level or category;
    references: (n,) reference answers of the target; clusters: groups, or what counts as independent where those are
    too few (`sampling_units`, `subject_clusters`); correct: (n, variants), the baseline first; chance: (n,) probability
    of a blind guess, None on the target. is_primary: whether a loss must be ruled out here."""

    axis: Axis
    benchmark: str
    method: str
    is_main: bool
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    categories: tuple[str, ...]
    clusters: tuple[Hashable, ...] | None
    correct: npt.NDArray[np.bool_]
    chance: tuple[float, ...] | None
    references: tuple[str, ...] = ()
    suite: Suite | None = None
    is_primary: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """Benchmark and method."""
        return self.benchmark, self.method

    @property
    def speaks_for_others(self) -> bool:
        """Whether its databases or subjects are a sample of others."""
        return self.clusters is not None and self.clusters == self.groups

    def part(self, keep: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], tuple[Hashable, ...] | None]:
        """Answers and clusters of some of the questions."""
        groups = tuple(group for group, kept in zip(self.groups, keep, strict=True) if kept)
        if self.axis == "general":
            return self.correct[keep], subject_clusters(groups)
        references = tuple(text for text, kept in zip(self.references, keep, strict=True) if kept)
        return self.correct[keep], sampling_units(groups, references)


def target_axis(records: Run) -> AnsweredAxis:
    """The task's accuracy: right where the outcome is correct, over the questions of `judged`."""
    at = judged(records)
    columns = [[variant.verdicts[place].outcome == "correct" for place in at] for variant in records.variants]
    correct = np.array(columns, dtype=np.bool_).T
    return axis_of_target(records.facets.metric, [records.questions[place] for place in at], correct)


def axis_of_target(metric: str, questions: Sequence[AskedQuestion], correct: npt.NDArray[np.bool_]) -> AnsweredAxis:
    """The task's accuracy over these questions. correct: (n_questions, variants), the baseline first."""
    groups = tuple(question.cluster for question in questions)
    references = tuple(question.reference for question in questions)
    return AnsweredAxis(
        axis="target",
        benchmark=metric,
        method="",
        is_main=True,
        ids=tuple(str(question.id) for question in questions),
        groups=groups,
        categories=tuple(question.level for question in questions),
        clusters=sampling_units(groups, references),
        correct=correct,
        chance=None,
        references=references,
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


def general_axes(records: Run, primary_suites: Sequence[str] = ()) -> tuple[AnsweredAxis, ...]:
    """Every suite by every method it was asked by; the first suite's first method of ALL_METHODS is the main one.

    Primary is the first method of every suite, or of those named in primary_suites (by name, or by what stands before
    its first "/").
    """
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
        wanted = not primary_suites or {suite.name, suite.name.split("/")[0]} & set(primary_suites)
        for place, method in enumerate(method for method in ALL_METHODS if (suite.name, method) in given):
            axis = _general_axis(suite, method, asked, given[suite.name, method], is_main=not axes)
            axes.append(replace(axis, is_primary=bool(wanted) and place == 0))
    return tuple(axes)


def _general_axis(
    suite: Suite, method: str, asked: Sequence[AskedChoice], columns: Sequence[dict[str, bool]], *, is_main: bool
) -> AnsweredAxis:
    subjects = tuple(choice.subject for choice in asked)
    known = suite.chance
    # a log of others may not say how many options there were: then a blind guess gets nothing right
    if known is None and suite.method == "logged":
        known = 0.0
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
