"""From tokenised questions to dense batches without padding to speak of.

A question is a trunk (what its options' contexts share) with branches (the rest of each context and the
continuation without its last token, which predicts nothing). Questions of one prefix are laid one after another into
rows of about `row_tokens`; what a token may attend to is told by its question and branch numbers, so that questions
in one row do not see each other. A one-token continuation needs no branch: it is read at the trunk's end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretune.scoring.choice_tokens import EncodedQuestion, Tokens

Integers = npt.NDArray[np.int64]

_MULTIPLE = 8  # of prefix plus row: attention kernels want masks aligned so


@dataclass(frozen=True, slots=True)
class Tree:
    """One question laid out flat: (n_tokens,) tokens with depth after the prefix and branch (0: trunk).

    reads: (n_reads, 3) of place whose output is read, token whose probability is wanted, option.
    options: which options of the question it holds (all, unless it had to be split).
    """

    question: EncodedQuestion
    options: tuple[int, ...]
    tokens: Integers
    depth: Integers
    branch: Integers
    reads: Integers

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Rows of trees: (n_rows, row_length) arrays; a place of no question has question -1.

    places: (n_places,) flat index of each output wanted. reads: (n_reads, 3) of index into places, token, slot.
    slots: (tree, option) of each slot: a slot's log-probability is the sum of its reads.
    """

    trees: tuple[Tree, ...]
    tokens: Integers
    depth: Integers
    question: Integers
    branch: Integers
    places: Integers
    reads: Integers
    slots: tuple[tuple[int, int], ...]

    @property
    def n_tokens(self) -> int:
        """Places computed, padding included."""
        return int(self.tokens.size)


def build_tree(question: EncodedQuestion, options: Sequence[int] | None = None) -> Tree:
    """Lay out a question (or some of its options). Every context must have a token."""
    chosen = tuple(range(len(question.continuations)) if options is None else options)
    contexts = [question.contexts[option] for option in chosen]
    trunk = _shared(contexts)
    tokens: Tokens = list(trunk)
    depth = list(range(len(trunk)))
    branch = [0] * len(trunk)
    reads: list[tuple[int, int, int]] = []
    for number, (option, context) in enumerate(zip(chosen, contexts, strict=True), start=1):
        continuation = question.continuations[option]
        limb = context[len(trunk) :] + continuation[:-1]
        before_limb = len(tokens)
        tokens += limb
        depth += range(len(trunk), len(trunk) + len(limb))
        branch += [number] * len(limb)
        for order, token in enumerate(continuation):
            along = len(context) + order - 1  # depth of the token that predicts this one
            place = along if along < len(trunk) else before_limb + along - len(trunk)
            reads.append((place, token, option))
    return Tree(question, chosen, *(np.array(item, dtype=np.int64) for item in (tokens, depth, branch, reads)))


def fill_rows(trees: Sequence[Tree], row_tokens: int) -> list[list[Tree]]:
    """Rows of trees, none longer than row_tokens unless one tree alone is; longest rows first.

    Each row begins with the longest tree left and takes the longest that still fits until none does: the result
    depends only on the trees and their order.
    """
    left = sorted(enumerate(trees), key=lambda item: (len(item[1]), -item[0]))
    lengths = [len(tree) for _, tree in left]
    rows: list[list[Tree]] = []
    while left:
        lengths.pop()
        row = [left.pop()[1]]
        room = row_tokens - len(row[0])
        while (place := bisect_right(lengths, room) - 1) >= 0:
            room -= lengths.pop(place)
            row.append(left.pop(place)[1])
        rows.append(row)
    return sorted(rows, key=lambda row: -sum(map(len, row)))


def cut_batches(rows: Sequence[Sequence[Tree]], token_budget: int, prefix_length: int) -> list[PackedBatch]:
    """Rows (longest first) in batches of at most token_budget places each, of at least one row."""
    batches: list[PackedBatch] = []
    start = 0
    while start < len(rows):
        count = max(1, token_budget // _padded(sum(map(len, rows[start])), prefix_length))
        batches.append(pack(rows[start : start + count], prefix_length))
        start += count
    return batches


def pack(rows: Sequence[Sequence[Tree]], prefix_length: int) -> PackedBatch:
    """One batch of the rows."""
    length = max(_padded(sum(map(len, row)), prefix_length) for row in rows)
    tokens = np.zeros((len(rows), length), dtype=np.int64)
    depth, branch = np.zeros_like(tokens), np.zeros_like(tokens)
    question = np.full_like(tokens, -1)
    trees: list[Tree] = []
    slots: dict[tuple[int, int], int] = {}
    reads: list[Integers] = []
    for number, row in enumerate(rows):
        start = 0
        for tree in row:
            here = slice(start, start + len(tree))
            tokens[number, here], depth[number, here], branch[number, here] = tree.tokens, tree.depth, tree.branch
            question[number, here] = len(trees)
            own = {option: slots.setdefault((len(trees), option), len(slots)) for option in tree.options}
            read = tree.reads.copy()
            read[:, 0] += number * length + start
            read[:, 2] = [own[option] for option in read[:, 2].tolist()]
            reads.append(read)
            trees.append(tree)
            start += len(tree)
    together = np.concatenate(reads)
    places, together[:, 0] = np.unique(together[:, 0], return_inverse=True)
    return PackedBatch(tuple(trees), tokens, depth, question, branch, places, together, tuple(slots))


def _padded(row_length: int, prefix_length: int) -> int:
    return row_length + -(prefix_length + row_length) % _MULTIPLE


def _shared(contexts: Sequence[Tokens]) -> Tokens:
    """The tokens with which all contexts begin."""
    first = contexts[0]
    if all(context == first for context in contexts[1:]):
        return first
    length = min(map(len, contexts))
    for place in range(length):
        if any(context[place] != first[place] for context in contexts):
            return first[:place]
    return first[:length]
