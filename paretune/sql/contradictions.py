"""Do SQL verdicts agree with themselves, with the answers that they judge, and with each other? Are they ones that a
model earns?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from paretune.config import BASELINE
from paretune.findings import Figures, Finding, examples, percent
from paretune.run.load import Run, Variant
from paretune.sql.extract import extract_sql
from paretune.sql.records import NOT_JUDGED, SqlOutcome, SqlVerdict
from paretune.sql.rules import RULES

WITHOUT_STATEMENT = (SqlOutcome.NO_ANSWER, SqlOutcome.FAILED, *NOT_JUDGED)
SHARE_EXTRACTED_OTHERWISE = 2.0  # percent: a text or two may be read anew by a mended extraction
IMPROBABLE = 1e-4
POINTS_MORE = 2.0  # a failure rarer than that moves no figure
# Percent of the answers that are the reference to the letter. Two people who write the same query seldom do.
COPIED_BY_A_BASE = 50.0
COPIED_BY_ANYBODY = 85.0
FEWEST = 20
SHARE_ENDING_NOWHERE = 5.0
_ENDS_NOWHERE = re.compile(
    r"(?:\b(?:select|from|where|and|or|on|by|join|as|in|like|between|having|set|not)|[,(=<>+\-/]|\.)\s*$", re.IGNORECASE
)
Verdicts = Mapping[str, Sequence[SqlVerdict]]  # by variant

SIGNS: dict[str, Callable[[SqlVerdict], bool]] = {
    "no_answer": lambda line: line.outcome == "no_answer",
    "timeout": lambda line: line.outcome in ("timeout", "too_large"),
    "no such table": lambda line: "no such table" in (line.error or ""),
}


def contradiction_findings(run: Run, verdicts: Verdicts) -> Iterator[Finding]:
    """All of these on every variant."""
    for variant in run.all_variants:
        lines = verdicts[variant.name]
        rule = RULES.get(str(variant.headers["sql"].get("rules") or "official"), RULES["official"])
        wrong = [str(line.index) for line in lines if contradicts(line, failed_is_empty=rule.failed_is_empty)]
        if wrong:
            yield Finding("invalid", "contradictory-lines", {
                "variant": variant.name, "axis": "target", "count": len(wrong), "questions": len(lines),
                "examples": examples(wrong),
            })  # fmt: skip
        yield from _texts(variant, lines)
        if not (rule.as_written or rule.whole_text):
            yield from _extraction(variant.name, lines)
            yield from _right_but_wrong(variant.name, lines)
        yield from _copied(variant.name, lines)
        yield from _stopped(variant)
        if variant.name != BASELINE and BASELINE in verdicts:
            yield from _failing_alone(variant.name, lines, verdicts[BASELINE])


def contradicts(line: SqlVerdict, *, failed_is_empty: bool = False) -> bool:
    """Does a verdict on SQL contradict itself? failed_is_empty: by its rule a failed query can be
    right."""
    right = line.outcome is SqlOutcome.CORRECT
    return (
        right != line.execution_match
        or (right and line.error_class is not None and not failed_is_empty)
        or (line.both_empty and not right)
        or (line.test_suite_match is True and not right)
        or (not line.sql.strip() and line.outcome not in WITHOUT_STATEMENT and not (failed_is_empty and right))
        or (bool(line.sql.strip()) and line.outcome is SqlOutcome.NO_ANSWER)
    )


def _texts(variant: Variant, lines: Sequence[SqlVerdict]) -> Iterator[Finding]:
    """Verdicts on a text that is not the answer's."""
    answers = {answer.id: answer.text for answer in variant.answers}
    other = [line.index for line in lines if line.index in answers and answers[line.index] != line.text]
    if other:
        figures: Figures = {"variant": variant.name, "count": len(other), "examples": examples(other)}
        yield Finding("invalid", "verdict-on-another-text", figures)


def _extraction(variant: str, lines: Sequence[SqlVerdict]) -> Iterator[Finding]:
    """Statements that do not stand in their answer, and answers out of which none, or another, was read."""
    absent, otherwise = [], []
    for line in lines:
        if not line.text:
            continue
        if _squeezed(line.sql) not in _squeezed(line.text):
            absent.append(line.index)
        elif _squeezed(extract_sql(line.text)) != _squeezed(line.sql):
            otherwise.append(line.index)
    figures: Figures
    if absent:
        figures = {"variant": variant, "count": len(absent), "examples": examples(absent)}
        yield Finding("invalid", "statement-not-in-answer", figures)
    if otherwise and percent(len(otherwise), len(lines)) > SHARE_EXTRACTED_OTHERWISE:
        figures = {
            "variant": variant, "count": len(otherwise), "questions": len(lines),
            "examples": examples(otherwise),
        }  # fmt: skip
        yield Finding("warning", "extracted-otherwise", figures)


def _right_but_wrong(variant: str, lines: Sequence[SqlVerdict]) -> Iterator[Finding]:
    """Queries equal to the reference that were not judged right."""
    wrong = [
        line.index
        for line in lines
        if line.sql and _squeezed(line.sql) == _squeezed(line.gold)
        and line.outcome in (SqlOutcome.WRONG, SqlOutcome.INVALID_SQL, SqlOutcome.NOT_A_QUERY)
    ]  # fmt: skip
    if wrong:
        figures: Figures = {"variant": variant, "count": len(wrong), "examples": examples(wrong)}
        yield Finding("warning", "reference-judged-wrong", figures)


def _squeezed(text: str) -> str:
    return "".join(text.split()).rstrip(";")


def _copied(variant: str, lines: Sequence[SqlVerdict]) -> Iterator[Finding]:
    if len(lines) < FEWEST:
        return
    share = percent(sum(line.sql.strip().rstrip("; ") == line.gold.strip().rstrip("; ") for line in lines), len(lines))
    if share > (COPIED_BY_A_BASE if variant == BASELINE else COPIED_BY_ANYBODY):
        yield Finding("warning", "references-copied", {"variant": variant, "share": share, "questions": len(lines)})


def _stopped(variant: Variant) -> Iterator[Finding]:
    """Answers that are said to have stopped, though they fill the limit or break off within their statement."""
    stopped = [answer for answer in variant.answers if answer.finish == "stop"]
    limit = variant.headers["answers"].get("max_new_tokens")
    if len(stopped) < FEWEST:
        return
    full = sum(isinstance(limit, int) and answer.tokens >= limit for answer in stopped)
    beyond = sum(isinstance(limit, int) and answer.tokens > limit for answer in variant.answers)
    broken = sum(bool(_ENDS_NOWHERE.search(extract_sql(answer.text).strip())) for answer in stopped)
    count = max(full, beyond, broken)
    if beyond or percent(count, len(stopped)) > SHARE_ENDING_NOWHERE:
        figures: Figures = {"variant": variant.name, "count": count, "questions": len(variant.answers)}
        yield Finding("warning", "cut-but-stopped", figures)


def _failing_alone(variant: str, lines: Sequence[SqlVerdict], base: Sequence[SqlVerdict]) -> Iterator[Finding]:
    """A failure that a tuned variant has more of than the base model: a parser or a limit that does not fit it."""
    from scipy import stats

    for sign, has in SIGNS.items():
        count, base_count = sum(map(has, lines)), sum(map(has, base))
        if not lines or not base or percent(count, len(lines)) - percent(base_count, len(base)) <= POINTS_MORE:
            continue
        table = np.array([[count, len(lines) - count], [base_count, len(base) - base_count]])
        if float(stats.fisher_exact(table, alternative="greater").pvalue) < IMPROBABLE:
            share, base_share = percent(count, len(lines)), percent(base_count, len(base))
            figures: Figures = {"variant": variant, "axis": "target", "sign": sign, "share": share, "base": base_share}
            yield Finding("warning", "fails-alone", figures)
