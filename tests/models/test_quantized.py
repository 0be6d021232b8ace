"""4-bit weights: scored, differentiated and trained as the numbers they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from paretune.config import ModelConfig, TrainingConfig
from paretune.engines.hf.fused import fused_passes
from paretune.engines.hf.generate import TransformersEngine
from paretune.models.adapters import on_base
from paretune.models.load import LoadedModel, load_model
from paretune.records import ChoiceAnswer
from paretune.run.jsonl import read_lines
from paretune.training.batches import TrainingRow
from paretune.training.methods.lora import LoraSettings
from paretune.training.sft import train_adapter
from tests.engines.asked import score_choices
from tests.engines.contract import answers_of as written_by
from tests.engines.hf.plain_choice import SHOTS, cloze_prompts, letter_prompts, plain_log_probabilities
from tests.tiny_models import Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed (pip install '.[quantization]')")

IDS = list(range(3, 60))


def load(folder: Path, architecture: Architecture, quantization: Any = "nf4") -> LoadedModel:
    """A tiny model wide enough for bitsandbytes' packing of blocks of 64 weights on CPUs that have it."""
    tiny_model(architecture, hidden_size=128, intermediate_size=192, num_hidden_layers=2).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return load_model(ModelConfig(path=str(folder), quantization=quantization, precision="float32"))


def dequantized(folder: Path, quantized: Any) -> Any:
    """The same model with each 4-bit weight as the float32 number it stands for."""
    import bitsandbytes

    plain = load_model(ModelConfig(path=str(folder), precision="float32")).model
    modules = dict(plain.named_modules())
    layers = 0
    for name, module in quantized.named_modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            weight = bitsandbytes.functional.dequantize_4bit(module.weight.data, module.weight.quant_state)
            modules[name].weight.data = weight.to(modules[name].weight)
            layers += 1
    assert layers == 14
    return plain


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([IDS], device=model.device)).logits


@pytest.mark.parametrize("adapted", [False, True])
def test_fused_passes_leaves_networks_of_4_bit_weights_alone(tmp_path: Path, adapted: bool) -> None:
    model = load(tmp_path, "qwen2").model
    if adapted:
        model = add_tiny_adapter(model)
    expected = logits(model)
    with fused_passes(model, everywhere=True) as count:
        assert count == 5  # the norms
        assert float((logits(model) - expected).abs().max()) < 1e-4


def answers_of(model: Any, prompts: Any) -> dict[str, ChoiceAnswer]:
    found: dict[str, ChoiceAnswer] = {}
    score_choices(
        model, tiny_tokenizer(), prompts, suite="suite", variant="baseline",
        on_answer=lambda answer: found.update({answer.id: answer}),
    )  # fmt: skip
    return found


@pytest.mark.parametrize("tuned", [False, True])
@pytest.mark.parametrize("architecture", ["qwen2", "mistral"])
def test_shared_prefix_scoring_of_nf4_weights_equals_plain_forwards(
    tmp_path: Path, architecture: Architecture, tuned: bool
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("plain forwards are written for the CPU")
    model = load(tmp_path, architecture).model
    if tuned:
        model = add_tiny_adapter(model)
    prompts = [*letter_prompts([3, 17, 9]), *cloze_prompts([4, 2], prefix=SHOTS, subject="after-shots")]
    answers = answers_of(model, prompts)
    for prompt in prompts:
        expected = plain_log_probabilities(model, tiny_tokenizer(), prompt)
        assert answers[prompt.question.id].log_probabilities == pytest.approx(expected, abs=1e-4)


def test_nf4_weights_give_the_logits_of_the_numbers_they_stand_for(tmp_path: Path) -> None:
    loaded = load(tmp_path, "llama")
    difference = logits(loaded.model) - logits(dequantized(tmp_path, loaded.model))
    assert float(difference.abs().max()) < 1e-3


def test_nf4_weights_have_right_gradients_after_an_evaluation(tmp_path: Path) -> None:
    import torch

    loaded = load(tmp_path, "llama")
    gradients = []
    for base in (loaded.model, dequantized(tmp_path, loaded.model)):
        logits(base)  # bitsandbytes may repack weights here
        model = add_tiny_adapter(base)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_("lora_" in name)
        ids = torch.tensor([IDS], device=model.device)
        model.train()(input_ids=ids, labels=ids).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert len(gradients[0]) == len(gradients[1]) == 28
    for name, expected in gradients[1].items():
        assert float((gradients[0][name] - expected).norm()) < 1e-3 * float(expected.norm()), name


@pytest.mark.parametrize("optimizer", ["adamw_torch", "paged_adamw_8bit"])
def test_nf4_base_learns_an_adapter_and_stays_as_it_was(tmp_path: Path, optimizer: Any) -> None:
    loaded = load(tmp_path / "model", "qwen2")
    before = logits(loaded.model).clone()
    rows = [TrainingRow((*range(5 + number, 15 + number), 50, 51, 52, 1), 4) for number in range(12)]
    config = TrainingConfig(
        peak_learning_rate=0.01, epochs=4.0, batch_size=2, settings=LoraSettings(rank=4), optimizer=optimizer,
        gradient_checkpointing=True, logging_steps=1, max_tokens=64,
    )  # fmt: skip
    train_adapter(loaded, rows, config, tmp_path / "run", "trial", lambda *_: None)
    losses = [record["loss"] for record in read_lines(tmp_path / "run" / "training.jsonl")[1]]
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])
    assert bool((logits(loaded.model) == before).all())
    with on_base(loaded, tmp_path / "run" / "adapter") as model:
        assert float((logits(model) - before).abs().max()) > 0.1
    assert bool((logits(loaded.model) == before).all())


@pytest.mark.parametrize("adapted", [False, True])
def test_answers_of_4_bit_weights_are_those_of_the_numbers_they_stand_for(tmp_path: Path, adapted: bool) -> None:
    model = load(tmp_path, "qwen2").model
    plain, said = dequantized(tmp_path, model), list[str]()
    if adapted:
        model, plain = add_tiny_adapter(model), add_tiny_adapter(plain)
    expected = written_by(TransformersEngine(plain, tiny_tokenizer()))
    assert written_by(TransformersEngine(model, tiny_tokenizer(), say=said.append)) == expected
    assert said == []
