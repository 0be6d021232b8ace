from __future__ import annotations

import importlib.util
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from paretune.config import ExperimentConfig, ModelConfig, TrainingConfig, VariantConfig
from paretune.errors import ModelError
from paretune.models.load import choose_precision, load_model, load_tokenizer, require_bitsandbytes
from paretune.models.source import ModelSource
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import SqlTarget
from tests.tiny_models import save_tiny_model, tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_model_is_loaded_whole_in_evaluation_mode(folder: Path) -> None:
    import torch

    loaded = load_model(ModelConfig(path=str(folder), precision="float32"))
    assert not loaded.model.training
    assert (loaded.precision, loaded.quantization, loaded.context_tokens) == ("float32", "none", 2048)
    ids = torch.arange(3, 40)[None].to(loaded.model.device)
    with torch.inference_mode():
        difference = loaded.model(ids).logits.cpu() - tiny_model("qwen2")(ids.cpu()).logits
    assert float(difference.abs().max()) < 1e-4


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_model_has_the_precision_asked_for(folder: Path, precision: Any) -> None:
    import torch

    loaded = load_model(ModelConfig(path=str(folder), precision=precision))
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {getattr(torch, precision)}
    assert loaded.precision == precision


@pytest.mark.parametrize(
    ("cuda", "has_bfloat16", "expected"),
    [(False, True, "float32"), (True, True, "bfloat16"), (True, False, "float16")],
)
def test_precision_auto_follows_the_hardware(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, has_bfloat16: bool, expected: str
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_bfloat16)
    assert choose_precision("auto") == expected
    assert choose_precision("float16") == "float16"


@pytest.mark.parametrize(("asked", "expected"), [(100, 100), (5000, 2048), (None, 2048)])
def test_context_is_the_smaller_of_asked_and_own(folder: Path, asked: int | None, expected: int) -> None:
    assert load_model(ModelConfig(path=str(folder), context_tokens=asked)).context_tokens == expected


def test_tokenizer_without_padding_pads_with_its_end_token(folder: Path, tmp_path: Path) -> None:
    for file in folder.glob("tokenizer*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    del settings["pad_token"]
    path.write_text(json.dumps(settings), encoding="utf-8")
    assert load_tokenizer(ModelSource(tmp_path, "w", ("t",))).pad_token_id == 1
    assert load_tokenizer(ModelSource(folder, "w", ("t",))).pad_token_id == 2


def copied(folder: Path, target: Path, without: str) -> Path:
    target.mkdir()
    for file in folder.iterdir():
        if not file.match(without):
            (target / file.name).write_bytes(file.read_bytes())
    return target


def test_directory_without_weights_or_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    for number, (without, message) in enumerate(
        [("*.safetensors", "the model cannot be loaded"), ("tokenizer*", "its tokenizer cannot be loaded")]
    ):
        broken = copied(folder, tmp_path / str(number), without)
        with pytest.raises(ModelError, match=message) as caught:
            load_model(ModelConfig(path=str(broken)))
        assert str(broken) in str(caught.value)


def test_weights_cut_short_are_refused(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path / "cut", "*.md")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        load_model(ModelConfig(path=str(broken)))


@pytest.fixture
def without_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "bitsandbytes" else find_spec(name, *rest)
    )


@pytest.mark.usefixtures("without_bitsandbytes")
def test_quantization_without_its_library_says_what_to_install(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"\"nf4\" needs bitsandbytes: .*do without: quantization none$"):
        load_model(ModelConfig(path=str(folder), quantization="nf4"))


def experiment(quantization: Any, optimizer: Any) -> ExperimentConfig:
    variants = (VariantConfig("run-1", training=TrainingConfig(optimizer=optimizer)),)
    model = ModelConfig(quantization=quantization)
    return ExperimentConfig("trial", variants, (), model, target=SqlTarget(), prompt=PromptConfig())


@pytest.mark.usefixtures("without_bitsandbytes")
@pytest.mark.parametrize(
    ("quantization", "optimizer", "instead"),
    [
        ("nf4", "adamw_torch", "--set model.quantization=none"),
        ("none", "adamw_8bit", "--set training.optimizer=adamw_torch"),
        ("nf4", "paged_adamw_8bit", "--set model.quantization=none --set training.optimizer=adamw_torch"),
    ],
)
def test_experiment_that_needs_an_absent_bitsandbytes_is_told_what_to_set(
    quantization: str, optimizer: str, instead: str
) -> None:
    with pytest.raises(ModelError) as caught:
        require_bitsandbytes(experiment(quantization, optimizer))
    assert str(caught.value).endswith(f'pip install ".[quantization]", or do without: {instead}')


@pytest.mark.usefixtures("without_bitsandbytes")
def test_experiment_that_does_without_bitsandbytes_is_not_refused() -> None:
    require_bitsandbytes(experiment("none", "adamw_torch_fused"))


def test_remarks_of_bitsandbytes_on_kernels_are_dropped_and_no_others(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_model(ModelConfig(path=str(folder)))
    logger = logging.getLogger("bitsandbytes.backends.cpu.ops")
    logger.warning("Failed to load CPU gemm_4bit_forward from kernels-community: %s.", "no module")
    logger.warning("something else")
    assert [record.getMessage() for record in caplog.records if record.name == logger.name] == ["something else"]


def test_loading_a_model_changes_nothing_in_the_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paretune.models.load.keep_freed_memory", lambda: pytest.fail("the allocator was changed"))
    before = dict(os.environ)
    load_model(ModelConfig(path=str(folder)))
    assert dict(os.environ) == before
