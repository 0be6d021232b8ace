"""SQLite files as data: opened for reading alone; their tables, columns and keys; the text for a prompt."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from paretune.errors import DataError
from paretune.sql.dialects import backend_of, server_name
from paretune.sql.values import MOST_VALUES, ValueIndex

_MAGIC = b"SQLite format 3\x00"
_PAGE_BYTES = 4096
_BYTES_OF_NOISE = 225  # different bytes among 4096: all 256 in noise, far fewer in text and plain data


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
        raise DataError(f"{path}: {_what_it_is(path)}")
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
    backend = backend_of(path)
    if backend is not None:
        backend.check(path)
        return
    with closing(open_read_only(path)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: damaged database ({error}); fetch it again") from error
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.exists() and beside.stat().st_size:
            raise DataError(f"{path}: {beside.name} holds unfinished writes; open and close it once with sqlite3")


def check_whole_database(path: Path) -> None:
    """check_database, and every page of it read: for a file that is not checked yet."""
    check_database(path)
    if backend_of(path) is not None:
        return
    with closing(open_read_only(path)) as connection:
        try:
            report = " ".join(connection.execute("PRAGMA quick_check(1)").fetchone()[0].split())
        except sqlite3.DatabaseError as error:
            report = str(error)
    if report != "ok":
        raise DataError(f"{path}: damaged database ({report}); restore a backup, or recover it with sqlite3's .recover")


def _what_it_is(path: Path) -> str:
    """Why a file that begins otherwise is no SQLite 3 database, as far as its bytes tell."""
    with open(path, "rb") as file:
        head = file.read(_PAGE_BYTES)
    size = path.stat().st_size
    if not size:
        return "not a SQLite 3 database: an empty file"
    if size % 512 == 0 and len(set(head)) > _BYTES_OF_NOISE:
        return "not a SQLite 3 database; it looks encrypted: decrypt it into a plain file first"
    return "not a SQLite 3 database (empty, truncated or another format); fetch it again"


def _decode(text: bytes) -> str:
    return text.decode(errors="ignore")


_QUOTED_OR_SPACE = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?:\s|--[^\n]*|/\*.*?(?:\*/|\Z))+""", re.DOTALL
)

_PLAIN_NAME = re.compile(r"[^\W\d]\w*")

Samples = dict[tuple[str, str], list[str]]  # (table, column) -> values as SQL writes them
SchemaStyle = Literal["create_table", "compact", "m-schema"]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """column of this table refers to target_column of target_table."""

    column: str
    target_table: str
    target_column: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table as declared. create_sql: the text of its CREATE TABLE statement."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    create_sql: str


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of a database, then all its views, in the order of their creation. A view that refers to what is no
    longer there is left out: no query can read it. shadow: the tables in which virtual tables (FTS, R-tree) keep what
    they hold; no question is asked on them."""

    tables: tuple[Table, ...]
    views: tuple[Table, ...] = ()
    shadow: frozenset[str] = frozenset()

    def shown(self) -> tuple[Table, ...]:
        """What a question may be about."""
        return tuple(table for table in (*self.tables, *self.views) if table.name not in self.shadow)


def read_schema(path: Path) -> Schema:
    """The schema of the database at `path`. Raises DataError naming the file where it cannot be read."""
    backend = backend_of(path)
    if backend is not None:
        return backend.read_schema(path)
    with closing(open_read_only(path)) as connection:
        try:
            rows = connection.execute(
                "SELECT type, name, sql FROM sqlite_master "
                "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
            ).fetchall()
            return Schema(
                tuple(_table(connection, name, sql) for kind, name, sql in rows if kind == "table"),
                tuple(_views(connection, [(name, sql) for kind, name, sql in rows if kind == "view"])),
                _shadow_tables(connection),
            )
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: damaged database ({error})") from error


def schema_text(path: Path, style: SchemaStyle, sample_values: int, question: str | None = None) -> str:
    """The schema as a prompt shows it.

    create_table: the statements themselves on one line each, without comments; below a view's its columns. compact:
    one line per table or view, names quoted where a query must quote them, primary keys marked with *, then the
    foreign keys. m-schema: one line per column with its type, key and values, as in M-Schema (arXiv 2411.08599).
    sample_values: so many distinct values per column of a table, in the order of storage; question: first those that
    its words speak of (see sql/values.py).
    """
    schema = read_schema(path)
    samples = _samples(path, schema, sample_values, question) if sample_values else {}
    write = name_in_query if backend_of(path) is None else server_name
    if style == "m-schema":
        return _m_schema(path.stem, schema, samples, write)
    views = set(schema.views)
    if style == "create_table":
        parts = []
        for table in schema.shown():
            parts.append(on_one_line(table.create_sql) + ";")
            if table in views:
                parts.append(f"-- {_compact(table, {}, write)}")
            parts.extend(
                f"-- {write(table.name)}.{write(column)}: {', '.join(samples[table.name, column])}"
                for column in table.columns
                if samples.get((table.name, column))
            )
        return "\n".join(parts)
    return "\n".join(("view " if table in views else "") + _compact(table, samples, write) for table in schema.shown())


def on_one_line(statement: str) -> str:
    """SQL with one space for each run of spaces, line ends and comments; quoted names and texts as they are.

    >>> on_one_line("SELECT a -- the name\\n  FROM t WHERE b = 'x  y'")
    "SELECT a FROM t WHERE b = 'x  y'"
    """
    return _QUOTED_OR_SPACE.sub(lambda match: match[1] or " ", statement).strip()


def quote_name(name: str) -> str:
    """A table's or column's name as SQL may always write it.

    >>> quote_name("order")
    '"order"'
    """
    return '"' + name.replace('"', '""') + '"'


@cache
def name_in_query(name: str) -> str:
    """A name as a query may write it: bare where SQLite then reads the same table or column, else quoted.

    >>> [name_in_query(name) for name in ("singer", "order", "unit price", "date", "preço")]
    ['singer', '"order"', '"unit price"', 'date', 'preço']
    """
    quoted = quote_name(name)
    if not _PLAIN_NAME.fullmatch(name):
        return quoted
    with closing(sqlite3.connect(":memory:")) as connection:
        try:  # no list of keywords says which of them may stand bare
            connection.execute(f"CREATE TABLE {quoted} ({quoted})")
            connection.execute(f"INSERT INTO {quoted} VALUES ('mark')")
            read = connection.execute(f"SELECT {name} FROM {name} WHERE {name} = 'mark'").fetchone()
        except sqlite3.Error:
            return quoted
    return name if read == ("mark",) else quoted


def _shadow_tables(connection: sqlite3.Connection) -> frozenset[str]:
    listed = connection.execute("PRAGMA table_list").fetchall()  # none before SQLite 3.37, which then hides nothing
    return frozenset(name for database, name, kind, *_ in listed if kind == "shadow")


def _views(connection: sqlite3.Connection, views: Iterable[tuple[str, str]]) -> Iterator[Table]:
    for name, sql in views:
        try:
            yield _table(connection, name, sql)
        except sqlite3.OperationalError:  # SQLite resolves a view only now
            continue


def _table(connection: sqlite3.Connection, name: str, create_sql: str) -> Table:
    quoted = quote_name(name)
    described = connection.execute(f"PRAGMA table_xinfo({quoted})").fetchall()
    columns = [column for column in described if column[6] != 1]  # 1: hidden in a virtual table; generated ones stay
    keys = [
        ForeignKey(column, target, target_column or _implied_target(connection, target, place) or column)
        for _, place, target, column, target_column, *_ in sorted(
            connection.execute(f"PRAGMA foreign_key_list({quoted})").fetchall(), key=lambda key: (key[0], key[1])
        )
    ]
    return Table(
        name=name,
        columns=tuple(column[1] for column in columns),
        types=tuple(column[2] for column in columns),
        primary_key=tuple(column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]),
        foreign_keys=tuple(keys),
        create_sql=create_sql,
    )


def _implied_target(connection: sqlite3.Connection, table: str, place: int) -> str | None:
    """The column that `REFERENCES table` without a column means: the primary key's at that place."""
    columns = connection.execute(f"PRAGMA table_info({quote_name(table)})").fetchall()
    return next((str(column[1]) for column in columns if column[5] == place + 1), None)


def _compact(table: Table, samples: Samples, write: Callable[[str], str]) -> str:
    columns = []
    for column in table.columns:
        text = write(column) + ("*" if column in table.primary_key else "")
        shown = samples.get((table.name, column))
        columns.append(text + (f" [{', '.join(shown)}]" if shown else ""))
    line = f"{write(table.name)}({', '.join(columns)})"
    keys = "; ".join(
        f"{write(key.column)} -> {write(key.target_table)}.{write(key.target_column)}" for key in table.foreign_keys
    )
    return line + (f" {keys}" if keys else "")


def _m_schema(name: str, schema: Schema, samples: Samples, write: Callable[[str], str]) -> str:
    views = set(schema.views)
    lines = [f"【DB_ID】 {name}", "【Schema】"]
    for table in schema.shown():
        lines += [f"# {'View' if table in views else 'Table'}: {write(table.name)}", "["]
        columns = []
        for column, kind in zip(table.columns, table.types, strict=True):
            parts = [f"{write(column)}:{kind.upper()}" if kind else write(column)]
            parts += ["Primary Key"] if column in table.primary_key else []
            shown = samples.get((table.name, column))
            parts += [f"Examples: [{', '.join(shown)}]"] if shown else []
            columns.append(f"({', '.join(parts)})")
        lines += [",\n".join(columns), "]"]
    keys = [
        f"{write(table.name)}.{write(key.column)}={write(key.target_table)}.{write(key.target_column)}"
        for table in schema.shown()
        for key in table.foreign_keys
    ]
    return "\n".join([*lines, *(["【Foreign keys】", *keys] if keys else [])])


def _samples(path: Path, schema: Schema, count: int, question: str | None) -> Samples:
    if question is None:
        chosen = _distinct_values(path, schema, count)
    else:
        chosen = _value_index(path, path.stat().st_mtime_ns).chosen(question, count)
    return {column: list(map(_literal, values)) for column, values in chosen.items()}


@lru_cache(maxsize=32)
def _value_index(path: Path, _: int) -> ValueIndex[tuple[str, str]]:
    """The values of a database (the second argument: the file's state)."""
    return ValueIndex.of(_distinct_values(path, read_schema(path), MOST_VALUES))


def _distinct_values(path: Path, schema: Schema, count: int) -> dict[tuple[str, str], list[object]]:
    backend = backend_of(path)
    if backend is not None:
        return {
            (table.name, column): list(backend.sample_values(path, table.name, column, count))
            for table in schema.tables
            for column in table.columns
        }
    connection = open_read_only(path)
    try:
        samples: dict[tuple[str, str], list[object]] = {}
        for table in schema.tables:
            if table.name in schema.shadow:
                continue
            order = "MIN(rowid)" if _has_rowid(connection, table.name) else "1"
            for column in table.columns:
                quoted_column, quoted_table = quote_name(column), quote_name(table.name)
                rows = connection.execute(
                    f"SELECT {quoted_column} FROM {quoted_table} WHERE {quoted_column} IS NOT NULL "
                    f"GROUP BY {quoted_column} ORDER BY {order} LIMIT ?",
                    (count,),
                ).fetchall()
                samples[table.name, column] = [row[0] for row in rows]
        return samples
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path}: its values cannot be read ({error})") from error
    finally:
        connection.close()


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(f"SELECT rowid FROM {quote_name(table)} LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return "(binary)"
    text = str(value)
    if isinstance(value, str):
        text = " ".join(text.split())
        text = "'" + (text if len(text) <= 40 else text[:39] + "…").replace("'", "''") + "'"
    return text


@dataclass(frozen=True)
class SchemaNames:
    """Names in lower case. tables: name -> columns in their order; foreign_keys: pairs of "table.column"."""

    tables: Mapping[str, tuple[str, ...]]
    foreign_keys: tuple[tuple[str, str], ...] = ()

    def tables_with(self, column: str) -> list[str]:
        """The tables that have a column of that name."""
        return [table for table, columns in self.tables.items() if column.lower() in columns]

    def joined(self, first: str, second: str) -> list[tuple[str, str]]:
        """The foreign keys between two tables, as (column of the first, column of the second)."""
        pairs = []
        for left, right in self.foreign_keys:
            for one, other in ((left, right), (right, left)):
                if one.rsplit(".", 1)[0] == first and other.rsplit(".", 1)[0] == second:
                    pairs.append((one.rsplit(".", 1)[1], other.rsplit(".", 1)[1]))
        return pairs

    def representatives(self) -> Mapping[str, str]:
        """The column that exact set match reads instead of each column bound by foreign keys.

        Columns that keys connect form a class, represented by its first column in the schema's order. As in the
        official script (build_foreign_key_map) a key joins the first class that holds either of its columns, and two
        classes are never merged afterwards.
        """
        return self._representatives

    @cached_property
    def _representatives(self) -> Mapping[str, str]:
        order = {f"{table}.{column}": 0 for table, columns in self.tables.items() for column in columns}
        order = {column: position for position, column in enumerate(order)}
        classes: list[set[str]] = []
        for left, right in self.foreign_keys:
            found = next((members for members in classes if left in members or right in members), None)
            if found is None:
                found = set()
                classes.append(found)
            found.update((left, right))
        result: dict[str, str] = {}
        for members in classes:
            first = min(members, key=lambda column: order.get(column, len(order)))
            result.update(dict.fromkeys(members, first))
        return result


def read_names(database: Path, tables_file: Path | None = None) -> SchemaNames:
    """The names in a SQLite file, views among its tables.

    tables_file: Spider's tables.json; where it holds the database (by the file's stem) the foreign keys, and the
    order that decides between them, come from there as in the official script, which matters to exact set match only:
    many Spider databases declare fewer keys than tables.json. Raises DataError when one of the files cannot be read.
    """
    declared = read_schema(database)
    described = (*declared.tables, *declared.views)
    tables = {table.name.lower(): tuple(column.lower() for column in table.columns) for table in described}
    entry = None if tables_file is None else _entry(tables_file, database.stem)
    if entry is not None:
        return _with_official_keys(tables, entry)
    keys = {
        (f"{table.name}.{key.column}".lower(), f"{key.target_table}.{key.target_column}".lower())
        for table in described
        for key in table.foreign_keys
        if key.target_column.lower() in tables.get(key.target_table.lower(), ())
    }
    return SchemaNames(tables, tuple(sorted(keys, key=_key_order(tables))))


def _key_order(tables: Mapping[str, tuple[str, ...]]) -> Any:
    names = [f"{table}.{column}" for table, columns in tables.items() for column in columns]
    position = {name: rank for rank, name in enumerate(names)}
    return lambda key: (position.get(key[0], len(names)), position.get(key[1], len(names)))


def _entry(tables_file: Path, db_id: str) -> dict[str, Any] | None:
    try:
        return _entries(tables_file, tables_file.stat().st_mtime_ns).get(db_id)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{tables_file}: expected Spider's tables.json ({error})") from error


@lru_cache(maxsize=2)
def _entries(tables_file: Path, _: int) -> dict[str, dict[str, Any]]:
    """The entries of a tables.json by db_id (the second argument: the file's state)."""
    listed = json.loads(tables_file.read_text(encoding="utf-8"))
    return {entry["db_id"]: dict(entry) for entry in reversed(listed)}


def _with_official_keys(tables: dict[str, tuple[str, ...]], entry: dict[str, Any]) -> SchemaNames:
    """The columns that the database has, in the order and with the foreign keys of tables.json."""
    names = [name.lower() for name in entry["table_names_original"]]
    listed = [(names[table] if table >= 0 else "", column.lower()) for table, column in entry["column_names_original"]]
    ordered: dict[str, list[str]] = {name: [] for name in names if name in tables}
    for table, column in listed:
        if column in tables.get(table, ()):
            ordered[table].append(column)
    for table, columns in tables.items():
        known = ordered.setdefault(table, [])
        known.extend(column for column in columns if column not in known)
    keys = tuple((".".join(listed[one]), ".".join(listed[other])) for one, other in entry["foreign_keys"])
    return SchemaNames({table: tuple(columns) for table, columns in ordered.items()}, keys)
