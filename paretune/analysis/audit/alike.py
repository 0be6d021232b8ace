"""Were the variants measured alike, and can the data show what they seem to show?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from paretune.config import BASELINE
from paretune.findings import Figures, Finding, Level
from paretune.records import ChoiceAnswer
from paretune.run.load import Run
from paretune.stats.clusters import sampling_units, subject_clusters
from paretune.stats.paired import PairedDifference, paired_difference
from paretune.tasks import Verdict

Line = Verdict | ChoiceAnswer
Lines = Mapping[str, Sequence[Line]]  # by variant
AXES = ("target", "general")
FEWEST_QUESTIONS = 30
FEWEST_TO_SPLIT = 40  # questions of an axis; of fewer nobody can set some aside to choose on
FEWEST_CLUSTERS = 5
ROUNDING = 0.05  # two clusters of nearly one size are two
# A folder made elsewhere may lack these and still be judged; every other problem makes its figures unusable.
NOT_WRITTEN = ("no-manifest", "no-file")


def comparison_findings(records: Run) -> Iterator[Finding]:
    """What a comparison refuses, lost lines, different prompts, and differences the data cannot show."""
    for problem in records.problems:
        level: Level = "warning" if problem.code in NOT_WRITTEN else "invalid"
        yield Finding(level, problem.code, problem.figures)
    for axis in AXES:
        answered = lines_of(records, axis)
        yield from _missing(axis, answered, _asked(records, axis))
        yield from _different_prompts(axis, answered)
        yield from _weak_differences(axis, _judged(answered, records.facets.void))


def lines_of(records: Run, axis: str) -> dict[str, Sequence[Line]]:
    """The verdicts of each variant that has any on the axis."""
    lines: dict[str, Sequence[Line]] = {}
    for variant in records.all_variants:
        verdicts: Sequence[Line] = variant.verdicts if axis == "target" else variant.choice
        if verdicts:
            lines[variant.name] = verdicts
    return lines


def _judged(answered: Lines, void: Sequence[str]) -> Lines:
    """Without the lines whose outcome says nothing of the answer."""
    return {name: [line for line in lines if line.outcome not in void] for name, lines in answered.items()}


def _asked(records: Run, axis: str) -> set[str]:
    if axis == "target":
        return {str(question.id) for question in records.questions}
    return {f"{question.suite}/{question.id}" for question in records.choice_questions}


def _key(line: Line) -> str:
    """What identifies a question among the lines of one variant."""
    return f"{line.suite}/{line.id}/{line.method}" if isinstance(line, ChoiceAnswer) else str(line.id)


def _question_of(line: Line) -> str:
    return f"{line.suite}/{line.id}" if isinstance(line, ChoiceAnswer) else str(line.id)


def _missing(axis: str, answered: Lines, asked: set[str]) -> Iterator[Finding]:
    everything = {_key(line) for lines in answered.values() for line in lines}
    for name, lines in answered.items():
        absent = len(everything - {_key(line) for line in lines})
        absent = max(absent, len(asked - {_question_of(line) for line in lines}))
        if absent:
            questions = max(len(everything), len(asked))
            figures: Figures = {"variant": name, "count": absent, "questions": questions, "axis": axis}
            yield Finding("invalid", "missing-answers", figures)


def _different_prompts(axis: str, answered: Lines) -> Iterator[Finding]:
    names = list(answered)
    if not names:
        return
    first = _prompt_tokens(answered[names[0]])
    for name in names[1:]:
        other = _prompt_tokens(answered[name])
        count = sum(first[key] != tokens for key, tokens in other.items() if key in first)
        if count:
            yield Finding("invalid", "different-prompts", {"variant": name, "count": count, "axis": axis})


def _prompt_tokens(lines: Sequence[Line]) -> dict[str, int]:
    return {_key(line): line.prompt_tokens for line in lines if isinstance(line, ChoiceAnswer)}


def _weak_differences(axis: str, answered: Lines) -> Iterator[Finding]:
    """Every variant against the baseline, where there is one, by the intervals that the tables have."""
    if not answered or next(iter(answered)) != BASELINE:
        return
    for benchmark, lines in _by_benchmark(axis, answered).items():
        base = lines.pop(BASELINE)
        yield from cluster_findings(benchmark, [_cluster(line) for line in base.values()])
        for name, other in lines.items():
            shared = [key for key in base if key in other]
            if len(shared) < 2:
                continue
            groups = [_cluster(base[key]) for key in shared]
            difference = paired_difference(
                [is_correct(base[key]) for key in shared],
                [is_correct(other[key]) for key in shared],
                sampling_units(groups, [getattr(base[key], "gold", None) for key in shared])
                if axis == "target"
                else subject_clusters(groups),
                generator=np.random.default_rng(0),
                replicates=1,
            )
            yield from weak_difference(name, benchmark, difference)


def cluster_findings(axis: str, labels: Sequence[str]) -> Iterator[Finding]:
    """Too few clusters to speak of others: by their number, or by their effective number N^2 / sum of squared sizes."""
    sizes = Counter(labels).values()
    effective = len(labels) ** 2 / sum(size**2 for size in sizes)
    figures: Figures = {"axis": axis, "questions": len(labels), "clusters": len(sizes)}
    if len(sizes) > 1 and effective < 2 - ROUNDING:
        largest = 100 * max(sizes) / len(labels)
        yield Finding("warning", "giant-cluster", {**figures, "effective": effective, "share": largest})
    elif effective < FEWEST_CLUSTERS:
        yield Finding("note", "few-clusters", figures)


def _by_benchmark(axis: str, answered: Lines) -> dict[str, dict[str, dict[str, Line]]]:
    """Lines by benchmark, variant and key, the baseline's benchmarks only: the axis itself or, where there are several
    suites or methods, each of them."""
    given: dict[tuple[str, str], dict[str, dict[str, Line]]] = {}
    for name, lines in answered.items():
        for line in lines:
            asked = (line.suite, line.method) if isinstance(line, ChoiceAnswer) else ("", "")
            given.setdefault(asked, {}).setdefault(name, {})[_key(line)] = line
    kept = {asked: lines for asked, lines in given.items() if BASELINE in lines}
    if len(kept) == 1:
        return dict.fromkeys([axis], *kept.values())
    return {f"{suite} ({method})": lines for (suite, method), lines in kept.items()}


def weak_difference(variant: str, axis: str, difference: PairedDifference) -> Iterator[Finding]:
    """A difference whose interval holds 0: a warning on fewer than 30 questions, else a note."""
    few = difference.n < FEWEST_QUESTIONS
    if 0 in difference.t or few:
        figures: Figures = {
            "variant": variant,
            "axis": axis,
            "difference": difference.difference,
            "low": difference.t.low,
            "high": difference.t.high,
            "questions": difference.n,
            "detectable": 100.0
            if difference.minimum_detectable_effect is None
            else difference.minimum_detectable_effect,
        }
        yield Finding("warning" if few else "note", "too-few-questions", figures)


def is_correct(line: Line) -> bool:
    """Whether a verdict counts as right."""
    return line.outcome == "correct"


def _cluster(line: Line) -> str:
    return line.subject if isinstance(line, ChoiceAnswer) else line.cluster
