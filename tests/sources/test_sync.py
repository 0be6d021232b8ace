from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sources import sync as module
from paretune.sources.fetch import fetch
from paretune.sources.store import find_data
from paretune.sources.sync import sync
from tests.sources.conftest import write_spider
from tests.sources.test_poor_disk import poor_disk

__all__ = ["poor_disk"]


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def _run(folder: Path) -> Path:
    """A run folder as it lies in the middle of an evaluation."""
    return _write(
        folder,
        {
            "manifest.json": "{}",
            ".lock": "",
            "lock.json": "{}",
            "baseline/answers.jsonl": '{"header": {}}\n{"index": 0}\n{"index": 1}\n{"ind',
            "run-1/adapter/adapter_model.safetensors": "weights",
            "run-1/adapter/adapter_config.json": "{}",
            "run-1/adapter/paretune.json": '{"fingerprint": 1}',
            "run-1/checkpoints/checkpoint-10/optimizer.pt": "o",
            "run-1/checkpoints/checkpoint-10/paretune_progress.json": "{}",
            "run-1/checkpoints/checkpoint-20/optimizer.pt": "half",
            "tables/.gains.csv.4711.part": "half",
        },
    )


def _sync(source: Path, target: Path) -> dict[str, str]:
    done: dict[str, str] = {}
    sync(source, target, lambda synced: done.__setitem__(synced.path.as_posix(), synced.outcome))
    return done


def test_sync_copies_what_is_finished_and_no_more(tmp_path: Path) -> None:
    done = _sync(_run(tmp_path / "run"), tmp_path / "copy")
    assert {name for name, outcome in done.items() if outcome == "unfinished"} == {"run-1/checkpoints/checkpoint-20"}
    files = {
        file.relative_to(tmp_path / "copy").as_posix() for file in (tmp_path / "copy").rglob("*") if file.is_file()
    }
    assert files == {name for name, outcome in done.items() if outcome == "copied"}
    assert not any("lock" in name or "part" in name for name in files)
    assert (tmp_path / "copy/baseline/answers.jsonl").read_text() == '{"header": {}}\n{"index": 0}\n{"index": 1}\n'


def test_sync_checkpoint_of_a_finished_training_is_copied(tmp_path: Path) -> None:
    checkpoint = "run-1/checkpoints/checkpoint-20"
    _write(tmp_path / "run", {f"{checkpoint}/{name}": "x" for name in ("adapter_model.safetensors", "paretune.json")})
    done = _sync(tmp_path / "run", tmp_path / "copy")
    assert done == {f"{checkpoint}/{name}": "copied" for name in ("adapter_model.safetensors", "paretune.json")}


def test_sync_again_copies_only_what_is_new(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    _sync(run, tmp_path / "copy")
    with open(run / "baseline/answers.jsonl", "a") as file:
        file.write('ex": 2}\n')
    done = _sync(run, tmp_path / "copy")
    assert [name for name, outcome in done.items() if outcome == "copied"] == ["baseline/answers.jsonl"]
    assert (tmp_path / "copy/baseline/answers.jsonl").read_text().endswith('{"index": 2}\n')


def test_sync_target_that_has_more_lines_is_left_as_it_is(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    _sync(run, tmp_path / "copy")
    with open(tmp_path / "copy/baseline/answers.jsonl", "a") as file:
        file.write('{"index": 2}\n{"index": 3}\n')
    assert _sync(run, tmp_path / "copy")["baseline/answers.jsonl"] == "ahead"
    assert (tmp_path / "copy/baseline/answers.jsonl").read_text().endswith('{"index": 3}\n')


def test_sync_newer_file_of_the_target_is_left_as_it_is(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    _sync(run, tmp_path / "copy")
    (tmp_path / "copy/manifest.json").write_text('{"newer": true}')
    os.utime(tmp_path / "copy/manifest.json", (2**31, 2**31))
    assert _sync(run, tmp_path / "copy")["manifest.json"] == "ahead"
    assert (tmp_path / "copy/manifest.json").read_text() == '{"newer": true}'


@pytest.mark.parametrize("stop", range(1, 8))
def test_sync_stopped_anywhere_vouches_for_nothing_half_and_goes_on(
    tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, copy = _run(tmp_path / "run"), tmp_path / "copy"
    written = 0

    def stopping(file: Path, place: Path, size: int) -> None:
        nonlocal written
        written += 1
        if written == stop:
            raise KeyboardInterrupt
        original(file, place, size)

    original = module._write
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", stopping)
        with pytest.raises(KeyboardInterrupt):
            _sync(run, copy)
    if (copy / "run-1/adapter/paretune.json").exists():
        assert (copy / "run-1/adapter/adapter_model.safetensors").exists()
        assert (copy / "run-1/adapter/adapter_config.json").exists()
    _sync(run, copy)
    assert Counter(_sync(run, copy).values()) == {"there": 7, "unfinished": 1}


def test_sync_replaced_adapter_is_vouched_for_by_its_own_mark_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, copy = _run(tmp_path / "run"), tmp_path / "copy"
    _sync(run, copy)
    for name, content in (("adapter_model.safetensors", "other weights"), ("paretune.json", '{"fingerprint": 2}')):
        (run / "run-1/adapter" / name).write_text(content)
        os.utime(run / "run-1/adapter" / name, (2**31, 2**31))

    def stopping(file: Path, place: Path, size: int) -> None:
        original(file, place, size)
        raise KeyboardInterrupt

    original = module._write
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", stopping)
        with pytest.raises(KeyboardInterrupt):
            _sync(run, copy)
    assert (copy / "run-1/adapter/adapter_model.safetensors").read_text() == "other weights"
    assert not (copy / "run-1/adapter/paretune.json").exists()
    _sync(run, copy)
    assert (copy / "run-1/adapter/paretune.json").read_text() == '{"fingerprint": 2}'


def test_sync_store_takes_data_that_is_whole(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch("spider", str(write_spider(tmp_path / "source")), say=lambda _: None)
    _write(store, {"data/mmlu/test/half.csv": "x", "downloads/x.zip.part": "x", "models/.converting-1/a": "x"})
    done = _sync(store, tmp_path / "drive")
    assert {name for name, outcome in done.items() if outcome == "unfinished"} == {
        "data/mmlu", "downloads", "models/.converting-1",
    }  # fmt: skip
    monkeypatch.setenv("PARETUNE_HOME", str(tmp_path / "drive"))
    assert find_data("spider", "target.path") == tmp_path / "drive" / "data" / "spider"


@pytest.mark.usefixtures("poor_disk")
def test_sync_to_a_poor_file_system_ends_alike(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    _sync(run, tmp_path / "copy")
    assert Counter(_sync(run, tmp_path / "copy").values()) == {"there": 7, "unfinished": 1}


def test_sync_into_itself_or_from_nothing_is_refused(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    for target in (run, run / "copy", tmp_path):
        with pytest.raises(DataError, match="lies in the other"):
            _sync(run, target)
    with pytest.raises(DataError, match="no such folder"):
        _sync(tmp_path / "none", tmp_path / "copy")
