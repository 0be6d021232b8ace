"""Shared-prefix scoring against one plain forward an option, for every architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.engines.hf.options import plan_choices, score_plan
from paretune.records import ChoiceAnswer, ChoicePrompt
from tests.engines.asked import score_choices
from tests.engines.hf.plain_choice import SHOTS, cloze_prompts, letter_prompts, make_prompt, plain_log_probabilities
from tests.tiny_models import (
    ARCHITECTURES,
    SLIDING_WINDOW,
    Architecture,
    add_tiny_adapter,
    tiny_model,
    tiny_tokenizer,
)

# The plain log-probabilities are sums of float32 log-softmax values; so are ours.
TOLERANCE = 1e-4


def score(
    model: Any, tokenizer: Any, prompts: Sequence[ChoicePrompt], token_budget: int | None = None
) -> dict[str, ChoiceAnswer]:
    answers: dict[str, ChoiceAnswer] = {}

    def keep(answer: ChoiceAnswer) -> None:
        assert answer.id not in answers, "answered twice"
        answers[answer.id] = answer

    score_choices(
        model, tokenizer, prompts, suite="suite", variant="baseline", token_budget=token_budget, on_answer=keep
    )
    assert set(answers) == {prompt.question.id for prompt in prompts}
    return answers


def assert_exact(model: Any, tokenizer: Any, prompts: Sequence[ChoicePrompt], token_budget: int | None = None) -> None:
    answers = score(model, tokenizer, prompts, token_budget)
    for prompt in prompts:
        expected = plain_log_probabilities(model, tokenizer, prompt)
        assert answers[prompt.question.id].log_probabilities == pytest.approx(expected, abs=TOLERANCE)


def many_kinds() -> list[ChoicePrompt]:
    """Letters and texts, long and short, with shots, without, alone, and with a context an option."""
    return [
        *letter_prompts([3, 25, 1, 9]),
        *letter_prompts([4, 8], prefix="Short.\n\n", subject="fish"),
        *letter_prompts([5], prefix="Alone.\n\n", subject="moss"),
        *cloze_prompts([1, 12, 4]),
        *cloze_prompts([3, 5], prefix=SHOTS, subject="after-shots"),
        make_prompt("gap/0", "Choose.\n\n", ("the cat is", "the big dog is"), (" red and", " red and"), "cloze"),
        make_prompt("gap/1", "Choose.\n\n", ("a cat saw her", "a dog saw her"), (" run.", " run."), "cloze"),
        make_prompt("spaces/0", SHOTS, ("Trailing spaces move:  ",), ("one", "two words"), "cloze"),
    ]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_score_choices_every_architecture_equals_plain_forward(architecture: Architecture, attention: str) -> None:
    try:
        model = tiny_model(architecture, attention=attention)
    except ValueError as error:  # Gemma 2 with sdpa, from transformers 5.23 on
        pytest.skip(str(error)[:90])
    assert_exact(model, tiny_tokenizer(), many_kinds(), token_budget=150)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_score_choices_with_adapter_equals_plain_forward(architecture: Architecture) -> None:
    tuned = add_tiny_adapter(tiny_model(architecture))
    assert_exact(tuned, tiny_tokenizer(), many_kinds())


def test_score_choices_adapter_on_head_and_embedding_equals_plain_forward() -> None:
    tuned = add_tiny_adapter(tiny_model("llama"), targets=["q_proj", "lm_head", "embed_tokens"])
    assert_exact(tuned, tiny_tokenizer(), many_kinds())


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mistral"])
def test_score_choices_tokenizer_with_bos_equals_plain_forward(architecture: Architecture) -> None:
    tokenizer = tiny_tokenizer(adds_bos=True)
    no_context = make_prompt("bare/0", "", ("",), ("two words", " other"), "cloze")
    assert_exact(tiny_model(architecture), tokenizer, [*many_kinds(), no_context])


def test_score_choices_prompt_beginning_with_bos_gets_no_second_one() -> None:
    tokenizer, model = tiny_tokenizer(adds_bos=True), tiny_model("llama")
    plain = letter_prompts([4, 9])
    templated = letter_prompts([4, 9], prefix="<s>" + SHOTS)
    without, own = score(model, tokenizer, plain), score(model, tokenizer, templated)
    for name, answer in without.items():
        assert own[name].log_probabilities == pytest.approx(answer.log_probabilities, abs=TOLERANCE)
        assert own[name].prompt_tokens == answer.prompt_tokens


def test_score_choices_text_that_joins_across_the_prefix_equals_plain_forward() -> None:
    """The prefix ends inside a token of the whole text, so its own tokens are not a head of the whole's."""
    prompts = [
        make_prompt(f"join/{number}", "The following are mul", (f"tiple choice {number}:",), (" A", " B"))
        for number in range(3)
    ]
    assert_exact(tiny_model("qwen2"), tiny_tokenizer(), prompts)


def test_score_choices_continuation_that_joins_its_context_equals_plain_forward() -> None:
    prompts = [
        make_prompt(f"join/{number}", SHOTS, (f"Say {number}: conc",), ("ert hall", "at"), "cloze") for number in (1, 2)
    ]
    assert_exact(tiny_model("qwen2"), tiny_tokenizer(), prompts)


@pytest.mark.parametrize("architecture", ["mistral", "gemma2", "qwen2"])
@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    endings=st.lists(st.integers(0, 20), max_size=4),
    shots=st.integers(0, 3),
    budget=st.integers(1, 600),
)
def test_score_choices_any_lengths_and_budget_equals_plain_forward(
    architecture: Architecture, lengths: list[int], endings: list[int], shots: int, budget: int
) -> None:
    prompts = [*letter_prompts(lengths, prefix=SHOTS * shots), *cloze_prompts(endings, prefix=SHOTS[: 30 * shots])]
    assert_exact(_MODELS[architecture], _TOKENIZER, prompts, budget)


_MODELS: dict[str, Any] = {name: tiny_model(name) for name in ARCHITECTURES if name in ("mistral", "gemma2", "qwen2")}
_TOKENIZER = tiny_tokenizer()


def test_sliding_window_shorter_than_the_prompts_matters_to_the_answer() -> None:
    """Else the window tests above would pass on a mask that ignores it."""
    prompts = letter_prompts([9])
    windowed = score(tiny_model("mistral"), _TOKENIZER, prompts)["birds/0"]
    unlimited = score(tiny_model("mistral", sliding_window=None), _TOKENIZER, prompts)["birds/0"]
    assert windowed.prompt_tokens > 10 * SLIDING_WINDOW
    assert max(abs(a - b) for a, b in zip(windowed.log_probabilities, unlimited.log_probabilities, strict=True)) > 0.1


def test_score_plan_reused_for_two_adapters_equals_each_scored_alone() -> None:
    prompts = many_kinds()
    tuned = add_tiny_adapter(tiny_model("qwen2"), name="first")
    tuned = add_tiny_adapter(tuned, name="second", seed=7)
    plan = plan_choices(_TOKENIZER, prompts)
    for name in ("first", "second"):
        tuned.set_adapter(name)
        values: dict[str, tuple[float, ...]] = {}
        score_plan(tuned, plan, lambda place, options: values.update({prompts[place].question.id: options.values}))  # noqa: B023  called at once
        alone = score(tuned, _TOKENIZER, prompts)
        assert values == {name: answer.log_probabilities for name, answer in alone.items()}


def test_score_choices_bfloat16_stays_near_plain_float32() -> None:
    import torch

    prompts = letter_prompts([3, 9])
    half = tiny_model("qwen2").to(torch.bfloat16)
    for name, answer in score(half, _TOKENIZER, prompts).items():
        prompt = next(prompt for prompt in prompts if prompt.question.id == name)
        expected = plain_log_probabilities(_MODELS["qwen2"], _TOKENIZER, prompt)
        assert answer.log_probabilities == pytest.approx(expected, abs=0.5)
