"""When two query results count as the same: four rules, each a pure function of rows.

`official` restates what test-suite-sql-eval (Zhong, Yu and Klein 2020, exec_eval.py) decides, without its search over
all permutations of columns; `multiset` and `strict` are what a database person would expect; `tp4` is the rule behind
figures published in 2025, kept so that they can be reproduced.

A row is a tuple of what sqlite3 returns; values are equal as in Python: 1 == 1.0, "1" != 1, None == None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from paretune.sql.columns import same_up_to_columns
from paretune.sql.execute import Row
from paretune.sql.text import is_blank, orders_rows, tokens

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
