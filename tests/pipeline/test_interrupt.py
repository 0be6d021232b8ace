"""Ctrl-C in every long command: one line, status 130, nobody left behind, and the same command goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paretune.demo.build import build_demo
from tests.pipeline.conftest import Commands, Finished, WholeRun
from tests.pipeline.test_kill_and_resume import LIMIT_SECONDS, MOMENTS, Moment, has_lines

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
GOES_ON = "interrupted; the same command goes on from here"
ANEW = "interrupted; nothing was kept; the same command starts anew"


def descendants(process: int) -> set[int]:
    """Processes below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {process, *below}} - below:
        below |= more
    return below


def is_running(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def interrupt(commands: Commands, words: list[str], folder: Path, reached: Moment, said: str) -> Finished:
    """Start a command, press Ctrl-C at a moment, and check how it ends."""
    process = commands.start(words)
    until = time.monotonic() + LIMIT_SECONDS
    while not reached(folder):
        assert time.monotonic() < until, "the moment did not come"
        time.sleep(0.0005)
    below = descendants(process)
    os.kill(process, signal.SIGINT)
    until = time.monotonic() + LIMIT_SECONDS
    while is_running(process):
        if time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.01)
    result = commands.finish()
    assert result.status == 130, result.err
    assert result.lines[-1] == said
    for word in ("Traceback", "Exception ignored", "KeyboardInterrupt"):
        assert word not in result.err
    until = time.monotonic() + 10.0
    while any(map(is_running, below)):
        assert time.monotonic() < until, "processes were left behind"
        time.sleep(0.01)
    return result


@pytest.fixture(scope="module")
def interrupted(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A run interrupted at each moment of the tests of kills, and how it ended when left alone."""
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    for reached, _ in MOMENTS.values():
        interrupt(commands, commands.words("run", folder), folder, reached, GOES_ON)
    return folder, commands.run("run", folder)


def test_interrupted_run_goes_on_to_the_uninterrupted_result(
    interrupted: tuple[Path, Finished], whole_run: WholeRun
) -> None:
    folder, result = interrupted
    assert result.status == 0, result.err
    assert not list(folder.rglob("*.old-*"))
    assert not list(folder.rglob("*.part"))
    for name in ("tables/execution_accuracy.csv", "tables/general_accuracy.csv", "run-1/adapter/paretune.json",
                 "run-1/adapter/adapter_model.safetensors"):  # fmt: skip
        if name.endswith("paretune.json"):
            origins = [json.loads((place / name).read_text()) for place in (folder, whole_run.folder)]
            assert origins[0]["fingerprint"] == origins[1]["fingerprint"]
        else:
            assert (folder / name).read_bytes() == (whole_run.folder / name).read_bytes(), name


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield build_demo(tmp_path / "demo")
    shutil.rmtree(tmp_path / "demo", ignore_errors=True)


def test_interrupted_score_leaves_no_worker(commands: Commands, data: Path, tmp_path: Path) -> None:
    spider = data / "spider"
    questions = json.loads((spider / "dev.json").read_text(encoding="utf-8"))
    (tmp_path / "p.sql").write_text("\n".join([ENDLESS] * len(questions)) + "\n", encoding="utf-8")
    words = ["score", "--spider", str(spider), "--predictions", str(tmp_path / "p.sql"), "--workers", "2",
             "--out", str(tmp_path / "verdicts.jsonl")]  # fmt: skip
    this = os.getpid()

    def executing(_: Path) -> bool:
        return any(_is_worker(process) for process in descendants(this))

    interrupt(commands, words, tmp_path, executing, ANEW)
    assert not (tmp_path / "verdicts.jsonl").exists()


def _is_worker(process: int) -> bool:
    """Whether it is a worker that has computed for a while."""
    try:
        words = (Path("/proc") / str(process) / "cmdline").read_bytes()
        ticks = (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[11]
    except OSError:
        return False
    return b"paretune.sql.worker" in words and int(ticks) > 100


def test_interrupted_choice_goes_on_with_its_file(commands: Commands, tmp_path: Path) -> None:
    words = ["choice", "--suite", "demo", "--shots", "2", "--method", "cloze", "--model", str(commands.home / "model"),
             "--token-budget", "256"]  # fmt: skip
    out = tmp_path / "answers.jsonl"
    interrupt(commands, [*words, "--out", str(out)], tmp_path, has_lines("answers.jsonl", 5), GOES_ON)
    kept = out.read_text(encoding="utf-8").splitlines()[1:]
    commands.start([*words, "--out", str(out)])
    result = commands.finish()
    assert result.status == 0, result.err
    whole = out.read_text(encoding="utf-8").splitlines()[1:]
    assert whole[: len(kept) - 1] == kept[:-1]  # the last line may have been cut
    assert len({json.loads(line)["id"] for line in whole}) == len(whole) > len(kept)
