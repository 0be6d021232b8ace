from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from paretune.engines.hf import written_choice
from paretune.errors import EngineError
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt
from tests.engines.asked import score_choices
from tests.engines.hf.plain_choice import SHOTS, letter_prompts
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model, tiny_tokenizer


def written(model: Any, tokenizer: Any, prompts: list[ChoicePrompt]) -> dict[str, ChoiceAnswer]:
    answers: list[ChoiceAnswer] = []
    score_choices(model, tokenizer, prompts, suite="suite", variant="baseline", on_answer=answers.append)
    assert len(answers) == len(prompts)
    return {answer.id: answer for answer in answers}


def generate_prompts() -> list[ChoicePrompt]:
    prompts = [
        *letter_prompts([3, 20, 1]),
        *letter_prompts([4], prefix="", subject="bare"),
        *letter_prompts([2, 6], prefix="The following are mul", subject="joined"),
    ]
    return [replace(prompt, method="generate") for prompt in prompts]


def alone(model: Any, tokenizer: Any, prompt: ChoicePrompt) -> str:
    """transformers' own greedy generation, one prompt at a time."""
    import torch

    tokens = torch.tensor([tokenizer(prompt.prefix + prompt.contexts[0])["input_ids"]])
    found = model.generate(
        input_ids=tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=16, do_sample=False, eos_token_id=1
    )
    return str(tokenizer.decode(found[0, tokens.shape[1] :], skip_special_tokens=True))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_generate_choices_every_architecture_equals_generate_alone(architecture: Architecture) -> None:
    model, tokenizer = tiny_model(architecture), tiny_tokenizer()
    answers = written(model, tokenizer, generate_prompts())
    for prompt in generate_prompts():
        assert answers[prompt.question.id].text == alone(model, tokenizer, prompt)


def test_generate_choices_with_adapter_and_bos_equals_generate_alone() -> None:
    model, tokenizer = add_tiny_adapter(tiny_model("gemma3")), tiny_tokenizer(adds_bos=True)
    answers = written(model, tokenizer, generate_prompts())
    for prompt in generate_prompts():
        assert answers[prompt.question.id].text == alone(model, tokenizer, prompt)


def test_generate_choices_babble_is_no_answer() -> None:
    answers = written(tiny_model("llama"), tiny_tokenizer(), generate_prompts())
    assert {answer.outcome for answer in answers.values()} == {ChoiceOutcome.NO_ANSWER}
    assert all(answer.predicted is None and not answer.correct for answer in answers.values())


def test_generate_choices_letter_written_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tiny_tokenizer()
    tokens = tokenizer(" B", add_special_tokens=False)["input_ids"]
    monkeypatch.setattr(written_choice, "_continue", lambda model, prefix, contexts, *_: [tokens] * len(contexts))
    answers = written(tiny_model("llama"), tokenizer, generate_prompts()[:3])
    assert [answers[f"birds/{number}"].outcome for number in range(3)] == ["wrong", "correct", "wrong"]


def test_generate_choices_too_large_for_memory_names_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(written_choice, "_continue", exhausted)
    with pytest.raises(EngineError, match="birds/0"):
        written(tiny_model("llama"), tiny_tokenizer(), [replace(letter_prompts([3], SHOTS)[0], method="generate")])
