"""What `choice` prints of answers that belong to no run folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from paretune.choice.decomposition import Decomposition, decompose
from paretune.errors import EmptySample
from paretune.records import ChoiceAnswer
from paretune.stats.clusters import subject_clusters
from paretune.stats.intervals import Interval, accuracy_interval, macro_interval
from paretune.text import Voice

_CHOICE_WIDTH = 44
_TITLES = {"letter": "by letter", "cloze": "by text of the answer, a byte", "generate": "by writing"}
Rule = Callable[[ChoiceAnswer], bool]


def choice_summary(answers: Sequence[ChoiceAnswer], *, chance: float, voice: Voice) -> str:
    """Accuracies of each variant and method with 95 % intervals, clustered as those of tables are: by subject, where
    there are enough.

    chance: share right by guessing, in [0, 1]. Answers of one suite; variants in order of first appearance, the first
    of them the baseline to which the decomposition compares. Raises EmptySample without answers.
    """
    if not answers:
        raise EmptySample("no questions were answered: there is nothing to sum up")
    say = voice.say
    lines: list[str] = []
    cells: dict[str, Decomposition] = {}
    for variant in dict.fromkeys(answer.variant for answer in answers):
        of_variant = [answer for answer in answers if answer.variant == variant]
        lines.append(f"{say('variant')}: {variant}")
        methods = {name: [answer for answer in of_variant if answer.method == name] for name in _TITLES}
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
    few = subject_clusters([answer.subject for answer in answers]) is None
    by = say("questions as independent: few subjects" if few else "clustered by subject")
    lines.append(f"{say('confidence intervals')}: 95 %, {by}")
    return "\n".join(lines)


def _method(title: str, answers: Sequence[ChoiceAnswer], rule: Rule, voice: Voice) -> list[str]:
    say = voice.say
    right = [rule(answer) for answer in answers]
    subjects = [answer.subject for answer in answers]
    interval = accuracy_interval(right, subject_clusters(subjects))
    lines = [f"  {title}", _figure(say("micro (all questions)"), interval, voice)]
    if len(set(subjects)) > 1:
        lines.append(_figure(say("macro (mean of subjects)"), macro_interval(right, subjects), voice))
    for label, field in (("category", "category"), ("subject", "subject")):
        names = list(dict.fromkeys(getattr(answer, field) for answer in answers))
        for name in names if len(names) > 1 else ():
            own = [answer for answer in answers if getattr(answer, field) == name]
            clusters = subject_clusters([answer.subject for answer in own])
            interval = accuracy_interval([rule(answer) for answer in own], clusters)
            lines.append(_figure(f"{say(label)} {name}", interval, voice))
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


def _figure(label: str, interval: Interval, voice: Voice) -> str:
    text = f"{voice.number(interval.estimate):>6} %  {voice.limits(interval.low, interval.high)}  n = {interval.n}"
    return f"    {label:<{_CHOICE_WIDTH}}{text}"


def _decomposition(decomposition: Decomposition, baseline: Decomposition, voice: Voice) -> list[str]:
    say = voice.say
    lines = [f"  {say('format and knowledge')}"]
    lines += [f"    {say(cell.value):<{_CHOICE_WIDTH}}{count:>6}" for cell, count in decomposition.counts().items()]
    if decomposition is not baseline:
        lines.append(f"  {say('moved from the baseline')}")
        moves = {
            pair: count for pair, count in decomposition.moves_from(baseline).items() if count and pair[0] != pair[1]
        }
        for (before, after), count in moves.items():
            label = f"{say(before.value)} -> {say(after.value)}"
            lines.append(f"    {label:<{_CHOICE_WIDTH}}{count:>6}")
    return lines
