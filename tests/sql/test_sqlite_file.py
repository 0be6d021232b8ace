"""A SQLite file is opened for reading alone, or refused by its name."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sql.database import check_database


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a ?#%20b.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'ann');")
    connection.close()
    return path


def test_check_database_sound_file_is_accepted_and_unchanged(database: Path) -> None:
    before = database.read_bytes()
    check_database(database)
    assert database.read_bytes() == before
    assert list(database.parent.iterdir()) == [database]


def test_check_database_missing_file_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(DataError, match=r"none\.sqlite: no such database"):
        check_database(path)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"SQLite", b"<html>not found</html>", b"SQLite format 3\0"])
def test_check_database_other_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.sqlite"):
        check_database(path)


def test_check_database_scrambled_schema_is_an_error(database: Path) -> None:
    raw = bytearray(database.read_bytes())
    raw[100:200] = b"\xff" * 100
    database.write_bytes(raw)
    with pytest.raises(DataError, match="damaged"):
        check_database(database)


def test_check_database_unfinished_journal_is_an_error(database: Path) -> None:
    database.with_name(database.name + "-wal").write_bytes(b"x")
    with pytest.raises(DataError, match="unfinished writes"):
        check_database(database)


def test_check_database_unreadable_file_is_an_error(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\); check"):
        check_database(database)
