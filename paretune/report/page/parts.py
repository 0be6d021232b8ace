"""What a page is made of: tables, plots, facts and links, as plain values that the template writes out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from paretune.report.text_table import Table


def typeset(text: str) -> str:
    """As it is set on a page: true minus signs, and no line break within brackets or between a number and its unit.

    >>> typeset("run-1: -3.3 [-6.0, +10.0] %").replace("\N{NO-BREAK SPACE}", "_")
    'run-1: −3.3 [−6.0,_+10.0]_%'
    """
    text = re.sub(r"(?<![\w@./=%&\-])-(?=\d)", "\N{MINUS SIGN}", text)
    text = re.sub(r"\[[^\[\]a-z]{3,24}\]", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    return re.sub(r"(?<=[\d\],]) (?=%)|(?<=\d) (?=points?\b|p\.p\.)", "\N{NO-BREAK SPACE}", text)


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a file beside the page."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. href: the questions behind it in the explorer, or a file. told: what pointing at it says;
    heat: change in points that its colour shows, None for no colour; strong: of more weight."""

    text: str
    href: str = ""
    indented: bool = False
    told: str = ""
    heat: float | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table with its title and its notes. words: columns that hold words rather than figures. folded: closed until
    somebody asks for it; tall: in a box of its own height; picked: head of the row to be marked; titles: full names of
    heads that are short."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    folded: bool = False
    words: frozenset[int] = frozenset()
    tall: bool = False
    picked: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot as two pieces of SVG, for a wide and for a narrow window. title: what it shows, also for those who do
    not see it."""

    name: str
    title: str
    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values. folded: closed until opened; plain: a text shown as it stands instead, copied: behind a button
    that copies it."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    plain: str = ""
    folded: bool = False
    copied: bool = False


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


def explorer(**filters: str) -> str:
    """A link into the explorer with filters set.

    >>> explorer(axis="sql", variant="run-1@0.5", flip="lost")
    '#explorer?axis=sql&variant=run-1%400.5&flip=lost'
    """
    return "#explorer?" + urlencode(filters)


Filters = Mapping[str, str]


def as_page_table(
    table: Table,
    *,
    words: Sequence[int] = (),
    figures: Callable[[str, int, bool], Filters | None] = lambda *_: None,
    folded: bool = False,
    picked: str = "",
) -> PageTable:
    """A table of words with its figures linked.

    figures: from a variant's name, a column and whether the row holds changes to the explorer's filters that show the
    questions behind the figure; None for none.
    """
    rows: list[tuple[Cell, ...]] = []
    variant = ""
    for row in table.rows:
        head, is_change = row[0], row[0].startswith(" ")
        variant = variant if is_change else head
        cells = [Cell(head.strip(), "", is_change)]
        for at, text in enumerate(row[1:], start=1):
            found = figures(variant, at, is_change) if any(map(str.isdigit, text)) else None
            cells.append(Cell(text, explorer(**found) if found else ""))
        rows.append(tuple(cells))
    return PageTable(
        table.title, table.header, tuple(rows), table.notes, folded=folded, words=frozenset(words), picked=picked
    )
