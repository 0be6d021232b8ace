"""Does each line agree with itself, and with the answer that it judges?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paretune.analysis.audit.findings import Figures, Finding, examples, percent
from paretune.choice.letters import parse_letter
from paretune.records import ChoiceAnswer, SqlOutcome, SqlVerdict
from paretune.run.load import AskedChoice, AskedQuestion, Run, Variant
from paretune.sql.extract import extract_sql

TOLERANCE = 1e-3  # of a log-probability that was rounded
TOLERANCE_OF_MASS = 0.02
WITHOUT_STATEMENT = (SqlOutcome.NO_ANSWER, SqlOutcome.GOLD_FAILED, SqlOutcome.FAILED)
SHARE_EXTRACTED_OTHERWISE = 2.0  # percent: a text or two may be read anew by a mended extraction


def line_findings(run: Run) -> Iterator[Finding]:
    """Contradictions within lines, and verdicts on other texts than the answers have."""
    questions = {question.index: question for question in run.questions}
    choices = {(choice.suite, choice.id): choice for choice in run.choice_questions}
    suites = run.headers["choice"].get("suites") or {}
    foreign = {name for name, suite in suites.items() if isinstance(suite, dict) and suite.get("lm_eval")}
    for variant in run.all_variants:
        tp4 = variant.headers["sql"].get("rules") == "tp4"
        wrong = [line.index for line in variant.sql if sql_contradicts(line, questions.get(line.index), tp4=tp4)]
        yield from _said(variant, "target", [str(index) for index in wrong], len(variant.sql))
        against = [
            f"{line.suite}: {line.id}"
            for line in variant.choice
            if choice_contradicts(line, choices.get((line.suite, line.id)), judged_here=line.suite not in foreign)
        ]
        yield from _said(variant, "general", against, len(variant.choice))
        yield from _texts(variant)
        if not tp4:
            yield from _extraction(variant)
            yield from _right_but_wrong(variant)


def sql_contradicts(line: SqlVerdict, question: AskedQuestion | None, *, tp4: bool = False) -> bool:
    """Does a verdict on SQL contradict itself? tp4: under those rules a failed query can be right."""
    right = line.outcome is SqlOutcome.CORRECT
    return (
        right != line.execution_match
        or (right and line.error_class is not None and not tp4)
        or (line.both_empty and not right)
        or (line.test_suite_match is True and not right)
        or (not line.sql.strip() and line.outcome not in WITHOUT_STATEMENT and not (tp4 and right))
        or (bool(line.sql.strip()) and line.outcome is SqlOutcome.NO_ANSWER)
        or (question is not None and "unknown" not in (line.hardness, question.hardness)
            and line.hardness != question.hardness)
    )  # fmt: skip


def choice_contradicts(line: ChoiceAnswer, asked: AskedChoice | None, *, judged_here: bool = True) -> bool:
    """Does a verdict on a multiple-choice question contradict itself? judged_here: by our own rules, not lm-eval's."""
    right = line.outcome == "correct"
    if right != line.correct or (line.predicted is None and right):
        return True
    if (line.outcome == "no_answer") != (line.predicted is None) and line.outcome != "failed":
        return judged_here
    if line.predicted is not None and line.correct != (line.predicted == line.answer):
        return judged_here
    if not judged_here:
        return False
    if asked is not None and line.predicted is not None and not 0 <= line.predicted < len(asked.options):
        return True
    if line.method == "generate":
        return asked is not None and line.text is not None and _misread(line, asked)
    return _against_probabilities(line, asked)


def _misread(line: ChoiceAnswer, asked: AskedChoice) -> bool:
    return parse_letter(str(line.text), asked.options) != line.predicted


def _against_probabilities(line: ChoiceAnswer, asked: AskedChoice | None) -> bool:
    scores = line.log_probabilities
    if not scores or line.predicted is None:
        return False
    if max(scores) > TOLERANCE or line.predicted >= len(scores) or (asked and len(asked.options) != len(scores)):
        return True
    if line.method == "letter":
        mass = min(1.0, math.fsum(map(math.exp, scores)))
        differs = line.letter_mass is not None and abs(mass - line.letter_mass) > TOLERANCE_OF_MASS
        return differs or scores[line.predicted] < max(scores) - TOLERANCE
    if asked is None:
        return False
    per_byte = [score / max(1, len(text.encode())) for score, text in zip(scores, asked.options, strict=True)]
    if line.correct_raw is not None and line.correct_raw != (scores[line.answer] >= max(scores) - TOLERANCE):
        return not _nearly_tied(scores)
    return per_byte[line.predicted] < max(per_byte) - TOLERANCE


def _nearly_tied(scores: Sequence[float]) -> bool:
    best, second, *_ = sorted(scores, reverse=True)
    return best - second <= 2 * TOLERANCE


def _said(variant: Variant, axis: str, wrong: Sequence[str], lines: int) -> Iterator[Finding]:
    if wrong:
        figures: Figures = {
            "variant": variant.name, "axis": axis, "count": len(wrong), "questions": lines, "examples": examples(wrong)
        }  # fmt: skip
        yield Finding("invalid", "contradictory-lines", figures)


def _texts(variant: Variant) -> Iterator[Finding]:
    """Verdicts on a text that is not the answer's; answers that have no text at all."""
    answers = {answer.index: answer.text for answer in variant.answers}
    other = [line.index for line in variant.sql if line.index in answers and answers[line.index] != line.text]
    if other:
        figures: Figures = {"variant": variant.name, "count": len(other), "examples": examples(other)}
        yield Finding("invalid", "verdict-on-another-text", figures)
    no_texts = not any(line.text.strip() for line in variant.sql) and not any(answers.values())
    if variant.sql and (no_texts or (not variant.answers and variant.headers["sql"].get("answers"))):
        yield Finding("warning", "no-raw-answers", {"variant": variant.name, "questions": len(variant.sql)})


def _extraction(variant: Variant) -> Iterator[Finding]:
    """Statements that do not stand in their answer, and answers out of which none, or another, was read."""
    absent, otherwise = [], []
    for line in variant.sql:
        if not line.text:
            continue
        if _squeezed(line.sql) not in _squeezed(line.text):
            absent.append(line.index)
        elif _squeezed(extract_sql(line.text)) != _squeezed(line.sql):
            otherwise.append(line.index)
    figures: Figures
    if absent:
        figures = {"variant": variant.name, "count": len(absent), "examples": examples(absent)}
        yield Finding("invalid", "statement-not-in-answer", figures)
    if otherwise and percent(len(otherwise), len(variant.sql)) > SHARE_EXTRACTED_OTHERWISE:
        figures = {
            "variant": variant.name, "count": len(otherwise), "questions": len(variant.sql),
            "examples": examples(otherwise),
        }  # fmt: skip
        yield Finding("warning", "extracted-otherwise", figures)


def _right_but_wrong(variant: Variant) -> Iterator[Finding]:
    """Queries equal to the reference that were not judged right."""
    wrong = [
        line.index
        for line in variant.sql
        if line.sql and _squeezed(line.sql) == _squeezed(line.gold)
        and line.outcome in (SqlOutcome.WRONG, SqlOutcome.INVALID_SQL, SqlOutcome.NOT_A_QUERY)
    ]  # fmt: skip
    if wrong:
        figures: Figures = {"variant": variant.name, "count": len(wrong), "examples": examples(wrong)}
        yield Finding("warning", "reference-judged-wrong", figures)


def _squeezed(text: str) -> str:
    return "".join(text.split()).rstrip(";")
