from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.errors import DataError, RunFolderError
from paretune.files import fingerprint
from paretune.run.folder import RunFolder, is_complete, work_seconds
from paretune.run.jsonl import LineWriter, write_lines

HOLDER = """
import sys, time
from pathlib import Path
from paretune.run.folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def holder_of(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path), "--mark"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_lock_held_by_another_process_is_refused_by_its_name(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    try:
        with pytest.raises(RunFolderError) as caught, RunFolder(tmp_path).locked():
            pytest.fail("two processes in one run folder")
        message = str(caught.value)
        assert f"{tmp_path}: in use by process {process.pid} on " in message
        assert "--mark" in message
        assert "choose --out" in message
        assert json.loads((tmp_path / "lock.json").read_text(encoding="utf-8"))["process"] == process.pid
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("processes", "advice"),
    [("2", "without torchrun .* `paretune run --cluster auto` uses several GPUs"), ("1", "choose --out")],
)
def test_lock_held_by_a_process_of_the_same_launcher_says_that_one_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: str, advice: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", processes)  # as torchrun sets it
    with RunFolder(tmp_path).locked(), pytest.raises(RunFolderError, match=advice), RunFolder(tmp_path).locked():
        pytest.fail("locked twice")


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (tmp_path / "lock.json").exists()  # the dead one's name: worth nothing
    with RunFolder(tmp_path).locked():
        assert json.loads((tmp_path / "lock.json").read_text(encoding="utf-8"))["process"] == os.getpid()
    assert not (tmp_path / "lock.json").exists()


def test_lock_twice_in_one_process_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path).locked():
        with pytest.raises(RunFolderError, match=f"process {os.getpid()}"), RunFolder(tmp_path).locked():
            pytest.fail("locked twice")
        assert (tmp_path / "lock.json").exists()  # the refused one has not taken the holder's name away


def test_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path).locked():
        raise ZeroDivisionError
    with RunFolder(tmp_path).locked():
        pass


def test_lock_without_owner_file_is_still_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path).locked():
        (tmp_path / "lock.json").write_text("{", encoding="utf-8")
        with pytest.raises(RunFolderError, match="in use by another process"), RunFolder(tmp_path).locked():
            pytest.fail("locked twice")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON, min_size=2))
def test_fingerprint_ignores_the_order_of_keys(value: dict[str, Any]) -> None:
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))


@given(JSON, JSON)
def test_fingerprint_differs_where_values_differ(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint(one) == fingerprint(other)) == same


def test_fingerprint_is_the_same_in_every_version_and_process() -> None:
    assert fingerprint({"rank": 16, "text": "é", "items": [1, 2.5, None, True]}) == "0ddc9c2442a252d2"
    assert fingerprint((1, 2)) == fingerprint([1, 2])
    assert fingerprint([1, 2]) != fingerprint([2, 1])
    assert fingerprint("\ud800") != fingerprint("\ud801")


def test_manifest_update_replaces_only_the_named_parts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert folder.read_manifest() == {}
    folder.update_manifest({"name": "a", "config": {"x": 1, "y": 2}})
    folder.update_manifest({"config": {"x": 3}, "versions": {}})
    assert folder.read_manifest() == {"name": "a", "config": {"x": 3}, "versions": {}}
    assert [path.name for path in folder.path.iterdir()] == ["manifest.json"]


def test_manifest_broken_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.json: not JSON; delete it"):
        RunFolder(tmp_path).read_manifest()


def test_manifest_adds_up_work_of_resumed_stages(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with folder.timed("train", "run-1"):
        time.sleep(0.02)
    with pytest.raises(ZeroDivisionError), folder.timed("train", "run-1"):
        raise ZeroDivisionError
    folder.add_seconds("report", None, 1.234)
    work = folder.read_manifest()["work"]
    assert [(item["stage"], item["variant"]) for item in work] == [("train", "run-1"), ("report", None)]
    assert 0.02 <= work[0]["seconds"] < 5
    assert work[1]["seconds"] == 1.23


def test_timed_block_that_keeps_what_it_wrote_counts_when_interrupted(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt), folder.timed("generate", "run-1", "f", kept=True):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), folder.timed("score", "run-1", "g"):
        raise KeyboardInterrupt
    assert [(item["stage"], item["made"]) for item in folder.read_manifest()["work"]] == [("generate", "f")]


def test_work_seconds_leave_out_what_was_set_aside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.add_seconds("generate", "run-1", 40.0, "former")
    folder.add_seconds("generate", "run-1", 25.0, "present")
    folder.add_seconds("generate", "run-1", 15.0, "present")
    folder.add_seconds("generate", "run-2", 7.0, "present")
    folder.add_seconds("score", "run-1", 2.0)  # as a folder of before has it
    headers = {"answers": {"fingerprint": "present"}, "sql": {"fingerprint": "any"}, "choice": {}}
    assert work_seconds(folder.read_manifest(), "run-1", headers) == {"generate": 40.0, "score": 2.0}


def test_folder_layout_is_the_documented_one(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    paths = [folder.manifest_path, folder.tables, folder.report, folder.prepared("sql"), folder.variant("r", "x.jsonl")]
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names == ["manifest.json", "tables", "report", "prepared/sql.jsonl", "r/x.jsonl"]


def test_file_is_complete_only_with_its_fingerprint_and_all_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert not is_complete(path, "f")
    write_lines(path, {"fingerprint": "f"}, [{"index": 0}, {"index": 1}])
    assert is_complete(path, "f")
    assert is_complete(path, "f", 2)
    assert not is_complete(path, "f", 3)
    assert not is_complete(path, "g", 2)
    path.write_bytes(path.read_bytes()[:-1])  # the last line was cut
    assert not is_complete(path, "f", 2)
    with LineWriter(path, {"fingerprint": "f"}) as writer:
        writer.append({"index": 1})
    assert is_complete(path, "f", 2)


def test_folder_with_other_things_is_refused_and_a_run_is_not(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(RunFolderError, match=r"a folder with other things in it \(photos\); name a new one"):
        RunFolder(tmp_path).refuse_other_things()
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    RunFolder(tmp_path).refuse_other_things()
    RunFolder(tmp_path / "absent").refuse_other_things()
    (tmp_path / "begun" / "prepared").mkdir(parents=True)
    RunFolder(tmp_path / "begun").refuse_other_things()
