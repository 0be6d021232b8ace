"""Multiple choice as people ask it: let the model write.

Greedy decoding over the shared prefix's cache, a batch of questions padded on the right; each row keeps its own
positions, and no row sees padding.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import torch
from transformers import DynamicCache

from paretune.engines.base import OnWritten
from paretune.engines.hf.forward import ChoiceModel, PrefixCache
from paretune.engines.hf.tokens import EncodedQuestion, Tokens, encode_contexts
from paretune.errors import EngineError
from paretune.models.memory import DoesNotFit, halving
from paretune.records import ChoicePrompt

_BUDGETS = {"cpu": 1024, "cuda": 32768}  # places a batch, answers included


def write_choices(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[ChoicePrompt],
    max_new_tokens: int,
    on_written: OnWritten,
    answered: Collection[int] = (),
    *,
    token_budget: int | None = None,
) -> None:
    """Write up to max_new_tokens tokens after each prompt, greedily: on_written(position, text, tokens of the prompt).

    answered: as in Engine. Raises EngineError where one question alone does not fit the memory, ScoringError for a
    model in training mode or of an unsupported kind.
    """
    seen = ChoiceModel(model)
    ends = end_tokens(model, tokenizer)
    limit = token_budget or _BUDGETS.get(seen.device.type, _BUDGETS["cpu"])
    for group in encode_contexts(tokenizer, prompts):
        cache: PrefixCache | None = None
        questions = sorted(group.questions, key=lambda item: len(item.contexts[0]))
        while questions:
            chosen = _as_many_as_fit(questions, limit, max_new_tokens)
            if all(item.index in answered for item in chosen):
                questions = questions[len(chosen) :]
                continue
            cache = cache or seen.prefix_caches([group.prefix])[0]
            try:
                count, answers = halving(len(chosen), _writer(seen, cache, chosen, ends, max_new_tokens))
            except DoesNotFit as error:
                name = prompts[chosen[0].index].question.id
                raise EngineError(f"question {name}: does not fit the memory even alone; use fewer shots") from error
            if count < len(chosen):
                limit = (len(chosen[count - 1].contexts[0]) + max_new_tokens) * count
            for item, tokens in zip(chosen, answers, strict=False):
                if item.index not in answered:
                    text = tokenizer.decode(tokens, skip_special_tokens=True)
                    on_written(item.index, text, len(group.prefix) + len(item.contexts[0]))
            questions = questions[count:]


def _writer(
    model: ChoiceModel, cache: PrefixCache, chosen: Sequence[EncodedQuestion], ends: set[int], max_new_tokens: int
) -> Callable[[int], list[Tokens]]:
    return lambda count: _continue(model, cache, [item.contexts[0] for item in chosen[:count]], ends, max_new_tokens)


def _as_many_as_fit(questions: list[EncodedQuestion], limit: int, max_new_tokens: int) -> list[EncodedQuestion]:
    """The first questions (shortest first) whose padded rows with their answers stay within the limit."""
    count = 1
    while count < len(questions):
        length = len(questions[count].contexts[0]) + max_new_tokens
        if length * (count + 1) > limit:
            break
        count += 1
    return questions[:count]


def _continue(
    model: ChoiceModel, prefix: PrefixCache, contexts: list[Tokens], ends: set[int], max_new_tokens: int
) -> list[Tokens]:
    """Each context's continuation up to an end token (left out) or max_new_tokens."""
    written: list[Tokens] = [[] for _ in contexts]
    finished = [False] * len(contexts)
    with torch.inference_mode(), model.kernels():
        for tokens in _greedy(model, prefix, contexts, max_new_tokens):
            for row, token in enumerate(tokens):
                finished[row] = finished[row] or token in ends
                if not finished[row]:
                    written[row].append(token)
            if all(finished):
                break
    return written


def _greedy(
    model: ChoiceModel, prefix: PrefixCache, contexts: list[Tokens], max_new_tokens: int
) -> Iterator[list[int]]:
    """Token after token for all rows."""
    n_rows, device = len(contexts), model.device
    lengths = torch.tensor([len(context) for context in contexts], device=device)
    longest = int(lengths.max())
    tokens = torch.zeros((n_rows, longest), dtype=torch.long)
    for row, context in enumerate(contexts):
        tokens[row, : len(context)] = torch.tensor(context, dtype=torch.long)
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(prefix.layers):
        cache.update(keys.expand(n_rows, -1, -1, -1), values.expand(n_rows, -1, -1, -1), layer)
    order = torch.arange(longest, device=device)
    past = torch.arange(prefix.length, device=device).expand(n_rows, -1)
    position = (order + prefix.length).expand(n_rows, -1)
    key_position = torch.cat([past, position], dim=-1)
    causal = (order[:, None] >= order[None, :]).expand(n_rows, -1, -1)
    visible = torch.cat([causal.new_ones((n_rows, longest, prefix.length)), causal], dim=-1)
    real = torch.cat([past >= 0, order[None, :] < lengths[:, None]], dim=-1)
    current, reading = tokens.to(device), lengths - 1
    for step in range(max_new_tokens):
        output = model.decoder(
            input_ids=current,
            attention_mask=model.masks(visible, position, key_position),
            position_ids=position,
            past_key_values=cache,
            use_cache=True,
        )
        last = output.last_hidden_state[torch.arange(n_rows, device=device), reading]
        chosen = torch.cat([model.logits(part).argmax(-1) for part in last.split(model.head_places())])
        yield chosen.tolist()
        current, reading = chosen[:, None], torch.zeros_like(lengths)
        position = (lengths + prefix.length + step)[:, None]
        key_position = torch.cat([key_position, position], dim=-1)
        real = torch.cat([real, real.new_ones((n_rows, 1))], dim=-1)
        visible = real[:, None, :]


def end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """The tokens with which the model ends a text."""
    configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ends = set(configured if isinstance(configured, list) else [configured])
    return {int(token) for token in ends | {tokenizer.eos_token_id} if token is not None}
