"""From files of any nesting to the layout that the readers read: recognised by what is in them, not by where they lie.

An arrangement says which file, or which text made from one, goes where below the benchmark's folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.files import file_sha256
from paretune.sources.known import KnownData

_LARGEST_JSON_BYTES = 512 * 2**20
_QUERY_KEYS = ("query", "SQL", "gold_sql", "sql")
_QUESTION_KEYS = ("SpiderSynQuestion", "question")
_SPIDER_TRAINING = ("train_spider", "train_others")


@dataclass(frozen=True, slots=True)
class Reference:
    """A question's reference query, to be executed. where: split and place in it, for messages."""

    split: str
    index: int
    db_id: str
    query: str


@dataclass(slots=True)
class Arrangement:
    """files: what goes where, by path relative to the benchmark's folder. databases: those among them, by db_id.
    references: every reference query by split. notes: what a reader of the figures should know."""

    files: dict[str, Path | bytes] = field(default_factory=dict)
    databases: dict[str, Path] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def arrange(data: KnownData, root: Path) -> Arrangement:
    """Recognise a benchmark in a file or a folder of any nesting. Raises DataError saying what was looked for."""
    if data.layout == "suite":
        return _arrange_suite(data, root)
    arrangement = Arrangement()
    lists = list(_question_lists(root))
    if data.layout == "spider":
        _add_spider_splits(arrangement, data, lists, root)
    else:
        _add_converted_split(arrangement, data, lists, root)
    _add_databases(arrangement, root)
    _add_tables(arrangement, data, root)
    return arrangement


@dataclass(frozen=True, slots=True)
class _QuestionList:
    path: Path
    entries: tuple[Mapping[str, Any], ...]
    query_key: str
    question_key: str


def _question_lists(root: Path) -> Iterator[_QuestionList]:
    """Every JSON list of questions with a database and a query, shallow files first."""
    for path in _files(root, (".json",)):
        if path.stat().st_size > _LARGEST_JSON_BYTES:
            continue
        try:
            entries = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            continue
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            continue
        query_key = _common_key(entries, _QUERY_KEYS)
        question_key = _common_key(entries, _QUESTION_KEYS)
        if query_key and question_key and _common_key(entries, ("db_id",)):
            yield _QuestionList(path, tuple(entries), query_key, question_key)


def _common_key(entries: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> str | None:
    return next((key for key in keys if all(isinstance(entry.get(key), str) for entry in entries)), None)


def _add_spider_splits(arrangement: Arrangement, data: KnownData, lists: list[_QuestionList], root: Path) -> None:
    """dev and the training splits by their names, or by their sizes where a copy gives them other names."""
    for questions in lists:
        if questions.query_key != "query" or questions.question_key != "question":
            continue
        split = questions.path.stem
        if split not in (*data.questions, "test"):
            split = next((name for name, count in data.questions.items() if count == len(questions.entries)), "")
        if not split and len(questions.entries) == sum(data.questions[name] for name in _SPIDER_TRAINING):
            cut = data.questions["train_spider"]
            _add_split(arrangement, "train_spider", questions, questions.entries[:cut])
            _add_split(arrangement, "train_others", questions, questions.entries[cut:])
        elif split:
            _add_split(arrangement, split, questions)
    if "dev.json" not in arrangement.files:
        raise DataError(f"{root}: no dev.json of Spider in it: a JSON list of objects with db_id, question and query")
    for split, count in data.questions.items():
        _note_count(arrangement, split, sum(reference.split == split for reference in arrangement.references), count)
        source = arrangement.files.get(f"{split}.json")
        if isinstance(source, Path):
            arrangement.notes.append(_release(data, source))


def _add_converted_split(arrangement: Arrangement, data: KnownData, lists: list[_QuestionList], root: Path) -> None:
    """The one list of a benchmark that Spider's layout does not name: written as one, with its own further keys."""
    ((split, count),) = data.questions.items()
    fitting = [questions for questions in lists if len(questions.entries) == count]
    named = [questions for questions in fitting if "sqlite" in questions.path.stem] or fitting
    if data.name == "spider-syn":
        named = [questions for questions in named if questions.question_key == "SpiderSynQuestion"]
    if not named:
        sizes = ", ".join(f"{item.path.name} ({len(item.entries)})" for item in lists) or "none"
        raise DataError(f"{root}: no list of the {count} questions of {data.title} in it; lists of questions: {sizes}")
    chosen = named[0]
    _add_split(arrangement, split, chosen)
    entries = [
        {"db_id": entry["db_id"], "question": entry[chosen.question_key], "query": entry[chosen.query_key]}
        | {key: entry[key] for key in ("question_id", "evidence", "difficulty") if key in entry}
        for entry in chosen.entries
    ]
    arrangement.files[f"{split}.json"] = (json.dumps(entries, ensure_ascii=False, indent=1) + "\n").encode()
    if data.hashes:
        arrangement.notes.append(_release(data, chosen.path))


def _add_split(
    arrangement: Arrangement, split: str, questions: _QuestionList, entries: tuple[Mapping[str, Any], ...] | None = None
) -> None:
    name = f"{split}.json"
    if name in arrangement.files:
        return  # a shallower file has that name already
    whole = entries is None
    listed = questions.entries if entries is None else entries
    arrangement.files[name] = questions.path if whole else json.dumps(listed, ensure_ascii=False).encode()
    arrangement.references += [
        Reference(split, index, str(entry["db_id"]), str(entry[questions.query_key]))
        for index, entry in enumerate(listed)
    ]


def _add_databases(arrangement: Arrangement, root: Path) -> None:
    """NAME/NAME.sqlite wherever it lies; of two copies the one outside test_database, then the shallower."""
    for path in sorted(_files(root, (".sqlite",)), key=lambda path: "test_database" in path.parts):
        db_id = path.stem
        if path.parent.name == db_id and db_id not in arrangement.databases:
            arrangement.databases[db_id] = path
            arrangement.files[f"database/{db_id}/{db_id}.sqlite"] = path


def _add_tables(arrangement: Arrangement, data: KnownData, root: Path) -> None:
    if data.layout == "spider-split":
        return  # Spider's own tables.json stays; keys of further databases are read from the databases
    names = ("tables.json", "dev_tables.json")
    path = next((path for path in _files(root, (".json",)) if path.name in names), None)
    if path is not None:
        arrangement.files["tables.json"] = path


def _arrange_suite(data: KnownData, root: Path) -> Arrangement:
    """The files that the suites' own readers read, from the shallowest folder where they find them."""
    arrangement = Arrangement()
    refusals = []
    for kind, count in data.questions.items():
        try:
            folder, files, questions = _find_suite(kind, root)
        except DataError as error:
            refusals.append(str(error))
            continue
        _note_count(arrangement, kind, questions, count)
        arrangement.files |= {file.relative_to(folder).as_posix(): file for file in files}
    if not arrangement.files:
        raise DataError(f"{root}: no {data.title} in it: {'; '.join(refusals)}")
    arrangement.notes += refusals
    return arrangement


def _find_suite(kind: str, root: Path) -> tuple[Path, list[Path], int]:
    from paretune.choice.suites.load import load_suite

    refusal: DataError | None = None
    folders = [root] if root.is_file() else [root, *(path for path in _by_depth(root) if path.is_dir())]
    for folder in folders:
        try:
            suite = load_suite(kind, folder)
        except DataError as error:
            refusal = refusal or error
            continue
        top = folder.parent if folder.is_file() else folder
        return top, [top / name for name in suite.files], len(suite.questions)
    raise refusal or DataError(f"{root}: an empty folder")


def _note_count(arrangement: Arrangement, part: str, count: int, expected: int) -> None:
    if count != expected:
        arrangement.notes.append(f"{part}: {count} questions; the whole release has {expected}")


def _release(data: KnownData, path: Path) -> str:
    digest = file_sha256(path)
    known = data.hashes.get(digest)
    return known if known else f"{path.name} is no release known by its hash ({digest[:12]}...)"


def _files(root: Path, endings: tuple[str, ...]) -> list[Path]:
    paths = [root] if root.is_file() else _by_depth(root)
    return [path for path in paths if path.suffix.lower() in endings and path.is_file()]


def _by_depth(root: Path) -> list[Path]:
    """Everything below a folder, shallow paths first, without what begins with a dot."""
    below = (path for path in root.rglob("*") if not any(part.startswith(".") for part in path.relative_to(root).parts))
    return sorted(below, key=lambda path: (len(path.parts), path))
