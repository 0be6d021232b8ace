"""Messages to the exact text a model reads, with its chat template where it has one.

A rendered prompt is complete: it holds the beginning-of-sequence token as text wherever the model wants one, and is
always tokenised with add_special_tokens=False, so that there is never a second one. Training and evaluation share
`render` and `encode`; a training row is the rendered prompt followed by `completion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from paretune.errors import PromptError

Message = dict[str, str]


def render(tokenizer: Any, messages: Sequence[Message], cue: str = "Answer") -> str:
    """The text up to where the model answers. messages alternate between user and assistant, user last.

    cue: the word before an answer where the tokenizer has no template. Raises PromptError where the tokenizer's
    template refuses the messages.
    """
    if tokenizer.chat_template is None:
        turns = [
            message["content"] if message["role"] == "user" else f"{cue}:\n{message['content']}" for message in messages
        ]
        return _beginning(tokenizer) + "\n\n".join(turns) + f"\n\n{cue}:\n"
    return _apply(tokenizer, messages, add_generation_prompt=True)


def completion(tokenizer: Any, messages: Sequence[Message], answer: str) -> str:
    """What follows `render(tokenizer, messages)` when the model answers so: the answer and its end of turn."""
    if tokenizer.chat_template is None:
        return answer + (tokenizer.eos_token or "")
    prompt = render(tokenizer, messages)
    whole = _apply(tokenizer, [*messages, {"role": "assistant", "content": answer}], add_generation_prompt=False)
    place = whole.find(answer, len(prompt)) if whole.startswith(prompt) else -1
    if place < 0:
        return answer + (tokenizer.eos_token or "")
    ending = whole[place + len(answer) :]
    return whole[len(prompt) : place + len(answer)] + _first_special(tokenizer, ending)


def encode(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a rendered text."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def encode_all(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of rendered texts, computed by all processors together."""
    return [list(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]] if texts else []


def stop_token_ids(tokenizer: Any, generation_config: Any) -> list[int]:
    """Every token that ends an answer: the model's, the tokenizer's, and the template's end of turn."""
    declared = generation_config.eos_token_id
    ids = set(declared if isinstance(declared, list) else [declared]) | {tokenizer.eos_token_id}
    answer = "SELECT 1"
    ending = completion(tokenizer, [{"role": "user", "content": "a"}], answer).rpartition(answer)[2]
    if ending:
        ids.add(encode(tokenizer, ending)[-1])  # a line break may stand before the special token
    return sorted(token for token in ids if token is not None)


def _beginning(tokenizer: Any) -> str:
    """The beginning-of-sequence text of a tokenizer that adds one by itself."""
    ids = tokenizer("a")["input_ids"]
    return str(tokenizer.bos_token) if tokenizer.bos_token_id is not None and ids[0] == tokenizer.bos_token_id else ""


def _first_special(tokenizer: Any, ending: str) -> str:
    """The template's ending up to and including its first special token; the end token where it has none."""
    specials = [token for token in tokenizer.all_special_tokens if token in ending]
    added = [str(token) for token in tokenizer.get_added_vocab() if str(token) in ending]
    places = [(ending.index(token), -len(token), token) for token in {*specials, *added} if token]
    if not places:
        return tokenizer.eos_token or ""
    place, _, token = min(places)
    return ending[: place + len(token)]


def _apply(tokenizer: Any, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=add_generation_prompt, enable_thinking=False
            )
        )
    except Exception as error:  # templates raise whatever Jinja or their authors chose
        raise PromptError(f"the model's chat template refuses the conversation ({error})") from error
