"""A run folder read: its lines as dataclasses, what is complete, and whether the lines belong together."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from paretune.config import BASELINE
from paretune.errors import DataError, RunFolderError
from paretune.records import ChoiceAnswer, SqlVerdict
from paretune.run.consistency import (
    against_choices,
    against_questions,
    conditions_that_differ,
    failures,
    outdated,
)
from paretune.run.folder import RunFolder
from paretune.run.jsonl import Record, read_lines

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One target question as it was asked: a line of prepared/sql.jsonl."""

    index: int
    db_id: str
    question: str
    gold: str
    hardness: str
    prompt: str
    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One training row: a line of prepared/train.jsonl. tokens: prompt and completion together."""

    split: str
    index: int
    db_id: str
    question: str
    gold: str
    prompt: str
    completion: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class AskedChoice:
    """One multiple-choice question as it was asked: a line of prepared/choice.jsonl. answer: index of the right one."""

    suite: str
    id: str
    subject: str
    category: str
    question: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Suite:
    """What prepared/choice.jsonl says of a suite. chance: probability of a blind guess in [0, 1], if known."""

    name: str
    chance: float | None = None
    shots: int | None = None
    method: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One logged step. seconds since the start; skipped: steps left out so far; gradient_norm: null if unknown."""

    step: int
    epoch: float
    loss: float | None
    learning_rate: float | None
    gradient_norm: float | None
    tokens: int
    seconds: float
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class GeneratedAnswer:
    """One raw answer. finish: "stop" (end of turn) or "length" (token limit reached)."""

    index: int
    db_id: str
    text: str
    tokens: int
    finish: str


@dataclass(frozen=True, slots=True)
class VariantEntry:
    """What the manifest says of a variant. kind: baseline, trained, adapter, scaled or checkpoint."""

    name: str
    kind: str
    source: str | None = None
    adapter_scale: float | None = None
    checkpoint: int | None = None
    train_rows: int = 0
    left_out_rows: int = 0
    steps: int = 0
    skipped_steps: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class VariantRecords:
    """All lines of one variant, in the order in which the questions were asked. headers: of each file, by its name."""

    entry: VariantEntry
    sql: tuple[SqlVerdict, ...]
    choice: tuple[ChoiceAnswer, ...]
    answers: tuple[GeneratedAnswer, ...]
    training: tuple[TrainingStep, ...]
    headers: Mapping[str, Record]

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.entry.name


def from_record(kind: type[T], record: Mapping[str, Any], where: str) -> T:
    """The dataclass `kind` from a JSON record: lists become tuples, outcomes their enum; unknown keys are left out.

    Raises DataError naming the missing key, or the outcome nobody knows.
    """
    required, known, conversions = _plan(typing.cast(Any, kind))
    for name in required:
        if name not in record:
            raise DataError(f"{where}: a record lacks {name!r}; it was written by another version: evaluate again")
    values = {name: record[name] for name in known if name in record}
    for name, convert in conversions:
        value = values.get(name)
        if value is not None:
            try:
                values[name] = convert(value)
            except (ValueError, TypeError) as error:
                raise DataError(f"{where}: {name}: {value!r} is not known here") from error
    return kind(**values)


@cache
def _plan(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, Any], ...]]:
    """Fields that a record must have, all fields, and what some are converted by."""
    hints = typing.get_type_hints(kind)
    required: list[str] = []
    conversions: list[tuple[str, Any]] = []
    for item in dataclasses.fields(kind):
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            required.append(item.name)
        hint = hints[item.name]
        for option in typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,):
            if typing.get_origin(option) is tuple:
                conversions.append((item.name, tuple))
            elif isinstance(option, type) and issubclass(option, StrEnum):
                conversions.append((item.name, option))
    return tuple(required), tuple(hints), tuple(conversions)


__all__ = [
    "AskedChoice",
    "AskedQuestion",
    "GeneratedAnswer",
    "RunRecords",
    "Suite",
    "TrainingRow",
    "TrainingStep",
    "VariantEntry",
    "VariantRecords",
    "load_run",
]


@dataclass(frozen=True, slots=True)
class RunRecords:
    """A whole run folder.

    variants: the complete ones, baseline first, then in the experiment's order. incomplete: what is missing of each
    of the others. left_out_rows: training rows too long for a variant, by its name. problems: why the lines must not
    be compared (empty unless loaded with check=False).
    """

    path: Path
    name: str
    manifest: Record
    questions: tuple[AskedQuestion, ...]
    training_rows: tuple[TrainingRow, ...]
    left_out_rows: Mapping[str, int]
    choice_questions: tuple[AskedChoice, ...]
    suites: tuple[Suite, ...]
    variants: tuple[VariantRecords, ...]
    incomplete: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()

    def variant(self, name: str) -> VariantRecords:
        """The complete variant of that name. Raises RunFolderError."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        missing = "; ".join(self.incomplete.get(name, ("no such variant",)))
        raise RunFolderError(f"{self.path}: {name}: {missing}")


def load_run(path: Path, *, check: bool = True) -> RunRecords:
    """Read a run folder.

    check: refuse what cannot be compared; False collects the reasons in `problems` instead (for an audit). Raises
    DataError for a missing or broken file, RunFolderError where lines belong to other questions, other references or
    other conditions than their neighbours', and where an outcome is `failed`, which is our own fault: naming them.
    """
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    if not manifest:
        raise DataError(f"{folder.manifest_path}: not there; run the experiment first, or name its folder")
    sql_header, questions = _lines(folder.prepared("sql"), AskedQuestion)
    choice_header, choice_questions = _lines(folder.prepared("choice"), AskedChoice)
    train_header, training_rows = _optional(folder.prepared("train"), TrainingRow)
    complete: list[VariantRecords] = []
    incomplete: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for name in _variant_names(manifest):
        records, missing, wrong = _load_variant(folder, name, manifest, questions, choice_questions)
        problems += wrong
        if records is None:
            incomplete[name] = tuple(missing)
        else:
            complete.append(records)
    problems += conditions_that_differ(complete)
    problems += outdated(complete, {"answers": sql_header, "sql": sql_header, "choice": choice_header})
    problems += [problem for variant in complete for problem in failures(variant)]
    if problems and check:
        raise RunFolderError(f"{path}: cannot be compared: " + "; ".join(problems))
    return RunRecords(
        path=path,
        name=str(manifest.get("name", path.name)),
        manifest=manifest,
        questions=questions,
        training_rows=training_rows,
        left_out_rows=_left_out(train_header, manifest),
        choice_questions=choice_questions,
        suites=_suites(choice_header, choice_questions),
        variants=tuple(complete),
        incomplete=incomplete,
        problems=tuple(problems),
    )


def _left_out(header: Record, manifest: Record) -> dict[str, int]:
    """Training rows that were too long, by variant; one number stands for all of them."""
    found = header.get("left_out", {})
    if isinstance(found, Mapping):
        return {str(name): int(count) for name, count in found.items()}
    return {name: int(found) for name in _variant_names(manifest)[1:]}


def _variant_names(manifest: Record) -> list[str]:
    configured = [str(item["name"]) for item in manifest.get("config", {}).get("variants", [])]
    noted = [str(name) for name in manifest.get("variants", {})]
    return list(dict.fromkeys([BASELINE, *configured, *noted]))


def _load_variant(
    folder: RunFolder,
    name: str,
    manifest: Record,
    questions: Sequence[AskedQuestion],
    choices: Sequence[AskedChoice],
) -> tuple[VariantRecords | None, list[str], list[str]]:
    """The records, or what is missing; and what is wrong either way."""
    entry = from_record(VariantEntry, {"kind": "", **manifest.get("variants", {}).get(name, {}), "name": name}, name)
    headers: dict[str, Record] = {}
    missing: list[str] = []
    headers["sql"], sql = _optional(folder.variant(name, "sql.jsonl"), SqlVerdict)
    headers["choice"], choice = _optional(folder.variant(name, "choice.jsonl"), ChoiceAnswer)
    headers["answers"], answers = _optional(folder.variant(name, "answers.jsonl"), GeneratedAnswer)
    headers["training"], training = _optional(folder.variant(name, "training.jsonl"), TrainingStep)
    if not headers["sql"] and not sql:
        missing.append("no answers were scored (sql.jsonl)")
    if not headers["choice"] and not choice and choices:
        missing.append("no multiple-choice answers (choice.jsonl)")
    wrong, missing_sql = against_questions(name, sql, questions)
    wrong_choice, missing_choice = against_choices(name, choice, choices)
    if sql and missing_sql:
        missing.append(f"{missing_sql} of {len(questions)} questions have no scored answer (sql.jsonl)")
    if choice and missing_choice:
        missing.append(f"{missing_choice} multiple-choice answers are missing (choice.jsonl)")
    wrong += wrong_choice
    if missing:
        return None, missing, wrong
    order = {question.index: position for position, question in enumerate(questions)}
    ordered = tuple(sorted(sql, key=lambda verdict: order.get(verdict.index, len(order))))
    return VariantRecords(entry, ordered, choice, answers, training, headers), [], wrong


def _suites(header: Record, choices: Sequence[AskedChoice]) -> tuple[Suite, ...]:
    """The suites in the experiment's order, which is the header's; the first one is the main axis."""
    known: Mapping[str, Record] = header.get("suites", {})
    present = dict.fromkeys(choice.suite for choice in choices)
    names = [name for name in dict.fromkeys([*known, *present]) if name in present]
    return tuple(from_record(Suite, {**known.get(name, {}), "name": name}, "suites") for name in names)


def _lines(path: Path, kind: type[T]) -> tuple[Record, tuple[T, ...]]:
    header, records = read_lines(path)
    return header, tuple(from_record(kind, record, str(path)) for record in records)


def _optional(path: Path, kind: type[T]) -> tuple[Record, tuple[T, ...]]:
    return _lines(path, kind) if path.exists() else ({}, ())
