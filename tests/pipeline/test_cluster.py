"""What the cluster's driver and workers do, without a cluster: files that travel, requirements, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import paretune
from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.pipeline import cluster
from paretune.pipeline.cells import Cell, cells_of
from paretune.pipeline.cluster import Nodes, Order, demands, do_cell, pack, unpack
from paretune.pipeline.resources import Resources
from paretune.run.folder import RunFolder
from tests.pipeline.test_cells import results, timeless
from tests.pipeline.test_scripted import BASE, EXPERIMENT, TUNED

pytestmark = pytest.mark.usefixtures("undrawn")

GIB = 2**30


class Remote:
    """An actor's method that notes its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def remote(self, *values: Any) -> None:
        self.calls.append(values)


def board() -> Any:
    return SimpleNamespace(say=Remote(), share=Remote())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster")
    for name, text in (("scripted.toml", EXPERIMENT), ("base.py", BASE), ("tuned.py", TUNED)):
        (folder / name).write_text(text, encoding="utf-8")
    assert main(["run", str(folder / "scripted.toml"), "--out", str(folder / "whole")]) == 0
    return folder


def order(home: Path, cell: Cell, folder: Path | None, version: str = paretune.__version__) -> Order:
    config = load_experiment(home / "scripted.toml")
    return Order(config, str(folder) if folder is not None else None, "en", cell, version, 0.0)


def cells(home: Path) -> list[Cell]:
    return [cell for cell in cells_of(load_experiment(home / "scripted.toml"), "sql") if cell.variant]


def test_cells_done_on_files_that_travelled_end_as_a_plain_run(home: Path, tmp_path: Path) -> None:
    """Each cell in a folder of its own that sees nothing but what was sent."""
    out = tmp_path / "run"
    assert main(["prepare", str(home / "scripted.toml"), "--out", str(out)]) == 0
    told = board()
    for cell in cells(home):
        parts = [pack(out, [name]) for name in cell.inputs]
        outcome = do_cell(order(home, cell, None), told, *parts, pack(out, [*cell.outputs, "manifest.json"]))
        assert outcome.failed == ""
        assert outcome.files.keys() == set(cell.outputs)
        unpack(out, cell.outputs, outcome.files)
        cluster._merge(RunFolder(out), outcome.manifest)
    whole = home / "whole"
    assert list(results(out)) == list(results(whole))
    for name in results(whole):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    manifests = [timeless(RunFolder(folder).read_manifest()) for folder in (out, whole)]
    report = [[item for item in manifest["work"] if item["stage"] != "report"] for manifest in manifests]
    assert report[0] == report[1]
    assert {**manifests[0], "work": ()} == {**manifests[1], "work": ()}
    assert {cell for cell, _ in told.share.calls} == {cell.id for cell in cells(home)}


def test_cell_in_a_common_folder_sends_nothing(home: Path, tmp_path: Path) -> None:
    out = shutil.copytree(home / "whole", tmp_path / "run")
    (out / "tuned" / "choice.jsonl").unlink()
    cell = next(cell for cell in cells(home) if cell.id == "choice:tuned")
    outcome = do_cell(order(home, cell, out), board())
    assert (outcome.failed, outcome.files, outcome.manifest) == ("", {}, {})
    name = "tuned/choice.jsonl"
    assert (out / name).read_bytes() == (home / "whole" / name).read_bytes()


def test_cell_that_cannot_be_done_comes_back_as_words(home: Path, tmp_path: Path) -> None:
    outcome = do_cell(order(home, cells(home)[0], tmp_path), board())
    assert outcome.failed.endswith("answer:baseline needs prepare, which is not done; do that cell first")


def test_worker_of_another_version_refuses(home: Path, tmp_path: Path) -> None:
    outcome = do_cell(order(home, cells(home)[0], tmp_path, version="0.0.1"), board())
    assert outcome.failed == f"a node has paretune {paretune.__version__}, not 0.0.1; install that there"


def test_files_put_back_replace_a_folder_whole(tmp_path: Path) -> None:
    (tmp_path / "run-1" / "checkpoints" / "checkpoint-2").mkdir(parents=True)
    (tmp_path / "run-1" / "checkpoints" / "checkpoint-2" / "optimizer.pt").write_bytes(b"old")
    unpack(tmp_path, ["run-1/checkpoints"], {"run-1/checkpoints/checkpoint-4/x": b"new"})
    assert pack(tmp_path, ["run-1"]) == {"run-1/checkpoints/checkpoint-4/x": b"new"}


def test_files_put_back_keep_what_the_worker_set_aside(tmp_path: Path) -> None:
    """By the next free name here, which the worker could not know."""
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-1" / "answers.jsonl.old-1").write_bytes(b"first")
    (tmp_path / "run-1" / "answers.jsonl").write_bytes(b"second")
    sent = {"run-1/answers.jsonl": b"third", "run-1/answers.jsonl.old-1": b"second"}
    unpack(tmp_path, ["run-1/answers.jsonl"], sent)
    assert pack(tmp_path, ["run-1/answers.jsonl"]) == {
        "run-1/answers.jsonl": b"third", "run-1/answers.jsonl.old-1": b"first", "run-1/answers.jsonl.old-2": b"second",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("needed", "asked"),
    [
        (Resources(1, GIB, 0), {"num_cpus": 1, "memory": GIB}),
        (Resources(1, GIB, None), {"num_cpus": 1, "memory": GIB, "num_gpus": 1.0}),
        (Resources(1, GIB, 9 * GIB), {"num_cpus": 1, "memory": GIB, "num_gpus": 0.125}),
        (Resources(1, 99 * GIB, 300 * GIB), {"num_cpus": 1, "memory": 16 * GIB, "num_gpus": 1.0}),
    ],
)
def test_demands_share_a_gpu_by_what_a_cell_needs(needed: Resources, asked: dict[str, float]) -> None:
    assert demands(needed, Nodes(2, 8, 2, True, 80 * GIB, 16 * GIB)) == asked


def test_demands_without_a_gpu_ask_for_none() -> None:
    asked = demands(Resources(2, GIB, None), Nodes(1, 8, 0, True, 0, 16 * GIB))
    assert asked == {"num_cpus": 2, "memory": GIB}


def test_cluster_that_cannot_be_meant_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(home / "scripted.toml"), "--out", str(tmp_path / "run"), "--cluster", "head:6379"]
    assert main(words) == 2
    assert "--cluster head:6379: expected auto or ray://HOST:PORT" in capsys.readouterr().err
    assert not (tmp_path / "run" / "prepared").exists()


def test_cluster_without_ray_says_what_to_install(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["run", str(home / "scripted.toml"), "--out", str(tmp_path / "run"), "--cluster", "auto"]) == 2
    assert '--cluster needs Ray: pip install ".[cluster]"' in capsys.readouterr().err
