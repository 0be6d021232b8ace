from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from paretune.sql.score import ScoreSettings
from paretune.sql.vote import votes


@pytest.fixture
def databases(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    with sqlite3.connect(tmp_path / "shop" / "shop.sqlite") as connection:
        connection.execute("CREATE TABLE item (id INTEGER, name TEXT)")
        connection.execute("INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    return tmp_path


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["SELECT 5", "SELECT id FROM item", "SELECT id FROM item ORDER BY id DESC"], 0),
        (["SELECT 5", "SELECT id FROM item", "SELECT id FROM item WHERE 1"], 1),
        (["SELECT 5", "SELECT id FROM item", "SELECT i.id FROM item AS i GROUP BY i.id, i.name"], 1),
        (["SELECT nothing", "no idea", "SELECT 1", "SELECT nothing", "SELECT nothing"], 2),
        (["SELECT nothing", "no idea"], 0),
        (["DROP TABLE item", "DROP TABLE item", "SELECT 1"], 2),
        (["SELECT name FROM item", "SELECT id FROM item", "```sql\nSELECT id FROM item\n```"], 1),
        (["SELECT 1, 2", "SELECT 2, 1", "SELECT 1, 2"], 0),
    ],
)
def test_vote_is_by_result_and_the_first_of_equals(texts: list[str], chosen: int, databases: Path) -> None:
    assert votes([("shop", texts)], databases, ScoreSettings(workers=1)) == [chosen]


def test_order_counts_where_a_query_sorts(databases: Path) -> None:
    sorted_ones = [
        "SELECT id FROM item ORDER BY id DESC",
        "SELECT id FROM item ORDER BY id",
        "SELECT id FROM item ORDER BY 1",
    ]
    assert votes([("shop", sorted_ones)], databases, ScoreSettings(workers=1)) == [1]
