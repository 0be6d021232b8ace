"""From tokens as they are written to answers: where does each end, and why?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from paretune.engines.base import Generation
from paretune.tasks import Ending


class AnswerReader:
    """Reads answers from tokens with one tokenizer, one set of end tokens and one idea of what is complete."""

    def __init__(self, tokenizer: Any, stop: Collection[int], ending: Ending | None) -> None:
        self._tokenizer = tokenizer
        self._stop = frozenset(stop)
        self._ending = ending
        self._marked: dict[int, bool] = {}  # whether a token holds a mark, of those that were written

    def read(self, tokens: Sequence[int], seen: int, max_new_tokens: int) -> Generation | None:
        """The answer that the tokens are, None while it goes on. seen: tokens that an earlier call has looked at."""
        end = next((place for place in range(seen, len(tokens)) if tokens[place] in self._stop), None)
        length = len(tokens) if end is None else end
        if self._ending is not None and self._ending.stops:
            complete = self._complete(tokens[:length], seen)
            if complete is not None:
                return Generation(self._text(tokens[:complete]), complete, "statement")
        if end is None and len(tokens) < max_new_tokens:
            return None
        complete = None if self._ending is None else self._complete(tokens[:length], 0)
        chatter = 0 if complete is None else length - complete
        n_tokens = length + (end is not None)
        return Generation(self._text(tokens[:length]), n_tokens, "length" if end is None else "stop", chatter)

    def _complete(self, tokens: Sequence[int], seen: int) -> int | None:
        """How many tokens it took to complete the statement."""
        assert self._ending is not None
        for place in range(seen, len(tokens)):
            marked = self._has_mark(tokens[place], self._ending.marks)
            if marked and self._ending.find(self._text(tokens[: place + 1])) is not None:
                return place + 1
        return None

    def _has_mark(self, token: int, marks: str) -> bool:
        known = self._marked.get(token)
        if known is None:
            text = self._tokenizer.convert_ids_to_tokens(token) or ""
            known = self._marked[token] = any(mark in text for mark in marks)
        return known

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))
