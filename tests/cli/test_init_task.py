from __future__ import annotations

import csv
import json
import random
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.sources.splitting import alike_groups
from paretune.sql.task import SqlTarget
from tests.cli.test_main import environment_as_before, one_error_line
from tests.sql.test_schema_text import odd_database

__all__ = ["environment_as_before"]

PLACES = ("Recife", "Olinda", "Natal", "Belém")
ASKED = (
    ("People who live in {}", "SELECT name FROM person WHERE city = '{}' ORDER BY name"),
    ("How old is the oldest inhabitant of {}?", "SELECT max(age) FROM person WHERE city = '{}'"),
    ("Number of adults counted at {}", "SELECT count(*) FROM person WHERE age > 20 AND city = '{}'"),
)
PAIRS = [(question.format(place), query.format(place)) for place in PLACES for question, query in ASKED]


def _database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE person (name TEXT, city TEXT, age INTEGER)")
        rows = [(f"p{number}", PLACES[number % 4], 18 + number) for number in range(40)]
        connection.executemany("INSERT INTO person VALUES (?, ?, ?)", rows)
        connection.commit()
    return path


def _pairs(path: Path, pairs: Sequence[tuple[str, ...]], header: tuple[str, ...] = ("question", "sql")) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *pairs])
    return path


def _words(folder: Path, *more: str) -> list[str]:
    return ["init-task", str(folder / "task"), "--database", str(folder / "people.db"),
            "--pairs", str(folder / "pairs.csv"), *more]  # fmt: skip


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A database, 12 good pairs and 3 bad ones."""
    _database(tmp_path / "people.db")
    failing = ("Mean income?", "SELECT avg(income) FROM person")
    pairs = [*PAIRS, PAIRS[0], failing, ("Anybody?", "SELECT name FROM person ORDER BY random() LIMIT 1")]
    random.Random(1).shuffle(pairs)
    _pairs(tmp_path / "pairs.csv", pairs)
    return tmp_path


def test_init_task_names_every_bad_pair_with_line_query_and_message(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_words(people)) == 0
    printed = capsys.readouterr()
    lines = (people / "pairs.csv").read_text().splitlines()
    failing = next(number for number, line in enumerate(lines, 1) if "income" in line)
    assert (
        f"references that fail (left out): 1\n  {people / 'pairs.csv'}, line {failing}: invalid sql: no such column: "
        "income\n    SELECT avg(income) FROM person\n"
    ) in printed.err
    assert "references that do not return the same each time (left out): 1" in printed.err
    assert "pairs that stand there twice (left out): 1" in printed.err
    assert re.search(r"^15 pairs: \d+ to train on, \d+ to ask, 3 left out$", printed.out, re.MULTILINE)


def test_init_task_prints_what_paretune_power_prints(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(_words(people))
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("paretune power "))
    main(lines[at].split()[1:])
    assert capsys.readouterr().out.splitlines() == lines[at + 1 : at + 3]


def test_init_task_of_too_few_pairs_says_so_and_how_many_are_needed(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_words(people)) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^\d questions show no difference reliably: ", printed, re.MULTILINE)
    assert "questions needed to show 10.00 points" in printed
    assert printed.splitlines()[-1] == f"next: paretune run {people / 'task' / 'experiment.toml'}"


def test_init_task_writes_an_experiment_whose_dry_run_passes(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(_words(people))
    file = people / "task" / "experiment.toml"
    config = load_experiment(file)
    assert isinstance(config.target, SqlTarget)
    assert config.target.path == str(people / "task" / "data")
    assert config.target.name == "people"
    capsys.readouterr()
    assert main(["run", str(file), "--dry-run"]) == 0
    task = json.loads((people / "task/data/task.json").read_text())
    said = f"target people: {task['test']} questions in 1 database, {task['training']} training rows"
    assert said in capsys.readouterr().out.splitlines()


def test_init_task_sides_hold_nothing_alike(people: Path) -> None:
    main(_words(people))
    sides = {name: json.loads((people / f"task/data/{name}.json").read_text()) for name in ("train", "test")}
    entries = [*sides["train"], *sides["test"]]
    groups = alike_groups([entry["question"] for entry in entries], [entry["query"] for entry in entries])
    assert not set(groups[: len(sides["train"])]) & set(groups[len(sides["train"]) :])


def test_init_task_seed_decides_the_split(people: Path) -> None:
    contents = []
    for seed in ("1", "1", "2"):
        assert main([*_words(people), "--seed", seed]) == 0
        contents.append((people / "task/data/test.json").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_init_task_again_keeps_an_experiment_that_was_changed(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(_words(people))
    file = people / "task" / "experiment.toml"
    file.write_text(file.read_text().replace('name = "run-1"', 'name = "mine"'))
    capsys.readouterr()
    assert main(_words(people)) == 0
    assert 'name = "mine"' in file.read_text()
    assert "(kept as it was)" in capsys.readouterr().out


def test_init_task_split_column_leaves_alike_training_pairs_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _database(tmp_path / "people.db")
    pairs = [(*pair, "test" if number % 3 == 0 else "train") for number, pair in enumerate(PAIRS)]
    pairs.append(("People who live in Recife, sorted", PAIRS[0][1], "train"))
    _pairs(tmp_path / "pairs.csv", pairs, ("question", "sql", "side"))
    assert main(_words(tmp_path, "--split", "side")) == 0
    printed = capsys.readouterr()
    assert "training pairs too much like a test pair (left out): 1" in printed.err
    assert "13 pairs: 8 to train on, 4 to ask, 1 left out" in printed.out


def test_init_task_odd_database_is_read_and_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(odd_database(tmp_path / "people.db"))) as connection:
        connection.execute("INSERT INTO \"order\" VALUES (1, 'x', 200.0, x'00ff')")
        connection.execute("INSERT INTO código VALUES ('Brasil', '本')")
        connection.commit()
    pairs = [
        ("Which groups?", 'SELECT "group by" FROM "order"'),
        ("Every large purchase, please", 'SELECT "select" FROM "big orders"'),
        ("Notes about b", "SELECT title FROM notes WHERE notes MATCH 'b'"),
        ("Países cadastrados", "SELECT país FROM código"),
        ("Raw bytes stored", 'SELECT "from" FROM "order"'),
    ]
    _pairs(tmp_path / "pairs.csv", pairs)
    assert main(_words(tmp_path)) == 0
    printed = capsys.readouterr()
    assert "5 tables and 1 views" in printed.err
    assert ", 0 left out" in printed.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (random.Random(1).randbytes(8192), "it looks encrypted"),
        (b"CREATE TABLE t (a);\n" * 40, "another format"),
    ],
)
def test_init_task_file_that_is_no_database_is_named(
    people: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (people / "people.db").write_bytes(content)
    assert said in one_error_line(capsys, _words(people))


def test_init_task_database_damaged_in_the_middle_is_named(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(people / "people.db")) as connection:
        connection.executemany("INSERT INTO person VALUES (?, 'x', 1)", [("n" * 900,)] * 200)
        connection.commit()
    raw = bytearray((people / "people.db").read_bytes())
    raw[12 * 4096 : 12 * 4096 + 64] = b"\xff" * 64
    (people / "people.db").write_bytes(raw)
    assert "people.db: damaged database" in one_error_line(capsys, _words(people))


def test_init_task_too_few_pairs_are_refused(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _pairs(people / "pairs.csv", [PAIRS[0], ("Mean income?", "SELECT avg(income) FROM person")])
    assert main(_words(people)) == 2
    assert "1 of 2 pairs can be used, 1 groups of alike ones: too few" in capsys.readouterr().err
    assert not (people / "task").exists()


def test_init_task_folder_with_other_things_is_refused(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (people / "task").mkdir()
    (people / "task" / "thesis.tex").write_text("x")
    assert main(_words(people)) == 2
    assert "a folder with other things in it" in capsys.readouterr().err
    assert [path.name for path in (people / "task").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--test-share", "1.5"), "--test-share 1.5: expected a share"),
        (("--general", "mmul"), "--general mmul: no such suite; did you mean 'mmlu'"),
        (("--lang", "fr"), "fr"),
    ],
)
def test_init_task_bad_options_are_refused_first(
    people: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    assert said in one_error_line(capsys, _words(people, *more))
