from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.experiment_text import MEANINGS, SECTIONS, experiment_file, experiment_page, keys, own_keys

ROOT = Path(__file__).resolve().parents[1]


def test_meanings_are_those_of_the_keys_that_exist() -> None:
    known = {"name", "seed", *(f"{section}.{key}" for section in SECTIONS for key, _, _ in keys(section))}
    known |= {f"{section}.{key}" for section in SECTIONS for key, *_ in own_keys(section)}
    assert set(MEANINGS) == known


def test_page_in_docs_is_what_the_configuration_gives() -> None:
    assert (ROOT / "docs" / "experiment.md").read_text(encoding="utf-8") == experiment_page()


def test_file_with_every_comment_made_a_key_still_loads(tmp_path: Path) -> None:
    text = experiment_file("Heading", "x", {"variant": {"name": "run-1"}})
    lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()]
    without = [line for line in lines if not line.rstrip().endswith("=")]  # keys without a default have no value
    table = tomllib.loads("\n".join(without))
    assert set(table) == {"name", "seed", *SECTIONS}
    (tmp_path / "x.toml").write_text("\n".join(without))
    config = load_experiment(tmp_path / "x.toml")
    assert config.variants[0].training is not None


def test_init_writes_a_file_that_loads_and_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    assert main(["init", str(file)]) == 0
    config = load_experiment(file)
    assert (config.name, config.target.kind, config.variants[0].name) == ("mine", "demo", "run-1")
    capsys.readouterr()
    assert main(["init", str(file)]) == 2
    assert "there already" in capsys.readouterr().err


def test_init_page_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--page"]) == 0
    assert capsys.readouterr().out == experiment_page()
