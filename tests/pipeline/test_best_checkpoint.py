"""The best of a training's checkpoints becomes its adapter, by the validation questions, killed in between or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from paretune.cli import main
from paretune.pipeline import best_checkpoint
from paretune.pipeline.best_checkpoint import _best_on_target
from paretune.pipeline.dial import Point
from paretune.pipeline.validation import StateAnswers
from paretune.training.sft import is_trained
from tests.pipeline.test_dial import EXPERIMENT
from tests.tiny_models import save_tiny_model
from tests.training.tiny_training import Killed

BEST = EXPERIMENT.replace("[validation]", 'best_checkpoint = "{by}"\n[validation]')


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("best")
    save_tiny_model(home / "model")
    for by in ("target", "pick"):
        (home / f"{by}.toml").write_text(BEST.format(by=by), encoding="utf-8")
    return home


def train(home: Path, by: str, folder: Path) -> int:
    return main(["train", str(home / f"{by}.toml"), "--out", str(folder)])


def weights(folder: Path, name: str) -> bytes:
    return (folder / "run-1" / name / "adapter_model.safetensors").read_bytes()


def origin(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "run-1/adapter/paretune.json").read_text(encoding="utf-8")))


def test_best_on_the_target_replaces_the_adapter(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second checkpoint is made the best; killed before that was written, the next run chooses without training."""

    def second(points: list[Point], states: dict[str, StateAnswers]) -> Point:
        return points[1]

    monkeypatch.setattr(best_checkpoint, "_best_on_target", second)

    def killed(*arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(best_checkpoint, "_put_in_place", killed)
        with pytest.raises(Killed):
            train(home, "target", tmp_path)
    mark = str(origin(tmp_path)["fingerprint"])
    assert not is_trained(tmp_path / "run-1", mark)
    capsys.readouterr()
    assert train(home, "target", tmp_path) == 0
    said = capsys.readouterr().err
    assert "training on" not in said
    assert 'run-1: the checkpoint after 4 steps, of 3 (best_checkpoint = "target")' in said
    assert is_trained(tmp_path / "run-1", mark)
    assert weights(tmp_path, "adapter") == weights(tmp_path, "checkpoints/checkpoint-4")
    assert origin(tmp_path)["chosen"] == {"by": "target", "checkpoint": 4, "of": 3, "passes": True}
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["variants"]["run-1"]["chosen_checkpoint"] == 4
    assert train(home, "target", tmp_path) == 0
    assert "already trained" in capsys.readouterr().err
    assert main(["evaluate", str(home / "target.toml"), "--out", str(tmp_path)]) == 0
    for language, words in (("en", "its checkpoint after 4 steps, chosen by"), ("pt-BR", "o checkpoint após 4 passos")):
        capsys.readouterr()
        assert main(["compare", str(tmp_path), "--lang", language]) == 0
        assert words in " ".join(capsys.readouterr().out.split())


def test_pick_that_none_passes_leaves_the_last_checkpoint(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(home, "pick", tmp_path) == 0
    assert "none passes the rules of the verdict, the last one stays" in capsys.readouterr().err
    steps = sorted(int(path.name.rpartition("-")[2]) for path in (tmp_path / "run-1/checkpoints").iterdir())
    assert weights(tmp_path, "adapter") == weights(tmp_path, f"checkpoints/checkpoint-{steps[-1]}")
    assert origin(tmp_path)["chosen"] == {"by": "pick", "checkpoint": steps[-1], "of": len(steps), "passes": False}


def test_best_on_the_target_is_the_earliest_of_the_highest() -> None:
    points = [Point(f"x@step-{step}", 1.0, step, Path(), str(step)) for step in (2, 4, 6)]
    right = {"x@step-2": [0, 0], "x@step-4": [1, 0], "x@step-6": [0, 1]}
    states = {name: StateAnswers(np.array(bits, bool), np.zeros(2, bool), {}) for name, bits in right.items()}
    assert _best_on_target(points, states) is points[1]
