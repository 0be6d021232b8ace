"""Prompts that begin alike, packed into batches of about equal size."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise

import numpy as np
import numpy.typing as npt

from paretune.engines.hf.tokens import EncodedQuestion, Tokens, common_length

# Tokens. On MMLU 16 save 1 % more in more and smaller parts, 48 a fifth less: instructions of a subject are shorter.
_LEAST_SHARED = 32


def find_families(questions: Sequence[EncodedQuestion], token_limit: int) -> list[list[EncodedQuestion]]:
    """The questions of one prefix in families that need as few tokens as possible, most of them of one question.

    token_limit: tokens that a family of different questions may have, its trunk counted once; what is too many makes
    several families. Equal questions are always one family. The result depends on the questions and the limit alone;
    families are in order of the questions that come first in the prompts.
    """
    families: list[list[EncodedQuestion]] = []
    joining: list[EncodedQuestion] = []
    for question in questions:
        if _read_at_one_place(question):
            joining.append(question)
        else:
            families.append([question])
    equal = [list(same) for _, same in groupby(sorted(joining, key=_context), key=_context)]
    for run in _cut([_context(same[0]) for same in equal], token_limit):
        families.append(list(chain.from_iterable(equal[run])))
    return sorted(families, key=lambda family: min(question.index for question in family))


def _read_at_one_place(question: EncodedQuestion) -> bool:
    same_context = question.contexts.count(question.contexts[0]) == len(question.contexts)
    return same_context and max(map(len, question.continuations)) == 1


def _context(question: EncodedQuestion) -> Tokens:
    return question.contexts[0]


def _cut(contexts: Sequence[Tokens], token_limit: int) -> list[slice]:
    """Different contexts in sorted order, cut into runs of the fewest tokens in sum.

    A run's trunk is what its neighbours share at least, so the best cut up to each context follows from the best cuts
    before it.
    """
    shared = [_shared(first, second) for first, second in pairwise(contexts)]
    fewest, begins = [0], [0]  # tokens up to each context, and where the run that ends there begins
    for end, context in enumerate(contexts, start=1):
        n_tokens = trunk = len(context)
        best, begin = fewest[end - 1] + n_tokens, end - 1
        for start in range(end - 2, -1, -1):
            trunk = min(trunk, shared[start])
            n_tokens += len(contexts[start])
            family = n_tokens - trunk * (end - start - 1)
            if trunk < _LEAST_SHARED or family > token_limit:
                break
            if fewest[start] + family < best:
                best, begin = fewest[start] + family, start
        fewest.append(best)
        begins.append(begin)
    runs: list[slice] = []
    end = len(contexts)
    while end:
        runs.append(slice(begins[end], end))
        end = begins[end]
    return runs


def _shared(first: Tokens, second: Tokens) -> int:
    """How many first tokens two contexts share; 0 where too few."""
    if first[:_LEAST_SHARED] != second[:_LEAST_SHARED]:
        return 0
    return common_length([first, second])


Integers = npt.NDArray[np.int64]
Asked = tuple[int, int]  # index of a question in the list of prompts, and one of its options

_MULTIPLE = 8  # of prefix plus row: attention kernels want masks aligned so
_PADDING_SHARE = 16  # a batch is closed before more than one in so many of its budget's places are padding


@dataclass(frozen=True, slots=True)
class Tree:
    """Questions laid out flat: (n_tokens,) tokens with depth after the prefix and branch (0: trunk).

    asked: what it answers, in the order of the questions (all options, unless a question had to be split). reads:
    (n_reads, 3) of place whose output is read, token whose probability is wanted, index into asked.
    """

    questions: tuple[EncodedQuestion, ...]
    asked: tuple[Asked, ...]
    tokens: Integers
    depth: Integers
    branch: Integers
    reads: Integers

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Rows of trees: (n_rows, row_length) arrays; `question` numbers the trees, a place of no tree has -1.

    places: (n_places,) flat index of each output wanted. reads: (n_reads, 3) of index into places, token, slot.
    slots: what is asked of each slot: its log-probability is the sum of the slot's reads.
    """

    trees: tuple[Tree, ...]
    tokens: Integers
    depth: Integers
    question: Integers
    branch: Integers
    places: Integers
    reads: Integers
    slots: tuple[Asked, ...]

    @property
    def n_tokens(self) -> int:
        """Places computed, padding included."""
        return int(self.tokens.size)


def build_tree(*questions: EncodedQuestion) -> Tree:
    """Lay out one question, or several that begin alike, with all options. Every context must have a token."""
    return _lay_out([(question, option) for question in questions for option in range(len(question.continuations))])


def halves(tree: Tree) -> list[Tree]:
    """Two trees of half the questions or, when it holds one, of half its options; one option is left as it is."""
    if len(tree.questions) > 1:
        middle = len(tree.questions) // 2
        return [build_tree(*tree.questions[:middle]), build_tree(*tree.questions[middle:])]
    if len(tree.asked) == 1:
        return [tree]
    asked = [(tree.questions[0], option) for _, option in tree.asked]
    middle = len(asked) // 2
    return [_lay_out(asked[:middle]), _lay_out(asked[middle:])]


def _lay_out(asked: Sequence[tuple[EncodedQuestion, int]]) -> Tree:
    contexts = [question.contexts[option] for question, option in asked]
    n_trunk = common_length(contexts)
    tokens = contexts[0][:n_trunk]
    begins: dict[tuple[int, ...], int] = {}  # of each branch, by its tokens: equal ones are one branch
    reads: list[tuple[int, int, int]] = []
    for number, (context, (question, option)) in enumerate(zip(contexts, asked, strict=True)):
        continuation = question.continuations[option]
        limb = (*context[n_trunk:], *continuation[:-1])
        if limb not in begins:
            begins[limb] = len(tokens)
            tokens += limb
        behind_trunk = begins[limb] - n_trunk
        for along, token in enumerate(continuation, start=len(context) - 1):  # depth of the token that predicts it
            reads.append((along if along < n_trunk else along + behind_trunk, token, number))
    depth, branch = np.arange(len(tokens)), np.zeros(len(tokens), dtype=np.int64)
    for number, (limb, begin) in enumerate(begins.items(), start=1):
        here = slice(begin, begin + len(limb))
        depth[here] -= begin - n_trunk
        branch[here] = number
    questions = tuple({question.index: question for question, _ in asked}.values())
    indices = tuple((question.index, option) for question, option in asked)
    arrays = np.array(tokens, dtype=np.int64), depth, branch, np.array(reads, dtype=np.int64)
    return Tree(questions, indices, *arrays)


def aligned_row(row_tokens: int, prefix_length: int) -> int:
    """The most tokens, up to row_tokens, that a row behind the prefix can have without padding for alignment."""
    return max(1, row_tokens - (prefix_length + row_tokens) % _MULTIPLE)


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
    """Rows (longest first) in as few batches of at most token_budget places as may be, each of at least one row.

    A row that is much shorter than those before it begins a batch of its own. The batches are about equally large: a
    small one at the end would leave a device waiting for its host.
    """
    lengths = [sum(map(len, row)) for row in rows]
    waste = token_budget // _PADDING_SHARE
    cuts = _cuts(lengths, token_budget, waste, prefix_length)
    least, most = token_budget // 2, token_budget
    while most - least > waste:
        middle = (least + most) // 2
        evener = _cuts(lengths, middle, waste, prefix_length)
        if len(evener) == len(cuts):
            cuts, most = evener, middle
        else:
            least = middle
    return [pack(rows[cut], prefix_length) for cut in cuts]


def _cuts(lengths: Sequence[int], budget: int, waste: int, prefix_length: int) -> list[slice]:
    """Runs of rows of at most `budget` places and `waste` of padding."""
    cuts: list[slice] = []
    start = 0
    while start < len(lengths):
        longest = _padded(lengths[start], prefix_length)
        end, padding = start + 1, longest - lengths[start]
        while end < len(lengths) and longest * (end + 1 - start) <= budget:
            padding += longest - lengths[end]
            if padding > waste:
                break
            end += 1
        cuts.append(slice(start, end))
        start = end
    return cuts


def pack(rows: Sequence[Sequence[Tree]], prefix_length: int) -> PackedBatch:
    """One batch of the rows."""
    length = max(_padded(sum(map(len, row)), prefix_length) for row in rows)
    tokens = np.zeros((len(rows), length), dtype=np.int64)
    depth, branch = np.zeros_like(tokens), np.zeros_like(tokens)
    question = np.full_like(tokens, -1)
    trees: list[Tree] = []
    slots: list[Asked] = []
    reads: list[Integers] = []
    for number, row in enumerate(rows):
        start = 0
        for tree in row:
            here = slice(start, start + len(tree))
            tokens[number, here], depth[number, here], branch[number, here] = tree.tokens, tree.depth, tree.branch
            question[number, here] = len(trees)
            reads.append(tree.reads + np.array([number * length + start, 0, len(slots)]))
            slots += tree.asked
            trees.append(tree)
            start += len(tree)
    together = np.concatenate(reads)
    places, together[:, 0] = np.unique(together[:, 0], return_inverse=True)
    return PackedBatch(tuple(trees), tokens, depth, question, branch, places, together, tuple(slots))


def _padded(row_length: int, prefix_length: int) -> int:
    return row_length + -(prefix_length + row_length) % _MULTIPLE
