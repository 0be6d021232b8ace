"""Answers judged again: a careful forgery, consistent in every record, does not survive it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.demo.build import demo_directory
from paretune.errors import DataError
from paretune.files import file_sha256
from paretune.findings import Finding
from paretune.run.jsonl import Record
from paretune.run.load import load_run
from paretune.sql.rescore import rescore_findings
from tests.simulated_run import change_lines, change_manifest, variants, write_run


@pytest.fixture(scope="module")
def data() -> Path:
    return demo_directory() / "spider"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A run on the demo's data, whose hashes its manifest has. Not to be changed: copy it."""
    folder = write_run(tmp_path_factory.mktemp("clean") / "run", variants(2), size="demo", seed=3)
    names = {row.cluster for row in load_run(folder).questions}
    files = {f"target/database/{name}": data / "database" / name / f"{name}.sqlite" for name in names}
    files["target/dev.json"] = data / "dev.json"
    change_manifest(folder, data={name: file_sha256(path) for name, path in files.items()})
    return folder


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "run"))


def found(folder: Path, data: Path, databases: Path | None = None) -> dict[str, Finding]:
    return {finding.code: finding for finding in rescore_findings(load_run(folder), data, databases)}


def test_rescore_honest_run_is_confirmed(folder: Path, data: Path) -> None:
    assert found(folder, data) == {}


def test_rescore_forged_verdicts_are_found(folder: Path, data: Path) -> None:
    """Outcome, match and error all agree with each other; only the query does not give the reference's result."""

    def forge(line: Record) -> Record:
        if line["index"] > 30 or line["outcome"] != "wrong":
            return line
        return {**line, "outcome": "correct", "execution_match": True, "error_class": None, "error": None}

    change_lines(folder / "run-1" / "sql.jsonl", forge)
    finding = found(folder, data)["verdict-differs"]
    assert finding.level == "invalid"
    assert finding.figures["variant"] == "run-1"
    assert float(finding.figures["written"]) > float(finding.figures["recomputed"])


def test_rescore_reference_replaced_everywhere_is_found(folder: Path, data: Path) -> None:
    for path in [folder / "prepared" / "sql.jsonl", *folder.glob("*/sql.jsonl")]:
        change_lines(path, lambda row: {**row, "gold": "SELECT 1"} if row["index"] == 4 else row)
    finding = found(folder, data)["prepared-not-data"]
    assert (finding.level, finding.figures["count"], finding.figures["examples"]) == ("invalid", 1, "4")


def test_rescore_other_data_are_named(folder: Path, data: Path, tmp_path: Path) -> None:
    databases = Path(shutil.copytree(data / "database", tmp_path / "database"))
    name = load_run(folder).questions[0].cluster
    with open(databases / name / f"{name}.sqlite", "ab") as file:
        file.write(bytes(4096))
    finding = found(folder, data, databases)["data-changed"]
    assert (finding.level, finding.figures["examples"]) == ("invalid", f"database/{name}")


def test_rescore_manifest_without_hashes_says_so(folder: Path, data: Path) -> None:
    change_manifest(folder, data={})
    assert found(folder, data)["no-data-hashes"].level == "warning"


def test_rescore_data_of_another_task_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        found(folder, tmp_path)


def test_command_rescore_needs_data(folder: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(folder), "--rescore"]) == 2
    assert "--rescore and --data DIR belong together" in capsys.readouterr().err
    change_lines(folder / "run-1" / "sql.jsonl", lambda line: {**line, "outcome": "correct", "execution_match": True})
    assert main(["audit", str(folder), "--rescore", "--data", str(data), "--strict"]) == 1
    assert "verdicts change when the answers are judged again" in capsys.readouterr().out
