"""What an engine is: something that answers prompts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer. tokens: how many were generated, the stop token included.

    finish: "stop", the model ended its turn; "statement", the engine ended it behind a complete statement; "length", it
    was cut off. chatter_tokens: of the tokens, those written behind a complete statement.
    """

    text: str
    tokens: int
    finish: Literal["stop", "length", "statement"]
    chatter_tokens: int = 0


OnAnswer = Callable[[int, Generation], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """Where what a task asks for is complete, so that all behind it is chatter.

    find: index behind the complete statement of a text, None where there is none yet; what it says of a text holds
    for every continuation. marks: characters of which one completes every statement: only texts that have got one are
    looked at. stops: whether an engine stops there.
    """

    find: Callable[[str], int | None]
    marks: str
    stops: bool


class Engine(Protocol):
    """Answers rendered prompts (see models/chat.py) greedily."""

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, on_answer: OnAnswer, answered: Collection[int] = ()
    ) -> None:
        """Answer every prompt once, in any order, calling on_answer(position, generation) as each is ready.

        answered: positions that need no answer. They may not change the others' answers, so a batch keeps the
        members that it had when nothing was answered. Raises EngineError naming the prompt that cannot be answered.
        """
