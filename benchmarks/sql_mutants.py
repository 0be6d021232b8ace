"""Gold queries changed in one place, to find where two scorers of SQL disagree."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from paretune.sql.database import SchemaNames
from paretune.sql.records import SqlQuestion

_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ)
_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)
_SET_OPERATIONS = (exp.Union, exp.Intersect, exp.Except)


@dataclass(frozen=True)
class Mutant:
    """A changed gold query. kind: what was changed."""

    question: SqlQuestion
    kind: str
    sql: str


def mutants(
    questions: Sequence[SqlQuestion], schemas: dict[str, SchemaNames], per_question: int, seed: int
) -> list[Mutant]:
    """per_question different mutants of each gold query (fewer where the query offers fewer), seeded."""
    generator = random.Random(seed)
    made = []
    for question in questions:
        seen = {question.gold}
        kinds = [kind for kind in [*_TREE_CHANGES, *_TEXT_CHANGES] for _ in range(2)]
        generator.shuffle(kinds)
        for kind in kinds:
            if len(seen) > per_question:
                break
            sql = _mutate(question, kind, schemas[question.db_id], generator)
            if sql is not None and sql not in seen:
                seen.add(sql)
                made.append(Mutant(question, kind, sql))
    return made


def _mutate(question: SqlQuestion, kind: str, schema: SchemaNames, generator: random.Random) -> str | None:
    if kind in _TEXT_CHANGES:
        return _TEXT_CHANGES[kind](question.gold, generator)
    tree = sqlglot.parse_one(question.gold, dialect="sqlite")
    if not _TREE_CHANGES[kind](tree, schema, generator):
        return None
    return str(tree.sql(dialect="sqlite"))


def _one(tree: exp.Expr, kinds: tuple[type, ...], generator: random.Random) -> exp.Expr | None:
    found = list(tree.find_all(*kinds))
    return generator.choice(found) if found else None


def _comparison(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, _COMPARISONS, generator)
    if node is None:
        return False
    node.replace(generator.choice(_COMPARISONS)(this=node.this.copy(), expression=node.expression.copy()))
    return True


def _aggregate(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, _AGGREGATES, generator)
    if node is None:
        return False
    node.replace(generator.choice(_AGGREGATES)(this=node.this.copy()))
    return True


def _column(tree: exp.Expr, schema: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Column,), generator)
    names = [name for columns in schema.tables.values() for name in columns]
    if node is None or not names:
        return False
    node.set("this", exp.to_identifier(generator.choice(names)))
    return True


def _table(tree: exp.Expr, schema: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Table,), generator)
    if node is None:
        return False
    node.set("this", exp.to_identifier(generator.choice(list(schema.tables))))
    return True


def _join(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Join,), generator)
    if node is None:
        return False
    change = generator.choice(("left", "drop condition", "drop"))
    if change == "left":
        node.set("side", "LEFT")
    elif change == "drop condition":
        node.set("on", None)
    else:
        node.pop()
    return True


def _order(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Ordered,), generator)
    if node is not None and generator.random() < 0.6:
        node.set("desc", not node.args.get("desc"))
        return True
    if node is not None:
        node.find_ancestor(exp.Order).pop()
        return True
    if not isinstance(tree, exp.Select):
        return False
    tree.order_by("1", copy=False)
    return True


def _limit(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Limit,), generator)
    if node is not None and generator.random() < 0.4:
        node.pop()
        return True
    if not isinstance(tree, (exp.Select, *_SET_OPERATIONS)):
        return False
    tree.limit(generator.choice((0, 1, 2, 3, 1000)), copy=False)
    return True


def _literal(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Literal,), generator)
    if node is None:
        return False
    if not node.is_string:
        changed = str(float(node.this)) if generator.random() < 0.5 else str(float(node.this) + 1)
        node.replace(exp.Literal.number(changed))
        return True
    text = generator.choice((node.this.upper(), node.this.lower(), node.this + " ", "'" + node.this, "distinct"))
    node.replace(exp.Literal.string(text))
    return True


def _distinct(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Select,), generator)
    if node is None:
        return False
    node.set("distinct", None if node.args.get("distinct") else exp.Distinct())
    return True


def _selected(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Select,), generator)
    if node is None:
        return False
    chosen = list(node.expressions)
    change = generator.choice(("shuffle", "drop", "repeat", "star", "as real"))
    if change == "shuffle":
        generator.shuffle(chosen)
    elif change == "drop":
        chosen.pop(generator.randrange(len(chosen)))
    elif change == "repeat":
        chosen.insert(0, generator.choice(chosen).copy())
    elif change == "star":
        chosen = [exp.Star()]
    else:
        place = generator.randrange(len(chosen))
        chosen[place] = exp.Mul(this=exp.paren(chosen[place].copy()), expression=exp.Literal.number("1.0"))
    node.set("expressions", chosen)
    return True


def _filter(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    node = _one(tree, (exp.Where, exp.Having, exp.Group, exp.And, exp.Or), generator)
    if node is None:
        return False
    if isinstance(node, exp.And | exp.Or):
        other = exp.Or if isinstance(node, exp.And) else exp.And
        node.replace(other(this=node.this.copy(), expression=node.expression.copy()))
    else:
        node.pop()
    return True


def _set_operation(tree: exp.Expr, _: SchemaNames, generator: random.Random) -> bool:
    if isinstance(tree, _SET_OPERATIONS):
        tree.set("distinct", not tree.args.get("distinct"))
        return isinstance(tree, exp.Union)
    return False


def _cut_token(sql: str, generator: random.Random) -> str:
    words = sql.split()
    words.pop(generator.randrange(len(words)))
    return " ".join(words)


def _doubled_token(sql: str, generator: random.Random) -> str:
    words = sql.split()
    place = generator.randrange(len(words))
    return " ".join([*words[:place], words[place], *words[place:]])


def _misspelt(sql: str, generator: random.Random) -> str:
    place = generator.randrange(1, len(sql))
    return sql[:place] + sql[place + 1 :]


def _cut_off(sql: str, generator: random.Random) -> str:
    return sql[: generator.randrange(8, len(sql))] if len(sql) > 9 else sql[:-1]


def _spelling(sql: str, generator: random.Random) -> str:
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: re.sub(r"([<>!])=", r"\1 =", text),
        lambda text: re.sub(r"(?i)order by", "ORDER  BY", text),
        lambda text: re.sub(r"(?i)select ", "SELECT DISTINCT ", text),
        lambda text: text.replace("'", '"'),
        lambda text: text.replace("=", "= value "),
        lambda text: f"SELECT * FROM ({text})",
        lambda text: f"  {text} ;",
        lambda text: f"{text} -- distinct",
    )
    return generator.choice(changes)(sql)


def _of_another_place(sql: str, generator: random.Random) -> str:
    """Wrapped so that the rows are the same in another order, or gone."""
    return f"SELECT * FROM ({sql}) ORDER BY 1 DESC" if generator.random() < 0.5 else f"SELECT * FROM ({sql}) WHERE 0"


_TREE_CHANGES: dict[str, Callable[[exp.Expr, SchemaNames, random.Random], bool]] = {
    "comparison": _comparison,
    "aggregate": _aggregate,
    "column": _column,
    "table": _table,
    "join": _join,
    "order": _order,
    "limit": _limit,
    "literal": _literal,
    "distinct": _distinct,
    "selected columns": _selected,
    "filter": _filter,
    "set operation": _set_operation,
}
_TEXT_CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "token missing": _cut_token,
    "token doubled": _doubled_token,
    "letter missing": _misspelt,
    "cut off": _cut_off,
    "spelling": _spelling,
    "order or emptiness": _of_another_place,
}
