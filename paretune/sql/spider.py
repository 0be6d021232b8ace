"""Text-to-SQL data in Spider's official layout: DIR/<split>.json and DIR/database/<db_id>/<db_id>.sqlite.

Yu et al. 2018, "Spider: A Large-Scale Human-Labeled Dataset for Complex and Cross-Domain Semantic Parsing and
Text-to-SQL Task". tables.json is not needed: schemas are read from the databases themselves.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.sql.database import check_database
from paretune.sql.dialects import database_file
from paretune.sql.records import SqlQuestion


def database_path(directory: Path, db_id: str) -> Path:
    """The file of one database: SQLite's, or what stands for another (sql/dialects)."""
    return database_file(database_folder(directory) / db_id, db_id)


def database_folder(directory: Path) -> Path:
    """The folder of the databases: database/, or dev_databases/ as BIRD calls it."""
    folders = [directory / name for name in ("database", "dev_databases")]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


# The files that hold the questions of Spider's variants, under Spider's layout and as published.
VARIANTS: dict[str, tuple[str, ...]] = {
    "spider-dk": ("spider-dk", "Spider-DK"),
    "spider-realistic": ("spider-realistic",),
    "spider-syn": ("spider-syn", "dev"),
}

# Kind "spider" names a layout; these are the databases of Spider's own test questions.
SPIDER_DATABASES = frozenset((
    "battle_death", "car_1", "concert_singer", "course_teach", "cre_Doc_Template_Mgt", "dog_kennels",
    "employee_hire_evaluation", "flight_2", "museum_visit", "network_1", "orchestra", "pets_1", "poker_player",
    "real_estate_properties", "singer", "student_transcripts_tracking", "tvshow", "voter_1", "world_1", "wta_1",
))  # fmt: skip


def are_spiders(databases: Collection[str]) -> bool:
    """Whether these are databases of Spider's own test questions, and not of other data in its layout."""
    return not SPIDER_DATABASES.isdisjoint(databases)


def data_name(target: Mapping[str, Any], databases: Collection[str]) -> str:
    """What a reader is told that a target's data are: their name, else the kind; the folder of data that have nothing
    of Spider but the layout.

    >>> data_name({"kind": "spider", "path": "data/shop"}, {"shop"}), data_name({"kind": "spider"}, {"world_1"})
    ('shop', 'spider')
    """
    kind, folder = str(target.get("kind", "")), Path(str(target.get("path") or "")).name
    if kind == "spider" and not are_spiders(databases):
        kind = folder or kind
    return str(target.get("name") or kind)


def split_of_kind(directory: Path, kind: str, split: str) -> str:
    """The split to read for a target of that kind: a variant's own file, else the split that is named."""
    names = (split, "mini_dev_sqlite") if kind == "bird" else VARIANTS.get(kind, ())
    return next((name for name in names if (directory / f"{name}.json").is_file()), names[0] if names else split)


def read_questions(directory: Path, split: str) -> list[SqlQuestion]:
    """The questions of DIR/<split>.json in file order; no database is looked at.

    Raises DataError naming file and line for a missing, broken or empty file and an entry without db_id, question or
    query.
    """
    return [question for question, _ in _located(directory, split)]


def read_split(directory: Path, split: str, exclude_databases: Collection[str] = ()) -> list[SqlQuestion]:
    """The same for questions that are to be answered: every db_id must have a database that can be relied on.

    exclude_databases: the questions on these are left out. Raises DataError besides for a database that check_database
    refuses, and when nothing is left.
    """
    questions = []
    checked: set[str] = set()
    for question, where in _located(directory, split):
        if question.db_id in exclude_databases:
            continue
        if question.db_id not in checked:
            _check_database(directory, question.db_id, where)
            checked.add(question.db_id)
        questions.append(question)
    if not questions:
        raise DataError(f"{directory / split}.json: no questions left after exclude_databases")
    return questions


def _located(directory: Path, split: str) -> list[tuple[SqlQuestion, str]]:
    """Each question with its place in the file, for messages."""
    path = directory / f"{split}.json"
    if not directory.is_dir():
        raise DataError(f"{directory}: no such directory; expected Spider's layout ({split}.json, database/)")
    paths = []
    for index, (entry, line) in enumerate(_entries(path)):
        where = f"{path}, line {line} (entry {index})"
        db_id, question, query = (_text(entry, keys, where) for keys in _KEYS)
        evidence, level = (_said(entry, key, where) for key in ("evidence", "difficulty"))
        paths.append((SqlQuestion(index, db_id, question, query, evidence or "", level), where))
    if not paths:
        raise DataError(f"{path}: no questions")
    return paths


def take(
    questions: Sequence[SqlQuestion], limit: int | None, selection: str, seed: int, strata: Sequence[str]
) -> list[SqlQuestion]:
    """At most `limit` questions, in file order.

    selection "first": the first ones. "stratified": a seeded draw in which every stratum (one label per question)
    keeps about its share, every question has the same chance, and a larger limit contains the smaller one.
    """
    if limit is None or limit >= len(questions):
        return list(questions)
    if selection == "first":
        return list(questions[:limit])
    generator = random.Random(seed)
    places: list[tuple[float, float, int]] = []
    for stratum in sorted(set(strata)):
        members = [position for position, label in enumerate(strata) if label == stratum]
        generator.shuffle(members)
        offset = generator.random()
        places.extend(((rank + offset) / len(members), offset, position) for rank, position in enumerate(members))
    chosen = sorted(position for _, _, position in sorted(places)[:limit])
    return [questions[position] for position in chosen]


def _entries(path: Path) -> list[tuple[object, int]]:
    """The elements of a JSON array with the line on which each begins."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    decoder = json.JSONDecoder()
    entries: list[tuple[object, int]] = []
    position, line, counted = _skip(text, 0), 1, 0
    if text[position : position + 1] != "[":
        raise DataError(f"{path}, line 1: expected a JSON list of questions")
    position = _skip(text, position + 1)
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            entry, position = decoder.raw_decode(text, position)
        except ValueError as error:
            raise DataError(f"{path}, line {line} (entry {len(entries)}): not JSON: {error}") from error
        entries.append((entry, line))
        position = _skip(text, position)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif text[position : position + 1] != "]":
            raise DataError(f"{path}, line {line} (entry {len(entries) - 1}): the list breaks off after this entry")
    end = _skip(text, position + 1)
    if end < len(text):
        line = text.count("\n", 0, end) + 1
        raise DataError(f"{path}, line {line}: expected nothing after the list of questions")
    return entries


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


# Of db_id, question and reference, the likeliest last: Spider-Syn keeps Spider's own wording beside its own, and BIRD
# calls the reference SQL, a copy of Mini-Dev gold_sql.
_KEYS = (("db_id",), ("SpiderSynQuestion", "question"), ("SQL", "gold_sql", "query"))


def _text(entry: object, keys: Sequence[str], where: str) -> str:
    given = entry if isinstance(entry, dict) else {}
    key = next((key for key in keys if key in given), keys[-1])
    value = given.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: expected a text under {key!r}, found {value!r}")
    return value


def _said(entry: object, key: str, where: str) -> str | None:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str | None):
        raise DataError(f"{where}: expected a text under {key!r}, found {value!r}")
    return value


def _check_database(directory: Path, db_id: str, where: str) -> None:
    try:
        check_database(database_path(directory, db_id))
    except DataError as error:
        raise DataError(f"{where}: db_id {db_id!r}: {error}; exclude it with target.exclude_databases") from error
