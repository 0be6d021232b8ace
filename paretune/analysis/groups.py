"""The tables below the verdict: by category, level and subject, why answers are wrong, seeds, costs, training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from paretune.analysis.axes import CONFIDENCE, AnsweredAxis, judged
from paretune.analysis.results import (
    Cost,
    ErrorClassRow,
    GroupRow,
    OutcomeRow,
    SubjectRow,
    SuiteTable,
    TrainingCurve,
    TrainingLook,
)
from paretune.run.folder import work_seconds
from paretune.run.load import Run
from paretune.stats.clusters import clustered_mean
from paretune.stats.intervals import Interval, accuracy_interval, macro_interval
from paretune.stats.paired import holm, mcnemar_exact, paired_estimate

UNCLASSIFIED = "unclassified"
Flags = npt.NDArray[np.bool_]
Kind = Literal["category", "level"]


def suite_table(records: Run, axis: AnsweredAxis, names: Sequence[str], changes: Mapping[str, Interval]) -> SuiteTable:
    """All variants on one suite: every question, each category, and the mean of the subjects.

    changes: of all questions together, by variant: those that are claimed.
    """
    rows = _all_rows(axis, names, changes) + _group_rows(axis, names, "category", list(dict.fromkeys(axis.categories)))
    if len(set(axis.groups)) > 1:
        rows += _macro_rows(axis, names)
    masses: dict[str, float] = {}
    for variant in records.variants:
        found = [
            line.letter_mass
            for line in variant.choice
            if (line.suite, line.method) == (axis.benchmark, axis.method) and line.letter_mass is not None
        ]
        if found:
            masses[variant.name] = float(np.mean(found))
    suite = axis.suite
    is_unknown = suite is not None and suite.method == "logged" and suite.chance is None
    return SuiteTable(
        suite=axis.benchmark,
        method=axis.method,
        is_main=axis.is_main,
        chance=100 * float(np.mean(axis.chance)) if axis.chance and not is_unknown else None,
        shots=suite.shots if suite else None,
        notes=suite.notes if suite else (),
        rows=tuple(rows),
        letter_mass=masses,
        instead_of=suite.instead_of if suite else None,
    )


def level_rows(records: Run, axis: AnsweredAxis, names: Sequence[str]) -> tuple[GroupRow, ...]:
    """The target's accuracy by level, in the task's order; none where the task has no levels."""
    present, levels = set(axis.categories) - {""}, records.facets.levels
    order = [level for level in levels if level in present] + sorted(present - set(levels))
    return tuple(_group_rows(axis, names, "level", order) + _without_left_out(records, axis, names))


def _without_left_out(records: Run, axis: AnsweredAxis, names: Sequence[str]) -> list[GroupRow]:
    """Each variant's accuracy without the questions that the task leaves out of a second figure; none without such."""
    if records.facets.left_out is None:
        return []
    key, name = records.facets.left_out
    verdicts = records.variants[0].verdicts
    kept = np.array([not verdicts[place].detail.get(key) for place in judged(records)])
    if kept.all() or not kept.any():
        return []
    return _rows_of_parts(axis, names, "level", [(name, *axis.part(kept))])


def _all_rows(axis: AnsweredAxis, names: Sequence[str], changes: Mapping[str, Interval]) -> list[GroupRow]:
    return [
        GroupRow(
            name,
            "all",
            "",
            accuracy_interval(axis.correct[:, at], axis.clusters, confidence=CONFIDENCE),
            changes.get(name),
        )
        for at, name in enumerate(names)
    ]


def _group_rows(axis: AnsweredAxis, names: Sequence[str], kind: Kind, order: Sequence[str]) -> list[GroupRow]:
    labels = np.array(axis.categories)
    return _rows_of_parts(axis, names, kind, [(group, *axis.part(labels == group)) for group in order])


def _rows_of_parts(
    axis: AnsweredAxis,
    names: Sequence[str],
    kind: Kind,
    parts: Sequence[tuple[str, Flags, tuple[Hashable, ...] | None]],
) -> list[GroupRow]:
    return [
        GroupRow(
            name,
            kind,
            group,
            accuracy_interval(correct[:, at], clusters, confidence=CONFIDENCE),
            change_interval(correct[:, 0], correct[:, at], clusters) if at else None,
        )
        for at, name in enumerate(names)
        for group, correct, clusters in parts
    ]


def _macro_rows(axis: AnsweredAxis, names: Sequence[str]) -> list[GroupRow]:
    rows: list[GroupRow] = []
    for at, name in enumerate(names):
        accuracy = macro_interval(axis.correct[:, at], axis.groups, confidence=CONFIDENCE)
        change = _macro_change(axis, at) if at else None
        rows.append(GroupRow(name, "macro", "", accuracy, change))
    return rows


def _macro_change(axis: AnsweredAxis, at: int) -> Interval:
    """Mean of the subjects' changes with t over subjects, never narrower than with fixed subjects."""
    difference = axis.correct[:, at].astype(np.float64) - axis.correct[:, 0]
    subjects, index = np.unique(np.array(axis.groups), return_inverse=True)
    sizes = np.bincount(index)
    means = np.bincount(index, weights=difference) / sizes
    found = clustered_mean(means, None)
    squares = np.bincount(index, weights=difference**2) / sizes
    within = float(((squares - means**2) / np.maximum(sizes - 1, 1)).sum()) ** 0.5 / len(subjects)
    normal = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, found.degrees_of_freedom))
    half = max(quantile * found.standard_error, normal * within)
    if half == 0:  # no question changed: as uncertain as the micro average says
        half = change_interval(axis.correct[:, 0], axis.correct[:, at], axis.clusters).high / 100
    low, high = max(-1.0, found.mean - half), min(1.0, found.mean + half)
    return Interval(100 * found.mean, 100 * low, 100 * high, CONFIDENCE, len(index), len(subjects), "t over subjects")


def change_interval(first: Flags, second: Flags, clusters: Sequence[Hashable] | None, comparisons: int = 1) -> Interval:
    """second minus first in points, one of `comparisons` whose intervals hold together (Bonferroni); one question's is
    Bonett and Price's."""
    tail = (1 - CONFIDENCE) / 2 / comparisons
    if len(first) < 2:
        found = bonett_price(int((second & ~first).sum()), int((first & ~second).sum()), len(first), 1 - 2 * tail)
        return replace(found, confidence=CONFIDENCE)
    return paired_estimate(first, second, clusters).interval(tail, CONFIDENCE)


def bonett_price(gained: int, lost: int, questions: int, confidence: float = CONFIDENCE) -> Interval:
    """Difference of two paired proportions in points, questions independent; sound for few and for no flips.

    The adjusted Wald interval of Bonett and Price (2012): one flip is added each way and two questions.

    >>> found = bonett_price(0, 0, 50)
    >>> round(found.low, 1), found.estimate, round(found.high, 1)
    (-5.3, 0.0, 5.3)
    """
    up, down = (gained + 1) / (questions + 2), (lost + 1) / (questions + 2)
    quantile = float(stats.norm.ppf((1 + confidence) / 2))
    half = quantile * ((up + down - (up - down) ** 2) / (questions + 2)) ** 0.5
    low, high = max(-1.0, up - down - half), min(1.0, up - down + half)
    estimate = (gained - lost) / questions
    return Interval(
        100 * estimate,
        100 * min(low, estimate),
        100 * max(high, estimate),
        confidence,
        questions,
        0,
        "Bonett-Price, questions independent",
    )


def subject_rows(axis: AnsweredAxis, names: Sequence[str]) -> tuple[SubjectRow, ...]:
    """Each variant's subjects from the greatest loss to the greatest gain, all of them judged together."""
    labels = np.array(axis.groups)
    comparisons = len(set(axis.groups)) * (len(names) - 1)
    found: list[SubjectRow] = []
    for subject in dict.fromkeys(axis.groups):
        correct = axis.correct[labels == subject]
        category = axis.categories[axis.groups.index(subject)]
        for at, name in enumerate(names[1:], start=1):
            gained = int((correct[:, at] & ~correct[:, 0]).sum())
            lost = int((correct[:, 0] & ~correct[:, at]).sum())
            found.append(
                SubjectRow(
                    variant=name,
                    subject=subject,
                    category=category,
                    questions=len(correct),
                    baseline=100 * float(correct[:, 0].mean()),
                    tuned=100 * float(correct[:, at].mean()),
                    change=bonett_price(gained, lost, len(correct)),
                    together=change_interval(correct[:, 0], correct[:, at], None, comparisons),
                    gained=gained,
                    lost=lost,
                    mcnemar_p=mcnemar_exact(gained, lost),
                    holm_p=1.0,
                )
            )
    if not found:
        return ()
    adjusted = holm([row.mcnemar_p for row in found])
    whole = [replace(row, holm_p=p_value) for row, p_value in zip(found, adjusted, strict=True)]
    return tuple(sorted(whole, key=lambda row: (names.index(row.variant), row.change.estimate, row.subject)))


def error_class_rows(records: Run, axis: AnsweredAxis) -> tuple[ErrorClassRow, ...]:
    """Why answers were wrong, the baseline's commonest reason first; every variant has a row for every class."""
    places = judged(records)
    classes = {
        variant.name: np.array([variant.verdicts[place].reason or UNCLASSIFIED for place in places])
        for variant in records.variants
    }
    counts = {
        name: Counter(of_each[~axis.correct[:, at]].tolist()) for at, (name, of_each) in enumerate(classes.items())
    }
    total = sum(counts.values(), Counter[str]())
    baseline = counts[records.variants[0].name]
    order = sorted(total, key=lambda name: (-baseline[name], -total[name], name))
    found: list[ErrorClassRow] = []
    for at, (name, of_each) in enumerate(classes.items()):
        for error_class in order:
            wrong = (of_each == error_class) & ~axis.correct[:, at]
            share = accuracy_interval(wrong, axis.clusters, confidence=CONFIDENCE)
            found.append(ErrorClassRow(name, error_class, counts[name][error_class], share))
    return tuple(found)


def outcome_rows(records: Run) -> tuple[OutcomeRow, ...]:
    """How many questions came to which outcome."""
    found: list[OutcomeRow] = []
    for variant in records.variants:
        counts = Counter(line.outcome for line in variant.verdicts)
        marked = {
            mark: Counter(line.outcome for line in variant.verdicts if line.detail.get(mark))
            for mark in records.facets.marks
        }
        found += [
            OutcomeRow(variant.name, name, count, {mark: of_mark[name] for mark, of_mark in marked.items()})
            for name, count in counts.most_common()
        ]
    return tuple(found)


def cost_rows(records: Run) -> tuple[Cost, ...]:
    """Seconds and tokens of every variant, from the manifest and the answers."""
    prompts = [question.prompt_tokens for question in records.questions]
    asked = sum(tokens or 0 for tokens in prompts) if all(tokens is not None for tokens in prompts) else None
    found: list[Cost] = []
    for variant in records.variants:
        answers = variant.samples or variant.answers  # all that was written
        training = variant.headers.get("training", {})
        finishes = Counter(answer.finish for answer in answers)
        found.append(
            Cost(
                variant=variant.name,
                stage_seconds=work_seconds(records.manifest, variant.name, variant.headers),
                train_rows=variant.entry.train_rows,
                left_out_rows=variant.entry.left_out_rows,
                training_steps=variant.entry.steps,
                skipped_steps=variant.entry.skipped_steps,
                training_tokens=variant.entry.tokens,
                general_rows=sum(int(training.get(f"{part}_rows", 0)) for part in ("replay", "text")),
                general_tokens=sum(int(training.get(f"{part}_tokens", 0)) for part in ("replay", "text")),
                prompt_tokens=asked,
                generated_tokens=sum(answer.tokens for answer in answers),
                chatter_tokens=sum(answer.chatter_tokens for answer in answers),
                turn_ended_answers=finishes["stop"],
                statement_ended_answers=finishes["statement"],
                cut_answers=finishes["length"],
            )
        )
    return tuple(found)


def training_curves(records: Run) -> tuple[TrainingCurve, ...]:
    """The logged steps of every variant that was trained here."""
    return tuple(
        TrainingCurve(
            variant=variant.name,
            steps=tuple(line.step for line in variant.training),
            loss=tuple(line.loss for line in variant.training),
            learning_rate=tuple(line.learning_rate for line in variant.training),
            gradient_norm=tuple(line.gradient_norm for line in variant.training),
            tokens=tuple(line.tokens for line in variant.training),
            seconds=tuple(line.seconds for line in variant.training),
            looks=tuple(_look(line.step, line.monitor) for line in variant.training if line.monitor),
        )
        for variant in records.variants
        if variant.training
    )


def _look(step: int, seen: Mapping[str, Any]) -> TrainingLook:
    """seen: as pipeline/monitor.py writes it."""
    return TrainingLook(
        step=step,
        target=_seen_change(seen["target"]),
        general={suite: _seen_change(change) for suite, change in seen["general"].items()},
        questions=int(seen["target"]["questions"]),
        divergence=seen["kl"],
        bits=seen["bits_per_byte"] - seen["base_bits_per_byte"],
        stopped=bool(seen.get("stop")),
    )


def _seen_change(change: Mapping[str, Any]) -> Interval:
    estimate = change["accuracy"] - change["base"]
    return Interval(estimate, change["low"], change["high"], CONFIDENCE, int(change["questions"]), 0, "monitor")
