"""Multiple-choice suites: read from local files, checked, and drawn from.

A suite is what general ability is measured on. Its questions are the test rows in file order; its shots come from
the development rows and from nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy

from paretune.choice.suites import SUITES, suite_kind
from paretune.choice.suites.files import Splits, SuiteFolder
from paretune.errors import DataError
from paretune.records import ChoiceQuestion

Selection = Literal["first", "stratified", "course"]

COURSE_SUBJECTS: tuple[str, ...] = ("high_school_computer_science", "philosophy", "high_school_macroeconomics")
COURSE_QUESTIONS = 50  # a subject
COURSE_SEED = 42


@dataclass(frozen=True, slots=True)
class Suite:
    """A multiple-choice benchmark as read.

    name: its kind. questions: every test question, in file order. shots: development questions by subject, in file
    order. chance: expected share right by guessing, in [0, 1]. files: SHA-256 by path relative to the suite's
    folder. notes: what a reader of the figures should know (repeated rows, rows left out).
    """

    name: str
    questions: tuple[ChoiceQuestion, ...]
    shots: Mapping[str, tuple[ChoiceQuestion, ...]]
    chance: float
    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


SUITE_KINDS: tuple[str, ...] = tuple(SUITES)


def load_suite(kind: str, path: Path | None, *, subjects: Sequence[str] = (), shots: int = 0) -> Suite:
    """Read a suite and check every row of it.

    kind: one of `suite_names`. path: its folder or file; None only for the embedded demo and demo-pt. subjects: only
    these (mmlu, demo, enem); all when empty. shots: development questions that every subject must have.
    Raises DataError naming file and line for a broken row, the nearest name for an unknown kind or subject, and the
    subject that has too few development rows.
    """
    suite = suite_kind(kind)
    if path is None:
        if suite.embedded is None:
            raise DataError(f"{kind}: give the folder of its files; only the demo suites come with the program")
        path = suite.embedded()
    if subjects and not suite.has_subjects:
        raise DataError(f"{kind} has no subjects; leave out {', '.join(subjects)}")
    folder = SuiteFolder(path)
    splits = suite.read(folder, subjects, shots)
    if not splits.questions:
        raise DataError(f"{folder.path}: holds no question of {kind}")
    _require_shots(kind, splits, shots)
    return Suite(
        name=kind,
        questions=tuple(splits.questions),
        shots={subject: tuple(rows) for subject, rows in splits.shots.items()},
        chance=float(numpy.mean([1 / len(question.options) for question in splits.questions])),
        files=dict(folder.hashes),
        notes=(*splits.notes, *_repetitions(splits)),
    )


def _require_shots(kind: str, splits: Splits, shots: int) -> None:
    if shots < 0:
        raise DataError(f"{kind}: {shots} shots; expected 0 or more")
    for subject in dict.fromkeys(question.subject for question in splits.questions):
        available = len(splits.shots.get(subject, ()))
        if available < shots:
            raise DataError(f"{kind}, subject {subject}: {shots} shots asked, {available} development rows found")


def _repetitions(splits: Splits) -> list[str]:
    """Remarks on test rows that repeat one another or stand among the development rows; they are kept, because the
    published figures hold them too."""

    def content(question: ChoiceQuestion) -> tuple[str, tuple[str, ...], int]:
        return question.question.strip(), tuple(option.strip() for option in question.options), question.answer

    rows = [content(question) for question in splits.questions]
    development = {content(question) for questions in splits.shots.values() for question in questions}
    repeated, leaked = len(rows) - len(set(rows)), sum(row in development for row in rows)
    notes = []
    if repeated:
        notes.append(f"{repeated} of {len(rows)} test rows repeat an earlier one (same question, options and answer)")
    if leaked:
        notes.append(f"{leaked} of {len(rows)} test rows also stand among the development rows")
    return notes


def select_questions(
    suite: Suite, *, limit_per_subject: int | None, selection: Selection, seed: int
) -> tuple[ChoiceQuestion, ...]:
    """The questions to ask: at most limit_per_subject of each subject, all of them when it is None.

    first: the first rows of the file. stratified: a sample of each subject that depends on the seed alone; samples
    are nested (a larger limit holds the smaller one) and stand in file order. course: 50 each of COURSE_SUBJECTS as
    `course_draw` draws them; the seed is the course's 42 whatever `seed` says, and a limit keeps the first drawn.
    """
    if limit_per_subject is not None and limit_per_subject < 1:
        raise DataError(f"{suite.name}: a limit of {limit_per_subject} questions a subject; expected 1 or more")
    subjects: dict[str, list[ChoiceQuestion]] = {}
    for question in suite.questions:
        subjects.setdefault(question.subject, []).append(question)
    if selection == "course":
        return _course_questions(suite.name, subjects, limit_per_subject)
    if limit_per_subject is None:
        return suite.questions
    chosen: set[str] = set()
    for questions in subjects.values():
        ranked = questions if selection == "first" else sorted(questions, key=lambda question: _draw(seed, question.id))
        chosen.update(question.id for question in ranked[:limit_per_subject])
    return tuple(question for question in suite.questions if question.id in chosen)


def _draw(seed: int, identity: str) -> bytes:
    """A number drawn for one question: the same on every machine and in every version of any library."""
    return hashlib.sha256(f"{seed}/{identity}".encode()).digest()


def course_draw(rows: int, count: int = COURSE_QUESTIONS, seed: int = COURSE_SEED) -> list[int]:
    """Positions of the rows drawn by the 2025 course project, in the order drawn.

    The project's own words are "numpy seed 42, 50 questions a category". The usual way to do that is pandas'
    `DataFrame.sample(n=50, random_state=42)`, and this assumes it: pandas takes `numpy.random.RandomState(42).choice(
    rows, 50, replace=False)`, which is the head of RandomState(42).permutation(rows). The project published no
    question texts, so the assumption cannot be checked against its results.

    >>> course_draw(100)[:4]
    [83, 53, 70, 45]
    """
    if rows < count:
        raise DataError(f"the course draws {count} questions a subject, but there are {rows}")
    drawn = numpy.random.RandomState(seed).choice(rows, size=count, replace=False)
    return [int(position) for position in drawn]


def _course_questions(
    name: str, subjects: Mapping[str, Sequence[ChoiceQuestion]], limit: int | None
) -> tuple[ChoiceQuestion, ...]:
    missing = [subject for subject in COURSE_SUBJECTS if subject not in subjects]
    if missing:
        raise DataError(f"{name}: the course's draw needs the MMLU subjects {', '.join(missing)}, which are not loaded")
    chosen: list[ChoiceQuestion] = []
    for subject in COURSE_SUBJECTS:
        positions = course_draw(len(subjects[subject]))
        chosen.extend(subjects[subject][position] for position in positions[:limit])
    return tuple(chosen)
