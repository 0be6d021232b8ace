"""Do two results say the same? The rules of comparison, columns in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from operator import itemgetter
from typing import Literal

from paretune.sql.execute import Row
from paretune.sql.extract import is_blank, orders_rows, tokens

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


Rules = Literal["official", "multiset", "strict", "tp4"]
RULES: tuple[Rules, ...] = ("official", "multiset", "strict", "tp4")


def official_query(sql: str, *, predicted: bool, keep_distinct: bool = False) -> str:
    """The text that the official script executes for a query.

    Spaces inside >=, <= and != close; every word DISTINCT outside quotes and comments goes, and so does all behind the
    first semicolon, save for a comment in MySQL's manner (# ...), which SQLite then refuses. With keep_distinct (the
    script's --keep_distinct, another metric) both stay. In a prediction the word `value` between spaces becomes 1: the
    script does so for parsers that leave values open. Only for text that SQLite refuses anyway, an unclosed quote or a
    digit glued to DISTINCT, can the result differ from that of sqlparse, which the script uses.

    >>> official_query("SELECT count(DISTINCT a) FROM t WHERE b > = 1", predicted=False)
    'SELECT count( a) FROM t WHERE b >= 1'
    """
    if predicted:
        sql = sql.replace(" value ", " 1 ")
    sql = sql.replace("> =", ">=").replace("< =", "<=").replace("! =", "!=")
    if keep_distinct:
        return sql
    kept = ""
    over = False
    for token in tokens(sql):
        if over and not is_blank(token):
            return kept + token if token == "#" else kept
        kept += "" if token.lower() == "distinct" else token
        over = over or token == ";"
    return kept


def official_order_matters(gold: str) -> bool:
    """Does the official rule compare rows in order? It does when "order by" (one space) stands anywhere in the gold
    text, be it in a subquery or a literal; gold as returned by official_query."""
    return "order by" in gold.lower()


def match_official(gold: Sequence[Row], predicted: Sequence[Row], *, ordered: bool) -> bool:
    """Are the results equal by the official execution match (result_eq of exec_eval.py)?

    Two empty results are, whatever their columns. Otherwise some permutation of the predicted columns must make the
    rows equal, as a list (ordered) or as a multiset. One quirk of the script is kept: before looking for it, it sorts
    each row by the printed values and compares; 1 and 1.0 are equal but sort differently beside 1.5, so that equal
    results can be refused.

    >>> match_official([(1, "a"), (2, "b")], [("b", 2), ("a", 1)], ordered=False)
    True
    """
    if not gold and not predicted:
        return True
    if len(gold) != len(predicted) or len(gold[0]) != len(predicted[0]):
        return False
    return same_up_to_columns(gold, predicted, ordered=ordered) and _sorted_rows_agree(gold, predicted, ordered)


def match_multiset(gold: Sequence[Row], predicted: Sequence[Row]) -> bool:
    """Are the rows equal as multisets, columns in the order written?

    >>> match_multiset([(1,), (1,), (2,)], [(2,), (1,), (1,)]), match_multiset([(1, 2)], [(2, 1)])
    (True, False)
    """
    return len(gold) == len(predicted) and Counter(gold) == Counter(predicted)


def match_strict(gold: Sequence[Row], predicted: Sequence[Row], gold_sql: str) -> bool:
    """As multiset, and in the same order when the gold statement itself (not a subquery) has ORDER BY.

    >>> match_strict([(1,), (2,)], [(2,), (1,)], "SELECT a FROM t ORDER BY a")
    False
    """
    if orders_rows(gold_sql):
        return list(gold) == list(predicted)
    return match_multiset(gold, predicted)


def match_tp4(gold: Sequence[Row], predicted: Sequence[Row]) -> bool:
    """Are the sets of printed rows equal? A failed query is passed as no rows, so it matches an empty gold result.

    >>> match_tp4([(1,), (1,)], [(1,)])
    True
    """
    return {str(row) for row in gold} == {str(row) for row in predicted}


def _sorted_rows_agree(gold: Sequence[Row], predicted: Sequence[Row], ordered: bool) -> bool:
    """The official script's quick rejection, for results that are equal up to columns.

    Rows whose equal values also print equally cannot be refused; only a float that prints otherwise than the integer
    or zero it equals makes the sorting worth doing.
    """
    if not (_has_whole_float(gold) or _has_whole_float(predicted)):
        return True
    first, second = [_sorted_row(row) for row in gold], [_sorted_row(row) for row in predicted]
    return first == second if ordered else set(first) == set(second)


def _has_whole_float(rows: Sequence[Row]) -> bool:
    return any(isinstance(value, float) and value.is_integer() for row in rows for value in row)


def _sorted_row(row: Row) -> Row:
    return tuple(sorted(row, key=lambda value: str(value) + str(type(value))))
