"""In what a predicted query differs from its gold, clause by clause, each difference with a sentence about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from paretune.sql.clauses import OPAQUE, Clauses, Condition, Selected, Term, Unit
from paretune.sql.database import SchemaNames
from paretune.sql.spider_metrics import comparable
from paretune.text import Phrase

Where = Phrase | str  # the place within a query, "" for the outermost one


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
    phrase: Phrase

    @property
    def explanation(self) -> str:
        """The sentence in English."""
        return str(self.phrase)


def find_differences(given: Clauses, wanted: Clauses, schema: SchemaNames) -> list[Difference]:
    """Every difference found between prediction and gold, most telling first; empty when the clauses are alike.

    The clauses must have been read with the schema's tables.
    """
    differences = list(_statement(given, wanted, schema, ""))
    if not differences:  # foreign keys may tie two different columns together, as two references to one table
        differences = list(_statement(given, wanted, SchemaNames(schema.tables), ""))
    rank = {error_class: position for position, error_class in enumerate(ErrorClass)}
    return sorted(differences, key=lambda difference: rank[difference.error_class])


def _statement(given: Clauses, wanted: Clauses, schema: SchemaNames, where: Where) -> Iterator[Difference]:
    if given.set_operation != wanted.set_operation:
        yield Difference(ErrorClass.SET_OPERATION, _set_operation(given, wanted, where))
    elif given.other is not None and wanted.other is not None:
        place = Phrase("place.query-after", {"operator": wanted.set_operation.upper(), "where": where})
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


def _set_operation(given: Clauses, wanted: Clauses, where: Where) -> Phrase:
    names = {"wanted": wanted.set_operation.upper(), "given": given.set_operation.upper(), "where": where}
    if not wanted.set_operation:
        return Phrase("sql.drop-set-operation", {"given": names["given"], "where": where})
    if not given.set_operation:
        return Phrase("sql.combine", {"wanted": names["wanted"], "where": where})
    return Phrase("sql.use-instead", names)


def _unknown_names(given: Clauses, schema: SchemaNames, where: Where) -> Iterator[Difference]:
    """Names that SQLite let pass: a quoted name that no table has is text to it."""
    if not schema.tables:
        return
    for term in _terms(given):
        if term.column.startswith("?."):
            fields = {"column": term.column[2:], "where": where}
            owners = ", ".join(schema.tables_with(term.column.rpartition(".")[2]))
            phrase = Phrase("sql.quoted-column", fields)
            if owners:
                phrase = Phrase("sql.quoted-column-elsewhere", {**fields, "tables": owners})
            yield Difference(ErrorClass.UNKNOWN_COLUMN, phrase)


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
    tables: set[str] = set()
    inner = [nested for condition in clauses.conditions for nested in condition.nested]
    inner += [unit.subquery for unit in clauses.tables if unit.subquery is not None]
    for part in inner:
        tables |= set(_table_names(part)) | _nested_tables(part)
    return tables


def _tables(given: Clauses, wanted: Clauses, schema: SchemaNames, where: Where) -> Iterator[Difference]:
    missing = _table_names(wanted) - _table_names(given)
    extra = _table_names(given) - _table_names(wanted)
    both = {"wanted": ", ".join(sorted(missing)), "given": ", ".join(sorted(extra)), "where": where}
    tables = {"tables": ", ".join(sorted(missing or extra)), "where": where}
    if missing and extra:
        yield Difference(ErrorClass.WRONG_TABLE, Phrase("sql.read-instead", both))
    elif missing and set(missing) <= _nested_tables(given):
        yield Difference(ErrorClass.OTHER, Phrase("sql.join-not-subquery", tables))
    elif missing:
        yield Difference(ErrorClass.MISSING_JOIN, Phrase("sql.join-missing", tables))
    elif extra and set(extra) <= _nested_tables(wanted):
        yield Difference(ErrorClass.OTHER, Phrase("sql.subquery-not-join", tables))
    elif extra:
        yield Difference(ErrorClass.NEEDLESS_JOIN, Phrase("sql.join-needless", tables))
    else:
        yield from _joins(given, wanted, where)
    inner = [[unit.subquery for unit in part.tables if unit.subquery is not None] for part in (given, wanted)]
    if len(inner[0]) != len(inner[1]):
        code = "sql.from-subquery" if len(inner[0]) < len(inner[1]) else "sql.from-tables"
        yield Difference(ErrorClass.WRONG_TABLE, Phrase(code, {"where": where}))
    for one, other in zip(*inner, strict=False):
        yield from _statement(one, other, schema, Phrase("place.from", {"where": where}))


def _joins(given: Clauses, wanted: Clauses, where: Where) -> Iterator[Difference]:
    kinds = [Counter(unit.join for unit in part.tables[1:]) for part in (given, wanted)]
    if kinds[0] != kinds[1]:
        names = [
            ", ".join(f"{kind} join".upper().strip() for kind in (part - rest) if kind or rest - part)
            for part, rest in ((kinds[0], kinds[1]), (kinds[1], kinds[0]))
        ]
        joins = {"wanted": names[1] or "JOIN", "given": names[0] or "JOIN", "where": where}
        yield Difference(ErrorClass.WRONG_JOIN_KEY, Phrase("sql.use-instead", joins))
        return
    either = ["or" in part.joins.connectors for part in (given, wanted)]
    if either[0] != either[1]:
        words = ("OR", "AND") if either[1] else ("AND", "OR")
        connectors = {"wanted": words[0], "given": words[1], "where": where}
        yield Difference(ErrorClass.WRONG_JOIN_KEY, Phrase("sql.join-connector", connectors))
        return
    has, needs = _equal_columns(given), _equal_columns(wanted)
    if has == needs:
        return
    lacking = "; ".join(sorted(" = ".join(sorted(group)) for group in needs - has))
    extra = "; ".join(sorted(" = ".join(sorted(group)) for group in has - needs))
    if lacking and extra:
        phrase = Phrase("sql.join-on", {"wanted": lacking, "given": extra, "where": where})
    elif lacking:
        phrase = Phrase("sql.join-condition-missing", {"condition": lacking, "where": where})
    else:
        phrase = Phrase("sql.condition-needless", {"condition": extra, "where": where})
    yield Difference(ErrorClass.WRONG_JOIN_KEY, phrase)


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


def _selection(given: Clauses, wanted: Clauses, where: Where) -> Iterator[Difference]:
    has, needs = Counter(given.select), Counter(wanted.select)
    if has == needs:
        return
    extra, missing = has - needs, needs - has
    lacking, surplus = (", ".join(_selected_text(item) for item in part.elements()) for part in (missing, extra))
    both = {"wanted": lacking, "given": surplus, "where": where}
    if Counter(item.unit for item in given.select) == Counter(item.unit for item in wanted.select):
        yield Difference(ErrorClass.WRONG_AGGREGATE, Phrase("sql.select-instead", both))
    elif len(given.select) < len(wanted.select):
        too = Phrase("sql.select-too", {"wanted": lacking, "where": where})
        yield Difference(ErrorClass.MISSING_COLUMNS, Phrase("sql.select-instead", both) if extra else too)
    elif len(given.select) > len(wanted.select):
        needless = Phrase("sql.select-not", {"given": surplus, "where": where})
        yield Difference(ErrorClass.EXTRA_COLUMNS, Phrase("sql.select-only", both) if missing else needless)
    else:
        counted = any(item.aggregate for item in missing) != any(item.aggregate for item in extra)
        kind = ErrorClass.WRONG_AGGREGATE if counted else ErrorClass.WRONG_COLUMNS
        yield Difference(kind, Phrase("sql.select-instead", both))


def _grouping(given: Clauses, wanted: Clauses, where: Where) -> Iterator[Difference]:
    has, needs = ([term.column for term in part.group] for part in (given, wanted))
    if sorted(has) == sorted(needs):
        return
    phrase = _instead("sql.group", "sql.group-not", "sql.group-instead", (", ".join(has), ", ".join(needs)), where)
    yield Difference(ErrorClass.WRONG_GROUPING, phrase)


def _instead(wanted: str, given: str, both: str, texts: tuple[str, str], where: Where) -> Phrase:
    """The phrase of one of three codes, by which of the texts (given, wanted) there are."""
    fields = {"given": texts[0], "wanted": texts[1], "where": where}
    if all(texts):
        return Phrase(both, fields)
    left_out = "given" if texts[1] else "wanted"
    return Phrase(wanted if texts[1] else given, {name: text for name, text in fields.items() if name != left_out})


def _filters(given: Clauses, wanted: Clauses, schema: SchemaNames, where: Where) -> Iterator[Difference]:
    for clause in ("WHERE", "HAVING"):
        has, needs = (
            [item for item in _filter_units(part, clause) if not _binds_columns(item)] for part in (given, wanted)
        )
        place = where if clause == "WHERE" else Phrase("place.having", {"where": where})
        _take_pairs(has, needs, lambda item, other: item == other and item.values == other.values)
        yield from _unmatched(has, needs, schema, place)
    connectors = [set(part.where.connectors) | set(part.having.connectors) for part in (given, wanted)]
    if connectors[0] != connectors[1] and len(given.where.units) == len(wanted.where.units):
        text = [" and ".join(sorted(words)).upper() for words in connectors]
        phrase = Phrase("sql.filter-connector", {"wanted": text[1], "given": text[0], "where": where})
        yield Difference(ErrorClass.WRONG_FILTER, phrase)


def _filter_units(part: Clauses, clause: str) -> tuple[Condition, ...]:
    return part.joins.units + part.where.units if clause == "WHERE" else part.having.units


def _unmatched(has: list[Condition], needs: list[Condition], schema: SchemaNames, place: Where) -> Iterator[Difference]:
    """Pairs the conditions that have no equal by what they share, and reports what is left on either side."""
    for shared in (_same_but_value, _same_unit, _same_operator):
        for item, other in _take_pairs(has, needs, shared):
            yield from _condition(item, other, schema, place)
    for item, other in zip(has, needs, strict=False):
        yield Difference(ErrorClass.WRONG_FILTER, _filter_by(other, item, place))
    for other in needs[len(has) :]:
        missing = Phrase("sql.condition-missing", {"condition": condition_text(other), "where": place})
        yield Difference(ErrorClass.MISSING_FILTER, missing)
    for item in has[len(needs) :]:
        needless = Phrase("sql.condition-needless", {"condition": condition_text(item), "where": place})
        yield Difference(ErrorClass.NEEDLESS_FILTER, needless)


def _filter_by(wanted: Condition, given: Condition, place: Where) -> Phrase:
    return Phrase("sql.filter-by", {"wanted": condition_text(wanted), "given": condition_text(given), "where": place})


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


def _condition(given: Condition, wanted: Condition, schema: SchemaNames, place: Where) -> Iterator[Difference]:
    if _same_but_value(given, wanted):
        if given.nested and wanted.nested:
            for one, other in zip(given.nested, wanted.nested, strict=False):
                inner = Phrase("place.subquery", {"unit": unit_text(wanted.unit), "where": place})
                yield from _statement(one, other, schema, inner)
            return
        if not given.nested and not wanted.nested and not any(map(_is_column, given.values + wanted.values)):
            yield Difference(ErrorClass.WRONG_LITERAL, _literal(given, wanted, place))
            return
    columns = given.unit.left.column == wanted.unit.left.column
    aggregate = columns and given.unit.left.aggregate != wanted.unit.left.aggregate
    kind = ErrorClass.WRONG_AGGREGATE if aggregate else ErrorClass.WRONG_FILTER
    yield Difference(kind, _filter_by(wanted, given, place))


def _literal(given: Condition, wanted: Condition, place: Where) -> Phrase:
    has, needs = ", ".join(given.values), ", ".join(wanted.values)
    code = "sql.literal"
    if has.lower() == needs.lower():
        code = "sql.literal-case"
    elif has.replace("%", "") == needs.replace("%", ""):
        code = "sql.literal-wildcard"
    elif has.strip("'") == needs.strip("'"):
        code = "sql.literal-type"
    elif _close(has, needs):
        code = "sql.literal-spelling"
    return Phrase(code, {"unit": unit_text(wanted.unit), "wanted": needs, "given": has, "where": place})


def _close(one: str, other: str) -> bool:
    return one.startswith("'") and other.startswith("'") and SequenceMatcher(None, one, other).ratio() > 0.75


def _distinct(given: Clauses, wanted: Clauses, where: Where) -> Iterator[Difference]:
    counted = [
        Counter((item.aggregate, item.unit.left.column) for item in part.select if item.unit.left.distinct)
        for part in (given, wanted)
    ]
    if given.distinct != wanted.distinct:
        code = "sql.distinct-missing" if wanted.distinct else "sql.distinct-needless"
        yield Difference(ErrorClass.DISTINCT, Phrase(code, {"where": where}))
    elif counted[0] != counted[1]:
        names = [", ".join(f"{aggregate}({column})" for aggregate, column in part) for part in counted]
        code = "sql.distinct-inside" if names[1] else "sql.distinct-not-inside"
        yield Difference(ErrorClass.DISTINCT, Phrase(code, {"aggregates": names[1] or names[0], "where": where}))


def _order_and_limit(given: Clauses, wanted: Clauses, where: Where) -> Iterator[Difference]:
    has, needs = (_order_text(part) for part in (given, wanted))
    if given.limit != wanted.limit or given.limit_text != wanted.limit_text:
        limits = tuple(f"LIMIT {part.limit_text}" if part.limit else "" for part in (given, wanted))
        phrase = _instead("sql.use-not-none", "sql.no-limit", "sql.use-instead", (limits[0], limits[1]), where)
        yield Difference(ErrorClass.WRONG_LIMIT, phrase)
    if has != needs:
        phrase = _instead("sql.order", "sql.order-not", "sql.order-instead", (has, needs), where)
        yield Difference(ErrorClass.WRONG_ORDER, phrase)


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


def condition_text(condition: Condition) -> Phrase | str:
    """A condition as a person would write it; a subquery is only said to be one."""
    if condition.operator == OPAQUE:
        return unit_text(condition.unit)
    operator = ("not " if condition.negated else "") + condition.operator
    if condition.nested:
        return Phrase("sql.on-subquery", {"condition": f"{unit_text(condition.unit)} {operator}"})
    values = " and ".join(condition.values)
    if condition.operator == "in":
        values = f"({', '.join(condition.values)})"
    return f"{unit_text(condition.unit)} {operator} {values}"
