"""Test suites: several databases for one db_id, on all of which a prediction must agree with its gold.

Test-suite accuracy is the official Spider metric since 2020 (Zhong, Yu and Klein 2020, "Semantic Evaluation for
Text-to-SQL with Distilled Test Suites"): a folder database/<db_id>/ holds <db_id>.sqlite and variants of it with other
rows, and score_predictions runs a prediction on each. This module builds such folders. As in the paper, random
databases are kept for what they tell apart: each is chosen, among several drawn, for the near neighbours of the gold
queries (sql_neighbours.py) whose results it is the first to tell from the gold's.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from paretune.errors import DataError, EmptySample, ScoringError
from paretune.sql.database import SchemaNames, check_database, open_read_only, read_names
from paretune.sql.reading import parse_select
from paretune.sql.spider import read_questions
from paretune.sql.suite.neighbours import neighbours
from paretune.sql.suite.rows import fill
from paretune.sql.suite.tables import DatabasePlan, Value, plan_database

_CANDIDATES = 4  # databases drawn for each one kept
# What one query may cost, in steps of SQLite's machine rather than seconds, so that no clock decides what is built.
_GOLD_STEPS = 500_000_000
_NEIGHBOUR_STEPS = 20_000_000
_STEPS_A_TICK = 10_000
_MOST_ROWS = 50_000

Rows = list[tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """What a suite tells apart. neighbours: those that run, by kind; before: told from their gold by the original
    database alone; after: by the whole suite. ambiguous: variants of a gold query's result that depend on the order
    in which SQLite happens to read rows (ties), as (queries on the original, query-variant pairs on the variants).
    failed: gold queries that cannot be read, do not run, or return too much to compare, and so do not count."""

    db_id: str
    files: tuple[Path, ...]
    gold_queries: int
    neighbours: dict[str, int]
    before: dict[str, int]
    after: dict[str, int]
    ambiguous: tuple[int, int]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A gold query (by position) and one of its neighbours."""

    gold: int
    kind: str
    sql: str


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What one database tells: the pairs that it tells apart, golds with rows, and golds that ties make ambiguous."""

    told: frozenset[_Pair]
    with_rows: frozenset[int]
    ambiguous: int


def build_test_suite(
    database: Path, gold_queries: Sequence[str], directory: Path, databases: int, seed: int
) -> SuiteReport:
    """Write directory/<db_id>/: a copy of the database and `databases` variants with other rows (<db_id>_v001.sqlite).

    gold_queries: the queries that the suite shall tell from their near neighbours. Rows respect types, NOT NULL,
    primary, unique, check and foreign keys; NULL appears only in columns that hold one already. The same seed, input
    and SQLite version give the same files. Triggers and virtual tables are not carried over.

    Raises EmptySample when no gold query runs on the database, DataError when the database cannot be read, or the
    folder exists already and holds other files, or cannot be written.
    """
    if databases < 1:
        raise ScoringError(f"a suite of {databases} databases: expected at least 1")
    check_database(database)
    schema = read_names(database)
    target = _fresh_folder(directory / database.stem)
    with closing(open_read_only(database)) as original:
        golds, failed = _running(original, gold_queries)
        if not golds:
            raise EmptySample(f"{database}: none of its {len(gold_queries)} references runs, so nothing can be told")
        pairs = _running_pairs(original, golds, schema)
        before = _judge(original, golds, pairs)
        plan = plan_database(original, schema, golds)
    files = [_copy(database, target / f"{database.stem}.sqlite")]
    told, with_rows, ambiguous = set(before.told), set(before.with_rows), 0
    rng = random.Random(f"{seed} {database.stem}")
    for number in range(1, databases + 1):
        remaining = [pair for pair in pairs if pair not in told]
        best, judgement = _best_candidate(plan, golds, remaining, with_rows, rng)
        with closing(best):
            files.append(_write(best, target / f"{database.stem}_v{number:03d}.sqlite"))
        told |= judgement.told
        with_rows |= judgement.with_rows
        ambiguous += judgement.ambiguous
    return SuiteReport(
        db_id=database.stem,
        files=tuple(files),
        gold_queries=len(golds),
        neighbours=dict(Counter(pair.kind for pair in pairs)),
        before=dict(Counter(pair.kind for pair in before.told)),
        after=dict(Counter(pair.kind for pair in told)),
        ambiguous=(before.ambiguous, ambiguous),
        failed=tuple(failed),
    )


def read_gold_queries(spider: Path, splits: Sequence[str] = ("dev",)) -> dict[str, list[str]]:
    """The distinct gold queries of each db_id in a Spider folder, in file order. Raises DataError."""
    found: dict[str, dict[str, None]] = {}
    for split in splits:
        for question in read_questions(spider, split):
            found.setdefault(question.db_id, {})[question.gold] = None
    return {db_id: list(queries) for db_id, queries in found.items()}


def _fresh_folder(target: Path) -> Path:
    try:
        target.mkdir(parents=True, exist_ok=True)
        foreign = [path.name for path in target.iterdir() if not path.name.startswith(target.name)]
        if foreign:
            raise DataError(f"{target}: holds {foreign[0]}; give an empty folder for the suite")
        for path in target.glob(f"{target.name}_v*.sqlite"):
            path.unlink()
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror})") from error
    return target


def _run(connection: sqlite3.Connection, sql: str, steps: int) -> Rows:
    """The rows of a query; raises sqlite3.Error when it fails, takes too many steps or returns too much."""
    ticks = iter(range(steps // _STEPS_A_TICK))
    connection.set_progress_handler(lambda: next(ticks, None) is None, _STEPS_A_TICK)
    try:
        rows: Rows = connection.execute(sql).fetchmany(_MOST_ROWS + 1)
    finally:
        connection.set_progress_handler(None, 0)
    if len(rows) > _MOST_ROWS:
        raise sqlite3.DataError("more rows than are compared")
    return rows


def _runs(connection: sqlite3.Connection, sql: str) -> bool:
    try:
        _run(connection, sql, _GOLD_STEPS)
    except (sqlite3.Error, sqlite3.Warning):
        return False
    return True


def _running(connection: sqlite3.Connection, queries: Sequence[str]) -> tuple[list[str], list[str]]:
    good: list[str] = []
    bad: list[str] = []
    for query in dict.fromkeys(queries):
        try:
            parse_select(query)
        except ScoringError:
            bad.append(query)
            continue
        (good if _runs(connection, query) else bad).append(query)
    return good, bad


def _running_pairs(connection: sqlite3.Connection, golds: Sequence[str], schema: SchemaNames) -> list[_Pair]:
    return [
        _Pair(position, item.kind, item.sql)
        for position, gold in enumerate(golds)
        for item in neighbours(gold, schema)
        if _prepares(connection, item.sql)
    ]


def _prepares(connection: sqlite3.Connection, sql: str) -> bool:
    try:
        connection.execute("EXPLAIN " + sql)
    except (sqlite3.Error, sqlite3.Warning):
        return False
    return True


def _judge(connection: sqlite3.Connection, golds: Sequence[str], pairs: Sequence[_Pair]) -> _Judgement:
    """Run every gold and every pair's neighbour and compare: as sequences where the gold orders its rows, else as
    multisets."""
    results: dict[int, Rows] = {}
    ambiguous = 0
    for position, gold in enumerate(golds):
        try:
            results[position] = _run(connection, gold, _GOLD_STEPS)
            ambiguous += not _same(results[position], _run(connection, _backwards(gold), _NEIGHBOUR_STEPS), False)
        except sqlite3.Error:  # a view or a table WITHOUT ROWID has no order to turn round
            continue
    ordered = [parse_select(gold).args.get("order") is not None for gold in golds]
    told = set()
    for pair in pairs:
        if pair.gold in results:
            try:
                rows = _run(connection, pair.sql, _NEIGHBOUR_STEPS)
            except sqlite3.Error:
                continue
            if not _same(results[pair.gold], rows, ordered[pair.gold]):
                told.add(pair)
    return _Judgement(frozenset(told), frozenset(at for at, rows in results.items() if rows), ambiguous)


def _backwards(query: str) -> str:
    """The same query over tables whose rows come in reverse; another result shows a tie that LIMIT cuts, or a bare
    column beside an aggregate."""
    tree = parse_select(query).copy()
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier):
            continue  # a function that is a table has no rows to turn round
        alias = table.alias or table.name
        inner = exp.select("*").from_(exp.to_table(table.name)).order_by("rowid DESC", dialect="sqlite").limit(-1)
        inner.args["from_"].this.this.set("quoted", True)
        table.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True))))
    return str(tree.sql(dialect="sqlite"))


def _same(one: Rows, other: Rows, ordered: bool) -> bool:
    return one == other if ordered else Counter(one) == Counter(other)


def _best_candidate(
    plan: DatabasePlan, golds: Sequence[str], pairs: Sequence[_Pair], with_rows: set[int], rng: random.Random
) -> tuple[sqlite3.Connection, _Judgement]:
    """Of several databases drawn, the one that tells most pairs apart; golds without rows so far and ties count too."""
    best: tuple[float, sqlite3.Connection, _Judgement] | None = None
    for _ in range(_CANDIDATES):
        connection = sqlite3.connect(":memory:")
        fill(connection, plan, random.Random(rng.random()))
        judgement = _judge(connection, golds, pairs)
        gain = len(judgement.told) + len(judgement.with_rows - with_rows) - 2 * judgement.ambiguous
        if best is None or gain > best[0]:
            if best is not None:
                best[1].close()
            best = (gain, connection, judgement)
        else:
            connection.close()
    if best is None:
        raise ScoringError("no candidate database was drawn")
    return best[1], best[2]


def _copy(source: Path, target: Path) -> Path:
    try:
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        os.replace(partial, target)
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror})") from error
    return target


def _write(connection: sqlite3.Connection, target: Path) -> Path:
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partial)) as file:
            connection.backup(file)
        os.replace(partial, target)
    except (OSError, sqlite3.Error) as error:
        raise DataError(f"{target}: cannot be written ({error})") from error
    return target
