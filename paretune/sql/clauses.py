"""A SELECT statement as the clauses that Spider's official scripts compare; sql_reading.py makes them of a text."""

from __future__ import annotations

from dataclasses import dataclass, field

OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Term:
    """One column, perhaps aggregated. column: "table.column", "*" or, in an opaque unit, the normalised text."""

    aggregate: str
    column: str
    distinct: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """A term, or two terms joined by one of - + * /, or an opaque expression (operator OPAQUE)."""

    operator: str
    left: Term
    right: Term | None = None


@dataclass(frozen=True, slots=True)
class Selected:
    """One selected unit; an aggregate around it is kept apart, as the official parser does."""

    aggregate: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Condition:
    """unit operator value; BETWEEN has two values, which are kept as clauses where they are subqueries.

    values: the text of each value, a literal as SQL writes it, a column as "table.column"; it takes no part in
    equality, as in the official script.
    """

    negated: bool
    operator: str
    unit: Unit
    first: Clauses | None = None
    second: Clauses | None = None
    values: tuple[str, ...] = field(default=(), compare=False)

    @property
    def nested(self) -> tuple[Clauses, ...]:
        """The subqueries that the unit is compared with."""
        return tuple(value for value in (self.first, self.second) if value is not None)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions in their order, and the n - 1 connectors ("and", "or") between them."""

    units: tuple[Condition, ...] = ()
    connectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableUnit:
    """One entry of FROM: a table's lower-case name or a subquery. join: "" for plain, else e.g. "left"."""

    name: str
    subquery: Clauses | None = None
    join: str = ""


@dataclass(frozen=True, slots=True)
class Clauses:
    """One SELECT. order: (the last direction written, "asc" when none; the units), None without ORDER BY.

    directions (one per unit of ORDER BY) and limit_text are kept for explanations, unknown (of a whole statement: the
    columns that no table in sight has) for the verdict; they take no part in equality.
    """

    select: tuple[Selected, ...]
    distinct: bool = False
    tables: tuple[TableUnit, ...] = ()
    joins: Conditions = field(default_factory=Conditions)
    where: Conditions = field(default_factory=Conditions)
    group: tuple[Term, ...] = ()
    having: Conditions = field(default_factory=Conditions)
    order: tuple[str, tuple[Unit, ...]] | None = None
    limit: bool = False
    set_operation: str = ""
    other: Clauses | None = None
    directions: tuple[str, ...] = field(default=(), compare=False)
    limit_text: str = field(default="", compare=False)
    unknown: tuple[str, ...] = field(default=(), compare=False)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of ON, WHERE and HAVING."""
        return self.joins.units + self.where.units + self.having.units

    @property
    def connectors(self) -> tuple[str, ...]:
        """All connectors of ON, WHERE and HAVING."""
        return self.joins.connectors + self.where.connectors + self.having.connectors
