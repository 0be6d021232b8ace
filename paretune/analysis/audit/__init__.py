"""What makes a figure of this run untrustworthy? Findings built from the records alone.

Each check is a function from records to findings. Nothing is executed and no model is asked, so a folder made
elsewhere can be judged as long as it holds the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from paretune.analysis.audit.alike import comparison_findings
from paretune.analysis.audit.data import data_findings
from paretune.analysis.audit.general import general_findings
from paretune.analysis.audit.training import training_findings
from paretune.findings import LEVELS, Figures, Finding, level_of_share, percent
from paretune.run.load import Run


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
