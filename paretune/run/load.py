"""A run folder read back: what was asked, what every variant answered, and whether it can be compared at all.

The one reader: comparison, page, audit, export and `power` see the same `Run`. It is lenient, so that a damaged folder
can be described; what speaks against a comparison stands in `problems`, and `Run.check` refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from paretune.config import BASELINE, DEFAULT_SEED
from paretune.errors import DataError, RunFolderError
from paretune.files import fingerprint
from paretune.records import METHODS, ChoiceAnswer
from paretune.run.consistency import (
    Problem,
    against_choices,
    against_questions,
    conditions_that_differ,
    failures,
    outdated,
)
from paretune.run.folder import RunFolder
from paretune.run.jsonl import Record, read_damaged_lines
from paretune.run.lines import (
    AskedChoice,
    AskedQuestion,
    GeneratedAnswer,
    SampledAnswer,
    Suite,
    TrainingRow,
    TrainingStep,
    Variant,
    VariantEntry,
    from_record,
    verdict_from,
)
from paretune.tasks import DEFAULT_KIND, Facets, Identity, Task, find_task

__all__ = [
    "AskedChoice",
    "AskedQuestion",
    "GeneratedAnswer",
    "Problem",
    "Run",
    "Suite",
    "TrainingRow",
    "TrainingStep",
    "Variant",
    "VariantEntry",
    "load_run",
]

T = TypeVar("T")
WHERE = "a line"  # of a fault, until its file is known


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run folder, as far as it can be read.

    headers: of the prepared files (the task's, train, choice), empty where there is none; content: fingerprint of the
    lines that lie under each. left_out_rows: training rows too long for a variant, by its name. variants: the complete
    ones, baseline first, then in the experiment's order; all_variants: those that lack lines, too. incomplete: what is
    missing of each of these. former: variants that were evaluated here and that the experiment no longer names.
    problems: why the lines must not be compared. has_target: whether a benchmark is what was trained for; in logs of
    others none is, and every one is a suite. validation, validation_choices: what is looked at on the way, if
    anything.
    """

    path: Path
    name: str
    task: Task
    manifest: Record
    headers: Mapping[str, Record]
    content: Mapping[str, str]
    questions: tuple[AskedQuestion, ...]
    training_rows: tuple[TrainingRow, ...]
    left_out_rows: Mapping[str, int]
    choice_questions: tuple[AskedChoice, ...]
    suites: tuple[Suite, ...]
    variants: tuple[Variant, ...]
    all_variants: tuple[Variant, ...]
    incomplete: Mapping[str, tuple[str, ...]]
    former: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    has_target: bool = True
    validation: tuple[AskedQuestion, ...] = ()
    validation_choices: tuple[AskedChoice, ...] = ()

    @property
    def facets(self) -> Facets:
        """What the target task calls its files and figures."""
        return self.task.facets

    @property
    def config(self) -> Record:
        """The experiment's configuration as the manifest has it, empty when it is not known."""
        return _mapping(self.manifest.get("config"))

    @property
    def target_kind(self) -> str:
        """The name of the target task."""
        return _target_kind(self.manifest)

    def variant(self, name: str) -> Variant:
        """The complete variant of that name. Raises RunFolderError."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        missing = "; ".join(self.incomplete.get(name, ("no such variant",)))
        raise RunFolderError(f"{self.path}: {name}: {missing}")

    def check(self) -> None:
        """Refuse what cannot be compared: raises RunFolderError with every problem."""
        if self.problems:
            reasons = "; ".join(str(problem) for problem in self.problems)
            raise RunFolderError(f"{self.path}: cannot be compared: {reasons}")


def load_run(path: Path) -> Run:
    """Read a run folder. Raises RunFolderError where nothing of a run lies there, DataError for a file that cannot be
    opened; damaged lines are left out and named in `problems`."""
    folder = RunFolder(path)
    manifest, problems = _manifest(folder)
    task = task_of(manifest)
    lines = task.facets.lines
    names, former = _variant_names(path, manifest, lines)
    if not manifest and not names:
        raise RunFolderError(
            f"{path}: no manifest.json and no variant with {lines}.jsonl or choice.jsonl; expected a run folder"
        )
    reader = _Reader(folder, task)
    questions = reader.prepared(lines, AskedQuestion)
    choices = reader.prepared("choice", AskedChoice)
    rows = reader.prepared("train", TrainingRow, required=False)
    validation: tuple[AskedQuestion, ...] = ()
    validation_choices: tuple[AskedChoice, ...] = ()
    if _mapping(manifest.get("config")).get("validation"):  # else what lies there is of an experiment that had it
        validation = reader.prepared("validation", AskedQuestion, required=False)
        validation_choices = reader.prepared("validation_choice", AskedChoice, required=False)
    variants = [reader.variant(name, _mapping(_mapping(manifest.get("variants")).get(name))) for name in names]
    suites = _suites(reader.headers["choice"], choices)
    problems += reader.problems
    complete: list[Variant] = []
    incomplete: dict[str, tuple[str, ...]] = {}
    for variant in variants:
        missing, wrong = _judged(variant, task.facets, questions, choices, suites)
        if missing:
            incomplete[variant.name] = tuple(missing)
        else:
            complete.append(variant)
        if variant.entry.unusable is None:
            problems += wrong
    asked = {"answers": lines, lines: lines, "choice": "choice"}
    prepared = {file: reader.headers[name] for file, name in asked.items()}
    problems += conditions_that_differ(complete, lines)
    problems += [problem for variant in complete for problem in outdated(variant, prepared, lines)]
    problems += [problem for variant in complete for problem in failures(variant)]
    return Run(
        path=path,
        name=str(manifest.get("name", path.name)),
        task=task,
        manifest=manifest,
        headers=reader.headers,
        content=reader.content,
        questions=questions,
        training_rows=rows,
        left_out_rows=_left_out(reader.headers["train"], names),
        choice_questions=choices,
        suites=suites,
        variants=tuple(complete),
        all_variants=tuple(variants),
        incomplete=incomplete,
        former=former,
        problems=tuple(problems),
        validation=validation,
        validation_choices=validation_choices,
    )


class _Reader:
    """Reads the files of one folder; collects what is wrong with them."""

    def __init__(self, folder: RunFolder, task: Task) -> None:
        self.headers: dict[str, Record] = {}
        self.content: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._folder = folder
        self._task = task
        self._order: dict[Identity, int] = {}

    def prepared(self, name: str, kind: type[T], *, required: bool = True) -> tuple[T, ...]:
        """The lines of a prepared file; its header goes to `headers`."""
        path = self._folder.prepared(name)
        if required and not path.exists():
            self.problems.append(Problem("no-file", {"file": self._name(path)}))
        names = self._task.facets.names
        self.headers[name], records, items = self._lines(path, lambda record: from_record(kind, record, WHERE, names))
        if path.exists():
            self.content[name] = fingerprint(records)
        if name == self._task.facets.lines:
            key = names.get("id", "id")
            self._order = {record.get(key, 0): position for position, record in enumerate(records)}
        return items

    def variant(self, name: str, about: Record) -> Variant:
        """All lines of a variant, verdicts in the order of the questions."""
        try:
            entry = from_record(VariantEntry, {"kind": "", **about, "name": name}, name)
        except DataError as error:
            self._unreadable(self._folder.manifest_path, 1, 1, str(error))
            entry = VariantEntry(name, "")
        headers: dict[str, Record] = {}
        task, lines = self._task, self._task.facets.lines
        path = partial(self._folder.variant, name)
        headers["answers"], _, answers = self._lines(
            path("answers.jsonl"), lambda record: from_record(GeneratedAnswer, record, WHERE, task.facets.names)
        )
        headers[lines], _, verdicts = self._lines(
            path(f"{lines}.jsonl"), lambda record: verdict_from(task, record, WHERE)
        )
        headers["choice"], _, choice = self._lines(
            path("choice.jsonl"), lambda record: from_record(ChoiceAnswer, record, WHERE)
        )
        headers["training"], _, training = self._lines(
            path("training.jsonl"), lambda record: from_record(TrainingStep, record, WHERE)
        )
        _, _, samples = self._lines(
            path("sample_verdicts.jsonl"), lambda record: from_record(SampledAnswer, record, WHERE, task.facets.names)
        )
        last = len(self._order)
        ordered = tuple(sorted(verdicts, key=lambda verdict: self._order.get(verdict.id, last)))
        return Variant(entry, ordered, choice, answers, training, headers, samples)

    def _lines(self, path: Path, made: Callable[[Record], T]) -> tuple[Record, list[Record], tuple[T, ...]]:
        if not path.exists():
            return {}, [], ()
        header, records, faults = read_damaged_lines(path)
        items: list[T] = []
        for record in records:
            try:
                items.append(made(record))
            except DataError as error:
                faults.append(str(error).removeprefix(f"{WHERE}: "))
        if faults:
            self._unreadable(path, len(faults), len(items) + len(faults), faults[0])
        return header, records, tuple(items)

    def _unreadable(self, path: Path, count: int, lines: int, reason: str) -> None:
        figures: dict[str, str | int] = {"file": self._name(path), "count": count, "lines": lines, "reason": reason}
        self.problems.append(Problem("unreadable-lines", figures))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder.path).as_posix()


def task_of(manifest: Record) -> Task:
    """The target task of a run. Raises ConfigError where no package has it."""
    return find_task(_target_kind(manifest))


def seed_of(manifest: Record) -> int:
    """The seed of a run; the usual one where the manifest does not say it."""
    return int(_mapping(manifest.get("config")).get("seed", DEFAULT_SEED))


def _target_kind(manifest: Record) -> str:
    return str(_mapping(_mapping(manifest.get("config")).get("target")).get("kind") or DEFAULT_KIND)


def _manifest(folder: RunFolder) -> tuple[Record, list[Problem]]:
    try:
        manifest = folder.read_manifest()
        reason = "" if manifest else "not there; run the experiment first, or name its folder"
    except DataError:
        manifest, reason = {}, "not JSON; delete it, `paretune prepare` writes it anew"
    return manifest, [Problem("no-manifest", {"file": "manifest.json", "reason": reason})] if reason else []


def _variant_names(path: Path, manifest: Record, lines: str) -> tuple[list[str], tuple[str, ...]]:
    """Variants of the experiment, and those that it no longer names. Where no experiment is known, all that lie here
    belong to it."""
    config = _mapping(manifest.get("config"))
    configured = [str(item["name"]) for item in config.get("variants") or () if _mapping(item).get("name")]
    noted = [str(name) for name in _mapping(manifest.get("variants"))]
    there = sorted({file.parent.name for name in (lines, "choice") for file in path.glob(f"*/{name}.jsonl")})
    known = list(dict.fromkeys([*noted, *(name for name in there if name != "prepared")]))
    if "variants" not in config:
        return sorted(known, key=lambda name: name != BASELINE), ()
    names = list(dict.fromkeys([BASELINE, *configured]))
    return names, tuple(name for name in known if name not in names)


def _judged(
    variant: Variant,
    facets: Facets,
    questions: Sequence[AskedQuestion],
    choices: Sequence[AskedChoice],
    suites: Sequence[Suite],
) -> tuple[list[str], list[Problem]]:
    """What a variant lacks, and what is wrong with what it has."""
    if variant.entry.unusable is not None:
        return [variant.entry.unusable], []
    missing: list[str] = []
    methods = {suite.name: METHODS if suite.method == "all" else (suite.method,) for suite in suites if suite.method}
    wrong, unjudged = against_questions(variant.name, variant.verdicts, questions, facets)
    wrong_choice, missing_choice = against_choices(variant.name, variant.choice, choices, methods)
    if not variant.verdicts:
        missing.append(f"no answers were scored ({facets.lines}.jsonl)")
    elif unjudged:
        missing.append(f"{unjudged} of {len(questions)} questions have no scored answer ({facets.lines}.jsonl)")
    if not variant.choice and choices:
        missing.append("no multiple-choice answers (choice.jsonl)")
    elif missing_choice:
        missing.append(f"{missing_choice} multiple-choice answers are missing (choice.jsonl)")
    return missing, wrong + wrong_choice


def _left_out(header: Record, names: Sequence[str]) -> dict[str, int]:
    """Training rows that were too long, by variant; one number stands for all of them."""
    counts = header.get("left_out", {})
    if isinstance(counts, Mapping):
        return {str(name): int(count) for name, count in counts.items()}
    return {name: int(counts) for name in names if name != BASELINE}


def _suites(header: Record, choices: Sequence[AskedChoice]) -> tuple[Suite, ...]:
    """The suites in the experiment's order, which is the header's; the first one is the main axis."""
    known = _mapping(header.get("suites"))
    present = dict.fromkeys(choice.suite for choice in choices)
    names = [name for name in dict.fromkeys([*known, *present]) if name in present]
    return tuple(from_record(Suite, {**_mapping(known.get(name)), "name": name}, "suites") for name in names)


def _mapping(value: object) -> Record:
    return dict(value) if isinstance(value, Mapping) else {}
