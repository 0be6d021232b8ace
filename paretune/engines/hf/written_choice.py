"""Multiple choice as people ask it: let the model write, then read the letter.

Greedy decoding over the shared prefix's cache, a batch of questions padded on the right; each row keeps its own
positions, and no row sees padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

import torch
from transformers import DynamicCache

from paretune.choice.letters import parse_letter
from paretune.choice.verdict import Answered, OnAnswer, is_answered
from paretune.engines.hf.forward import ChoiceModel, PrefixCache
from paretune.engines.hf.tokens import EncodedQuestion, Tokens, encode_contexts
from paretune.errors import EngineError
from paretune.models.memory import out_of_memory, release_memory
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt

MAX_NEW_TOKENS = 16
_BUDGETS = {"cpu": 1024, "cuda": 32768}  # places a batch, answers included


def generate_choices(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[ChoicePrompt],
    *,
    suite: str,
    variant: str,
    token_budget: int | None = None,
    answered: Answered = (),
    on_answer: OnAnswer,
) -> None:
    """Write up to MAX_NEW_TOKENS tokens after each prompt, greedily, and read the option from the text.

    The outcome is no_answer where `parse_letter` finds no choice. answered, and what is raised: as
    `AskedSuite.score` says.
    """
    seen = ChoiceModel(model)
    ends = _end_tokens(model, tokenizer)
    limit = token_budget or _BUDGETS.get(seen.device.type, _BUDGETS["cpu"])
    for group in encode_contexts(tokenizer, prompts):
        cache: PrefixCache | None = None
        questions = sorted(group.questions, key=lambda item: len(item.contexts[0]))
        while questions:
            chosen = _as_many_as_fit(questions, limit)
            missing = [not is_answered(prompts[item.index], answered) for item in chosen]
            if not any(missing):
                questions = questions[len(chosen) :]
                continue
            cache = cache or seen.prefix_caches([group.prefix])[0]
            answers: list[Tokens] | None = None
            try:
                answers = _continue(seen, cache, [item.contexts[0] for item in chosen], ends)
            except Exception as error:
                if not out_of_memory(error):
                    raise
            if answers is None:
                release_memory()
                if len(chosen) == 1:
                    name = prompts[chosen[0].index].question.id
                    raise EngineError(f"question {name}: does not fit the memory even alone; use fewer shots")
                limit //= 2
                continue
            for item, tokens in zip(compress(chosen, missing), compress(answers, missing), strict=True):
                text = tokenizer.decode(tokens, skip_special_tokens=True)
                n_tokens = len(group.prefix) + len(item.contexts[0])
                on_answer(_judge(prompts[item.index], text, suite, variant, n_tokens))
            questions = questions[len(chosen) :]


def _as_many_as_fit(questions: list[EncodedQuestion], limit: int) -> list[EncodedQuestion]:
    """The first questions (shortest first) whose padded rows with their answers stay within the limit."""
    count = 1
    while count < len(questions):
        length = len(questions[count].contexts[0]) + MAX_NEW_TOKENS
        if length * (count + 1) > limit:
            break
        count += 1
    return questions[:count]


def _continue(model: ChoiceModel, prefix: PrefixCache, contexts: list[Tokens], ends: set[int]) -> list[Tokens]:
    """Each context's continuation up to an end token (left out) or MAX_NEW_TOKENS."""
    written: list[Tokens] = [[] for _ in contexts]
    finished = [False] * len(contexts)
    with torch.inference_mode(), model.kernels():
        for tokens in _greedy(model, prefix, contexts):
            for row, token in enumerate(tokens):
                finished[row] = finished[row] or token in ends
                if not finished[row]:
                    written[row].append(token)
            if all(finished):
                break
    return written


def _greedy(model: ChoiceModel, prefix: PrefixCache, contexts: list[Tokens]) -> Iterator[list[int]]:
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
    for step in range(MAX_NEW_TOKENS):
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


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """The tokens with which the model ends a text."""
    configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ends = set(configured if isinstance(configured, list) else [configured])
    return {int(token) for token in ends | {tokenizer.eos_token_id} if token is not None}


def _judge(prompt: ChoicePrompt, text: str, suite: str, variant: str, n_tokens: int) -> ChoiceAnswer:
    question = prompt.question
    predicted = parse_letter(text, question.options)
    correct = predicted == question.answer
    answered = ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG
    return ChoiceAnswer(
        suite=suite,
        id=question.id,
        subject=question.subject,
        category=question.category,
        variant=variant,
        method=prompt.method,
        outcome=ChoiceOutcome.NO_ANSWER if predicted is None else answered,
        correct=correct,
        correct_raw=None,
        answer=question.answer,
        predicted=predicted,
        log_probabilities=(),
        letter_mass=None,
        prompt_tokens=n_tokens,
        text=text,
    )
