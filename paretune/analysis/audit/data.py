"""Do training and test share what they must not, and was the model shown what it needs?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from paretune.analysis.audit.findings import Figures, Finding, RunRecords, examples, percent
from paretune.run.jsonl import Record

NEAR = 0.9  # of the words of two questions on one database
SHORTEST_SHOT = 20  # characters of a question that is looked for in other prompts
DEFINITION = re.compile(r"create\s+table|\b\w+\s*\(\s*\w+[^()]*,\s*\w+[^()]*\)", re.IGNORECASE)
TABLE = re.compile(r"\b(?:from|join)\s+[\"'`\[]?(\w+)", re.IGNORECASE)
MADE_HERE = ("demo", "demo-pt")


def data_findings(records: RunRecords) -> Iterator[Finding]:
    """Leaks between training and test, schemas and templates in prompts, repeated and public questions."""
    test, train = records.sql.records, records.train.records
    if test:
        yield from _no_schema(test)
        yield from _shots(test)
        yield from _repeats("target", [(row.get("db_id"), _words(row["question"])) for row in test])
    if test and train:
        yield from _overlaps(test, train)
        yield from _templates(test, train)
    if records.choice.records:
        asked = [
            (row.get("suite"), _words(row["question"]), *map(str, row["options"])) for row in records.choice.records
        ]
        yield from _repeats("general", asked)
    yield from _public(records)


def _no_schema(test: Sequence[Record]) -> Iterator[Finding]:
    prompts = [row for row in test if row.get("prompt")]
    blind = sum(not _shows_schema(row) for row in prompts)
    if prompts and percent(blind, len(prompts)) > 5:
        figures: Figures = {"share": percent(blind, len(prompts)), "questions": len(prompts)}
        yield Finding("invalid", "no-schema", figures)


def _shows_schema(row: Record) -> bool:
    around = str(row["prompt"]).replace(str(row["question"]), " ")
    needed = {name.lower() for name in TABLE.findall(str(row.get("gold", "")))}
    return bool(DEFINITION.search(around)) or bool(needed & set(re.findall(r"\w+", around.lower())))


def _shots(test: Sequence[Record]) -> Iterator[Finding]:
    """Test questions inside the prompts of others. Examples are the same in all prompts, so a few tell."""
    looked_at = [row for row in (test[0], test[len(test) // 2], test[-1]) if row.get("prompt")]
    leaked = []
    for position, row in enumerate(test):
        question = str(row["question"]).strip()
        if len(question) < SHORTEST_SHOT:
            continue
        others = [other for other in looked_at if str(other["question"]).strip() != question]
        if any(question in str(other["prompt"]) for other in others):
            leaked.append(int(row.get("index", position)))
    if leaked:
        figures: Figures = {"count": len(leaked), "questions": len(test), "examples": examples(leaked)}
        yield Finding("invalid", "shots-in-test", figures)


def _overlaps(test: Sequence[Record], train: Sequence[Record]) -> Iterator[Finding]:
    databases = {str(row["db_id"]) for row in test}
    shared = databases & {str(row["db_id"]) for row in train}
    if shared:
        figures: Figures = {"count": len(shared), "databases": len(databases), "examples": examples(list(shared))}
        yield Finding("warning", "databases-overlap", figures)
    seen = {(row["db_id"], _words(row["question"])) for row in train}
    exact, near = [], []
    by_database: dict[str, list[Counter[str]]] = {}
    for db_id, words in seen:
        by_database.setdefault(str(db_id), []).append(Counter(words))
    for position, row in enumerate(test):
        words, index = _words(row["question"]), int(row.get("index", position))
        if (row["db_id"], words) in seen:
            exact.append(index)
        elif any(_likeness(Counter(words), other) >= NEAR for other in by_database.get(str(row["db_id"]), [])):
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


def _templates(test: Sequence[Record], train: Sequence[Record]) -> Iterator[Finding]:
    """The constant text before the schema and after the question must be the same."""
    asked = [row for row in test if row.get("prompt")]
    taught = [row for row in train if row.get("prompt")]
    if not asked or not taught:
        return
    where = []
    if _usual(map(_after_question, asked)) != _usual(map(_after_question, taught)):
        where.append("after the question")
    before, before_taught = (_common_start([str(row["prompt"]) for row in rows]) for rows in (asked, taught))
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


def _after_question(row: Record) -> str:
    prompt, question = str(row["prompt"]), str(row["question"])
    return prompt.rpartition(question)[2] if question in prompt else ""


def _usual(texts: Iterator[str]) -> str:
    return Counter(texts).most_common(1)[0][0]


def _repeats(axis: str, questions: Sequence[tuple[object, ...]]) -> Iterator[Finding]:
    repeated = len(questions) - len(set(questions))
    if repeated:
        yield Finding("note", "test-repeats", {"axis": axis, "count": repeated, "questions": len(questions)})


def _public(records: RunRecords) -> Iterator[Finding]:
    config = records.config
    named = [str((config.get("target") or {}).get("kind", ""))]
    named += [str(item.get("kind", "")) for item in config.get("general") or []]
    public = [name for name in dict.fromkeys(named) if name and name not in MADE_HERE]
    if public:
        yield Finding("note", "public-test-set", {"benchmarks": ", ".join(public)})


def _words(text: object) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", str(text).lower()))
