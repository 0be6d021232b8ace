"""Are the answers ones that a model gives? Figures too good, answers that end where they cannot, one option always."""

from __future__ import annotations

import re
from collections.abc import Iterator

from paretune.analysis.audit.findings import Figures, Finding, percent
from paretune.config import BASELINE
from paretune.run.load import Run, Variant

# Percent of the answers that are the reference to the letter. Two people who write the same query seldom do.
COPIED_BY_A_BASE = 50.0
COPIED_BY_ANYBODY = 85.0
FEWEST = 20
SHARE_ENDING_NOWHERE = 5.0
_ENDS_NOWHERE = re.compile(
    r"(?:\b(?:select|from|where|and|or|on|by|join|as|in|like|between|having|set|not)|[,(=<>+\-/]|\.)\s*$", re.IGNORECASE
)


def plausible_findings(run: Run) -> Iterator[Finding]:
    """Findings on every variant's answers to the target task."""
    for variant in run.all_variants:
        yield from _copied(variant)
        yield from _stopped(variant)


def _copied(variant: Variant) -> Iterator[Finding]:
    lines = variant.sql
    if len(lines) < FEWEST:
        return
    share = percent(sum(line.sql.strip().rstrip("; ") == line.gold.strip().rstrip("; ") for line in lines), len(lines))
    if share > (COPIED_BY_A_BASE if variant.name == BASELINE else COPIED_BY_ANYBODY):
        yield Finding(
            "warning", "references-copied", {"variant": variant.name, "share": share, "questions": len(lines)}
        )


def _stopped(variant: Variant) -> Iterator[Finding]:
    """Answers that are said to have stopped, though they fill the limit or break off within their statement."""
    stopped = [answer for answer in variant.answers if answer.finish == "stop"]
    limit = variant.headers["answers"].get("max_new_tokens")
    if len(stopped) < FEWEST:
        return
    full = sum(isinstance(limit, int) and answer.tokens >= limit for answer in stopped)
    beyond = sum(isinstance(limit, int) and answer.tokens > limit for answer in variant.answers)
    broken = sum(bool(_ENDS_NOWHERE.search(answer.text.strip())) for answer in stopped if _is_sql(answer.text))
    count = max(full, beyond, broken)
    if beyond or percent(count, len(stopped)) > SHARE_ENDING_NOWHERE:
        figures: Figures = {"variant": variant.name, "count": count, "questions": len(variant.answers)}
        yield Finding("warning", "cut-but-stopped", figures)


def _is_sql(text: str) -> bool:
    return "select" in text.lower() and not text.rstrip().endswith("```")
