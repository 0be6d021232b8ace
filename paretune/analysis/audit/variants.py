"""What variants say of each other: answers too alike for two models, and failures that only one of them has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from scipy import stats

from paretune.analysis.audit.findings import Figures, Finding, Level, percent
from paretune.config import BASELINE
from paretune.records import SqlVerdict
from paretune.run.load import Run, Variant

FEWEST_ALIKE = 20  # identical lines that are no chance
IMPROBABLE = 1e-4
POINTS_MORE = 2.0  # a failure rarer than that moves no figure
SMALLEST_SCALE = 0.1  # of an adapter that must change some answer

SIGNS: dict[str, Callable[[SqlVerdict], bool]] = {
    "no_answer": lambda line: line.outcome == "no_answer",
    "timeout": lambda line: line.outcome in ("timeout", "too_large"),
    "no such table": lambda line: "no such table" in (line.error or ""),
}


def variant_findings(run: Run) -> Iterator[Finding]:
    """Pairs with identical answers, and failures of one variant only."""
    for first, second in combinations(run.all_variants, 2):
        yield from _identical(first, second)
    base = next((variant for variant in run.all_variants if variant.name == BASELINE), None)
    for variant in run.all_variants:
        if base is not None and variant is not base:
            yield from _failing_alone(base, variant)


def _identical(first: Variant, second: Variant) -> Iterator[Finding]:
    """Equal log-probabilities are no chance; equal texts alone may be, where the two are nearly one model."""
    if abs(_scale(first) - _scale(second)) < SMALLEST_SCALE and _adapter(first) == _adapter(second):
        return
    if "checkpoint" in (first.entry.kind, second.entry.kind) and _family(first) == _family(second):
        return  # the last checkpoint is the adapter itself
    texts = [{answer.index: answer.text for answer in variant.answers} for variant in (first, second)]
    scores = [
        {(line.suite, line.method, line.id): (line.predicted, line.log_probabilities, line.text) for line in v.choice}
        for v in (first, second)
    ]
    same_texts, same_scores = (len(one) >= FEWEST_ALIKE and one == other for one, other in (texts, scores))
    level: Level = "invalid" if same_scores or not (scores[0] and scores[1]) else "warning"
    for axis, same, questions in (("target", same_texts, len(texts[0])), ("general", same_scores, len(scores[0]))):
        if same:
            figures: Figures = {"first": first.name, "second": second.name, "axis": axis, "questions": questions}
            yield Finding(level, "identical-answers", figures)


def _scale(variant: Variant) -> float:
    if variant.name == BASELINE:
        return 0.0
    return 1.0 if variant.entry.adapter_scale is None else variant.entry.adapter_scale


def _family(variant: Variant) -> str:
    return variant.entry.source or variant.name


def _adapter(variant: Variant) -> object:
    return variant.headers["answers"].get("adapter", variant.entry.source or variant.name)


def _failing_alone(base: Variant, variant: Variant) -> Iterator[Finding]:
    """A tuned variant that has more of a failure than the base model: a parser or a limit that does not fit it."""
    for sign, has in SIGNS.items():
        yield from _more_often(
            variant.name, "target", sign, sum(map(has, variant.sql)), len(variant.sql),
            sum(map(has, base.sql)), len(base.sql),
        )  # fmt: skip
    silent, base_silent = (sum(line.outcome == "no_answer" for line in v.choice) for v in (variant, base))
    yield from _more_often(
        variant.name, "general", "no_answer", silent, len(variant.choice), base_silent, len(base.choice)
    )


def _more_often(
    variant: str, axis: str, sign: str, count: int, questions: int, base_count: int, base_questions: int
) -> Iterator[Finding]:
    if not questions or not base_questions:
        return
    share, base_share = percent(count, questions), percent(base_count, base_questions)
    if share - base_share <= POINTS_MORE:
        return
    table = np.array([[count, questions - count], [base_count, base_questions - base_count]])
    if float(stats.fisher_exact(table, alternative="greater").pvalue) < IMPROBABLE:
        figures: Figures = {"variant": variant, "axis": axis, "sign": sign, "share": share, "base": base_share}
        yield Finding("warning", "fails-alone", figures)
