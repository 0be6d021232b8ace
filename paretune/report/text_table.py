"""Tables as text for the console, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paretune.report.screen import FILE, Screen

_SHORTEST_PREFIX = 6  # letters that names must share before they are left out
SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of words. rows: each as long as header; the first column is aligned left, the others right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def as_text(table: Table, screen: Screen = FILE) -> str:
    """Aligned for a console. Columns that do not fit go into further blocks below, the first one repeated; long names
    in the first one leave out what they begin with alike, and a note says what."""
    rows, prefix = _without_prefix(table.rows, screen.width // 4)
    notes = (*table.notes, f"…: {prefix}") if prefix else table.notes
    widths = [max(len(row[at]) for row in (table.header, *rows)) for at in range(len(table.header))]
    lines = [screen.inked(line, "bold") for line in screen.wrapped(table.title)]
    for block in _blocks(widths, screen.width):
        columns = [0, *block]
        lines += ["", _line(table.header, columns, widths), "-" * _total(columns, widths)]
        lines += [_line(row, columns, widths) for row in rows]
    if notes:
        lines += ["", *(line for note in notes for line in screen.wrapped(note, hanging="  "))]
    return "\n".join(lines)


def as_markdown(table: Table) -> str:
    """For a README or an issue: columns of words to the left, of numbers to the right."""
    rows = [[cell.strip().replace("|", r"\|") for cell in row] for row in (table.header, *table.rows)]
    ruler = [":--", *(":--" if _is_words(table, at) else "--:" for at in range(1, len(table.header)))]
    lines = [f"**{table.title}**", "", *("| " + " | ".join(row) + " |" for row in (rows[0], ruler, *rows[1:]))]
    return "\n".join([*lines, *(f"\n{note}" for note in table.notes)]) + "\n"


def as_latex(table: Table, label: str) -> str:
    """A table environment for a paper, as wide as its text at most; needs \\usepackage{booktabs,graphicx}. The notes
    stand under the table, the caption is the title alone."""
    rows = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in (table.header, *table.rows)]
    columns = "".join("l" if _is_words(table, at) else "r" for at in range(1, len(table.header)))
    notes = [rf"  {escape_latex(note)}\par" for note in table.notes]
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape_latex(table.title)}}}",
        rf"  \label{{tab:{label}}}",
        r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"  \begin{{tabular}}{{l{columns}}}",
        r"    \toprule",
        f"    {rows[0]}",
        r"    \midrule",
        *(f"    {row}" for row in rows[1:]),
        r"    \bottomrule",
        r"  \end{tabular}}",
        *([r"  \par\medskip", r"  \begin{minipage}{\linewidth}\footnotesize\raggedright", *notes, r"  \end{minipage}"]
          if notes else []),
        r"\end{table}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _is_words(table: Table, at: int) -> bool:
    """Whether a column holds words: no cell of it begins with a number."""
    cells = [row[at].strip() for row in table.rows if row[at].strip()]
    return bool(cells) and not any(re.match(r"[-+–<≈]|\d", cell) for cell in cells)


def _latex_cell(cell: str) -> str:
    """What is indented in the console is indented there, too."""
    return (r"\quad " if cell.startswith("  ") else "") + escape_latex(cell.strip())


def escape_latex(text: str) -> str:
    r"""Text that LaTeX sets as it stands; minus signs of numbers become real ones.

    >>> escape_latex("run_1: -2.0 % < 3")
    'run\\_1: $-$2.0 \\% $<$ 3'
    """
    escaped = "".join(SPECIAL.get(letter, letter) for letter in text).replace("<", "$<$").replace(">", "$>$")
    letters: list[str] = []
    for at, letter in enumerate(escaped):
        number_follows = escaped[at + 1 : at + 2].isdigit()
        word_before = at > 0 and escaped[at - 1].isalnum()
        letters.append("$-$" if letter == "-" and number_follows and not word_before else letter)
    return "".join(letters)


def _blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Columns after the first, in the fewest blocks that fit, as even as so many blocks can be."""
    filled: list[list[int]] = []
    for at in range(1, len(widths)):
        if filled and _total([0, *filled[-1], at], widths) <= width:
            filled[-1].append(at)
        else:
            filled.append([at])
    size = -(-(len(widths) - 1) // max(1, len(filled)))
    even = [list(range(start, min(start + size, len(widths)))) for start in range(1, len(widths), size)]
    return even if all(_total([0, *block], widths) <= width for block in even) else filled


def _total(columns: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[at] for at in columns) + 2 * (len(columns) - 1)


def _line(row: Sequence[str], columns: Sequence[int], widths: Sequence[int]) -> str:
    cells = [row[at].ljust(widths[at]) if at == 0 else row[at].rjust(widths[at]) for at in columns]
    return "  ".join(cells).rstrip()


def _without_prefix(rows: tuple[tuple[str, ...], ...], longest: int) -> tuple[tuple[tuple[str, ...], ...], str]:
    """Rows whose long first cells have "…" for what they begin with alike, up to a hyphen, dot or the like; and that
    beginning, "" where nothing is left out.

    >>> _without_prefix((("base", "1"), ("qwen-7b-r16", "2"), ("qwen-7b-r64", "3")), 8)
    ((('base', '1'), ('…r16', '2'), ('…r64', '3')), 'qwen-7b-')
    """
    long = [row[0] for row in rows if len(row[0]) > longest and not row[0].startswith(" ")]
    shared = re.match(r".*[-_./@ ]", _shared_beginning(long)) if len(set(long)) > 1 else None
    if shared is None or len(shared[0]) < _SHORTEST_PREFIX:
        return rows, ""
    prefix = shared[0]
    return tuple((f"…{row[0].removeprefix(prefix)}" if row[0] in long else row[0], *row[1:]) for row in rows), prefix


def _shared_beginning(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    alike = (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(alike, min(len(first), len(last)))]
