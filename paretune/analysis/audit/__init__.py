"""What makes a figure of this run untrustworthy? Findings built from the records alone.

Each check is a function from records to findings. Nothing is executed and no model is asked, so a folder made
elsewhere can be judged as long as it holds the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from paretune.analysis.audit.alike import comparison_findings
from paretune.analysis.audit.data import data_findings
from paretune.analysis.audit.findings import LEVELS, Figures, Finding, examples, level_of_share, percent
from paretune.analysis.audit.general import general_findings
from paretune.analysis.audit.limit import limit_findings
from paretune.analysis.audit.training import training_findings
from paretune.records import SqlVerdict
from paretune.run.load import Run

UNKNOWN_NAMES_WORTH_A_WARNING = 50.0


def audit_run(records: Run) -> list[Finding]:
    """All findings, the gravest first.

    records: of load_run; incomplete variants are looked at, too. An empty list means that these checks found nothing,
    not that nothing is wrong.
    """
    checks: tuple[Callable[[Run], Iterator[Finding]], ...] = (
        comparison_findings,
        target_findings,
        general_findings,
        data_findings,
        training_findings,
    )
    found = [finding for check in checks for finding in check(records)]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def target_findings(records: Run) -> Iterator[Finding]:
    """What is wrong with the answers to the target task."""
    yield from _gold_fails(records)
    for variant in records.all_variants:
        if variant.sql:
            yield from sql_findings(variant.name, variant.sql)
        yield from limit_findings(variant.name, variant.answers, variant.sql)


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


def _gold_fails(records: Run) -> Iterator[Finding]:
    failed: set[int] = set()
    questions = 0
    for variant in records.all_variants:
        questions = max(questions, len(variant.sql))
        failed |= {line.index for line in variant.sql if line.outcome == "gold_failed"}
    if failed:
        figures: Figures = {"count": len(failed), "questions": questions, "examples": examples(list(failed))}
        yield Finding("warning", "gold-fails", figures)
