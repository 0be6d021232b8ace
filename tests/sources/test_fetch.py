from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from paretune.disk import held
from paretune.errors import ConfigError, DataError
from paretune.sources.fetch import Fetched, fetch
from paretune.sources.store import find_data, read_marker
from tests.sources.conftest import Loopback, tar_of, write_spider, zip_of


def _fetch(name: str, origin: str | None, to: Path | None = None) -> Fetched:
    return fetch(name, origin, to=to, say=lambda _: None)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


@pytest.mark.parametrize("prefix", ["", "spider/", "spider_data/", "a/b/c/spider/"])
def test_fetch_archive_of_any_nesting_becomes_the_official_layout(tmp_path: Path, store: Path, prefix: str) -> None:
    source = write_spider(tmp_path / "source")
    archive = zip_of(source, tmp_path / "x.zip", prefix)
    done = _fetch("spider", str(archive))
    assert done.fresh
    assert done.folder == store / "data" / "spider"
    assert _files(done.folder) == _files(source)
    assert archive.exists()
    assert find_data("spider", "target.path") == done.folder
    assert [path.name for path in (store / "data").iterdir() if not path.name.endswith(".lock")] == ["spider"]


def test_fetch_questions_and_databases_apart_are_brought_together(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    (tmp_path / "apart").mkdir()
    (source / "database").rename(tmp_path / "apart" / "spider_data")
    for file in source.glob("*.json"):
        file.rename(tmp_path / "apart" / file.name)
    archive = tar_of(tmp_path / "apart", tmp_path / "x.tar.gz")
    assert set(_files(_fetch("spider", str(archive)).folder)) == {
        "dev.json", "train_spider.json", "tables.json", "database/shop/shop.sqlite", "database/zoo/zoo.sqlite",
    }  # fmt: skip


def test_fetch_what_is_there_is_not_fetched_again(tmp_path: Path, store: Path) -> None:
    archive = zip_of(write_spider(tmp_path / "source"), tmp_path / "x.zip")
    _fetch("spider", str(archive))
    archive.unlink()
    assert not _fetch("spider", str(archive)).fresh


def test_fetch_says_which_release_and_what_is_short(tmp_path: Path, store: Path) -> None:
    done = _fetch("spider", str(write_spider(tmp_path / "source")))
    assert any(note.startswith("dev.json is no release known by its hash") for note in done.marker.notes)
    assert "dev: 2 questions; the whole release has 1034" in done.marker.notes


def test_fetch_known_release_is_named(spider_directory: Path, tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    for entry in json.loads((spider_directory / "dev.json").read_text()):
        folder = source / "database" / entry["db_id"]
        if not folder.exists():
            folder.mkdir()
            (folder / f"{entry['db_id']}.sqlite").write_bytes((source / "database/shop/shop.sqlite").read_bytes())
    (source / "dev.json").write_bytes((spider_directory / "dev.json").read_bytes())
    assert "dev.json of August 2020" in _fetch("spider", str(source)).marker.notes


def test_fetch_reference_that_fails_is_named(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    entries = json.loads((source / "dev.json").read_text())
    entries[1]["query"] = "SELECT absent FROM item"
    (source / "dev.json").write_text(json.dumps(entries))
    notes = _fetch("spider", str(source)).marker.notes
    assert "dev: 1 of 2 reference queries fail: 1 (no such column: absent)" in notes


def test_fetch_test_question_without_database_is_refused(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    (source / "database/zoo/zoo.sqlite").unlink()
    with pytest.raises(DataError, match=r"questions of dev\.json ask on databases that are not in it: zoo"):
        _fetch("spider", str(source))
    with pytest.raises(DataError, match="paretune fetch spider"):
        find_data("spider", "target.path")


def test_fetch_damaged_database_is_refused(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    (source / "database/zoo/zoo.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(50))
    with pytest.raises(DataError, match="damaged database"):
        _fetch("spider", str(source))
    assert not (store / "data" / "spider").exists()


def test_fetch_files_under_other_names_are_known_by_their_sizes(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source", ("shop",))
    (source / "dev.json").unlink()
    row = json.loads((source / "train_spider.json").read_text())[0]
    (source / "train_spider.json").unlink()
    (source / "validation.json").write_text(json.dumps([row] * 1034))
    (source / "train.json").write_text(json.dumps([row] * 8659))
    folder = _fetch("spider", str(source)).folder
    lengths = {
        name: len(json.loads((folder / f"{name}.json").read_text())) for name in ("dev", "train_spider", "train_others")
    }
    assert lengths == {"dev": 1034, "train_spider": 7000, "train_others": 1659}


def test_fetch_variant_joins_spiders_folder_as_a_split(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    row = {"db_id": "shop", "SpiderQuestion": "Items?", "SpiderSynQuestion": "Goods?", "query": "SELECT name FROM item"}
    (tmp_path / "Spider-Syn").mkdir()
    (tmp_path / "Spider-Syn" / "dev.json").write_text(json.dumps([row] * 1034))
    with pytest.raises(DataError, match="paretune fetch spider"):
        _fetch("spider-syn", str(tmp_path / "Spider-Syn"))
    _fetch("spider", str(source))
    done = _fetch("spider-syn", str(tmp_path / "Spider-Syn"))
    assert done.folder == store / "data" / "spider"
    entries = json.loads((done.folder / "spider-syn.json").read_text())
    assert entries[0] == {"db_id": "shop", "question": "Goods?", "query": "SELECT name FROM item"}
    assert read_marker("spider", done.folder) is not None


def test_fetch_bird_is_written_in_spiders_layout(tmp_path: Path, store: Path) -> None:
    inner = write_spider(tmp_path / "in", ("shop",))
    (inner / "dev.json").unlink()
    (inner / "train_spider.json").unlink()
    (inner / "database").rename(inner / "dev_databases")
    row = {"question_id": 7, "db_id": "shop", "question": "Items?", "evidence": "none", "SQL": "SELECT name FROM item"}
    for dialect in ("mysql", "sqlite"):
        (inner / f"mini_dev_{dialect}.json").write_text(json.dumps([{**row, "difficulty": dialect}] * 500))
    done = _fetch("bird-mini-dev", str(zip_of(inner, tmp_path / "minidev.zip", "minidev/MINIDEV/")))
    entries = json.loads((done.folder / "dev.json").read_text())
    assert entries[0] == {
        "db_id": "shop", "question": "Items?", "query": "SELECT name FROM item", "question_id": 7, "evidence": "none",
        "difficulty": "sqlite",
    }  # fmt: skip
    assert (done.folder / "database/shop/shop.sqlite").is_file()


def test_fetch_suite_takes_what_its_reader_reads(tmp_path: Path, store: Path) -> None:
    from paretune.choice.suites.load import load_suite

    folder = tmp_path / "ARC-V1" / "ARC-Easy"
    folder.mkdir(parents=True)
    row = {"id": "a", "question": "What is wet?", "choices": ["fire", "water"], "gold": 1}
    (folder / "ARC-Easy-Test.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "ARC-Easy-Dev.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "notes.pdf").write_bytes(b"x")
    done = _fetch("arc", str(zip_of(tmp_path / "ARC-V1", tmp_path / "arc.zip", "ARC-V1/")))
    assert set(_files(done.folder)) == {"ARC-Easy/ARC-Easy-Test.jsonl", "ARC-Easy/ARC-Easy-Dev.jsonl"}
    assert len(load_suite("arc-easy", find_data("arc-easy", "general.path")).questions) == 1
    assert any("ARC-Challenge-Test.jsonl" in note for note in done.marker.notes)


@pytest.mark.parametrize("breaks", [[1], [700], [900, 100, 50]])
def test_fetch_server_failing_half_way_ends_with_the_whole(
    tmp_path: Path, store: Path, loopback: Loopback, breaks: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_spider(tmp_path / "source")
    monkeypatch.setattr("paretune.sources.download.PAUSE_SECONDS", 0.0)
    loopback.content, loopback.breaks = zip_of(source, tmp_path / "x.zip").read_bytes(), [*breaks]
    done = _fetch("spider", loopback.url)
    assert _files(done.folder) == _files(source)
    assert len(loopback.asked) == len(breaks) + 1
    assert list((store / "downloads").iterdir()) == []


def test_fetch_web_page_in_place_of_an_archive_is_named(tmp_path: Path, store: Path, loopback: Loopback) -> None:
    loopback.content = b"<!DOCTYPE html><html>Virus scan warning</html>"
    with pytest.raises(DataError, match="a web page, not the file behind it"):
        _fetch("spider", loopback.url)


def test_fetch_without_network_says_what_to_download_where(
    store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=offline))
    with pytest.raises(DataError) as raised:
        _fetch("spider", None)
    message = str(raised.value)
    assert "Hub data set premai-io/spider: no route to host" in message
    assert "Kaggle data set jeromeblanchet/yale-universitys-spider-10-nlp-dataset: no route to host" in message
    assert "https://yale-lily.github.io/spider" in message
    assert message.endswith("paretune fetch spider --from FILE")


def test_fetch_kaggle_copies_from_where_kagglehub_put_it(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, asked = write_spider(tmp_path / "kaggle" / "input" / "spider"), []

    def dataset_download(handle: str) -> str:
        asked.append(handle)
        return str(tmp_path / "kaggle" / "input")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=dataset_download))
    done = _fetch("spider", "kaggle")
    assert asked == ["jeromeblanchet/yale-universitys-spider-10-nlp-dataset"]
    assert _files(done.folder) == _files(source)


def test_fetch_kaggle_without_kagglehub_says_how_to_get_it(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DataError, match="pip install"):
        _fetch("spider", "kaggle")


def test_fetch_kaggle_key_in_the_working_directory_is_pointed_out(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    seen = []

    def dataset_download(_: str) -> str:
        seen.append(os.environ.get("KAGGLE_CONFIG_DIR"))
        raise ValueError("enough")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=dataset_download))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KAGGLE_CONFIG_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kaggle.json").write_text("{}")
    with pytest.raises(DataError, match="enough"):
        _fetch("spider", "kaggle")
    assert seen == [str(tmp_path)]
    assert "KAGGLE_CONFIG_DIR" not in os.environ


def test_fetch_unknown_name_or_origin_names_the_known(store: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'spider'"):
        _fetch("spidr", None)
    with pytest.raises(ConfigError, match="known: url"):
        _fetch("piqa", "kaggle")
    with pytest.raises(ConfigError, match="no such file or folder"):
        _fetch("piqa", str(tmp_path / "none.zip"))


def test_fetch_to_a_folder_with_other_content_touches_nothing(tmp_path: Path, store: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "dev.json").write_text("my own")
    with pytest.raises(DataError, match=r"dev\.json: stands there with other content"):
        _fetch("spider", str(write_spider(tmp_path / "source")), mine)
    assert (mine / "dev.json").read_text() == "my own"


def test_find_data_kind_that_is_not_fetched_asks_for_a_directory(store: Path) -> None:
    with pytest.raises(DataError, match=r"general\.path: missing, and 'enem' is not fetched by name"):
        find_data("enem", "general.path")


_KILLED_FETCH = """
import os, signal, sys
from paretune.sources import archive, download, fetch

def kill_at(module, name, call):
    original, calls = getattr(module, name), 0
    def counted(*arguments, **named):
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)
    setattr(module, name, counted)

place, url = sys.argv[1:]
download.PAUSE_SECONDS = 0.0
if place == "download":
    kill_at(download, "_known", 2)
elif place == "unpack":
    kill_at(archive, "_write", 3)
elif place == "put in place":
    kill_at(fetch, "replace_file", 3)
else:
    kill_at(fetch, "write_marker", 1)
fetch.fetch("spider", url, say=lambda line: None)
"""


@pytest.mark.parametrize("place", ["download", "unpack", "put in place", "marker"])
def test_fetch_killed_and_called_again_ends_with_the_whole(
    tmp_path: Path, store: Path, loopback: Loopback, place: str
) -> None:
    source = write_spider(tmp_path / "source")
    loopback.content = zip_of(source, tmp_path / "x.zip").read_bytes()
    loopback.breaks = [500] if place == "download" else []
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_FETCH, place, loopback.url], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(DataError, match="paretune fetch spider"):
        find_data("spider", "target.path")
    done = _fetch("spider", loopback.url)
    assert _files(done.folder) == _files(source)
    assert loopback.asked == ([None, "bytes=500-"] if place == "download" else [None])
    left = [path.name for path in (store / "data").iterdir() if not path.name.endswith(".lock")]
    assert left == ["spider"]
    assert list((store / "downloads").iterdir()) == []


def test_fetch_while_another_process_fetches_is_refused(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    with (
        held(store / "data" / ".spider.lock"),
        pytest.raises(DataError, match="spider: another process fetches it"),
    ):
        _fetch("spider", str(source))
