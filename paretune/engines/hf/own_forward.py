"""Multiple choice by the model's own forward: whole texts one at a time, without cache, packing or fused kernels.

Slow on purpose. It shares nothing but the tokens with `options` and `written_choice`, so that a doubt about their
figures is settled by asking again with `fast = false`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch

from paretune.engines.base import OnOptions, OnWritten, OptionLogprobs
from paretune.engines.hf.tokens import EncodedQuestion, Tokens, encode_contexts, encode_prompts
from paretune.engines.hf.written_choice import end_tokens
from paretune.errors import PromptError
from paretune.records import ChoicePrompt


def option_logprobs(
    model: Any, tokenizer: Any, prompts: Sequence[ChoicePrompt], on_options: OnOptions, answered: Collection[int] = ()
) -> None:
    """As `options.score_plan`: one forward per context, or per option whose continuation has several tokens."""
    for group in encode_prompts(tokenizer, prompts):
        for question in group.questions:
            if question.index not in answered:
                tokens = len(group.prefix) + max(map(len, question.contexts))
                values = _values(model, group.prefix, question, prompts[question.index].question.id)
                on_options(question.index, OptionLogprobs(values, tokens))


def written_choices(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[ChoicePrompt],
    max_new_tokens: int,
    on_written: OnWritten,
    answered: Collection[int] = (),
) -> None:
    """As `written_choice.write_choices`: by the library's own loop, a prompt at a time."""
    ends = end_tokens(model, tokenizer)
    for group in encode_contexts(tokenizer, prompts):
        for question in group.questions:
            if question.index not in answered:
                prompt = group.prefix + question.contexts[0]
                text = tokenizer.decode(_written(model, prompt, max_new_tokens, ends), skip_special_tokens=True)
                on_written(question.index, text, len(prompt))


def _values(model: Any, prefix: Tokens, question: EncodedQuestion, name: str) -> tuple[float, ...]:
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2**31
    logprobs: dict[tuple[int, ...], torch.Tensor] = {}
    values: list[float] = []
    for context, continuation in zip(question.contexts, question.continuations, strict=True):
        tokens = (*prefix, *context, *continuation[:-1])
        if len(tokens) >= longest:
            raise PromptError(
                f"question {name}: {len(tokens)} tokens, but the model's context holds {longest}; use fewer shots"
            )
        if tokens not in logprobs:
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([tokens], device=model.device), use_cache=False).logits[0]
            logprobs[tokens] = logits.float().log_softmax(-1)
        first = len(prefix) + len(context) - 1
        values.append(sum(float(logprobs[tokens][first + step, token]) for step, token in enumerate(continuation)))
    return tuple(values)


def _written(model: Any, prompt: Tokens, max_new_tokens: int, ends: set[int]) -> Tokens:
    ids = torch.tensor([prompt], device=model.device)
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        temperature=None,
        top_p=None,
        top_k=None,
        repetition_penalty=1.0,
        eos_token_id=sorted(ends),
        pad_token_id=min(ends, default=0),
    )
    written: Tokens = output[0, len(prompt) :].tolist()
    return next((written[:place] for place, token in enumerate(written) if token in ends), written)
