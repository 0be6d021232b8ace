"""Do training and test share what they must not, and was the model shown what it needs?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from paretune.analysis.audit.findings import Figures, Finding, examples, percent
from paretune.run.load import AskedQuestion, Run, TrainingRow

NEAR = 0.9  # of the words of two questions on one database
SHORTEST_SHOT = 20  # characters of a question that is looked for in other prompts
DEFINITION = re.compile(r"create\s+table|\b\w+\s*\(\s*\w+[^()]*,\s*\w+[^()]*\)", re.IGNORECASE)
TABLE = re.compile(r"\b(?:from|join)\s+[\"'`\[]?(\w+)", re.IGNORECASE)
MADE_HERE = ("demo", "demo-pt")


def data_findings(records: Run) -> Iterator[Finding]:
    """Leaks between training and test, schemas and templates in prompts, repeated and public questions."""
    test, train = records.questions, records.training_rows
    if test:
        yield from _no_schema(test)
        yield from _shots(test)
        yield from _repeats("target", [(row.db_id, _words(row.question)) for row in test])
    if test and train:
        yield from _overlaps(test, train)
        yield from _templates(test, train)
    if records.choice_questions:
        asked = [(row.suite, _words(row.question), *map(str, row.options)) for row in records.choice_questions]
        yield from _repeats("general", asked)
    yield from _public(records)


def _no_schema(test: Sequence[AskedQuestion]) -> Iterator[Finding]:
    prompts = [row for row in test if row.prompt]
    blind = sum(not _shows_schema(row) for row in prompts)
    if prompts and percent(blind, len(prompts)) > 5:
        figures: Figures = {"share": percent(blind, len(prompts)), "questions": len(prompts)}
        yield Finding("invalid", "no-schema", figures)


def _shows_schema(row: AskedQuestion) -> bool:
    around = row.prompt.replace(row.question, " ")
    needed = {name.lower() for name in TABLE.findall(row.gold)}
    return bool(DEFINITION.search(around)) or bool(needed & set(re.findall(r"\w+", around.lower())))


def _shots(test: Sequence[AskedQuestion]) -> Iterator[Finding]:
    """Test questions inside the prompts of others. Examples are the same in all prompts, so a few tell."""
    looked_at = [row for row in (test[0], test[len(test) // 2], test[-1]) if row.prompt]
    leaked = []
    for row in test:
        question = row.question.strip()
        if len(question) < SHORTEST_SHOT:
            continue
        others = [other for other in looked_at if other.question.strip() != question]
        if any(question in other.prompt for other in others):
            leaked.append(row.index)
    if leaked:
        figures: Figures = {"count": len(leaked), "questions": len(test), "examples": examples(leaked)}
        yield Finding("invalid", "shots-in-test", figures)


def _overlaps(test: Sequence[AskedQuestion], train: Sequence[TrainingRow]) -> Iterator[Finding]:
    databases = {row.db_id for row in test}
    shared = databases & {row.db_id for row in train}
    if shared:
        figures: Figures = {"count": len(shared), "databases": len(databases), "examples": examples(list(shared))}
        yield Finding("warning", "databases-overlap", figures)
    seen = {(row.db_id, _words(row.question)) for row in train}
    exact, near = [], []
    by_database: dict[str, list[Counter[str]]] = {}
    for db_id, words in seen:
        by_database.setdefault(str(db_id), []).append(Counter(words))
    for row in test:
        words, index = _words(row.question), row.index
        if (row.db_id, words) in seen:
            exact.append(index)
        elif any(_likeness(Counter(words), other) >= NEAR for other in by_database.get(row.db_id, [])):
            near.append(index)
    if exact:
        figures = {"count": len(exact), "questions": len(test), "examples": examples(exact)}
        yield Finding("invalid", "train-in-test", figures)
    if near:
        figures = {"count": len(near), "questions": len(test), "examples": examples(near)}
        yield Finding("warning", "train-near-test", figures)


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    together = (one | other).total()
    return (one & other).total() / together if together else 0.0


def _templates(test: Sequence[AskedQuestion], train: Sequence[TrainingRow]) -> Iterator[Finding]:
    """The constant text before the schema and after the question must be the same."""
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
        where.append("before the schema")
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
    config = records.config
    target = config.get("target") or {}
    named = [] if target.get("name") else [str(target.get("kind", ""))]  # a name is given to data of one's own
    named += [str(item.get("kind", "")) for item in config.get("general") or []]
    public = [name for name in dict.fromkeys(named) if name and name not in MADE_HERE]
    if public:
        yield Finding("note", "public-test-set", {"benchmarks": ", ".join(public)})


def _words(text: object) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", str(text).lower()))
