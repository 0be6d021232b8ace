"""Questions that begin alike: which form a family, what the packed arrays spell, and whole scorings."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.engines.hf import attention
from paretune.engines.hf.attention import cut_parts, plain_sequences
from paretune.engines.hf.options import plan_choices
from paretune.engines.hf.packing import (
    PackedBatch,
    aligned_row,
    build_tree,
    cut_batches,
    fill_rows,
    find_families,
    halves,
    pack,
)
from paretune.engines.hf.tokens import EncodedQuestion, Tokens
from paretune.records import ChoicePrompt
from tests.engines.hf.plain_choice import (
    BARE_LETTERS,
    PASSAGE,
    SHOTS,
    cloze_prompts,
    letter_prompts,
    make_prompt,
    passage_prompts,
)
from tests.engines.hf.test_options_exact import assert_exact, score
from tests.tiny_models import Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer

STEM = list(range(1000, 1060))


def letter(index: int, context: Tokens, n_options: int = 2) -> EncodedQuestion:
    return EncodedQuestion(index, (context,) * n_options, tuple([option] for option in range(n_options)))


def names(families: list[list[EncodedQuestion]]) -> list[list[int]]:
    return [[question.index for question in family] for family in families]


def test_find_families_common_beginning_joins_what_is_long_enough() -> None:
    questions = [letter(0, [*STEM, 1]), letter(1, [9, 9]), letter(2, [*STEM, 2, 3]), letter(3, [*STEM[:20], 5])]
    assert names(find_families(questions, 1000)) == [[0, 2], [1], [3]]


def test_find_families_equal_questions_join_however_short() -> None:
    questions = [letter(0, [7]), letter(1, [8]), letter(2, [7]), letter(3, [7], n_options=4)]
    assert names(find_families(questions, 1)) == [[0, 2, 3], [1]]
    assert build_tree(questions[0], questions[2], questions[3]).tokens.tolist() == [7]


def test_find_families_longer_continuations_and_differing_contexts_stay_alone() -> None:
    cloze = EncodedQuestion(1, (STEM,) * 2, ([1, 2], [3]))
    differing = EncodedQuestion(2, ([*STEM, 1], [*STEM, 2]), ([5], [5]))
    assert names(find_families([letter(0, STEM), cloze, differing, letter(3, STEM)], 1000)) == [[0, 3], [1], [2]]


def test_find_families_too_many_tokens_make_several_families() -> None:
    questions = [letter(number, [*STEM, *[number] * 10]) for number in range(5)]
    families = find_families(questions, 85)
    assert sorted(map(len, families)) == [1, 2, 2]
    assert all(len(build_tree(*family)) <= 85 for family in families)
    assert len(find_families(questions, len(STEM) + 50)) == 1


def test_find_families_longer_trunk_is_preferred_to_more_questions() -> None:
    """Two scenarios behind one instruction: two trunks of 60 need fewer tokens than one of 35."""
    ends = [[place * 100 + number for number in range(25)] for place in (1, 2)]
    questions = [letter(number, [*STEM[:35], *ends[number % 2], number, number]) for number in range(6)]
    assert names(find_families(questions, 1000)) == [[0, 2, 4], [1, 3, 5]]


def test_build_tree_beginning_of_another_question_is_read_at_the_end_of_the_trunk() -> None:
    tree = build_tree(letter(0, [7, 8]), letter(1, [7, 8, 9]))
    assert (tree.tokens.tolist(), tree.branch.tolist()) == ([7, 8, 9], [0, 0, 2])
    assert tree.reads[:, 0].tolist() == [1, 1, 2, 2]


def test_build_tree_equal_questions_of_a_family_share_a_branch() -> None:
    tree = build_tree(letter(0, [7, 8]), letter(1, [7, 9]), letter(2, [7, 8]))
    assert tree.tokens.tolist() == [7, 8, 9]
    assert tree.reads[:, 0].tolist() == [1, 1, 2, 2, 1, 1]


def test_cut_parts_of_a_family_are_its_trunk_and_one_part_a_question() -> None:
    packed = pack([[build_tree(letter(0, [7, 8, 1, 2])), build_tree(letter(1, [7, 8, 3]), letter(2, [7, 8, 4, 4]))]], 1)
    parts = cut_parts(packed, 1)
    keys = [part.tolist() for part in np.split(parts.keys, parts.key_starts[1:-1])]
    assert keys == [[0, 1, 2, 3, 4], [0, 5, 6], [0, 5, 6, 7], [0, 5, 6, 8, 9]]


def test_halves_of_a_family_are_questions_then_options() -> None:
    tree = build_tree(letter(0, [7, 8]), letter(1, [7, 9]), letter(2, [7, 5]))
    first, second = halves(tree)
    assert (first.asked, second.asked) == (((0, 0), (0, 1)), ((1, 0), (1, 1), (2, 0), (2, 1)))
    one, other = halves(first)
    assert (one.asked, other.asked) == (((0, 0),), ((0, 1),))
    assert [part.asked for part in halves(one)] == [one.asked]


def test_cut_batches_much_shorter_row_begins_a_batch() -> None:
    rows = [[build_tree(letter(number, [1] * length))] for number, length in enumerate((400, 256, 256, 250, 100))]
    batches = cut_batches(rows, 1024, 0)
    assert [batch.tokens.shape for batch in batches] == [(1, 400), (3, 256), (1, 104)]


def test_aligned_row_ends_on_a_multiple_with_its_prefix() -> None:
    assert [aligned_row(256, prefix) for prefix in (0, 1, 7, 254)] == [256, 255, 249, 250]
    assert aligned_row(3, 0) == 1


@st.composite
def question_lists(draw: st.DrawFn) -> list[EncodedQuestion]:
    """Contexts with beginnings in common, one or several an option, and continuations short or long."""
    tokens = st.lists(st.integers(1, 3), min_size=1, max_size=4)
    context = st.builds(lambda cut, tail: STEM[:cut] + tail, st.sampled_from([0, 30, 33, 50, 60]), tokens)
    questions: list[EncodedQuestion] = []
    for index in range(draw(st.integers(1, 9))):
        n_options = draw(st.integers(1, 3))
        if draw(st.integers(0, 3)):
            questions.append(letter(index, draw(context), n_options))
            continue
        contexts = [draw(context) for _ in range(n_options)] if draw(st.booleans()) else [draw(context)] * n_options
        questions.append(EncodedQuestion(index, tuple(contexts), tuple(draw(tokens) for _ in range(n_options))))
    return questions


@settings(max_examples=150)
@given(questions=question_lists(), limit=st.integers(1, 200), row=st.integers(8, 200), prefix=st.integers(0, 9))
def test_packed_batches_any_questions_spell_every_option_once(
    questions: list[EncodedQuestion], limit: int, row: int, prefix: int
) -> None:
    families = find_families(questions, limit)
    trees = [build_tree(*family) for family in families]
    for family, tree in zip(families, trees, strict=True):
        different = {tuple(question.contexts[0]) for question in family}
        assert len(tree) <= limit or len(different) == 1
        assert len(tree) <= sum(len(build_tree(question)) for question in family)
    expected = {
        (question.index, option): (context, continuation)
        for question in questions
        for option, (context, continuation) in enumerate(zip(question.contexts, question.continuations, strict=True))
    }
    for layout in (trees, [part for tree in trees for half in halves(tree) for part in halves(half)]):
        batches = cut_batches(fill_rows(layout, aligned_row(row, prefix)), 4 * row, prefix)
        found = Counter(asked for batch in batches for asked in batch.slots)
        assert found == Counter(list(expected))
        for batch in batches:
            _assert_spells(batch, expected)
            _assert_reads_end_their_parts(batch, prefix)


def _assert_spells(batch: PackedBatch, expected: dict[tuple[int, int], tuple[Tokens, Tokens]]) -> None:
    """What the token at each place read can see, with the token wanted there, is context and continuation."""
    by_slot: dict[int, list[tuple[Tokens, int]]] = {}
    for at, token, slot in batch.reads.tolist():
        row, column = divmod(int(batch.places[at]), batch.tokens.shape[1])
        here = slice(0, column + 1)
        branch = batch.branch[row, here]
        seen = (batch.question[row, here] == batch.question[row, column]) & ((branch == 0) | (branch == branch[-1]))
        assert batch.depth[row, here][seen].tolist() == list(range(int(seen.sum())))
        by_slot.setdefault(slot, []).append((batch.tokens[row, here][seen].tolist(), token))
    for slot, asked in enumerate(batch.slots):
        context, continuation = expected[asked]
        whole = context + continuation
        assert by_slot[slot] == [(whole[:place], whole[place]) for place in range(len(context), len(whole))]


def _assert_reads_end_their_parts(batch: PackedBatch, prefix_length: int) -> None:
    parts = cut_parts(batch, prefix_length)
    read = np.zeros(len(parts.tokens), dtype=int)
    read[parts.places] = 1
    for part in np.split(read, parts.starts[1:-1]):
        assert (np.diff(part) >= 0).all()


def all_kinds_of_families() -> list[ChoicePrompt]:
    """A passage with questions, one that is all of another's beginning, equal ones, and others of the same prefix."""
    asked = passage_prompts([3, 9, 1, 6])
    whole = make_prompt("whole/0", SHOTS, (PASSAGE + "The end. Answer:",), BARE_LETTERS)
    longer = make_prompt("whole/1", SHOTS, (PASSAGE + "The end. Answer: B. And then? Answer:",), BARE_LETTERS)
    equal = [
        make_prompt(f"equal/{number}", SHOTS, asked[1].contexts, BARE_LETTERS, answer=number) for number in range(2)
    ]
    short = [make_prompt(f"short/{number}", SHOTS, ("Yes?",), BARE_LETTERS[: number + 2]) for number in range(2)]
    endings = [
        make_prompt(f"ending/{number}", SHOTS, (PASSAGE + "He saw",), (" a mill", " the old roof", " it"), "cloze")
        for number in range(2)
    ]
    equal_in_two_tokens = make_prompt("equal/2", SHOTS, asked[1].contexts, (" A", " C"))
    others = [equal_in_two_tokens, *letter_prompts([4, 30]), *cloze_prompts([3], prefix=SHOTS)]
    return [*asked[:2], longer, *equal, *others, whole, *short, *endings, *asked[2:]]


@pytest.mark.parametrize("by_parts", [False, True])
@pytest.mark.parametrize("budget", [None, 300, 150, 40])
@pytest.mark.parametrize("architecture", ["qwen2", "mistral", "gemma3"])
def test_score_choices_families_equal_plain_forward(
    architecture: Architecture, budget: int | None, by_parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_parts:
        monkeypatch.setattr(attention, "fits", lambda *_: True)
        monkeypatch.setattr(attention, "pays", lambda *_: True)
        monkeypatch.setattr(attention, "sequences", plain_sequences)
    model: Any = add_tiny_adapter(tiny_model(architecture, attention="sdpa"))
    assert_exact(model, tiny_tokenizer(), all_kinds_of_families(), budget)


def test_plan_choices_families_save_tokens_and_leave_prompts_as_they_are() -> None:
    prompts, tokenizer = all_kinds_of_families(), tiny_tokenizer()
    plan = plan_choices(tokenizer, prompts)
    trees = [tree for group in plan.groups for batch in group.batches for tree in batch.trees]
    passage = len(tokenizer(PASSAGE)["input_ids"])
    lengths = {prompt.question.id: len(tokenizer(SHOTS + prompt.contexts[0])["input_ids"]) for prompt in prompts}
    assert sorted(len(tree.questions) for tree in trees)[-2:] == [2, 8]
    assert sum(map(len, trees)) < sum(lengths.values()) - 7 * passage
    answers = score(tiny_model("qwen2"), tokenizer, prompts)
    assert {name: answer.prompt_tokens for name, answer in answers.items()} == lengths


def test_plan_choices_budget_of_fewer_tokens_than_a_passage_has_no_families() -> None:
    plan = plan_choices(tiny_tokenizer(), passage_prompts([3, 9, 1, 6]), token_budget=40)
    assert all(len(tree.questions) == 1 for group in plan.groups for batch in group.batches for tree in batch.trees)
