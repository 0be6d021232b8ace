"""Tables as text for the console, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 100
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


def as_text(table: Table, width: int = WIDTH) -> str:
    """Aligned for a console. Columns that do not fit go into further blocks below, the first one repeated."""
    widths = [max(len(row[at]) for row in (table.header, *table.rows)) for at in range(len(table.header))]
    lines = [table.title]
    for block in _blocks(widths, width):
        columns = [0, *block]
        lines += ["", _line(table.header, columns, widths), "-" * _total(columns, widths)]
        lines += [_line(row, columns, widths) for row in table.rows]
    if table.notes:
        lines += ["", *(line for note in table.notes for line in _wrapped(note, width))]
    return "\n".join(lines)


def as_markdown(table: Table) -> str:
    """For a README or an issue."""
    rows = [[cell.strip().replace("|", r"\|") for cell in row] for row in (table.header, *table.rows)]
    ruler = [":--", *("--:" for _ in table.header[1:])]
    lines = [f"**{table.title}**", "", *("| " + " | ".join(row) + " |" for row in (rows[0], ruler, *rows[1:]))]
    return "\n".join([*lines, *(f"\n{note}" for note in table.notes)]) + "\n"


def as_latex(table: Table, label: str) -> str:
    """A table environment for a paper; needs \\usepackage{booktabs}."""
    rows = [" & ".join(escape_latex(cell.strip()) for cell in row) + r" \\" for row in (table.header, *table.rows)]
    notes = " ".join(escape_latex(note) for note in table.notes)
    caption = escape_latex(table.title) + (f". {notes}" if notes else "")
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{caption}}}",
        rf"  \label{{tab:{label}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        r"    \toprule",
        f"    {rows[0]}",
        r"    \midrule",
        *(f"    {row}" for row in rows[1:]),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


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
    """Columns after the first, in blocks that fit, as even as they can be."""
    for count in range(1, len(widths) + 1):
        size = -(-(len(widths) - 1) // count)
        blocks = [list(range(start, min(start + size, len(widths)))) for start in range(1, len(widths), size)]
        if all(_total([0, *block], widths) <= width for block in blocks):
            return blocks
    return [[at] for at in range(1, len(widths))]


def _total(columns: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[at] for at in columns) + 2 * (len(columns) - 1)


def _line(row: Sequence[str], columns: Sequence[int], widths: Sequence[int]) -> str:
    cells = [row[at].ljust(widths[at]) if at == 0 else row[at].rjust(widths[at]) for at in columns]
    return "  ".join(cells).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent="  ")
