"""What variants say of each other: answers too alike for two models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from paretune.config import BASELINE
from paretune.findings import Figures, Finding, Level
from paretune.run.load import Run, Variant

FEWEST_ALIKE = 20  # identical lines that are no chance
SMALLEST_SCALE = 0.1  # of an adapter that must change some answer


def variant_findings(run: Run) -> Iterator[Finding]:
    """Pairs with identical answers."""
    for first, second in combinations(run.all_variants, 2):
        yield from _identical(first, second)


def _identical(first: Variant, second: Variant) -> Iterator[Finding]:
    """Equal log-probabilities are no chance; equal texts alone may be, where the two are nearly one model."""
    if abs(_scale(first) - _scale(second)) < SMALLEST_SCALE and _adapter(first) == _adapter(second):
        return
    if "checkpoint" in (first.entry.kind, second.entry.kind) and _family(first) == _family(second):
        return  # the last checkpoint is the adapter itself
    texts = [{answer.id: answer.text for answer in variant.answers} for variant in (first, second)]
    scores = [
        {
            (line.suite, line.method, line.id): (line.predicted, line.log_probabilities, line.text)
            for line in v.choice
            if line.predicted is not None or line.log_probabilities or line.text is not None
        }
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
