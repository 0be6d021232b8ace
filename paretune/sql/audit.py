"""What makes SQL verdicts untrustworthy: answers without SQL, failed queries that match, prompts without a schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from paretune.findings import Figures, Finding, examples, level_of_share, percent
from paretune.run.lines import AskedQuestion, from_record
from paretune.run.load import Run
from paretune.sql.contradictions import contradiction_findings
from paretune.sql.limit import limit_findings
from paretune.sql.records import SqlVerdict

UNKNOWN_NAMES_WORTH_A_WARNING = 50.0
DEFINITION = re.compile(r"create\s+table|\b\w+\s*\(\s*\w+[^()]*,\s*\w+[^()]*\)", re.IGNORECASE)
TABLE = re.compile(r"\b(?:from|join)\s+[\"'`\[]?(\w+)", re.IGNORECASE)


def answer_findings(records: Run) -> Iterator[Finding]:
    """What is wrong with the answers, of the reference first."""
    verdicts = {
        variant.name: [from_record(SqlVerdict, line.detail, variant.name) for line in variant.verdicts]
        for variant in records.all_variants
    }
    yield from _gold_fails(list(verdicts.values()))
    for variant in records.all_variants:
        lines = verdicts[variant.name]
        if lines:
            yield from sql_findings(variant.name, lines)
        yield from limit_findings(variant.name, variant.answers, lines)
    yield from contradiction_findings(records, verdicts)


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


def _gold_fails(verdicts: Sequence[Sequence[SqlVerdict]]) -> Iterator[Finding]:
    failed = {line.index for lines in verdicts for line in lines if line.outcome == "gold_failed"}
    if failed:
        questions = max(len(lines) for lines in verdicts)
        figures: Figures = {"count": len(failed), "questions": questions, "examples": examples(list(failed))}
        yield Finding("warning", "gold-fails", figures)


def prompt_findings(test: Sequence[AskedQuestion]) -> Iterator[Finding]:
    """Whether the model was shown the tables that it is asked about."""
    prompts = [row for row in test if row.prompt]
    blind = sum(not _shows_schema(row) for row in prompts)
    if prompts and percent(blind, len(prompts)) > 5:
        figures: Figures = {"share": percent(blind, len(prompts)), "questions": len(prompts)}
        yield Finding("invalid", "no-schema", figures)


def _shows_schema(row: AskedQuestion) -> bool:
    around = row.prompt.replace(row.question, " ")
    needed = {name.lower() for name in TABLE.findall(row.reference)}
    return bool(DEFINITION.search(around)) or bool(needed & set(re.findall(r"\w+", around.lower())))
