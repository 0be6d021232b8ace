"""Does an exported or quantised model behind a server still answer as its adapter does?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paretune.analysis.axes import AnsweredAxis
from paretune.analysis.results import Likeness, ServedRow
from paretune.analysis.verdict import pair_claims
from paretune.config import BASELINE
from paretune.run.lines import Variant
from paretune.run.load import Run
from paretune.stats.intervals import Interval
from paretune.stats.paired import PairedDifference

Pair = tuple[str, str]


def served_pairs(records: Run) -> list[Pair]:
    """What each served variant stands for, and itself: another variant, or the baseline where it names none."""
    names = {variant.name for variant in records.variants}
    pairs = [(variant.entry.source or BASELINE, variant.name) for variant in records.variants
             if variant.entry.kind == "served"]  # fmt: skip
    return [(source, name) for source, name in pairs if source in names]


def served_rows(
    records: Run,
    axis: AnsweredAxis,
    differences: Mapping[Pair, PairedDifference],
    margin_points: float,
    level: float,
    seed: int,
) -> list[ServedRow]:
    """One row per served variant. found: the paired difference of each pair on this benchmark."""
    names = [variant.name for variant in records.variants]
    by_name = {variant.name: variant for variant in records.variants}
    claims = pair_claims(axis, names, differences, level, seed)
    return [
        ServedRow(
            variant=name,
            source=source,
            benchmark=axis.benchmark,
            method=axis.method,
            same_answers=_same(axis, by_name[source], by_name[name]),
            gained=len(differences[source, name].gained),
            lost=len(differences[source, name].lost),
            change=claims[source, name].interval,
            finding=_finding(claims[source, name].interval, margin_points),
        )
        for source, name in differences
    ]


def _finding(change: Interval, margin_points: float) -> Likeness:
    if not change.low <= 0 <= change.high:
        return "different"
    return "alike" if -margin_points < change.low and change.high < margin_points else "not shown"


def _same(axis: AnsweredAxis, one: Variant, other: Variant) -> float:
    first, second = (_said(axis, variant) for variant in (one, other))
    equal = [first[key] == second[key] for key in axis.ids]
    return 100 * sum(equal) / len(equal)


def _said(axis: AnsweredAxis, variant: Variant) -> Mapping[str, object]:
    if axis.axis == "target":
        return {str(answer.id): answer.text for answer in variant.answers}
    chosen: Sequence[tuple[str, object]] = [
        (line.id, line.predicted if line.text is None else line.text)
        for line in variant.choice
        if (line.suite, line.method) == axis.key
    ]
    return dict(chosen)
