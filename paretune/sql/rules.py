"""Do two results say the same? Each rule of comparison is one function, registered by its name with its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter

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


SIGNIFICANT_DIGITS = 12  # sums of the same numbers in another order differ beyond these


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results under comparison. gold, predicted: (n_rows, columns). gold_sql: as executed.

    order: positions after which rows of gold may not move before those behind them, ascending and ending with n_rows;
    rows between two of them tie under the reference's own ORDER BY. One position (or none) means no order.
    """

    gold: Sequence[Row]
    predicted: Sequence[Row]
    gold_columns: int
    predicted_columns: int
    gold_sql: str
    order: Sequence[int] = ()


Match = Callable[[Comparison], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule. source: what it follows, for a reader.

    as_written: a text that begins with a statement is run whole; whole_text: every text is, prose included, as nothing
    is extracted. failed_is_empty: a query that fails counts as one that returns nothing. Where neither is said, a
    failed query is wrong and the statement is extracted from the text.
    """

    name: str
    source: str
    match: Match
    as_written: bool = False
    whole_text: bool = False
    failed_is_empty: bool = False


RULES: dict[str, Rule] = {}


def rule(
    name: str, source: str, *, as_written: bool = False, whole_text: bool = False, failed_is_empty: bool = False
) -> Callable[[Match], Match]:
    """Register a function as the rule of that name (see Rule)."""

    def register(match: Match) -> Match:
        RULES[name] = Rule(name, source, match, as_written, whole_text, failed_is_empty)
        return match

    return register


@rule("official", "Spider's script, test-suite-sql-eval of 2020: exec_eval.py and evaluation.py")
def _official(pair: Comparison) -> bool:
    return match_official(pair.gold, pair.predicted, ordered=official_order_matters(pair.gold_sql))


@rule("result", "results alone: rows as often, columns in any order, and the reference's own order of rows")
def _result(pair: Comparison) -> bool:
    return pair.gold_columns == pair.predicted_columns and match_result(pair.gold, pair.predicted, pair.order)


@rule("multiset", "rows as often, columns in the order written")
def _multiset(pair: Comparison) -> bool:
    return pair.gold_columns == pair.predicted_columns and match_multiset(pair.gold, pair.predicted)


@rule("strict", "as multiset, and in the order of the reference's own ORDER BY")
def _strict(pair: Comparison) -> bool:
    same_width = pair.gold_columns == pair.predicted_columns
    return same_width and match_strict(pair.gold, pair.predicted, pair.gold_sql)


@rule("bird", "BIRD's script (mini_dev, evaluation_ex.py): sets of rows", whole_text=True)
def _bird(pair: Comparison) -> bool:
    return match_bird(pair.gold, pair.predicted)


@rule("subset", "results alone, where the prediction may have more columns than the reference")
def _subset(pair: Comparison) -> bool:
    return match_subset(pair.gold, pair.predicted, pair.gold_columns, pair.predicted_columns, pair.order)


@rule("tp4", "the course of 2025: sets of printed rows", as_written=True, failed_is_empty=True)
def _tp4(pair: Comparison) -> bool:
    return match_tp4(pair.gold, pair.predicted)


def official_query(sql: str, *, predicted: bool, keep_distinct: bool = False) -> str:
    """The text that the official script executes for a query.

    Spaces inside >=, <= and != close; every word DISTINCT outside quotes and comments goes, and so does all behind the
    first semicolon, save for a comment in MySQL's manner (# ...), which SQLite then refuses. With keep_distinct (the
    script's --keep_distinct, another metric) both stay. In a prediction every `value` becomes 1, be it a word, a part
    of one or in quotes: evaluation.py does so for parsers that leave values open. A perfect query on a column `value`
    is therefore wrong under this rule, as in the script. Only for text that SQLite refuses anyway, an unclosed quote
    or a digit glued to DISTINCT, can the result differ from that of sqlparse, which the script uses.

    >>> official_query("SELECT count(DISTINCT a) FROM t WHERE b > = 1", predicted=False)
    'SELECT count( a) FROM t WHERE b >= 1'
    """
    if predicted:
        sql = sql.replace("value", "1")
    sql = joined_operators(sql)
    if keep_distinct or (";" not in sql and "distinct" not in sql.lower()):
        return sql
    kept = ""
    over = False
    for token in tokens(sql):
        if over and not is_blank(token):
            return kept + token if token == "#" else kept
        kept += "" if token.lower() == "distinct" else token
        over = over or token == ";"
    return kept


def joined_operators(sql: str) -> str:
    """The text with the spaces inside >=, <= and != closed, as parsers of 2020 wrote them apart.

    >>> joined_operators("SELECT a FROM t WHERE b > = 1")
    'SELECT a FROM t WHERE b >= 1'
    """
    return sql.replace("> =", ">=").replace("< =", "<=").replace("! =", "!=")


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


def match_result(gold: Sequence[Row], predicted: Sequence[Row], order: Sequence[int]) -> bool:
    """Are the rows equal, each as often, under some order of the columns?

    Values are equal as in Python (1 and 1.0 are, 1 and '1' are not, NULL equals NULL), floats to 12 significant digits.
    order: as in Comparison; rows keep the reference's order but for its ties. Two results of n columns without a row
    are equal.

    >>> match_result([(1, "a"), (2, "b")], [("b", 2), ("a", 1)], order=())
    True
    >>> match_result([(1,), (2,)], [(2,), (1,)], order=(1, 2)), match_result([(1,), (1,)], [(1,)], order=())
    (False, False)
    """
    if len(gold) != len(predicted):
        return False
    if not gold:
        return True
    first, second = _in_order(rounded(gold), order), _in_order(rounded(predicted), order)
    return len(first[0]) == len(second[0]) and same_up_to_columns(first, second, ordered=False)


def _in_order(rows: list[Row], order: Sequence[int]) -> list[tuple[Hashable, ...]]:
    """The rows, each with the place that it may not leave, as one more column that matches no other."""
    if len(order) < 2:
        return list(rows)
    places = [
        place for place, (begin, end) in enumerate(zip((0, *order), order, strict=False)) for _ in range(begin, end)
    ]
    return [(*row, ("place", place)) for row, place in zip(rows, places, strict=True)]


def rounded(rows: Sequence[Row]) -> list[Row]:
    """The rows with floats to 12 significant digits."""
    if not any(isinstance(value, float) for row in rows for value in row):
        return list(rows)
    return [
        tuple(float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value for value in row)
        for row in rows
    ]


_MOST_CHOICES = 2000  # of columns, before a wide result is called no match


def match_subset(
    gold: Sequence[Row], predicted: Sequence[Row], gold_columns: int, predicted_columns: int, order: Sequence[int]
) -> bool:
    """Do some columns of the prediction make the reference's result (match_result)? Further columns do not count.

    After Defog's sql-eval, which accepts a prediction whose columns hold the reference's; a column is chosen for each
    of the reference's by what stands in it.

    >>> match_subset([(1,), (2,)], [("a", 1), ("b", 2)], 1, 2, order=())
    True
    """
    if gold_columns > predicted_columns or len(gold) != len(predicted):
        return False
    if not gold:
        return True
    first, second = rounded(gold), rounded(predicted)
    wanted = [Counter(column) for column in zip(*first, strict=True)]
    given = [Counter(column) for column in zip(*second, strict=True)]
    choices = [[place for place, held in enumerate(given) if held == column] for column in wanted]
    chosen: list[tuple[int, ...]] = [()]
    for places in choices:
        chosen = [(*taken, place) for taken in chosen for place in places if place not in taken][:_MOST_CHOICES]
    placed, rows = Counter(_in_order(first, order)), _in_order(second, order)
    behind = range(predicted_columns, len(rows[0]))  # the place in the order, where there is one
    return any(
        placed == Counter(tuple([row[place] for place in (*taken, *behind)]) for row in rows) for taken in chosen
    )


def match_bird(gold: Sequence[Row], predicted: Sequence[Row]) -> bool:
    """Are the sets of rows equal as Python compares them (calculate_ex of evaluation_ex.py)? Columns count in their
    order, repeated rows and the order of rows do not.

    >>> match_bird([(1,), (1,)], [(1.0,)]), match_bird([(1, 2)], [(2, 1)])
    (True, False)
    """
    return set(gold) == set(predicted)


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
