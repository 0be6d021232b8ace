"""Every training method: trained, written, put on the base, scaled, asked by the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paretune.config import TrainingConfig
from paretune.engines.base import Host
from paretune.engines.hf.engine import HfEngine, TransformersSettings
from paretune.errors import ModelError, TrainingError
from paretune.methods import METHODS, find_method
from paretune.models.adapters import on_base
from paretune.models.export import write_adapter, write_merged
from paretune.models.load import ModelHandle
from paretune.records import ChoicePrompt
from paretune.run.jsonl import read_lines
from tests.engines.hf.plain_choice import cloze_prompts
from tests.training.tiny_training import CONFIG, Killed, answer_loss, assert_same, loaded, rows, train, weights

OWN: dict[str, dict[str, Any]] = {
    "lora": {"rank": 4, "alpha": 8.0},
    "rslora": {"rank": 4, "alpha": 8.0},
    "dora": {"rank": 4, "alpha": 8.0},
    "pissa": {"rank": 4, "alpha": 4.0},
    "corda": {"rank": 4, "alpha": 4.0},
    "mlp-only": {"rank": 4, "alpha": 8.0},
    "oft": {"block_size": 16},
    "shira": {"rank": 4},
}
STEPWISE: dict[str, Any] = {
    "epochs": 3.0, "batch_size": 21, "accumulation_steps": 1, "logging_steps": 1, "checkpoint_steps": 1,
    "warmup_share": 0.0,
}  # fmt: skip
LOW_RANK = ("lora", "rslora", "pissa", "corda", "mlp-only")


def config_of(name: str, folder: Path, **changes: Any) -> TrainingConfig:
    own = dict(OWN[name])
    if name == "corda":
        own["calibration"] = str(folder / "texts.txt")
        (folder / "texts.txt").write_text("the sun rises in the east\n\nwater boils at 100 degrees\n", encoding="utf-8")
    return replace(CONFIG, method=name, settings=find_method(name).settings(**own), **changes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a finished training by a method."""
    folders: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            train(folders[name], config_of(name, folders[name]))
        return folders[name]

    return folder_of


@pytest.fixture(scope="module")
def stepwise(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a training by a method in three steps, each on all rows: their order plays no part."""
    folders: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(f"{name}-stepwise")
            train(folders[name], config_of(name, folders[name], **STEPWISE))
        return folders[name]

    return folder_of


def losses(folder: Path) -> list[float]:
    return [record["loss"] for record in read_lines(folder / "training.jsonl")[1]]


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([row.tokens[:8] for row in rows() if len(row.tokens) >= 8])).logits


def test_methods_tried_here_are_all_there_are() -> None:
    assert set(OWN) == set(METHODS)
    assert {name for name in METHODS if find_method(name).low_rank} == set(LOW_RANK)


@pytest.mark.parametrize("name", METHODS)
def test_method_learns_and_leaves_the_base_as_it_was(name: str, trained: Callable[[str], Path]) -> None:
    base = loaded()
    before, first = answer_loss(base.model), logits(base.model)
    with on_base(base, trained(name) / "adapter") as model:
        assert answer_loss(model) < 0.97 * before
    assert bool((logits(base.model) == first).all())


@pytest.mark.parametrize("name", METHODS)
def test_method_training_gives_the_base_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    base = loaded()
    first = {key: weight.clone() for key, weight in base.model.named_parameters()}
    train(tmp_path, config_of(name, tmp_path, epochs=0.4), base=base)
    now = dict(base.model.named_parameters())
    assert now.keys() == first.keys()
    assert all(bool((now[key] == weight).all()) for key, weight in first.items())


@pytest.mark.parametrize("name", METHODS)
def test_method_adapter_gives_the_logged_loss_of_its_training(name: str, stepwise: Callable[[str], Path]) -> None:
    """The loss logged for a second step on all rows is that of the adapter which the first step left."""
    logged = losses(stepwise(name))
    base = loaded()
    with on_base(base, stepwise(name) / "checkpoints" / "checkpoint-1") as model:
        assert answer_loss(model) == pytest.approx(logged[1], abs=2e-3)
    assert abs(logged[1] - logged[0]) > 0.01


@pytest.mark.parametrize("name", METHODS)
def test_method_scale_interpolates_the_weights(name: str, trained: Callable[[str], Path]) -> None:
    import torch

    base = loaded()
    seen: list[Any] = []
    layer = base.model.model.layers[0].mlp.up_proj  # its input depends on the scale, so it is given one
    given = torch.randn(3, layer.in_features, generator=torch.Generator().manual_seed(0))
    for scale in (0.0, 0.5, 1.0):
        with on_base(base, trained(name) / "adapter", scale) as model, torch.inference_mode():
            seen.append(model.get_submodule("base_model.model.model.layers.0.mlp.up_proj")(given))
    assert torch.allclose(seen[0], layer(given), atol=1e-5)
    assert torch.allclose(seen[1], (seen[0] + seen[2]) / 2, atol=1e-5)
    assert float((seen[2] - seen[0]).abs().max()) > 1e-3


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("lora", "rslora", "mlp-only")])
def test_method_killed_and_resumed_gives_the_same_adapter(
    name: str, trained: Callable[[str], Path], tmp_path: Path
) -> None:
    def kill(step: int, steps: int) -> None:
        if step == 5:
            raise Killed

    config = config_of(name, tmp_path)
    with pytest.raises(Killed):
        train(tmp_path, config, on_step=kill)
    train(tmp_path, config)
    assert_same(weights(tmp_path), weights(trained(name)), within=1e-5)
    assert not list(tmp_path.rglob("trained.safetensors"))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("changes", [{"share_prompts": True}, {"fuse_adapters": True}])
def test_method_computed_otherwise_logs_the_same_losses(
    name: str, changes: dict[str, bool], stepwise: Callable[[str], Path], tmp_path: Path
) -> None:
    train(tmp_path, config_of(name, tmp_path, **{**STEPWISE, "checkpoint_steps": 3}, **changes))
    logged = losses(stepwise(name))
    assert losses(tmp_path) == pytest.approx(logged, abs=2e-4)
    assert logged[2] < logged[0] - 0.01


@pytest.mark.parametrize("name", [name for name in METHODS if name not in LOW_RANK])
def test_method_that_cannot_be_fused_says_so(name: str, tmp_path: Path) -> None:
    from paretune.training.sft import train_adapter

    said: list[str] = []
    config = config_of(name, tmp_path, fuse_adapters=True)
    train_adapter(loaded(), rows(), config, tmp_path, "f", lambda *_: None, said.append)
    assert said == [f"fuse_adapters: the layers of {name} are no plain LoRA; PEFT computes them"]


@pytest.mark.parametrize("name", METHODS)
def test_method_is_answered_for_as_by_the_models_own_forward(name: str, trained: Callable[[str], Path]) -> None:
    """Both ways of the engine: option log-probabilities close, written answers the same, and not the base's."""
    prompts = cloze_prompts([4, 7, 9])
    texts = [f"Question {number}: what comes after {number}?" for number in range(6)]
    asked: dict[tuple[bool, bool], tuple[list[Sequence[float]], list[str]]] = {}
    for fast in (True, False):
        engine = HfEngine(TransformersSettings(fast=fast), Host(ModelHandle.of(loaded())))
        for tuned in (True, False):
            written: dict[int, str] = {}
            options: dict[int, Sequence[float]] = {}
            with engine.variant(trained(name) / "adapter" if tuned else None):
                _ask(engine, texts, prompts, written, options)
            asked[fast, tuned] = [options[place] for place in sorted(options)], [written[place] for place in range(6)]
    for tuned in (True, False):
        for mine, plain in zip(asked[True, tuned][0], asked[False, tuned][0], strict=True):
            assert mine == pytest.approx(plain, abs=2e-4)
        assert asked[True, tuned][1] == asked[False, tuned][1]
    pairs = zip(asked[True, True][0], asked[True, False][0], strict=True)
    assert max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True)) > 0.05


def _ask(
    engine: HfEngine, texts: Sequence[str], prompts: Sequence[ChoicePrompt], written: dict[int, str],
    options: dict[int, Sequence[float]],
) -> None:  # fmt: skip
    engine.generate(texts, 12, lambda place, answer: written.update({place: answer.text}))
    engine.option_logprobs(prompts, lambda place, values: options.update({place: values.values}))


@pytest.mark.parametrize("name", ["dora", "oft", "shira"])
def test_adapter_that_is_no_plain_lora_stays_in_float32_on_a_16_bit_base(
    name: str, trained: Callable[[str], Path]
) -> None:
    import torch

    base = loaded()
    base.model.to(torch.bfloat16)
    stored = weights(trained(name))
    with on_base(base, trained(name) / "adapter") as model:
        kept = {key: weight for key, weight in model.named_parameters() if weight.dtype == torch.float32}
        assert len(kept) == len([key for key in stored if "indices" not in key])
        assert bool(logits(model).isfinite().all())


def test_difference_to_the_base_is_of_twice_the_rank_and_small_in_16_bits(trained: Callable[[str], Path]) -> None:
    """A and B of PiSSA itself would be rounded by more than they changed."""
    import torch

    folder = trained("pissa")
    config = json.loads((folder / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (8, 8.0, True)
    stored = weights(folder)
    name = next(key for key in stored if key.endswith("up_proj.lora_A.weight"))
    down, up = stored[name], stored[name.replace("lora_A", "lora_B")]
    rounded = up.bfloat16().float() @ down.bfloat16().float()
    assert float((rounded - up @ down).norm()) < 0.01 * float((up @ down).norm())
    assert torch.linalg.matrix_rank(up @ down) <= 8


def test_mlp_only_adapts_the_networks_alone(trained: Callable[[str], Path]) -> None:
    assert {key.split(".")[-4] for key in weights(trained("mlp-only"))} == {"mlp"}
    assert {key.split(".")[-3] for key in weights(trained("mlp-only"))} == {"gate_proj", "up_proj", "down_proj"}


def test_oft_block_that_does_not_divide_a_layer_is_named(tmp_path: Path) -> None:
    config = replace(CONFIG, method="oft", settings=find_method("oft").settings(block_size=32))
    with pytest.raises(TrainingError, match=r"oft: block_size = 32 does not divide the 48 inputs of model\.layers\.0"):
        train(tmp_path, config)


@pytest.mark.parametrize(("text", "reason"), [(None, "cannot be read"), ("\n \n", "no texts")])
def test_corda_without_texts_names_the_file(text: str | None, reason: str, tmp_path: Path) -> None:
    config = config_of("corda", tmp_path)
    if text is None:
        (tmp_path / "texts.txt").unlink()
    else:
        (tmp_path / "texts.txt").write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"texts\.txt: .*{reason}"):
        train(tmp_path, config)


@pytest.mark.parametrize("name", METHODS)
def test_method_that_trained_nothing_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, closure=None: None)
    with pytest.raises(TrainingError, match="nothing was trained"):
        train(tmp_path, config_of(name, tmp_path))


@pytest.mark.parametrize("name", METHODS)
def test_method_merged_at_half_its_scale_answers_as_the_adapter_does(
    name: str, trained: Callable[[str], Path], tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    base = loaded()
    with on_base(base, trained(name) / "adapter", 0.5) as model:
        expected = logits(model)
    write_merged(base, trained(name) / "adapter", 0.5, tmp_path)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert float((logits(merged) - expected).abs().max()) < 1e-3


@pytest.mark.parametrize("name", ["dora", "oft", "shira"])
def test_adapter_without_a_factor_is_not_exported_with_a_scale(
    name: str, trained: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"has no factor to carry the scale 0\.5; export it with --merge"):
        write_adapter(trained(name) / "adapter", 0.5, loaded().source, tmp_path)
