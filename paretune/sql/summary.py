"""What `paretune score` prints of verdicts that belong to no run folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from paretune.errors import EmptySample
from paretune.sql.bird import WITHOUT_KNOWN_WRONG
from paretune.sql.levels import LEVELS
from paretune.sql.metrics import OF_RESULTS, OF_TEXTS
from paretune.sql.records import NOT_JUDGED, SqlOutcome, SqlVerdict
from paretune.stats.intervals import accuracy_interval
from paretune.text import Voice
from paretune.text.sql import why_wrong

_WIDTH = 36
_MOST_REASONS = 8


def score_summary(verdicts: Sequence[SqlVerdict], header: Mapping[str, Any], voice: Voice) -> str:
    """Accuracies with 95 % intervals clustered by database, outcomes, and what they rest on.

    Questions whose reference fails are counted but are in no accuracy. header: as written to the output file. Raises
    EmptySample when no question is left.
    """
    say = voice.say
    judged = [verdict for verdict in verdicts if verdict.outcome not in NOT_JUDGED]
    if not judged:
        raise EmptySample(f"all {len(verdicts)} references fail: there is nothing to sum up; look at their errors")
    lines = [_scope(verdicts, header, voice), ""]
    lines.append(_accuracy(say("execution accuracy"), [(v, v.execution_match) for v in judged], voice))
    for level in (*(level for way in LEVELS.values() for level in way.levels), "unknown"):
        of_level = [(verdict, verdict.execution_match) for verdict in judged if verdict.hardness == level]
        if of_level:
            lines.append(_accuracy(f"  {say(level)}", of_level, voice))
    lines += _other_accuracies(judged, header, voice)
    several = len({verdict.db_id for verdict in judged}) > 1
    basis = say("clustered by database") if several else say("questions as independent: one database")
    lines += ["", f"{say('confidence intervals')}: 95 %, {basis}", ""]
    lines += _counts(verdicts, voice)
    lines += _doubts(verdicts, voice)
    lines += _reasons(judged, voice)
    lines += ["", f"SQLite {header['sqlite']}, paretune {header['paretune']}, {say('rules')}: {_rules(header, voice)}"]
    for name, value in header["sha256"].items():
        lines.append(f"sha256 {say('references' if name == 'gold' else name)}: {value}")
    return "\n".join(lines)


def _rules(header: Mapping[str, Any], voice: Voice) -> str:
    """The rules, and what else decides when two results are the same."""
    said = [str(header["rules"])]
    said += [voice.say("DISTINCT kept")] if header.get("keep_distinct") else []
    said += [voice.say("texts run as written")] if header.get("as_written") else []
    return ", ".join(said)


def _scope(verdicts: Sequence[SqlVerdict], header: Mapping[str, Any], voice: Voice) -> str:
    """Which questions were scored."""
    say = voice.say
    total = header["questions_in_split"]
    text = f"{header['split']}: {len(verdicts)} / {total} {say('questions')}"
    if len(verdicts) == total:
        return text
    first = [verdict.index for verdict in verdicts] == list(range(len(verdicts)))
    return f"{text} ({say('only the first of the split were scored') if first else say('only a part was scored')})"


def _other_accuracies(judged: list[SqlVerdict], header: Mapping[str, Any], voice: Voice) -> list[str]:
    """Test-suite accuracy and the registered metrics, each over the questions for which it is known."""
    say = voice.say
    lines = []
    suite = [(verdict, bool(verdict.test_suite_match)) for verdict in judged if verdict.test_suite_match is not None]
    if suite:
        lines.append(_accuracy(say("test-suite accuracy"), suite, voice))
    else:
        reason = (
            say("the reference fails on the suite") if header["test_suite"] else say("one database per db_id: no suite")
        )
        lines.append(f"{say('test-suite accuracy'):<{_WIDTH}} – ({reason})")
    for name, metric in OF_TEXTS.items():
        known = [(verdict, bool(value)) for verdict in judged if (value := getattr(verdict, name)) is not None]
        if known:
            lines.append(_accuracy(say(metric.name), known, voice))
    for name, metric in OF_RESULTS.items():
        values = [float(value) for verdict in judged if (value := getattr(verdict, name)) is not None]
        if len(values) == len(judged):
            mean = voice.number(100 * sum(values) / len(values))
            lines.append(f"{say(metric.name):<{_WIDTH}} {mean:>5} %  n = {len(values)}")
    sound = [(verdict, verdict.execution_match) for verdict in judged if not verdict.known_wrong]
    if 0 < len(sound) < len(judged):
        lines.append(_accuracy(say(WITHOUT_KNOWN_WRONG), sound, voice))
    return lines


def _accuracy(label: str, items: Sequence[tuple[SqlVerdict, bool]], voice: Voice) -> str:
    """One line: label, figure, interval, number of questions."""
    interval = accuracy_interval([right for _, right in items], [verdict.db_id for verdict, _ in items])
    limits = voice.limits(interval.low, interval.high)
    return f"{label:<{_WIDTH}} {voice.number(interval.estimate):>5} %  {limits}  n = {len(items)}"


def _reasons(judged: Sequence[SqlVerdict], voice: Voice) -> list[str]:
    """Why SQL was wrong: the commonest reasons, each with one question's own sentence."""
    say = voice.say
    wrong = [verdict for verdict in judged if not verdict.execution_match and verdict.error_class]
    counts = Counter(str(verdict.error_class) for verdict in wrong)
    if not counts:
        return []
    lines = ["", say("why SQL was wrong, with an example each")]
    for error_class, count in counts.most_common(_MOST_REASONS):
        one = next(verdict for verdict in wrong if verdict.error_class == error_class)
        error = why_wrong(voice, one.error, one.error_code, one.error_fields)
        label = voice.label(error_class, "class", "outcome")
        lines.append(f"{f'  {label}':<{_WIDTH}} {count:>5}   {one.index}: {error}".rstrip())
    return lines


def _doubts(verdicts: Sequence[SqlVerdict], voice: Voice) -> list[str]:
    """References whose results cannot be relied on, with the positions of some."""
    lines = []
    for doubt, count in Counter(verdict.gold_doubt for verdict in verdicts if verdict.gold_doubt).items():
        named = [str(verdict.index) for verdict in verdicts if verdict.gold_doubt == doubt][:_MOST_REASONS]
        positions = ", ".join(named) + (", ..." if count > len(named) else "")
        lines.append(f"{voice.say(str(doubt))}: {count} ({positions})")
    return ["", *lines] if lines else []


def _counts(verdicts: Sequence[SqlVerdict], voice: Voice) -> list[str]:
    """How many questions had each outcome, and how many matched because nothing was returned on either side."""
    say = voice.say
    counts = Counter(verdict.outcome for verdict in verdicts)
    lines = [
        f"{voice.label(outcome.value, 'outcome'):<{_WIDTH}} {counts[outcome]:>5}"
        for outcome in SqlOutcome
        if counts[outcome]
    ]
    empty = sum(verdict.both_empty for verdict in verdicts)
    return [*lines, f"{say('both results empty'):<{_WIDTH}} {empty:>5}"]
