"""Was the model shown what it needs, and are the questions new to it and to each other?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from paretune.choice.suites import SUITES
from paretune.findings import Finding
from paretune.run.load import AskedQuestion, Run, TrainingRow
from paretune.sql.spider import are_spiders
from paretune.tasks import Facets

MADE_HERE = ("demo", *(name for name, suite in SUITES.items() if suite.embedded is not None))


def data_findings(records: Run) -> Iterator[Finding]:
    """Templates in prompts, repeated and public questions."""
    test, train = records.questions, records.training_rows
    if test:
        yield from records.task.prompt_findings(test)
        yield from _repeats("target", [(row.cluster, _words(row.question)) for row in test])
    if test and train:
        yield from _templates(test, train, records.facets)
    if records.choice_questions:
        asked = [(row.suite, _words(row.question), *map(str, row.options)) for row in records.choice_questions]
        yield from _repeats("general", asked)
    yield from _public(records)


def _templates(test: Sequence[AskedQuestion], train: Sequence[TrainingRow], facets: Facets) -> Iterator[Finding]:
    """The constant text at the beginning and after the question must be the same."""
    asked = [row for row in test if row.prompt]
    taught = [row for row in train if row.prompt]
    if not asked or not taught:
        return
    where = []
    if _usual(map(_after_question, asked)) != _usual(map(_after_question, taught)):
        where.append("after the question")
    before, before_taught = (_common_start([row.prompt for row in rows]) for rows in (asked, taught))
    common = _common_start([before, before_taught])
    if len(common) < 0.5 * min(len(before), len(before_taught)):
        where.append(facets.sentences.get("before the question", "before the question"))
    if where:
        yield Finding("warning", "prompts-differ", {"where": ", ".join(where)})


def _common_start(texts: Sequence[str]) -> str:
    """The longest text that all begin with: that of the first and the last in order."""
    first, last = min(texts), max(texts)
    differing = (position for position, letter in enumerate(first) if letter != last[position : position + 1])
    return first[: next(differing, len(first))]


def _after_question(row: AskedQuestion | TrainingRow) -> str:
    return row.prompt.rpartition(row.question)[2] if row.question in row.prompt else ""


def _usual(texts: Iterator[str]) -> str:
    return Counter(texts).most_common(1)[0][0]


def _repeats(axis: str, questions: Sequence[tuple[object, ...]]) -> Iterator[Finding]:
    repeated = len(questions) - len(set(questions))
    if repeated:
        yield Finding("note", "test-repeats", {"axis": axis, "count": repeated, "questions": len(questions)})


def _public(records: Run) -> Iterator[Finding]:
    target = records.config.get("target") or {}
    kind = str(target.get("kind", ""))
    own = kind == "spider" and (target.get("name") or not are_spiders({row.cluster for row in records.questions}))
    named = [] if own else [kind]
    named += [str(item.get("kind", "")) for item in records.config.get("general") or []]
    public = [name for name in dict.fromkeys(named) if name and name not in MADE_HERE]
    if public:
        yield Finding("note", "public-test-set", {"benchmarks": ", ".join(public)})


def _words(text: object) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", str(text).lower()))
