"""One contract for every tracker: what was logged, also by a second process, is read back from its local store."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from paretune.config import TrackingConfig
from paretune.errors import ConfigError
from paretune.tracking import build_tracker

Points = dict[str, list[tuple[int, float]]]


def from_tensorboard(folder: Path, run: str, experiment: str = "demo") -> Points:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / experiment / run))
    events.Reload()
    return {name: [(item.step, item.value) for item in events.Scalars(name)] for name in events.Tags()["scalars"]}


def from_mlflow(folder: Path, run: str) -> Points:
    command = (
        "SELECT m.key, m.step, m.value FROM metrics m JOIN runs r USING (run_uuid) WHERE r.name = ? ORDER BY m.step"
    )
    with closing(sqlite3.connect(folder / "mlflow.db")) as base:
        rows = base.execute(command, (f"demo/{run}",)).fetchall()
    return {key: [(step, value) for name, step, value in rows if name == key] for key, _, _ in rows}


def from_wandb(folder: Path, run: str) -> Points:
    from wandb.proto.wandb_internal_pb2 import Record

    points: Points = {}
    for file in sorted(folder.glob("wandb/offline-run-*/run-*.wandb")):
        record, is_it = Record(), False
        for data in wandb_records(file.read_bytes()):
            record.ParseFromString(data)
            is_it |= record.HasField("run") and record.run.display_name == f"demo/{run}"
            if is_it and record.HasField("history"):
                row = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
                for key in (key for key in row if key != "step" and key[0] != "_"):
                    points.setdefault(key, []).append((row["step"], row[key]))
    return points


def wandb_records(raw: bytes) -> Iterator[bytes]:
    """The records of a .wandb file: LevelDB's log format behind a header of 7 bytes."""
    block, at, part = 32768, 7, b""
    while at + 7 <= len(raw):
        if block - at % block < 7:
            at += block - at % block
            continue
        size, kind = struct.unpack_from("<HB", raw, at + 4)
        part = (b"" if kind in (1, 2) else part) + raw[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield part


def from_trackio(folder: Path, run: str) -> Points:
    points: Points = {}
    with closing(sqlite3.connect(folder / "paretune.db")) as base:
        rows = base.execute("SELECT step, metrics FROM metrics WHERE run_name = ? ORDER BY step", (f"demo/{run}",))
        for step, metrics in rows:
            for key, value in json.loads(metrics).items():
                points.setdefault(key, []).append((step, value))
    return points


READERS: Mapping[str, Callable[[Path, str], Points]] = {
    "tensorboard": from_tensorboard,
    "mlflow": from_mlflow,
    "wandb": from_wandb,
    "trackio": from_trackio,
}


@pytest.mark.parametrize("kind", READERS)
def test_tracker_keeps_what_two_processes_logged(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if importlib.util.find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    monkeypatch.setenv("TRACKIO_DIR", "unset")  # set by the tracker; restored here
    for steps in ((1, 2), (3,)):
        tracker = build_tracker(TrackingConfig(kind), "demo", tmp_path)  # type: ignore[arg-type]  # a parameter
        tracker.start("run-1", {"rank": "8"})
        for step in steps:
            tracker.log("run-1", {"training/loss": 2.0 / step, "gain/low": -1.5}, step)
        tracker.log("run-2", {"training/loss": 0.5}, 1)
        tracker.close()
    points = READERS[kind](tmp_path, "run-1")
    assert points["training/loss"] == [(1, 2.0), (2, 1.0), (3, pytest.approx(2 / 3))]
    assert points["gain/low"] == [(1, -1.5), (2, -1.5), (3, -1.5)]
    assert set(READERS[kind](tmp_path, "run-2")) == {"training/loss"}
    assert not capsys.readouterr().out


def test_tracker_whose_package_is_missing_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'kind = "wandb" needs a package: pip install "\.\[wandb\]"'):
        build_tracker(TrackingConfig("wandb"), "demo", tmp_path)


def test_tracker_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"\[tracking\] mlflow cannot be opened"):
        build_tracker(TrackingConfig("mlflow"), "demo", tmp_path / "file")


def test_wandb_server_without_a_key_in_the_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="needs WANDB_API_KEY in the environment"):
        build_tracker(TrackingConfig("wandb", server="https://wandb.invalid"), "demo", tmp_path)
