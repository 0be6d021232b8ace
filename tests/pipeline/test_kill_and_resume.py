"""One run killed at five moments, each time started again: it must end as if nothing had happened.

After the second kill its folder moves to another file system, where the machine has one that holds it in memory.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paretune.run.jsonl import read_lines
from tests.pipeline.conftest import VARIANTS, Commands, Finished, WholeRun

LIMIT_SECONDS = 120.0
MOVED_AFTER = 2  # kills
OTHER_FILE_SYSTEM = Path("/dev/shm")
Moment = Callable[[Path], bool]


def has_lines(name: str, count: int) -> Moment:
    """The header and `count` records stand in a file."""

    def reached(folder: Path) -> bool:
        path = folder / name
        return path.exists() and path.read_bytes().count(b"\n") > count

    return reached


def exists(name: str) -> Moment:
    return lambda folder: (folder / name).exists()


# (what is killed, when, what must not be finished by then: else the kill came too late to test anything)
MOMENTS: dict[str, tuple[Moment, Moment]] = {
    "training, after a checkpoint": (
        exists("run-1/checkpoints/checkpoint-4/paretune_progress.json"),
        exists("run-1/adapter/adapter_config.json"),
    ),
    "generation, after some answers": (has_lines("run-1/answers.jsonl", 5), has_lines("run-1/answers.jsonl", 24)),
    "choice scoring, after some answers": (has_lines("run-1/choice.jsonl", 3), exists("run-1/sql.jsonl")),
    "right after judging": (exists("run-2/sql.jsonl"), exists("report/index.html")),
    "tables and report": (exists("tables/execution_accuracy.csv"), exists("report/index.html")),
}


def kill_at(commands: Commands, folder: Path, reached: Moment) -> Finished:
    process = commands.start(commands.words("run", folder))
    until = time.monotonic() + LIMIT_SECONDS
    while not reached(folder):
        assert time.monotonic() < until, "the moment did not come"
        time.sleep(0.0005)
    os.kill(process, signal.SIGKILL)
    return commands.finish()


def line_files(folder: Path) -> Iterator[Path]:
    return (path for variant in VARIANTS for path in sorted((folder / variant).glob("*.jsonl")))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder on another file system than the tests' own, or, where there is none, beside it."""
    if not OTHER_FILE_SYSTEM.is_dir() or not os.access(OTHER_FILE_SYSTEM, os.W_OK):
        yield tmp_path_factory.mktemp("elsewhere")
        return
    with tempfile.TemporaryDirectory(prefix="paretune-", dir=OTHER_FILE_SYSTEM) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def resumed(commands: Commands, tmp_path_factory: pytest.TempPathFactory, elsewhere: Path) -> tuple[Path, Finished]:
    """The run folder after five kills and a move, and how the sixth process, left alone, ended."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    for number, (name, (reached, too_late)) in enumerate(MOMENTS.items()):
        if number == MOVED_AFTER:
            folder = Path(shutil.move(folder, elsewhere / "run"))
        killed = kill_at(commands, folder, reached)
        assert killed.status == -signal.SIGKILL, f"{name}: {killed.err}"
        if too_late(folder):  # a machine that pauses the poller: nothing was interrupted, so nothing is tested
            pytest.skip(f"{name}: the kill came too late to interrupt anything")
    return folder, commands.run("run", folder)


def test_killed_run_goes_on_on_another_file_system(
    resumed: tuple[Path, Finished], tmp_path_factory: pytest.TempPathFactory
) -> None:
    if resumed[0].stat().st_dev == tmp_path_factory.getbasetemp().stat().st_dev:
        pytest.skip("this machine has one file system")
    assert resumed[1].status == 0, resumed[1].err
    assert {f"{variant}: already trained" for variant in ("run-1", "run-2")} <= set(resumed[1].lines)


def test_killed_five_times_a_run_still_finishes(resumed: tuple[Path, Finished]) -> None:
    folder, result = resumed
    assert result.status == 0, result.err
    assert (folder / "report" / "index.html").is_file()
    assert list(folder.rglob("*.old-*")) == []
    for variant in ("run-1", "run-2"):
        assert f"{variant}: already trained" in result.lines


@pytest.mark.parametrize("table", ["execution_accuracy.csv", "general_accuracy.csv", "outcomes.csv", "by_subject.csv"])
def test_killed_five_times_the_tables_are_the_uninterrupted_ones(
    resumed: tuple[Path, Finished], whole_run: WholeRun, table: str
) -> None:
    assert (resumed[0] / "tables" / table).read_bytes() == (whole_run.folder / "tables" / table).read_bytes()


def test_killed_five_times_no_record_stands_twice(resumed: tuple[Path, Finished]) -> None:
    keys = {"answers": "index", "sql": "index", "choice": "id", "training": "step"}
    for path in line_files(resumed[0]):
        found = [record[keys[path.stem]] for record in read_lines(path)[1]]
        assert len(set(found)) == len(found), path


def test_killed_five_times_the_records_are_the_uninterrupted_ones(
    resumed: tuple[Path, Finished], whole_run: WholeRun
) -> None:
    """Log-probabilities within rounding: the questions left over are packed into other batches."""
    for name, key in (("answers", "index"), ("sql", "index"), ("choice", "id")):
        for variant in VARIANTS:
            both, numbers = [], []
            for folder in (resumed[0], whole_run.folder):
                records = sorted(read_lines(folder / variant / f"{name}.jsonl")[1], key=lambda record: str(record[key]))
                numbers.append([x for record in records for x in record.pop("log_probabilities", ())])
                both.append([{k: v for k, v in record.items() if "seconds" not in k} for record in records])
            assert both[0] == both[1], f"{variant}/{name}"
            assert numbers[0] == pytest.approx(numbers[1], abs=1e-3), f"{variant}/{name}"


def test_killed_in_training_the_adapter_is_the_uninterrupted_one(
    resumed: tuple[Path, Finished], whole_run: WholeRun
) -> None:
    for variant in ("run-1", "run-2"):
        both = [
            (folder / variant / "adapter" / "adapter_model.safetensors").read_bytes()
            for folder in (resumed[0], whole_run.folder)
        ]
        assert both[0] == both[1], variant
        losses = [
            [(record["step"], record["loss"]) for record in read_lines(folder / variant / "training.jsonl")[1]]
            for folder in (resumed[0], whole_run.folder)
        ]
        assert losses[0] == losses[1], variant
