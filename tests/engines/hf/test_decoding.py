"""How rows are planned, decoded by either attention, and leave; against one plain forward per token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.engines.hf import decoding, row_cache
from paretune.engines.hf.decoding import Decoder, plan_wave
from paretune.engines.hf.row_cache import Lengths
from paretune.models.chat import encode
from tests.engines.contract import PROMPTS
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer

LIMIT = 12
SCHEMA = "CREATE TABLE concert (id INTEGER PRIMARY KEY, year INTEGER, singer_id INTEGER REFERENCES singer(id)); "
ROWS = [
    encode(tiny_tokenizer(), text)
    for text in [*PROMPTS, *(f"{SCHEMA * 2}count the concerts {number}" for number in range(4)), SCHEMA * 2]
]


def write(model: Any, rows: Sequence[list[int]] = ROWS, limit: int = LIMIT, ends: frozenset[int] = frozenset()) -> Any:
    """Each row's tokens, up to the limit or the first of `ends`, with the decoder's messages."""
    said: list[str] = []
    decoder = Decoder(model, said.append)
    written: list[list[int]] = [[] for _ in rows]

    def on_tokens(row: int, tokens: list[int]) -> bool:
        assert not ends.intersection(written[row]), "told of a row that has ended"
        written[row] += tokens
        return bool(ends.intersection(written[row]))

    with decoder.open():
        assert decoder.disagreement() is None
        wave = plan_wave(rows, decoder.budget)
        decoder.allocate(len(rows), wave.n_places(limit))
        decoder.write(wave, limit, on_tokens)
    assert said == []
    return [cut(tokens, ends) for tokens in written]


def cut(tokens: list[int], ends: frozenset[int]) -> list[int]:
    first = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: first + 1]


def plain(model: Any, rows: Sequence[list[int]] = ROWS, limit: int = LIMIT) -> list[list[int]]:
    """The slow way: one forward over the whole row per token, no cache."""
    written: list[list[int]] = []
    for row in rows:
        whole = list(row)
        for _ in range(limit):
            with torch.inference_mode():
                whole.append(int(model(torch.tensor([whole]), use_cache=False).logits[0, -1].argmax()))
        written.append(whole[len(row) :])
    return written


def plain_sequences(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: Lengths, scale: float | None, *, causal: bool
) -> torch.Tensor:
    """What FlashAttention is asked for, row by row."""
    repeats = query.shape[1] // key.shape[1]
    results = []
    for row, used in enumerate(lengths.used.tolist()):
        own = query[lengths.starts[row] : lengths.starts[row + 1]].transpose(0, 1)
        begin = int(lengths.key_starts[row])
        keys, values = (
            item[begin : begin + used].transpose(0, 1).repeat_interleave(repeats, 0) for item in (key, value)
        )
        mask = torch.ones(own.shape[1], used, dtype=torch.bool).tril(used - own.shape[1]) if causal else None
        attended = torch.nn.functional.scaled_dot_product_attention(own, keys, values, attn_mask=mask, scale=scale)
        results.append(attended.transpose(0, 1))
    return torch.cat(results)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_write_every_architecture_equals_plain_argmax(architecture: Architecture, attention: str) -> None:
    try:
        model = tiny_model(architecture, attention=attention)
    except ValueError as error:  # Gemma 2 with sdpa, from transformers 5.23 on
        pytest.skip(str(error)[:90])
    assert write(model) == plain(model)
    assert model.config._attn_implementation == attention


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_write_with_adapter_equals_plain_argmax(architecture: Architecture) -> None:
    tuned = add_tiny_adapter(tiny_model(architecture))
    assert write(tuned) == plain(tuned)
    assert write(tuned) != write(tiny_model(architecture))


@pytest.mark.parametrize("architecture", ["llama", "smollm2", "qwen2", "qwen3"])
def test_write_by_lengths_equals_plain_argmax(architecture: Architecture, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []

    def sequences(*arguments: Any, causal: bool) -> torch.Tensor:
        calls.append(causal)
        return plain_sequences(*arguments, causal=causal)

    monkeypatch.setattr(row_cache, "reads_by_length", lambda *_: True)
    monkeypatch.setattr(row_cache, "sequences", sequences)
    model = tiny_model(architecture)
    assert write(model) == plain(model)
    assert set(calls) == {True, False}


def test_reads_by_length_is_refused_where_the_kernel_is_not() -> None:
    cpu = torch.device("cpu")
    assert not row_cache.reads_by_length(4, 2, 8, cpu, torch.bfloat16)
    assert not row_cache.reads_by_length(4, 2, 8, cpu, torch.float32)


@pytest.mark.parametrize("n_steps", [1, 2, 4])
@pytest.mark.parametrize("row_multiple", [1, 4])
def test_write_rows_that_end_leave_and_change_no_other(
    n_steps: int, row_multiple: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU too: rows in multiples, looks between several steps."""
    monkeypatch.setitem(decoding._STEPS, "cpu", n_steps)
    monkeypatch.setitem(decoding._ROW_MULTIPLE, "cpu", row_multiple)
    sizes: list[int] = []
    step = Decoder._step

    def counted(self: Decoder, cache: Any, n_rows: int, n_seen: int) -> None:
        sizes.append(n_rows)
        step(self, cache, n_rows, n_seen)

    monkeypatch.setattr(Decoder, "_step", counted)
    model, ends = tiny_model("qwen2"), frozenset(range(60, 140))
    expected = [cut(tokens, ends) for tokens in plain(model)]
    assert write(model, ends=ends) == expected
    assert sizes == sorted(sizes, reverse=True)
    left = sum(len(tokens) > 1 for tokens in expected)
    assert sizes[0] == (left if row_multiple == 1 else len(ROWS))
    assert sizes[-1] < sizes[0] / 2


def test_plan_wave_computes_shared_tokens_once() -> None:
    wave = plan_wave(ROWS, 1024)
    shared = 2 * len(encode(tiny_tokenizer(), SCHEMA))
    assert wave.n_tokens < sum(map(len, ROWS)) - 3 * shared + 60


@settings(max_examples=100)
@given(
    stem=st.lists(st.integers(0, 3), max_size=90),
    tails=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=30), min_size=1, max_size=20),
    budget=st.integers(1, 300),
)
def test_plan_wave_any_rows_fill_every_place_in_order(stem: list[int], tails: list[list[int]], budget: int) -> None:
    rows = [stem * (number % 2) + tail for number, tail in enumerate(tails)]
    wave = plan_wave(rows, budget)
    filled: list[list[int]] = [[] for _ in rows]

    def compute(chunks: Sequence[decoding.Chunk]) -> None:
        for chunk in chunks:
            assert len(chunk.jobs) == 1 or len(chunk.jobs) * chunk.length <= budget
            for row, start, end in chunk.jobs:
                assert start == len(filled[row]) < end <= start + chunk.length <= wave.n_places(1)
                filled[row] += rows[row][start:end]

    for chunks, beginnings in wave.levels:
        compute(chunks)
        for beginning in beginnings:
            for row in beginning.rows[1:]:
                filled[row] += filled[beginning.rows[0]][beginning.start : beginning.end]
    compute(wave.rests)
    assert filled == rows


def test_rows_that_fit_follow_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Decoder(tiny_model("qwen2"), print)
    with decoder.open():
        monkeypatch.setattr(decoding, "memory_of", lambda _: 2**30)
        many = decoder.rows_that_fit(100)
        assert many == pytest.approx(2 * decoder.rows_that_fit(200), rel=0.2)
        monkeypatch.setattr(decoding, "memory_of", lambda _: 10)
        assert decoder.rows_that_fit(100) == 1


def test_disagreement_with_a_model_that_looks_elsewhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation that ignores the positions it is given cannot be told from the model's signature."""
    model = tiny_model("qwen2")
    rotation = model.model.rotary_emb
    own = rotation.forward
    decoder = Decoder(model, print)
    monkeypatch.setattr(rotation, "forward", lambda x, ids: own(x, torch.arange(ids.shape[1]).expand_as(ids)))
    with decoder.open():
        assert "differ from its plain forward" in str(decoder.disagreement())


def test_disagreement_with_a_model_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("qwen2")
    decoder = Decoder(model, print)

    def forward(*arguments: Any, **options: Any) -> None:
        raise TypeError("unexpected keyword argument 'position_ids'")

    with decoder.open():
        monkeypatch.setattr(model.model, "forward", forward)
        assert decoder.disagreement() == "TypeError: unexpected keyword argument 'position_ids'"
