from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from paretune.sql.database import SchemaNames
from paretune.sql.explain import read_reference
from paretune.sql.readings import Reading, Readings, clause_of, record

SCHEMA = SchemaNames({"singer": ("id", "name", "age"), "concert": ("id", "singer_id")})
QUERIES = [
    "SELECT DISTINCT name, count(*) AS n FROM singer AS s LEFT JOIN concert ON s.id = concert.singer_id "
    "WHERE NOT age BETWEEN 1 AND 2 OR name LIKE '%a''b%' GROUP BY name HAVING count(*) > 1 ORDER BY n DESC LIMIT 3",
    "SELECT name FROM singer WHERE id IN (SELECT singer_id FROM concert) EXCEPT SELECT name FROM singer WHERE no = 1",
    "SELECT max(age) - min(age) FROM (SELECT age FROM singer) AS t",
]


@pytest.mark.parametrize("query", QUERIES)
def test_clauses_written_are_read_back(query: str) -> None:
    clauses = read_reference(query, SCHEMA).clauses
    assert clauses is not None
    again = clause_of(record(clauses))
    assert again == clauses
    assert repr(again) == repr(clauses)  # also what takes no part in equality


def test_readings_are_made_once(tmp_path: Path) -> None:
    wanted = [read_reference(query, SCHEMA) for query in QUERIES]
    first = Readings(tmp_path, SCHEMA)
    assert [first.get(query, partial(read_reference, query, SCHEMA)) for query in QUERIES] == wanted

    def never() -> Reading:
        raise AssertionError("read again")

    again = Readings(tmp_path, SCHEMA)
    assert [again.get(query, never) for query in QUERIES] == wanted


def test_readings_of_another_schema_are_others(tmp_path: Path) -> None:
    Readings(tmp_path, SCHEMA).get(QUERIES[0], lambda: Reading("easy", None))
    other = Readings(tmp_path, SchemaNames({"singer": ("id",)}))
    assert other.get(QUERIES[0], lambda: Reading("hard", None)).hardness == "hard"


@pytest.mark.parametrize(
    "line", ["", "{", "[1]", '["SELECT 1", "easy", ["Nothing", 1]]', '["SELECT 1", "easy", ["Unit"]]']
)
def test_readings_broken_line_is_read_again(tmp_path: Path, line: str) -> None:
    Readings(tmp_path, SCHEMA).get("SELECT 2", lambda: Reading("easy", None))
    (file,) = tmp_path.iterdir()
    file.write_text(line + "\n")
    assert Readings(tmp_path, SCHEMA).get("SELECT 1", lambda: Reading("hard", None)).hardness == "hard"


def test_readings_folder_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    readings = Readings(tmp_path / "gone", SCHEMA)
    assert readings.get("SELECT 1", lambda: Reading("easy", None)) == Reading("easy", None)
