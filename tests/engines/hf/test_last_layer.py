"""The last layer at the places read: that it is done, everywhere it can be, and changes no number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from paretune.engines.hf import forward
from paretune.engines.hf.forward import ChoiceModel, find, reads_by_row
from paretune.engines.hf.fused import fused_lora
from paretune.engines.hf.options import plan_choices
from paretune.records import ChoicePrompt
from tests.engines.hf.plain_choice import cloze_prompts, letter_prompts, make_prompt, plain_log_probabilities
from tests.engines.hf.test_attention import always_by_parts
from tests.engines.hf.test_options_exact import TOLERANCE, assert_exact, many_kinds, score
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer

TOKENIZER = tiny_tokenizer()

both_attentions = pytest.mark.parametrize("by_parts", [False, True], ids=["masked", "by-parts"])


@pytest.fixture(autouse=True)
def _attention(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "by_parts" in request.fixturenames and request.getfixturevalue("by_parts"):
        always_by_parts(monkeypatch)


@contextmanager
def rows_seen(module: Any) -> Iterator[list[int]]:
    """How many places each call of the module computes."""
    seen: list[int] = []
    handle = module.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[:-1].numel()))
    try:
        yield seen
    finally:
        handle.remove()


def n_places(prompts: Sequence[ChoicePrompt], by_parts: bool) -> list[int]:
    """Outputs that each batch reads: without padding, or with rows filled up to the most of one row."""
    found = []
    for group in plan_choices(TOKENIZER, prompts).groups:
        for batch in group.batches:
            rows, length = batch.tokens.shape
            most = int(np.bincount(batch.places // length).max())
            found.append(len(batch.places) if by_parts else rows * most)
    return found


@both_attentions
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_score_choices_last_network_sees_only_the_places_read(architecture: Architecture, by_parts: bool) -> None:
    by_parts = by_parts and architecture != "gemma2"
    model = tiny_model(architecture, attention="eager" if architecture == "gemma2" else "sdpa")
    prompts = many_kinds()
    layers = model.model.layers
    with rows_seen(layers[-1].mlp) as last, rows_seen(layers[-1].self_attn.o_proj) as projected:
        score(model, TOKENIZER, prompts)
    assert last == projected == n_places(prompts, by_parts)  # nothing at all for prefixes


@both_attentions
def test_score_choices_letters_need_the_last_layer_once_a_question(by_parts: bool) -> None:
    options = ("A", "B", "C", "D")  # a token each
    prompts = [make_prompt(p.question.id, p.prefix, p.contexts, options) for p in letter_prompts([30, 9, 4])]
    model = tiny_model("qwen2")
    with rows_seen(model.model.layers[-1].mlp) as last, rows_seen(model.model.layers[0].mlp) as first:
        score(model, TOKENIZER, prompts)
    assert last == [len(prompts)]
    assert len(first) == 2  # the prefix, and the questions


@both_attentions
def test_score_choices_last_layer_with_a_window_equals_plain_forward(by_parts: bool) -> None:
    model = tiny_model("gemma3", layer_types=["full_attention", "sliding_attention"] * 2)
    assert_exact(model, TOKENIZER, many_kinds(), token_budget=150)


@both_attentions
def test_score_choices_one_layer_alone_equals_plain_forward(by_parts: bool) -> None:
    assert_exact(tiny_model("llama", num_hidden_layers=1), TOKENIZER, many_kinds())


@both_attentions
@pytest.mark.parametrize("widen", [False, True])
def test_score_choices_fused_adapter_equals_plain_forward(widen: bool, by_parts: bool) -> None:
    tuned = add_tiny_adapter(tiny_model("qwen2"))
    prompts = many_kinds()
    expected = {prompt.question.id: plain_log_probabilities(tuned, TOKENIZER, prompt) for prompt in prompts}
    with fused_lora(tuned, widen=widen):
        found = score(tuned, TOKENIZER, prompts)
    for name, answer in found.items():
        assert answer.log_probabilities == pytest.approx(expected[name], abs=TOLERANCE)


@both_attentions
def test_score_choices_reads_inside_a_part_equals_plain_forward(
    by_parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "cut_reads", lambda parts: None)
    assert_exact(tiny_model("qwen2"), TOKENIZER, many_kinds())


@both_attentions
def test_score_choices_layer_that_asks_the_cache_for_more_runs_as_usual(
    by_parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A length or a position would be that of all places."""
    model = tiny_model("qwen2")
    first, last = model.model.layers
    attend = last.self_attn.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        assert kwargs["past_key_values"] is None or len(kwargs["past_key_values"].layers) < 3
        return attend(*args, **kwargs)

    monkeypatch.setattr(last.self_attn, "forward", forward)
    with rows_seen(first.mlp) as in_first, rows_seen(last.mlp) as in_last:
        assert_exact(model, TOKENIZER, many_kinds())
    assert in_first == in_last


@both_attentions
def test_score_choices_layer_given_numbers_of_unknown_meaning_runs_as_usual(by_parts: bool) -> None:
    model = tiny_model("qwen2")
    first, last = model.model.layers
    unknown = torch.ones(7)
    last.register_forward_pre_hook(lambda _, args, kwargs: (args, kwargs | {"unknown": unknown}), with_kwargs=True)
    with rows_seen(first.mlp) as in_first, rows_seen(last.mlp) as in_last:
        assert_exact(model, TOKENIZER, cloze_prompts([1, 12, 4]))  # without a prefix
    assert in_first == in_last


def test_find_layer_that_does_not_write_the_cache_as_the_last_is_left_alone() -> None:
    model = tiny_model("qwen2")
    found = find(model.model, model.config)
    assert found is not None
    assert found is model.model.layers[1]
    found.self_attn.layer_idx = 0
    assert find(model.model, model.config) is None
    assert find(model, model.config) is None
    assert ChoiceModel(model).last_layer is None


@both_attentions
@pytest.mark.parametrize("failing", ["k_proj", "o_proj"])
def test_score_choices_failing_in_the_last_layer_leaves_no_trace(failing: str, by_parts: bool) -> None:
    model = tiny_model("qwen2")
    module = getattr(model.model.layers[-1].self_attn, failing)

    def fail(*_: Any) -> None:
        raise RuntimeError("shapes differ")

    handle = module.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        score(model, TOKENIZER, letter_prompts([2, 3]))
    handle.remove()
    assert not any("forward" in module.__dict__ for module in model.modules())
    assert_exact(model, TOKENIZER, letter_prompts([2, 3]))


def test_reads_by_row_any_order_finds_the_places_again() -> None:
    places = np.array([13, 1, 11, 3, 10, 2])
    index, found = reads_by_row(places, 3, 5)
    assert index.shape == (3, 3)
    flat = (index + 5 * np.arange(3)[:, None]).ravel()
    assert flat[found].tolist() == places.tolist()
