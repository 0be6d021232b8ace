from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from paretune.cli import doctor, main
from tests.cli.test_main import environment_as_before

__all__ = ["environment_as_before"]


def test_doctor_fits_one_screen_and_names_every_subject(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_versions", lambda: iter([]))  # what is installed here decides this part
    assert main(["doctor", "--store", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    first = "\n".join(lines)
    for subject in ("paretune", "processor", "device", "precision", "4 and 8 bits", "store", "disk", "data"):
        assert f"\n{subject}" in f"\n{first}"
    assert f"{tmp_path} (PARETUNE_HOME)" in first


def test_doctor_package_of_another_version_is_named_with_the_way_to_mend_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"sqlglot": "29.0.0"}

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "requires", lambda _: ["sqlglot<31,>=30.30", "peft>=0.21", 'x>=1; extra == "y"'])
    monkeypatch.setattr(metadata, "version", version)
    lines = list(doctor._versions())
    assert [line.text for line in lines[:2]] == ["sqlglot 29.0.0; paretune wants <31,>=30.30", "peft is missing"]
    assert [line.remedy for line in lines[:2]] == ['pip install "sqlglot<31,>=30.30"', 'pip install "peft>=0.21"']
    assert [line.broken for line in lines] == [True, True, False]


def test_doctor_something_broken_ends_with_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = doctor.Line("packages", "peft is missing", "install it", broken=True)
    monkeypatch.setattr(doctor, "diagnose", lambda: iter([broken]))
    assert main(["doctor"]) == 1
    assert "  packages: install it" in capsys.readouterr().out


def test_doctor_poor_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETUNE_HOME", str(tmp_path))
    monkeypatch.setattr("paretune.disk.lacking", lambda _: ["locks", "renames"])
    lines = {line.subject: line for line in doctor._store()}
    assert lines["disk"].text.startswith("without locks and renames")


def test_doctor_without_bitsandbytes_names_the_extra_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert 'pip install ".[quantization]"' in doctor._quantization().text
