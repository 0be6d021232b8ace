"""What holds for every dialect: the same outcomes, values and schema, and nothing that a query can break or reach."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sql.database import check_database, name_in_query, read_schema, schema_text
from paretune.sql.dialects import DUCKDB, POSTGRES, SQLITE, as_sqlite, database_file, dialect_of, server_name
from paretune.sql.execute import ExecutionLimits, execute
from paretune.sql.records import SqlPrediction
from paretune.sql.references import doubt_reference
from paretune.sql.score import ScoreSettings, score_predictions
from tests.sql.dialects.conftest import Cluster

LIMITS = ExecutionLimits(seconds=10.0)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ('SELECT "Full Name" FROM customer ORDER BY id', [("Ana",), ("Zé",), (None,)]),
        ('SELECT count(*), sum(price), max(price) > 5 FROM "order"', [(3, 12.0, 1)]),
        ("SELECT id FROM dear", [(3,)]),
        ("SELECT id FROM customer WHERE id > 9", []),
        ("WITH c AS (SELECT city FROM customer) SELECT city, count(*) FROM c GROUP BY city ORDER BY 1",
         [("Olinda", 1), ("Recife", 2)]),
        ("SELECT 'a;b' -- with a comment\n;", [("a;b",)]),
    ],
)  # fmt: skip
def test_execute_returns_the_same_values(shop: Path, query: str, rows: list[tuple[object, ...]]) -> None:
    ran = execute(shop, query, LIMITS)
    assert (ran.status, ran.error) == ("ok", None)
    assert ran.rows == rows


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("SELECT nothing_here FROM customer", {"invalid_sql"}),
        ("SELEC 1", {"invalid_sql"}),
        ("", {"invalid_sql", "not_a_query"}),
        ("SELECT 1; SELECT 2", {"invalid_sql"}),
        ("SELECT 1; DROP TABLE customer", {"invalid_sql"}),
        ("DROP TABLE customer", {"invalid_sql", "not_a_query"}),
        ("DELETE FROM customer", {"invalid_sql", "not_a_query"}),
        ("INSERT INTO customer VALUES (9, 'x', 'y')", {"invalid_sql", "not_a_query"}),
        ("UPDATE customer SET city = 'x' RETURNING id", {"invalid_sql", "not_a_query"}),
        ("CREATE TABLE x (a INTEGER)", {"invalid_sql", "not_a_query"}),
        ("SELECT 'a\0b'", {"invalid_sql"}),
        ("SELECT '\ud800'", {"invalid_sql"}),
    ],
)
def test_execute_what_is_no_single_query_is_named_and_changes_nothing(
    shop: Path, query: str, statuses: set[str]
) -> None:
    assert execute(shop, query, LIMITS).status in statuses
    assert execute(shop, "SELECT count(*) FROM customer", LIMITS).rows == [(3,)]


def test_execute_endless_query_is_a_timeout(shop: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT (x + 1) % 1000 FROM n) SELECT max(x) FROM n"
    ran = execute(shop, endless, ExecutionLimits(seconds=0.5))
    assert ran.status in ("timeout", "too_large")
    assert ran.seconds < 10


def test_execute_too_many_rows_are_too_large(shop: Path) -> None:
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) SELECT x FROM n"
    assert execute(shop, many, ExecutionLimits(seconds=10.0, max_rows=4000)).status == "too_large"
    assert len(execute(shop, many, ExecutionLimits(seconds=10.0, max_rows=5000)).rows) == 5000
    assert execute(shop, many, ExecutionLimits(seconds=10.0, max_bytes=2000)).status == "too_large"


def test_schema_names_tables_keys_and_views(shop: Path) -> None:
    schema = read_schema(shop)
    customer, order = schema.tables
    assert (customer.name, customer.columns, customer.primary_key) == ("customer", ("id", "Full Name", "city"), ("id",))
    assert [(key.column, key.target_table, key.target_column) for key in order.foreign_keys] == [
        ("customer_id", "customer", "id")
    ]
    assert [(view.name, view.columns) for view in schema.views] == [("dear", ("id", "price"))]


def test_schema_text_quotes_what_a_query_must_quote(shop: Path) -> None:
    assert schema_text(shop, "compact", 0).splitlines() == [
        'customer(id*, "Full Name", city)',
        '"order"(id*, customer_id, price) customer_id -> customer.id',
        "view dear(id, price)",
    ]
    assert schema_text(shop, "compact", 1).startswith("customer(id* [1], \"Full Name\" ['Ana']")
    assert schema_text(shop, "create_table", 0).startswith("CREATE TABLE customer (id INTEGER PRIMARY KEY") or (
        "PRIMARY KEY (id)" in schema_text(shop, "create_table", 0)
    )


def test_schema_names_can_be_written_back(shop: Path) -> None:
    write = name_in_query if dialect_of(shop) is SQLITE else server_name
    for table in read_schema(shop).shown():
        columns = ", ".join(write(column) for column in table.columns)
        assert execute(shop, f"SELECT {columns} FROM {write(table.name)}", LIMITS).status == "ok"


def test_doubts_are_the_same(shop: Path) -> None:
    assert doubt_reference(shop, "SELECT city FROM customer", LIMITS) is None
    for query, problem in (("SELECT random()", "not deterministic"), ("SELECT gone FROM customer", "fails")):
        doubt = doubt_reference(shop, query, LIMITS)
        assert doubt is not None
        assert doubt.problem == problem


def _beside(shop: Path, folder: Path) -> Path:
    """A folder of databases that holds the shop."""
    (folder / "own" / "shop").mkdir(parents=True)
    shutil.copy(shop, folder / "own" / "shop" / f"shop{shop.suffix}")
    return folder / "own"


@pytest.mark.parametrize(
    ("query", "error_class", "code"),
    [
        ("SELECT cty FROM customer", "unknown_column", "sql.column-near"),
        ("SELECT c.cty FROM customer AS c", "unknown_column", "sql.column-near"),
        ("SELECT city FROM custmer", "unknown_table", "sql.table-near"),
        ("SELECT loud(city) FROM customer", "unknown_function", "sql.unknown-function"),
        ("SELECT city FROM customer WHERE count(*) > 1", "wrong_aggregate", None),
        ("SELECT a.city FROM customer AS a JOIN customer AS b ON a.id = b.id WHERE id = 1", "ambiguous_column",
         "sql.ambiguous-column"),
        ("SELECT city FROM customer WHERE", "syntax", None),
        ("SELECT city FROM customer WHERE id = 2", "missing_filter", None),
    ],
)  # fmt: skip
def test_wrong_query_is_explained_in_every_dialect(
    shop: Path, tmp_path: Path, query: str, error_class: str, code: str | None
) -> None:
    gold = "SELECT city FROM customer WHERE id = 1 AND city = 'Recife'"
    settings = ScoreSettings(rules="result", workers=1)
    (verdict,) = score_predictions([SqlPrediction(0, "shop", "?", gold, query)], _beside(shop, tmp_path), settings)
    assert verdict.error_class == error_class
    assert code is None or verdict.error_code == code
    assert verdict.hardness == "medium"


def test_query_in_words_of_its_dialect_is_compared_clause_by_clause(shop: Path, tmp_path: Path) -> None:
    if dialect_of(shop) is SQLITE:
        pytest.skip("these words are not SQLite's")
    gold = "SELECT city FROM customer WHERE city::text ILIKE 'rec%'"
    settings = ScoreSettings(rules="result", workers=1)
    items = [SqlPrediction(0, "shop", "?", gold, text) for text in (gold, f"{gold} LIMIT 0")]
    same, other = score_predictions(items, _beside(shop, tmp_path), settings)
    assert (same.outcome, same.exact_set_match, same.hardness) == ("correct", True, "easy")
    assert (other.outcome, other.exact_set_match, other.error_class) == ("wrong", False, "wrong_limit")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "EXPORT DATABASE '{folder}/dump'",
        "SELECT getenv('HOME')",
        "CALL duckdb_settings()",
    ],
)
def test_duckdb_query_reaches_no_file_and_no_setting(tmp_path: Path, query: str) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed (pip install duckdb)")
    path = tmp_path / "shop.duckdb"
    duckdb.connect(str(path)).close()
    secret = tmp_path / "secret.csv"
    secret.write_text("told\n")
    before = {file.name: hashlib.sha256(file.read_bytes()).digest() for file in tmp_path.iterdir()}
    ran = execute(path, query.format(secret=secret, folder=tmp_path), LIMITS)
    assert ran.status in ("invalid_sql", "not_a_query"), ran.rows
    assert {file.name: hashlib.sha256(file.read_bytes()).digest() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/x'",
        "COPY customer TO '/tmp/x'",
        "WITH gone AS (DELETE FROM customer RETURNING id) SELECT * FROM gone",
        "SELECT lo_import('/etc/passwd')",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SET SESSION AUTHORIZATION owner",
        "CREATE EXTENSION dblink",
        "DO $$ BEGIN DELETE FROM customer; END $$",
        "SELECT 1 INTO x",
        "SELECT * FROM customer FOR UPDATE",
        "COMMIT",
        "SELECT nextval('none')",
    ],
)
def test_postgres_query_reads_no_file_and_changes_nothing(cluster: Cluster, tmp_path: Path, query: str) -> None:
    path = tmp_path / "shop.postgres"
    path.write_text(json.dumps({"url": cluster.url("reader")}))
    ran = execute(path, query, LIMITS)
    assert ran.status in ("invalid_sql", "not_a_query"), ran.rows
    assert execute(path, "SELECT count(*) FROM customer", LIMITS).rows == [(3,)]


def test_postgres_what_a_read_only_transaction_lets_through_is_rolled_back(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "shop.postgres"
    path.write_text(json.dumps({"url": cluster.url("reader")}))
    execute(path, "SELECT lo_create(4711)", LIMITS)  # PostgreSQL 15 does not count large objects as writing
    assert execute(path, "SELECT count(*) FROM pg_largeobject_metadata", LIMITS).rows == [(0,)]


def test_postgres_values_of_odd_types_are_sampled_and_returned(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "shop.postgres"
    path.write_text(json.dumps({"url": cluster.url("reader")}))
    query = (
        "SELECT '{\"a\": 1}'::json, ARRAY[1, 2], 1.50::numeric, DATE '2024-05-01', true, INTERVAL '1 day', 'NaN'::float"
    )
    assert execute(path, query, LIMITS).rows == [('{"a": 1}', "[1, 2]", 1.5, "2024-05-01", 1, "1 day, 0:00:00", None)]


def test_postgres_sleep_is_a_timeout_and_leaves_no_session(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "shop.postgres"
    path.write_text(json.dumps({"url": cluster.url("reader")}))
    assert execute(path, "SELECT pg_sleep(60)", ExecutionLimits(seconds=0.3)).status == "timeout"
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND query LIKE '%pg_sleep(60)%'"
    assert execute(path, sessions + " AND pid <> pg_backend_pid()", LIMITS).rows == [(0,)]


def test_postgres_role_that_reads_files_is_refused_with_a_way_out(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "shop.postgres"
    path.write_text(json.dumps({"url": cluster.url("owner")}))
    with pytest.raises(DataError, match="may read the server's files; give a role that only reads tables"):
        check_database(path)


def test_postgres_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'psycopg[binary]')")
    path = tmp_path / "shop.postgres"
    path.write_text(json.dumps({"url": f"postgresql://nobody@/x?host={tmp_path}"}))
    with pytest.raises(DataError, match=r"shop\.postgres: the server cannot be reached"):
        check_database(path)
    assert execute(path, "SELECT 1", LIMITS).status == "broken_database"


def test_duckdb_file_of_another_kind_is_named(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed (pip install duckdb)")
    (tmp_path / "shop.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match=r"shop\.duckdb: DuckDB cannot open it"):
        check_database(tmp_path / "shop.duckdb")
    assert execute(tmp_path / "shop.duckdb", "SELECT 1", LIMITS).status == "broken_database"


def test_file_says_the_dialect(tmp_path: Path) -> None:
    assert [dialect_of(Path(f"a.{end}")) for end in ("sqlite", "db", "duckdb", "postgres")] == [
        SQLITE, SQLITE, DUCKDB, POSTGRES,
    ]  # fmt: skip
    assert database_file(tmp_path, "a") == tmp_path / "a.sqlite"
    (tmp_path / "a.duckdb").touch()
    assert database_file(tmp_path, "a") == tmp_path / "a.duckdb"


def test_as_sqlite_translates_what_sqlite_does_not_read(caplog: pytest.LogCaptureFixture) -> None:
    assert "MIN(day)" in as_sqlite("SELECT to_char(min(day), 'Day') FROM t", Path("a.postgres"))
    assert caplog.records == []
    assert as_sqlite("SELECT a::text FROM t", Path("a.postgres")) == "SELECT CAST(a AS TEXT) FROM t"
    assert as_sqlite("SELECT a::text FROM t", Path("a.sqlite")) == "SELECT a::text FROM t"
    assert as_sqlite("SELEC a", Path("a.duckdb")) in ("SELEC a", "SELEC AS a")
