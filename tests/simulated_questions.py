"""What a simulated run was asked: the embedded benchmark's questions, or as many as Spider dev and MMLU test hold."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Literal

import numpy as np

from paretune.choice.suites.mmlu import MMLU_SUBJECTS
from paretune.demo.build import EVALUATION, TRAINING
from paretune.files import fingerprint
from paretune.run.jsonl import Record

Size = Literal["demo", "spider"]
File = Literal["sql", "train", "choice"]
SPIDER_DATABASES = (120, 92, 84, 82, 80, 78, 62, 62, 56, 45, 42, 40, 40, 38, 30, 30, 18, 16, 15, 4)
MMLU_QUESTIONS = 14042
LEVELS = ("easy", "medium", "hard", "extra")


@dataclass(frozen=True, slots=True)
class SuiteQuestions:
    """One suite's rows as prepared/choice.jsonl holds them."""

    name: Literal["demo", "demo-pt", "mmlu"]
    method: Literal["letter", "cloze"]
    rows: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything under prepared/."""

    size: Size
    sql: tuple[Record, ...]
    train: tuple[Record, ...]
    suites: tuple[SuiteQuestions, ...]
    marks: dict[str, str] = field(default_factory=dict)  # found so far

    def rows(self, name: File) -> list[Record]:
        """The lines of prepared/NAME.jsonl."""
        lines = {"sql": self.sql, "train": self.train, "choice": tuple(row for s in self.suites for row in s.rows)}
        return list(lines[name])

    def mark(self, name: File) -> str:
        """Their fingerprint."""
        if name not in self.marks:
            self.marks[name] = fingerprint(self.rows(name))
        return self.marks[name]


def prepare(size: Size, seed: int) -> Prepared:
    """The questions of that size."""
    if size == "demo":
        sql, train = _demo_pairs(EVALUATION), _demo_pairs(TRAINING)
        suites: tuple[SuiteQuestions, ...] = (_demo_suite("demo", "en"), _demo_suite("demo-pt", "pt-BR"))
    else:
        sql, train = _spider_pairs(seed), _demo_pairs(TRAINING)
        suites = (_mmlu_suite(seed),)
    training = tuple(
        {key: row[key] for key in ("index", "db_id", "question", "gold", "prompt")}
        | {"split": "train_spider", "completion": row["gold"], "tokens": 150}
        for row in train
    )
    return Prepared(size, sql, training, suites)


def _sql_row(index: int, db_id: str, question: str, gold: str, hardness: str) -> Record:
    return {
        "index": index,
        "db_id": db_id,
        "question": question,
        "gold": gold,
        "hardness": hardness,
        "prompt": f"<|im_start|>user\nCREATE TABLE {db_id} (id INTEGER PRIMARY KEY, name TEXT);\n\n"
        f"Question: {question}<|im_end|>\n<|im_start|>assistant\n",
        "prompt_tokens": 60 + len(question) // 4,
    }


def _demo_pairs(databases: tuple[str, ...]) -> tuple[Record, ...]:
    folder = resources.files("paretune.demo") / "questions"
    rows: list[Record] = []
    for db_id in databases:
        for line in (folder / f"{db_id}.jsonl").read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            rows.append(_sql_row(len(rows), db_id, pair["question"], pair["query"], pair["hardness"]))
    return tuple(rows)


def _spider_pairs(seed: int) -> tuple[Record, ...]:
    generator = np.random.default_rng([seed, 1])
    rows: list[Record] = []
    for number, size in enumerate(SPIDER_DATABASES):
        for position in range(size):
            level = str(generator.choice(LEVELS, p=[0.24, 0.43, 0.17, 0.16]))
            question = f"Which rows of table {position} fit?"
            rows.append(_sql_row(len(rows), f"database_{number}", question, f"SELECT name FROM t{position}", level))
    return tuple(rows)


def _demo_suite(name: Literal["demo", "demo-pt"], language: str) -> SuiteQuestions:
    folder = resources.files("paretune.demo") / "general" / language
    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    rows: list[Record] = []
    for subject, category in categories.items():
        text = (folder / "test" / f"{subject}_test.csv").read_text(encoding="utf-8")
        for number, (question, *options, answer) in enumerate(csv.reader(text.splitlines())):
            rows.append(_choice_row(name, subject, category, number, question, options, "ABCD".index(answer)))
    return SuiteQuestions(name, "cloze", tuple(rows))


def _mmlu_suite(seed: int) -> SuiteQuestions:
    generator = np.random.default_rng([seed, 2])
    subjects = [(subject, category) for category, names in MMLU_SUBJECTS.items() for subject in names]
    sizes = 100 + generator.multinomial(
        MMLU_QUESTIONS - 100 * len(subjects), generator.dirichlet([0.4] * len(subjects))
    )
    rows: list[Record] = []
    for (subject, category), size in zip(subjects, sizes, strict=True):
        for number in range(int(size)):
            options = [f"option {number + letter}" for letter in range(4)]
            question = f"{subject.replace('_', ' ').capitalize()}: question {number}?"
            rows.append(_choice_row("mmlu", subject, category, number, question, options, int(generator.integers(4))))
    return SuiteQuestions("mmlu", "letter", tuple(rows))


def _choice_row(
    suite: str, subject: str, category: str, number: int, question: str, options: list[str], answer: int
) -> Record:
    return {
        "suite": suite,
        "id": f"{subject}/{number}",
        "subject": subject,
        "category": category,
        "question": question,
        "options": options,
        "answer": answer,
    }
