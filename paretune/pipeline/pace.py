"""How long the rest of a run takes: by the work of this run so far, else by that of earlier runs like it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paretune.errors import ParetuneError
from paretune.objectives import DEFAULT_OBJECTIVE, find_objective
from paretune.progress import in_words
from paretune.run.folder import RunFolder, work_seconds
from paretune.run.jsonl import count_lines, read_header, read_lines
from paretune.run.load import task_of

STAGES = ("train", "replay", "monitor", "generate", "score", "choice")
_WITHIN = ("replay", "monitor")  # done before or while a training's steps are


def passes(objective: str, epochs: float, *, checkpointing: bool = False) -> float:
    """What a row costs to train on, in rows of plain fine-tuning: a forward pass of the base model for every step of an
    objective that compares with it, or one of every row before the first step of one that chooses tokens by it.

    Forward, backward and, with gradient checkpointing, forward again cost 2, 2 and 2 operations per weight and token.

    >>> passes("sft", 1.0), passes("dft", 1.0), passes("kl", 1.0), passes("masked", 2.0)
    (1.0, 1.0, 1.5, 1.25)
    """
    plain, kind = 6.0 if checkpointing else 4.0, find_objective(objective)
    before = 2.0 / epochs if kind.learns is not None else 0.0
    return (plain + (2.0 if kind.needs_base else 0.0) + before) / plain


@dataclass(frozen=True, slots=True)
class Work:
    """One stage of one variant that is still to do. items: steps or questions; size: training rows per step, else 1.
    like: the stages by whose speed it is estimated where its own is not known, and how much of each one item is."""

    variant: str
    stage: str
    items: int
    size: float = 1.0
    like: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True)
class Speeds:
    """Seconds and amount (training rows, questions) of the work known, by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    amount: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, seconds: float, amount: float) -> None:
        """Learn of one more piece of work."""
        if seconds > 0 and amount > 0:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
            self.amount[stage] = self.amount.get(stage, 0.0) + amount

    def of_one(self, stage: str) -> float | None:
        """Seconds of one training row or question, None where no such work is known."""
        return self.seconds[stage] / self.amount[stage] if stage in self.amount else None

    def of(self, work: Work) -> float | None:
        """Seconds that it will take, None where no such work is known; judging of which nothing is known counts as
        nothing, it takes seconds."""
        seconds = self.of_one(work.stage)
        if seconds is None and work.like:
            parts = [(amount, self.of_one(stage)) for stage, amount in work.like]
            known = [amount * each for amount, each in parts if each is not None]
            seconds = sum(known) if len(known) == len(parts) else None
        if seconds is None:
            return None if work.items and work.stage != "score" else 0.0
        return work.items * work.size * seconds

    def __or__(self, other: Speeds) -> Speeds:
        """These, and the other's for stages of which these know nothing."""
        return Speeds({**other.seconds, **self.seconds}, {**other.amount, **self.amount})


@dataclass(slots=True)
class Course:
    """Where a run stands. variants: all of it, in their order. todo: what is not done yet; known: speeds of before."""

    variants: tuple[str, ...]
    todo: list[Work]
    known: Speeds
    measured: Speeds = field(default_factory=Speeds)

    def place(self, variant: str) -> str:
        """Of all variants the how-manieth: "3/12"; "" for one that is not among them."""
        return f"{self.variants.index(variant) + 1}/{len(self.variants)}" if variant in self.variants else ""

    def says(self, variant: str) -> str:
        """The line before a variant's work."""
        number, _, count = self.place(variant).partition("/")
        left = self.left()
        time_left = "" if left is None or not any(work.items for work in self.todo) else f", {in_words(left)} left"
        return f"variant {number} of {count}: {variant}{time_left}"

    def left(self) -> float | None:
        """Seconds of all that is to do, None where a speed is not known."""
        speeds = self.measured | self.known
        seconds = [speeds.of(work) for work in self.todo]
        return None if None in seconds else sum(value for value in seconds if value is not None)

    @contextmanager
    def doing(self, work: Work) -> Iterator[_Doing]:
        """The block does this work; what it takes is learned when it ends well."""
        done = {work.stage, *(_WITHIN if work.stage == "train" else ())}
        self.todo = [other for other in self.todo if other.variant != work.variant or other.stage not in done]
        start = time.monotonic()
        yield _Doing(self, work)
        self.measured.add(work.stage, time.monotonic() - start, work.items * work.size)


@dataclass(frozen=True, slots=True)
class _Doing:
    course: Course
    work: Work

    def whole(self, left: float | None) -> float | None:
        """Seconds of the run, by those left of the work at hand."""
        if left is None:
            left = (self.course.measured | self.course.known).of(self.work)
        rest = self.course.left()
        return None if left is None or rest is None else left + rest


def speeds_of(folder: RunFolder) -> Speeds:
    """The speed of a run folder's finished work, from its manifest and the lines that lie there."""
    manifest = folder.read_manifest()
    lines = task_of(manifest).facets.lines
    speeds = Speeds()
    for name, entry in manifest.get("variants", {}).items():
        paths = {file: folder.variant(name, f"{file}.jsonl") for file in ("answers", lines, "choice", "training")}
        seconds = work_seconds(manifest, name, {file: read_header(path) for file, path in paths.items()})
        for stage, file in (("generate", "answers"), ("score", lines), ("choice", "choice")):
            amount = count_lines(paths[file])
            if stage == "generate" and (drawn := folder.variant(name, "samples.jsonl")).exists():
                amount = count_lines(drawn)  # several answers per question, of which one counts
            speeds.add(stage, seconds.get(stage, 0.0), amount)
        trained = _config(manifest, name).get("training") or {}
        rows = int(entry.get("steps") or 0) * trained.get("batch_size", 0) * trained.get("accumulation_steps", 1)
        if trained:
            rows *= passes(trained.get("objective", DEFAULT_OBJECTIVE), float(trained.get("epochs", 1.0)),
                           checkpointing=bool(trained.get("gradient_checkpointing")))  # fmt: skip
        speeds.add("train", seconds.get("train", 0.0), rows)
        replayed = folder.variant(name, "replay.jsonl")
        speeds.add("replay", seconds.get("replay", 0.0), count_lines(replayed) if replayed.exists() else 0)
        if trained.get("best_checkpoint") is None and paths["training"].exists():
            speeds.add("monitor", seconds.get("monitor", 0.0), _watched(read_lines(paths["training"])[1]))
    return speeds


def _watched(steps: Sequence[Mapping[str, Any]]) -> int:
    """Answers that a monitor asked for, by the lines of its training; those of the base model before the first step
    too."""
    looks = [line["monitor"] for line in steps if line.get("monitor")]
    parts = [(look["target"], *look["general"].values()) for look in looks]
    asked = [sum(int(part["questions"]) for part in look) for look in parts]
    return sum(asked) + (asked[0] if asked else 0)


def earlier_speeds(runs: Path, manifest: Mapping[str, Any]) -> tuple[Speeds, int]:
    """The speeds of all runs in a folder that are like the one of this manifest, and how many runs those are."""
    speeds, count = Speeds(), 0
    for path in sorted(runs.glob("*/manifest.json")):
        try:
            folder = RunFolder(path.parent)
            if _kind(folder.read_manifest()) != _kind(manifest):
                continue
            known = speeds_of(folder)
        except (
            ParetuneError,
            OSError,
            TypeError,
            ValueError,
            AttributeError,
        ):  # a folder that is no run, or a damaged one
            continue
        for stage, amount in known.amount.items():
            speeds.add(stage, known.seconds[stage], amount)
        count += bool(known.amount)
    return speeds, count


def describe_time(todo: Sequence[Work], speeds: Speeds, runs: int, where: Path) -> str:
    """The time of what is to do, in words, with what that rests on."""
    todo = [work for work in todo if work.items]
    if not todo:
        return "time: nothing is left to train or answer"
    unknown = [stage for stage in STAGES if any(work.stage == stage and speeds.of(work) is None for work in todo)]
    if not any(speeds.of(work) for work in todo):
        return (
            f"time: not known; no earlier run in {where} has this model, task and machine; `paretune plan` estimates it"
        )
    seconds = sum(speeds.of(work) or 0.0 for work in todo)
    basis = f"by the speed of {runs} {'run' if runs == 1 else 'runs'} in {where}"
    if unknown:
        names = {"train": "training", "generate": "writing answers", "choice": "multiple choice",
                 "replay": "writing replay", "monitor": "monitoring"}  # fmt: skip
        more = " and ".join(names[stage] for stage in unknown)
        return f"time: about {in_words(seconds)} {basis}, without {more}, whose speed is not known"
    return f"time: about {in_words(seconds)} {basis}"


def _kind(manifest: Mapping[str, Any]) -> tuple[Any, ...]:
    """What speeds depend on most: the model and its precision, the task, and the machine."""
    config, hardware = manifest.get("config", {}), manifest.get("hardware", {})
    model, target = config.get("model", {}), config.get("target", {})
    return (
        *(model.get(key) for key in ("path", "revision", "precision", "quantization")),
        config.get("engine"),
        target.get("kind"),
        *(hardware.get(key) for key in ("gpu", "processor", "cores")),
    )


def _config(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = (item for item in manifest.get("config", {}).get("variants", ()) if item.get("name") == name)
    return next(found, {})
