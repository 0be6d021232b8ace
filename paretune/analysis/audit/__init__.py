"""What makes a figure of this run untrustworthy? Findings built from the records alone.

Each check is a function from records to findings. Nothing is executed and no model is asked, so a folder made
elsewhere can be judged as long as it holds the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from paretune.analysis.audit.alike import comparison_findings
from paretune.analysis.audit.data import data_findings
from paretune.analysis.audit.derived import derived_findings
from paretune.analysis.audit.general import general_findings
from paretune.analysis.audit.leaks import leak_findings
from paretune.analysis.audit.lines import line_findings
from paretune.analysis.audit.selection import selection_findings
from paretune.analysis.audit.settings import settings_findings
from paretune.analysis.audit.stored import stored_findings
from paretune.analysis.audit.training import training_findings
from paretune.analysis.audit.variants import variant_findings
from paretune.findings import LEVELS, Figures, Finding, level_of_share, percent
from paretune.run.load import Run

FLOOR, CEILING = 2.0, 98.0  # percent right, of all variants
FEWEST_FOR_A_FLOOR = 20


def audit_run(records: Run) -> list[Finding]:
    """All findings, the gravest first.

    records: of load_run; incomplete variants are looked at, too. An empty list means that these checks found nothing,
    not that nothing is wrong.
    """
    checks = CHECKS if records.has_target else CHECKS_OF_LOGS
    findings = [finding for check in checks for finding in check(records)]
    return gravest_first(findings)


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Invalid, then warnings, then notes, each in the order given."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def target_findings(records: Run) -> Iterator[Finding]:
    """What is wrong with the answers to the target: what its task knows, or what holds for every task."""
    own = records.task.answer_findings(records)
    if own is not None:
        yield from own
        return
    for variant in records.all_variants:
        lines = variant.verdicts
        if not lines:
            continue
        figures: Figures = {"variant": variant.name, "questions": len(lines)}
        silent = percent(sum(line.outcome == "no_answer" for line in lines), len(lines))
        if level := level_of_share(silent):
            yield Finding(level, "no-answer", {**figures, "share": silent})
        cut = percent(sum(answer.finish == "length" for answer in variant.answers), len(lines))
        if level := level_of_share(cut):
            yield Finding(level, "cut-answers", {**figures, "share": cut})


def floor_findings(records: Run) -> Iterator[Finding]:
    """No variant gets anything right, or none anything wrong: there is nothing to compare."""
    shares = [
        percent(sum(line.outcome == "correct" for line in variant.verdicts), len(variant.verdicts))
        for variant in records.all_variants
        if len(variant.verdicts) >= FEWEST_FOR_A_FLOOR
    ]
    if shares and max(shares) < FLOOR:
        yield Finding("warning", "target-floor", {"share": max(shares)})
    elif shares and min(shares) > CEILING:
        yield Finding("warning", "target-ceiling", {"share": min(shares)})


# One file per subject; a check is a function from a run to findings.
CHECKS: tuple[Callable[[Run], Iterator[Finding]], ...] = (
    comparison_findings,
    stored_findings,
    line_findings,
    variant_findings,
    target_findings,
    floor_findings,
    general_findings,
    leak_findings,
    data_findings,
    settings_findings,
    training_findings,
    selection_findings,
    derived_findings,
)
CHECKS_OF_LOGS = (comparison_findings, variant_findings, general_findings)  # others' answers have no files of ours
