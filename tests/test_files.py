from __future__ import annotations

from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.files import cache_directory, file_sha256


def test_cache_directory_is_the_variable_or_below_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", "~/somewhere")
    assert cache_directory() == Path.home() / "somewhere"
    monkeypatch.setenv("PARETUNE_CACHE", "")
    assert cache_directory() == Path.home() / ".cache" / "paretune"


def test_file_sha256_is_that_of_all_bytes_and_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(bytes(1 << 22) + b"x")
    (tmp_path / "c").write_bytes(bytes(1 << 22) + b"y")
    assert file_sha256(tmp_path / "b") != file_sha256(tmp_path / "c")
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(DataError, match=r"none: cannot be read \(No such file or directory\)"):
        file_sha256(tmp_path / "none")
