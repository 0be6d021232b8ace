"""What all stages of one experiment share: its configuration, its folder, and one loaded base model."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import BASELINE, EngineConfig, ExperimentConfig, VariantConfig
from paretune.engines import build_engine, engine_kind
from paretune.engines.base import Engine, Host
from paretune.engines.hf.engine import describe_model
from paretune.errors import DataError, RunFolderError
from paretune.models.load import LoadedModel, ModelHandle
from paretune.models.source import ModelSource
from paretune.pipeline.pace import Course, Work
from paretune.progress import progress_bar
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_header, read_lines
from paretune.sources.adapters import find_adapter
from paretune.tasks import Task, find_task
from paretune.text import Voice

if TYPE_CHECKING:
    from paretune.pipeline.tracking import Mirror
    from paretune.training.processes import Processes

_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "accelerate",
    "datasets",
    "sqlglot",
    "numpy",
    "scipy",
    "bitsandbytes",
    "lm_eval",
)


@dataclass(slots=True)
class Session:
    """One experiment in progress. say: tells the user one line; download: fetch weights that are not here; course:
    where the whole run stands, where there is one; show: how far a piece of work is, as `progress_bar` does; mirror:
    what sends figures to a tracker, where there is one; processes: this one among those that train together."""

    config: ExperimentConfig
    folder: RunFolder
    voice: Voice
    say: Callable[[str], None]
    download: bool = True
    course: Course | None = None
    show: Callable[..., AbstractContextManager[Callable[[int], None]]] = progress_bar
    mirror: Mirror | None = None
    processes: Processes | None = None
    _model: ModelHandle | None = None
    _engine: Engine | None = None
    _served: dict[str, Engine] = field(default_factory=dict)

    @property
    def model(self) -> ModelHandle:
        """The base model: for training, and for the engine."""
        if self._model is None:
            self._model = ModelHandle(
                self.config.model,
                before_load=lambda source: self.say(f"loading {source.names[0]}"),
                on_load=lambda loaded: self.folder.update_manifest({"model": describe_model(loaded)}),
                download=self.download,
            )
        return self._model

    @property
    def engine(self) -> Engine:
        """What answers, as the [engine] table says; it loads nothing before it is asked."""
        if self._engine is None:
            host = Host(
                self.model,
                batch_size=self.config.target.batch_size,
                ending=self.task.ending(self.config),
                say=self.say,
            )
            self._engine = build_engine(self.config.engine, host)
        return self._engine

    def answering(self, variant: VariantConfig) -> Session:
        """The session as it answers a variant: this one, or one whose engine is the server that the variant names."""
        if variant.served is None:
            return self
        if variant.name not in self._served:
            model = {} if variant.served_model is None else {"model": variant.served_model}
            config = EngineConfig("server", {"url": variant.served, **model})
            host = Host(self.model, ending=self.task.ending(self.config), say=self.say)
            self._served[variant.name] = build_engine(config, host)
        return replace(self, _engine=self._served[variant.name])

    @property
    def task(self) -> Task:
        """The target task that the experiment names."""
        return find_task(self.config.target.kind)

    @property
    def source(self) -> ModelSource:
        """Where the weights are. Raises ModelError where they cannot be had."""
        return self.model.source

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, without its weights."""
        return self.model.tokenizer

    @property
    def base(self) -> LoadedModel:
        """The base model, loaded once for all variants."""
        return self.model.load()

    @contextmanager
    def bar(self, work: Work, label: str, done: int = 0) -> Iterator[Callable[[int], None]]:
        """A progress bar over the work of one stage, with the place and the time left of the whole run."""
        if self.course is None:
            with self.show(f"{work.variant} {label}", work.items, done) as advance:
                yield advance
            return
        place = self.course.place(work.variant)
        with (
            self.course.doing(replace(work, items=work.items - done)) as doing,
            self.show(f"{place} {work.variant} {label}".strip(), work.items, done, doing.whole) as advance,
        ):
            yield advance

    def release(self) -> None:
        """Let go of the model."""
        self._model = self._engine = None

    def note_variant(self, name: str, facts: dict[str, Any]) -> None:
        """Add to what the manifest says of a variant."""
        self.note_variants({name: facts})

    def note_variants(self, facts: Mapping[str, Mapping[str, Any]]) -> None:
        """The same of several at once, by name."""
        with self.folder.changing_manifest() as manifest:
            variants = dict(manifest.get("variants", {}))
            for name, added in facts.items():
                variants[name] = {**variants.get(name, {}), **added}
            manifest["variants"] = variants

    def adapter(self, variant: VariantConfig) -> Path | None:
        """The adapter folder of a variant; None for the baseline. Raises RunFolderError where it is not made yet."""
        if variant.repair is None:
            return self.source_adapter(variant)
        directory = self.folder.variant(variant.name, "adapter")
        if not directory.is_dir():
            raise RunFolderError(
                f"{directory}: not there; {variant.name} is repaired by `paretune evaluate EXPERIMENT`"
            )
        return directory

    def source_adapter(self, variant: VariantConfig) -> Path | None:
        """The adapter folder that a variant's is made of; of a variant without a repair, its own."""
        if variant.name == BASELINE or variant.served is not None:
            return None
        if variant.adapter is not None:
            peft = engine_kind(self.config.engine.kind).takes_peft
            return find_adapter(variant.adapter) if peft else Path(variant.adapter)
        owner = variant.source or variant.name
        if self.config.variant(owner).adapter is not None:
            return self.adapter(self.config.variant(owner))
        directory = self.folder.variant(owner, "adapter")
        if not directory.is_dir():
            raise RunFolderError(
                f"{directory}: not there; train {owner} first (paretune train EXPERIMENT --variant {owner})"
            )
        if variant.checkpoint is None:
            return directory
        checkpoint = self.folder.variant(owner, "checkpoints") / f"checkpoint-{variant.checkpoint}"
        if not checkpoint.is_dir():
            there = sorted(int(path.name.rpartition("-")[2]) for path in checkpoint.parent.glob("checkpoint-*"))
            raise RunFolderError(f"{checkpoint}: no such checkpoint; {owner} has steps {', '.join(map(str, there))}")
        return checkpoint


def prepared_mark(folder: RunFolder, name: str) -> str:
    """Fingerprint of a prepared file, from its header alone. Raises DataError where it is missing."""
    path = folder.prepared(name)
    mark = read_header(path).get("fingerprint")
    if mark is None:
        raise DataError(f"{path}: not there or without a header; run `paretune prepare`")
    return str(mark)


def prepared_lines(session: Session, name: str) -> tuple[str, list[dict[str, Any]]]:
    """Fingerprint and records of a prepared file."""
    return prepared_mark(session.folder, name), read_lines(session.folder.prepared(name))[1]


def describe_machine() -> dict[str, Any]:
    """Versions and hardware, as far as they can decide a figure or a time."""
    versions = {"python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    import torch

    hardware: dict[str, Any] = {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "processor": _processor()}
    if torch.cuda.is_available():
        hardware["gpu"] = torch.cuda.get_device_name(0)
    return {"versions": versions, "hardware": hardware, "git_commit": _git_commit()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _git_commit(file: Path = Path(__file__)) -> str | None:
    """The commit of the checkout that this program runs from; None where its files are no part of one, such as in a
    virtual environment inside a user's repository."""
    try:
        _git(file, "ls-files", "--error-unmatch", file.name)
        return _git(file, "describe", "--always", "--dirty", "--abbrev=12") or None
    except (OSError, subprocess.SubprocessError):
        return None


def _git(file: Path, *words: str) -> str:
    command = ["git", "-C", str(file.parent), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
