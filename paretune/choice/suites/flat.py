"""Suites without subjects: ARC, HellaSwag, PIQA, WinoGrande, OpenBookQA, TruthfulQA, CommonsenseQA and BoolQ.

Each is read in its official layout, as the Hub's parquet files, and in the flat {question, choices, gold} form in
which it is often passed on. The evaluated split is lm-eval's: test where its answers are public (ARC, OpenBookQA),
validation elsewhere; shots come from the training split, or from the validation split where that is not evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretune.choice.suites.files import Item, Row, Splits, SuiteFolder, as_question
from paretune.errors import DataError

RowReader = Callable[[Row], Item]


def _read(name: str, folder: SuiteFolder, reader: RowReader, evaluated: Sequence[str], shots: Sequence[str]) -> Splits:
    """One suite without subjects; its name stands for subject and category."""
    file = folder.require(evaluated)
    rows = _with_label_file(folder, file)
    questions = [
        as_question(reader(row), subject=name, category=name, row=str(number)) for number, row in enumerate(rows)
    ]
    splits = Splits(questions, {}, _remarks(name, rows[0]))
    development_file = folder.find(shots)
    if development_file is not None and development_file != file:
        splits.shots[name] = [
            as_question(reader(row), subject=name, category=name, row=f"dev-{number}")
            for number, row in enumerate(_with_label_file(folder, development_file))
        ]
    return splits


def _remarks(name: str, row: Row) -> list[str]:
    """What tells the text of this file's layout from the one that lm-eval reads."""
    if name == "hellaswag" and "ctx_a" not in row.fields:
        return ["contexts stand as in the file; lm-eval capitalises their second part, which this layout does not mark"]
    if name == "boolq" and "query" in row.fields:
        return ["passages stand without the titles that SuperGLUE's rows begin with"]
    return []


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


def _index(row: Row, name: str, first: int = 0) -> int:
    """A numbered answer as an index from 0. first: the number of the first option in the file."""
    value = row.get(name)
    if isinstance(value, bool):
        return int(value)
    try:
        return int(str(value).strip()) - first
    except ValueError as error:
        raise DataError(f"{row.where}: {name!r} must be the number of an option, found {value!r}") from error


def _strings(row: Row, value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(option, str) for option in value):
        raise DataError(f"{row.where}: {name!r} must be a list of texts")
    return value


def _labelled_item(row: Row) -> Item:
    """ARC, OpenBookQA and CommonsenseQA: a stem, options with labels, and the label of the right one."""
    if "gold" in row.fields:
        return Item(row.where, row.text("question"), _strings(row, row.get("choices"), "choices"), _index(row, "gold"))
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
    labels, answer = _strings(row, choices["label"], "label"), row.text("answerKey").strip()
    if answer not in labels:
        raise DataError(f"{row.where}: the answer {answer!r} is none of the options {', '.join(labels)}")
    return Item(row.where, question, _strings(row, choices["text"], "text"), labels.index(answer))


def tidy_hellaswag(text: str) -> str:
    """A HellaSwag text without the WikiHow marks, as lm-eval's hellaswag task cleans it.

    >>> tidy_hellaswag(" How to knit [title] Buy wool. [step] Go to a shop.  Choose. ")
    'How to knit. Buy wool. Go to a shop. Choose.'
    """
    text = re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". "))
    return text.replace("  ", " ")


def _hellaswag_item(row: Row) -> Item:
    endings = _strings(row, row.get("endings"), "endings")
    if "ctx_a" in row.fields:
        context = f"{row.text('ctx_a')} {row.text('ctx_b').capitalize()}"
        question = tidy_hellaswag(f"{row.text('activity_label')}: {context}")
        return Item(row.where, question, [tidy_hellaswag(ending) for ending in endings], _index(row, "label"))
    return Item(row.where, row.text("query"), endings, _index(row, "label"))


def _piqa_item(row: Row) -> Item:
    return Item(row.where, row.text("goal"), (row.text("sol1"), row.text("sol2")), _index(row, "label"))


def _winogrande_item(row: Row) -> Item:
    sentence = row.text("sentence")
    if sentence.count("_") != 1:
        raise DataError(f"{row.where}: the sentence must hold one gap _, found {sentence.count('_')}")
    return Item(row.where, sentence, (row.text("option1"), row.text("option2")), _index(row, "answer", first=1))


def _truthfulqa_item(row: Row) -> Item:
    targets = row.get("mc1_targets")
    if isinstance(targets, Mapping) and "choices" in targets and "labels" in targets:
        options, labels = list(targets["choices"]), list(targets["labels"])
    elif isinstance(targets, Mapping):
        options, labels = list(targets), list(targets.values())
    else:
        raise DataError(f"{row.where}: 'mc1_targets' must be an object")
    # Rows of the release of 790 questions hold an empty wrong option, which no model can be scored on.
    kept = [(option, label) for option, label in zip(options, labels, strict=False) if label or str(option).strip()]
    options, labels = [option for option, _ in kept], [label for _, label in kept]
    if labels.count(1) != 1:
        raise DataError(f"{row.where}: 'mc1_targets' must mark one option with 1")
    return Item(row.where, row.text("question"), options, labels.index(1))


def _boolq_item(row: Row) -> Item:
    """question: the passage and the question under it, worded as in SuperGLUE ("TITLE -- passage")."""
    options = ("no", "yes")
    if "query" in row.fields:
        passage, found, question = row.text("query").removeprefix("Passage: ").rpartition("\nQuestion: ")
        if not found:
            raise DataError(f"{row.where}: 'query' must hold a passage and a line that begins with 'Question: '")
        return Item(row.where, f"{passage}\nQuestion: {question}", options, _index(row, "gold"))
    passage = row.text("passage")
    if row.fields.get("title"):
        passage = f"{row.text('title')} -- {passage}"
    answer = _index(row, "label" if "label" in row.fields else "answer")
    return Item(row.where, f"{passage}\nQuestion: {row.text('question')}?", options, answer)


def _read_arc(name: str, folder: SuiteFolder) -> Splits:
    stem = {"arc-easy": "ARC-Easy", "arc-challenge": "ARC-Challenge"}[name]

    def files(*official: str, hub: Sequence[str]) -> list[str]:
        flat = [f"{stem}-{split}.jsonl" for split in official]
        return [*flat, *(f"{stem}/{file}" for file in flat), *(f"{stem}/{split}-*.parquet" for split in hub)]

    return _read(
        name,
        folder,
        _labelled_item,
        files("Test", hub=("test",)),
        files("Train", "Dev", hub=("train", "validation")),
    )


def _read_hellaswag(folder: SuiteFolder) -> Splits:
    evaluated = ("hellaswag_val.jsonl", "*/validation-*.parquet", "validation-*.parquet")
    shots = ("hellaswag_train.jsonl", "*/train-*.parquet", "train-*.parquet")
    return _read("hellaswag", folder, _hellaswag_item, evaluated, shots)


def _read_piqa(folder: SuiteFolder) -> Splits:
    evaluated = ("valid.jsonl", "*/validation-*.parquet", "validation-*.parquet")
    return _read("piqa", folder, _piqa_item, evaluated, ("train.jsonl", "*/train-*.parquet", "train-*.parquet"))


def _read_winogrande(folder: SuiteFolder) -> Splits:
    return _read(
        "winogrande",
        folder,
        _winogrande_item,
        ("dev.jsonl", "winogrande_xl/validation-*.parquet", "validation-*.parquet"),
        ("train_xl.jsonl", "train.jsonl", "winogrande_xl/train-*.parquet", "train-*.parquet"),
    )


def _read_openbookqa(folder: SuiteFolder) -> Splits:
    layouts = ("{}.jsonl", "Main/{}.jsonl", "Data/Main/{}.jsonl")
    return _read(
        "openbookqa",
        folder,
        _labelled_item,
        (*(layout.format("test") for layout in layouts), "main/test-*.parquet", "test-*.parquet"),
        (
            *(layout.format(split) for split in ("train", "dev") for layout in layouts),
            *("main/train-*.parquet", "train-*.parquet"),
        ),
    )


def _read_truthfulqa(folder: SuiteFolder) -> Splits:
    evaluated = ("mc_task.json", "data/mc_task.json", "multiple_choice/validation-*.parquet")
    return _read("truthfulqa-mc1", folder, _truthfulqa_item, evaluated, ())


def _read_commonsense_qa(folder: SuiteFolder) -> Splits:
    evaluated = ("valid.jsonl", "dev_rand_split.jsonl", "*/validation-*.parquet", "validation-*.parquet")
    shots = ("train.jsonl", "train_rand_split.jsonl", "*/train-*.parquet", "train-*.parquet")
    return _read("commonsense-qa", folder, _labelled_item, evaluated, shots)


def _read_boolq(folder: SuiteFolder) -> Splits:
    evaluated = ("val.jsonl", "dev.jsonl", "boolq_val.jsonl", "*/validation-*.parquet", "validation-*.parquet")
    return _read("boolq", folder, _boolq_item, evaluated, ("train.jsonl", "*/train-*.parquet", "train-*.parquet"))


READERS: Mapping[str, Callable[[SuiteFolder], Splits]] = {
    "arc-easy": lambda folder: _read_arc("arc-easy", folder),
    "arc-challenge": lambda folder: _read_arc("arc-challenge", folder),
    "hellaswag": _read_hellaswag,
    "piqa": _read_piqa,
    "winogrande": _read_winogrande,
    "openbookqa": _read_openbookqa,
    "truthfulqa-mc1": _read_truthfulqa,
    "commonsense-qa": _read_commonsense_qa,
    "boolq": _read_boolq,
}
