"""Prediction files in every format, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sql.predictions import join_predictions, questions_of_gold, read_predictions
from paretune.sql.records import SqlQuestion

QUESTIONS = [SqlQuestion(i, "town", f"question {i}", f"SELECT {i}") for i in range(3)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.json", json.dumps(["SELECT 1", "SELECT\n2", ""])),
        ("p.json", json.dumps(["SELECT 1", "SELECT\n2", None])),
        ("p.jsonl", '{"header": {}}\n{"index": 2, "sql": null}\n{"index": 0, "sql": "SELECT 1"}\n'
         '{"index": 1, "sql": "SELECT\\n2", "db_id": "town"}\n'),
        ("p.jsonl", '{"position": 0, "sql": "SELECT 1"}\n\n{"position": 1, "sql": "SELECT\\n2"}\n'
         '{"position": 2, "sql": ""}'),
        ("p.jsonl", '{"sql": "SELECT 1"}\n{"sql": "SELECT\\n2"}\n{"sql": ""}'),
        ("p.csv", 'generated_sql\nSELECT 1\n"SELECT\n2"\n\n'),
        ("p.csv", '\ufeffquestion;generated_sql\r\na;SELECT 1\r\nb;"SELECT\n2"\r\nc;\r\n'),
    ],
)  # fmt: skip
def test_read_predictions_each_format_gives_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    file = read_predictions(written(tmp_path, name, content))
    assert [(row.position, row.text) for row in file.rows] == [(0, "SELECT 1"), (1, "SELECT\n2"), (2, "")]
    assert file.as_written is name.endswith("csv")


def test_read_predictions_lines_keep_positions_and_database(tmp_path: Path) -> None:
    file = read_predictions(written(tmp_path, "predict.txt", "SELECT 1\ttown\n\nSELECT 3\ttown\n\n\n"))
    assert [(row.position, row.text, row.db_id) for row in file.rows] == [
        (0, "SELECT 1", "town"), (1, "", None), (2, "SELECT 3", "town"), (3, "", None), (4, "", None),
    ]  # fmt: skip


def test_read_predictions_answer_that_goes_on_from_its_prompt_is_put_behind_select(tmp_path: Path) -> None:
    asked = "### How many singers are there?\n SELECT"
    results = ["count(*) FROM singer", "SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "```sql\nSELECT 2\n```", ""]
    entries = [{"db_id": "town", "question": "?", "result": text, "prompt": asked} for text in results]
    entries.append({"db_id": "town", "question": "?", "result": "count(*) FROM singer", "prompt": "How many?"})
    path = written(tmp_path, "predict.json", json.dumps(entries))
    texts = [row.text for row in read_predictions(path).rows]
    assert texts == ["SELECT count(*) FROM singer", *results[1:], "count(*) FROM singer"]
    assert [row.text for row in read_predictions(path, column="result").rows] == texts


def test_read_predictions_tab_ends_a_query_only_before_a_database(tmp_path: Path) -> None:
    path = written(tmp_path, "p.txt", "SELECT a\tFROM\tt\ttown\nSELECT b\tFROM t\nSELECT c\ttown\tgood\n")
    rows = read_predictions(path, db_ids=["town"]).rows
    assert [(row.text, row.db_id) for row in rows] == [
        ("SELECT a FROM t", "town"), ("SELECT b FROM t", None), ("SELECT c", "town"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bird.json", json.dumps({"1": "SELECT 2\t----- bird -----\ttown", "0": "SELECT 1\t----- bird -----\ttown"})),
        ("din.csv", "NLQ,PREDICTED SQL,GOLD SQL,DATABASE\nquestion 0,SELECT 1,SELECT 9,town\n"
         "question 1,SELECT 2,SELECT 9,town\n"),
        ("chat.json", json.dumps([{"db_id": "town", "question": f"question {i}", "predict_sql": f"SELECT {i + 1}"}
                                  for i in range(2)])),
        ("moved.csv", "index,db_id,question,generated_sql\n1,town,question 1,SELECT 2\n0,town,question 0,SELECT 1\n"),
    ],
)  # fmt: skip
def test_read_predictions_files_as_people_have_them(tmp_path: Path, name: str, content: str) -> None:
    joined = join_predictions(read_predictions(written(tmp_path, name, content)).rows, QUESTIONS)
    assert [(row.index, row.text, row.db_id) for row in joined] == [(0, "SELECT 1", "town"), (1, "SELECT 2", "town")]


@pytest.mark.parametrize("column", ["sql", "generated_sql"])
def test_read_predictions_csv_and_json_lines_share_their_names(tmp_path: Path, column: str) -> None:
    table = written(tmp_path, "p.csv", f"{column}\nSELECT 1\n")
    lines = written(tmp_path, "p.jsonl", json.dumps({column: "SELECT 1"}) + "\n")
    assert [[row.text for row in read_predictions(path).rows] for path in (table, lines)] == [["SELECT 1"]] * 2


def test_read_predictions_column_by_name(tmp_path: Path) -> None:
    rows = [{"sql": "SELECT 1", "second try": "SELECT 2"}]
    for name, content in (("p.json", json.dumps(rows)), ("p.csv", "sql,second try\nSELECT 1,SELECT 2\n")):
        path = written(tmp_path, name, content)
        assert [row.text for row in read_predictions(path, column="second try").rows] == ["SELECT 2"]
        with pytest.raises(DataError, match="third"):
            read_predictions(path, column="third")


def test_join_predictions_questions_of_another_slice_are_refused(tmp_path: Path) -> None:
    lines = [json.dumps({"question": f"question {i}", "sql": "SELECT 1"}) for i in (1, 2, 0)]
    with pytest.raises(DataError, match=r"line 1: asks 'question 1', which is not question 0 .* nor are 2 more of 3"):
        join_predictions(read_predictions(written(tmp_path, "p.jsonl", "\n".join(lines))).rows, QUESTIONS)


def test_join_predictions_a_few_other_wordings_are_accepted(tmp_path: Path) -> None:
    lines = [json.dumps({"question": text, "sql": "SELECT 1"}) for text in ("Question  0", "Reworded?", "question 2")]
    assert len(join_predictions(read_predictions(written(tmp_path, "p.jsonl", "\n".join(lines))).rows, QUESTIONS)) == 3


def test_join_predictions_empty_lines_beyond_the_split_do_not_count(tmp_path: Path) -> None:
    rows = read_predictions(written(tmp_path, "p.txt", "SELECT 1\n\n\n\n\n")).rows
    assert [row.text for row in join_predictions(rows, QUESTIONS)] == ["SELECT 1", "", ""]


def test_questions_of_gold_each_query_is_one(tmp_path: Path) -> None:
    rows = read_predictions(written(tmp_path, "gold.txt", "SELECT 1\ttown\n\nSELECT 2\tcity\n")).rows
    assert [(item.index, item.db_id, item.gold) for item in questions_of_gold(rows)] == [
        (0, "town", "SELECT 1"), (2, "city", "SELECT 2"),
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"gold.txt, line 1: no db_id"):
        questions_of_gold(read_predictions(written(tmp_path, "gold.txt", "SELECT 1\n")).rows)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", b"", "empty"),
        ("p.json", b"  \n", "empty"),
        ("p.json", b"[]", "no predictions"),
        ("p.txt", b"\x7fELF\x00\x01", "binary file"),
        ("p.csv", b"\xff\xfe\x00\x01", "not text in UTF-8"),
        ("p.json", b'{"a": 1}', "expected a JSON list, or an object with a position as each key, found dict"),
        ("p.json", b'["a", 2]', "entry 1: expected a text or an object, found int"),
        ("p.json", b'["a"', "not JSON"),
        ("p.jsonl", b'{"sql": "a"}\n{"sql"', "line 2: not JSON"),
        ("p.jsonl", b'{"query": "a"}', "no key 'sql' or another usual name; found 'query' .--column names"),
        ("p.jsonl", b'{"index": 0, "sql": "a"}\n{"sql": "b"}', "1 of 2 lines have index"),
        ("p.jsonl", b'{"index": 0, "sql": "a"}\n{"index": 0, "sql": "b"}', "position 0 again"),
        ("p.jsonl", b'{"index": "0", "sql": "a"}', "expected a 0-based position"),
        (
            "p.csv",
            b"question,tables\na,b\n",
            "no column generated_sql or another usual name; found question, tables .--column",
        ),
        ("p.csv", b"question,generated_sql\na,b,c\n", "3 columns, expected 2"),
        ("p.csv", b'generated_sql\n"SELECT', "broken CSV"),
        ("p.csv", b"generated_sql\n", "no predictions"),
    ],
)
def test_read_predictions_other_file_is_a_clear_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_predictions(written(tmp_path, name, content))
    assert name in str(caught.value)


def test_read_predictions_missing_file_or_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_predictions(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_predictions(tmp_path)


def test_join_predictions_fewer_rows_take_the_first_questions(tmp_path: Path) -> None:
    rows = read_predictions(written(tmp_path, "p.json", '["a", "b"]')).rows
    joined = join_predictions(rows, QUESTIONS)
    assert [(item.index, item.text, item.gold) for item in joined] == [(0, "a", "SELECT 0"), (1, "b", "SELECT 1")]


def test_join_predictions_own_gold_and_gold_file_take_precedence(tmp_path: Path) -> None:
    rows = read_predictions(written(tmp_path, "p.csv", "generated_sql,question,expected_sql\na,why,SELECT 8\n")).rows
    (joined,) = join_predictions(rows, QUESTIONS)
    assert (joined.gold, joined.question, joined.db_id) == ("SELECT 8", "why", "town")
    gold = read_predictions(written(tmp_path, "gold.sql", "SELECT 9\ttown\n")).rows
    assert join_predictions(rows, QUESTIONS, gold)[0].gold == "SELECT 9"


@pytest.mark.parametrize(
    ("predictions", "gold", "message"),
    [
        ("a\nb\nc\nd\n", None, "the split has 3 questions"),
        ("a\tcity\n", None, "db_id 'city', but question 0 of the split asks 'town'"),
        ("a\nb\n", "SELECT 1\ttown\n", "the file of references has 1 rows and none for position 1"),
        ("a\n", "SELECT 1\tcity\n", "db_id 'city'"),
    ],
)
def test_join_predictions_that_do_not_fit_the_split_are_an_error(
    tmp_path: Path, predictions: str, gold: str | None, message: str
) -> None:
    rows = read_predictions(written(tmp_path, "p.txt", predictions)).rows
    golds = None if gold is None else read_predictions(written(tmp_path, "g.sql", gold)).rows
    with pytest.raises(DataError, match=message):
        join_predictions(rows, QUESTIONS, golds)


def test_csv_with_a_very_long_answer_is_read_and_the_limit_of_the_process_stays(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("generated_sql\n" + "S" * 300_000 + "\n", encoding="utf-8")
    before = csv.field_size_limit()
    assert len(read_predictions(file).rows[0].text) == 300_000
    assert csv.field_size_limit() == before


def test_read_predictions_empty_lines_at_the_end_are_empty_answers(tmp_path: Path) -> None:
    file = read_predictions(written(tmp_path, "p.sql", "SELECT 1\nSELECT 2\n\n\n"))
    assert [row.text for row in file.rows] == ["SELECT 1", "SELECT 2", "", ""]
