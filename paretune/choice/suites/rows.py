"""Rows of suites without subjects: read whole, and the parts that several layouts share.

Each suite is read in its official layout, as the Hub's parquet files, and in the flat {question, choices, gold} form in
which it is often passed on. The evaluated split is lm-eval's: test where its answers are public (ARC, OpenBookQA),
validation elsewhere; shots come from the training split, or from the validation split where that is not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretune.choice.suites.files import Item, Row, Splits, SuiteFolder, as_question
from paretune.errors import DataError

RowReader = Callable[[Row], Item]
Remarks = Callable[[Row], list[str]]  # what tells the text of a file's layout from the one that lm-eval reads


def reader_of(
    name: str,
    read_row: RowReader,
    evaluated: Sequence[str],
    shots: Sequence[str],
    remarks: Remarks = lambda row: [],
) -> Callable[[SuiteFolder, Sequence[str], int], Splits]:
    """The reader of a suite without subjects: patterns of the evaluated file and of the one that gives the shots."""
    return lambda folder, subjects, n_shots: _read(name, folder, read_row, evaluated, shots, remarks)


def _read(
    name: str,
    folder: SuiteFolder,
    read_row: RowReader,
    evaluated: Sequence[str],
    shots: Sequence[str],
    remarks: Remarks,
) -> Splits:
    """The suite's name stands for subject and category."""
    file = folder.require(evaluated)
    rows = _with_label_file(folder, file)
    questions = [
        as_question(read_row(row), subject=name, category=name, row=str(number)) for number, row in enumerate(rows)
    ]
    splits = Splits(questions, {}, remarks(rows[0]))
    development_file = folder.find(shots)
    if development_file is not None and development_file != file:
        splits.shots[name] = [
            as_question(read_row(row), subject=name, category=name, row=f"dev-{number}")
            for number, row in enumerate(_with_label_file(folder, development_file))
        ]
    return splits


def _with_label_file(folder: SuiteFolder, file: Path) -> list[Row]:
    """The file's rows; answers kept in a file beside it (NAME-labels.lst, PIQA) join them as "label"."""
    rows = folder.rows(file)
    labels_file = file.with_name(f"{file.stem}-labels.lst")
    if not labels_file.is_file() or "label" in rows[0].fields or "answer" in rows[0].fields:
        return rows
    labels = folder.read_text(labels_file).split()
    if len(labels) != len(rows):
        raise DataError(f"{labels_file}: {len(labels)} labels, but {file.name} has {len(rows)} rows")
    return [replace(row, fields={**row.fields, "label": label}) for row, label in zip(rows, labels, strict=True)]


def index_of(row: Row, name: str, first: int = 0) -> int:
    """A numbered answer as an index from 0. first: the number of the first option in the file."""
    value = row.get(name)
    if isinstance(value, bool):
        return int(value)
    try:
        return int(str(value).strip()) - first
    except ValueError as error:
        raise DataError(f"{row.where}: {name!r} must be the number of an option, found {value!r}") from error


def strings_of(row: Row, value: Any, name: str) -> list[str]:
    """The value, which must be a list of texts. name: of its field, for the message."""
    if not isinstance(value, list) or not all(isinstance(option, str) for option in value):
        raise DataError(f"{row.where}: {name!r} must be a list of texts")
    return value


def labelled_item(row: Row) -> Item:
    """ARC, OpenBookQA and CommonsenseQA: a stem, options with labels, and the label of the right one."""
    if "gold" in row.fields:
        return Item(
            row.where, row.text("question"), strings_of(row, row.get("choices"), "choices"), index_of(row, "gold")
        )
    question: Any = row.get("question_stem" if "question_stem" in row.fields else "question")
    choices: Any
    if isinstance(question, Mapping):
        question, choices = question.get("stem"), question.get("choices")
    else:
        choices = row.get("choices")
    if not isinstance(question, str):
        raise DataError(f"{row.where}: the question has no text")
    if isinstance(choices, list) and all(isinstance(choice, Mapping) for choice in choices):
        choices = {name: [choice.get(name) for choice in choices] for name in ("text", "label")}
    if not isinstance(choices, Mapping) or "text" not in choices or "label" not in choices:
        raise DataError(f"{row.where}: 'choices' must hold texts and labels")
    labels, answer = strings_of(row, choices["label"], "label"), row.text("answerKey").strip()
    if answer not in labels:
        raise DataError(f"{row.where}: the answer {answer!r} is none of the options {', '.join(labels)}")
    return Item(row.where, question, strings_of(row, choices["text"], "text"), labels.index(answer))
