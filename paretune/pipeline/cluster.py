"""The cells of an experiment as tasks of a Ray cluster: side by side, taken up again where a worker or a node died.

This process holds the run folder, prepares, hands out cells whose needs are done, and writes the report. Where every
node sees the folder, cells write into it, and one that died goes on where it was; else their files travel through Ray's
object store and are put here when a cell has ended. Which of the two is found out by asking. Judging needs the task's
databases, which lie where the experiment does: without a common folder it is done here.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paretune
from paretune.config import ExperimentConfig, VariantConfig
from paretune.disk import write_bytes
from paretune.errors import ConfigError, EngineError, ParetuneError
from paretune.models.load import choose_device, keep_freed_memory
from paretune.pipeline.cells import Cell, cell_states, cells_of, work, work_alone
from paretune.pipeline.done import known_rows
from paretune.pipeline.resources import Resources, resources_of
from paretune.pipeline.session import Session
from paretune.pipeline.start import start
from paretune.run.folder import CELLS, RunFolder
from paretune.run.jsonl import Record, set_aside
from paretune.text import voice_named

AUTO = "auto"
_RETRIES = 5  # of a cell whose worker or node died
_SHARES = 16  # of a GPU: a cell takes a whole number of them
_PASSED_ON = ("PARETUNE_", "HF_", "TRANSFORMERS_", "TOKENIZERS_")  # of the environment, by their beginnings
_NEWS_SECONDS = 1.0
_QUIET_SECONDS = 15.0  # between two lines where standard error is a file

Files = Mapping[str, bytes]  # by path below the run folder


@dataclass(frozen=True, slots=True)
class Order:
    """All that a worker needs to do one cell, but the files. folder: as this machine calls it; None where the worker
    does not see it, and gets files. gpu_share: of one GPU, 0 without."""

    config: ExperimentConfig
    folder: str | None
    language: str
    cell: Cell
    version: str
    gpu_share: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cell came to. seconds: all of them, on the worker. files, manifest: what it wrote, where that is not here
    yet. failed: the message of an error that a user can mend."""

    seconds: float
    files: Files = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Nodes:
    """What there is in a cluster. count: of nodes; cores, gpus: of all. sees_folder: whether every node does.
    gpu_bytes: of the smallest GPU, 0 without one; memory_bytes: of the largest node."""

    count: int
    cores: float
    gpus: float
    sees_folder: bool
    gpu_bytes: int
    memory_bytes: int

    def __str__(self) -> str:
        devices = f", {self.gpus:g} GPUs" if self.gpus else ""
        way = "one folder" if self.sees_folder else "files are sent"
        return f"cluster: {self.count} nodes, {self.cores:g} cores{devices}; {way}"


def run_cells(session: Session, variants: Sequence[VariantConfig], address: str) -> None:
    """Prepare here, and have all cells of these variants done by a cluster. The folder must be held by this process.

    address: "auto", which is a cluster that runs on this machine or else all of this machine, or "ray://HOST:PORT".
    Raises ConfigError where Ray or the cluster is not there, and EngineError naming the cells that failed, once nothing
    else can be done.
    """
    with connected(address, session.say) as ray, session.folder.side_by_side():
        choices = start(session, variants)
        cells = cells_of(session.config, session.task.facets.lines, variants)
        states = {item.cell.id: item.state for item in cell_states(session, known_rows(session))}
        todo = [cell for cell in cells if cell.variant and states[cell.id] != "done"]
        nodes = ask_nodes(ray, session.folder.path)
        session.say(f"{nodes}; {len(todo)} cells to do")
        dispatch = _Dispatch(session, ray, nodes, todo)
        try:
            dispatch.run(lambda cell: work(session, cell, choices))
        finally:
            dispatch.stop()


@contextmanager
def connected(address: str, say: Callable[[str], None]) -> Iterator[Any]:
    """The module `ray`, connected. Raises ConfigError where it is not installed or the cluster does not answer."""
    if address != AUTO and not address.startswith("ray://"):
        raise ConfigError(f"--cluster {address}: expected auto or ray://HOST:PORT")
    if importlib.util.find_spec("ray") is None:
        raise ConfigError('--cluster needs Ray: pip install ".[cluster]"')
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    import ray

    environment = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    settings: dict[str, Any] = {"runtime_env": {"env_vars": environment}}
    settings |= {"log_to_driver": False, "logging_level": logging.WARNING}
    try:
        try:
            ray.init(address=address, **settings)
        except ConnectionError:
            if address != AUTO or os.environ.get("RAY_ADDRESS"):
                raise
            say("cluster: none runs here; all of this machine is used")
            ray.init(include_dashboard=False, **settings)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"--cluster {address}: no Ray cluster answers there ({reason}); start one with "
                          "`ray start --head`") from error  # fmt: skip
    try:
        yield ray
    finally:
        ray.shutdown()


def demands(needed: Resources, nodes: Nodes) -> dict[str, float]:
    """Ray's requirements of a cell. More memory than any node has is not asked for, since the need is a guess.

    >>> demands(Resources(1, 4 << 30, 20 << 30), Nodes(2, 8, 2, True, 80 << 30, 2 << 30))
    {'num_cpus': 1, 'memory': 2147483648, 'num_gpus': 0.25}
    """
    asked: dict[str, float] = {"num_cpus": needed.cores, "memory": min(needed.memory_bytes, nodes.memory_bytes)}
    if nodes.gpu_bytes and needed.gpu_bytes != 0:
        part = 1.0 if needed.gpu_bytes is None else needed.gpu_bytes / nodes.gpu_bytes
        asked["num_gpus"] = min(1.0, math.ceil(part * _SHARES) / _SHARES)
    return asked


class _Dispatch:
    """Hands out cells whose needs are done, and gathers what they come to."""

    def __init__(self, session: Session, ray: Any, nodes: Nodes, todo: Sequence[Cell]) -> None:
        self._session, self._ray, self._nodes = session, ray, nodes
        self._waiting = list(todo)
        self._running: dict[Any, Cell] = {}
        self._not_done = {cell.id for cell in todo}
        self._failed: dict[str, str] = {}
        self._sent: dict[str, Any] = {}  # files that several cells read, by their folder
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self._board = ray.remote(Board).options(num_cpus=0, scheduling_strategy=here).remote()

    def run(self, do_here: Callable[[Cell], None]) -> None:
        """Until every cell is done or cannot be. do_here: does one in this process. Raises EngineError."""
        with _cells_bar(len(self._waiting)) as show:
            while True:
                self._hand_out(do_here)
                if not self._running:
                    break
                ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_NEWS_SECONDS)
                for reference in ended:
                    self._gather(self._running.pop(reference), reference)
                show(len(self._not_done), self._news())
        if self._failed:
            raise EngineError("; ".join(f"{cell}: {reason}" for cell, reason in self._failed.items()))

    def stop(self) -> None:
        """Interrupt what still runs; the next run goes on from there."""
        for reference in self._running:
            self._ray.cancel(reference, force=False)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=20 * _NEWS_SECONDS)

    def _hand_out(self, do_here: Callable[[Cell], None]) -> None:
        while ready := [cell for cell in self._waiting if not self._not_done & set(cell.needs)]:
            for cell in ready:
                self._waiting.remove(cell)
                if cell.kind == "judge" and not self._nodes.sees_folder:
                    do_here(cell)
                    self._not_done.discard(cell.id)
                else:
                    self._running[self._submit(cell)] = cell

    def _submit(self, cell: Cell) -> Any:
        session, folder = self._session, self._session.folder.path.resolve()
        asked = demands(resources_of(session, cell), self._nodes)
        parts: list[Any] = []
        if not self._nodes.sees_folder:
            for name in cell.inputs:
                if name not in self._sent:
                    self._sent[name] = self._ray.put(pack(folder, [name]))
                parts.append(self._sent[name])
            parts.append(pack(folder, [*cell.outputs, "manifest.json"]))
        order = Order(
            session.config, str(folder) if self._nodes.sees_folder else None, session.voice.language, cell,
            paretune.__version__, asked.get("num_gpus", 0.0),
        )  # fmt: skip
        task = self._ray.remote(do_cell).options(max_retries=_RETRIES, name=cell.id, **asked)
        return task.remote(order, self._board, *parts)

    def _gather(self, cell: Cell, reference: Any) -> None:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            outcome = Outcome(0.0, failed=f"{type(error.cause).__name__}: {error.cause}")
        except self._ray.exceptions.RayError as error:
            reason = " ".join(str(error).split())[:200]
            outcome = Outcome(
                0.0, failed=f"its worker ended {_RETRIES + 1} times ({reason}); look at the node's memory"
            )
        if outcome.failed:
            self._failed[cell.id] = outcome.failed
            self._session.say(f"{cell.id}: {outcome.failed}")
            return
        if not self._nodes.sees_folder:
            unpack(self._session.folder.path, cell.outputs, outcome.files)
            _merge(self._session.folder, outcome.manifest)
        self._not_done.discard(cell.id)
        if self._session.mirror is not None:
            self._session.mirror.send_work()
        self._session.say(f"{cell.id}: done in {outcome.seconds:.1f} s")

    def _news(self) -> str:
        try:
            said, shares = self._ray.get(self._board.read.remote(), timeout=_NEWS_SECONDS)
        except self._ray.exceptions.RayError:
            return ""
        for line in said:
            self._session.say(line)
        there = {cell.id for cell in self._running.values()}
        return ", ".join(f"{cell} {100 * share:.0f} %" for cell, share in shares.items() if cell in there)


class Board:
    """What workers tell meanwhile: an actor."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._shares: dict[str, float] = {}

    def say(self, line: str) -> None:
        """A line for the user."""
        self._said.append(line)

    def share(self, cell: str, done: float) -> None:
        """How much of a cell is done, [0, 1]."""
        self._shares[cell] = done

    def read(self) -> tuple[list[str], dict[str, float]]:
        """The lines since the last time, and the shares."""
        said, self._said = self._said, []
        return said, self._shares


def do_cell(order: Order, board: Any, *parts: Files) -> Outcome:
    """Do one cell on a worker. An error that a user can mend comes back as words."""
    begun = time.monotonic()
    if order.version != paretune.__version__:
        return Outcome(
            0.0, failed=f"a node has paretune {paretune.__version__}, not {order.version}; install that there"
        )
    if order.cell.needs_model:
        _set_up_device(order.gpu_share)
    with tempfile.TemporaryDirectory(prefix="paretune-") as passing:
        folder = RunFolder(Path(order.folder or passing))
        for part in parts:
            unpack(folder.path, (), part)
        before = folder.read_manifest()
        session = Session(
            order.config,
            folder,
            voice_named(order.language),
            _saying(board, order.cell),
            show=_telling(board, order.cell),
        )
        try:
            with folder.side_by_side():
                work_alone(session, order.cell, wait=True)
        except ParetuneError as error:
            return Outcome(time.monotonic() - begun, failed=str(error))
        if order.folder is not None:
            return Outcome(time.monotonic() - begun)
        files = pack(folder.path, order.cell.outputs)
        return Outcome(time.monotonic() - begun, files, _added(before, folder.read_manifest(), order.cell))


def _set_up_device(gpu_share: float) -> None:
    """A cell that shares a GPU takes its part of the memory at most; on a CPU see `keep_freed_memory`."""
    import torch

    if choose_device() == "cpu":
        keep_freed_memory()
    elif 0 < gpu_share < 1:
        torch.cuda.set_per_process_memory_fraction(gpu_share)


def _saying(board: Any, cell: Cell) -> Callable[[str], None]:
    def say(line: str) -> None:
        board.say.remote(line if line.startswith(f"{cell.variant}: ") else f"{cell.id}: {line}")

    return say


def _telling(board: Any, cell: Cell) -> Callable[..., Any]:
    """A progress bar that tells the board instead of a screen."""

    @contextmanager
    def bar(label: str, total: int, done: int = 0, *_: Any) -> Iterator[Callable[[int], None]]:
        count, told = done, -math.inf

        def advance(more: int) -> None:
            nonlocal count, told
            count += more
            if time.monotonic() - told >= _NEWS_SECONDS:
                told = time.monotonic()
                board.share.remote(cell.id, count / max(1, total))

        yield advance

    return bar


def pack(folder: Path, names: Sequence[str]) -> Files:
    """The files of these names, or below these names, and those that were set aside of them."""
    files: dict[str, bytes] = {}
    for name in names:
        roots = [folder / name, *(folder / name).parent.glob(f"{Path(name).name}.old-*")]
        for root in roots:
            found = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
            files.update((path.relative_to(folder).as_posix(), path.read_bytes()) for path in found)
    return files


def unpack(folder: Path, outputs: Sequence[str], files: Files) -> None:
    """Put files into a folder. outputs: what they replace; what a worker set aside of it is set aside here too."""
    for name in outputs:
        if any(file.startswith(f"{name}.old-") for file in files) and (folder / name).exists():
            set_aside(folder / name)
        elif (folder / name).is_dir():
            shutil.rmtree(folder / name)
    for name, content in files.items():
        if not (outputs and ".old-" in name):
            write_bytes(folder / name, content)


def _added(before: Record, after: Record, cell: Cell) -> Record:
    """What one cell added to a manifest."""
    return {
        "work": after.get("work", [])[len(before.get("work", [])) :],
        "variants": {cell.variant: after.get("variants", {}).get(cell.variant, {})},
        "model": after.get("model"),
    }


def _merge(folder: RunFolder, added: Mapping[str, Any]) -> None:
    with folder.changing_manifest() as manifest:
        manifest["work"] = [*manifest.get("work", []), *added["work"]]
        manifest["variants"] = {**manifest.get("variants", {}), **added["variants"]}
        if added["model"] is not None:
            manifest["model"] = added["model"]


def ask_nodes(ray: Any, folder: Path) -> Nodes:
    """What the living nodes of a cluster have, and whether they see the folder."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    sign = folder.resolve() / CELLS / f"seen-{uuid.uuid4().hex}"
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.touch()
    alive = [node for node in ray.nodes() if node["Alive"]]
    try:
        asked = [
            ray.remote(look).options(
                num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(str(sign))
            for node in alive
        ]  # fmt: skip
        answers: list[tuple[bool, int]] = []
        for reference in asked:
            with suppress(ray.exceptions.RayError):  # a node that has just died
                answers.append(ray.get(reference, timeout=120))
    finally:
        sign.unlink()
    total = ray.cluster_resources()
    return Nodes(
        len(alive), float(total.get("CPU", 0)), float(total.get("GPU", 0)),
        bool(answers) and all(sees for sees, _ in answers),
        min((size for _, size in answers if size), default=0),
        max(int(node["Resources"].get("memory", 0)) for node in alive),
    )  # fmt: skip


def look(sign: str) -> tuple[bool, int]:
    """On a node: whether it sees a file, and the memory of its smallest GPU."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        sizes = [int(line) << 20 for line in done.stdout.split("\n") if line.strip().isdigit()]
    except (OSError, subprocess.SubprocessError):
        sizes = []
    return Path(sign).exists(), min(sizes, default=0)


@contextmanager
def _cells_bar(total: int) -> Iterator[Callable[[int, str], None]]:
    """A line that says how many cells are left and what runs; yields show(left, running)."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    seconds = 0.2 if terminal else _QUIET_SECONDS
    with tqdm(
        total=total, desc="cells", mininterval=seconds, maxinterval=max(1.0, seconds), dynamic_ncols=terminal,
        bar_format="{desc} {n_fmt}/{total_fmt} {elapsed}{postfix}",
    ) as bar:  # fmt: skip

        def show(left: int, running: str) -> None:
            bar.set_postfix_str(running, refresh=False)
            bar.update(total - left - bar.n)

        yield show
