from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from paretune.engines.base import Generation
from paretune.engines.hf.decoding import Decoder
from paretune.engines.hf.generate import TransformersEngine
from paretune.errors import EngineError, ScoringError
from paretune.models.chat import encode
from paretune.sql.extract import END_MARKS, extract_sql, statement_end
from paretune.tasks import Ending
from tests.engines.contract import PROMPTS, Generates, GenerationContract, answers_of
from tests.tiny_models import ARCHITECTURES, add_tiny_adapter, tiny_model, tiny_tokenizer

SCHEMA = "CREATE TABLE concert (id INTEGER PRIMARY KEY, year INTEGER, singer_id INTEGER REFERENCES singer(id));\n\n"
MANY = [*PROMPTS, *(f"{SCHEMA}List the {word}s." for word in ("year", "singer", "concert", "name", "city") * 2)]


def model_that_stops(architecture: Any = "qwen2") -> Any:
    """A tiny model for which some answers end by themselves within twelve tokens."""
    model = tiny_model(architecture)
    model.generation_config.eos_token_id = list(range(60, 90))
    return model


class TestTransformersEngine(GenerationContract):
    @pytest.fixture(scope="class")
    def model(self) -> Any:
        return model_that_stops()

    @pytest.fixture(params=[None, 1, 3, 16], ids="batch-{}".format)
    def make(self, request: pytest.FixtureRequest, model: Any) -> Callable[[], Generates]:
        return lambda: TransformersEngine(model, tiny_tokenizer(), request.param)


class TestTransformersEngineByTheLibrarysLoop(GenerationContract):
    @pytest.fixture(params=[None, 3], ids="batch-{}".format)
    def make(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Generates]:
        model = model_that_stops()
        monkeypatch.setattr(type(model), "base_model_prefix", "elsewhere")
        return lambda: TransformersEngine(model, tiny_tokenizer(), request.param)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_in_any_batch_are_those_of_plain_argmax(architecture: Any) -> None:
    import torch

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
    for batch_size in (1, 3, None):
        answers = answers_of(TransformersEngine(model, tokenizer, batch_size))
        assert [(answer.text, answer.tokens, answer.finish) for answer in answers] == expected


@pytest.mark.parametrize("architecture", ["qwen2", "mistral", "gemma3"])
def test_answers_in_float32_are_the_same_for_any_batch_size_and_order(architecture: Any) -> None:
    model, tokenizer = add_tiny_adapter(model_that_stops(architecture)), tiny_tokenizer()
    expected = answers_of(TransformersEngine(model, tokenizer, 1), MANY, 24)
    places = list(range(len(MANY)))
    for batch_size in (2, 5, None):
        random.Random(batch_size).shuffle(places)
        answers = answers_of(TransformersEngine(model, tokenizer, batch_size), [MANY[place] for place in places], 24)
        assert answers == [expected[place] for place in places]


def waves_of(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[int, ...], ...]]:
    """Records the rows of each wave that the engine computes."""
    waves: list[tuple[tuple[int, ...], ...]] = []
    whole = Decoder.write

    def write(self: Decoder, wave: Any, limit: int, on_tokens: Any, seeds: Any) -> None:
        waves.append(tuple(map(tuple, wave.rows)))
        whole(self, wave, limit, on_tokens, seeds)

    monkeypatch.setattr(Decoder, "write", write)
    return waves


@pytest.mark.parametrize("n_kept", [1, 4, 9, 16])
def test_generate_killed_and_resumed_computes_the_same_waves(n_kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that also in 16 bits the answers are those of an uninterrupted run."""
    engine = TransformersEngine(model_that_stops(), tiny_tokenizer(), 5)
    waves = waves_of(engine, monkeypatch)
    whole = answers_of(engine, MANY)
    uninterrupted = list(waves)
    kept: dict[int, Generation] = {}

    def until_killed(position: int, generation: Generation) -> None:
        kept[position] = generation
        if len(kept) == n_kept:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.generate(MANY, 12, until_killed)
    waves.clear()
    answered = set(kept)

    def on_answer(position: int, generation: Generation) -> None:
        assert position not in kept
        kept[position] = generation

    engine.generate(MANY, 12, on_answer, answered)
    assert [kept[position] for position in range(len(MANY))] == whole
    assert set(waves) <= set(uninterrupted)
    waves.clear()
    engine.generate(MANY, 12, on_answer, set(kept))
    assert waves == []


def test_waves_do_not_depend_on_the_order_of_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(tiny_model("qwen2"), tiny_tokenizer(), 5)
    waves = waves_of(engine, monkeypatch)
    answers_of(engine, MANY)
    forward = list(waves)
    waves.clear()
    answers_of(engine, MANY[::-1])
    assert waves == forward
    assert sorted(map(len, waves)) == [4, 4, 4, 5]


def test_settings_of_the_model_for_sampling_change_nothing() -> None:
    plain = answers_of(TransformersEngine(model_that_stops(), tiny_tokenizer(), 4))
    model = model_that_stops()
    model.generation_config.update(do_sample=True, temperature=5.0, top_k=3, top_p=0.5, repetition_penalty=3.0)
    assert answers_of(TransformersEngine(model, tiny_tokenizer(), 4)) == plain


def test_padding_that_is_the_end_token_changes_nothing() -> None:
    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    plain = answers_of(TransformersEngine(model, tokenizer, 4))
    tokenizer.pad_token = tokenizer.eos_token
    assert answers_of(TransformersEngine(model, tokenizer, 4)) == plain


def test_statement_that_is_complete_ends_the_answer_with_the_same_sql() -> None:
    """A tiny model writes no SQL, so anything up to the end of a word is a statement of this test's task."""
    model, tokenizer = model_that_stops(), tiny_tokenizer()

    def find(text: str) -> int | None:
        return text.index("e") + 1 if "e" in text else None

    talking = answers_of(TransformersEngine(model, tokenizer, ending=Ending(find, "e", stops=False)), MANY, 24)
    stopping = answers_of(TransformersEngine(model, tokenizer, ending=Ending(find, "e", stops=True)), MANY, 24)
    assert {answer.finish for answer in stopping} >= {"statement", "length"}
    for talked, stopped in zip(talking, stopping, strict=True):
        assert talked.text.startswith(stopped.text)
        assert (find(talked.text) is None) == (stopped.finish != "statement")
        end_of_turn = talked.finish == "stop"
        expected = talked.tokens - stopped.tokens - end_of_turn if stopped.finish == "statement" else 0
        assert (talked.chatter_tokens, stopped.chatter_tokens) == (expected, 0)


def test_ending_of_sql_takes_nothing_from_the_sql() -> None:
    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    plain = answers_of(TransformersEngine(model, tokenizer), MANY, 24)
    ending = Ending(statement_end, END_MARKS, stops=True)
    stopped = answers_of(TransformersEngine(model, tokenizer, ending=ending), MANY, 24)
    assert [extract_sql(answer.text) for answer in stopped] == [extract_sql(answer.text) for answer in plain]


def test_model_in_training_mode_is_refused() -> None:
    engine = TransformersEngine(tiny_model("qwen2").train(), tiny_tokenizer())
    with pytest.raises(ScoringError, match="training mode"):
        answers_of(engine)


def test_model_that_decoding_does_not_fit_is_answered_by_the_librarys_loop_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, said = model_that_stops(), list[str]()
    expected = answers_of(TransformersEngine(model, tiny_tokenizer(), say=said.append))
    assert said == []
    monkeypatch.setattr(Decoder, "disagreement", lambda _: "its outputs differ")
    assert answers_of(TransformersEngine(model, tiny_tokenizer(), say=said.append)) == expected
    assert said == ["answers are written by the library's own loop, which is slower (its outputs differ)"]


@pytest.mark.parametrize("error", ["cuda", "allocator"])
def test_wave_too_large_is_halved_until_it_fits(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_that_stops()
    expected = answers_of(TransformersEngine(model, tiny_tokenizer(), 1), MANY)
    tried = limited(monkeypatch, 2, error)
    assert answers_of(TransformersEngine(model, tiny_tokenizer(), 9), MANY) == expected
    assert tried[:3] == [9, 5, 3]
    assert max(tried[3:]) == 2


def test_wave_that_fails_midway_answers_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    model = model_that_stops()
    expected = answers_of(TransformersEngine(model, tiny_tokenizer(), 1), MANY)
    step, count = Decoder._step, 0

    def failing(self: Decoder, cache: Any, n_rows: int, n_seen: int) -> None:
        nonlocal count
        count += 1
        if count == 7:
            raise torch.OutOfMemoryError("CUDA out of memory")
        step(self, cache, n_rows, n_seen)

    monkeypatch.setattr(Decoder, "_step", failing)
    assert answers_of(TransformersEngine(model, tiny_tokenizer()), MANY) == expected


def test_failed_attempt_keeps_no_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    step = Decoder._step
    failed: list[weakref.ref[Any]] = []

    def failing(self: Decoder, cache: Any, n_rows: int, n_seen: int) -> None:
        assert [item() for item in failed] == [None] * len(failed)
        if n_rows > 3:
            states = torch.zeros(5)
            failed.extend((weakref.ref(states), weakref.ref(cache.layers[0].keys)))
            raise torch.OutOfMemoryError("CUDA out of memory")
        step(self, cache, n_rows, n_seen)

    monkeypatch.setattr(Decoder, "_step", failing)
    gc.disable()
    try:
        answers_of(TransformersEngine(tiny_model("qwen2"), tiny_tokenizer()), MANY)
    finally:
        gc.enable()
    assert len(failed) >= 4


def limited(monkeypatch: pytest.MonkeyPatch, most: int, error: str = "cuda") -> list[int]:
    """Make waves of more than `most` run out of memory; returns the sizes tried."""
    import torch

    whole, tried = Decoder.write, []

    def write(self: Decoder, wave: Any, limit: int, on_tokens: Any, seeds: Any) -> None:
        tried.append(len(wave.rows))
        if len(wave.rows) > most:
            if error == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory")
            torch.empty(2**50)  # what the CPU's allocator says of too much
        whole(self, wave, limit, on_tokens, seeds)

    monkeypatch.setattr(Decoder, "write", write)
    return tried


def test_prompt_too_large_alone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(tiny_model("qwen2"), tiny_tokenizer(), 4)
    limited(monkeypatch, 0)
    with pytest.raises(EngineError, match=r"prompt \d+ \(\d+ tokens\) alone does not fit the memory"):
        answers_of(engine)


def test_answers_that_have_ended_leave_the_librarys_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    from paretune.engines.hf import plain

    model, sizes = model_that_stops(), list[int]()
    generate = model.generate

    def counted(**arguments: Any) -> Any:
        sizes.append(len(arguments["input_ids"]))
        return generate(**arguments)

    monkeypatch.setattr(plain, "_PART", 2)
    monkeypatch.setattr(model, "generate", counted)
    monkeypatch.setattr(Decoder, "disagreement", lambda _: "for this test")
    answers: Sequence[Generation] = answers_of(TransformersEngine(model, tiny_tokenizer(), 16))
    ended = [
        sum(answer.finish == "stop" and answer.tokens <= seen for answer in answers) for seen in (0, 2, 4, 6, 8, 10)
    ]
    assert sizes == [len(PROMPTS) - count for count in ended]
    assert len(set(sizes)) > 1
