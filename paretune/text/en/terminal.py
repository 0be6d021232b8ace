"""What commands print: `list`, `score`, `choice`, `perplexity`, `power`, and the lines under a comparison."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "list.prepared": "prepared: {parts}",
    "list.complete": "{complete} of {count} variants complete",
    "list.unchecked": "lines are counted, not checked against the settings: {reason}",
    "terminal.audit": (
        "Audit: {invalid} invalid, {warnings} warnings, {notes} notes; `paretune audit {folder}` tells what to do."
    ),
    "terminal.findings": "{invalid} invalid · {warnings} warnings · {notes} notes",
    "terminal.page": "page: {path}",
    "terminal.no-page": "page: not written yet; `paretune report {folder}` writes it",
    "power.clusters": "{clusters} clusters, worth {effective:.1} of equal size",
    "power.family": "recipes are planned and judged together, each at its share of the level: {recipes}",
    "power.rules-out": (
        "{questions} questions rule out a loss of more than {points:.2} points, where {loss:.2} are lost, with "
        "probability {reached:.2}"
    ),
    "power.needed-to-rule-out": (
        "questions needed to rule out a loss of more than {points:.2} points, where {loss:.2} are lost, with "
        "probability {power:.2}: {questions}"
    ),
    "power.detectable": "{questions} questions show a difference of {points:.2} points",
    "power.needed": "questions needed to show {points:.2} points with probability {power:.2}: {questions}",
    "power.minutes": "minutes for {variants} variants at {seconds:.3} s per question ({axis}): {minutes:.1}",
}
