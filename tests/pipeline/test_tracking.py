"""What a tracker is sent of a run folder: everything once, whoever was interrupted, and no figure but the verdict's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from paretune.analysis.comparison import compare_run
from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.pipeline.tracking import Mirror
from paretune.run.folder import RunFolder
from paretune.run.jsonl import LineWriter, read_lines, write_lines
from paretune.run.load import load_run
from tests.pipeline.conftest import Commands, WholeRun
from tests.tracking.test_trackers import from_tensorboard

HEADER = {"kind": "training", "fingerprint": "one"}
EXPERIMENT = """
[target]
kind = "demo"
[[variant]]
name = "run-1"
[tracking]
kind = "tensorboard"
"""


class Noted:
    """A tracker that notes what it is sent; with a limit, one that fails after so many figures."""

    def __init__(self, limit: int | None = None) -> None:
        self.started: list[str] = []
        self.logged: list[tuple[str, dict[str, float], int]] = []
        self.limit = limit

    def start(self, run: str, settings: Mapping[str, str]) -> None:
        self.started.append(run)

    def log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        if self.limit is not None and len(self.logged) >= self.limit:
            raise ConnectionError("the server is gone")
        self.logged.append((run, dict(figures), step))

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "x.toml").write_text(EXPERIMENT)
    return RunFolder(tmp_path / "run")


def mirror(folder: RunFolder, tracker: Noted, said: list[str] | None = None) -> Mirror:
    config = load_experiment(folder.path.parent / "x.toml")
    return Mirror(folder, config, tracker, (said if said is not None else list[str]()).append)


def write_log(folder: RunFolder, steps: int, header: Mapping[str, str] = HEADER) -> None:
    lines = [{"step": step, "loss": 1 / step, "learning_rate": None} for step in range(1, steps + 1)]
    write_lines(folder.variant("run-1", "training.jsonl"), header, lines)


def test_mirror_training_grows_sends_each_line_once(folder: RunFolder) -> None:
    tracker = Noted()
    sending = mirror(folder, tracker)
    with LineWriter(folder.variant("run-1", "training.jsonl"), HEADER) as writer:
        for step in (1, 2):
            writer.append({"step": step, "loss": 1 / step, "learning_rate": None})
            sending.send_training("run-1")
            sending.send_training("run-1")
    assert tracker.started == ["run-1"]
    assert tracker.logged == [("run-1", {"training/loss": 1.0}, 1), ("run-1", {"training/loss": 0.5}, 2)]


def test_mirror_resumed_behind_its_log_repeats_nothing(folder: RunFolder) -> None:
    write_log(folder, 4)
    mirror(folder, Noted()).send_training("run-1")
    tracker = Noted()
    sending = mirror(folder, tracker)
    for steps in (2, 3, 5):  # cut to its checkpoint, then trained again
        write_log(folder, steps)
        sending.send_training("run-1")
    assert [step for _, _, step in tracker.logged] == [5]


def test_mirror_training_anew_is_sent_from_its_first_line(folder: RunFolder) -> None:
    write_log(folder, 3)
    mirror(folder, Noted()).send_training("run-1")
    tracker = Noted()
    write_log(folder, 2, {**HEADER, "fingerprint": "two"})
    mirror(folder, tracker).send_training("run-1")
    assert [step for _, _, step in tracker.logged] == [1, 2]


def test_mirror_seconds_are_sent_once_by_the_variant_they_belong_to(folder: RunFolder) -> None:
    folder.add_seconds("prepare", None, 1.5)
    folder.add_seconds("train", "run-1", 20.0)
    for expected in ([("experiment", {"seconds/prepare": 1.5}, 0), ("run-1", {"seconds/train": 20.0}, 1)], []):
        tracker = Noted()
        mirror(folder, tracker).send_work()
        assert tracker.logged == expected


def test_mirror_tracker_fails_says_so_once_and_the_next_sends_the_rest(folder: RunFolder) -> None:
    write_log(folder, 2)
    said: list[str] = []
    sending = mirror(folder, Noted(limit=0), said)
    for _ in range(2):
        sending.send_work()
    sending.close()
    assert said == ["tracking: ConnectionError: the server is gone; nothing more is sent, the next run sends the rest"]
    tracker = Noted()
    mirror(folder, tracker).send_work()
    assert [step for _, _, step in tracker.logged] == [1, 2]


def test_figures_sent_are_those_of_the_verdict(whole_run: WholeRun, tmp_path: Path) -> None:
    shutil.copytree(whole_run.folder, tmp_path / "run")
    (tmp_path / "x.toml").write_text(EXPERIMENT)
    comparison = compare_run(load_run(tmp_path / "run"), seed=42)
    for sends in (True, False):  # the second time nothing has changed
        tracker = Noted()
        mirror(RunFolder(tmp_path / "run"), tracker).send_figures(comparison)
        figures = {run: values for run, values, _ in tracker.logged if "gain" in values}
        assert set(figures) == ({unit.name for unit in comparison.units} if sends else set())
        for unit in comparison.units if sends else ():
            assert unit.target is not None
            gain, change = unit.target.interval, unit.general[0].interval
            assert [figures[unit.name][f"gain{end}"] for end in ("", "/low", "/high")] == [
                gain.estimate, gain.low, gain.high
            ]  # fmt: skip
            name = f"change/{unit.general[0].benchmark}/{unit.general[0].method}"
            assert figures[unit.name][f"{name}/low"] == change.low


def test_run_with_tensorboard_is_tracked_and_has_the_figures_of_a_run_without(
    commands: Commands, whole_run: WholeRun, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    result = commands.run("run", tmp_path / "run", "tracking.kind=tensorboard")
    assert result.status == 0, result.err
    lines = read_lines(tmp_path / "run" / "run-1" / "training.jsonl")[1]
    points = from_tensorboard(tmp_path / "run" / "tracking", "run-1", "run")
    assert [step for step, _ in points["training/loss"]] == [line["step"] for line in lines]
    assert [loss for _, loss in points["training/loss"]] == pytest.approx([line["loss"] for line in lines])
    assert {"gain", "gain/low", "gain/high", "seconds/train"} <= set(points)
    tables = [path.name for path in (whole_run.folder / "tables").glob("*.csv") if path.name != "costs.csv"]
    for name in tables:
        assert (tmp_path / "run" / "tables" / name).read_bytes() == (whole_run.folder / "tables" / name).read_bytes()
    assert "tracking" not in json.dumps(json.loads((tmp_path / "run" / "manifest.json").read_text())["config"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", r"tracking.kind: missing"),
        ('kind = "tensorbord"', r"tracking.kind: expected one of .*did you mean 'tensorboard'"),
        ('kind = "wandb"\napi_key = "secret"', r"tracking.api_key: no key may stand in an experiment file"),
        ('kind = "wandb"\nserver = "https://me:pw@host"', "holds a user or a password; keys come from the environment"),
        ('kind = "tensorboard"\nserver = "https://host"', "tensorboard writes files and has no server"),
        ('kind = "mlflow"\nserver = "https://host"\npath = "x"', "either a local path or a server"),
    ],
)
def test_tracking_section_that_cannot_be_obeyed_is_refused(line: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(f'[target]\nkind = "demo"\n[tracking]\n{line}\n')
    with pytest.raises(ConfigError, match=message) as caught:
        load_experiment(file)
    assert "secret" not in str(caught.value)
    assert "pw@" not in str(caught.value)
