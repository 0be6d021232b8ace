"""Does anything that is tested stand in what the model was shown: in prompts, or in training rows under other words?

Looked for by meaning as far as records allow: names of databases do not count, only what their schemas say; of
questions the words that carry content; of queries their tokens.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from paretune.findings import Figures, Finding, examples
from paretune.run.lines import AskedChoice
from paretune.run.load import AskedQuestion, Run, TrainingRow
from paretune.tasks import Facets, Identity

NEAR = 0.9  # of all words of two questions on one database
NEAR_CONTENT = 0.75  # of their content words
SAME_SCHEMA = 0.8  # of the lines that two databases' prompts have
FEWEST_WORDS = 4  # of a question that is looked for in other prompts
SHORTEST_SHOT = 20  # characters
SHORTEST_REFERENCE = 20  # characters of a query without its spaces: shorter ones stand in a prompt by chance
FEW = 0.01  # of the test: what so many questions, asked of other databases in training, can be worth at most
FEWEST_TOKENS = 8  # of a query that two questions do not share by chance
_FUNCTION_WORDS = frozenset((
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "is", "are", "was",
    "were", "be", "been", "do", "does", "did", "have", "has", "had", "what", "which", "who", "whom", "whose", "where",
    "when", "how", "many", "much", "there", "that", "this", "these", "those", "it", "its", "their", "his", "her",
    "our", "your", "me", "us", "we", "i", "you", "give", "show", "list", "find", "return", "tell", "please", "all",
    "each", "every", "any", "some", "also", "as", "than", "then", "into", "about", "o", "os", "um", "uma", "de", "da",
    "das", "dos", "em", "no", "na", "nos", "nas", "por", "para", "com", "e", "ou", "é", "são", "foi", "foram", "ser",
    "que", "qual", "quais", "quem", "onde", "quando", "quantos", "quantas", "quanto", "há", "se", "seu", "sua",
    "seus", "suas", "mostre", "liste", "dê", "informe", "todos", "todas", "cada",
))  # fmt: skip
Row = AskedQuestion | TrainingRow


def leak_findings(run: Run) -> Iterator[Finding]:
    """Test questions and references in prompts, and in training rows."""
    test, train = run.questions, run.training_rows
    yield from _validation(run)
    if not test:
        return
    yield from _references_in_prompts(test)
    yield from _shots(test)
    if train:
        alike = same_clusters(test, train)
        yield from _clusters(test, train, alike, run.facets)
        yield from _rows(test, train, alike)


def _validation(run: Run) -> Iterator[Finding]:
    """Validation questions that are tested or trained on: what was chosen by them was chosen by the test, or flattered
    by what was learnt by heart."""
    asked = {_asked(row): row.id for row in run.validation}
    choices = {_chosen_from(row): row.id for row in run.validation_choices}
    tested: list[Identity] = [asked[mark] for row in run.questions if (mark := _asked(row)) in asked]
    tested += [choices[chosen] for row in run.choice_questions if (chosen := _chosen_from(row)) in choices]
    trained: list[Identity] = [asked[mark] for row in run.training_rows if (mark := _asked(row)) in asked]
    count = len(run.validation) + len(run.validation_choices)
    if tested:
        yield Finding("invalid", "validation-in-test", _figures(set(tested), count))
    if trained:
        yield Finding("warning", "validation-in-train", _figures(set(trained), count))


def _asked(row: Row) -> tuple[str, tuple[str, ...]]:
    return row.cluster, _words(row.question)


def _chosen_from(row: AskedChoice) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return row.suite, _words(row.question), row.options


def _references_in_prompts(test: Sequence[AskedQuestion]) -> Iterator[Finding]:
    leaked = [row.id for row in test if row.prompt and _holds(row.prompt, row.reference)]
    if leaked:
        yield Finding("invalid", "reference-in-prompt", _figures(leaked, len(test)))


def _holds(prompt: str, gold: str) -> bool:
    wanted = _squeezed(gold)
    return len(wanted) >= SHORTEST_REFERENCE and wanted in _squeezed(prompt)


def _shots(test: Sequence[AskedQuestion]) -> Iterator[Finding]:
    """Test questions that stand in the prompts of others, whichever these are."""
    wanted: dict[tuple[str, ...], list[tuple[tuple[str, ...], Identity]]] = defaultdict(list)
    for row in test:
        words = _words(row.question)
        if len(row.question.strip()) >= SHORTEST_SHOT and len(words) >= FEWEST_WORDS:
            wanted[words[:FEWEST_WORDS]].append((words, row.id))
    lines: set[str] = set()
    for row in test:
        lines.update(row.prompt.replace(row.question.strip(), " ").splitlines())
    questions = {row.question.strip() for row in test}
    leaked: set[Identity] = set()
    for line in lines:
        words = _words(line)
        for at in range(len(words) - FEWEST_WORDS + 1):
            for question, index in wanted.get(words[at : at + FEWEST_WORDS], ()):
                if words[at : at + len(question)] == question:
                    leaked.add(index)
    if leaked and questions:
        yield Finding("invalid", "shots-in-test", _figures(leaked, len(test)))


def same_clusters(test: Sequence[AskedQuestion], train: Sequence[TrainingRow]) -> dict[str, set[str]]:
    """For each test database or group the training ones that are the same: by name, or by what their prompts show."""
    shown_test, shown_train = _schemas(test), _schemas(train)
    clusters: dict[str, set[str]] = {}
    for name, lines in shown_test.items():
        clusters[name] = {
            other for other, other_lines in shown_train.items()
            if other == name or (len(lines) > 2 and _share(lines, other_lines) >= SAME_SCHEMA)
        }  # fmt: skip
    return clusters


def _schemas(rows: Sequence[Row]) -> dict[str, set[str]]:
    """By database, the lines that all of its prompts have: its schema, with what is around it."""
    shown: dict[str, set[str]] = {}
    for row in rows:
        lines = {line.strip().lower() for line in row.prompt.splitlines() if "(" in line or "," in line}
        shown[row.cluster] = shown[row.cluster] & lines if row.cluster in shown else lines
    return shown


def _clusters(
    test: Sequence[AskedQuestion], train: Sequence[TrainingRow], alike: Mapping[str, set[str]], facets: Facets
) -> Iterator[Finding]:
    clusters = {row.cluster for row in test}
    trained = {row.cluster for row in train}
    shared = clusters & trained
    if shared:
        figures: Figures = {"count": len(shared), "clusters": len(clusters), "examples": examples(list(shared))}
        yield Finding("warning", facets.sentences.get("groups-overlap", "groups-overlap"), figures)
    renamed = [f"{name} = {min(others)}" for name, others in alike.items() if others and name not in trained]
    if renamed:
        figures = {"count": len(renamed), "clusters": len(clusters), "examples": examples(renamed)}
        yield Finding("warning", "groups-renamed", figures)


def _rows(
    test: Sequence[AskedQuestion], train: Sequence[TrainingRow], alike: Mapping[str, set[str]]
) -> Iterator[Finding]:
    """Training rows that ask what is tested: word for word, in other words, or by the same query."""
    by_words: dict[tuple[str, ...], list[TrainingRow]] = defaultdict(list)
    by_query: dict[tuple[str, ...], list[TrainingRow]] = defaultdict(list)
    by_cluster: dict[str, list[TrainingRow]] = defaultdict(list)
    for row in train:
        by_words[_words(row.question)].append(row)
        by_query[_tokens(row.reference)].append(row)
        by_cluster[row.cluster].append(row)
    exact, elsewhere, near = [], [], []
    for asked in test:
        same = alike.get(asked.cluster, set())
        words, tokens = _words(asked.question), _tokens(asked.reference)
        if any(row.cluster in same for row in by_words.get(words, ())):
            exact.append(asked.id)
        elif any(_tokens(row.reference) == tokens for row in by_words.get(words, ())):
            elsewhere.append(asked.id)
        elif _is_taught(asked, same, by_query.get(tokens, ()), [row for name in same for row in by_cluster[name]]):
            near.append(asked.id)
    if len(elsewhere) > FEW * len(test):  # a renamed copy, say
        exact, elsewhere = exact + elsewhere, []
    if exact:
        yield Finding("invalid", "train-in-test", _figures(exact, len(test)))
    if elsewhere:
        points = round(100 * len(elsewhere) / len(test), 1)
        yield Finding("note", "train-elsewhere", {**_figures(elsewhere, len(test)), "points": points})
    if near:
        yield Finding("warning", "train-near-test", _figures(near, len(test)))


def _is_taught(
    asked: AskedQuestion, same: set[str], same_query: Sequence[TrainingRow], neighbours: Sequence[TrainingRow]
) -> bool:
    """In other words: by the same query on the same database, by nearly the same words on it, or by the same query and
    mostly the same content words on one of another name."""
    if len(_tokens(asked.reference)) >= FEWEST_TOKENS and any(row.cluster in same for row in same_query):
        return True
    return any(_is_near(asked, row) for row in neighbours) or any(_is_paraphrase(asked, row) for row in same_query)


def _is_near(asked: AskedQuestion, row: TrainingRow) -> bool:
    one, other = set(_words(asked.question)), set(_words(row.question))
    if _share(one, other) >= NEAR:
        return True
    content, taught = _content(asked.question), _content(row.question)
    return len(content) > 1 and _share(content, taught) >= NEAR_CONTENT


def _is_paraphrase(asked: AskedQuestion, row: TrainingRow) -> bool:
    """The same query on a database of another name, asked with mostly the same content."""
    content = _content(asked.question)
    return len(content) > 1 and _share(content, _content(row.question)) >= NEAR_CONTENT


def _share(one: Iterable[str], other: Iterable[str]) -> float:
    one, other = set(one), set(other)
    return len(one & other) / len(one | other) if one | other else 0.0


@cache
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))


@cache
def _content(text: str) -> frozenset[str]:
    """The words that say what is asked, cut to their stems.

    >>> sorted(_content("How many singers do we have?"))
    ['sing']
    """
    return frozenset(_stem(word) for word in _words(text) if word not in _FUNCTION_WORDS)


def _stem(word: str) -> str:
    """A word without its commonest endings.

    >>> _stem("singers"), _stem("singing"), _stem("nomes")
    ('sing', 'sing', 'nom')
    """
    for ending in ("ings", "ing", "ers", "ies", "es", "er", "ed", "s", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@cache
def _tokens(query: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+|[^\w\s;]", query.lower()))


@cache
def _squeezed(text: str) -> str:
    return "".join(text.lower().split()).rstrip(";")


def _figures(ids: Iterable[Identity], questions: int) -> Figures:
    listed = list(ids)
    return {"count": len(listed), "questions": questions, "examples": examples(listed)}
