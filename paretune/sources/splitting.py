"""Train and test sides of pairs: what is alike stays together, or the test would ask what was trained on."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

ALIKE = 0.8  # share of words that two questions have in common (Jaccard) from which they count as alike
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")


def alike_groups(questions: Sequence[str], queries: Sequence[str]) -> list[int]:
    """A group for each pair: equal queries and alike questions share one, directly or through others.

    Questions are alike when they share at least ALIKE of their words, numbers counting as equal.

    >>> alike_groups(["Top 5 products?", "Top 3 products?", "All customers"], ["a", "b", "c"])
    [0, 0, 2]
    """
    parents = list(range(len(questions)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    def join(first: int, second: int) -> None:
        low, high = sorted((root(first), root(second)))
        parents[high] = low

    seen: dict[str, int] = {}
    for at, query in enumerate(queries):
        join(at, seen.setdefault(same_query(query), at))
    for first, second in _alike_pairs([_words(question) for question in questions]):
        join(first, second)
    return [root(at) for at in range(len(questions))]


def same_query(query: str) -> str:
    """A text that equal queries share: case, spaces and the final semicolon do not matter outside quotes.

    >>> same_query("SELECT  name FROM t ;") == same_query("select NAME\\nfrom T")
    True
    >>> same_query("SELECT 'A'") == same_query("SELECT 'a'")
    False
    """
    parts = _QUOTED.split(query.strip().rstrip("; \n\t"))
    outside = [" ".join(re.findall(r"\w+|[^\w\s]", part.casefold())) if at % 2 == 0 else part
               for at, part in enumerate(parts)]  # fmt: skip
    return " ".join(part for part in outside if part)


def same_question(question: str) -> str:
    """A text that equal questions share: case, accents, punctuation and spaces do not matter."""
    return " ".join(_WORD.findall(_unaccented(question)))


def split_groups(groups: Sequence[int], test_share: float, seed: int) -> list[bool]:
    """Which pairs are test pairs: whole groups, drawn by the seed until the share is reached.

    A group that would overshoot the share by more than it lacks goes to training.
    """
    sizes = Counter(groups)
    order = sorted(sizes)
    random.Random(seed).shuffle(order)
    wanted, chosen, count = test_share * len(groups), set[int](), 0
    for group in order:
        if abs(count + sizes[group] - wanted) <= abs(wanted - count):
            chosen.add(group)
            count += sizes[group]
    return [group in chosen for group in groups]


def _words(question: str) -> frozenset[str]:
    return frozenset(_NUMBER.sub("0", word) for word in _WORD.findall(_unaccented(question)))


def _unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _alike_pairs(sets: Sequence[frozenset[str]]) -> list[tuple[int, int]]:
    """All pairs of word sets that are alike. Two such sets share one of their rarest words (prefix filtering), so only
    sets with such a word in common are compared."""
    counts = Counter(word for words in sets for word in words)
    waiting: dict[str, list[int]] = defaultdict(list)
    pairs = []
    for at, words in enumerate(sets):
        rare = sorted(words, key=lambda word: (counts[word], word))
        prefix = rare[: len(rare) - _ceiling(ALIKE * len(rare)) + 1]
        for other in dict.fromkeys(other for word in prefix for other in waiting[word]):
            if len(words & sets[other]) >= ALIKE * len(words | sets[other]):
                pairs.append((other, at))
        for word in prefix:
            waiting[word].append(at)
    return pairs


def _ceiling(value: float) -> int:
    return -int(-value // 1)
