from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paretune.engines.base import Engine
from paretune.records import ChoiceAnswer
from tests.engines.asked import engine_of, score_choices
from tests.engines.contract import EngineContract, answers_of
from tests.engines.hf.test_generate import model_that_stops
from tests.engines.hf.test_options import mixed_prompts
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer


class TestHfEngine(EngineContract):
    @pytest.fixture(params=[True, False], ids=["fast", "plain"])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Engine]:
        return lambda: engine_of(model_that_stops(), tiny_tokenizer(), fast=request.param, batch_size=3)

    @pytest.fixture(scope="class")
    def adapter(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("adapter")
        add_tiny_adapter(tiny_model("qwen2")).save_pretrained(folder)
        return folder


def verdicts(model: Any, *, fast: bool) -> dict[tuple[str, str], ChoiceAnswer]:
    answers: list[ChoiceAnswer] = []
    score_choices(
        model, tiny_tokenizer(), mixed_prompts(), fast=fast, suite="suite", variant="v", on_answer=answers.append
    )
    return {(answer.method, answer.id): answer for answer in answers}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_fast_and_the_models_own_forward_give_the_same_verdicts(architecture: Architecture) -> None:
    for model in (tiny_model(architecture), add_tiny_adapter(tiny_model(architecture))):
        fast, plain = verdicts(model, fast=True), verdicts(model, fast=False)
        assert fast.keys() == plain.keys()
        for key, answer in fast.items():
            other = plain[key]
            assert (answer.outcome, answer.predicted, answer.text, answer.prompt_tokens) == (
                other.outcome, other.predicted, other.text, other.prompt_tokens,
            )  # fmt: skip
            assert answer.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_fast_and_the_models_own_forward_find_a_text_equally_costly(architecture: Architecture) -> None:
    model, text = tiny_model(architecture), "A coruja não canta; the lark sings at dawn. " * 4
    fast, plain = (
        engine_of(model, tiny_tokenizer(), fast=fast).text_logprobs(text, window=24) for fast in (True, False)
    )
    assert [window.n_bytes for window in fast.windows] == [window.n_bytes for window in plain.windows]
    assert fast.bits_per_byte == pytest.approx(plain.bits_per_byte, rel=1e-5)


def test_own_forward_uses_none_of_the_fast_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a fault there would stand on both sides of the comparison."""
    from paretune.engines.hf import forward, fused

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the fast way was taken")

    for module, name in ((fused, "fused_lora"), (fused, "fused_passes"), (forward.ChoiceModel, "read")):
        monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(forward.ChoiceModel, "__init__", refuse)
    assert len(verdicts(tiny_model("llama"), fast=False)) == len(mixed_prompts())


def test_conditions_of_the_usual_engine_are_those_from_before_there_was_a_choice() -> None:
    model = tiny_model("qwen2")
    usual = {"weights": "weights", "precision": "float32", "quantization": "none"}
    assert engine_of(model, tiny_tokenizer()).conditions == usual
    own = {"kind": "transformers", "fast": False}
    assert engine_of(model, tiny_tokenizer(), fast=False).conditions == {**usual, "engine": own}


def test_prompts_asked_of_two_variants_are_packed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from paretune.engines.hf import options

    add_tiny_adapter(tiny_model("qwen2")).save_pretrained(tmp_path)
    packed, plan_choices = [], options.plan_choices

    def counted(*asked: Any, **settings: Any) -> Any:
        packed.append(1)
        return plan_choices(*asked, **settings)

    monkeypatch.setattr(options, "plan_choices", counted)
    engine = engine_of(tiny_model("qwen2"), tiny_tokenizer())
    prompts = [prompt for prompt in mixed_prompts() if prompt.method != "generate"]
    for adapter in (None, tmp_path):
        with engine.variant(adapter):
            engine.option_logprobs(prompts, lambda place, found: None)
    assert len(packed) == 1


def test_release_lets_go_of_what_lies_on_the_device() -> None:
    engine = engine_of(tiny_model("qwen2"), tiny_tokenizer())
    prompts = [prompt for prompt in mixed_prompts() if prompt.method != "generate"]
    engine.option_logprobs(prompts, lambda place, found: None)
    assert any(group.sent for plan in engine._plans for group in plan.groups)
    engine.release()
    assert not any(group.sent for plan in engine._plans for group in plan.groups)
    assert len(answers_of(engine)) > 0
