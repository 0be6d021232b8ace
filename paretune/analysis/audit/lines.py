"""Does each multiple-choice line agree with itself, and are the answers that verdicts judge there?

What lines of the target hold beside an outcome only its task knows (for SQL: sql/contradictions.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paretune.choice.letters import parse_letter
from paretune.findings import Figures, Finding, examples
from paretune.records import ChoiceAnswer
from paretune.run.load import AskedChoice, Run, Variant

TOLERANCE = 1e-3  # of a log-probability that was rounded
TOLERANCE_OF_MASS = 0.02


def line_findings(run: Run) -> Iterator[Finding]:
    """Contradictions within lines, and verdicts whose answers are not kept."""
    choices = {(choice.suite, choice.id): choice for choice in run.choice_questions}
    suites = run.headers["choice"].get("suites") or {}
    foreign = {name for name, suite in suites.items() if isinstance(suite, dict) and suite.get("lm_eval")}
    levels = {question.id: question.level for question in run.questions}
    for variant in run.all_variants:
        other = [
            str(line.id)
            for line in variant.verdicts
            if line.level and levels.get(line.id, line.level) not in ("", "unknown", line.level)
        ]
        yield from contradictions(variant.name, "target", other, len(variant.verdicts))
        against = [
            f"{line.suite}: {line.id}"
            for line in variant.choice
            if choice_contradicts(line, choices.get((line.suite, line.id)), judged_here=line.suite not in foreign)
        ]
        yield from contradictions(variant.name, "general", against, len(variant.choice))
        yield from _no_texts(run, variant)


def contradictions(variant: str, axis: str, wrong: Sequence[str], lines: int) -> Iterator[Finding]:
    """One finding where any line contradicts itself. wrong: names of their questions."""
    if wrong:
        figures: Figures = {
            "variant": variant, "axis": axis, "count": len(wrong), "questions": lines, "examples": examples(wrong)
        }  # fmt: skip
        yield Finding("invalid", "contradictory-lines", figures)


def _no_texts(run: Run, variant: Variant) -> Iterator[Finding]:
    judged, texts = variant.verdicts, [answer.text for answer in variant.answers]
    named = bool(variant.headers[run.facets.lines].get("answers"))
    if judged and ((variant.answers and not any(text.strip() for text in texts)) or (named and not texts)):
        yield Finding("warning", "no-raw-answers", {"variant": variant.name, "questions": len(judged)})


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
