"""What `score` and `choice` print of verdicts that belong to no run folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from paretune.choice.decomposition import Decomposition, decompose
from paretune.errors import EmptySample
from paretune.records import ChoiceAnswer, SqlOutcome, SqlVerdict
from paretune.stats.intervals import Interval, accuracy_interval, macro_interval
from paretune.text import Voice
from paretune.text.sql import why_wrong

_LEVELS = ("easy", "medium", "hard", "extra", "unknown")
_WIDTH = 36
_MOST_REASONS = 8


def score_summary(verdicts: Sequence[SqlVerdict], header: Mapping[str, Any], voice: Voice) -> str:
    """Accuracies with 95 % intervals clustered by database, outcomes, and what they rest on.

    Questions whose gold query fails are counted but are in no accuracy. header: as written to the output file. Raises
    EmptySample when no question is left.
    """
    say = voice.say
    judged = [verdict for verdict in verdicts if verdict.outcome != SqlOutcome.GOLD_FAILED]
    if not judged:
        raise EmptySample(f"all {len(verdicts)} gold queries fail: there is nothing to sum up; look at their errors")
    lines = [_scope(verdicts, header, voice), ""]
    lines.append(_accuracy(say("execution accuracy"), [(v, v.execution_match) for v in judged], voice))
    for level in _LEVELS:
        of_level = [(verdict, verdict.execution_match) for verdict in judged if verdict.hardness == level]
        if of_level:
            lines.append(_accuracy(f"  {say(level)}", of_level, voice))
    lines += _other_accuracies(judged, header, voice)
    several = len({verdict.db_id for verdict in judged}) > 1
    basis = say("clustered by database") if several else say("questions as independent: one database")
    lines += ["", f"{say('confidence intervals')}: 95 %, {basis}", ""]
    lines += _counts(verdicts, voice)
    lines += _reasons(judged, voice)
    lines += ["", f"SQLite {header['sqlite']}, paretune {header['paretune']}, {say('rules')}: {header['rules']}"]
    lines += [f"sha256 {say(name)}: {value}" for name, value in header["sha256"].items()]
    return "\n".join(lines)


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
    """Test-suite accuracy and exact set match, each over the questions for which it is known."""
    say = voice.say
    lines = []
    suite = [(verdict, bool(verdict.test_suite_match)) for verdict in judged if verdict.test_suite_match is not None]
    if suite:
        lines.append(_accuracy(say("test-suite accuracy"), suite, voice))
    else:
        reason = say("the gold fails on the suite") if header["test_suite"] else say("one database per db_id: no suite")
        lines.append(f"{say('test-suite accuracy'):<{_WIDTH}} – ({reason})")
    exact = [(verdict, bool(verdict.exact_set_match)) for verdict in judged if verdict.exact_set_match is not None]
    if exact:
        lines.append(_accuracy(say("exact set match"), exact, voice))
    return lines


def _accuracy(label: str, items: Sequence[tuple[SqlVerdict, bool]], voice: Voice) -> str:
    """One line: label, figure, interval, number of questions."""
    found = accuracy_interval([right for _, right in items], [verdict.db_id for verdict, _ in items])
    limits = voice.limits(found.low, found.high)
    return f"{label:<{_WIDTH}} {voice.number(found.estimate):>5} %  {limits}  n = {len(items)}"


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


def _counts(verdicts: Sequence[SqlVerdict], voice: Voice) -> list[str]:
    """How many questions had each outcome, and how many matched because nothing was returned on either side."""
    say = voice.say
    counts = Counter(verdict.outcome for verdict in verdicts)
    lines = [f"{say(outcome.value):<{_WIDTH}} {counts[outcome]:>5}" for outcome in SqlOutcome if counts[outcome]]
    empty = sum(verdict.both_empty for verdict in verdicts)
    return [*lines, f"{say('both results empty'):<{_WIDTH}} {empty:>5}"]


_CHOICE_WIDTH = 44
_TITLES = {"letter": "by letter", "cloze": "by text of the answer, a byte", "generate": "by writing"}
Rule = Callable[[ChoiceAnswer], bool]


def choice_summary(answers: Sequence[ChoiceAnswer], *, chance: float, voice: Voice) -> str:
    """Accuracies of each variant and method with 95 % intervals clustered by subject.

    chance: share right by guessing, in [0, 1]. Answers of one suite; variants in order of first appearance, the first
    of them the baseline to which the decomposition compares. Raises EmptySample without answers.
    """
    if not answers:
        raise EmptySample("no questions were answered: there is nothing to sum up")
    say = voice.say
    lines: list[str] = []
    cells: dict[str, Decomposition] = {}
    for variant in dict.fromkeys(answer.variant for answer in answers):
        own = [answer for answer in answers if answer.variant == variant]
        lines.append(f"{say('variant')}: {variant}")
        methods = {name: [answer for answer in own if answer.method == name] for name in _TITLES}
        for name, group in methods.items():
            if group:
                lines += _method(say(_TITLES[name]), group, lambda answer: answer.correct, voice)
            if group and name == "cloze":
                lines += _method(
                    say("by text of the answer, raw"), group, lambda answer: bool(answer.correct_raw), voice
                )
        if methods["letter"] and methods["generate"]:
            cells[variant] = decompose(methods["letter"], methods["generate"])
            lines += _decomposition(cells[variant], next(iter(cells.values())), voice)
        lines.append("")
    lines.append(f"{say('chance level')}: {voice.number(100 * chance)} %")
    lines.append(f"{say('confidence intervals')}: 95 %, {say('clustered by subject')}")
    return "\n".join(lines)


def _method(title: str, answers: Sequence[ChoiceAnswer], rule: Rule, voice: Voice) -> list[str]:
    say = voice.say
    right = [rule(answer) for answer in answers]
    subjects = [answer.subject for answer in answers]
    lines = [f"  {title}", _figure(say("micro (all questions)"), accuracy_interval(right, subjects), voice)]
    if len(set(subjects)) > 1:
        lines.append(_figure(say("macro (mean of subjects)"), macro_interval(right, subjects), voice))
    for label, field in (("category", "category"), ("subject", "subject")):
        names = list(dict.fromkeys(getattr(answer, field) for answer in answers))
        for name in names if len(names) > 1 else ():
            own = [answer for answer in answers if getattr(answer, field) == name]
            found = accuracy_interval([rule(answer) for answer in own], [answer.subject for answer in own])
            lines.append(_figure(f"{say(label)} {name}", found, voice))
    masses = [answer.letter_mass for answer in answers if answer.letter_mass is not None]
    if masses:
        few = sum(mass < 0.5 for mass in masses)
        text = say("questions whose letters hold under half of the probability")
        lines.append(f"    {text}: {few} / {len(masses)}")
    silent = sum(answer.outcome == "no_answer" for answer in answers)
    if silent:
        lines.append(f"    {say('written answers without a letter')}: {silent} / {len(answers)}")
    failed = sum(answer.outcome == "failed" for answer in answers)
    if failed:
        lines.append(f"    {say('failed')}: {failed} / {len(answers)}")
    return lines


def _figure(label: str, found: Interval, voice: Voice) -> str:
    text = f"{voice.number(found.estimate):>6} %  {voice.limits(found.low, found.high)}  n = {found.n}"
    return f"    {label:<{_CHOICE_WIDTH}}{text}"


def _decomposition(found: Decomposition, baseline: Decomposition, voice: Voice) -> list[str]:
    say = voice.say
    lines = [f"  {say('format and knowledge')}"]
    lines += [f"    {say(cell.value):<{_CHOICE_WIDTH}}{count:>6}" for cell, count in found.counts().items()]
    if found is not baseline:
        lines.append(f"  {say('moved from the baseline')}")
        moves = {pair: count for pair, count in found.moves_from(baseline).items() if count and pair[0] != pair[1]}
        for (before, after), count in moves.items():
            label = f"{say(before.value)} -> {say(after.value)}"
            lines.append(f"    {label:<{_CHOICE_WIDTH}}{count:>6}")
    return lines
