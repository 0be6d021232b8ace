"""Repairs against updates whose singular vectors are planted: what they change, by how much, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from paretune.errors import ConfigError, ModelError
from paretune.models.repairs.intruder_removal import IntruderSettings, left_vectors
from paretune.models.repairs.layer_scale import LayerScaleSettings
from paretune.models.repairs.spectral import SpectralSettings
from paretune.models.repairs.update import Factors, compose, decompose
from paretune.models.repairs.write import Repaired, write_repaired
from paretune.repairs import find_repair
from tests.models.repairs.planted import FLAT, WIDE, directions, foreign, handle, update_of, write_adapter


def _repair(folder: Path, adapter: Path, name: str, settings: Any) -> tuple[Path, Repaired]:
    target = folder / "repaired"
    model = handle(folder)
    return target, write_repaired(adapter, find_repair(name), settings, model, target, {"fingerprint": "f"})


def _weight(folder: Path, name: str) -> torch.Tensor:
    weight: torch.Tensor = handle(folder).load().model.get_submodule(name).weight.detach()
    return weight


@pytest.mark.parametrize(("rows", "columns", "rank"), [(7, 5, 2), (5, 9, 5), (4, 6, 6)])
def test_decompose_gives_the_singular_values_of_the_whole_product(rows: int, columns: int, rank: int) -> None:
    torch.manual_seed(0)
    factors = Factors(torch.randn(rows, rank), torch.randn(rank, columns))
    left, values, right = decompose(factors)
    whole = factors.up.double() @ factors.down.double()
    expected = torch.linalg.svdvals(whole)
    assert torch.allclose(values[: len(expected)], expected[: len(values)], atol=1e-9)
    assert torch.allclose(left * values @ right, whole, atol=1e-9)
    again = compose(left, values, right)
    assert torch.allclose(again.up @ again.down, whole.float(), atol=1e-5)


@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9)])
def test_left_vectors_are_those_of_the_decomposition_largest_first(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape, dtype=torch.float64)
    expected = torch.linalg.svd(matrix, full_matrices=False).U
    cosines = (left_vectors(matrix).T @ expected).abs()
    assert torch.allclose(cosines, torch.eye(len(cosines), dtype=torch.float64), atol=1e-8)


def test_left_vectors_of_a_matrix_of_rank_one_are_one() -> None:
    one = torch.outer(torch.arange(1.0, 6.0), torch.arange(1.0, 4.0)).double()
    assert left_vectors(one).shape == (5, 1)


@pytest.mark.parametrize("scale", [0.0, 0.75])
def test_intruder_removal_finds_the_planted_direction_and_leaves_the_other_layer(tmp_path: Path, scale: float) -> None:
    left, values, right = directions(_weight(tmp_path, WIDE))
    intruder = foreign(left)
    planted = (3 * values[0] * intruder)[:, None], right[:1]
    own_left, _, own_right = directions(_weight(tmp_path, FLAT))
    own = (0.1 * own_left[:, :1], own_right[:1])
    adapter = write_adapter(tmp_path / "source", {WIDE: planted, FLAT: own})
    target, done = _repair(tmp_path, adapter, "intruder-removal", IntruderSettings(intruder_scale=scale))
    assert (done.layers, done.changed) == (2, 1)
    assert torch.allclose(update_of(target, FLAT), update_of(adapter, FLAT), atol=1e-6)
    before = _weight(tmp_path, WIDE).double() + update_of(adapter, WIDE)
    after = _weight(tmp_path, WIDE).double() + update_of(target, WIDE)
    vector = left_vectors(before)[:, 0]
    assert float((vector @ left).abs().max()) < 0.5, "nothing was planted"
    assert torch.allclose(vector @ after, scale * (vector @ before), atol=1e-4)
    rest = torch.eye(len(before), dtype=torch.float64) - torch.outer(vector, vector)
    assert torch.allclose(rest @ after, rest @ before, atol=1e-4)


def test_intruder_removal_in_a_layer_with_more_outputs_than_inputs(tmp_path: Path) -> None:
    left, values, right = directions(_weight(tmp_path, FLAT))
    planted = (3 * values[0] * foreign(left))[:, None], right[:1]
    adapter = write_adapter(tmp_path / "source", {FLAT: planted})
    target, done = _repair(tmp_path, adapter, "intruder-removal", IntruderSettings(intruder_scale=0.0))
    tuned = _weight(tmp_path, FLAT).double() + update_of(target, FLAT)
    assert done.changed == 1
    assert bool(((left_vectors(tuned)[:, :10].T @ left).abs().max(dim=1).values >= 0.5).all())


def test_intruder_removal_without_an_intruder_copies_the_adapter(tmp_path: Path) -> None:
    left, _, right = directions(_weight(tmp_path, WIDE))
    adapter = write_adapter(tmp_path / "source", {WIDE: (0.1 * left[:, :1], right[:1])})
    target, done = _repair(tmp_path, adapter, "intruder-removal", IntruderSettings())
    assert done == Repaired(1, 0, 1)
    name = "adapter_model.safetensors"
    assert (target / name).read_bytes() == (adapter / name).read_bytes()


def test_layer_scale_lies_on_a_line_and_takes_a_list(tmp_path: Path) -> None:
    torch.manual_seed(0)
    adapter = write_adapter(tmp_path / "source", {WIDE: (torch.randn(32, 2), torch.randn(2, 32)),
                                                  FLAT: (torch.randn(48, 2), torch.randn(2, 32))})  # fmt: skip
    target, done = _repair(tmp_path / "line", adapter, "layer-scale", LayerScaleSettings())
    assert done.changed == 1  # the last block keeps its update
    assert torch.allclose(update_of(target, WIDE), 0.5 * update_of(adapter, WIDE), atol=1e-5)
    assert torch.allclose(update_of(target, FLAT), update_of(adapter, FLAT), atol=1e-5)
    listed = LayerScaleSettings(layer_scales=(0.0, 0.25))
    target, _ = _repair(tmp_path / "list", adapter, "layer-scale", listed)
    assert float(update_of(target, WIDE).abs().max()) == 0.0
    assert torch.allclose(update_of(target, FLAT), 0.25 * update_of(adapter, FLAT), atol=1e-5)


def test_layer_scale_of_another_number_of_blocks_is_refused(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "source", {WIDE: (torch.ones(32, 1), torch.ones(1, 32))})
    with pytest.raises(ModelError, match="3 numbers, but the model has 2 blocks"):
        _repair(tmp_path, adapter, "layer-scale", LayerScaleSettings(layer_scales=(1.0, 1.0, 1.0)))


def test_spectral_removes_small_values_and_cuts_large_ones(tmp_path: Path) -> None:
    left, _, right = directions(torch.randn(32, 32, generator=torch.Generator().manual_seed(0)))
    values = torch.tensor([9.0, 3.0, 1.0, 1.0, 0.5], dtype=torch.float64)  # median 1, and 2 with the adapter's factor
    adapter = write_adapter(tmp_path / "source", {WIDE: (left[:, :5] * values, right[:5])})
    target, done = _repair(tmp_path, adapter, "spectral", SpectralSettings(remove_below=1.43, cut_above=5.0))
    assert (done.changed, done.rank) == (1, 2)
    kept = torch.linalg.svdvals(update_of(target, WIDE))
    assert torch.allclose(kept[:3], torch.tensor([10.0, 6.0, 0.0], dtype=torch.float64), atol=1e-4)


def test_spectral_that_removes_all_is_refused(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "source", {WIDE: (torch.eye(32)[:, :3], torch.eye(32)[:3])})
    with pytest.raises(ModelError, match="leaves nothing of its update"):
        _repair(tmp_path, adapter, "spectral", SpectralSettings())
    assert not (tmp_path / "repaired").exists()


def test_spectral_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"cut_above = 1 is below remove_below = 1\.43"):
        SpectralSettings(cut_above=1.0)


@pytest.mark.parametrize("rslora", [False, True])
def test_repair_reads_factors_of_single_layers_as_peft_does(tmp_path: Path, rslora: bool) -> None:
    torch.manual_seed(0)
    one, other = (torch.randn(32, 4), torch.randn(4, 32)), (torch.randn(48, 4), torch.randn(4, 32))
    adapter = write_adapter(tmp_path / "source", {WIDE: one, FLAT: other}, use_rslora=rslora,
                            alpha_pattern={"q_proj": 3.0})  # fmt: skip
    target, _ = _repair(tmp_path, adapter, "layer-scale", LayerScaleSettings(layer_scales=(0.5, 1.0)))
    root = 2.0 if rslora else 4.0
    assert torch.allclose(update_of(target, WIDE), 0.5 * 3.0 / root * (one[0] @ one[1]).double(), atol=1e-4)
    assert torch.allclose(update_of(target, FLAT), 8.0 / root * (other[0] @ other[1]).double(), atol=1e-4)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"use_dora": True}, "type DoRA is no low-rank update"),
        ({"peft_type": "OFT"}, "type OFT is no low-rank update"),
        ({"peft_type": "SHIRA"}, "type SHIRA is no low-rank update"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save, which is more than"),
    ],
)
def test_repair_of_what_is_no_plain_lora_is_refused_by_name(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    adapter = write_adapter(tmp_path / "source", {WIDE: (torch.ones(32, 1), torch.ones(1, 32))}, **config)
    with pytest.raises(ModelError, match=said):
        _repair(tmp_path, adapter, "spectral", SpectralSettings())


def test_repaired_adapter_is_read_by_peft_and_adds_its_update(tmp_path: Path) -> None:
    from paretune.models.adapters import on_base

    torch.manual_seed(0)
    adapter = write_adapter(tmp_path / "source", {WIDE: (torch.randn(32, 3), torch.randn(3, 32))},
                            layers_to_transform=[0])  # fmt: skip
    model = handle(tmp_path)
    origin = {"fingerprint": "f", "base_weights": model.source.weights}
    target = tmp_path / "repaired"
    write_repaired(adapter, find_repair("layer-scale"), LayerScaleSettings(), model, target, origin)
    assert json.loads((target / "paretune.json").read_text(encoding="utf-8")) == origin
    with on_base(model.load(), target) as tuned:
        layer = tuned.get_submodule(f"base_model.model.{WIDE}")
        assert torch.allclose(layer.get_delta_weight("default").double(), update_of(target, WIDE), atol=1e-5)
