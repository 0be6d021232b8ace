"""A variant written for other programs answers as it did in its run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.pipeline.conftest import Commands, Finished, WholeRun


def export(commands: Commands, whole: WholeRun, target: Path, variant: str, *options: str) -> Finished:
    words = ["export", str(commands.home / "tiny.toml"), str(target), "--variant", variant, "--out", str(whole.folder)]
    commands.start([*words, *options])
    return commands.finish()


def test_export_adapter_carries_its_scale(commands: Commands, whole_run: WholeRun, tmp_path: Path) -> None:
    result = export(commands, whole_run, tmp_path / "out", "run-1@0.5", "--questions", "24")
    assert result.status == 0, result.err
    assert "24 of 24 answers are those of run-1@0.5 to the letter" in result.out
    trained = json.loads((whole_run.folder / "run-1" / "adapter" / "adapter_config.json").read_text())
    written = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert written["lora_alpha"] == 0.5 * trained["lora_alpha"]
    assert written["base_model_name_or_path"] == "model"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_export_merged_holds_the_base_and_the_scaled_update(
    commands: Commands, whole_run: WholeRun, tmp_path: Path
) -> None:
    result = export(commands, whole_run, tmp_path / "out", "run-1@0.5", "--merge", "--questions", "8")
    assert result.status == 0, result.err
    assert "8 of 8 answers" in result.out
    adapter = load_file(whole_run.folder / "run-1" / "adapter" / "adapter_model.safetensors")
    config = json.loads((whole_run.folder / "run-1" / "adapter" / "adapter_config.json").read_text())
    base, merged = (load_file(f / "model.safetensors") for f in (commands.home / "model", tmp_path / "out"))
    name = "model.layers.0.self_attn.q_proj"
    a, b = (adapter[f"base_model.model.{name}.lora_{matrix}.weight"] for matrix in "AB")
    expected = base[f"{name}.weight"] + 0.5 * config["lora_alpha"] / config["r"] * b @ a
    assert torch.allclose(merged[f"{name}.weight"], expected, atol=1e-6)
    assert not torch.allclose(merged[f"{name}.weight"], base[f"{name}.weight"], atol=1e-6)


@pytest.mark.parametrize(
    ("variant", "options", "said"),
    [
        ("baseline", (), "the base model is already where model.path says"),
        ("run-1", ("--gguf", "q8_0"), "no GGUF file, whose names and tokenizer the export takes over"),
        ("run-1", ("--questions", "0"), "--questions 0: expected at least 1"),
        ("run-9", (), "run-9"),
    ],
)
def test_export_of_what_cannot_be_is_one_line_and_writes_nothing(
    commands: Commands, whole_run: WholeRun, tmp_path: Path, variant: str, options: tuple[str, ...], said: str
) -> None:
    result = export(commands, whole_run, tmp_path / "out", variant, *options)
    assert result.status == 2
    assert said in result.lines[-1]
    assert list(tmp_path.iterdir()) == []


def test_export_to_a_folder_with_files_touches_nothing(commands: Commands, whole_run: WholeRun, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = export(commands, whole_run, tmp_path, "run-1")
    assert result.status == 2
    assert f"{tmp_path}: there already; name a new folder" in result.lines[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
