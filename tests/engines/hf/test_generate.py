from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from paretune.engines.hf import generate
from paretune.engines.hf.generate import TransformersEngine
from paretune.errors import EngineError
from paretune.models.chat import encode
from tests.engines.contract import PROMPTS, Generates, GenerationContract, answers_of
from tests.tiny_models import ARCHITECTURES, tiny_model, tiny_tokenizer


def model_that_stops(architecture: Any = "qwen2") -> Any:
    """A tiny model for which some answers end by themselves within twelve tokens."""
    model = tiny_model(architecture)
    model.generation_config.eos_token_id = list(range(60, 90))
    return model


class TestTransformersEngine(GenerationContract):
    @pytest.fixture(scope="class")
    def model(self) -> Any:
        return model_that_stops()

    @pytest.fixture(params=[1, 3, 16], ids="batch-{}".format)
    def make(self, request: pytest.FixtureRequest, model: Any) -> Callable[[], Generates]:
        return lambda: TransformersEngine(model, tiny_tokenizer(), request.param)


@pytest.mark.parametrize("part", [1, 5, 16])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_in_any_batch_are_those_of_plain_argmax(
    architecture: Any, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(generate, "_PART", part)
    model, tokenizer = model_that_stops(architecture), tiny_tokenizer()
    stop = set(TransformersEngine(model, tokenizer, 1)._stop)
    expected = []
    for prompt in PROMPTS:
        ids = encode(tokenizer, prompt)
        written: list[int] = []
        while len(written) < 12 and not (written and written[-1] in stop):
            with torch.inference_mode():
                logits = model(torch.tensor([ids + written]), use_cache=False).logits
            written.append(int(logits[0, -1].argmax()))
        ended = written[-1] in stop
        kept = written[:-1] if ended else written
        expected.append((tokenizer.decode(kept, skip_special_tokens=True), len(written), "stop" if ended else "length"))
    for batch_size in (1, 3, 16):
        answers = answers_of(TransformersEngine(model, tokenizer, batch_size))
        assert [(answer.text, answer.tokens, answer.finish) for answer in answers] == expected


def test_settings_of_the_model_for_sampling_change_nothing() -> None:
    plain = answers_of(TransformersEngine(model_that_stops(), tiny_tokenizer(), 4))
    model = model_that_stops()
    model.generation_config.update(do_sample=True, temperature=5.0, top_k=3, top_p=0.5, repetition_penalty=3.0)
    assert answers_of(TransformersEngine(model, tiny_tokenizer(), 4)) == plain


def test_answers_that_have_ended_leave_their_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_that_stops()
    plain, sizes = model.generate, []

    def generated(**arguments: Any) -> Any:
        sizes.append(len(arguments["input_ids"]))
        return plain(**arguments)

    monkeypatch.setattr(generate, "_PART", 2)
    monkeypatch.setattr(model, "generate", generated)
    answers = answers_of(TransformersEngine(model, tiny_tokenizer(), 16))
    ended = [
        sum(answer.finish == "stop" and answer.tokens <= seen for answer in answers) for seen in (0, 2, 4, 6, 8, 10)
    ]
    assert sizes == [len(PROMPTS) - count for count in ended]
    assert len(set(sizes)) > 1


def test_padding_that_is_the_end_token_changes_nothing() -> None:
    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    plain = answers_of(TransformersEngine(model, tokenizer, 4))
    tokenizer.pad_token = tokenizer.eos_token
    assert answers_of(TransformersEngine(model, tokenizer, 4)) == plain


def test_longest_prompts_are_answered_first() -> None:
    order: list[int] = []
    engine = TransformersEngine(tiny_model("qwen2"), tiny_tokenizer(), 2)
    engine.generate(PROMPTS, 2, lambda position, _: order.append(position))
    lengths = [len(encode(tiny_tokenizer(), PROMPTS[position])) for position in order]
    assert lengths == sorted(lengths, reverse=True)


def limited(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Make batches of more than `most` run out of memory; returns the sizes tried."""
    import torch

    whole, tried = engine._generate, []

    def generate(rows: list[list[int]], max_new_tokens: int) -> Any:
        tried.append(len(rows))
        if len(rows) > most:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return whole(rows, max_new_tokens)

    monkeypatch.setattr(engine, "_generate", generate)
    return tried


def test_batch_too_large_is_halved_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("qwen2")
    expected = answers_of(TransformersEngine(model, tiny_tokenizer(), 1))
    engine = TransformersEngine(model, tiny_tokenizer(), 7)
    tried = limited(engine, monkeypatch, 2)
    assert answers_of(engine) == expected
    assert tried[0] == 7


def test_prompt_too_large_alone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(tiny_model("qwen2"), tiny_tokenizer(), 4)
    limited(engine, monkeypatch, 0)
    with pytest.raises(EngineError, match=r"prompt 3 \(\d+ tokens\) alone does not fit the memory"):
        answers_of(engine)
