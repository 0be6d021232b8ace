"""The embedded benchmark `demo`, laid out on disk as the official benchmarks are: the ordinary readers serve it.

Git holds text only: one SQL script and one file of question-query pairs a database, and one CSV file a subject and
split of the general questions. They become, at first use:

    spider/{train_spider,dev,tables}.json   spider/database/<db_id>/<db_id>.sqlite
    mmlu/{dev,test}/<subject>_{dev,test}.csv      mmlu/categories.json       English
    mmlu-pt/...                                                              Brazilian Portuguese
    build.json   the hash of the sources, and the bytes of every file

Equal sources give equal bytes (of the SQLite files: under one SQLite version).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.files import cache_directory

TRAINING = ("bakery", "gym", "bookshop", "farm", "hospital_ward", "film_club", "bus_lines", "museum")
EVALUATION = ("library_loans", "pet_clinic", "football_league", "coffee_roastery", "observatory", "music_school")
LANGUAGE_FOLDERS = {"en": "mmlu", "pt-BR": "mmlu-pt"}

_PAGE_BYTES = 4096
_MANIFEST = "build.json"
_SOURCE_SUFFIXES = (".sql", ".jsonl", ".csv", ".json", ".py")

Pair = dict[str, Any]


def demo_directory(cache: Path | None = None) -> Path:
    """The folder of the built benchmark, built now if it is not there.

    cache: the folder it is kept in, by default that of paretune.files. The name holds a hash of all sources, so another
    version of the benchmark is another folder. Raises DataError.
    """
    return build_demo((cache or cache_directory()) / f"demo-{_hash_of_sources()[:16]}")


def build_demo(directory: Path) -> Path:
    """Write the benchmark into the directory and return it; nothing is written where it is complete already.

    It is built beside the directory and renamed, so a reader sees all of it or nothing, and two processes may build
    at once. What a half-built or older directory lacks is put in place file by file, never taken away under a reader.
    Raises DataError where a source is broken or the directory cannot be written.
    """
    sources = _hash_of_sources()
    if _is_complete(directory, sources):
        return directory
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        try:
            _write_spider(temporary / "spider")
            for language, folder in LANGUAGE_FOLDERS.items():
                _copy_general(_sources() / "general" / language, temporary / folder)
            _write_manifest(temporary, sources)
            temporary.chmod(0o755)
            _put_in_place(temporary, directory)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{directory}: the demo cannot be built there ({error}); set PARETUNE_CACHE") from error
    return directory


def read_pairs(db_id: str) -> list[Pair]:
    """The question-query pairs of a database, in file order: db_id, question, query, hardness, empty."""
    path = _sources() / "questions" / f"{db_id}.jsonl"
    pairs: list[Pair] = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            pair = json.loads(line)
            pairs.append({"db_id": db_id, **{key: pair[key] for key in ("question", "query", "hardness", "empty")}})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: expected question, query, hardness, empty ({error!r})") from error
    return pairs


def _write_spider(folder: Path) -> None:
    schemas = []
    for db_id in (*TRAINING, *EVALUATION):
        database = folder / "database" / db_id / f"{db_id}.sqlite"
        database.parent.mkdir(parents=True)
        schemas.append(_build_database(db_id, database))
    _write_json(folder / "tables.json", schemas)
    for name, db_ids in (("train_spider.json", TRAINING), ("dev.json", EVALUATION)):
        _write_json(folder / name, [pair for db_id in db_ids for pair in read_pairs(db_id)])


def _build_database(db_id: str, database: Path) -> dict[str, Any]:
    """Run the SQL script into a new file; the entry of tables.json that describes it."""
    source = _sources() / "databases" / f"{db_id}.sql"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA encoding = 'UTF-8'")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        try:
            connection.executescript(f"BEGIN; {_text(source)}\nCOMMIT; VACUUM")
        except sqlite3.Error as error:
            raise DataError(f"{source}: {error}") from error
        violation = connection.execute("PRAGMA foreign_key_check").fetchone()
        if violation is not None:
            raise DataError(f"{source}: row {violation[1]} of {violation[0]} points at no row of {violation[2]}")
        return _describe(db_id, connection)


def _describe(db_id: str, connection: sqlite3.Connection) -> dict[str, Any]:
    """An open database in the format of Spider's tables.json."""
    listing = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    tables = [str(name) for (name,) in listing]
    columns: list[tuple[int, str]] = [(-1, "*")]
    types = ["text"]
    primary_keys: list[int] = []
    for number, table in enumerate(tables):
        for _, name, declared, _, _, key_position in connection.execute(f'PRAGMA table_info("{table}")'):
            if key_position:
                primary_keys.append(len(columns))
            columns.append((number, name))
            types.append(_spider_type(declared))
    place = {(number, name.lower()): index for index, (number, name) in enumerate(columns)}
    positions = {table.lower(): number for number, table in enumerate(tables)}
    foreign_keys: list[tuple[int, int]] = []
    for number, table in enumerate(tables):
        keys = connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
        for _, _, target, column, target_column, *_ in sorted(keys, key=lambda key: place[number, key[3].lower()]):
            target_place = place[positions[target.lower()], str(target_column).lower()]
            foreign_keys.append((place[number, column.lower()], target_place))
    return {
        "db_id": db_id,
        "table_names_original": tables,
        "table_names": [_spoken(table) for table in tables],
        "column_names_original": columns,
        "column_names": [(number, _spoken(name)) for number, name in columns],
        "column_types": types,
        "primary_keys": primary_keys,
        "foreign_keys": foreign_keys,
    }


def _spider_type(declared: str) -> str:
    """Spider's five column types, from the type that the table declares."""
    kind = declared.lower()
    for spider_type, marks in (
        ("text", ("char", "text")),
        ("number", ("int", "real", "numeric", "decimal", "double", "float")),
        ("time", ("date", "time", "year")),
        ("boolean", ("bool",)),
    ):
        if any(mark in kind for mark in marks):
            return spider_type
    return "others"


def _spoken(name: str) -> str:
    return name if name == "*" else name.replace("_", " ").lower()


def _copy_general(source: Traversable, folder: Path) -> None:
    """The general questions of one language: dev/ and test/ CSV files and categories.json."""
    for split in ("dev", "test"):
        files = [file for file in _listed(source / split) if file.name.endswith(f"_{split}.csv")]
        (folder / split).mkdir(parents=True)
        for file in files:
            (folder / split / file.name).write_bytes(file.read_bytes())
    (folder / "categories.json").write_bytes(_text(source / "categories.json").encode())


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_manifest(folder: Path, sources: str) -> None:
    files = {file.relative_to(folder).as_posix(): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    _write_json(folder / _MANIFEST, {"sources": sources, "files": dict(sorted(files.items()))})


def _read_manifest(directory: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((directory / _MANIFEST).read_text(encoding="utf-8"))
        return {"sources": str(manifest["sources"]), "files": dict(manifest["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"sources": "", "files": {}}


def _is_complete(directory: Path, sources: str) -> bool:
    """Whether the directory was built from these sources and still holds every file at its size."""
    manifest = _read_manifest(directory)
    if manifest["sources"] != sources:
        return False
    files = ((directory / name, size) for name, size in manifest["files"].items())
    return all(file.is_file() and file.stat().st_size == size for file, size in files)


def _put_in_place(built: Path, directory: Path) -> None:
    """Rename the built folder to the directory; into one that exists, rename its files, the manifest last."""
    try:
        built.rename(directory)
        return
    except OSError:
        if not directory.is_dir():
            raise
    stale = _read_manifest(directory)["files"]
    fresh = _read_manifest(built)["files"]
    for name in (*fresh, _MANIFEST):
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(built / name, target)
    for name in stale.keys() - fresh.keys():
        (directory / name).unlink(missing_ok=True)


def _sources() -> Traversable:
    return resources.files("paretune.demo")


def _text(path: Traversable) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: a source of the demo cannot be read ({error}); install paretune again") from error


def _listed(folder: Traversable) -> list[Traversable]:
    """The entries of a source folder by name, without caches and hidden files. Raises DataError where it is absent."""
    try:
        return sorted((f for f in folder.iterdir() if f.name[0] not in "._"), key=lambda file: file.name)
    except OSError as error:
        raise DataError(f"{folder}: a source of the demo is missing; install paretune again") from error


def _hash_of_sources() -> str:
    """SHA-256 over the names and contents of all source texts, this builder included."""
    digest = hashlib.sha256()

    def add(folder: Traversable, prefix: str) -> None:
        for entry in _listed(folder):
            if entry.is_dir():
                add(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(_SOURCE_SUFFIXES):
                content = entry.read_bytes()
                digest.update(f"{prefix}{entry.name}\0{len(content)}\0".encode())
                digest.update(content)

    add(_sources(), "")
    return digest.hexdigest()
