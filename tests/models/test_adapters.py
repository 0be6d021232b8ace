from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from paretune.errors import ModelError
from paretune.models.adapters import (
    adapter_fingerprint,
    check_base,
    check_shapes,
    doubt_about_base,
    on_base,
    why_unusable,
)
from paretune.models.load import LoadedModel
from paretune.models.source import ModelSource
from tests.tiny_models import Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer


def loaded(
    architecture: Architecture = "qwen2", *, names: tuple[str, ...] = ("tiny",), **overrides: Any
) -> LoadedModel:
    source = ModelSource(Path("tiny"), "weights-1", names)
    return LoadedModel(tiny_model(architecture, **overrides), tiny_tokenizer(), source, "float32", "none", 2048)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter as PEFT writes it; copy it before changing it."""
    folder = tmp_path_factory.mktemp("adapters") / "made"
    add_tiny_adapter(tiny_model("qwen2")).save_pretrained(folder)
    return folder


@pytest.fixture
def adapter(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "adapter"))


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.arange(3, 40)[None]).logits


def change_config(adapter: Path, **values: Any) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def assert_bare(base: LoadedModel, expected: Any) -> None:
    assert type(base.model).__name__ == "Qwen2ForCausalLM"
    assert not [name for name, _ in base.model.named_parameters() if "lora" in name]
    assert bool((logits(base.model) == expected).all())


def test_adapter_at_one_is_the_adapter_and_at_zero_the_base(adapter: Path) -> None:
    base = loaded()
    bare, tuned = logits(base.model), logits(add_tiny_adapter(tiny_model("qwen2")))
    with on_base(base, adapter) as model:
        assert not model.training
        assert float((logits(model) - tuned).abs().max()) < 1e-5
        assert float((tuned - bare).abs().max()) > 0.1
    with on_base(base, adapter, 0.0) as model:
        assert bool((logits(model) == bare).all())


def test_adapter_at_a_scale_is_the_interpolation_of_the_weights(adapter: Path) -> None:
    import torch

    base = loaded()
    merged = add_tiny_adapter(tiny_model("qwen2")).merge_and_unload()
    mixed = tiny_model("qwen2")
    with torch.no_grad():
        for own, tuned in zip(mixed.parameters(), merged.parameters(), strict=True):
            own.lerp_(tuned, 0.3)
    with on_base(base, adapter, 0.3) as model:
        assert float((logits(model) - logits(mixed)).abs().max()) < 1e-3


def test_base_is_restored_bitwise_also_after_an_error(adapter: Path) -> None:
    base = loaded()
    expected = logits(base.model)
    for scale in (1.0, 0.5, 0.0):
        with on_base(base, adapter, scale):
            pass
        assert_bare(base, expected)
    with pytest.raises(ZeroDivisionError), on_base(base, adapter, 0.5):
        raise ZeroDivisionError
    assert_bare(base, expected)


def test_adapters_one_after_the_other_do_not_add_up(adapter: Path, tmp_path: Path) -> None:
    add_tiny_adapter(tiny_model("qwen2"), seed=9).save_pretrained(tmp_path / "other")
    base = loaded()
    with on_base(base, adapter) as model:
        first = logits(model)
    with on_base(base, tmp_path / "other") as model:
        other = logits(model)
    with on_base(base, adapter) as model:
        assert bool((logits(model) == first).all())
    assert float((other - first).abs().max()) > 0.1


def test_no_adapter_is_the_bare_base() -> None:
    base = loaded()
    with on_base(base, None) as model:
        assert model is base.model


def test_adapter_computes_in_the_precision_of_the_base(adapter: Path) -> None:
    import torch

    base = loaded()
    base.model.to(torch.bfloat16)
    with on_base(base, adapter) as model:
        assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("overrides", [{"hidden_size": 64}, {"num_hidden_layers": 1}, {"intermediate_size": 64}])
def test_adapter_of_another_shape_is_refused_and_leaves_the_base_alone(
    adapter: Path, overrides: dict[str, Any]
) -> None:
    base = loaded(**overrides)
    expected = logits(base.model)
    with pytest.raises(ModelError, match="the adapter does not fit the base model tiny"), on_base(base, adapter):
        pytest.fail("it was taken")
    assert_bare(base, expected)


def test_adapter_of_fewer_layers_is_refused(tmp_path: Path) -> None:
    add_tiny_adapter(tiny_model("qwen2"), targets=["q_proj", "v_proj"]).save_pretrained(tmp_path)
    base = loaded(num_hidden_layers=3)
    expected = logits(base.model)
    with pytest.raises(ModelError, match="4 weights are without a counterpart"), on_base(base, tmp_path):
        pytest.fail("it was taken")
    assert_bare(base, expected)


def test_adapter_of_other_modules_is_refused(adapter: Path) -> None:
    base = loaded()
    expected = logits(base.model)
    change_config(adapter, target_modules=["c_attn"])
    with pytest.raises(ModelError, match="does not fit"), on_base(base, adapter):
        pytest.fail("it was taken")
    assert_bare(base, expected)


def test_adapter_whose_weights_lack_a_module_is_refused(adapter: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    dropped = min(weights)
    del weights[dropped]
    save_file(weights, adapter / "adapter_model.safetensors")
    base = loaded()
    expected = logits(base.model)
    with pytest.raises(ModelError, match="1 weights are without a counterpart") as caught, on_base(base, adapter):
        pytest.fail("it was taken")
    assert dropped in str(caught.value)
    assert_bare(base, expected)


def test_adapter_cut_short_is_refused(adapter: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    base = loaded()
    expected = logits(base.model)
    with pytest.raises(ModelError, match="does not fit"), on_base(base, adapter):
        pytest.fail("it was taken")
    assert_bare(base, expected)


def test_adapter_refused_does_not_disturb_the_next(adapter: Path, made: Path) -> None:
    base = loaded()
    with on_base(base, made) as model:
        expected = logits(model)
    change_config(adapter, r=8)
    with pytest.raises(ModelError, match="does not fit"), on_base(base, adapter):
        pytest.fail("it was taken")
    with on_base(base, made) as model:
        assert bool((logits(model) == expected).all())


@pytest.mark.parametrize("declared", ["other/model-7b", "org/Tiny-Base", "mistralai/Mistral-7B-v0.1"])
def test_adapter_of_another_hub_name_is_refused_with_the_right_one(adapter: Path, declared: str) -> None:
    change_config(adapter, base_model_name_or_path=declared)
    source = ModelSource(Path("x"), "w", ("org/Tiny", "Tiny"))
    with pytest.raises(ModelError, match=f"an adapter of {declared}, but the base model here is org/Tiny"):
        check_base(adapter, source)


@pytest.mark.parametrize("declared", ["org/Tiny", "unsloth/tiny-bnb-4bit", "elsewhere/TINY-GGUF", "", None, "/a/b/c"])
def test_adapter_of_the_same_model_by_any_of_its_names_is_taken(adapter: Path, declared: str | None) -> None:
    change_config(adapter, base_model_name_or_path=declared)
    check_base(adapter, ModelSource(Path("x"), "w", ("org/Tiny", "Tiny")))


def test_adapter_with_a_name_on_a_base_without_hub_name_is_left_to_the_shapes(adapter: Path) -> None:
    change_config(adapter, base_model_name_or_path="other/model")
    check_base(adapter, ModelSource(Path("x"), "w", ("tiny-q4",)))


def test_adapter_trained_here_on_other_weights_is_refused(adapter: Path) -> None:
    origin = adapter / "paretune.json"
    origin.write_text(json.dumps({"base_weights": "weights-2"}), encoding="utf-8")
    base = loaded()
    with pytest.raises(ModelError, match=r"trained on another base \(weights weights-2, here weights-1"):
        check_base(adapter, base.source)
    with pytest.raises(ModelError, match="evaluate it on its own base model"), on_base(base, adapter):
        pytest.fail("it was taken")
    origin.write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="trained on another base"):
        check_base(adapter, base.source)
    origin.write_text(json.dumps({"base_weights": "weights-1"}), encoding="utf-8")
    check_base(adapter, base.source)


def test_adapter_with_a_broken_origin_is_refused_by_file(adapter: Path) -> None:
    (adapter / "paretune.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"paretune\.json: not readable"):
        check_base(adapter, loaded().source)


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors"])
def test_adapter_incomplete_is_refused_by_file(adapter: Path, file: str) -> None:
    (adapter / file).unlink()
    base = loaded()
    expected = logits(base.model)
    with pytest.raises(ModelError, match=file.replace(".", r"\.")):
        adapter_fingerprint(adapter)
    with pytest.raises(ModelError) as caught, on_base(base, adapter):
        pytest.fail("it was taken")
    assert str(adapter) in str(caught.value)
    assert_bare(base, expected)


def test_adapter_fingerprint_follows_weights_and_configuration(adapter: Path, made: Path, tmp_path: Path) -> None:
    first = adapter_fingerprint(made)
    assert adapter_fingerprint(adapter) == first
    change_config(adapter, lora_alpha=9)
    assert adapter_fingerprint(adapter) != first
    add_tiny_adapter(tiny_model("qwen2"), seed=9).save_pretrained(tmp_path / "other")
    assert adapter_fingerprint(tmp_path / "other") != first


def with_a_weight_that_is_not_finite(adapter: Path, value: float = float("nan")) -> str:
    """Spoil one weight of the adapter; returns its name."""
    from safetensors.torch import load_file, save_file

    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    name = str(max(tensors))
    tensors[name].view(-1)[-1] = value
    save_file(tensors, path)
    return name


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_adapter_that_is_not_finite_is_refused_by_weight(adapter: Path, value: float) -> None:
    assert why_unusable(None) is None
    assert why_unusable(adapter) is None
    name = with_a_weight_that_is_not_finite(adapter, value)
    assert why_unusable(adapter) == f"its weights are not finite ({name})"
    base = loaded()
    bare = logits(base.model)
    with pytest.raises(ModelError, match=r"its weights are not finite .* train it again"), on_base(base, adapter):
        pytest.fail("an adapter that is not finite was applied")
    assert_bare(base, bare)


def test_adapter_fingerprint_does_not_follow_the_order_of_lists(adapter: Path) -> None:
    change_config(adapter, target_modules=["v_proj", "q_proj"], bias="none")
    first = adapter_fingerprint(adapter)
    change_config(adapter, target_modules=["q_proj", "v_proj"])
    assert adapter_fingerprint(adapter) == first
    change_config(adapter, target_modules=["q_proj", "k_proj"])
    assert adapter_fingerprint(adapter) != first


def test_adapter_of_pickled_weights_is_refused_with_the_reason(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(ModelError, match="is a pickle, which can run any code"):
        adapter_fingerprint(adapter)


def test_adapter_of_the_variant_without_instructions_is_refused_on_the_packaged_model(adapter: Path) -> None:
    change_config(adapter, base_model_name_or_path="HuggingFaceTB/SmolLM2-135M")
    names = ("SmolLM2-135M-Instruct-Q8_0", "SmolLM2 135M Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct")
    with pytest.raises(ModelError, match="an adapter of HuggingFaceTB/SmolLM2-135M, but the base model") as caught:
        check_base(adapter, ModelSource(Path("x"), "w", names))
    assert "name HuggingFaceTB/SmolLM2-135M as the model (model.path, or --model)" in str(caught.value)


def test_doubt_about_base_stands_where_only_a_local_name_is_known(adapter: Path) -> None:
    change_config(adapter, base_model_name_or_path="org/Tiny-7B")
    assert doubt_about_base(adapter, ("tiny-7b",)) is None
    assert doubt_about_base(adapter, ("model",)) == (
        "made for org/Tiny-7B; whether model is that model cannot be told from its name"
    )
    change_config(adapter, base_model_name_or_path="/a/path")
    assert doubt_about_base(adapter, ("model",)) is None


def shapes_of(model: Any) -> dict[str, tuple[int, int] | None]:
    import torch

    return {
        name: (module.in_features, module.out_features) if isinstance(module, torch.nn.Linear) else None
        for name, module in model.named_modules()
    }


def test_check_shapes_of_the_right_base_is_silent(adapter: Path) -> None:
    check_shapes(adapter, shapes_of(tiny_model("qwen2")), "tiny")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [({"hidden_size": 64}, r"has \d+ (in|out)puts, the adapter's has \d+"), ({"num_hidden_layers": 1}, "it has no ")],
)
def test_check_shapes_of_another_base_is_refused(adapter: Path, overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=f"does not fit the base model tiny: .*{said}"):
        check_shapes(adapter, shapes_of(tiny_model("qwen2", **overrides)), "tiny")


def test_check_shapes_of_a_file_cut_short_is_refused(adapter: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors: not readable"):
        check_shapes(adapter, {}, "tiny")
