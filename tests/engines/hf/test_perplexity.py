from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.engines.hf.forward import ChoiceModel
from paretune.engines.hf.perplexity import measure_perplexity
from paretune.errors import EmptySample, EngineError
from tests.tiny_models import add_tiny_adapter, tiny_model, tiny_tokenizer

TEXT = "A coruja não canta; the lark sings at dawn. " * 12
MODEL, TOKENIZER = tiny_model("qwen2"), tiny_tokenizer()


def plain_bits(model: Any, tokenizer: Any, text: str) -> float:
    """The whole text in one forward, when it fits one window."""
    import torch

    tokens = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    with torch.no_grad():
        found = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
    return -sum(float(found[place - 1, tokens[place]]) for place in range(1, len(tokens))) / math.log(2)


@pytest.mark.parametrize("architecture", ["llama", "mistral", "gemma2", "gemma3"])
def test_measure_perplexity_text_in_one_window_equals_plain_forward(architecture: Any) -> None:
    model = tiny_model(architecture)
    result = measure_perplexity(model, TOKENIZER, TEXT)
    assert len(result.windows) == 1
    assert result.bits_per_byte == pytest.approx(plain_bits(model, TOKENIZER, TEXT) / len(TEXT.encode()), rel=1e-5)


def test_measure_perplexity_windows_give_each_token_half_a_window_before_it() -> None:
    """Checked against single forwards over each token's own window."""
    import torch

    tokens = [TOKENIZER.bos_token_id, *TOKENIZER(TEXT, add_special_tokens=False)["input_ids"]]
    result = measure_perplexity(MODEL, TOKENIZER, TEXT, window=32, token_budget=100)
    expected, place = 0.0, 1
    while place < len(tokens):
        end = min(place + (31 if place == 1 else 16), len(tokens))
        start = max(0, end - 32)
        with torch.no_grad():
            found = MODEL(torch.tensor([tokens[start:end]])).logits[0].log_softmax(-1)
        expected -= sum(float(found[at - start - 1, tokens[at]]) for at in range(place, end)) / math.log(2)
        place = end
    assert sum(window.bits for window in result.windows) == pytest.approx(expected, rel=1e-5)


@settings(max_examples=30)
@given(text=st.text(min_size=1, max_size=60), window=st.integers(2, 24))
def test_measure_perplexity_any_text_counts_every_token_and_byte_once(text: str, window: int) -> None:
    text = text.encode("utf-8", "ignore").decode() or "a"
    result = measure_perplexity(MODEL, TOKENIZER, text, window=window)
    assert result.n_tokens == len(TOKENIZER(text, add_special_tokens=False)["input_ids"])
    assert result.n_bytes == len(text.encode())


def test_measure_perplexity_adapter_changes_the_figure() -> None:
    before = measure_perplexity(MODEL, TOKENIZER, TEXT).bits_per_byte
    tuned = add_tiny_adapter(tiny_model("qwen2"))
    assert abs(measure_perplexity(tuned, TOKENIZER, TEXT).bits_per_byte - before) > 0.01


def test_measure_perplexity_uniform_model_needs_log_of_the_vocabulary_a_token() -> None:
    import torch

    model = tiny_model("llama")
    with torch.no_grad():
        model.lm_head.weight.zero_()
    result = measure_perplexity(model, TOKENIZER, TEXT)
    assert result.token_perplexity == pytest.approx(320, rel=1e-5)
    assert result.bits_per_byte == pytest.approx(math.log2(320) * result.n_tokens / len(TEXT.encode()), rel=1e-5)


def test_measure_perplexity_empty_text_is_refused() -> None:
    with pytest.raises(EmptySample, match="empty"):
        measure_perplexity(MODEL, TOKENIZER, "")


def test_measure_perplexity_out_of_memory_halves_then_names_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    whole = measure_perplexity(MODEL, TOKENIZER, TEXT, window=32)
    log_probabilities = ChoiceModel.log_probabilities
    largest = 40

    def limited(self: ChoiceModel, hidden: Any, reads: Any) -> Any:
        if hidden.shape[0] > largest:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return log_probabilities(self, hidden, reads)

    monkeypatch.setattr(ChoiceModel, "log_probabilities", limited)
    again = measure_perplexity(MODEL, TOKENIZER, TEXT, window=32)
    assert again.bits_per_byte == pytest.approx(whole.bits_per_byte, rel=1e-5)
    largest = 0
    with pytest.raises(EngineError, match="window of 32 tokens does not fit"):
        measure_perplexity(MODEL, TOKENIZER, TEXT, window=32)
