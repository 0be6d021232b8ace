"""A task from a DuckDB file and from a PostgreSQL server, up to verdicts on predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from paretune.cli import main
from tests.cli.test_main import environment_as_before, one_error_line
from tests.sql.dialects.conftest import Cluster, cluster, shop

__all__ = ["cluster", "environment_as_before", "shop"]

PAIRS = [
    ("Whose name is known?", 'SELECT "Full Name" FROM customer WHERE "Full Name" IS NOT NULL ORDER BY id'),
    ("Where do they live?", "SELECT DISTINCT city FROM customer"),
    ("Total of all prices", 'SELECT sum(price) FROM "order"'),
    ("Dear things", "SELECT id FROM dear"),
    (
        "Purchases by each town",
        'SELECT c.city, count(*) FROM customer c JOIN "order" o ON o.customer_id = c.id GROUP BY c.city',
    ),
    ("Names in capitals", 'SELECT upper("Full Name") FROM customer WHERE id < 3'),
]
BAD = ("Broken", "SELECT gone FROM customer")


@pytest.fixture
def words(shop: Path, tmp_path: Path) -> list[str]:
    with open(tmp_path / "pairs.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("question", "sql"), *PAIRS, BAD])
    given = json.loads(shop.read_text())["url"] if shop.suffix == ".postgres" else str(shop)
    return ["init-task", str(tmp_path / "task"), "--database", given, "--pairs", str(tmp_path / "pairs.csv")]


def test_init_task_of_every_dialect_is_ready_to_be_asked(
    words: list[str], shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    printed = capsys.readouterr()
    assert "2 tables and 1 views with 8 columns" in printed.err
    assert "references that fail (left out): 1" in printed.err
    assert "7 pairs: 3 to train on, 3 to ask, 1 left out" in printed.out
    assert [file.suffix for file in (tmp_path / "task/data/database").rglob("*.*")] == [shop.suffix]


def test_init_task_of_every_dialect_can_be_scored(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    main(words)
    entries = json.loads((tmp_path / "task/data/test.json").read_text())
    queries = [entry["query"] for entry in entries]
    (tmp_path / "p.sql").write_text("\n".join([*queries[:2], "SELECT 1 FROM customer"]) + "\n")
    capsys.readouterr()
    score = ["score", "--spider", str(tmp_path / "task/data"), "--split", "test", "--rules", "strict"]
    assert main([*score, "--predictions", str(tmp_path / "p.sql"), "--out", str(tmp_path / "v.jsonl")]) == 0
    verdicts = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()[1:]]
    assert [verdict["outcome"] for verdict in verdicts] == ["correct", "correct", "wrong"]


def test_init_task_password_in_the_address_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.csv").write_text("question,sql\na,SELECT 1\n")
    words = ["init-task", str(tmp_path / "task"), "--pairs", str(tmp_path / "pairs.csv"), "--database"]
    assert "PGPASSWORD" in one_error_line(capsys, [*words, "postgresql://me:secret@localhost/shop"])
    assert "expected a file, or postgresql://" in one_error_line(capsys, [*words, "mysql://localhost/shop"])


def test_init_task_role_that_reads_files_is_refused(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pairs.csv").write_text("question,sql\na,SELECT 1\n")
    words = ["init-task", str(tmp_path / "task"), "--pairs", str(tmp_path / "pairs.csv"), "--database"]
    assert "give a role that only reads tables" in one_error_line(capsys, [*words, cluster.url("owner")])
