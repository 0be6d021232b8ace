"""Rows of a training step that begin alike: which they are, in which order they come, and how they lie in memory.

Most tokens of a text-to-SQL training are the schema prompt, the same for every row of a database. Rows are grouped by
the tokens that they begin with (no database is asked), and what a group shares is laid out, and computed, once per
step; each row's remainder follows and attends to it (shared_attention.py). The loss and the gradients are those of
whole rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from paretune.training.processes import Processes

from paretune.training.batches import NO_LABEL
from paretune.training.step_sizes import Size, StepSizes

Tokens = Sequence[int]


@dataclass(slots=True)
class _Group:
    """Rows that begin with the same `depth` tokens."""

    depth: int
    rows: list[int] = field(default_factory=list)


def prompt_groups(prompts: Sequence[Tokens]) -> list[list[int]]:
    """Rows (as index) in groups that are cheap to compute with what each group shares computed once.

    Rows are sorted and neighbours compared, as in a suffix array's tree of common prefixes: a group stays on its own
    where sharing its longer beginning saves more tokens than beginning again costs. Linear in the number of rows after
    the sort, and a function of the tokens alone.

    >>> prompt_groups([(1, 2, 3, 4), (1, 7, 8, 9), (1, 2, 3, 5), (1, 7, 8, 2), (6,)])
    [[0, 2], [1, 3], [4]]
    """
    rows = [tuple(prompt) for prompt in prompts]
    closed: list[list[int]] = []
    open_groups: list[_Group] = []

    def close_down_to(depth: int) -> None:
        while open_groups and open_groups[-1].depth > depth:
            group = open_groups.pop()
            if not open_groups or open_groups[-1].depth < depth:
                open_groups.append(_Group(depth))
            outer = open_groups[-1]
            if (group.depth - outer.depth) * (len(group.rows) - 1) > outer.depth:
                closed.append(group.rows)
            else:
                outer.rows.extend(group.rows)

    before: tuple[int, ...] = ()
    for row in sorted(range(len(rows)), key=lambda row: (rows[row], row)):
        close_down_to(shared_tokens([before, rows[row]]))
        if not open_groups or open_groups[-1].depth < len(rows[row]):
            open_groups.append(_Group(len(rows[row])))
        open_groups[-1].rows.append(row)
        before = rows[row]
    close_down_to(0)
    alone = [[row] for group in open_groups for row in group.rows]
    return sorted((sorted(group) for group in (*closed, *alone) if group), key=lambda group: group[0])


def shared_tokens(rows: Sequence[tuple[int, ...]]) -> int:
    """How many first tokens all rows have in common; 0 of a single row.

    >>> shared_tokens([(1, 2, 3), (1, 2, 4), (1, 2)])
    2
    """
    if len(rows) < 2:
        return 0
    first, last = min(rows), max(rows)  # whatever these two share, all between them do
    differ = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return next(differ, min(len(first), len(last)))


class SharedPromptOrder:
    """Order of the rows in which those of a step come from about `prompts_per_step` groups.

    Each group is cut into pieces of rows_per_step / prompts_per_step random rows; pieces are shuffled and steps are
    filled with them. What is left of each group, fewer rows than a piece, meets in steps of more groups. The step of
    most tokens comes first, so that memory runs out there or not at all. Seed and epoch alone decide; accelerate calls
    `set_epoch`, as on its own random sampler.
    """

    def __init__(self, prompts: Sequence[Tokens], lengths: Sequence[int], *, rows_per_step: int, prompts_per_step: int,
                 seed: int) -> None:  # fmt: skip
        self._groups = prompt_groups(prompts)
        self._lengths = list(lengths)
        self._saved = [0] * len(self._lengths)  # tokens of each row that one more row of its group need not compute
        for group in self._groups:
            shared = shared_tokens([tuple(prompts[row]) for row in group])
            for row in group:
                self._saved[row] = shared
        self._group_of = {row: number for number, group in enumerate(self._groups) for row in group}
        self._rows_per_step = rows_per_step
        self._piece = max(1, rows_per_step // prompts_per_step)
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = random.Random(f"{self._seed} {self._epoch}")
        pieces: list[list[int]] = []
        left: list[list[int]] = []
        for group in self._groups:
            rows = generator.sample(group, len(group))
            whole = len(rows) - len(rows) % self._piece
            pieces.extend(rows[first : first + self._piece] for first in range(0, whole, self._piece))
            left.append(rows[whole:])
        for shuffled in (pieces, left):
            generator.shuffle(shuffled)
        places = [row for piece in (*pieces, *left) for row in piece]
        size = self._rows_per_step
        steps = [places[first : first + size] for first in range(0, len(places), size)]
        last = steps.pop() if len(steps) > 1 and len(steps[-1]) < size else []
        generator.shuffle(steps)
        steps.insert(0, steps.pop(max(range(len(steps)), key=lambda number: self.tokens(steps[number]))))
        for step in (*steps, last):
            yield from step

    def tokens(self, rows: Sequence[int]) -> int:
        """How many tokens a step computes, as far as the groups of the whole training tell."""
        shared = {self._group_of[row]: self._saved[row] for row in rows}
        return sum(self._lengths[row] - self._saved[row] for row in rows) + sum(shared.values())


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows laid one after another in (n_tokens,): what groups share first, then the rows' remainders by group.

    A segment is a sequence of its own: what one group shares, or a remainder; `starts` (n_segments + 1,) says where
    each begins. The first n_shared tokens are shared ones, cut by `shared_starts` (n_groups + 1,); the next n_sharing
    tokens are remainders that follow on them, cut by group by `sharing_starts` (n_groups + 1,); the tokens after these
    belong to rows that share nothing. labels: (n_labels,) the tokens to predict at `places`.
    """

    tokens: tuple[int, ...]
    positions: tuple[int, ...]
    starts: tuple[int, ...]
    shared_starts: tuple[int, ...]
    sharing_starts: tuple[int, ...]
    places: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def n_shared(self) -> int:
        """Tokens that are computed once for several rows."""
        return self.shared_starts[-1]

    @property
    def n_sharing(self) -> int:
        """Tokens of remainders that follow on shared ones."""
        return self.sharing_starts[-1]


Row = tuple[tuple[int, ...], tuple[int, ...]]  # tokens, and the labels of the last ones


def lay_out(rows: Sequence[Row], token_limit: int | None = None) -> list[Layout]:
    """The rows of one step in one layout, or in as few as keep each within token_limit where a single row does."""
    parts: list[list[tuple[int, list[Row]]]] = [[]]  # per layout: groups, each with its number of shared tokens
    room = token_limit
    for group in prompt_groups([sharable(tokens, len(labels)) for tokens, labels in rows]):
        members = [rows[number] for number in group]
        shared = shared_tokens([sharable(tokens, len(labels)) for tokens, labels in members])
        parts[-1].append((shared, []))
        begun = False
        for row in members:
            needed = len(row[0]) - (shared if begun else 0)
            if room is not None and needed > room and any(rows_ for _, rows_ in parts[-1]):
                parts.append([(shared, [])])
                room, needed = token_limit, len(row[0])
            parts[-1][-1][1].append(row)
            begun = True
            room = None if room is None else room - needed
    return [_layout([group for group in part if group[1]]) for part in parts if part]


def sharable(tokens: tuple[int, ...], answer_tokens: int) -> tuple[int, ...]:
    """What a row may share: its prompt but for the last token, whose prediction is the row's first label."""
    return tokens[: max(0, len(tokens) - answer_tokens - 1)]


def _layout(groups: Sequence[tuple[int, Sequence[Row]]]) -> Layout:
    sharing = [(shared, rows) for shared, rows in groups if shared and len(rows) > 1]
    alone = [row for shared, rows in groups if not (shared and len(rows) > 1) for row in rows]
    segments: list[tuple[Tokens, int, tuple[int, ...]]]  # tokens, first position, labels
    segments = [(rows[0][0][:shared], 0, ()) for shared, rows in sharing]
    for shared, rows in (*sharing, (0, alone)):
        segments.extend((tokens[shared:], shared, answer) for tokens, answer in rows)
    starts = [0, *np.cumsum([len(tokens) for tokens, _, _ in segments]).tolist()]
    places: list[int] = []
    labels: list[int] = []
    for start, (tokens, _, answer) in zip(starts, segments, strict=False):
        for place, label in enumerate(answer, len(tokens) - len(answer)):
            if place and label != NO_LABEL:
                places.append(start + place - 1)
                labels.append(label)
    return Layout(
        tokens=tuple(token for tokens, _, _ in segments for token in tokens),
        positions=tuple(first + place for tokens, first, _ in segments for place in range(len(tokens))),
        starts=tuple(starts),
        shared_starts=(0, *np.cumsum([shared for shared, _ in sharing], dtype=int).tolist()),
        sharing_starts=(0, *np.cumsum(
            [sum(len(tokens) - shared for tokens, _ in rows) for shared, rows in sharing], dtype=int).tolist()),
        places=tuple(places),
        labels=tuple(labels),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SharedPromptCollator:
    """Rows of one step to the layouts that compute it. token_limit: of each, the memory that a step may take.
    sizes: to which a step of one layout is padded for step_graphs.py; None: it is not. processes: among which the rows
    of a step are divided; what is counted is of all."""

    token_limit: int
    sizes: StepSizes | None = None
    processes: Processes | None = None

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """layouts: one dict per pass, what `shared_attention.shared_loss` takes. tokens: of the rows, prompts whole.
        answer_tokens: to be learnt; compared_tokens: these and those that are only compared with the base."""
        rows = [row_of(example) for example in examples]
        layouts = lay_out(rows if self.processes is None else self.processes.own(rows), self.token_limit)
        batch: dict[str, Any] = {
            "layouts": [to_tensors(layout) for layout in layouts],
            "tokens": sum(len(tokens) for tokens, _ in rows),
            "answer_tokens": sum(label >= 0 for _, labels in rows for label in labels),
            "compared_tokens": sum(len(labels) for _, labels in rows),
        }
        if self.sizes is not None and len(layouts) == 1:
            size = self.sizes.holding(len(layouts[0].tokens), len(layouts[0].labels))
            if size is not None:
                batch |= {"size": size, "padded": padded(batch["layouts"][0], size)}
        return batch


def row_of(example: dict[str, Any]) -> Row:
    """A row of the trainer's data set, without the labels before the first that is one."""
    labels = example["labels"]
    first = next((place for place, label in enumerate(labels) if label != NO_LABEL), len(labels))
    return tuple(example["input_ids"]), tuple(labels[first:])


def to_tensors(layout: Layout) -> dict[str, Any]:
    """A layout as what a model and its attention take: tensors, and whole numbers that kernels want on the host."""
    import torch

    cuts = {"starts": layout.starts, "shared_starts": layout.shared_starts, "sharing_starts": layout.sharing_starts}
    return {
        "input_ids": torch.tensor([layout.tokens]),
        "position_ids": torch.tensor([layout.positions]),
        "places": torch.tensor(layout.places),
        "labels": torch.tensor(layout.labels),
        **{name: torch.tensor(starts, dtype=torch.int32) for name, starts in cuts.items()},
        **{f"longest_{name}": int(np.diff(starts).max(initial=0)) for name, starts in cuts.items()},
        "n_shared": layout.n_shared,
        "n_sharing": layout.n_sharing,
    }


def padded(layout: Mapping[str, Any], size: Size) -> dict[str, torch.Tensor]:
    """A layout as tensors whose shapes hang on the size alone.

    Segments end with the padding's own and empty ones. All tokens attend across: those that share nothing belong to a
    group without keys, and the keys that no row shares to a group without queries.
    """
    import torch

    n_tokens, rows, n_labels = size
    real = layout["input_ids"].shape[1]
    device = layout["input_ids"].device
    places, labels = layout["places"], layout["labels"]
    n_shared, n_following = layout["n_shared"], layout["n_shared"] + layout["n_sharing"]

    def filled(start: torch.Tensor, count: int, value: int) -> torch.Tensor:
        return torch.cat([start, start.new_full((count - len(start),), value)])

    def cut(*parts: torch.Tensor | int) -> torch.Tensor:
        return torch.cat([torch.tensor([part], dtype=torch.int32, device=device) if isinstance(part, int) else part
                          for part in parts])  # fmt: skip

    spare = torch.arange(n_labels - len(places), device=device) % real  # no place many times: gradients are added up
    return {
        "input_ids": filled(layout["input_ids"][0], n_tokens, 0)[None],
        "position_ids": torch.cat([layout["position_ids"][0], torch.arange(n_tokens - real, device=device)])[None],
        "places": torch.cat([places, spare]),
        "labels": filled(labels, n_labels, -100),
        "starts": filled(layout["starts"], 2 * rows + 2, n_tokens),
        "queries": cut(0, filled(layout["sharing_starts"] + n_shared, rows + 1, n_following), n_tokens, n_tokens),
        "keys": cut(0, filled(layout["shared_starts"], rows + 1, n_shared), n_shared, n_tokens),
    }
