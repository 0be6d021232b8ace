"""A real Ray cluster of three nodes: its driver and two of its nodes die, and the run ends as a plain one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from paretune.cli import main
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines, write_lines
from tests.pipeline.conftest import ROOT, Commands, Finished
from tests.pipeline.test_kill_and_resume import exists, has_lines

pytestmark = pytest.mark.usefixtures("undrawn")

pytest.importorskip("ray", reason="Ray is not installed: requirements-dev.txt pins it")

LIMIT_SECONDS = 300.0
SETTINGS = ("training.epochs=4", "target.max_new_tokens=64")  # 32 steps, 16 checkpoints; answers that take their time
VARIANTS = ("baseline", "run-1")  # with prepare, 8 cells before the report
SMALL = {"memory": 3 << 30, "object_store_memory": 80 << 20}
KEYS = {"answers": "index", "sql": "index", "choice": "id", "training": "step"}


class ThreeNodes:
    """A head without cores, so that no cell runs where the driver is, and two nodes of one core."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, **SMALL}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = [self.add(), self.add()]

    def add(self) -> Any:
        return self.cluster.add_node(num_cpus=1, **SMALL)

    def kill_that_does(self, cell: str, folder: Path) -> None:
        """Kill a node at once, with its workers, and start another one in its place."""
        owner = json.loads((folder / ".cells" / f"{cell}.lock").read_text(encoding="utf-8"))
        worker = psutil.Process(owner["process"])
        raylet = worker.ppid()
        worker.kill()
        node = next(node for node in self.nodes if raylet == node.all_processes["raylet"][0].process.pid)
        for process in [*psutil.Process(raylet).children(recursive=True), psutil.Process(raylet)]:
            process.kill()
        self.cluster.remove_node(node, allow_graceful=False)
        self.nodes.remove(node)
        self.nodes.append(self.add())


@pytest.fixture(scope="module")
def three_nodes(commands: Commands) -> Iterator[ThreeNodes]:
    before = dict(os.environ)
    os.environ.update(commands.environment, PYTHONPATH=str(ROOT), RAY_USAGE_STATS_ENABLED="0")
    try:
        nodes = ThreeNodes()
        yield nodes
        nodes.cluster.shutdown()
    finally:
        os.environ.clear()
        os.environ.update(before)


class Driver:
    """`paretune run --cluster auto` in a process of its own."""

    def __init__(self, words: list[str], nodes: ThreeNodes, log: Path) -> None:
        self.log = log
        with open(log, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "paretune", *words], stdout=file, stderr=subprocess.STDOUT, cwd=ROOT,
                env={**os.environ, "RAY_ADDRESS": nodes.cluster.address},
            )  # fmt: skip

    def await_moment(self, reached: Callable[[Path], bool], folder: Path) -> None:
        until = time.monotonic() + LIMIT_SECONDS
        while not reached(folder):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < until, "the moment did not come: " + self.log.read_text(encoding="utf-8")
            time.sleep(0.0005)

    def finish(self) -> Finished:
        status = self.process.wait(LIMIT_SECONDS)
        return Finished(status, "", self.log.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Both:
    """The plain run, the one on the cluster, and how the driver's two lives ended."""

    plain: Path
    killed: Path
    lives: tuple[Finished, ...]


@pytest.fixture(scope="module")
def both(commands: Commands, three_nodes: ThreeNodes, tmp_path_factory: pytest.TempPathFactory) -> Both:
    home = tmp_path_factory.mktemp("ray")
    plain, killed = home / "plain" / "run", home / "killed" / "run"
    chosen = ["--variant", "run-1"]
    commands.start([*commands.words("run", plain, *SETTINGS), *chosen], drawn=False)
    done = commands.finish()
    assert done.status == 0, done.err
    words = [*commands.words("run", killed, *SETTINGS), *chosen, "--cluster", "auto"]
    trained = exists("run-1/adapter/adapter_config.json")

    driver = Driver(words, three_nodes, home / "first.txt")
    driver.await_moment(exists("run-1/checkpoints/checkpoint-4/paretune_progress.json"), killed)
    driver.process.kill()
    first = driver.finish()
    if trained(killed):
        pytest.skip("the driver's kill came too late to interrupt anything")

    driver = Driver(words, three_nodes, home / "second.txt")
    driver.await_moment(exists("run-1/checkpoints/checkpoint-20/paretune_progress.json"), killed)
    three_nodes.kill_that_does("train.run-1", killed)
    if trained(killed):
        pytest.skip("the kill of a training node came too late to interrupt anything")
    driver.await_moment(has_lines("run-1/answers.jsonl", 5), killed)
    three_nodes.kill_that_does("answer.run-1", killed)
    if has_lines("run-1/answers.jsonl", 24)(killed):
        pytest.skip("the kill of an answering node came too late to interrupt anything")
    return Both(plain, killed, (first, driver.finish()))


def settled(run: Path, into: Path) -> Path:
    """A copy in which all work took the same time, reported again: what is left is what the work came to."""
    copy = shutil.copytree(run, into / "run")
    folder = RunFolder(copy)
    manifest = folder.read_manifest()
    work = {(item["stage"], item["variant"]): {**item, "seconds": 1.0, "ended": ""} for item in manifest["work"]}
    noted = {
        name: {key: 1.0 if key == "seconds" else value for key, value in facts.items()}
        for name, facts in manifest["variants"].items()
    }
    folder.update_manifest({"work": [work[key] for key in sorted(work, key=str)], "variants": noted})
    for path in copy.glob("*/training.jsonl"):
        header, records = read_lines(path)
        write_lines(path, header, [{key: 1.0 if "second" in key else value for key, value in record.items()}
                                   for record in records])  # fmt: skip
    for name in ("tables", "report"):
        shutil.rmtree(copy / name)
    assert main(["report", str(copy)]) == 0
    return copy


def test_cluster_whose_driver_and_nodes_died_finishes(both: Both) -> None:
    first, second = both.lives
    assert first.status == -signal.SIGKILL
    assert second.status == 0, second.err
    assert (both.killed / "report" / "index.html").is_file()
    assert list(both.killed.rglob("*.old-*")) == []


def test_cluster_tables_and_page_are_those_of_the_plain_run(both: Both, tmp_path: Path) -> None:
    plain, killed = (settled(run, tmp_path / name) for name, run in (("a", both.plain), ("b", both.killed)))
    files = [path.relative_to(plain) for name in ("tables", "report") for path in sorted((plain / name).rglob("*"))]
    assert len(files) > 20
    for name in files:
        if (plain / name).is_file():
            assert (killed / name).read_bytes() == (plain / name).read_bytes(), name


def test_cluster_adapter_is_that_of_the_plain_run(both: Both) -> None:
    name = "run-1/adapter/adapter_model.safetensors"
    assert (both.killed / name).read_bytes() == (both.plain / name).read_bytes()


def test_cluster_does_nothing_twice_and_loses_nothing(both: Both) -> None:
    for variant in VARIANTS:
        for path in sorted((both.plain / variant).glob("*.jsonl")):
            key = KEYS[path.stem]
            plain, killed = ([record[key] for record in read_lines(run / variant / path.name)[1]]
                             for run in (both.plain, both.killed))  # fmt: skip
            assert sorted(map(str, killed)) == sorted(map(str, plain)), path
            assert len(set(killed)) == len(killed), path
