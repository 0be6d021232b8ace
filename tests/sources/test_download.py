from __future__ import annotations

from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sources import download as module
from paretune.sources.download import download
from tests.sources.conftest import Loopback


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)


def test_download_whole_is_kept_and_not_asked_again(loopback: Loopback, tmp_path: Path) -> None:
    target = tmp_path / "file.zip"
    download(loopback.url, target)
    download(loopback.url, target)
    assert target.read_bytes() == loopback.content
    assert loopback.asked == [None]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("cut", [1, 500_000, 1_023_999])
def test_download_broken_off_continues_from_there(loopback: Loopback, tmp_path: Path, cut: int) -> None:
    loopback.breaks = [cut]
    download(loopback.url, tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == loopback.content
    assert loopback.asked == [None, f"bytes={cut}-"]


def test_download_failing_to_the_end_says_what_is_kept_and_goes_on_later(loopback: Loopback, tmp_path: Path) -> None:
    loopback.breaks = [1000] * 5
    with pytest.raises(DataError, match="5000 bytes are kept, and the same command goes on from there"):
        download(loopback.url, tmp_path / "file.zip")
    loopback.asked.clear()
    download(loopback.url, tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == loopback.content
    assert loopback.asked == ["bytes=5000-"]


def test_download_changed_on_the_server_starts_anew(loopback: Loopback, tmp_path: Path) -> None:
    loopback.breaks = [1000] * 5
    with pytest.raises(DataError):
        download(loopback.url, tmp_path / "file.zip")
    loopback.content = b"another release" * 5000
    download(loopback.url, tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == loopback.content


def test_download_server_without_ranges_starts_anew(loopback: Loopback, tmp_path: Path) -> None:
    loopback.ranges, loopback.breaks = False, [1000]
    download(loopback.url, tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == loopback.content


def test_download_all_bytes_here_but_not_renamed_is_finished(loopback: Loopback, tmp_path: Path) -> None:
    loopback.breaks = [1000] * 5
    with pytest.raises(DataError):
        download(loopback.url, tmp_path / "file.zip")
    (tmp_path / "file.zip.part").write_bytes(loopback.content)
    download(loopback.url, tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == loopback.content


def test_download_not_found_says_so_at_once(loopback: Loopback, tmp_path: Path) -> None:
    loopback.status = 404
    with pytest.raises(DataError, match="answers 404"):
        download(loopback.url, tmp_path / "file.zip")
    assert len(loopback.asked) == 1


def test_download_nobody_listens_names_the_address(tmp_path: Path, unused_port: int) -> None:
    url = f"http://127.0.0.1:{unused_port}/spider.zip"
    with pytest.raises(DataError, match=f"{url}: not to be had"):
        download(url, tmp_path / "file.zip")


def test_download_larger_than_any_benchmark_is_refused(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 1000)
    with pytest.raises(DataError, match="more than any benchmark has"):
        download(loopback.url, tmp_path / "file.zip")


def test_download_more_than_is_free_names_the_need(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 10

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(DataError, match="1024000 bytes to come, 10 free"):
        download(loopback.url, tmp_path / "file.zip")


def test_download_weak_validator_is_not_trusted_with_a_range(loopback: Loopback, tmp_path: Path) -> None:
    loopback.weak, loopback.breaks = True, [1000]
    download(loopback.url, tmp_path / "file.zip")
    assert loopback.asked == [None, None]
    assert (tmp_path / "file.zip").read_bytes() == loopback.content
