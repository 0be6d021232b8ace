"""SQLite files as data: opened for reading alone, never created, nothing left beside them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from paretune.errors import DataError

_MAGIC = b"SQLite format 3\x00"


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot change the file, its neighbours or the schema, and takes no lock.

    Text that is not UTF-8 loses its broken bytes, as in Spider's official scripts. Raises DataError naming the file
    where there is no SQLite database that can be read.
    """
    try:
        with open(path, "rb") as file:
            magic = file.read(len(_MAGIC))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such database") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    if magic != _MAGIC:
        raise DataError(f"{path}: not a SQLite 3 database (empty, truncated or another format); fetch it again")
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=0)
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        raise DataError(f"{path}: SQLite cannot open it ({error})") from error
    connection.text_factory = _decode
    return connection


def check_database(path: Path) -> None:
    """Can this file be relied on: a SQLite database that can be opened, with its last writes in it?

    Raises DataError naming the file when it is missing, unreadable, damaged at its beginning, or has unfinished writes
    beside it (opened immutable, it would be read without them).
    """
    with closing(open_read_only(path)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: damaged database ({error}); fetch it again") from error
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.exists() and beside.stat().st_size:
            raise DataError(f"{path}: {beside.name} holds unfinished writes; open and close it once with sqlite3")


def _decode(text: bytes) -> str:
    return text.decode(errors="ignore")
