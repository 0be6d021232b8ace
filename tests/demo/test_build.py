"""Building the embedded benchmark: the same every time, whole or not at all, and clear about a broken source."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paretune.demo import build
from paretune.demo.build import build_demo, demo_directory
from paretune.errors import DataError

SOURCES = Path(build.__file__).parent


def hashes(directory: Path) -> dict[str, str]:
    files = (file for file in directory.rglob("*") if file.is_file())
    return {file.relative_to(directory).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_build_twice_gives_equal_bytes(demo: Path, tmp_path: Path) -> None:
    assert hashes(build_demo(tmp_path / "again")) == hashes(demo)


def test_build_complete_folder_is_left_alone(demo: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in demo.rglob("*")}
    build_demo(demo)
    assert {file: file.stat().st_mtime_ns for file in demo.rglob("*")} == before
    assert [entry.name for entry in demo.parent.iterdir()] == ["demo"]


@pytest.mark.parametrize("damage", ["file missing", "file cut", "no manifest", "broken manifest", "empty folder"])
def test_build_half_built_folder_is_completed(demo: Path, tmp_path: Path, damage: str) -> None:
    directory = tmp_path / "demo"
    if damage == "empty folder":
        directory.mkdir()
    else:
        build_demo(directory)
    if damage == "file missing":
        (directory / "spider" / "dev.json").unlink()
    elif damage == "file cut":
        database = directory / "spider" / "database" / "gym" / "gym.sqlite"
        database.write_bytes(database.read_bytes()[:5000])
    elif damage == "no manifest":
        (directory / "build.json").unlink()
    elif damage == "broken manifest":
        (directory / "build.json").write_text('{"sources": ')
    assert hashes(build_demo(directory)) == hashes(demo)
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize("half_built", [False, True])
def test_build_several_at_once_agree(demo: Path, tmp_path: Path, half_built: bool) -> None:
    directory = tmp_path / "cache" / "demo"
    if half_built:
        (directory / "spider").mkdir(parents=True)
        (directory / "spider" / "dev.json").write_text("[")
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(build_demo, [directory] * 4))
    assert built == [directory] * 4
    assert hashes(directory) == hashes(demo)
    assert [entry.name for entry in directory.parent.iterdir()] == ["demo"]


@pytest.fixture
def editable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources that the builder reads instead of the package's own."""
    sources = tmp_path / "sources"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(build, "_sources", lambda: sources)
    return sources


def test_demo_directory_follows_the_cache_variable_and_the_sources(
    editable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "from-variable"))
    first = demo_directory()
    assert first.parent == tmp_path / "from-variable"
    assert first.name.startswith("demo-")
    assert demo_directory(tmp_path / "given").name == first.name
    with open(editable / "databases" / "gym.sql", "a") as file:
        file.write("\n-- another version\n")
    second = demo_directory()
    assert second != first
    assert first.is_dir()


def test_build_changed_sources_replace_what_was_built(editable: Path, tmp_path: Path) -> None:
    directory = build_demo(tmp_path / "demo")
    for split in ("dev", "test"):
        folder = editable / "general" / "en" / split
        (folder / f"biology_{split}.csv").rename(folder / f"botany_{split}.csv")
    build_demo(directory)
    names = {file.name for file in (directory / "mmlu").rglob("*.csv")}
    assert {"botany_dev.csv", "botany_test.csv"} <= names
    assert not names & {"biology_dev.csv", "biology_test.csv"}


@pytest.mark.parametrize(
    ("file", "addition", "expected"),
    [
        ("databases/gym.sql", "INSERT INTO nowhere VALUES (1);", "no such table: nowhere"),
        ("databases/gym.sql", "INSERT INTO workouts VALUES (99, 77, 'Monday', 1, 1);", "no row of athletes"),
        ("questions/gym.jsonl", '{"question": "How many?"}', "expected question, query, hardness, empty"),
    ],
)
def test_build_broken_source_is_named_and_nothing_is_left(
    editable: Path, tmp_path: Path, file: str, addition: str, expected: str
) -> None:
    with open(editable / file, "a") as source:
        source.write(f"\n{addition}\n")
    with pytest.raises(DataError, match=expected) as caught:
        build_demo(tmp_path / "cache" / "demo")
    assert file in str(caught.value)
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("file", ["databases/gym.sql", "questions/gym.jsonl", "general/pt-BR/categories.json"])
def test_build_absent_source_is_named(editable: Path, tmp_path: Path, file: str) -> None:
    (editable / file).unlink()
    with pytest.raises(DataError, match=file):
        build_demo(tmp_path / "demo")


def test_build_where_nothing_can_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="PARETUNE_CACHE"):
        build_demo(tmp_path / "file" / "demo")
