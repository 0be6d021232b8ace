"""Trainings by several processes that a launcher has started: torchrun, or `accelerate launch`.

The first process writes the run folder. Each other one does the same in a passing folder of its own, which begins with
what is trained already, so that all continue from one checkpoint.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from paretune.config import VariantConfig
from paretune.errors import ConfigError
from paretune.methods import find_method
from paretune.objectives import DEFAULT_OBJECTIVE
from paretune.pipeline.experiment import train_only
from paretune.pipeline.session import Session
from paretune.run.folder import RunFolder
from paretune.training.processes import Processes, joined


def is_launched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is one of several processes of a launcher."""
    return "LOCAL_RANK" in environment and int(environment.get("WORLD_SIZE", "1")) > 1


def train_together(session: Session, variants: Sequence[VariantConfig]) -> None:
    """Prepare and train in all processes of the launcher, each with its part of every step's rows.

    Raises ConfigError for trainings that this does not hold for, and what training raises.
    """
    for variant in variants:
        if (reason := _why_not(variant)) is not None:
            raise ConfigError(f"variant {variant.name}: {reason} is not made for several processes; train it in one")
    with joined() as processes:
        if processes.rank == 0:
            with session.folder.locked():
                processes.wait()
                train_only(replace(session, processes=processes), variants)
            return
        with TemporaryDirectory(prefix="paretune-") as passing:
            trained = [variant for variant in variants if variant.is_trained]
            for variant in trained:
                _copy(session.folder.path / variant.name, Path(passing) / variant.name)
            processes.wait()
            train_only(_silent(session, Path(passing), processes), trained)


def _why_not(variant: VariantConfig) -> str | None:
    """The setting of a training that several processes would not do alike, or that was not tried so."""
    training = variant.training
    if training is None:
        return None
    if training.objective != DEFAULT_OBJECTIVE:
        return f"objective = {training.objective!r}"
    if training.replay != "none":
        return "replay"
    if training.monitor_steps is not None or training.best_checkpoint is not None:
        return "monitor_steps or best_checkpoint"
    return f"method = {training.method!r}" if find_method(training.method).moves_base else None


def _copy(source: Path, target: Path) -> None:
    """What says how far a training is."""
    for name in ("adapter", "checkpoints"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
    if (source / "training.jsonl").is_file():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "training.jsonl", target / "training.jsonl")


def _silent(session: Session, folder: Path, processes: Processes) -> Session:
    """The session of a further process: the first one speaks for all."""
    return replace(session, folder=RunFolder(folder), processes=processes, say=lambda _: None, show=_nothing,
                   mirror=None)  # fmt: skip


@contextmanager
def _nothing(*_: object) -> Iterator[Callable[[int], None]]:
    yield lambda _: None
