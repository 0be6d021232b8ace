"""A post-hoc repair of another package is named in an experiment file and applied; the package does not know it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
import torch

from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.models.repairs.write import write_repaired
from paretune.repairs import find_repair
from tests.extending.installed import with_points, written
from tests.models.repairs.planted import FLAT, WIDE, handle, update_of, write_adapter

OWN = (
    '[target]\nkind = "demo"\n[[variant]]\nname = "run-1"\n'
    '[[variant]]\nfrom = "run-1"\nrepair = "one-layer"\nkept_block = 1\n'
)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("one-layer", "tests.extending.one_layer:REPAIR", "paretune.repairs")
    monkeypatch.setattr(metadata, "entry_points", with_points(point))


def test_repair_of_another_package_does_what_it_says(tmp_path: Path) -> None:
    variant = load_experiment(written(tmp_path, OWN)).variants[1]
    assert (variant.name, variant.repair) == ("run-1@one-layer", "one-layer")
    rank_1 = {WIDE: (torch.ones(32, 1), torch.ones(1, 32)), FLAT: (torch.ones(48, 1), torch.ones(1, 32))}
    adapter = write_adapter(tmp_path / "source", rank_1)
    target, model = tmp_path / "repaired", handle(tmp_path)
    done = write_repaired(adapter, find_repair("one-layer"), variant.repair_settings, model, target, {})
    assert (done.layers, done.changed) == (2, 1)
    assert torch.equal(update_of(target, FLAT), update_of(adapter, FLAT))
    assert not update_of(target, WIDE).any()


def test_repair_of_another_package_has_keys_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kept_blok: unknown key; did you mean 'kept_block'"):
        load_experiment(written(tmp_path, OWN.replace("kept_block", "kept_blok")))
