from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from paretune.config.read import load_experiment
from paretune.errors import DataError, ModelError
from paretune.sources.adapters import find_adapter

FILES = {"adapter_config.json": b'{"r": 4}', "adapter_model.safetensors": b"weights", "README.md": b"made elsewhere"}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARETUNE_HOME", str(tmp_path / "store"))
    return tmp_path / "store"


def packed(archive: Path, *folders: str) -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for folder in folders:
            for name, content in FILES.items():
                file.writestr(f"{folder}{name}", content)
    return archive


def test_find_adapter_folder_is_itself_or_the_only_one_below(tmp_path: Path) -> None:
    below = tmp_path / "run 1" / "adapter"
    below.mkdir(parents=True)
    (below / "adapter_config.json").write_text("{}")
    assert find_adapter(str(below)) == below
    assert find_adapter(str(tmp_path)) == below


@pytest.mark.parametrize("folders", [("",), ("content/drive/run 1/",), ("run/", "run/checkpoint-200/")])
def test_find_adapter_archive_is_unpacked_once_into_the_store(
    tmp_path: Path, store: Path, folders: tuple[str, ...]
) -> None:
    archive = packed(tmp_path / "run-1.zip", *folders)
    folder = find_adapter(str(archive))
    assert folder.parent == store / "adapters"
    assert folder.name.startswith("run-1-")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: FILES[name] for name in ("adapter_config.json", "adapter_model.safetensors")
    }
    (folder / "mark").touch()
    assert find_adapter(str(archive)) == folder
    assert (folder / "mark").exists()
    assert list(folder.parent.iterdir()) == [folder]


def test_find_adapter_archive_with_another_content_is_another_folder(tmp_path: Path) -> None:
    first = find_adapter(str(packed(tmp_path / "a.zip", "")))
    assert find_adapter(str(packed(tmp_path / "a.zip", "b/"))) != first


def test_find_adapter_archive_of_two_names_both(tmp_path: Path, store: Path) -> None:
    with pytest.raises(ModelError, match=r"several adapters \(run-1, run-2\); name the folder of one of them"):
        find_adapter(str(packed(tmp_path / "both.zip", "run-1/", "run-2/")))
    assert list((store / "adapters").iterdir()) == []


def test_find_adapter_archive_without_one_is_refused(tmp_path: Path, store: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("notes.txt", "nothing")
    with pytest.raises(ModelError, match=r"a\.zip: no adapter_config\.json in it"):
        find_adapter(str(tmp_path / "a.zip"))
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(DataError, match=r"b\.zip: no archive; expected a \.zip, \.tar\.gz or \.rar archive"):
        find_adapter(str(tmp_path / "b.zip"))
    assert list((store / "adapters").iterdir()) == []


def test_find_adapter_that_is_nowhere_says_what_may_be_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a folder, an archive of one \(.zip, .tar.gz, .rar\), or its Hub id"):
        find_adapter(str(tmp_path / "none"))


def test_find_adapter_hub_id_asks_for_the_adapters_files_at_the_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision, allow_patterns))
        (tmp_path / "adapter_config.json").write_text("{}")
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert find_adapter("org/tp4-run-1") == tmp_path
    assert find_adapter("org/tp4-run-1@v1.0") == tmp_path
    wanted = ["adapter_config.json", "adapter_model.safetensors", "paretune.json"]
    assert asked == [("org/tp4-run-1", None, wanted), ("org/tp4-run-1", "v1.0", wanted)]


def test_find_adapter_hub_id_not_to_be_had_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no network\nmore")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(ModelError, match=r"adapter 'org/a': neither a folder or archive here .* \(no network\)"):
        find_adapter("org/a")


@pytest.mark.parametrize(
    ("value", "is_path"),
    [("org/adapter", False), ("org/adapter@main", False), ("runs/one/adapter", True), ("run.zip", True),
     ("up/run-1.rar", True), ("./org/adapter", True), ("there/adapter", True)],
)  # fmt: skip
def test_adapter_in_an_experiment_is_a_hub_id_unless_it_is_plainly_a_path(
    tmp_path: Path, value: str, is_path: bool
) -> None:
    (tmp_path / "there" / "adapter").mkdir(parents=True)
    file = tmp_path / "e.toml"
    file.write_text(f'[[variant]]\nname = "a"\nadapter = "{value}"\n')
    read = load_experiment(file).variant("a").adapter
    assert read == (str((tmp_path / value).resolve()) if is_path else value)
