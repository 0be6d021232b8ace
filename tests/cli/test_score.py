"""paretune score as its user meets it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from paretune.cli import score
from paretune.errors import DataError, ParetuneError, ScoringError
from paretune.run.jsonl import read_lines
from paretune.sql import score as sql_score
from paretune.sql.records import SqlOutcome, SqlVerdict

GOLD = ["SELECT name FROM people ORDER BY age", "SELECT count(*) FROM people", "SELECT count(*) FROM people"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def spider(tmp_path: Path) -> Path:
    folder = tmp_path / "spider"
    for db_id in ("town", "city"):
        (folder / "database" / db_id).mkdir(parents=True)
        connection = sqlite3.connect(folder / "database" / db_id / f"{db_id}.sqlite")
        connection.executescript(
            "CREATE TABLE people (name TEXT, age INTEGER); INSERT INTO people VALUES ('ann', 20), ('bob', 30);"
        )
        connection.close()
    entries = [
        {"db_id": db_id, "question": f"Question {i}", "query": gold}
        for i, (db_id, gold) in enumerate(zip(["town", "town", "city"], GOLD, strict=True))
    ]
    (folder / "dev.json").write_text(json.dumps(entries))
    return folder


def run(spider: Path, *options: str, predictions: list[str] | None = None) -> int:
    file = spider.parent / "predictions.json"
    file.write_text(json.dumps(GOLD if predictions is None else predictions))
    parser = argparse.ArgumentParser()
    score.add_arguments(parser)
    given = [] if "--predictions" in options else ["--predictions", str(file)]
    return score.run(parser.parse_args(["--spider", str(spider), "--workers", "1", *given, *options]))


def test_score_prints_every_figure_with_its_interval(spider: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(spider, predictions=[GOLD[0], "SELECT 7", "DROP TABLE people"]) == 0
    printed = capsys.readouterr().out
    assert "dev: 3 / 3 questions\n" in printed
    lines = {line.split("  ")[0].strip(): line for line in printed.splitlines()}
    for label in ("execution accuracy", "exact set match, lenient", "exact set match, strict", "easy", "hard"):
        if label in lines:
            assert "[" in lines[label]
            assert "n = " in lines[label]
    assert " 33.3 %" in lines["execution accuracy"]
    for label, count in (("right", 1), ("wrong result", 1), ("not a query", 1), ("both results empty", 0)):
        assert lines[label].split()[-1] == str(count)
    assert f"SQLite {sqlite3.sqlite_version}" in printed
    assert printed.count("sha256") == 3


def test_score_out_holds_one_verdict_a_line_with_its_header(spider: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "verdicts.jsonl"
    run(spider, "--out", str(out), predictions=[GOLD[0], "```sql\nSELECT 7\n```", ""])
    header, records = read_lines(out)
    assert header["sqlite"] == sqlite3.sqlite_version
    assert header["rules"] == "result"
    verdicts = [SqlVerdict(**record) for record in records]
    assert [verdict.outcome for verdict in verdicts] == [SqlOutcome.CORRECT, SqlOutcome.WRONG, SqlOutcome.NO_ANSWER]
    assert [verdict.sql for verdict in verdicts] == [GOLD[0], "SELECT 7", ""]
    assert [path.name for path in out.parent.iterdir()] == ["verdicts.jsonl"]


def test_score_its_own_output_can_be_scored_again(spider: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    run(spider, "--out", str(first), predictions=[GOLD[0], "SELECT 7", GOLD[2]])
    run(spider, "--out", str(second), "--predictions", str(first))
    outcomes = [[record["outcome"] for record in read_lines(path)[1]] for path in (first, second)]
    assert outcomes[0] == outcomes[1] == ["correct", "wrong", "correct"]


def test_score_fewer_rows_than_the_split_says_so(spider: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(spider, predictions=GOLD[:2])
    assert "dev: 2 / 3 questions (only the first of the split were scored)" in capsys.readouterr().out


def test_score_says_by_what_its_intervals_are_clustered(spider: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for predictions, basis in ((GOLD, "clustered by database"), (GOLD[:2], "questions as independent: one database")):
        run(spider, predictions=predictions)
        assert f"confidence intervals: 95 %, {basis}\n" in capsys.readouterr().out


def test_score_in_portuguese_has_no_english_left(spider: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(spider, "--lang", "pt-BR", predictions=GOLD[:2])
    printed = capsys.readouterr().out
    assert "acurácia de execução" in printed
    assert "100,0 %" in printed
    for english in ("accuracy", "questions", "rules", "only", "correct "):
        assert english not in printed


def test_score_gold_file_takes_the_place_of_the_split(spider: Path, tmp_path: Path) -> None:
    gold, out = tmp_path / "gold.sql", tmp_path / "v.jsonl"
    gold.write_text("SELECT 7\ttown\nSELECT 8\ttown\nSELECT 9\tcity\n")
    run(spider, "--gold", str(gold), "--out", str(out), predictions=["SELECT 7", "SELECT 7", "SELECT 9"])
    assert [record["execution_match"] for record in read_lines(out)[1]] == [True, False, True]


def test_score_rules_and_how_texts_are_taken_are_options(spider: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (spider / "tables.json").write_text('[{"db_id": "town"}, {"db_id": "city"}]')
    distinct = ["SELECT DISTINCT name FROM people ORDER BY age", "SELECT count(DISTINCT 1) FROM people", GOLD[2]]
    fenced = [f"```sql\n{gold}\n```" for gold in GOLD]
    for options, predictions, accuracy in (
        ([], distinct, "100.0 %"),
        (["--keep-distinct"], distinct, "66.7 %"),
        (["--rules", "result"], distinct, "66.7 %"),
        ([], fenced, "100.0 %"),
        (["--as-written"], fenced, "0.0 %"),
        (["--rules", "bird"], fenced, "0.0 %"),
    ):
        assert run(spider, *options, predictions=predictions) == 0
        printed = capsys.readouterr().out
        assert accuracy in next(line for line in printed.splitlines() if line.startswith("execution accuracy"))
        assert ("soft F1" in printed) == ("bird" in options)
        assert ("DISTINCT kept" in printed) == ("--keep-distinct" in options)
    with pytest.raises(ParetuneError, match="keep_distinct belongs to the official rules"):
        run(spider, "--rules", "result", "--keep-distinct")


def test_score_reference_over_the_row_cap_is_in_no_accuracy(spider: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(spider, "--max-rows", "1") == 0
    printed = capsys.readouterr().out
    assert "reference returns too much               1" in printed
    assert next(line for line in printed.splitlines() if line.startswith("execution accuracy")).endswith("n = 2")


def test_score_column_by_name_and_positions_of_a_csv(spider: Path, tmp_path: Path) -> None:
    file = tmp_path / "g.csv"
    rows = [f'{at},"Question {at}","SELECT 7","{GOLD[at]}"' for at in (2, 1, 0)]
    file.write_text("\n".join(["index,question,sql,mine", *rows]) + "\n")
    run(spider, "--predictions", str(file), "--column", "mine", "--out", str(tmp_path / "v.jsonl"))
    _, verdicts = read_lines(tmp_path / "v.jsonl")
    assert [(verdict["index"], verdict["outcome"]) for verdict in verdicts] == [
        (0, "correct"), (1, "correct"), (2, "correct"),
    ]  # fmt: skip
    file.write_text("\n".join(["question,sql", *(f'"Another {at}","{GOLD[at]}"' for at in range(3))]) + "\n")
    with pytest.raises(DataError, match="asks 'Another 0', which is not question 0 of the split"):
        run(spider, "--predictions", str(file))


def test_score_gold_alone_makes_the_questions(spider: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gold.txt").write_text("".join(f"{GOLD[at]}\t{db}\n" for at, db in ((0, "town"), (2, "city"))))
    (tmp_path / "mine.txt").write_text(f"{GOLD[0]}\nSELECT 7\n")
    parser = argparse.ArgumentParser()
    score.add_arguments(parser)
    options = ["--gold", str(tmp_path / "gold.txt"), "--predictions", str(tmp_path / "mine.txt"), "--workers", "1"]
    score.run(parser.parse_args([*options, "--databases", str(spider / "database")]))
    printed = capsys.readouterr().out
    assert "gold: 2 / 2 questions" in printed
    assert "50.0 %" in printed
    with pytest.raises(DataError, match="--spider: missing"):
        score.run(parser.parse_args(options))


def test_score_without_questions_known_to_be_wrong_stands_beside(
    spider: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.txt").write_text("1\n")
    run(spider, "--known-wrong", str(tmp_path / "wrong.txt"), predictions=[GOLD[0], "SELECT 7", GOLD[2]])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("execution accuracy 66.7 %") and line.endswith("n = 3") for line in lines)
    beside = "without questions known to be wrong 100.0 %"
    assert any(line.startswith(beside) and line.endswith("n = 2") for line in lines)


def test_score_other_folder_of_databases_is_used(spider: Path, tmp_path: Path) -> None:
    (spider / "database").rename(tmp_path / "elsewhere")
    assert run(spider, "--databases", str(tmp_path / "elsewhere")) == 0


def test_score_tables_beside_the_databases_say_the_rules_where_the_split_has_none(spider: Path, tmp_path: Path) -> None:
    out, bare = tmp_path / "v.jsonl", tmp_path / "variant"
    (spider / "tables.json").write_text('[{"db_id": "town"}, {"db_id": "city"}]')
    bare.mkdir()
    shutil.copy(spider / "dev.json", bare)
    run(bare, "--databases", str(spider / "database"), "--out", str(out))
    assert (read_lines(out)[0]["rules"], "tables" in read_lines(out)[0]["sha256"]) == ("official", True)


def test_score_foreign_keys_are_the_splits_own_wherever_the_databases_lie(spider: Path, tmp_path: Path) -> None:
    gold = "SELECT people.name FROM people JOIN pet ON people.name = pet.owner"
    for db_id in ("town", "city"):
        connection = sqlite3.connect(spider / "database" / db_id / f"{db_id}.sqlite")
        connection.execute("CREATE TABLE pet (owner TEXT)")
        connection.close()
    (spider / "dev.json").write_text(json.dumps([{"db_id": "town", "question": "Who?", "query": gold}]))
    columns = [[-1, "*"], [0, "name"], [0, "age"], [1, "owner"]]
    entry = {"db_id": "town", "table_names_original": ["people", "pet"], "column_names_original": columns,
             "foreign_keys": [[3, 1]]}  # fmt: skip
    (spider / "database").rename(tmp_path / "elsewhere")
    found = []
    for tables in ([], [entry]):
        (spider / "tables.json").write_text(json.dumps(tables))
        options = ["--databases", str(tmp_path / "elsewhere"), "--out", str(tmp_path / "v.jsonl")]
        run(spider, *options, predictions=[gold.replace("SELECT people.name", "SELECT pet.owner")])
        header, records = read_lines(tmp_path / "v.jsonl")
        found.append((records[0]["exact_set_match"], header["sha256"]["tables"]))
    assert [match for match, _ in found] == [False, True]
    assert found[0][1] != found[1][1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--predictions", "{tmp}/none.json"], "none.json: no such file"),
        (["--split", "test"], "test.json: no such file"),
        (["--limit-seconds", "0"], "limit_seconds"),
        (["--workers", "0"], "workers"),
        (["--lang", "fr"], "--lang fr"),
        (["--out", "{tmp}"], "a folder or a device"),
        (["--databases", "{tmp}/none"], "none"),
    ],
)
def test_score_mistakes_of_the_user_are_named(spider: Path, tmp_path: Path, options: list[str], message: str) -> None:
    with pytest.raises(ParetuneError, match=message):
        run(spider, *[option.replace("{tmp}", str(tmp_path)) for option in options])


def test_score_damaged_database_is_an_error_and_nothing_is_written(spider: Path, tmp_path: Path) -> None:
    path = spider / "database" / "town" / "town.sqlite"
    raw = path.read_bytes()
    path.write_bytes(raw[:4096] + b"\xee" * (len(raw) - 4096))
    with pytest.raises(ParetuneError, match=r"town\.sqlite"):
        run(spider, "--out", str(tmp_path / "v.jsonl"))
    assert not (tmp_path / "v.jsonl").exists()


def test_score_full_disk_leaves_no_half_file(spider: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out" / "v.jsonl"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        run(spider, "--out", str(out))
    assert list(out.parent.iterdir()) == []


def test_score_unwritable_output_is_found_before_the_work(
    spider: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(sql_score, "score_predictions", pytest.fail)
    with pytest.raises(DataError, match=r"nothing can be written in .* \(Permission denied\)"):
        run(spider, "--out", str(tmp_path / "v.jsonl"))


def test_score_output_that_is_no_file_or_is_read_is_refused_and_kept(spider: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DataError, match="a folder or a device"):
        run(spider, "--out", str(pipe))
    assert pipe.is_fifo()
    for read in (tmp_path / "predictions.json", spider / "dev.json"):
        (tmp_path / "predictions.json").write_text(json.dumps(GOLD))
        before = read.read_bytes()
        (tmp_path / "link.jsonl").symlink_to(read)
        with pytest.raises(DataError, match="this file is read"):
            run(spider, "--out", str(tmp_path / "link.jsonl"))
        assert read.read_bytes() == before
        (tmp_path / "link.jsonl").unlink()


def test_score_needs_only_the_databases_of_the_rows_it_scores(spider: Path) -> None:
    shutil.rmtree(spider / "database" / "city")
    assert run(spider, predictions=GOLD[:2]) == 0
    with pytest.raises(DataError, match=r"city\.sqlite: no such database"):
        run(spider)


def test_score_question_lost_by_us_gives_no_figure(
    spider: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lose(verdicts: object, *_: object) -> list[SqlVerdict]:
        verdict = SqlVerdict(
            0, "town", "q", "t", "s", "g", SqlOutcome.FAILED, False, None, None, "easy", False, None, "worker lost", 0.0
        )
        return [verdict]

    monkeypatch.setattr(sql_score, "score_predictions", lambda *_, **__: lose(None))
    with pytest.raises(ScoringError, match="1 questions could not be scored"):
        run(spider, "--out", str(tmp_path / "v.jsonl"))
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "v.jsonl").exists()
