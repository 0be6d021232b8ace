from __future__ import annotations

import pytest

from tests.tiny_models import ARCHITECTURES, BOS, add_tiny_adapter, tiny_model, tiny_tokenizer


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tiny_model_of_each_architecture_gives_distinct_log_probabilities(architecture: str) -> None:
    import torch

    model = tiny_model(architecture)  # type: ignore[arg-type]  # the parameter is one of the literal's own values
    with torch.no_grad():
        logits = model(torch.arange(3, 40)[None]).logits
    assert logits.shape == (1, 37, 320)
    assert torch.isfinite(logits).all()
    assert logits.float().std(-1).min() > 0.3


def test_tiny_tokenizer_any_text_round_trips() -> None:
    tokenizer = tiny_tokenizer()
    text = "Questão: qual é?\n A. çá — 12 \x00 漢字\n\nAnswer:"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_tiny_tokenizer_adds_bos_only_when_told() -> None:
    assert tiny_tokenizer(adds_bos=True)("a")["input_ids"][0] == tiny_tokenizer().convert_tokens_to_ids(BOS)
    assert tiny_tokenizer()("a")["input_ids"][0] != tiny_tokenizer().convert_tokens_to_ids(BOS)


def test_tiny_adapter_changes_the_answer_and_can_be_disabled() -> None:
    import torch

    tokens = torch.arange(3, 20)[None]
    model = tiny_model("qwen2")
    with torch.no_grad():
        base = model(tokens).logits
        tuned = add_tiny_adapter(model)
        changed = tuned(tokens).logits
        with tuned.disable_adapter():
            restored = tuned(tokens).logits
    assert (changed - base).abs().max() > 0.1
    assert torch.allclose(restored, base, atol=1e-5)
