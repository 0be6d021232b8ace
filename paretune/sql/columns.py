"""Is there an order of columns that makes two tables equal? Exact, without trying all orders.

With rows in order, columns are matched as whole vectors. With rows as a multiset the question is an isomorphism of
coloured bipartite graphs (columns, rows, values as edge labels). It is answered by colour refinement with
individualisation, as graph isomorphism programs do: columns and rows are coloured by what they hold until colours no
longer split; where several columns share a colour, one gold column is paired with each candidate in turn. Colours are
sums of hashes: a collision can only make colouring coarser (slower), never wrong, and every answer "yes" is checked on
the rows themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from operator import itemgetter

Table = list[list[int]]  # columns of value numbers, over distinct rows
Colours = list[int]


def same_up_to_columns(
    gold: Sequence[tuple[Hashable, ...]], other: Sequence[tuple[Hashable, ...]], *, ordered: bool
) -> bool:
    """Does some permutation of the columns of `other` give the rows of `gold` (in order, or as a multiset)?

    Both (n_rows, n_columns) with the same, non-zero n_rows and n_columns. Values are equal as in Python.

    >>> same_up_to_columns([(1, 1), (1, 2)], [(2, 1), (1, 1)], ordered=False)
    True
    """
    if ordered:
        return Counter(zip(*gold, strict=True)) == Counter(zip(*other, strict=True))
    if Counter(gold) == Counter(other):
        return True
    if len(gold[0]) == 1:
        return False
    gold_marks, marks = _marks(gold), _marks(other)
    if sorted(gold_marks) != sorted(marks):
        return False
    if len(set(marks)) == len(marks):  # each column holds something of its own: one order is possible
        order = [marks.index(mark) for mark in gold_marks]
        return Counter(gold) == Counter(map(itemgetter(*order), other))
    numbers: dict[Hashable, int] = {}
    first, second = _Side(gold, numbers), _Side(other, numbers)
    return first.weights_sorted() == second.weights_sorted() and _search(first, second, first.start, second.start)


def _marks(rows: Sequence[tuple[Hashable, ...]]) -> list[int]:
    """A number for each column that depends on the values in it and not on their order."""
    return [sum(map(hash, zip(column, strict=True))) for column in zip(*rows, strict=True)]


class _Side:
    """One table for matching: distinct rows with their multiplicity, distinct columns with theirs."""

    def __init__(self, rows: Sequence[tuple[Hashable, ...]], numbers: dict[Hashable, int]) -> None:
        numbered = (tuple([numbers.setdefault(value, len(numbers)) for value in row]) for row in rows)
        counted = Counter(numbered)
        self.multiplicity = list(counted.values())
        columns = Counter(zip(*counted, strict=True))
        self.columns: Table = [list(column) for column in columns]
        self.start: Colours = list(columns.values())

    def weights_sorted(self) -> tuple[list[int], list[int]]:
        """How often rows and columns repeat: equal for tables that match."""
        return sorted(self.multiplicity), sorted(self.start)

    def refine(self, colours: Colours) -> Colours:
        """Colour rows by the columns' colours and values, then columns by the rows' colours and values."""
        rows = list(map(hash, zip(self.multiplicity, strict=True)))
        for colour, column in zip(colours, self.columns, strict=True):
            mixed = {value: hash((colour, value)) for value in set(column)}
            rows = [row + mixed[value] for row, value in zip(rows, column, strict=True)]
        return [
            hash((colour, sum(map(hash, zip(rows, column, strict=True)))))
            for colour, column in zip(colours, self.columns, strict=True)
        ]

    def counted_rows(self, order: Sequence[int]) -> dict[tuple[int, ...], int]:
        """The distinct rows with their multiplicity, columns in the given order."""
        rows = zip(*[self.columns[index] for index in order], strict=True)
        return dict(zip(rows, self.multiplicity, strict=True))


def _search(first: _Side, second: _Side, first_colours: Colours, second_colours: Colours) -> bool:
    """Is there a pairing of columns of equal colour under which the rows agree?"""
    refined = _refine_both(first, second, first_colours, second_colours)
    if refined is None:
        return False
    first_colours, second_colours = refined
    if first.counted_rows(_by_colour(first_colours)) == second.counted_rows(_by_colour(second_colours)):
        return True
    sizes = Counter(first_colours)
    shared = [(size, colour) for colour, size in sizes.items() if size > 1]
    if not shared:
        return False
    _, colour = min(shared)
    mark = hash((colour, "paired"))
    chosen = first_colours.index(colour)
    marked = [mark if index == chosen else value for index, value in enumerate(first_colours)]
    candidates = [index for index, value in enumerate(second_colours) if value == colour]
    return any(
        _search(
            first, second, marked, [mark if index == candidate else value for index, value in enumerate(second_colours)]
        )
        for candidate in candidates
    )


def _refine_both(
    first: _Side, second: _Side, first_colours: Colours, second_colours: Colours
) -> tuple[Colours, Colours] | None:
    """Colours of both sides refined until they split no further; None as soon as they cannot match."""
    kinds = len(set(first_colours))
    while True:
        first_colours, second_colours = first.refine(first_colours), second.refine(second_colours)
        if Counter(first_colours) != Counter(second_colours):
            return None
        if len(set(first_colours)) in {kinds, len(first_colours)}:
            return first_colours, second_colours
        kinds = len(set(first_colours))


def _by_colour(colours: Colours) -> list[int]:
    """Column indices ordered by colour, ties by position."""
    return [index for index, _ in sorted(enumerate(colours), key=itemgetter(1))]
