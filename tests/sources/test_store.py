from __future__ import annotations

from pathlib import Path

import pytest

from paretune import files
from paretune.config import ExperimentConfig, GeneralConfig
from paretune.errors import DataError
from paretune.files import runs_directory, store_directory
from paretune.sources.fetch import fetch
from paretune.sources.store import with_stored_paths
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import SqlTarget
from tests.sources.conftest import write_spider


def _experiment(target: SqlTarget, *general: GeneralConfig) -> ExperimentConfig:
    suites = general or (GeneralConfig(kind="demo"),)
    return ExperimentConfig("x", target=target, prompt=PromptConfig(), general=suites)


def test_store_is_the_named_one_then_drive_then_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARETUNE_HOME", raising=False)
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    assert (store_directory(), runs_directory()) == (tmp_path / "cache", Path("runs"))
    monkeypatch.setattr(files, "COLAB_DRIVE", tmp_path)
    assert (store_directory(), runs_directory()) == (tmp_path / "paretune", tmp_path / "paretune" / "runs")
    monkeypatch.setenv("PARETUNE_HOME", str(tmp_path / "home"))
    assert (store_directory(), runs_directory()) == (tmp_path / "home", tmp_path / "home" / "runs")


def test_paths_left_out_are_the_stores(tmp_path: Path, store: Path) -> None:
    fetch("spider", str(write_spider(tmp_path / "source")), say=lambda _: None)
    config = with_stored_paths(_experiment(SqlTarget()))
    assert isinstance(config.target, SqlTarget)
    assert config.target.path == str(store / "data" / "spider")
    assert config.general[0].path is None  # the embedded suite needs none


def test_path_that_is_given_stands(store: Path) -> None:
    config = _experiment(SqlTarget(path="/mine"), GeneralConfig(kind="mmlu", path="/mmlu"))
    assert with_stored_paths(config) == config


def test_target_that_is_not_in_the_store_names_the_command(store: Path) -> None:
    with pytest.raises(DataError, match=r"target\.path: missing, .*paretune fetch spider.*--set target\.path=DIR"):
        with_stored_paths(_experiment(SqlTarget()))


@pytest.mark.parametrize(
    ("suites", "key"), [(("arc-easy",), r"general\.path"), (("arc-easy", "demo"), r"general\.arc-easy\.path")]
)
def test_suite_that_is_not_in_the_store_names_the_command(store: Path, suites: tuple[str, ...], key: str) -> None:
    general = [GeneralConfig(kind=kind) for kind in suites]
    with pytest.raises(DataError, match=f"{key}: missing, .*paretune fetch arc"):
        with_stored_paths(_experiment(SqlTarget(kind="demo"), *general))


def test_split_that_is_a_benchmark_of_its_own_names_the_command(tmp_path: Path, store: Path) -> None:
    fetch("spider", str(write_spider(tmp_path / "source")), say=lambda _: None)
    with pytest.raises(DataError, match="paretune fetch spider-syn"):
        with_stored_paths(_experiment(SqlTarget(split="spider-syn")))
