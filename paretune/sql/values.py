"""Which of a column's values to show with a question: those that its words speak of, before all others."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Column = TypeVar("Column", bound=Hashable)

MOST_VALUES = 5000  # distinct values of a column that are looked through
_LEAST_SHARE = 0.5  # of a value's words that the question must hold
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ValueIndex(Generic[Column]):
    """The values of a database's columns by their words. values: in the order in which they are shown where the
    question speaks of none; words: column -> word -> places in its values."""

    values: Mapping[Column, Sequence[object]]
    words: Mapping[Column, Mapping[str, Sequence[int]]]

    @classmethod
    def of(cls, values: Mapping[Column, Sequence[object]]) -> ValueIndex[Column]:
        """The index of these values; of bytes there are no words."""
        indexed: dict[Column, dict[str, list[int]]] = {}
        for column, known in values.items():
            places = indexed.setdefault(column, {})
            for place, value in enumerate(known):
                for word in set(_words(value)):
                    places.setdefault(word, []).append(place)
        return cls(values, indexed)

    def chosen(self, question: str, count: int) -> dict[Column, list[object]]:
        """Up to `count` values of each column: those at least half of whose words the question holds, the largest
        share first, then the others in their order.

        >>> index = ValueIndex.of({"city": ["Oslo", "New York", "Bergen"], "year": [2013, 2014]})
        >>> index.chosen("Which concerts were in New York in 2014?", 2)
        {'city': ['New York', 'Oslo'], 'year': [2014, 2013]}
        """
        asked = set(_words(question))
        return {column: self._of_column(column, asked, count) for column in self.values}

    def _of_column(self, column: Column, asked: Iterable[str], count: int) -> list[object]:
        known, places = self.values[column], self.words[column]
        hits: dict[int, int] = {}
        for word in asked:
            for place in places.get(word, ()):
                hits[place] = hits.get(place, 0) + 1
        shares = {place: found / len(set(_words(known[place]))) for place, found in hits.items()}
        spoken_of = sorted((place for place, share in shares.items() if share >= _LEAST_SHARE),
                           key=lambda place: (-shares[place], -hits[place], place))  # fmt: skip
        first = spoken_of[:count]
        others = [place for place in range(min(len(known), 2 * count)) if place not in first]
        return [known[place] for place in (*first, *others)[:count]]


def _words(value: object) -> list[str]:
    return [] if isinstance(value, bytes) else _WORD.findall(str(value).casefold())
