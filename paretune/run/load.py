"""A run folder read back: what was asked, what every variant answered, and whether it can be compared at all.

Figures are made elsewhere. This module decides which variants are whole, and refuses a folder whose parts do not
belong together: other questions, other references, other conditions under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

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
from paretune.run.lines import (
    AskedChoice,
    AskedQuestion,
    GeneratedAnswer,
    Suite,
    TrainingRow,
    TrainingStep,
    VariantEntry,
    VariantRecords,
    from_record,
)

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

T = TypeVar("T")


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
