"""Verdicts, resumption, memory and refusals of multiple-choice scoring."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from paretune.choice.verdict import judge
from paretune.engines.hf.forward import ChoiceModel, DeviceBatch
from paretune.errors import EngineError, PromptError, ScoringError
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt
from tests.engines.asked import score_choices
from tests.engines.hf.plain_choice import cloze_prompts, letter_prompts, make_prompt, passage_prompts
from tests.engines.hf.test_options_exact import score
from tests.tiny_models import tiny_model, tiny_tokenizer


def test_judge_letter_takes_the_most_probable_and_sums_the_mass() -> None:
    prompt = make_prompt("s/0", "", ("Q",), (" A", " B"), answer=1)
    answer = judge(prompt, (-2.0, -1.0), "suite", "run-1", prompt_tokens=7)
    assert (answer.outcome, answer.correct, answer.predicted) == (ChoiceOutcome.CORRECT, True, 1)
    assert answer.letter_mass == pytest.approx(0.5032, abs=1e-4)
    assert answer.correct_raw is None
    assert (answer.suite, answer.variant, answer.prompt_tokens) == ("suite", "run-1", 7)


def test_judge_cloze_divides_by_bytes_without_the_separating_space() -> None:
    prompt = make_prompt("s/0", "", ("Q",), (" ab", " açãoção"), "cloze", answer=1)
    answer = judge(prompt, (-2.0, -9.9), "suite", "run-1", prompt_tokens=1)
    assert answer.correct  # 11 bytes: -0.9 a byte against -1.0
    assert answer.correct_raw is False
    assert answer.letter_mass is None
    assert not judge(prompt, (-2.0, -11.1), "suite", "run-1", prompt_tokens=1).correct


def test_judge_equal_options_takes_the_first() -> None:
    prompt = make_prompt("s/0", "", ("Q",), (" A", " B"), answer=1)
    assert judge(prompt, (-1.0, -1.0), "suite", "v", prompt_tokens=1).predicted == 0


def test_judge_not_a_number_is_failed_and_names_no_option() -> None:
    prompt = make_prompt("s/0", "", ("Q",), (" A", " B"))
    answer = judge(prompt, (float("nan"), -1.0), "suite", "v", prompt_tokens=1)
    assert (answer.outcome, answer.correct, answer.predicted) == (ChoiceOutcome.FAILED, False, None)
    assert answer.log_probabilities == ()


def test_score_choices_same_prompts_twice_gives_the_same_order_and_numbers() -> None:
    prompts = [*letter_prompts([5, 9, 2, 30]), *cloze_prompts([3, 8])]
    first, second = (list(score(tiny_model("qwen2"), tiny_tokenizer(), prompts, 128).values()) for _ in range(2))
    assert first == second


def mixed_prompts() -> list[ChoicePrompt]:
    """Enough for several batches, in two groups of one prefix forward, with families and a written part."""
    written = [replace(prompt, method="generate") for prompt in letter_prompts([6, 2, 11], subject="written")]
    return [
        *letter_prompts([5, 9, 2, 30, 7, 7]),
        *letter_prompts([4, 8, 1], prefix="Short.\n\n", subject="fish"),
        *passage_prompts([3, 6, 1], prefix="Short.\n\n"),
        *cloze_prompts([3, 8, 1]),
        *written,
    ]


@pytest.mark.parametrize("n_kept", [1, 4, 8, 11, 13, 14, 16, 17])
def test_score_choices_killed_and_resumed_equals_an_uninterrupted_run_to_the_bit(n_kept: int) -> None:
    prompts, model, tokenizer = mixed_prompts(), tiny_model("qwen2"), tiny_tokenizer()
    whole: list[ChoiceAnswer] = []
    settings: dict[str, Any] = {"suite": "suite", "variant": "baseline", "token_budget": 192}
    score_choices(model, tokenizer, prompts, on_answer=whole.append, **settings)
    kept: list[ChoiceAnswer] = []

    def until_killed(answer: ChoiceAnswer) -> None:
        kept.append(answer)
        if len(kept) == n_kept:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_choices(model, tokenizer, prompts, on_answer=until_killed, **settings)
    answered = {(answer.method, answer.id) for answer in kept}
    score_choices(model, tokenizer, prompts, answered=answered, on_answer=kept.append, **settings)
    assert kept == whole  # dataclasses of floats: equal to the last bit, and in the same order


def test_score_choices_resumed_computes_only_batches_with_missing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts, model, tokenizer = letter_prompts([5, 9, 2, 30, 7, 7]), tiny_model("qwen2"), tiny_tokenizer()
    sizes = _limit_memory(monkeypatch, 10**6)
    whole: list[ChoiceAnswer] = []
    settings: dict[str, Any] = {"suite": "suite", "variant": "baseline", "token_budget": 64}
    score_choices(model, tokenizer, prompts, on_answer=whole.append, **settings)
    n_whole = len(sizes)
    answered = {(answer.method, answer.id) for answer in whole}
    score_choices(model, tokenizer, prompts, answered=answered, on_answer=whole.append, **settings)
    assert (len(sizes), len(whole)) == (n_whole, len(prompts))
    answered.discard((whole[2].method, whole[2].id))
    score_choices(model, tokenizer, prompts, answered=answered, on_answer=whole.append, **settings)
    assert len(sizes) == n_whole + 1
    assert whole[-1] == whole[2]


def _limit_memory(monkeypatch: pytest.MonkeyPatch, largest: int) -> list[int]:
    """Forwards over more places than `largest` run out of memory; returns the sizes that went through."""
    import torch

    sizes: list[int] = []
    read = ChoiceModel.read

    def limited(self: ChoiceModel, batch: DeviceBatch, prefix: Any) -> Any:
        if batch.packed.n_tokens > largest:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(batch.packed.n_tokens)
        return read(self, batch, prefix)

    monkeypatch.setattr(ChoiceModel, "read", limited)
    return sizes


def test_score_choices_out_of_memory_halves_batches_and_answers_all(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [*letter_prompts([5, 9, 2, 30]), *cloze_prompts([3, 8, 12])]
    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    expected = score(model, tokenizer, prompts)
    sizes = _limit_memory(monkeypatch, 200)
    answers = score(model, tokenizer, prompts)
    assert len(sizes) > 4
    for name, answer in answers.items():
        assert answer.log_probabilities == pytest.approx(expected[name].log_probabilities, abs=1e-4)


def test_score_choices_family_too_large_for_memory_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = passage_prompts([2, 4, 3, 6, 2])
    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    expected = score(model, tokenizer, prompts)
    sizes = _limit_memory(monkeypatch, 215)  # two of the five questions with the passage once
    answers = score(model, tokenizer, prompts)
    assert len(sizes) == 3
    for name, answer in answers.items():
        assert answer.log_probabilities == pytest.approx(expected[name].log_probabilities, abs=1e-4)


def test_score_choices_question_of_a_family_too_large_for_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _limit_memory(monkeypatch, 160)
    with pytest.raises(EngineError, match=r"mill/1: its .* do not fit the memory"):
        score(tiny_model("qwen2"), tiny_tokenizer(), passage_prompts([2, 40, 3]))


def test_score_choices_family_longer_than_the_context_names_its_longest_question() -> None:
    model = tiny_model("llama", max_position_embeddings=170)
    with pytest.raises(PromptError, match=r"mill/1: \d+ tokens, but the model's context holds 170"):
        score(model, tiny_tokenizer(), passage_prompts([2, 20, 3], prefix="Short.\n\n"))


def test_score_choices_options_too_many_for_memory_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    options = tuple(" " + "word after word " * (4 + number) for number in range(4))
    prompts = [make_prompt("long/0", "", ("Say",), options, "cloze")]
    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    expected = score(model, tokenizer, prompts)["long/0"]
    sizes = _limit_memory(monkeypatch, 130)
    found = score(model, tokenizer, prompts)["long/0"]
    assert len(sizes) > 1
    assert found.log_probabilities == pytest.approx(expected.log_probabilities, abs=1e-4)


def test_score_choices_one_question_too_large_for_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _limit_memory(monkeypatch, 100)
    with pytest.raises(EngineError, match=r"birds/1: its .* do not fit the memory"):
        score(tiny_model("qwen2"), tiny_tokenizer(), letter_prompts([2, 60, 3]))


def test_score_choices_prefix_too_large_for_memory_names_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(self: ChoiceModel, prefixes: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(ChoiceModel, "prefix_caches", exhausted)
    with pytest.raises(EngineError, match="birds/"):
        score(tiny_model("qwen2"), tiny_tokenizer(), letter_prompts([2, 3]))


def test_score_choices_other_errors_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ChoiceModel, batch: Any, prefix: Any) -> Any:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(ChoiceModel, "read", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        score(tiny_model("qwen2"), tiny_tokenizer(), letter_prompts([2, 3]))


def test_score_choices_longer_than_the_context_is_refused_by_name() -> None:
    model = tiny_model("llama", max_position_embeddings=200)
    with pytest.raises(PromptError, match=r"birds/2: \d+ tokens, but the model's context holds 200"):
        score(model, tiny_tokenizer(), letter_prompts([1, 2, 90], prefix="Short.\n\n"))


def test_score_choices_model_in_training_mode_is_refused() -> None:
    with pytest.raises(ScoringError, match="training mode"):
        score(tiny_model("llama").train(), tiny_tokenizer(), letter_prompts([1]))


def test_score_choices_option_without_a_token_is_refused_by_name() -> None:
    with pytest.raises(PromptError, match="empty/0: option 1"):
        score(tiny_model("llama"), tiny_tokenizer(), [make_prompt("empty/0", "", ("Say:",), (" A", ""))])


def test_score_choices_layers_of_unknown_kind_are_refused() -> None:
    model = tiny_model("qwen2")
    model.config.layer_types = ["chunked_attention", "full_attention"]
    with pytest.raises(ScoringError, match="chunked_attention"):
        score(model, tiny_tokenizer(), letter_prompts([1]))


def test_choice_model_head_in_slices_equals_head_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = cloze_prompts([3, 8, 12])
    model, tokenizer = tiny_model("gemma3"), tiny_tokenizer()
    expected = score(model, tokenizer, prompts)
    monkeypatch.setattr(ChoiceModel, "head_places", lambda self: 3)
    for name, answer in score(model, tokenizer, prompts).items():
        assert answer.log_probabilities == pytest.approx(expected[name].log_probabilities, abs=1e-5)
