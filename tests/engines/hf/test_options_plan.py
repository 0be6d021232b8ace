"""Plans of multiple choice: what is packed when, and that it is what packing everything at once gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from paretune.engines.base import OptionLogprobs
from paretune.engines.hf.forward import ChoiceModel
from paretune.engines.hf.options import plan_choices, score_plan
from paretune.engines.hf.packing import PackedBatch, aligned_row, build_tree, cut_batches, fill_rows, find_families
from paretune.engines.hf.tokens import Tokens, encode_prompts
from paretune.records import ChoicePrompt
from tests.engines.hf.plain_choice import cloze_prompts, letter_prompts, passage_prompts
from tests.tiny_models import tiny_model, tiny_tokenizer

BUDGET, ROW = 192, 64


def prompts_of_subjects() -> list[ChoicePrompt]:
    """Three prefixes that several questions share, their questions in turn, and two that one question has."""
    shared = [
        letter_prompts([5, 9, 2, 30, 7, 7]),
        letter_prompts([4, 8, 1], prefix="Short.\n\n", subject="fish"),
        passage_prompts([3, 6, 1], prefix="Not as short.\n\n"),
    ]
    in_turn = [prompt for place in range(6) for group in shared for prompt in group[place : place + 1]]
    alone = [letter_prompts([4], prefix=f"Only {name}.\n\n", subject=name) for name in ("one", "other")]
    return [*alone[0], *in_turn, *cloze_prompts([3, 8, 1]), *alone[1]]


def packed_at_once(prompts: Sequence[ChoicePrompt]) -> list[tuple[Tokens, list[PackedBatch]]]:
    """Every prefix with its batches, from one encoding of all prompts."""
    found = []
    for group in sorted(encode_prompts(tiny_tokenizer(), prompts), key=lambda group: len(group.prefix)):
        trees = [build_tree(*family) for family in find_families(group.questions, BUDGET)]
        rows = fill_rows(trees, aligned_row(ROW, len(group.prefix)))
        found.append((group.prefix, cut_batches(rows, BUDGET, len(group.prefix))))
    return found


def test_plan_is_to_the_bit_what_packing_everything_at_once_gives() -> None:
    prompts = prompts_of_subjects()
    plan = plan_choices(tiny_tokenizer(), prompts, token_budget=BUDGET, row_tokens=ROW)
    expected = packed_at_once(prompts)
    assert [group.prefix for group in plan.groups] == [prefix for prefix, _ in expected]
    for group, (_, batches) in zip(plan.groups, expected, strict=True):
        for ours, theirs in zip(group.batches, batches, strict=True):
            assert ours.slots == theirs.slots
            for name in ("tokens", "depth", "question", "branch", "places", "reads"):
                assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert plan.n_tokens == sum(batch.n_tokens for _, batches in expected for batch in batches)
    assert plan.n_prefix_tokens == sum(len(prefix) for prefix, _ in expected)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What scoring does, in order: "pack" for the questions of a prefix, "read" for the forward of a batch."""
    done: list[str] = []
    read = ChoiceModel.read

    def packing(*args: Any) -> Any:
        done.append("pack")
        return encode_prompts(*args)

    def reading(*args: Any) -> Any:
        done.append("read")
        return read(*args)

    monkeypatch.setattr("paretune.engines.hf.options.encode_prompts", packing)
    monkeypatch.setattr(ChoiceModel, "read", reading)
    return done


def test_questions_are_packed_behind_the_first_forward_of_the_prefix_before(events: list[str]) -> None:
    prompts = [prompt for prompt in prompts_of_subjects() if not prompt.prefix.startswith("Only")]
    plan = plan_choices(tiny_tokenizer(), prompts, token_budget=BUDGET, row_tokens=ROW)
    assert events == []
    answers: dict[int, OptionLogprobs] = {}
    model = tiny_model("qwen2")
    score_plan(model, plan, answers.__setitem__)
    assert len(answers) == len(prompts)
    assert events[:4] == ["pack", "read", "pack", "read"]
    assert events.count("pack") == len(plan.shares) == 4
    assert events[-1] == "read"
    events.clear()
    score_plan(model, plan, answers.__setitem__)  # as for the next adapter
    assert set(events) == {"read"}


def test_questions_of_a_prefix_that_are_all_answered_are_not_packed(events: list[str]) -> None:
    prompts = prompts_of_subjects()[1:-1]
    plan = plan_choices(tiny_tokenizer(), prompts, token_budget=BUDGET, row_tokens=ROW)
    answered = {index for index, prompt in enumerate(prompts) if prompt.prefix != "Short.\n\n"}
    answers: dict[int, OptionLogprobs] = {}
    score_plan(tiny_model("qwen2"), plan, answers.__setitem__, answered)
    assert answers.keys() == set(range(len(prompts))) - answered
    assert events.count("pack") == 1
