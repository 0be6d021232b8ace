"""The general questions of the embedded benchmark: the official CSV layout, and nothing a mark could be lost by."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from paretune.demo.build import LANGUAGE_FOLDERS

CATEGORIES = {"STEM", "Humanities", "Social sciences"}
LEAST_QUESTIONS = {"en": 150, "pt-BR": 60}
Rows = dict[str, list[list[str]]]


def read(demo: Path, language: str, split: str) -> Rows:
    """Subject -> its rows."""
    rows: Rows = {}
    for file in sorted((demo / LANGUAGE_FOLDERS[language] / split).iterdir()):
        assert file.name.endswith(f"_{split}.csv")
        with open(file, encoding="utf-8", newline="") as lines:
            rows[file.name.removesuffix(f"_{split}.csv")] = list(csv.reader(lines))
    return rows


def plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(" .?!")


@pytest.mark.parametrize("language", LANGUAGE_FOLDERS)
def test_general_enough_questions_in_three_categories(demo: Path, language: str) -> None:
    tests, shots = read(demo, language, "test"), read(demo, language, "dev")
    categories = json.loads((demo / LANGUAGE_FOLDERS[language] / "categories.json").read_text(encoding="utf-8"))
    assert set(tests) == set(shots) == set(categories)
    assert set(categories.values()) == CATEGORIES
    assert sum(len(rows) for rows in tests.values()) >= LEAST_QUESTIONS[language]
    assert {subject: len(rows) for subject, rows in shots.items()} == dict.fromkeys(shots, 5)
    assert min(len(rows) for rows in tests.values()) >= 10


@pytest.mark.parametrize("language", LANGUAGE_FOLDERS)
def test_general_rows_are_well_formed(demo: Path, language: str) -> None:
    for split in ("dev", "test"):
        for subject, rows in read(demo, language, split).items():
            for row in rows:
                assert len(row) == 6, (subject, row)
                assert row[5] in set("ABCD"), (subject, row)
                assert all(cell.strip() == cell != "" for cell in row), (subject, row)
                assert len({plain(option) for option in row[1:5]}) == 4, (subject, row)


@pytest.mark.parametrize("language", LANGUAGE_FOLDERS)
def test_general_no_question_stands_twice(demo: Path, language: str) -> None:
    splits = [read(demo, language, split) for split in ("dev", "test")]
    counts = Counter(plain(row[0]) for split in splits for rows in split.values() for row in rows)
    assert not [question for question, count in counts.items() if count > 1]


@pytest.mark.parametrize("language", LANGUAGE_FOLDERS)
def test_general_neither_letter_nor_length_gives_the_answer_away(demo: Path, language: str) -> None:
    rows = [row for subject in read(demo, language, "test").values() for row in subject]
    assert max(Counter(row[5] for row in rows).values()) <= 0.3 * len(rows)
    alone = Counter[str]()
    for row in rows:
        answer = len(row["ABCD".index(row[5]) + 1])
        lengths = sorted(len(option) for option in row[1:5])
        alone["longest"] += answer == lengths[3] > lengths[2]
        alone["shortest"] += answer == lengths[0] < lengths[1]
    assert max(alone.values()) <= 0.35 * len(rows), alone
