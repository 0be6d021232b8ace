"""Adapters that were trained before, taken instead of trained again: of the same weights, rows, settings and seed."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from paretune.disk import move
from paretune.models.adapters import ORIGIN_FILE, why_unusable
from paretune.pipeline.session import Session
from paretune.run.folder import RunFolder, same_fingerprint
from paretune.run.jsonl import read_lines
from paretune.run.lines import TrainingRow, from_record
from paretune.run.load import task_of
from paretune.training.sft import is_trained

_FACTS = ("train_rows", "steps", "skipped_steps", "tokens", "seconds", "stopped_step", "chosen_checkpoint", "chosen_by")


def take_trained(session: Session, name: str, mark: str, folders: Iterable[Path]) -> Path | None:
    """Put the finished adapter of that fingerprint, with the log of its training, in a variant's place, where no
    training lies yet; returns the folder that it came from, None where there is none. The manifest says it.

    folders: of whole runs, whose own searches are looked through too.
    """
    into = session.folder.path / name
    log = into / "training.jsonl"
    if any((into / part).exists() for part in ("adapter", "checkpoints")):
        return None
    if log.exists() and not same_fingerprint(log, mark):
        return None  # training it sets that aside
    for folder in folders:
        for source in _trainings(folder):
            if is_trained(source, mark) and why_unusable(source / "adapter") is None:
                _copy(source, into)
                facts = RunFolder(source.parent).read_manifest().get("variants", {}).get(source.name, {})
                kept = {key: facts[key] for key in _FACTS if facts.get(key) is not None}
                session.note_variant(name, {**kept, "taken_from": str(source)})
                return source
    return None


def seen_in_training(folder: Path, questions: Collection[tuple[str, str]], *, by_cluster: bool) -> list[str]:
    """Clusters of these questions, given as (cluster, question), that the trainings of a run saw, sorted. by_cluster:
    any row of a cluster counts, else the questions themselves."""
    run = RunFolder(folder)
    path, names = run.prepared("train"), task_of(run.read_manifest()).facets.names
    records = read_lines(path)[1] if path.is_file() else []
    rows = [from_record(TrainingRow, record, str(path), names) for record in records]
    if by_cluster:
        return sorted({cluster for cluster, _ in questions} & {row.cluster for row in rows})
    return sorted({cluster for cluster, _ in set(questions) & {(row.cluster, row.question) for row in rows}})


def _trainings(folder: Path) -> Sequence[Path]:
    origins = [*folder.glob(f"*/adapter/{ORIGIN_FILE}"), *folder.glob(f"search/*/adapter/{ORIGIN_FILE}")]
    return [origin.parents[1] for origin in sorted(origins) if (origin.parents[1] / "training.jsonl").is_file()]


def _copy(source: Path, into: Path) -> None:
    """The adapter last: where it is, the training is finished."""
    into.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "training.jsonl", into / "training.jsonl")
    part = into / "adapter.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source / "adapter", part)
    move(part, into / "adapter", last=(ORIGIN_FILE,))
