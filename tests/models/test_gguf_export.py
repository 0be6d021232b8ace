"""The update stands in the GGUF file where the base's weight stood, in the file's own order of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from paretune.config import ModelConfig
from paretune.errors import ModelError
from paretune.models.adapters import on_base
from paretune.models.export import named_updates
from paretune.models.gguf_export import write_gguf
from paretune.models.load import LoadedModel, load_model
from tests.tiny_models import Architecture, save_tiny_model


def interleaved(rows: Any, heads: int) -> Any:
    """As llama.cpp keeps queries and keys of Llama: in each head, first and second half in turn."""
    blocks = rows.reshape(heads, 2, -1, rows.shape[1])
    return np.stack([blocks[:, 0], blocks[:, 1]], axis=2).reshape(rows.shape)


def names_in_file(architecture: str) -> Any:
    key = {"qwen2": gguf.MODEL_ARCH.QWEN2, "llama": gguf.MODEL_ARCH.LLAMA}[architecture]
    return gguf.get_tensor_name_map(key, 2)


def base_file(base: LoadedModel, architecture: str, file: Path) -> Path:
    """The tiny model as a GGUF file."""
    writer = gguf.GGUFWriter(str(file), architecture)
    writer.add_name("tiny")
    writer.add_token_list(["a", "b", "ç"])
    writer.add_block_count(2)
    for name, weight in base.model.state_dict().items():
        if name == "lm_head.weight" and base.model.config.tie_word_embeddings:
            continue
        values = weight.float().numpy()
        if architecture == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
            values = interleaved(values, 4 if "q_proj" in name else 2)
        place = names_in_file(architecture).get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(place, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.fixture(params=["qwen2", "llama"])
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return request.param  # type: ignore[no-any-return]  # pytest does not know


@pytest.fixture
def base(architecture: Architecture, tmp_path: Path) -> LoadedModel:
    save_tiny_model(tmp_path / "model", architecture)
    return load_model(ModelConfig(path=str(tmp_path / "model"), precision="float32"))


@pytest.fixture
def adapter(base: LoadedModel, tmp_path: Path) -> Path:
    from peft import LoraConfig, get_peft_model

    tuned = get_peft_model(base.model, LoraConfig(r=2, lora_alpha=8, target_modules="all-linear"))
    torch.manual_seed(1)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    tuned.save_pretrained(tmp_path / "adapter")
    base.model = tuned.unload()
    return tmp_path / "adapter"


def read(file: Path) -> dict[str, Any]:
    return {
        tensor.name: gguf.dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(str(file)).tensors
    }


@pytest.mark.parametrize(("kind", "tolerance"), [("f32", 1e-6), ("q8_0", 0.02)])
def test_gguf_holds_the_base_and_the_scaled_update(
    base: LoadedModel, adapter: Path, architecture: Architecture, tmp_path: Path, kind: str, tolerance: float
) -> None:
    source = base_file(base, architecture, tmp_path / "base.gguf")
    write_gguf(base, adapter, 0.5, source, kind, tmp_path / "out.gguf")
    before, after = read(source), read(tmp_path / "out.gguf")
    assert before.keys() == after.keys()
    with on_base(base, adapter) as tuned:
        updates = {name: update.numpy() for name, _, update in named_updates(tuned, base.model)}
    assert len(updates) == 14
    for name, update in updates.items():
        permuted = architecture == "llama" and name.endswith(("q_proj.weight", "k_proj.weight"))
        expected = 0.5 * (interleaved(update, 4 if "q_proj" in name else 2) if permuted else update)
        place = names_in_file(architecture).get_name(name, try_suffixes=(".weight",))
        assert np.abs(after[place] - before[place] - expected).max() < tolerance, place
        assert np.abs(expected).max() > 3 * tolerance
        del before[place]
    for place, values in before.items():
        assert np.allclose(after[place], values, atol=tolerance), place


def test_gguf_keeps_the_tokenizer_and_names(
    base: LoadedModel, adapter: Path, architecture: Architecture, tmp_path: Path
) -> None:
    source = base_file(base, architecture, tmp_path / "base.gguf")
    write_gguf(base, adapter, 1.0, source, "f16", tmp_path / "out.gguf")
    fields = gguf.GGUFReader(str(tmp_path / "out.gguf")).fields
    assert fields["tokenizer.ggml.tokens"].contents() == ["a", "b", "ç"]
    assert fields["general.name"].contents() == "tiny"
    assert fields["general.file_type"].contents() == gguf.LlamaFileType.MOSTLY_F16


def test_gguf_of_another_model_is_refused(
    base: LoadedModel, adapter: Path, architecture: Architecture, tmp_path: Path
) -> None:
    save_tiny_model(tmp_path / "other", architecture, seed=5)
    other = load_model(ModelConfig(path=str(tmp_path / "other"), precision="float32"))
    source = base_file(other, architecture, tmp_path / "other.gguf")
    with pytest.raises(ModelError, match="other values than the base model's"):
        write_gguf(base, adapter, 1.0, source, "f32", tmp_path / "out.gguf")


def test_base_is_left_as_it_was(base: LoadedModel, adapter: Path) -> None:
    before = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    with on_base(base, adapter) as tuned:
        list(named_updates(tuned, base.model))
    after = base.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
