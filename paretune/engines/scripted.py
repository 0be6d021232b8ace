"""An engine that answers from a function: for tests of everything around a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from paretune.engines.base import Generation, OnAnswer


class ScriptedEngine:
    """Answers each prompt with what `answer(prompt)` returns, cut after max_new_tokens words."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._answer = answer

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, on_answer: OnAnswer, answered: Collection[int] = ()
    ) -> None:
        """See Engine. A word counts as a token."""
        for position, prompt in enumerate(prompts):
            if position in answered:
                continue
            text = self._answer(prompt)
            words = text.split(" ")
            if len(words) > max_new_tokens:
                on_answer(position, Generation(" ".join(words[:max_new_tokens]), max_new_tokens, "length"))
            else:
                on_answer(position, Generation(text, len(words), "stop"))
