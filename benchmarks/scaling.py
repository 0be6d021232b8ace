"""How well does a sweep fill a cluster? And what does a cell cost beside its work?

    python -m benchmarks.scaling [--recipes 40] [--seeds 3] [--run FOLDER] [--overhead 3] [--load 10]
    python -m benchmarks.scaling --measure [--cells 24]

The first is a simulation: the graph of cells that `paretune run --cluster` would hand out, each cell as long as the
mean of its stage in a recorded run (by default the one of docs/results.md: Qwen2.5-Coder-1.5B on Spider and MMLU), on
1 to 64 workers that take the next ready cell. --overhead: seconds that a cell costs beside; --load: seconds to load a
model, paid by every cell that needs one. Idle is the share of the workers' time in which nothing was ready for them.

The second has a scripted model answer on a Ray cluster of one core of this machine: no weights, no GPU, hardly any
work, so that nearly all seconds are overhead. It needs Ray.
"""

from __future__ import annotations

import argparse
import heapq
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from paretune.config.read import load_experiment
from paretune.pipeline.cells import Cell, cells_of
from paretune.run.folder import RunFolder

WORKERS = (1, 8, 64)
STAGES = {
    "train": "train",
    "answer": "generate",
    "choice": "choice",
    "judge": "score",
}  # kind of cell -> recorded stage
# Seconds of docs/results.md, "What it cost": means over the variants there.
RECORDED = {"train": 307.3, "answer": 69.4, "choice": 9.0, "judge": 1.5}

SWEEP = """
name = "sweep"
[target]
kind = "demo"
[sweep]
variants = {count}
rank = {ranks}
seed = {seeds}
"""
SCRIPTED = """
name = "overhead"
[engine]
kind = "scripted"
path = "base.py"
[target]
kind = "demo"
questions = 8
[general]
kind = "demo"
few_shot = 0
questions_per_subject = 1
method = "cloze"
"""


@dataclass(frozen=True, slots=True)
class Schedule:
    """seconds: until the last cell ended. idle: share of all workers' time, [0, 1]. overhead: share likewise."""

    seconds: float
    idle: float
    overhead: float


def simulate(cells: Sequence[Cell], work: Mapping[str, float], beside: Mapping[str, float], workers: int) -> Schedule:
    """Cells in their order to the first free worker, each once what it needs is done.

    work, beside: seconds by kind of cell. A free worker takes the first cell that is ready, or waits for one.
    """
    known = {cell.id for cell in cells}
    done: set[str] = set()
    running: list[tuple[float, str]] = []
    waiting, now = list(cells), 0.0
    while waiting or running:
        ready = [cell for cell in waiting if not (set(cell.needs) & known) - done]
        for cell in ready[: workers - len(running)]:
            waiting.remove(cell)
            heapq.heappush(running, (now + work[cell.kind] + beside[cell.kind], cell.id))
        now, ended = heapq.heappop(running)
        done.add(ended)
    useful = sum(work[cell.kind] for cell in cells)
    extra = sum(beside[cell.kind] for cell in cells)
    return Schedule(now, 1 - (useful + extra) / (now * workers), extra / (now * workers))


def recorded(run: Path) -> dict[str, float]:
    """Mean seconds of each kind of cell in a run folder."""
    work = RunFolder(run).read_manifest()["work"]
    seconds = {}
    for kind, stage in STAGES.items():
        spent = [item["seconds"] for item in work if item["stage"] == stage]
        seconds[kind] = sum(spent) / len({item["variant"] for item in work if item["stage"] == stage})
    return seconds


def sweep(recipes: int, seeds: int) -> list[Cell]:
    """The cells of a sweep that a cluster is handed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.toml"
        ranks, numbers = list(range(1, recipes + 1)), list(range(1, seeds + 1))
        file.write_text(SWEEP.format(count=recipes * seeds, ranks=ranks, seeds=numbers), encoding="utf-8")
        return [cell for cell in cells_of(load_experiment(file), "sql") if cell.variant]


def measure(count: int) -> None:
    """Seconds per cell of a scripted model on one core, Ray's own included."""
    import ray

    from paretune.pipeline.cluster import run_cells
    from paretune.pipeline.session import Session
    from paretune.text import voice_named

    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "base.py").write_text('def answer(prompt):\n    return "SELECT 1"\n', encoding="utf-8")
        variants = "".join(f'[[variant]]\nname = "v{place}"\nadapter = "base.py"\n' for place in range(count // 3))
        (home / "overhead.toml").write_text(SCRIPTED + variants, encoding="utf-8")
        config = load_experiment(home / "overhead.toml")
        folder = RunFolder(home / "run")
        lines: list[tuple[float, str]] = []
        session = Session(config, folder, voice_named("en"), lambda line: lines.append((time.monotonic(), line)))
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
        ray.init = lambda *_, **__: None  # connected already
        with folder.locked():
            run_cells(session, list(config.variants), "auto")
        ends = [moment for moment, line in lines if ": done in " in line]
        inside = [float(line.rpartition(" in ")[2].removesuffix(" s")) for _, line in lines if ": done in " in line]
        print(f"{len(ends)} cells; the first, with the start of its worker, {inside[0]:.2f} s on the worker")
        between = sorted(later - former for former, later in pairwise(ends))
        print(f"from one end to the next: median {between[len(between) // 2]:.2f} s, largest {between[-1]:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--run", type=Path, help="whose recorded seconds are taken instead")
    parser.add_argument("--overhead", type=float, default=3.0, help="seconds beside the work of each cell")
    parser.add_argument("--load", type=float, default=10.0, help="seconds to start a process and load its model")
    parser.add_argument("--measure", action="store_true", help="measure the overhead instead")
    parser.add_argument("--cells", type=int, default=24, help="with --measure: about so many")
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.cells)
        return
    work = recorded(arguments.run) if arguments.run else RECORDED
    beside = {kind: arguments.overhead + (arguments.load if kind != "judge" else 0.0) for kind in work}
    cells = sweep(arguments.recipes, arguments.seeds)
    print(f"{len(cells)} cells; seconds of work by kind: {work}")
    print("| workers | hours | times as fast | idle | beside the work |")
    print("| --: | --: | --: | --: | --: |")
    alone = simulate(cells, work, beside, 1).seconds
    for workers in WORKERS:
        made = simulate(cells, work, beside, workers)
        print(f"| {workers} | {made.seconds / 3600:.2f} | {alone / made.seconds:.1f} | {made.idle:.1%} | "
              f"{made.overhead:.1%} |")  # fmt: skip


if __name__ == "__main__":
    main()
