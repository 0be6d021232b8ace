"""Which queries does the official script's own SQL parser read?

The parser (process_sql.py of test-suite-sql-eval) knows a part of SQL: tables joined with JOIN and AS, columns without
quotes, aggregates of one column. What it refuses (INNER JOIN, a comma between tables, <>, a name for a selected column,
an alias without AS, quoted names, a = without spaces) counts as no exact set match in every published figure, however
right it is. This is a recogniser of the same language, built from the script's behaviour; it compares nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from paretune.sql.database import SchemaNames

_CLAUSES = frozenset({"select", "from", "where", "group", "order", "limit", "intersect", "union", "except"})
_JOINING = frozenset({"join", "on", "as"})
_OPERATORS = frozenset({"not", "between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists"})
_ARITHMETIC = frozenset({"none", "-", "+", "*", "/"})
_AGGREGATES = frozenset({"none", "max", "min", "count", "sum", "avg"})
_ENDS = frozenset({")", ";"})
# Where the word tokeniser that the script borrows (NLTK's, for English) puts spaces.
_SPACED = (
    re.compile(r"[«“‘„]|`+"),
    re.compile(r"[:,](?=\D|$)"),
    re.compile(r"\.\.\."),
    re.compile(r"[;@#$%&]"),
    re.compile(r"(?<=[^.])\.(?=[\])}>\s]*$)"),
    re.compile(r"[?!*]"),
    re.compile(r"[\]\[(){}<>]"),
    re.compile(r"--"),
)


class _Refused(Exception):
    """The parser would stop here."""


def official_parser_reads(sql: str, schema: SchemaNames) -> bool:
    """Would the official script read this query, to its end, against this schema?

    >>> schema = SchemaNames({"singer": ("id", "name", "age")})
    >>> official_parser_reads("SELECT T1.name FROM singer AS T1 WHERE T1.age > 20", schema)
    True
    >>> official_parser_reads("SELECT count(*) AS n FROM singer", schema)
    False
    """
    try:
        words = _words(sql)
        names = {words[place + 1]: words[place - 1] for place, word in enumerate(words) if word == "as"}
        if any(table in names for table in schema.tables):
            return False
        reader = _Reader(words, {**names, **{table: table for table in schema.tables}}, schema)
        reader.statement()
    except (_Refused, IndexError, RecursionError):
        return False
    return reader.at_end()  # where it stops before, the script compares the part that it has read


def _words(sql: str) -> list[str]:
    """The words as the script sees them: literals whole and in double quotes, all else in lower case."""
    pieces = sql.replace("'", '"').split('"')
    if len(pieces) % 2 == 0:
        raise _Refused
    literals = {f"__literal_{place}__": f'"{text}"' for place, text in enumerate(pieces[1::2])}
    text = pieces[0] + "".join(f"__literal_{place}__{after}" for place, after in enumerate(pieces[2::2]))
    for pattern in _SPACED:
        text = pattern.sub(lambda match: f" {match[0]} ", text)
    words: list[str] = []
    for word in text.lower().split():
        if word == "=" and words and words[-1] in {"!", ">", "<"}:
            words[-1] += "="
        else:
            words.append(literals.get(word, word))
    return words


class _Reader:
    """A place in the words, and what each name stands for. names: alias or table -> table."""

    def __init__(self, words: Sequence[str], names: dict[str, str], schema: SchemaNames) -> None:
        self._words, self._names, self._schema = words, names, schema
        self._at = 0

    def statement(self) -> None:
        """One query, with those that UNION, INTERSECT or EXCEPT tie to it. What stands behind it is not read."""
        begin = self._at
        in_brackets = self._take("(")
        select = self._at
        tables = self._tables(begin)
        behind, self._at = self._at, select
        self._selected(tables)
        self._at = behind
        if self._take("where"):
            self._conditions(tables)
        if self._take("group"):
            self._expect("by")
            self._list(lambda: self._column_unit(tables))
        if self._take("having"):
            self._conditions(tables)
        if self._take("order"):
            self._expect("by")
            self._list(lambda: self._sorted(tables))
        if self._take("limit"):
            if self._next() is None:
                raise _Refused
            self._at += 1
        self._skip_semicolons()
        if in_brackets:
            self._expect(")")
        self._skip_semicolons()
        if self._next() in {"intersect", "union", "except"}:
            self._at += 1
            self.statement()

    def at_end(self) -> bool:
        """Has every word been read?"""
        return self._at >= len(self._words)

    def _tables(self, begin: int) -> list[str]:
        """FROM and all that is joined there; the tables whose columns need no qualifier."""
        if "from" not in self._words[begin:]:
            raise _Refused
        self._at = self._words.index("from", begin) + 1
        tables: list[str] = []
        while self._at < len(self._words):
            in_brackets = self._take("(")
            if self._words[self._at] == "select":
                self.statement()
            else:
                self._take("join")
                tables.append(self._table())
            if self._take("on"):
                self._conditions(tables)
            if in_brackets:
                self._expect(")")
            if self._next() in _CLAUSES | _ENDS:
                break
        return tables

    def _table(self) -> str:
        table = self._names.get(self._words[self._at])
        if table is None or table not in self._schema.tables:
            raise _Refused
        self._at += 1
        if self._next() == "as":
            self._at += 2
        return table

    def _selected(self, tables: Sequence[str]) -> None:
        self._expect("select")
        self._take("distinct")
        while self._at < len(self._words) and self._next() not in _CLAUSES:
            if self._next() in _AGGREGATES:
                self._at += 1
            self._unit(tables)
            self._take(",")

    def _conditions(self, tables: Sequence[str]) -> None:
        while self._at < len(self._words):
            self._unit(tables)
            if self._words[self._at] == "not":
                self._at += 1
            operator = self._words[self._at]
            if operator not in _OPERATORS:
                raise _Refused
            self._at += 1
            self._value(tables)
            if operator == "between":
                self._expect("and")
                self._value(tables)
            if self._next() in _CLAUSES | _ENDS | _JOINING:
                break
            if self._next() in {"and", "or"}:
                self._at += 1

    def _value(self, tables: Sequence[str]) -> None:
        """A subquery, a literal, a number, or a column unit up to the next word that ends one."""
        begin = self._at
        in_brackets = self._take("(")
        word = self._words[self._at]
        if word == "select":
            self.statement()
        elif '"' in word or _is_number(word):
            self._at += 1
        else:
            end = self._at
            while end < len(self._words) and self._words[end] not in {",", ")", "and"} | _CLAUSES | _JOINING:
                end += 1
            _Reader(self._words[begin:end], self._names, self._schema)._column_unit(tables)
            self._at = end
        if in_brackets:
            self._expect(")")

    def _sorted(self, tables: Sequence[str]) -> None:
        self._unit(tables)
        if self._next() in {"asc", "desc"}:
            self._at += 1

    def _unit(self, tables: Sequence[str]) -> None:
        """One column unit, or two with an operator between them."""
        in_brackets = self._take("(")
        self._column_unit(tables)
        if self._next() in _ARITHMETIC:
            self._at += 1
            self._column_unit(tables)
        if in_brackets:
            self._expect(")")

    def _column_unit(self, tables: Sequence[str]) -> None:
        """A column, or an aggregate of one."""
        in_brackets = self._take("(")
        aggregate = self._words[self._at] in _AGGREGATES
        if aggregate:
            self._at += 1
            self._expect("(")
        self._take("distinct")
        self._column(tables)
        if aggregate or in_brackets:  # behind an aggregate in brackets the second one stays unread
            self._expect(")")

    def _column(self, tables: Sequence[str]) -> None:
        word = self._words[self._at]
        self._at += 1
        if word == "*":
            return
        if "." in word:
            qualifier, _, column = word.partition(".")
            if column not in self._schema.tables.get(self._names.get(qualifier, ""), ()):
                raise _Refused
        elif not any(word in self._schema.tables[table] for table in tables):
            raise _Refused

    def _list(self, item: Callable[[], None]) -> None:
        while self._at < len(self._words) and self._next() not in _CLAUSES | _ENDS:
            item()
            if not self._take(","):
                break

    def _skip_semicolons(self) -> None:
        while self._take(";"):
            pass

    def _next(self) -> str | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _take(self, word: str) -> bool:
        taken = self._next() == word
        self._at += taken
        return taken

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise _Refused


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
