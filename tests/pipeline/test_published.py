"""The course's experiment with adapters made elsewhere, on a tiny model and small data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.run.load import load_run
from tests.cli.test_main import EXPERIMENTS, environment_as_before
from tests.sources.rar_files import rar_of
from tests.tiny_models import add_tiny_adapter, save_tiny_model, tiny_model

pytestmark = pytest.mark.usefixtures("undrawn")

__all__ = ["environment_as_before"]


def test_tp4_published_evaluates_two_archives_without_training(
    tmp_path: Path,
    spider_directory: Path,
    mmlu_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PARETUNE_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    model = save_tiny_model(tmp_path / "model")
    adapters = []
    for seed in (1, 2):
        folder = tmp_path / f"made-{seed}"
        add_tiny_adapter(tiny_model("qwen2"), seed=seed).save_pretrained(folder)
        adapters.append(shutil.make_archive(str(tmp_path / f"run-{seed}"), "zip", folder))
    if shutil.which("bsdtar") is not None:
        files = {f"Run 2/{file.name}": file.read_bytes() for file in folder.iterdir()}
        adapters[1] = str(rar_of(files, tmp_path / "run-2.rar"))
    settings = [
        f"model.path={model}", "model.quantization=none", f"target.path={spider_directory}",
        f"general.path={mmlu_directory}", "target.questions=2", "target.max_new_tokens=4", "general.few_shot=0",
        f"variant.run-1.adapter={adapters[0]}", f"variant.run-2.adapter={adapters[1]}",
    ]  # fmt: skip
    words = [str(EXPERIMENTS / "tp4-published.toml"), "--out", str(tmp_path / "run")]
    words += [word for setting in settings for word in ("--set", setting)]
    assert main(["run", *words]) == 0, capsys.readouterr().err
    run = load_run(tmp_path / "run")
    assert [variant.name for variant in run.variants] == ["baseline", "run-1", "run-2"]
    assert [len(variant.verdicts) for variant in run.variants] == [2, 2, 2]
    marks = [variant.headers["answers"]["adapter"] for variant in run.variants]
    assert marks[0] is None
    assert len(set(marks)) == 3
    assert not list((tmp_path / "run").glob("*/training.jsonl"))
    assert len(list((tmp_path / "store" / "adapters").iterdir())) == 2
