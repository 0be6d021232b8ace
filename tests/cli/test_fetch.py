from __future__ import annotations

from pathlib import Path

import pytest

from paretune.cli import main
from tests.cli.test_main import environment_as_before, one_error_line
from tests.sources.conftest import write_spider, zip_of

__all__ = ["environment_as_before"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return zip_of(write_spider(tmp_path / "source"), tmp_path / "spider.zip")


def test_fetch_prints_the_folder_and_then_that_it_is_there(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fetch", "spider", "--from", str(archive), "--store", str(tmp_path / "store")]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'store' / 'data' / 'spider'}\n"
    assert f"spider: 5 files from {archive}" in printed.err
    assert main(words) == 0
    assert "spider: there already" in capsys.readouterr().err


def test_fetch_without_a_name_lists_what_is_known_and_there(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    main(["fetch", "spider", "--from", str(archive), *store])
    capsys.readouterr()
    assert main(["fetch", *store]) == 0
    lines = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert lines["spider"] == "there"
    assert lines["mmlu"] == "-"


def test_fetch_from_without_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "need the name of a benchmark" in one_error_line(capsys, ["fetch", "--from", "hub"])


def test_sync_says_what_it_copied(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fetch", "spider", "--from", str(archive), "--store", str(tmp_path / "store")])
    capsys.readouterr()
    assert main(["sync", str(tmp_path / "store"), str(tmp_path / "drive")]) == 0
    assert capsys.readouterr().out == (
        f"6 files copied, 0 there already, 0 newer in {tmp_path / 'drive'}, 0 not finished\n"
    )


def test_dry_run_without_data_offers_to_fetch_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.toml").write_text('[target]\nkind = "spider"\n')
    words = ["run", str(tmp_path / "e.toml"), "--dry-run", "--store", str(tmp_path / "store")]
    assert "paretune fetch spider" in one_error_line(capsys, words)
