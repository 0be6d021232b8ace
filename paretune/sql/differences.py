"""In what a predicted query differs from its gold, clause by clause, each difference with a sentence about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paretune.sql.clauses import OPAQUE, Clauses, Condition, Selected, Term, Unit
from paretune.sql.exact_match import comparable
from paretune.sql.schema import Schema


class ErrorClass(StrEnum):
    """Why a prediction is not right. The order is that of precedence where several apply."""

    NO_STATEMENT = "no_statement"
    SYNTAX = "syntax"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_COLUMN = "unknown_column"
    AMBIGUOUS_COLUMN = "ambiguous_column"
    UNKNOWN_FUNCTION = "unknown_function"
    SET_OPERATION = "set_operation"
    WRONG_TABLE = "wrong_table"
    MISSING_JOIN = "missing_join"
    NEEDLESS_JOIN = "needless_join"
    WRONG_JOIN_KEY = "wrong_join_key"
    WRONG_AGGREGATE = "wrong_aggregate"
    WRONG_COLUMNS = "wrong_columns"
    MISSING_COLUMNS = "missing_columns"
    EXTRA_COLUMNS = "extra_columns"
    WRONG_GROUPING = "wrong_grouping"
    MISSING_FILTER = "missing_filter"
    NEEDLESS_FILTER = "needless_filter"
    WRONG_FILTER = "wrong_filter"
    WRONG_LITERAL = "wrong_literal"
    DISTINCT = "distinct"
    WRONG_ORDER = "wrong_order"
    WRONG_LIMIT = "wrong_limit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a prediction departs from its gold, with a sentence that a person can act on."""

    error_class: ErrorClass
    explanation: str


def find_differences(given: Clauses, wanted: Clauses, schema: Schema) -> list[Difference]:
    """Every difference found between prediction and gold, most telling first; empty when the clauses are alike.

    The clauses must have been read with the schema's tables.
    """
    found = list(_statement(given, wanted, schema, ""))
    if not found:  # foreign keys may tie two columns together that are not the same, as two references to one table
        found = list(_statement(given, wanted, Schema(schema.tables), ""))
    rank = {error_class: position for position, error_class in enumerate(ErrorClass)}
    return sorted(found, key=lambda difference: rank[difference.error_class])


def _statement(given: Clauses, wanted: Clauses, schema: Schema, where: str) -> Iterator[Difference]:
    if given.set_operation != wanted.set_operation:
        yield Difference(ErrorClass.SET_OPERATION, _set_operation_text(given, wanted, where))
    elif given.other is not None and wanted.other is not None:
        place = f" in the query after {wanted.set_operation.upper()}{where}"
        yield from _statement(given.other, wanted.other, schema, place)
    yield from _unknown_names(given, schema, where)
    yield from _tables(given, wanted, schema, where)
    representatives = schema.representatives()
    one, other = comparable(given, representatives), comparable(wanted, representatives)
    yield from _selection(one, other, where)
    yield from _grouping(one, other, where)
    yield from _filters(one, other, schema, where)
    yield from _distinct(given, wanted, where)
    yield from _order_and_limit(one, other, where)


def _set_operation_text(given: Clauses, wanted: Clauses, where: str) -> str:
    if not wanted.set_operation:
        return f"Drop the {given.set_operation.upper()}{where}: the gold is a single query."
    if not given.set_operation:
        return f"Combine two queries with {wanted.set_operation.upper()}{where}, as the gold does."
    return f"Use {wanted.set_operation.upper()} instead of {given.set_operation.upper()}{where}."


def _unknown_names(given: Clauses, schema: Schema, where: str) -> Iterator[Difference]:
    """Names that SQLite let pass: a quoted name that no table has is text to it."""
    if not schema.tables:
        return
    for term in _terms(given):
        if term.column.startswith("?."):
            place = f"{where}{_elsewhere(term.column.rpartition('.')[2], schema)}"
            text = f"Column {term.column[2:]} is in none of the tables read{place}; in quotes SQLite takes it for text."
            yield Difference(ErrorClass.UNKNOWN_COLUMN, text)


def _elsewhere(column: str, schema: Schema) -> str:
    owners = schema.tables_with(column)
    return f" (it is in {', '.join(owners)})" if owners else ""


def _terms(clauses: Clauses) -> Iterator[Term]:
    units = [selected.unit for selected in clauses.select] + [item.unit for item in clauses.conditions]
    units += [] if clauses.order is None else list(clauses.order[1])
    for unit in units:
        if unit.operator != OPAQUE:
            yield unit.left
            if unit.right is not None:
                yield unit.right


def _table_names(clauses: Clauses) -> Counter[str]:
    return Counter(unit.name for unit in clauses.tables if unit.subquery is None)


def _nested_tables(clauses: Clauses) -> set[str]:
    found: set[str] = set()
    inner = [nested for condition in clauses.conditions for nested in condition.nested]
    inner += [unit.subquery for unit in clauses.tables if unit.subquery is not None]
    for part in inner:
        found |= set(_table_names(part)) | _nested_tables(part)
    return found


def _tables(given: Clauses, wanted: Clauses, schema: Schema, where: str) -> Iterator[Difference]:
    missing = _table_names(wanted) - _table_names(given)
    extra = _table_names(given) - _table_names(wanted)
    names = ", ".join(sorted(missing)), ", ".join(sorted(extra))
    if missing and extra:
        yield Difference(ErrorClass.WRONG_TABLE, f"Read {names[0]} instead of {names[1]}{where}.")
    elif missing and set(missing) <= _nested_tables(given):
        yield Difference(ErrorClass.OTHER, f"The gold joins {names[0]}{where} instead of reading it in a subquery.")
    elif missing:
        yield Difference(ErrorClass.MISSING_JOIN, f"Join {names[0]}{where}, which the gold reads too.")
    elif extra and set(extra) <= _nested_tables(wanted):
        yield Difference(ErrorClass.OTHER, f"The gold reads {names[1]} in a subquery{where} instead of joining it.")
    elif extra:
        yield Difference(ErrorClass.NEEDLESS_JOIN, f"Leave out {names[1]}{where}: the gold does not join it.")
    else:
        yield from _joins(given, wanted, where)
    inner = [[unit.subquery for unit in part.tables if unit.subquery is not None] for part in (given, wanted)]
    if len(inner[0]) != len(inner[1]):
        text = "Read from a subquery" if len(inner[0]) < len(inner[1]) else "Read from tables, not from a subquery"
        yield Difference(ErrorClass.WRONG_TABLE, f"{text} in FROM{where}, as the gold does.")
    for one, other in zip(*inner, strict=False):
        yield from _statement(one, other, schema, f" in the subquery of FROM{where}")


def _joins(given: Clauses, wanted: Clauses, where: str) -> Iterator[Difference]:
    kinds = [Counter(unit.join for unit in part.tables[1:]) for part in (given, wanted)]
    if kinds[0] != kinds[1]:
        names = [
            ", ".join(f"{kind} join".upper().strip() for kind in (part - rest) if kind or rest - part)
            for part, rest in ((kinds[0], kinds[1]), (kinds[1], kinds[0]))
        ]
        yield Difference(ErrorClass.WRONG_JOIN_KEY, f"Use {names[1] or 'JOIN'} instead of {names[0] or 'JOIN'}{where}.")
        return
    either = ["or" in part.joins.connectors for part in (given, wanted)]
    if either[0] != either[1]:
        words = ("OR", "AND") if either[1] else ("AND", "OR")
        text = f"Connect the join conditions with {words[0]}, not {words[1]}{where}."
        yield Difference(ErrorClass.WRONG_JOIN_KEY, text)
        return
    has, needs = _equal_columns(given), _equal_columns(wanted)
    if has == needs:
        return
    lacking = sorted(" = ".join(sorted(group)) for group in needs - has)
    found = sorted(" = ".join(sorted(group)) for group in has - needs)
    if lacking and found:
        text = f"Join on {'; '.join(lacking)} instead of {'; '.join(found)}{where}."
    elif lacking:
        text = f"Add the join condition {'; '.join(lacking)}{where}."
    else:
        text = f"Drop the condition {'; '.join(found)}{where}."
    yield Difference(ErrorClass.WRONG_JOIN_KEY, text)


def _binds_columns(condition: Condition) -> bool:
    """Whether the condition equates two columns, wherever it stands."""
    unit = condition.unit
    plain = unit.operator == "" and not unit.left.aggregate and condition.operator == "=" and not condition.negated
    return plain and len(condition.values) == 1 and _is_column(condition.values[0])


def _is_column(text: str) -> bool:
    table, dot, column = text.partition(".")
    return bool(dot) and not text.startswith("'") and not table.lstrip("-").isdigit() and column.isidentifier()


def _equal_columns(clauses: Clauses) -> set[frozenset[str]]:
    """The classes of columns that the conditions of ON and WHERE make equal."""
    classes: list[set[str]] = []
    for condition in clauses.joins.units + clauses.where.units:
        if _binds_columns(condition):
            pair = {condition.unit.left.column, condition.values[0]}
            touching = [members for members in classes if members & pair]
            classes = [members for members in classes if not members & pair] + [pair.union(*touching)]
    return {frozenset(members) for members in classes}


def _selection(given: Clauses, wanted: Clauses, where: str) -> Iterator[Difference]:
    has, needs = Counter(given.select), Counter(wanted.select)
    if has == needs:
        return
    extra, missing = has - needs, needs - has
    names = [", ".join(_selected_text(item) for item in part.elements()) for part in (missing, extra)]
    if Counter(item.unit for item in given.select) == Counter(item.unit for item in wanted.select):
        yield Difference(ErrorClass.WRONG_AGGREGATE, f"Select {names[0]} instead of {names[1]}{where}.")
    elif len(given.select) < len(wanted.select):
        instead = f" instead of {names[1]}" if extra else " too"
        yield Difference(ErrorClass.MISSING_COLUMNS, f"Select {names[0]}{instead}{where}.")
    elif len(given.select) > len(wanted.select):
        text = f"Select only {names[0]} instead of {names[1]}" if missing else f"Do not select {names[1]}"
        yield Difference(ErrorClass.EXTRA_COLUMNS, f"{text}{where}.")
    else:
        counted = any(item.aggregate for item in missing) != any(item.aggregate for item in extra)
        kind = ErrorClass.WRONG_AGGREGATE if counted else ErrorClass.WRONG_COLUMNS
        yield Difference(kind, f"Select {names[0]} instead of {names[1]}{where}.")


def _grouping(given: Clauses, wanted: Clauses, where: str) -> Iterator[Difference]:
    has, needs = ([term.column for term in part.group] for part in (given, wanted))
    if sorted(has) == sorted(needs):
        return
    if not has:
        text = f"Group by {', '.join(needs)}{where}."
    elif not needs:
        text = f"Do not group by {', '.join(has)}{where}."
    else:
        text = f"Group by {', '.join(needs)} instead of {', '.join(has)}{where}."
    yield Difference(ErrorClass.WRONG_GROUPING, text)


def _filters(given: Clauses, wanted: Clauses, schema: Schema, where: str) -> Iterator[Difference]:
    for clause in ("WHERE", "HAVING"):
        has, needs = (
            [item for item in _filter_units(part, clause) if not _binds_columns(item)] for part in (given, wanted)
        )
        place = where if clause == "WHERE" else f" in HAVING{where}"
        _take_pairs(has, needs, lambda item, other: item == other and item.values == other.values)
        yield from _unmatched(has, needs, schema, place)
    connectors = [set(part.where.connectors) | set(part.having.connectors) for part in (given, wanted)]
    if connectors[0] != connectors[1] and len(given.where.units) == len(wanted.where.units):
        text = [" and ".join(sorted(words)).upper() for words in connectors]
        yield Difference(ErrorClass.WRONG_FILTER, f"Connect the conditions with {text[1]}, not {text[0]}{where}.")


def _filter_units(part: Clauses, clause: str) -> tuple[Condition, ...]:
    return part.joins.units + part.where.units if clause == "WHERE" else part.having.units


def _unmatched(has: list[Condition], needs: list[Condition], schema: Schema, place: str) -> Iterator[Difference]:
    """Pairs the conditions that have no equal by what they share, and reports what is left on either side."""
    for shared in (_same_but_value, _same_unit, _same_operator):
        for item, other in _take_pairs(has, needs, shared):
            yield from _condition(item, other, schema, place)
    for item, other in zip(has, needs, strict=False):
        text = f"Filter by {condition_text(other)} instead of {condition_text(item)}{place}."
        yield Difference(ErrorClass.WRONG_FILTER, text)
    for other in needs[len(has) :]:
        yield Difference(ErrorClass.MISSING_FILTER, f"Add the condition {condition_text(other)}{place}.")
    for item in has[len(needs) :]:
        yield Difference(ErrorClass.NEEDLESS_FILTER, f"Drop the condition {condition_text(item)}{place}.")


def _take_pairs(
    has: list[Condition], needs: list[Condition], alike: Callable[[Condition, Condition], bool]
) -> list[tuple[Condition, Condition]]:
    """Remove from both lists, and return, the pairs that are alike; by identity, since equality ignores values."""
    pairs = []
    for item in list(has):
        match = next((other for other in needs if alike(item, other)), None)
        if match is not None:
            pairs.append((item, match))
            has[:] = [other for other in has if other is not item]
            needs[:] = [other for other in needs if other is not match]
    return pairs


def _same_but_value(one: Condition, other: Condition) -> bool:
    return (one.negated, one.operator, one.unit) == (other.negated, other.operator, other.unit)


def _same_unit(one: Condition, other: Condition) -> bool:
    return one.unit == other.unit


def _same_operator(one: Condition, other: Condition) -> bool:
    return one.operator == other.operator and one.values == other.values


def _condition(given: Condition, wanted: Condition, schema: Schema, place: str) -> Iterator[Difference]:
    if _same_but_value(given, wanted):
        if given.nested and wanted.nested:
            for one, other in zip(given.nested, wanted.nested, strict=False):
                yield from _statement(one, other, schema, f" in the subquery of {unit_text(wanted.unit)}{place}")
            return
        if not given.nested and not wanted.nested and not any(map(_is_column, given.values + wanted.values)):
            yield Difference(ErrorClass.WRONG_LITERAL, _literal_text(given, wanted, place))
            return
    columns = given.unit.left.column == wanted.unit.left.column
    aggregate = columns and given.unit.left.aggregate != wanted.unit.left.aggregate
    kind = ErrorClass.WRONG_AGGREGATE if aggregate else ErrorClass.WRONG_FILTER
    yield Difference(kind, f"Filter by {condition_text(wanted)} instead of {condition_text(given)}{place}.")


def _literal_text(given: Condition, wanted: Condition, place: str) -> str:
    has, needs = ", ".join(given.values), ", ".join(wanted.values)
    reason = ""
    if has.lower() == needs.lower():
        reason = " (letter case)"
    elif has.replace("%", "") == needs.replace("%", ""):
        reason = " (place of the % wildcard)"
    elif has.strip("'") == needs.strip("'"):
        reason = " (text against number)"
    elif _close(has, needs):
        reason = " (spelling)"
    return f"Compare {unit_text(wanted.unit)} with {needs}, not {has}{reason}{place}."


def _close(one: str, other: str) -> bool:
    from difflib import SequenceMatcher

    return one.startswith("'") and other.startswith("'") and SequenceMatcher(None, one, other).ratio() > 0.75


def _distinct(given: Clauses, wanted: Clauses, where: str) -> Iterator[Difference]:
    counted = [
        Counter((item.aggregate, item.unit.left.column) for item in part.select if item.unit.left.distinct)
        for part in (given, wanted)
    ]
    if given.distinct != wanted.distinct:
        text = "Select DISTINCT rows" if wanted.distinct else "Do not drop repeated rows with DISTINCT"
        yield Difference(ErrorClass.DISTINCT, f"{text}{where}.")
    elif counted[0] != counted[1]:
        names = [", ".join(f"{aggregate}({column})" for aggregate, column in part) for part in counted]
        text = f"Use DISTINCT inside {names[1]}" if names[1] else f"Do not use DISTINCT inside {names[0]}"
        yield Difference(ErrorClass.DISTINCT, f"{text}{where}.")


def _order_and_limit(given: Clauses, wanted: Clauses, where: str) -> Iterator[Difference]:
    has, needs = (_order_text(part) for part in (given, wanted))
    if given.limit != wanted.limit or given.limit_text != wanted.limit_text:
        change = f"LIMIT {wanted.limit_text}" if wanted.limit else "no LIMIT"
        instead = f"LIMIT {given.limit_text}" if given.limit else "none"
        yield Difference(ErrorClass.WRONG_LIMIT, f"Use {change} instead of {instead}{where}.")
    if has == needs:
        return
    if not needs:
        text = f"Do not order by {has}"
    elif not has:
        text = f"Order by {needs}"
    else:
        text = f"Order by {needs} instead of {has}"
    yield Difference(ErrorClass.WRONG_ORDER, f"{text}{where}.")


def _order_text(clauses: Clauses) -> str:
    units: Sequence[Unit] = () if clauses.order is None else clauses.order[1]
    parts = zip(units, clauses.directions, strict=True)
    return ", ".join(f"{unit_text(unit)} {direction}".removesuffix(" asc") for unit, direction in parts)


def unit_text(unit: Unit) -> str:
    """A unit as a person would write it.

    >>> unit_text(Unit("-", Term("", "t.a", False), Term("max", "t.b", True)))
    't.a - max(distinct t.b)'
    """
    left = _term_text(unit.left)
    return left if unit.right is None else f"{left} {unit.operator} {_term_text(unit.right)}"


def _term_text(term: Term) -> str:
    column = ("distinct " if term.distinct and term.aggregate else "") + term.column
    return f"{term.aggregate}({column})" if term.aggregate else column


def _selected_text(selected: Selected) -> str:
    text = unit_text(selected.unit)
    return f"{selected.aggregate}({text})" if selected.aggregate else text


def condition_text(condition: Condition) -> str:
    """A condition as a person would write it; a subquery is only said to be one."""
    if condition.operator == OPAQUE:
        return unit_text(condition.unit)
    operator = ("not " if condition.negated else "") + condition.operator
    values = "(a subquery)" if condition.nested else " and ".join(condition.values)
    if condition.operator == "in" and not condition.nested:
        values = f"({', '.join(condition.values)})"
    return f"{unit_text(condition.unit)} {operator} {values}"
