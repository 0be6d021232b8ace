"""A training method of another package is named in an experiment file and trains; the package does not know it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.models.adapters import on_base
from tests.extending.installed import with_points, written
from tests.training.tiny_training import answer_loss, loaded, train, weights

GROUND = '[target]\nkind = "demo"\n[[variant]]\nname = "run-1"\n'
OWN = GROUND + 'method = "last-layers"\nlayers = 1\nrank = 4\npeak_learning_rate = 0.05\nepochs = 3\nmax_tokens = 64\n'


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("last-layers", "tests.extending.last_layer:METHOD", "paretune.methods")
    monkeypatch.setattr(metadata, "entry_points", with_points(point))


def test_method_of_another_package_trains_what_it_says(tmp_path: Path) -> None:
    training = load_experiment(written(tmp_path, OWN)).variants[0].training
    assert training is not None
    base = loaded()
    before = answer_loss(base.model)
    train(tmp_path, training, base=base)
    assert {key.split(".layers.")[1][0] for key in weights(tmp_path)} == {"1"}
    with on_base(base, tmp_path / "adapter") as model:
        assert answer_loss(model) < before


def test_method_of_another_package_has_keys_of_its_own(tmp_path: Path) -> None:
    config = load_experiment(written(tmp_path, OWN))
    recorded = config.as_dict()["variants"][0]["training"]
    assert (recorded["method"], recorded["layers"], recorded["rank"]) == ("last-layers", 1, 4)
    assert "alpha" not in recorded
    with pytest.raises(ConfigError, match=r"variant\.run-1\.alpha: not a key of method 'last-layers', but of lora, "):
        load_experiment(written(tmp_path, OWN + "alpha = 3\n"))
    with pytest.raises(ConfigError, match=r"variant\.run-1\.layrs: unknown key; did you mean 'layers'"):
        load_experiment(written(tmp_path, OWN + "layrs = 3\n"))


def test_method_unknown_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"x\.toml: variant\.run-1\.method: no method 'last-layer'; did you mean 'last-layers'"
    ):
        load_experiment(written(tmp_path, GROUND + 'method = "last-layer"\n'))
