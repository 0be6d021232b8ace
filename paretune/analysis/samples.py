"""What several answers per question are worth: pass@k, oracle and vote, with what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np

from paretune.analysis.axes import AnsweredAxis, judged
from paretune.analysis.results import SampleFigure, SampleRow
from paretune.run.lines import SampledAnswer, Variant
from paretune.run.load import Run
from paretune.stats.intervals import accuracy_interval


def pass_at(k: int, right: int, drawn: int) -> float:
    """Probability that at least one of k answers is right, estimated without bias from `right` of `drawn` answers
    (Chen and others 2021, equation 1).

    >>> [round(pass_at(k, 2, 4), 3) for k in (1, 2, 3, 4)]
    [0.5, 0.833, 1.0, 1.0]
    """
    return 1.0 - comb(drawn - right, k) / comb(drawn, k)


def sample_rows(records: Run, axis: AnsweredAxis, confidence: float) -> tuple[SampleRow, ...]:
    """Of every variant with several answers per question, over the questions of the target's accuracy. Intervals are
    clustered as the accuracy's, the draws of a question taken as they are."""
    return tuple(
        row for at, variant in enumerate(records.variants) for row in _rows(records, axis, variant, at, confidence)
    )


def _rows(records: Run, axis: AnsweredAxis, variant: Variant, at: int, confidence: float) -> Iterator[SampleRow]:
    if not variant.samples:
        return
    of_question: dict[object, list[SampledAnswer]] = {}
    for line in variant.samples:
        of_question.setdefault(line.id, []).append(line)
    asked = [of_question.get(records.questions[place].id, []) for place in judged(records)]
    drawn = min(map(len, asked))
    if drawn < 2:
        return
    right = [sum(line.outcome == "correct" for line in lines) for lines in asked]
    tokens = sum(line.tokens for lines in asked for line in lines) / sum(map(len, asked))
    for k in _numbers(drawn):
        shares = np.array([pass_at(k, found, len(lines)) for found, lines in zip(right, asked, strict=True)])
        figure: SampleFigure = "mean" if k == 1 else "oracle" if k == drawn else "pass"
        interval = accuracy_interval(shares, axis.clusters, confidence=confidence)
        yield SampleRow(variant.name, figure, k, interval, k * tokens)
    if _voted(variant):
        voted = accuracy_interval(axis.correct[:, at], axis.clusters, confidence=confidence)
        yield SampleRow(variant.name, "vote", drawn, voted, drawn * tokens)


def _voted(variant: Variant) -> bool:
    decoding = variant.headers["answers"].get("decoding")
    return isinstance(decoding, dict) and bool(decoding.get("vote"))


def _numbers(drawn: int) -> list[int]:
    """1, 2, 4, 8, ... and the number that were drawn.

    >>> _numbers(10)
    [1, 2, 4, 8, 10]
    """
    return [*(1 << power for power in range(drawn.bit_length()) if 1 << power < drawn), drawn]
