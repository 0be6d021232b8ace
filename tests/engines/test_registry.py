from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from paretune.config import EngineConfig, ExperimentConfig
from paretune.config.read import load_experiment
from paretune.engines import check_engine, engine_settings
from paretune.engines.hf.engine import TransformersSettings
from paretune.errors import ConfigError

GROUND = '[target]\nkind = "demo"\n[general]\nkind = "demo"\n'
SMALLEST = GROUND + '[[variant]]\nname = "run-1"\n'


def load(folder: Path, text: str) -> ExperimentConfig:
    file = folder / "trial.toml"
    file.write_text(text, encoding="utf-8")
    config = load_experiment(file)
    check_engine(config, str(file))
    return config


def test_load_engine_left_out_is_transformers_in_its_usual_way(tmp_path: Path) -> None:
    config = load(tmp_path, SMALLEST)
    assert config.engine == EngineConfig()
    assert engine_settings(config.engine) == TransformersSettings(fast=True)
    assert "engine" not in config.as_dict()


def test_load_engine_has_settings_of_its_kind(tmp_path: Path) -> None:
    engine = load(tmp_path, SMALLEST + "[engine]\nfast = false\n").engine
    assert engine_settings(engine) == TransformersSettings(fast=False)
    text = '[target]\nkind = "demo"\n[general]\nkind = "demo"\n[[variant]]\nname = "a"\nadapter = "a.py"\n'
    engine = load(tmp_path, text + '[engine]\nkind = "scripted"\npath = "base.py"\n').engine
    assert engine_settings(engine).path == str(tmp_path / "base.py")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('kind = "transformer"', r"engine\.kind: no engine 'transformer'; did you mean 'transformers'\?"),
        ("fats = false", r"engine\.fats: unknown key; did you mean 'fast'\?"),
        ('fast = "no"', r"engine\.fast: expected true or false"),
        ('kind = "scripted"', r"engine\.path: missing"),
    ],
)
def test_load_engine_that_cannot_be_is_refused_by_key(table: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        load(tmp_path, SMALLEST + f"[engine]\n{table}\n")


def test_load_engine_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = metadata.EntryPoint("mine", "paretune.engines.scripted:ScriptedEngine", "paretune.engines")
    broken = metadata.EntryPoint("broken", "paretune.engines.absent:Engine", "paretune.engines")

    def entry_points(group: str, name: str | None = None) -> list[metadata.EntryPoint]:
        return [item for item in (point, broken) if item.group == group and name in (None, item.name)]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    text = GROUND + '[[variant]]\nname = "a"\nadapter = "a.py"\n[engine]\npath = "base.py"\n'
    engine = load(tmp_path, text + 'kind = "mine"\n').engine
    assert engine_settings(engine).path == str(tmp_path / "base.py")
    with pytest.raises(ConfigError, match=r"paretune\.engines: 'broken' of .* cannot be imported"):
        load(tmp_path, text + 'kind = "broken"\n')
