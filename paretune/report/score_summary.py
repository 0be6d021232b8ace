"""The summary that `paretune score` prints: every figure with its interval and the number of questions behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from paretune.errors import EmptySample
from paretune.records import SqlOutcome, SqlVerdict
from paretune.stats.intervals import accuracy_interval
from paretune.text.explorer import class_label
from paretune.text.language import Language, Translator, number, translator
from paretune.text.sql import in_portuguese

_LEVELS = ("easy", "medium", "hard", "extra", "unknown")
_WIDTH = 36
_MOST_REASONS = 8


def score_summary(verdicts: Sequence[SqlVerdict], header: Mapping[str, Any], language: Language) -> str:
    """Accuracies with 95 % intervals clustered by database, outcomes, and what they rest on.

    Questions whose gold query fails are counted but are in no accuracy. header: as written to the output file. Raises
    EmptySample when no question is left.
    """
    say = translator(language)
    judged = [verdict for verdict in verdicts if verdict.outcome != SqlOutcome.GOLD_FAILED]
    if not judged:
        raise EmptySample(f"all {len(verdicts)} gold queries fail: there is nothing to sum up; look at their errors")
    lines = [_scope(verdicts, header, say), ""]
    lines.append(_accuracy(say("execution accuracy"), [(v, v.execution_match) for v in judged], language))
    for level in _LEVELS:
        of_level = [(verdict, verdict.execution_match) for verdict in judged if verdict.hardness == level]
        if of_level:
            lines.append(_accuracy(f"  {say(level)}", of_level, language))
    lines += _other_accuracies(judged, header, language)
    lines += ["", f"{say('confidence intervals')}: 95 %, {say('clustered by database')}", ""]
    lines += _counts(verdicts, say)
    lines += _reasons(judged, language)
    lines += ["", f"SQLite {header['sqlite']}, paretune {header['paretune']}, {say('rules')}: {header['rules']}"]
    lines += [f"sha256 {say(name)}: {value}" for name, value in header["sha256"].items()]
    return "\n".join(lines)


def _scope(verdicts: Sequence[SqlVerdict], header: Mapping[str, Any], say: Translator) -> str:
    """Which questions were scored."""
    total = header["questions_in_split"]
    text = f"{header['split']}: {len(verdicts)} / {total} {say('questions')}"
    if len(verdicts) == total:
        return text
    first = [verdict.index for verdict in verdicts] == list(range(len(verdicts)))
    return f"{text} ({say('only the first of the split were scored') if first else say('only a part was scored')})"


def _other_accuracies(judged: list[SqlVerdict], header: Mapping[str, Any], language: Language) -> list[str]:
    """Test-suite accuracy and exact set match, each over the questions for which it is known."""
    say = translator(language)
    lines = []
    suite = [(verdict, bool(verdict.test_suite_match)) for verdict in judged if verdict.test_suite_match is not None]
    if suite:
        lines.append(_accuracy(say("test-suite accuracy"), suite, language))
    else:
        reason = say("the gold fails on the suite") if header["test_suite"] else say("one database per db_id: no suite")
        lines.append(f"{say('test-suite accuracy'):<{_WIDTH}} – ({reason})")
    exact = [(verdict, bool(verdict.exact_set_match)) for verdict in judged if verdict.exact_set_match is not None]
    if exact:
        lines.append(_accuracy(say("exact set match"), exact, language))
    return lines


def _accuracy(label: str, items: Sequence[tuple[SqlVerdict, bool]], language: Language) -> str:
    """One line: label, figure, interval, number of questions."""
    found = accuracy_interval([right for _, right in items], [verdict.db_id for verdict, _ in items])
    low, high = number(found.low, language), number(found.high, language)
    separator = "; " if language == "pt-BR" else ", "
    return f"{label:<{_WIDTH}} {number(found.estimate, language):>5} %  [{low}{separator}{high}]  n = {len(items)}"


def _reasons(judged: Sequence[SqlVerdict], language: Language) -> list[str]:
    """Why SQL was wrong: the commonest reasons, each with one question's own sentence."""
    say = translator(language)
    wrong = [verdict for verdict in judged if not verdict.execution_match and verdict.error_class]
    counts = Counter(str(verdict.error_class) for verdict in wrong)
    if not counts:
        return []
    lines = ["", say("why SQL was wrong, with an example each")]
    for error_class, count in counts.most_common(_MOST_REASONS):
        one = next(verdict for verdict in wrong if verdict.error_class == error_class)
        error = (one.error or "") if language == "en" else in_portuguese(one.error or "")
        label = f"  {class_label(error_class, language)}"
        lines.append(f"{label:<{_WIDTH}} {count:>5}   {one.index}: {error}".rstrip())
    return lines


def _counts(verdicts: Sequence[SqlVerdict], say: Translator) -> list[str]:
    """How many questions had each outcome, and how many matched because nothing was returned on either side."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    lines = [f"{say(outcome.value):<{_WIDTH}} {counts[outcome]:>5}" for outcome in SqlOutcome if counts[outcome]]
    empty = sum(verdict.both_empty for verdict in verdicts)
    return [*lines, f"{say('both results empty'):<{_WIDTH}} {empty:>5}"]
