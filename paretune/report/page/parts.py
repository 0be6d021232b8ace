"""What a page is made of: tables, plots, facts and links, as plain values that the template writes out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from paretune.report.text_table import Table


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere: a file beside the page, or a place in it. group: what it is one of, "" for nothing."""

    text: str
    href: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. href: the lines or the part of the explorer that it was computed from."""

    text: str
    href: str = ""
    indented: bool = False


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table with its title, its notes and the files that it was computed from. words: columns that hold words rather
    than figures. folded: closed until somebody asks for it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    sources: tuple[Link, ...] = ()
    folded: bool = False
    words: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot as four pieces of SVG: for light and dark paper, for a wide and for a narrow window. described: what it
    shows, for those who do not see it."""

    name: str
    title: str
    described: str
    light: str
    dark: str
    narrow_light: str
    narrow_dark: str
    sources: tuple[Link, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values. folded: closed until somebody asks for it; plain: a text shown as it stands instead."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    plain: str = ""
    folded: bool = False
    sources: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. identity: the same in every language, unique within one."""

    identity: str
    title: str
    introduction: str
    tables: tuple[PageTable, ...] = ()
    plots: tuple[Plot, ...] = ()
    facts: tuple[Facts, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where a page's links lead: files of the run, relative to the page's folder; without a run nowhere."""

    run: Path | None
    page: Path

    def file(self, *parts: str) -> Link:
        """The run's file, by its path within the run."""
        name = "/".join(parts)
        if self.run is None:
            return Link(name, "")
        start = os.path.relpath(self.run, self.page).replace(os.sep, "/")
        return Link(name, f"{quote(start)}/{quote(name)}")

    def lines(self, names: Sequence[str], file: str) -> tuple[Link, ...]:
        """The same file of several variants."""
        return tuple(Link(name, self.file(name, file).href, file) for name in names)

    def table(self, name: str) -> Link:
        """The CSV file of a table."""
        return self.file("tables", f"{name}.csv")


def explorer(**filters: str) -> str:
    """A link into the explorer with filters set.

    >>> explorer(axis="sql", variant="run-1@0.5", flip="lost")
    '#explorer?axis=sql&variant=run-1%400.5&flip=lost'
    """
    return "#explorer?" + urlencode(filters)


Filters = Mapping[str, str]


def as_page_table(
    table: Table,
    link: Callable[[str], str],
    *sources: Link,
    words: Sequence[int] = (),
    figures: Callable[[str, int, bool], Filters | None] = lambda *_: None,
) -> PageTable:
    """A table of words with its row heads and figures linked.

    link: from a row's name to where its lines are, "" for nowhere. figures: from a variant's name, a column and
    whether the row holds changes to the explorer's filters that show the questions behind the figure; None for none.
    """
    rows: list[tuple[Cell, ...]] = []
    variant = ""
    for row in table.rows:
        head, is_change = row[0], row[0].startswith(" ")
        variant = variant if is_change else head
        cells = [Cell(head.strip(), link(head), is_change)]
        for at, text in enumerate(row[1:], start=1):
            found = figures(variant, at, is_change) if any(map(str.isdigit, text)) else None
            cells.append(Cell(text, explorer(**found) if found else ""))
        rows.append(tuple(cells))
    return PageTable(table.title, table.header, tuple(rows), table.notes, tuple(sources), words=frozenset(words))
