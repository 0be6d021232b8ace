"""Both axes of every variant in one row: what the summary's Markdown, LaTeX and CSV have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from paretune.analysis.results import Claim, Comparison, SuiteTable
from paretune.stats.intervals import Interval


@dataclass(frozen=True, slots=True)
class Summary:
    """One benchmark. accuracy: None for a recipe of several variants; claim: None for the baseline."""

    accuracy: Interval | None
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A variant or a recipe. on: the target, then each suite in the comparison's order. decision: "pick" (the
    baseline's where it is kept), or the reason against it; "" where nothing is decided, as of one seed of several."""

    name: str
    on: tuple[Summary, ...]
    decision: str


def summary_rows(comparison: Comparison) -> Iterator[SummaryRow]:
    """The baseline, every variant, and every recipe of several, of a comparison that has a target."""
    verdict = comparison.verdict
    decisions: dict[str, str] = {item.unit.name: item.reason or "pick" for item in verdict.units}
    if verdict.pick is None and verdict.units:
        decisions[comparison.variants[0].name] = "pick"
    claims = {
        (one.benchmark, one.method, one.second): one.claim
        for one in comparison.differences
        if one.first == comparison.variants[0].name
    }
    for variant in comparison.variants:
        target = comparison.difference(variant.name, "target")
        on = [Summary(variant.leading, target.claim if target else None)]
        on += [
            Summary(_accuracy(suite, variant.name), claims.get((suite.suite, suite.method, variant.name)))
            for suite in comparison.suites
        ]
        yield SummaryRow(variant.name, tuple(on), decisions.get(variant.name, ""))
    for unit in comparison.units:
        if unit.is_recipe:
            general = {(claim.benchmark, claim.method): claim for claim in unit.general}
            on = [Summary(None, unit.leading)]
            on += [Summary(None, general[suite.suite, suite.method]) for suite in comparison.suites]
            yield SummaryRow(unit.name, tuple(on), decisions[unit.name])


def _accuracy(suite: SuiteTable, variant: str) -> Interval:
    return next(row.accuracy for row in suite.rows if row.kind == "all" and row.variant == variant)
