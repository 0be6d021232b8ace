"""What an engine is: something that answers prompts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer. tokens: how many were generated, the stop token included; finish "length": it was cut off."""

    text: str
    tokens: int
    finish: Literal["stop", "length"]


OnAnswer = Callable[[int, Generation], None]


class Engine(Protocol):
    """Answers rendered prompts (see prompts/chat.py) greedily."""

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, on_answer: OnAnswer, answered: Collection[int] = ()
    ) -> None:
        """Answer every prompt once, in any order, calling on_answer(position, generation) as each is ready.

        answered: positions that need no answer. They may not change the others' answers, so a batch keeps the
        members that it had when nothing was answered. Raises EngineError naming the prompt that cannot be answered.
        """
