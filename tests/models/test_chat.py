from __future__ import annotations

from typing import Any

import pytest

from paretune.errors import PromptError
from paretune.models.chat import Message, completion, encode, render, stop_token_ids
from tests.tiny_models import BOS, CHAT_TEMPLATE, EOS, PAD, tiny_tokenizer

MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] | trim }}{{ eos_token }}{% endif %}{% endfor %}"
)
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}<|start|>{{ m['role'] }}<|end|>\n\n{{ m['content'] | trim }}<|eot|>"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant<|end|>\n\n{% endif %}"
)
LINE_BEFORE_END = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}\n<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['role'] == 'assistant' %}<think>\n\n</think>\n\n"
    "{% endif %}{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
# name: template, end-of-turn token, what stands before the answer in a completion, beginning-of-sequence tokens
FAMILIES: dict[str, tuple[str | None, str, str, int]] = {
    "chatml": (CHAT_TEMPLATE, "<|im_end|>", "", 0),
    "mistral": (MISTRAL, EOS, " ", 1),
    "llama3": (LLAMA_3, "<|eot|>", "", 1),
    "thinking": (THINKING, "<|im_end|>", "", 0),
    "line-before-end": (LINE_BEFORE_END, "\n<|im_end|>", "", 0),
    "none": (None, EOS, "", 1),
}
ANSWER = "SELECT name FROM singer WHERE note = 'a  b' AND year > 2014"
ONE: list[Message] = [{"role": "user", "content": "CREATE TABLE singer (id INTEGER);\n\nQuestion: which é?"}]
SHOTS: list[Message] = [
    {"role": "user", "content": "Question: how many?"},
    {"role": "assistant", "content": "SELECT count(*) FROM concert"},
    *ONE,
]


def tokenizer_of(family: str, *, adds_bos: bool = True) -> Any:
    tokenizer = tiny_tokenizer(adds_bos=adds_bos)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|start|>", "<|end|>", "<|eot|>"]})
    tokenizer.chat_template = FAMILIES[family][0]
    return tokenizer


@pytest.mark.parametrize("messages", [ONE, SHOTS], ids=["plain", "few-shot"])
@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_has_at_most_one_bos_and_only_in_front(family: str, messages: list[Message]) -> None:
    for adds_bos in (True, False):
        tokenizer = tokenizer_of(family, adds_bos=adds_bos)
        expected = FAMILIES[family][3] if family != "none" or adds_bos else 0
        prompt = render(tokenizer, messages)
        ids = encode(tokenizer, prompt)
        assert ids.count(tokenizer.bos_token_id) == expected
        assert (ids[0] == tokenizer.bos_token_id) == bool(expected)
        assert encode(tokenizer, prompt + completion(tokenizer, messages, ANSWER)).count(0) == expected


@pytest.mark.parametrize("messages", [ONE, SHOTS], ids=["plain", "few-shot"])
@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "none"])
def test_prompt_tokens_are_those_of_the_library(family: str, messages: list[Message]) -> None:
    tokenizer = tokenizer_of(family)
    expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True, enable_thinking=False)
    assert encode(tokenizer, render(tokenizer, messages)) == list(expected["input_ids"])


@pytest.mark.parametrize("messages", [ONE, SHOTS], ids=["plain", "few-shot"])
@pytest.mark.parametrize("family", FAMILIES)
def test_completion_is_the_answer_and_its_end_of_turn(family: str, messages: list[Message]) -> None:
    _, ending, before, _ = FAMILIES[family]
    assert completion(tokenizer_of(family), messages, ANSWER) == before + ANSWER + ending


@pytest.mark.parametrize("messages", [ONE, SHOTS], ids=["plain", "few-shot"])
@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_of_prompt_and_completion_are_those_of_the_whole(family: str, messages: list[Message]) -> None:
    tokenizer = tokenizer_of(family)
    prompt, answer = render(tokenizer, messages), completion(tokenizer, messages, ANSWER)
    if not prompt.endswith("\n\n"):  # GPT-2's rule splits two line ends before a letter; the families with them do not
        assert encode(tokenizer, prompt) + encode(tokenizer, answer) == encode(tokenizer, prompt + answer)
    if tokenizer.chat_template is not None:
        whole = tokenizer.apply_chat_template([*messages, {"role": "assistant", "content": ANSWER}], tokenize=False)
        assert family == "thinking" or whole.startswith(prompt + answer)


@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_for_an_answer_starts_like_the_training_row(family: str) -> None:
    """What is shown as a solved example is what a training row looks like."""
    tokenizer = tokenizer_of(family)
    row = render(tokenizer, SHOTS[:1]) + completion(tokenizer, SHOTS[:1], SHOTS[1]["content"])
    shown = render(tokenizer, SHOTS)
    if family == "none":
        row = row.removesuffix(EOS)
    assert family == "thinking" or shown.startswith(row)


@pytest.mark.parametrize("family", FAMILIES)
def test_stop_tokens_hold_the_end_of_turn_and_nothing_else(family: str) -> None:
    tokenizer = tokenizer_of(family)

    class Declared:
        eos_token_id: Any = None

    expected = {tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(FAMILIES[family][1].strip())}
    assert stop_token_ids(tokenizer, Declared()) == sorted(expected)
    assert set(encode(tokenizer, completion(tokenizer, ONE, ANSWER))[-1:]) <= expected
    Declared.eos_token_id = 7
    assert set(stop_token_ids(tokenizer, Declared())) == expected | {7}
    Declared.eos_token_id = [7, 9]
    assert set(stop_token_ids(tokenizer, Declared())) == expected | {7, 9}


def test_stop_tokens_of_a_template_whose_turn_holds_a_b() -> None:
    tokenizer = tokenizer_of("chatml")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|bot_b|>"]})
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<|im_end|>", "<|bot_b|>")

    class Declared:
        eos_token_id = None

    assert tokenizer.convert_tokens_to_ids("<|bot_b|>") in stop_token_ids(tokenizer, Declared())
    assert set(stop_token_ids(tokenizer, Declared())) == {1, tokenizer.convert_tokens_to_ids("<|bot_b|>")}


def test_completion_without_any_end_in_the_template_takes_the_end_token() -> None:
    tokenizer = tokenizer_of("chatml")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    assert completion(tokenizer, ONE, ANSWER) == ANSWER + EOS


def test_completion_where_the_template_rewrites_the_answer_is_still_the_answer() -> None:
    tokenizer = tokenizer_of("chatml")
    tokenizer.chat_template = CHAT_TEMPLATE.replace("message['content']", "message['content'] | upper")
    assert completion(tokenizer, ONE, "select 1") == "select 1" + EOS


def test_completion_found_after_the_prompt_not_in_it() -> None:
    tokenizer = tokenizer_of("chatml")
    messages = [{"role": "user", "content": f"say {ANSWER}"}]
    assert completion(tokenizer, messages, ANSWER) == ANSWER + "<|im_end|>"


def test_text_is_read_back_from_its_tokens() -> None:
    tokenizer = tokenizer_of("none")
    text = render(tokenizer, SHOTS, cue="SQL")
    assert tokenizer.decode(encode(tokenizer, text)) == text
    assert text.startswith(BOS)
    assert PAD not in text


def test_template_that_refuses_is_a_prompt_error() -> None:
    tokenizer = tokenizer_of("chatml")
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(PromptError, match=r"chat template refuses the conversation \(roles must alternate\)"):
        render(tokenizer, ONE)
