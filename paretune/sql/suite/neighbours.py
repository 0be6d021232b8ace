"""Near neighbours of a query: what a model that almost understood the question would have written.

They serve to judge databases (does this data tell the gold from its neighbours?) and scorers (is a neighbour told to
be wrong, and why?). A neighbour may mean the same as its query by accident, so never all of them can be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from paretune.sql.database import SchemaNames
from paretune.sql.reading import AGGREGATES, parse_select

_Edit = Callable[[exp.Expr], object]

_OPERATORS: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
}
_AGGREGATES: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Max: (exp.Min, exp.Avg),
    exp.Min: (exp.Max, exp.Avg),
    exp.Sum: (exp.Avg, exp.Max),
    exp.Avg: (exp.Sum, exp.Max),
}
_SET_OPERATIONS: tuple[type[exp.Expr], ...] = (exp.Union, exp.Intersect, exp.Except)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A query one edit away. kind: operator, literal, column, aggregate, condition, connector, distinct, order,
    limit, grouping, selection, join or set_operation."""

    kind: str
    sql: str


def neighbours(query: str, schema: SchemaNames) -> list[Neighbour]:
    """Every query one edit away from this one, without repetition, always in the same order.

    Edits: another comparison; a number one more or less, a text in another case or spelling; another column of the
    same table; another aggregate; a condition left out; AND for OR; DISTINCT added or dropped; another direction, no
    ORDER BY; another or no LIMIT; a grouping column left out; a selected column left out; an outer join; another set
    operation or its left side alone. Raises ScoringError when the query is not one SELECT statement.

    >>> [item.sql for item in neighbours("SELECT a FROM t WHERE b > 1", SchemaNames({"t": ("a", "b")}))][:2]
    ['SELECT DISTINCT a FROM t WHERE b > 1', 'SELECT a FROM t']
    """
    tree = parse_select(query)
    seen = {_text(tree)}
    edits = []
    for position, node in enumerate(tree.walk()):
        for kind, edit in _edits(node, schema):
            changed = tree.copy()
            edit(next(item for rank, item in enumerate(changed.walk()) if rank == position))
            text = _text(changed)
            if text not in seen:
                seen.add(text)
                edits.append(Neighbour(kind, text))
    if isinstance(tree, exp.SetOperation):
        edits.append(Neighbour("set_operation", _text(tree.left)))
    return edits


def _text(tree: exp.Expr) -> str:
    return str(tree.sql(dialect="sqlite")).replace(" <> ", " != ")


def _edits(node: exp.Expr, schema: SchemaNames) -> Iterator[tuple[str, _Edit]]:
    for operator in _OPERATORS.get(type(node), ()):
        yield "operator", _retype(operator)
    if isinstance(node, exp.Select):
        yield from _select_edits(node)
    elif isinstance(node, exp.Like | exp.In | exp.Between):
        yield from _negation(node)
    elif isinstance(node, exp.Literal):
        yield from _literal_edits(node)
    elif isinstance(node, exp.Column):
        yield from _column_edits(node, schema)
    elif type(node) in AGGREGATES:
        yield from _aggregate_edits(node)
    elif isinstance(node, exp.And | exp.Or):
        yield "connector", _retype(exp.Or if isinstance(node, exp.And) else exp.And)
        yield "condition", lambda it: it.replace(it.left.copy())
        yield "condition", lambda it: it.replace(it.right.copy())
    elif isinstance(node, exp.Ordered):
        yield "order", _turn_round
    elif isinstance(node, exp.Join) and not node.side and node.kind not in {"CROSS"} and node.args.get("on"):
        yield "join", lambda it: it.set("side", "LEFT")
    elif isinstance(node, exp.SetOperation):
        for operation in _SET_OPERATIONS:
            yield "set_operation", _retype(operation)


def _turn_round(ordered: exp.Expr) -> None:
    """The other direction; NULL stays the smallest value, as SQLite has it when nothing is said."""
    descending = not ordered.args.get("desc")
    ordered.set("desc", descending)
    ordered.set("nulls_first", not descending)


def _retype(kind: type[exp.Expr]) -> _Edit:
    return lambda it: it.replace(kind(**it.args))


def _select_edits(node: exp.Select) -> Iterator[tuple[str, _Edit]]:
    if node.args.get("distinct"):
        yield "distinct", lambda it: it.set("distinct", None)
    else:
        yield "distinct", lambda it: it.set("distinct", exp.Distinct())
    for clause, kind in (("where", "condition"), ("having", "condition"), ("order", "order"), ("limit", "limit")):
        if node.args.get(clause):
            yield kind, _without(clause)
    grouped = node.args.get("group")
    if grouped and len(grouped.expressions) > 1:
        for position in range(len(grouped.expressions)):
            yield "grouping", _without_group(position)
    if len(node.expressions) > 1 and not isinstance(node.parent, exp.SetOperation):
        for position in range(len(node.expressions)):
            yield "selection", _without_selected(position)


def _without(clause: str) -> _Edit:
    return lambda it: it.set(clause, None)


def _without_group(position: int) -> _Edit:
    return lambda it: it.args["group"].expressions[position].pop()


def _without_selected(position: int) -> _Edit:
    return lambda it: it.expressions[position].pop()


def _negation(node: exp.Expr) -> Iterator[tuple[str, _Edit]]:
    if isinstance(node.parent, exp.Not):
        yield "operator", lambda it: it.parent.replace(it.copy())
    elif node.args.get("negate"):
        yield "operator", lambda it: it.set("negate", False)
    elif isinstance(node, exp.Like):
        yield "operator", lambda it: it.set("negate", True)
    else:
        yield "operator", lambda it: it.replace(exp.Not(this=it.copy()))


def _literal_edits(node: exp.Literal) -> Iterator[tuple[str, _Edit]]:
    kind = "limit" if isinstance(node.parent, exp.Limit) else "literal"
    if node.is_string:
        for text in other_texts(node.name):
            yield kind, _with_literal(exp.Literal.string(text))
        return
    try:
        value = int(node.name) if node.name.isdigit() else float(node.name)
    except ValueError:
        return
    for other in (value + 1, value - 1):
        if not (kind == "limit" and other < 1):
            yield kind, _with_literal(exp.Literal.number(other))


def _with_literal(literal: exp.Expr) -> _Edit:
    return lambda it: it.replace(literal.copy())


def other_texts(text: str) -> list[str]:
    """Texts beside this one: the numbers beside it, or others by letter case and length.

    >>> other_texts("7"), other_texts("Ann")
    (['8', '6'], ['aNN', 'Annx'])
    """
    try:
        number = float(text)
    except ValueError:
        return [text.swapcase(), text + "x"]
    return [f"{number + 1:g}", f"{number - 1:g}"]


def _column_edits(node: exp.Column, schema: SchemaNames) -> Iterator[tuple[str, _Edit]]:
    if isinstance(node.this, exp.Star):
        return
    table = _table_of(node, schema)
    if table is None:
        if node.this.args.get("quoted") and not node.table:
            for text in other_texts(node.name):
                yield "literal", _with_literal(exp.Literal.string(text))
        return
    columns = schema.tables[table]
    place = columns.index(node.name.lower())
    in_join = node.find_ancestor(exp.Join, exp.Select)
    kind = "join" if isinstance(in_join, exp.Join) else "column"
    others = list(dict.fromkeys((columns[(place + 1) % len(columns)], columns[place - 1])))
    for other in others:
        yield kind, _named(other)


def _named(column: str) -> _Edit:
    return lambda it: it.set("this", exp.to_identifier(column, quoted=not column.isidentifier()))


def _table_of(node: exp.Column, schema: SchemaNames) -> str | None:
    """The table that has the column, looked for in the SELECT around it and then outwards."""
    select = node.find_ancestor(exp.Select)
    while select is not None:
        sources = [select.args.get("from_"), *(select.args.get("joins") or [])]
        tables = [source.this for source in sources if source is not None and isinstance(source.this, exp.Table)]
        for table in tables:
            fits = not node.table or node.table.lower() == (table.alias or table.name).lower()
            if fits and node.name.lower() in schema.tables.get(table.name.lower(), ()):
                return str(table.name.lower())
        select = select.find_ancestor(exp.Select)
    return None


def _aggregate_edits(node: exp.Expr) -> Iterator[tuple[str, _Edit]]:
    for other in _AGGREGATES.get(type(node), ()):
        yield "aggregate", _retype(other)
    inner = node.this
    if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
        yield "distinct", lambda it: it.set("this", it.this.expressions[0].copy())
    elif isinstance(node, exp.Count) and isinstance(inner, exp.Column):
        yield "distinct", lambda it: it.set("this", exp.Distinct(expressions=[it.this.copy()]))
    if isinstance(node.parent, exp.Select) and isinstance(inner, exp.Column):
        yield "aggregate", lambda it: it.replace(it.this.copy())
