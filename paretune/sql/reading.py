"""A query read into its clauses, with every column resolved to its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from paretune.errors import ScoringError
from paretune.sql.clauses import OPAQUE, Clauses, Condition, Conditions, Selected, TableUnit, Term, Unit

_SQLITE = sqlglot.Dialect.get_or_raise("sqlite")
_ALWAYS_THERE = ("*", "rowid", "oid", "_rowid_")

Tables = Mapping[str, tuple[str, ...]]
"""Lower-case table name -> lower-case column names in their order."""


@dataclass(frozen=True, slots=True)
class Names:
    """The schema's tables (empty when it is not known), and the columns met that it does not have."""

    tables: Tables
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean inside one SELECT: alias -> table name ("" for a subquery), selected aliases, outer scope."""

    names: Names
    aliases: dict[str, str]
    selected: dict[str, exp.Expr]
    common: dict[str, exp.Expr]
    outer: Scope | None

    def find(self, column: exp.Column) -> str | None:
        """The identity of a column, "table.column"; None when the tables in sight do not have it."""
        name = "*" if isinstance(column.this, exp.Star) else column.name.lower()
        qualifier = column.table.lower()
        scope: Scope | None = self
        while scope is not None:
            table = scope._own(name, qualifier)
            if table is not None:
                return table
            scope = scope.outer
        if not qualifier and not self.names.tables and len(set(self.aliases.values())) == 1:
            return f"{next(iter(self.aliases.values()))}.{name}"
        return None

    def _own(self, name: str, qualifier: str) -> str | None:
        tables = self.names.tables
        if qualifier:
            table = self.aliases.get(qualifier)
            if table is None or (table in tables and name not in (*tables[table], *_ALWAYS_THERE)):
                return None
            return f"{table or '(subquery)'}.{name}"
        found = next((table for table in self.aliases.values() if name in tables.get(table, ())), None)
        if found is None and "" in self.aliases.values():
            found = "(subquery)"
        if found is None and tables and name in _ALWAYS_THERE and self.aliases:
            found = next(iter(self.aliases.values()))
        return None if found is None else f"{found}.{name}"

    def column(self, column: exp.Column) -> str:
        """The identity of a column, "?.column" for one that is nowhere, which is noted unless quotes make it text."""
        table = self.find(column)
        if table is not None:
            return table
        if not column.table and column.name.lower() in self.selected:
            return f"(selected).{column.name.lower()}"
        written = ".".join(part for part in (column.table.lower(), column.name.lower()) if part)
        quoted = column.this.args.get("quoted") and not column.table
        if self.names.tables and not quoted:
            self.names.unknown.append(written)
        return f"?.{written}"


AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Max: "max",
    exp.Min: "min",
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Sub: "-", exp.Add: "+", exp.Mul: "*", exp.Div: "/"}
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.GT: ">",
    exp.LT: "<",
    exp.GTE: ">=",
    exp.LTE: "<=",
    exp.Like: "like",
}
_SET_OPERATIONS: dict[type[exp.Expr], str] = {exp.Intersect: "intersect", exp.Except: "except", exp.Union: "union"}


@lru_cache(maxsize=256)  # the same gold and prediction are read for hardness, match and diagnosis in turn
def parse_select(query: str) -> exp.Expr:
    """The tree of one SELECT statement (set operations and WITH included), dialect sqlite. Copy it before changing it.

    Raises ScoringError when the text is not exactly one statement of that kind.
    """
    try:
        trees = [tree for tree in _SQLITE.parse(query) if tree is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise ScoringError(
            f"no SQL parser reads {query[:200]!r}: {(str(error) or type(error).__name__).splitlines()[0]}"
        ) from error
    if len(trees) != 1:
        raise ScoringError(f"expected one statement, found {len(trees)}: {query[:200]!r}")
    tree = trees[0].unnest() if isinstance(trees[0], exp.Subquery) else trees[0]
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise ScoringError(f"not a SELECT statement: {query[:200]!r}")
    return tree


def read_clauses(query: str, tables: Tables | None = None) -> Clauses:
    """The clauses of one SELECT. tables: the schema that columns without a table are looked up in.

    Raises ScoringError when the text is not one SELECT statement.
    """
    tree = parse_select(query)
    names = Names(tables or {}, [])
    try:
        clauses = _statement(tree, names, {}, None)
        return replace(clauses, unknown=tuple(dict.fromkeys(names.unknown)))
    except RecursionError as error:
        raise ScoringError(f"nested too deeply: {query[:200]!r}") from error


def _statement(tree: exp.Expr, names: Names, common: dict[str, exp.Expr], outer: Scope | None) -> Clauses:
    """A SELECT or a set operation, the latter nested to the right."""
    common = common | _common_tables(tree)
    chain: list[exp.Expr] = []
    operations: list[str] = []
    _flatten_set_operations(tree, chain, operations)
    trailing = tree if isinstance(tree, exp.SetOperation) else None
    clauses = _select(chain[-1], names, common, outer, trailing)
    for part, operation in zip(reversed(chain[:-1]), reversed(operations), strict=True):
        clauses = _with_set_operation(_select(part, names, common, outer, None), operation, clauses)
    return clauses


def _common_tables(tree: exp.Expr) -> dict[str, exp.Expr]:
    clause = tree.args.get("with_")
    return {} if clause is None else {cte.alias.lower(): cte.this for cte in clause.expressions}


def _flatten_set_operations(tree: exp.Expr, chain: list[exp.Expr], operations: list[str]) -> None:
    if isinstance(tree, exp.SetOperation):
        _flatten_set_operations(tree.left, chain, operations)
        operations.append(_SET_OPERATIONS[type(tree)] + ("" if tree.args.get("distinct") else " all"))
        _flatten_set_operations(tree.right, chain, operations)
    elif isinstance(tree, exp.Subquery) and not tree.alias:
        _flatten_set_operations(tree.this, chain, operations)
    else:
        chain.append(tree)


def _with_set_operation(part: Clauses, operation: str, other: Clauses) -> Clauses:
    """The first SELECT of a chain with the rest attached; a SELECT that brings its own chain gets it at the end."""
    if part.other is None:
        return replace(part, set_operation=operation, other=other)
    return replace(part, other=_with_set_operation(part.other, operation, other))


def _select(
    tree: exp.Expr, names: Names, common: dict[str, exp.Expr], outer: Scope | None, trailing: exp.Expr | None
) -> Clauses:
    """One SELECT; trailing: the set operation whose ORDER BY and LIMIT the official parser gives to this part."""
    if not isinstance(tree, exp.Select):
        return Clauses(select=(Selected("", Unit(OPAQUE, Term("", _written(tree).lower(), False))),))
    common = common | _common_tables(tree)
    from_ = tree.args.get("from_")
    sources = ([] if from_ is None else [(from_.this, "", None)]) + [
        (join.this, _join_kind(join), join.args.get("on")) for join in tree.args.get("joins") or []
    ]
    scope = Scope(names, {}, {}, common, outer)
    units = tuple(_table_unit(source, kind, scope) for source, kind, _ in sources)
    for expression in tree.expressions:
        if isinstance(expression, exp.Alias):
            scope.selected[expression.alias.lower()] = expression.this
    joins = _and_all([_conditions(on, scope) for _, _, on in sources if on is not None])
    ordered = _clause(tree, "order") + ([] if trailing is None else _clause(trailing, "order"))
    limits = [part.args["limit"] for part in (tree, trailing) if part is not None and part.args.get("limit")]
    return Clauses(
        select=tuple(_selected(expression, scope) for expression in tree.expressions),
        distinct=tree.args.get("distinct") is not None,
        tables=units,
        joins=joins,
        where=_conditions(_condition_of(tree, "where"), scope),
        group=tuple(_term_of(expression, scope) for expression in _clause(tree, "group")),
        having=_conditions(_condition_of(tree, "having"), scope),
        order=_order(ordered, scope),
        limit=bool(limits),
        directions=tuple("desc" if item.args.get("desc") else "asc" for item in ordered),
        limit_text=_written(limits[0].expression) if limits and limits[0].expression else "",
    )


def _clause(tree: exp.Expr, name: str) -> list[exp.Expr]:
    clause = tree.args.get(name)
    return [] if clause is None else list(clause.expressions)


def _condition_of(tree: exp.Expr, name: str) -> exp.Expr | None:
    condition = tree.args.get(name)
    return None if condition is None else condition.this


def _join_kind(join: exp.Join) -> str:
    words = [join.args.get("method"), join.side, "" if join.kind in {"INNER", "CROSS"} else join.kind]
    using = join.args.get("using") or []
    words.append("using " + ", ".join(column.name for column in using) if using else "")
    return " ".join(word for word in words if word).lower()


def _table_unit(source: exp.Expr, kind: str, scope: Scope) -> TableUnit:
    if isinstance(source, exp.Table):
        name = source.name.lower()
        alias = (source.alias or source.name).lower()
        if name in scope.common:
            scope.aliases[alias] = ""
            rest = {key: value for key, value in scope.common.items() if key != name}
            return TableUnit("", _statement(scope.common[name], scope.names, rest, scope.outer), kind)
        scope.aliases[alias] = name
        return TableUnit(name, None, kind)
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select | exp.SetOperation):
        scope.aliases[source.alias.lower()] = ""
        return TableUnit("", _statement(source.this, scope.names, scope.common, scope.outer), kind)
    if isinstance(source, exp.Subquery | exp.Paren):
        return _table_unit(source.this, kind, scope)
    return TableUnit(_written(source).lower(), None, kind)


def _selected(expression: exp.Expr, scope: Scope) -> Selected:
    expression = _plain(expression, scope, aliases=False)
    aggregate = AGGREGATES.get(type(expression))
    if aggregate is None or expression.expressions:
        return Selected("", _unit(expression, scope))
    inner = expression.this
    if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
        unit = _unit(inner.expressions[0], scope)
        left = Term(unit.left.aggregate, unit.left.column, True)
        return Selected(aggregate, Unit(unit.operator, left, unit.right))
    return Selected(aggregate, _unit(inner, scope))


def _plain(expression: exp.Expr, scope: Scope, aliases: bool = True) -> exp.Expr:
    """The expression without its alias and needless parentheses; a selected alias becomes what it names."""
    while isinstance(expression, exp.Alias | exp.Paren):
        expression = expression.this
    if aliases and isinstance(expression, exp.Column) and not expression.table:
        named = scope.selected.get(expression.name.lower())
        if named is not None and scope.find(expression) is None:
            return _plain(named, scope, aliases=False)
    return expression


def _unit(expression: exp.Expr, scope: Scope) -> Unit:
    expression = _plain(expression, scope)
    operator = _ARITHMETIC.get(type(expression))
    if operator is not None:
        left, right = _term(expression.this, scope), _term(expression.expression, scope)
        if left is not None and right is not None:
            return Unit(operator, left, right)
    term = _term(expression, scope)
    return Unit("", term) if term is not None else Unit(OPAQUE, _opaque(expression, scope))


def _term_of(expression: exp.Expr, scope: Scope) -> Term:
    expression = _plain(expression, scope)
    return _term(expression, scope) or _opaque(expression, scope)


def _term(expression: exp.Expr, scope: Scope) -> Term | None:
    """A column or an aggregate of one column; None for anything else."""
    expression = _plain(expression, scope)
    aggregate = AGGREGATES.get(type(expression), "")
    distinct = False
    if aggregate:
        if expression.expressions:
            return None
        expression = expression.this
        if isinstance(expression, exp.Distinct):
            if len(expression.expressions) != 1:
                return None
            expression, distinct = expression.expressions[0], True
        expression = expression.unnest()
    if isinstance(expression, exp.Star):
        return Term(aggregate, "*", distinct)
    if isinstance(expression, exp.Column):
        return Term(aggregate, scope.column(expression), distinct)
    return None


def _opaque(expression: exp.Expr, scope: Scope) -> Term:
    """The whole expression by its text: names resolved and in lower case, literals blanked."""

    def normalise(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Literal):
            return exp.Placeholder()
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return exp.to_identifier(scope.column(node), quoted=True)
        return node

    return Term("", _written(expression.transform(normalise)).lower(), False)


def _written(expression: exp.Expr) -> str:
    """The text of an expression in SQLite's words."""
    if isinstance(expression, exp.Literal):  # by far the most: as the generator writes them, without its detours
        text = str(expression.name)
        return "'" + text.replace("'", "''") + "'" if expression.is_string else text
    return str(_SQLITE.generate(expression))


def _order(ordered: list[exp.Expr], scope: Scope) -> tuple[str, tuple[Unit, ...]] | None:
    if not ordered:
        return None
    direction = "asc"
    for item in ordered:
        if item.args.get("desc") is not None:
            direction = "desc" if item.args["desc"] else "asc"
    return direction, tuple(_unit(item.this, scope) for item in ordered)


def _conditions(tree: exp.Expr | None, scope: Scope) -> Conditions:
    """AND and OR as they stand; what parentheses group differently from the plain reading is opaque."""
    if tree is None or isinstance(tree, exp.Boolean):
        return Conditions()
    if isinstance(tree, exp.Paren):
        return _conditions(tree.this, scope)
    if isinstance(tree, exp.And | exp.Or):
        connector = "and" if isinstance(tree, exp.And) else "or"
        left = _side(tree, tree.left, scope)
        right = _side(tree, tree.right, scope)
        between = (connector,) if left.units and right.units else ()
        return Conditions(left.units + right.units, left.connectors + between + right.connectors)
    return Conditions((_condition(tree, scope),))


def _side(parent: exp.Expr, child: exp.Expr, scope: Scope) -> Conditions:
    inner = child.unnest()
    if isinstance(child, exp.Paren) and isinstance(parent, exp.And) and isinstance(inner, exp.Or):
        return Conditions((Condition(False, OPAQUE, Unit(OPAQUE, _opaque(inner, scope))),))
    return _conditions(child, scope)


def _and_all(parts: list[Conditions]) -> Conditions:
    units: tuple[Condition, ...] = ()
    connectors: tuple[str, ...] = ()
    for part in parts:
        if part.units:
            connectors += (("and",) if units else ()) + part.connectors
            units += part.units
    return Conditions(units, connectors)


def _condition(tree: exp.Expr, scope: Scope) -> Condition:
    negated = False
    whole = tree
    while isinstance(tree, exp.Not | exp.Paren):
        negated ^= isinstance(tree, exp.Not)
        tree = tree.this
    negated ^= bool(tree.args.get("negate"))
    operator = _COMPARISONS.get(type(tree))
    values: list[exp.Expr] = []
    if operator is not None:
        values = [tree.expression]
    elif isinstance(tree, exp.Between):
        operator, values = "between", [tree.args["low"], tree.args["high"]]
    elif isinstance(tree, exp.In) and tree.args.get("query") is not None:
        operator, values = "in", [tree.args["query"]]
    elif isinstance(tree, exp.In):
        operator, values = "in", list(tree.expressions)
    unit = _unit(tree.this, scope) if operator is not None else None
    if operator is None or unit is None or unit.operator == OPAQUE:
        return Condition(False, OPAQUE, Unit(OPAQUE, _opaque(whole, scope)))
    nested = [_nested(value, scope) for value in values] + [None, None]
    texts = tuple(_value_text(value, scope) for value in values)
    return Condition(negated, operator, unit, nested[0], nested[1], texts)


def _value_text(value: exp.Expr, scope: Scope) -> str:
    """A compared value: 'text', a number, "table.column" or another expression's text.

    SQLite reads a name in double quotes that no table has as text, and so does this.
    """
    value = value.unnest()
    if not isinstance(value, exp.Column):
        return _written(value)
    column = scope.column(value)
    if value.this.args.get("quoted") and not value.table and (column.startswith("?.") or not scope.names.tables):
        return _written(exp.Literal.string(value.name))
    return column


def _nested(value: exp.Expr, scope: Scope) -> Clauses | None:
    inner = value.unnest()
    if isinstance(inner, exp.Select | exp.SetOperation):
        return _statement(inner, scope.names, scope.common, scope)
    return None
