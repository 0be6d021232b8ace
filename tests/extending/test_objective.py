"""A training objective of another package is named in an experiment file and trains; the package does not know it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.training.sft import train_adapter
from tests.extending.installed import with_points, written
from tests.training.tiny_training import loaded, rows

GROUND = '[target]\nkind = "demo"\n[[variant]]\nname = "run-1"\n'
OWN = GROUND + 'objective = "first-tokens"\nfirst_tokens = 3\nrank = 4\nepochs = 1\nmax_tokens = 64\n'


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("first-tokens", "tests.extending.first_tokens:OBJECTIVE", "paretune.objectives")
    monkeypatch.setattr(metadata, "entry_points", with_points(point))


def test_objective_of_another_package_trains_what_it_says(tmp_path: Path) -> None:
    training = load_experiment(written(tmp_path, OWN)).variants[0].training
    assert training is not None
    said: list[str] = []
    train_adapter(loaded(), rows(), training, tmp_path, "f", lambda *_: None, said.append)
    assert said == ["objective first-tokens: 21 of 84 answer tokens (25.0 %) get no loss"]
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_objective_of_another_package_has_keys_of_its_own(tmp_path: Path) -> None:
    recorded = load_experiment(written(tmp_path, OWN)).as_dict()["variants"][0]["training"]
    assert (recorded["objective"], recorded["first_tokens"], recorded["rank"]) == ("first-tokens", 3, 4)
    with pytest.raises(ConfigError, match=r"kl_weight: not a key of objective 'first-tokens', but of kl; its own are"):
        load_experiment(written(tmp_path, OWN + "kl_weight = 3\n"))
    with pytest.raises(ConfigError, match=r"variant\.run-1\.first_token: unknown key; did you mean 'first_tokens'"):
        load_experiment(written(tmp_path, OWN + "first_token = 3\n"))


def test_objective_unknown_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"x\.toml: variant\.run-1\.objective: no objective 'first-token'; did you mean 'first-tokens'",
    ):
        load_experiment(written(tmp_path, GROUND + 'objective = "first-token"\n'))
