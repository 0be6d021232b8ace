"""What makes a figure of this run untrustworthy? Findings built from the records alone.

Each check is a function from records to findings. Nothing is executed and no model is asked, so a folder made
elsewhere can be judged as long as it holds the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from paretune.analysis.audit.alike import comparison_findings
from paretune.analysis.audit.data import data_findings
from paretune.analysis.audit.derived import derived_findings
from paretune.analysis.audit.findings import LEVELS, Figures, Finding, examples, level_of_share, percent
from paretune.analysis.audit.general import general_findings
from paretune.analysis.audit.leaks import leak_findings
from paretune.analysis.audit.limit import limit_findings
from paretune.analysis.audit.lines import line_findings
from paretune.analysis.audit.plausible import plausible_findings
from paretune.analysis.audit.selection import selection_findings
from paretune.analysis.audit.settings import settings_findings
from paretune.analysis.audit.stored import stored_findings
from paretune.analysis.audit.training import training_findings
from paretune.analysis.audit.variants import variant_findings
from paretune.records import SqlVerdict
from paretune.run.load import Run

UNKNOWN_NAMES_WORTH_A_WARNING = 50.0
FLOOR, CEILING = 2.0, 98.0  # percent right, of all variants
FEWEST_FOR_A_FLOOR = 20


def audit_run(records: Run) -> list[Finding]:
    """All findings, the gravest first.

    records: of load_run; incomplete variants are looked at, too. An empty list means that these checks found nothing,
    not that nothing is wrong.
    """
    found = [finding for check in CHECKS for finding in check(records)]
    return gravest_first(found)


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Invalid, then warnings, then notes, each in the order given."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def target_findings(records: Run) -> Iterator[Finding]:
    """What is wrong with the answers to the target task."""
    yield from _gold_fails(records)
    for variant in records.all_variants:
        if variant.sql:
            yield from sql_findings(variant.name, variant.sql)
        yield from limit_findings(variant.name, variant.answers, variant.sql)
    yield from _floor(records)


def sql_findings(variant: str, lines: Sequence[SqlVerdict]) -> Iterator[Finding]:
    """Findings on one variant's verdicts (at least one)."""
    count = len(lines)
    silent = percent(sum(line.outcome == "no_answer" for line in lines), count)
    if level := level_of_share(silent):
        yield Finding(level, "no-sql", {"variant": variant, "share": silent, "questions": count})
    correct = [line for line in lines if line.outcome == "correct"]
    empty = [line.index for line in correct if line.error]
    if empty:
        figures: Figures = {
            "variant": variant,
            "count": len(empty),
            "correct": len(correct),
            "examples": examples(empty),
        }
        yield Finding("invalid", "failed-matches-empty", figures)
    both = sum(line.both_empty and not line.error for line in correct)
    if both:
        yield Finding("note", "both-empty", {"variant": variant, "count": both, "correct": len(correct)})
    unknown = percent(sum("no such" in str(line.error or "") for line in lines), count)
    if unknown > UNKNOWN_NAMES_WORTH_A_WARNING:
        yield Finding("warning", "unknown-names", {"variant": variant, "share": unknown, "questions": count})


def _floor(records: Run) -> Iterator[Finding]:
    """Nobody gets anything right, or nobody anything wrong: there is nothing to compare."""
    shares = [
        percent(sum(line.outcome == "correct" for line in variant.sql), len(variant.sql))
        for variant in records.all_variants
        if len(variant.sql) >= FEWEST_FOR_A_FLOOR
    ]
    if shares and max(shares) < FLOOR:
        yield Finding("warning", "target-floor", {"share": max(shares)})
    elif shares and min(shares) > CEILING:
        yield Finding("warning", "target-ceiling", {"share": min(shares)})


def _gold_fails(records: Run) -> Iterator[Finding]:
    failed: set[int] = set()
    questions = 0
    for variant in records.all_variants:
        questions = max(questions, len(variant.sql))
        failed |= {line.index for line in variant.sql if line.outcome == "gold_failed"}
    if failed:
        figures: Figures = {"count": len(failed), "questions": questions, "examples": examples(list(failed))}
        yield Finding("warning", "gold-fails", figures)


# One file per subject; a check is a function from a run to findings.
CHECKS: tuple[Callable[[Run], Iterator[Finding]], ...] = (
    comparison_findings,
    stored_findings,
    line_findings,
    variant_findings,
    target_findings,
    general_findings,
    leak_findings,
    data_findings,
    plausible_findings,
    settings_findings,
    training_findings,
    selection_findings,
    derived_findings,
)
