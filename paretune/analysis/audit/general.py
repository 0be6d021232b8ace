"""What is wrong with the answers to multiple-choice questions: chance, letters, formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from scipy import stats

from paretune.config import BASELINE
from paretune.findings import Figure, Finding, level_of_share, percent
from paretune.records import ChoiceAnswer
from paretune.run.load import Run
from paretune.stats.intervals import accuracy_interval

IMPROBABLE = 0.001  # a guesser who does this badly is not believed
SHARE_OF_ONE_LETTER = 90.0
DEFAULT_CHANCE = 0.25
LOSABLE = 5.0  # points above chance; with less, total forgetting is a small loss
CEILING = 97.0  # percent right
FEWEST_FOR_SENSITIVITY = 30
SHARE_OF_ONE_OPTION = 60.0  # far from even among three options and more


def general_findings(records: Run) -> Iterator[Finding]:
    """Findings of every variant, suite and method."""
    chances = {suite.name: suite.chance for suite in records.suites}
    for variant in records.all_variants:
        groups: dict[tuple[str, str], list[ChoiceAnswer]] = {}
        for line in variant.choice:
            groups.setdefault((line.suite, line.method), []).append(line)
        for (suite, method), lines in groups.items():
            if variant.name == BASELINE:
                yield from _sensitivity(suite, method, lines, _chance(chances.get(suite), lines))
            yield from choice_findings(variant.name, suite, method, lines, _chance(chances.get(suite), lines))


def choice_findings(
    variant: str, suite: str, method: str, lines: Sequence[ChoiceAnswer], chance: float
) -> Iterator[Finding]:
    """Findings on one variant's answers to one suite by one method; chance: probability of a blind guess."""
    silent = percent(sum(line.outcome == "no_answer" for line in lines), len(lines))
    if level := level_of_share(silent):
        yield Finding(level, "no-letter", _who(variant, suite, method) | {"share": silent, "questions": len(lines)})
    correct = [line.outcome == "correct" for line in lines]
    yield from chance_findings(variant, suite, method, correct, chance)
    masses = [line.letter_mass for line in lines if line.letter_mass is not None]
    if method == "letter" and masses:
        light = percent(sum(mass < 0.5 for mass in masses), len(masses))
        if level_of_share(light):
            level = "warning" if light > 50 else "note"
            figures = _who(variant, suite, method) | {"share": light, "questions": len(masses)}
            yield Finding(level, "letters-improbable", figures)
    chosen = Counter(line.predicted for line in lines if line.predicted is not None)
    if method != "cloze" and chance > 0 and len(lines) >= 20 and chosen:  # without chance: no options
        share = percent(chosen.most_common(1)[0][1], len(lines))
        right = Counter(line.answer for line in lines).most_common(1)[0][1]
        uneven = chance < 0.4 and share > SHARE_OF_ONE_OPTION and share > 1.5 * percent(right, len(lines))
        if share > SHARE_OF_ONE_LETTER or uneven:
            yield Finding(
                "warning", "one-letter", _who(variant, suite, method) | {"share": share, "questions": len(lines)}
            )


def _sensitivity(suite: str, method: str, lines: Sequence[ChoiceAnswer], chance: float) -> Iterator[Finding]:
    """Is there anything to lose or gain? A base model near chance can lose next to nothing, whatever is forgotten."""
    accuracy = percent(sum(line.outcome == "correct" for line in lines), len(lines))
    figures: dict[str, Figure] = {"suite": suite, "method": method, "accuracy": accuracy, "chance": 100 * chance}
    if len(lines) < FEWEST_FOR_SENSITIVITY:
        return
    if 0 < accuracy - 100 * chance < LOSABLE:
        yield Finding("warning", "near-chance", {**figures, "losable": accuracy - 100 * chance})
    elif accuracy > CEILING:
        yield Finding("warning", "near-ceiling", figures)


def chance_findings(variant: str, suite: str, method: str, correct: Sequence[bool], chance: float) -> Iterator[Finding]:
    """Accuracy that guessing explains, or that is worse than guessing can be."""
    right, questions = sum(correct), len(correct)
    probability = below_chance(right, questions, chance)
    if probability < IMPROBABLE:
        figures = {"correct": right, "questions": questions, "chance": 100 * chance, "probability": probability}
        yield Finding("invalid", "below-chance", _who(variant, suite, method) | figures)
        return
    interval = accuracy_interval(correct)  # guesses are independent whatever the subject
    if interval.low <= 100 * chance:
        figures = {"accuracy": interval.estimate, "low": interval.low, "high": interval.high, "chance": 100 * chance}
        yield Finding("warning", "at-chance", _who(variant, suite, method) | figures)


def below_chance(right: int, questions: int, chance: float) -> float:
    """Probability that blind guessing gets at most `right` of the questions.

    >>> f"{below_chance(1, 150, 0.25):.0e}"
    '9e-18'
    """
    return float(stats.binom.cdf(right, questions, chance))


def _who(variant: str, suite: str, method: str) -> dict[str, Figure]:
    return {"variant": variant, "suite": suite, "method": method}


def _chance(known: float | None, lines: Sequence[ChoiceAnswer]) -> float:
    """The suite's own chance level, else one over the number of options seen."""
    if known is not None:
        return known
    options = [len(line.log_probabilities) for line in lines if line.log_probabilities]
    return sum(1 / count for count in options) / len(options) if options else DEFAULT_CHANCE
