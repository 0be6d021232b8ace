"""Score text-to-SQL answers with DeepEval, by what the queries return.

    pip install ".[deepeval]"
    python examples/deepeval_execution_accuracy.py

Builds a small database, so that it runs as it stands. For your own: point `databases` at a folder with
<db_id>/<db_id>.sqlite (Spider's layout), name the db_id in each test case's metadata, give the model's raw answer as
actual_output and the reference query as expected_output. No model and no network are needed to score.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

from paretune.errors import ConfigError

try:
    from paretune.deepeval import ExecutionAccuracy, stay_offline
except ConfigError as error:
    sys.exit(f"error: {error}")

from deepeval import evaluate  # isort: skip
from deepeval.test_case import LLMTestCase  # isort: skip


def make_database(databases: Path) -> None:
    """Write databases/library/library.sqlite."""
    folder = databases / "library"
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.executescript(
        """
        CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT, country TEXT);
        CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, year INTEGER,
                           author_id INTEGER REFERENCES author(author_id));
        INSERT INTO author VALUES (1, 'Clarice', 'Brazil'), (2, 'Jorge', 'Brazil'), (3, 'Alice', 'Canada');
        INSERT INTO book VALUES (1, 'A Hora', 1977, 1), (2, 'Gabriela', 1958, 2), (3, 'Runaway', 2004, 3);
        """
    )
    connection.close()


def test_cases() -> list[LLMTestCase]:
    """A right answer, written differently from the gold, and a wrong one."""
    gold = (
        "SELECT T1.title FROM book AS T1 JOIN author AS T2 ON T1.author_id = T2.author_id WHERE T2.country = 'Brazil'"
    )
    return [
        LLMTestCase(
            input="Which books are by Brazilian authors?",
            actual_output="```sql\nSELECT title FROM book WHERE author_id IN (1, 2)\n```",
            expected_output=gold,
            metadata={"db_id": "library"},
        ),
        LLMTestCase(
            input="Which books are by Brazilian authors?",
            actual_output="SELECT b.title FROM book b JOIN author a ON b.author_id = a.author_id "
            "WHERE a.country = 'brazil'",
            expected_output=gold,
            metadata={"db_id": "library"},
        ),
    ]


def main() -> None:
    """Score both answers and print why the second is wrong."""
    stay_offline()  # else evaluate() reports to DeepEval's makers
    with tempfile.TemporaryDirectory() as folder:
        make_database(Path(folder))
        result = evaluate(test_cases=test_cases(), metrics=[ExecutionAccuracy(databases=folder)])
    for test in result.test_results:
        for metric in test.metrics_data or []:
            print(f"{metric.name}: {metric.score} - {metric.reason}")


if __name__ == "__main__":
    main()
