"""Attention by parts: the layout, and whole scorings with the kernel replaced by plain arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from paretune.engines.hf import attention
from paretune.engines.hf.attention import DeviceParts, cut_parts, cut_reads, keeps_apart, pays, plain_sequences
from paretune.engines.hf.forward import ChoiceModel
from paretune.engines.hf.packing import build_tree, pack
from paretune.engines.hf.tokens import EncodedQuestion
from tests.engines.hf.test_options_exact import assert_exact, many_kinds
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def always_by_parts(monkeypatch: pytest.MonkeyPatch, *, apart: bool = False) -> None:
    """Every batch by parts, on any device; apart: with every prefix that no window cuts apart."""
    monkeypatch.setattr(attention, "fits", lambda config, *_: not getattr(config, "attn_logit_softcapping", None))
    monkeypatch.setattr(attention, "pays", lambda *_: True)
    monkeypatch.setattr(attention, "sequences", plain_sequences)
    monkeypatch.setattr(attention, "fits_apart", lambda *_: apart)
    monkeypatch.setattr(attention, "_LEAST_APART", 1)


def test_cut_parts_gives_each_branch_prefix_trunk_and_itself() -> None:
    cloze = EncodedQuestion(0, ([7, 8],) * 2, ([1, 2, 3], [4, 5]))
    letter = EncodedQuestion(1, ([9, 9, 9],) * 2, ([1], [2]))
    packed = pack([[build_tree(cloze)], [build_tree(letter)]], 2)
    parts = cut_parts(packed, 2)
    assert parts.tokens.tolist() == [7, 8, 1, 2, 4, 9, 9, 9]
    assert parts.starts.tolist() == [0, 2, 4, 5, 8]
    keys = [part.tolist() for part in np.split(parts.keys, parts.key_starts[1:-1])]
    assert keys == [[0, 1, 2, 3], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 6], [0, 1, 7, 8, 9]]
    assert parts.longest == (3, 6)
    assert parts.tokens[parts.places].tolist() == packed.tokens.ravel()[packed.places].tolist()


def test_cut_parts_apart_shares_the_prefix() -> None:
    cloze = EncodedQuestion(0, ([7, 8],) * 2, ([1, 2, 3], [4, 5]))
    parts = cut_parts(pack([[build_tree(cloze)]], 2), 2, apart=True)
    assert parts.shared == 2
    assert parts.keys.tolist() == [0, 1, 2, 3, 2, 3, 4, 5, 2, 3, 6]
    assert parts.key_starts.tolist() == [0, 2, 6, 9]
    assert parts.longest == (2, 4)


def test_cut_reads_apart_keeps_the_prefix() -> None:
    contexts_differ = EncodedQuestion(0, ([7, 8, 8], [7, 9, 9]), ([1], [2]))
    read = cut_reads(cut_parts(pack([[build_tree(contexts_differ)]], 2), 2, apart=True))
    assert read is not None
    assert (read.shared, read.keys.tolist(), read.key_starts.tolist()) == (2, [0, 1, 2, 3, 4, 2, 5, 6], [0, 3, 6])


def test_keeps_apart_long_prefixes_that_no_window_cuts() -> None:
    packed = pack([[build_tree(EncodedQuestion(0, ([7] * 10,), ([1],)))]], 200)
    assert keeps_apart(packed, 200, None)
    assert keeps_apart(packed, 200, 210)
    assert not keeps_apart(packed, 200, 209)
    assert not keeps_apart(packed, 20, None)


def test_cut_parts_contexts_without_a_common_token_have_no_trunk() -> None:
    question = EncodedQuestion(0, ([7], [8]), ([1], [2]))
    parts = cut_parts(pack([[build_tree(question)]], 3), 3)
    assert [part.tolist() for part in np.split(parts.keys, parts.key_starts[1:-1])] == [[0, 1, 2, 3], [0, 1, 2, 4]]


def test_cut_reads_keeps_the_end_of_each_part_read_with_its_keys() -> None:
    cloze = EncodedQuestion(0, ([7, 8],) * 2, ([1, 2, 3], [4, 5]))
    letter = EncodedQuestion(1, ([9, 9, 9],) * 2, ([1], [2]))
    parts = cut_parts(pack([[build_tree(cloze)], [build_tree(letter)]], 2), 2)
    read = cut_reads(parts)
    assert read is not None
    assert read.tokens.tolist() == [8, 1, 2, 4, 9]
    assert read.starts.tolist() == [0, 1, 3, 4, 5]
    assert read.keys is parts.keys
    assert read.key_starts.tolist() == parts.key_starts.tolist()
    assert read.longest == (2, 6)
    assert read.places.tolist() == [0, 1, 2, 3, 4]


def test_cut_reads_leaves_out_parts_that_nobody_reads() -> None:
    contexts_differ = EncodedQuestion(0, ([7, 8, 8], [7, 9, 9]), ([1], [2]))
    read = cut_reads(cut_parts(pack([[build_tree(contexts_differ)]], 1), 1))
    assert read is not None
    assert [part.tolist() for part in np.split(read.keys, read.key_starts[1:-1])] == [[0, 1, 2, 3], [0, 1, 4, 5]]
    assert (read.tokens.tolist(), read.starts.tolist()) == ([8, 9], [0, 1, 2])


def test_cut_reads_inside_a_part_is_not_for_the_kernel() -> None:
    packed = pack([[build_tree(EncodedQuestion(0, ([7, 8, 9],), ([1],)))]], 0)
    assert cut_reads(cut_parts(replace(packed, places=np.array([1])), 0)) is None
    assert cut_reads(cut_parts(replace(packed, places=np.array([1, 2])), 0)) is not None


def test_pays_questions_of_one_trunk_yes_many_short_branches_no() -> None:
    letter = pack([[build_tree(EncodedQuestion(n, ([7] * 120,), ([1],))) for n in range(4)]] * 4, 700)
    assert pays(cut_parts(letter, 700), letter, 700)
    branches = tuple([n] * 5 for n in range(1, 60))
    cloze = pack([[build_tree(EncodedQuestion(0, ([7],) * len(branches), branches))]], 700)
    assert not pays(cut_parts(cloze, 700), cloze, 700)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("budget", [150, None])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_score_choices_by_parts_equals_plain_forward(
    architecture: Architecture, budget: int | None, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    always_by_parts(monkeypatch, apart=apart)
    model = tiny_model(architecture, attention="eager" if architecture == "gemma2" else "sdpa")
    assert ChoiceModel(model).by_parts == (architecture != "gemma2")  # its scores are capped, which the kernel cannot
    before = model.config._attn_implementation
    assert_exact(add_tiny_adapter(model), tiny_tokenizer(), many_kinds(), budget)
    assert model.config._attn_implementation == before


def test_choice_model_on_the_cpu_keeps_masks() -> None:
    assert not ChoiceModel(tiny_model("qwen2")).by_parts


@on_cuda
@pytest.mark.parametrize(("window", "shared"), [(None, 0), (7, 0), (100, 0), (None, 1), (None, 300)])
@pytest.mark.parametrize("key_heads", [1, 2, 12])
def test_sequences_kernel_equals_plain_arithmetic(window: int | None, shared: int, key_heads: int) -> None:
    torch.manual_seed(0)
    starts, key_starts = ([0, 3, 90, 91], [0, 40, 300, 330])
    query = torch.randn(91, 12, 128, device="cuda", dtype=torch.bfloat16)
    key, value = (torch.randn(shared + 330, key_heads, 128, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    begins, key_begins = (torch.tensor(item, dtype=torch.int32, device="cuda") for item in (starts, key_starts))
    parts = DeviceParts(torch.zeros(0, device="cuda"), begins, key_begins, (87, 260), shared)
    found = attention.sequences(query, key, value, parts, None, window)
    expected = plain_sequences(query, key, value, parts, None, window)
    torch.testing.assert_close(found, expected, atol=2e-2, rtol=2e-2)


@on_cuda
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3", "mistral", "gemma3"])
def test_score_choices_by_parts_on_a_gpu_stays_near_masks(
    architecture: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.engines.hf.test_options_exact import score

    model = tiny_model(architecture, attention="sdpa").to("cuda", torch.bfloat16)
    assert ChoiceModel(model).by_parts
    by_parts = score(model, tiny_tokenizer(), many_kinds())
    monkeypatch.setattr(attention, "fits", lambda *_: False)
    for name, answer in score(model, tiny_tokenizer(), many_kinds()).items():
        found = by_parts[name].log_probabilities
        assert found == pytest.approx(answer.log_probabilities, abs=0.7)  # in bfloat16
