"""The slow way of scoring options, written apart from the fast one: whole texts, one forward an option."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from paretune.records import ChoicePrompt, ChoiceQuestion, Method


def plain_log_probabilities(model: Any, tokenizer: Any, prompt: ChoicePrompt) -> list[float]:
    """Each option's log-probability from one unpadded, uncached forward over all logits."""
    import torch

    found = []
    for option, continuation in enumerate(prompt.continuations):
        context = prompt.prefix + prompt.contexts[option % len(prompt.contexts)]
        stripped = context.rstrip()
        whole = tokenizer(stripped + context[len(stripped) :] + continuation)["input_ids"]
        n_context = len(tokenizer(stripped)["input_ids"])
        inputs = tokenizer(stripped)["input_ids"] + whole[n_context:]
        with torch.no_grad():
            logits = model(torch.tensor([inputs])).logits[0].float().log_softmax(-1)
        found.append(sum(float(logits[place - 1, inputs[place]]) for place in range(n_context, len(inputs))))
    return found


def make_prompt(
    name: str,
    prefix: str,
    contexts: Sequence[str],
    continuations: Sequence[str],
    method: Method = "letter",
    answer: int = 0,
) -> ChoicePrompt:
    subject = name.partition("/")[0]
    question = ChoiceQuestion(name, subject, "other", contexts[0], tuple(continuations), answer)
    return ChoicePrompt(question, method, prefix, tuple(contexts), tuple(continuations))


_BIRDS = "which of these birds was seen over the lake at 7 in the year of the great storm"
_ENDS = "the man takes a brush and paints the wall of his house before it rains again"
LETTERS = (" A", " B", " C", " D")
SHOTS = (
    "The following are multiple choice questions (with answers) about birds.\n\n"
    "Which bird sings at dawn?\nA. the owl\nB. the lark\nC. none\nD. all\nAnswer: B\n\n"
    "Qual ave não voa?\nA. a ema\nB. a andorinha\nC. o beija-flor\nD. a coruja\nAnswer: A\n\n"
)


def letter_prompts(lengths: Sequence[int], prefix: str = SHOTS, subject: str = "birds") -> list[ChoicePrompt]:
    words = _BIRDS.split()
    prompts = []
    for number, length in enumerate(lengths):
        text = " ".join(words[(number + place) % len(words)] for place in range(length))
        context = f"{text}?\nA. one\nB. two {number}\nC. three\nD. four\nAnswer:"
        prompts.append(make_prompt(f"{subject}/{number}", prefix, (context,), LETTERS, answer=number % 4))
    return prompts


BARE_LETTERS = ("A", "B", "C", "D")  # one token each, which the tiny tokenizer's letters with a space are not
PASSAGE = "These questions are about a text. " + "The storm took the roof of the old mill. " * 2


def passage_prompts(lengths: Sequence[int], prefix: str = SHOTS, subject: str = "mill") -> list[ChoicePrompt]:
    """Questions that begin with the same passage: they differ only behind it."""
    prompts = letter_prompts(lengths, prefix, subject)
    return [
        make_prompt(
            prompt.question.id, prefix, (PASSAGE + prompt.contexts[0],), BARE_LETTERS, answer=prompt.question.answer
        )
        for prompt in prompts
    ]


def cloze_prompts(lengths: Sequence[int], prefix: str = "", subject: str = "ends") -> list[ChoicePrompt]:
    words = _ENDS.split()
    prompts = []
    for number, length in enumerate(lengths):
        context = " ".join(words[(number + place) % len(words)] for place in range(length + 1))
        options = tuple(
            " " + " ".join(words[(number * 3 + option * 5 + place) % len(words)] for place in range(1 + option * 2))
            for option in range(4)
        )
        prompts.append(make_prompt(f"{subject}/{number}", prefix, (context,), options, "cloze", number % 4))
    return prompts
