"""Which prompts begin alike, so that their beginning need be computed only once?

Prompts of one database share its schema; all prompts of an experiment may share solved examples in front of it. Such
beginnings are told by tokens alone: they form a tree, of which the branches worth a forward of their own are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from paretune.engines.hf.tokens import Tokens, common_length

_LEAST_SAVED = 64  # tokens that a beginning must save


@dataclass(frozen=True, slots=True)
class Beginning:
    """The tokens [start, end) that several rows have in common, behind what they share with more rows.

    rows: the rows that begin so, in order of their tokens. level: how many beginnings stand in front of this one.
    """

    start: int
    end: int
    rows: tuple[int, ...]
    level: int


def find_beginnings(rows: Sequence[Tokens]) -> list[Beginning]:
    """The beginnings that rows share, parents before children. Every row has at least one token behind its last.

    >>> stem = list(range(100))
    >>> find_beginnings([[*stem, 1], [7], [*stem, 2]])
    [Beginning(start=0, end=100, rows=(0, 2), level=0)]
    """
    order = sorted(range(len(rows)), key=lambda row: rows[row])
    shared = [common_beginning(rows[first], rows[second]) for first, second in pairwise(order)]
    beginnings: list[Beginning] = []
    left = [(0, len(order), 0, 0)]  # runs of sorted rows, what of them is covered, and by how many beginnings
    while left:
        first, last, start, level = left.pop()
        if last - first < 2:
            continue
        end = min(shared[first : last - 1])
        cuts = [place + 1 for place in range(first, last - 1) if shared[place] == end]
        if (end - start) * len(cuts) >= _LEAST_SAVED:
            beginnings.append(Beginning(start, end, tuple(order[first:last]), level))
            start, level = end, level + 1
        left.extend((begin, stop, start, level) for begin, stop in pairwise([first, *cuts, last]))
    return sorted(beginnings, key=lambda beginning: (beginning.level, beginning.rows))


def common_beginning(first: Tokens, second: Tokens) -> int:
    """How many first tokens two rows share, at least one of each left out.

    >>> common_beginning([1, 2, 3], [1, 2, 4, 5]), common_beginning([1, 2], [1, 2])
    (2, 1)
    """
    return min(common_length([first, second]), len(first) - 1, len(second) - 1)


def covered(beginnings: Sequence[Beginning], n_rows: int) -> list[int]:
    """How many first tokens of each row the beginnings compute."""
    ends = [0] * n_rows
    for beginning in beginnings:
        for row in beginning.rows:
            ends[row] = max(ends[row], beginning.end)
    return ends
