"""Which few sizes should the steps of a training be padded to?

A step that is replayed (step_graphs.py) has a fixed size, and each size costs a capture. All steps of a training are
known before the first: the sizes are those that make padding, captures and launches cheapest in sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Shape = tuple[int, int]  # tokens, labels
Size = tuple[int, int, int]  # tokens, rows, labels

_GRAIN = 64  # tokens and labels of a size are a multiple: matrix products work on tiles of as many
# In tokens' time, of 1.5B weights on an H200 (benchmarks/training.py): 26 microseconds.
CAPTURE = 14_000.0  # what a size costs once: its first step launched, and its capture
LAUNCHES = 7_300.0  # what a step takes at least that is launched: 189 ms
LABEL = 0.2  # a label's logits


@dataclass(frozen=True, slots=True)
class StepSizes:
    """The sizes of a training. rows: that a step has at most. sizes: tokens and labels of each, in order of tokens."""

    rows: int
    sizes: tuple[Shape, ...]

    def holding(self, n_tokens: int, n_labels: int) -> Size | None:
        """The first size that holds so much; None where there is none: such a step is launched.

        >>> sizes = StepSizes(16, ((1024, 640), (2048, 704)))
        >>> sizes.holding(1000, 500), sizes.holding(1000, 700), sizes.holding(3000, 10)
        ((1024, 16, 640), (2048, 16, 704), None)
        """
        fitting = ((tokens, self.rows, labels) for tokens, labels in self.sizes
                   if tokens >= n_tokens and labels >= n_labels)  # fmt: skip
        return next(fitting, None)


def plan_sizes(shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """The sizes that steps of these shapes are padded to, in order of tokens; none where captures would not pay.

    Steps sorted by tokens are cut into runs. A run is captured, at its most tokens and labels, or launched. The best
    cut up to each step follows from the best cuts before it, so no other cut costs less by `cost`.

    >>> plan_sizes([(1000, 500)] * 50 + [(3900, 600)] * 20 + [(4900, 700)])
    ((1024, 512), (3904, 640))
    """
    classes = _classes(shapes)
    least, begins = [0.0], [(0, False)]  # cost up to each class; where its run begins, and whether that is captured
    for end in range(1, len(classes) + 1):
        n_steps, n_labels, best, begin = 0, 0, float("inf"), (end - 1, False)
        for start in range(end - 1, -1, -1):
            tokens, labels, count = classes[start]
            n_steps, n_labels = n_steps + count, max(n_labels, labels)
            captured = least[start] + CAPTURE + n_steps * cost(classes[end - 1][0], n_labels)
            if captured < best:
                best, begin = captured, (start, True)
            if start == end - 1 and (launched := least[start] + count * launched_cost(tokens, labels)) < best:
                best, begin = launched, (start, False)
        least.append(best)
        begins.append(begin)
    sizes: list[Shape] = []
    end = len(classes)
    while end:
        start, captured_run = begins[end]
        if captured_run:
            sizes.append((classes[end - 1][0], max(labels for _, labels, _ in classes[start:end])))
        end = start
    return tuple(reversed(sizes))


def cost(tokens: int, labels: int) -> float:
    """Of a step of a size that is replayed, in tokens' time."""
    return tokens + LABEL * labels


def launched_cost(tokens: int, labels: int) -> float:
    """Of a step that is launched."""
    return max(LAUNCHES, cost(tokens, labels))


def _classes(shapes: Sequence[Shape]) -> list[tuple[int, int, int]]:
    """Tokens and most labels, both rounded up, and number of the steps of as many tokens, in order of tokens."""
    rounded = [(_up(tokens), _up(labels)) for tokens, labels in shapes]
    counts = Counter(tokens for tokens, _ in rounded)
    most = dict(sorted(rounded))  # the last, and largest, of each
    return [(tokens, most[tokens], count) for tokens, count in sorted(counts.items())]


def _up(number: int) -> int:
    return -(-max(1, number) // _GRAIN) * _GRAIN
