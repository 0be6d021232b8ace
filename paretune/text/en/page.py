"""The rest of the page, its explorer of answers, and the page of a folder of runs."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "facts.margin": "margin {margin} points",
    "facts.questions": "target: {benchmark}, {questions} questions in {count} {clusters}",
    "facts.target": "SQL: {benchmark}, {questions} questions in {databases} databases, {rules}",
    "facts.logged": "{suite}: {questions} questions",
    "facts.general": "general: {suite}, {questions} questions by {method}",
    "page.alike": "(and {count} more like this)",
    "page.notes": "{count} notes",
    "page.unfinished": "Not finished: {done} of {planned} variants have all their answers; missing: {names}",
    "page.no-baseline": "Not finished: the base model has not answered everything, so there is nothing to compare yet.",
    "page.progress": "{done} of {asked}",
    "page.card": "Copy the model card of {variant}",
    "page.subject": (
        "{variant}: {before:.1} % → {after:.1} %, {change:+} points, {gained} newly right, {lost} no longer right, "
        "p (Holm) {p:p}"
    ),
    "runs.heading": "{folder}: {count} runs",
    "runs.facts": "{model} · {benchmark} · {count} variants · pick: {pick}",
    "runs.no-verdict": "No verdict: {reason}",
}
