"""Decoding of many rows at once by the model's own modules: beginnings computed once, steps captured.

Rows are answered in waves. In each, the beginnings that its rows share are computed first and copied to them, then
what each row has of its own, then token after token for all rows together. On CUDA a step is captured as a graph and
replayed: a thousand launches cost more than the work itself. Rows that have ended leave the wave at looks between the
steps; on CUDA, where a graph is for a fixed number of rows, when half of them have.

Which rows share a wave depends on the prompts and on the limit alone, so a wave computed again gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from paretune.engines.hf import row_cache
from paretune.engines.hf.beginnings import Beginning, covered, find_beginnings
from paretune.engines.hf.draws import draw
from paretune.engines.hf.draws import places as places_of_draws
from paretune.engines.hf.forward import ChoiceModel
from paretune.engines.hf.fused import fused_lora, fused_passes
from paretune.engines.hf.row_cache import RowCache, Sight, layer_shapes, lengths_of
from paretune.engines.hf.tokens import Tokens
from paretune.models.memory import memory_of, out_of_memory

Say = Callable[[str], None]
OnTokens = Callable[[int, list[int]], bool]  # a row's next tokens; whether it has ended

# Measured in benchmarks/generation.py, by kind of device.
_BUDGETS = {"cpu": 1024, "cuda": 16384}  # tokens of one forward over prompts
_STEPS = {"cpu": 1, "cuda": 8}  # between looks at which rows have ended
_ROW_MULTIPLE = {"cpu": 1, "cuda": 16}  # of the rows of a captured step
_PLACE_MULTIPLE = 16
_SEEN_MULTIPLE = 256  # of the places that a captured mask covers
_USABLE = 0.85  # of a GPU's memory beside the model: the allocator leaves gaps
_CPU_SHARE = 0.25  # of main memory, which is not ours alone
_LOGIT_BYTES = 12  # of a row's logits for each token of the vocabulary: in 16 bits, in 32, and their head's input
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.02}  # of a trial's relative difference
_PADDING_SHARE = 16  # a chunk is closed before more than one in so many of its budget's places are padding


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows' tokens [start, end) for one forward, padded on the right to the longest."""

    jobs: tuple[tuple[int, int, int], ...]  # row, start, end
    length: int

    @property
    def places(self) -> int:
        """Places that the rows need for it, padding included."""
        return max(start for _, start, _ in self.jobs) + self.length


@dataclass(frozen=True, slots=True)
class Wave:
    """Rows computed together: forwards over shared beginnings level by level, then over each row's own rest.

    rows: the prompts' tokens, in the order of the cache's rows. levels: chunks of a level and what they are for.
    """

    rows: tuple[Tokens, ...]
    levels: tuple[tuple[tuple[Chunk, ...], tuple[Beginning, ...]], ...]
    rests: tuple[Chunk, ...]

    def n_places(self, max_new_tokens: int) -> int:
        """Places that each row of the cache needs."""
        chunks = [chunk for level, _ in self.levels for chunk in level] + list(self.rests)
        longest = max(map(len, self.rows)) + max_new_tokens
        return max(longest, *(chunk.places for chunk in chunks))

    @property
    def n_tokens(self) -> int:
        """Prompt tokens computed, padding included."""
        chunks = [chunk for level, _ in self.levels for chunk in level] + list(self.rests)
        return sum(len(chunk.jobs) * chunk.length for chunk in chunks)


def plan_wave(rows: Sequence[Tokens], budget: int) -> Wave:
    """The forwards that fill a cache with rows, none over more than `budget` places unless one row alone is."""
    beginnings = find_beginnings(rows)
    levels: list[tuple[tuple[Chunk, ...], tuple[Beginning, ...]]] = []
    for level in range(1 + max((beginning.level for beginning in beginnings), default=-1)):
        chosen = tuple(beginning for beginning in beginnings if beginning.level == level)
        jobs = [(beginning.rows[0], beginning.start, beginning.end) for beginning in chosen]
        levels.append((_chunks(jobs, budget), chosen))
    ends = covered(beginnings, len(rows))
    jobs = [(row, end, len(tokens)) for row, (tokens, end) in enumerate(zip(rows, ends, strict=True))]
    return Wave(tuple(rows), tuple(levels), _chunks(jobs, budget))


def _chunks(jobs: Sequence[tuple[int, int, int]], budget: int) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    ordered = sorted(jobs, key=lambda job: (job[1] - job[2], job))
    begin = 0
    while begin < len(ordered):
        longest = ordered[begin][2] - ordered[begin][1]
        end, padding = begin + 1, 0
        while end < len(ordered) and longest * (end + 1 - begin) <= budget:
            padding += longest - (ordered[end][2] - ordered[end][1])
            if padding > budget // _PADDING_SHARE:
                break
            end += 1
        chunks.append(Chunk(tuple(ordered[begin:end]), longest))
        begin = end
    return tuple(chunks)


class Decoder:
    """Writes after rows of tokens with a model as it stands (eval mode, the wanted adapter active).

    say: told once where steps cannot be captured. temperature: of drawn tokens; 0 for the most probable ones. Raises
    ScoringError or EngineError for a model whose cache or attention cannot be reached so (see `ChoiceModel`). Use
    `open` around all else.
    """

    def __init__(self, model: Any, say: Say, temperature: float = 0.0) -> None:
        self._temperature = temperature
        self._whole = model
        self._seen = ChoiceModel(model)
        self.device = self._seen.device
        kind = self.device.type
        self.budget = _BUDGETS.get(kind, _BUDGETS["cpu"])
        self._n_steps = _STEPS.get(kind, 1)
        self._row_multiple = _ROW_MULTIPLE.get(kind, 1)
        self._say = say
        self._captures = kind == "cuda"
        self._ours = self._seen.attention == "sdpa"
        self._shapes: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self._like: torch.Tensor | None = None
        self._cache: RowCache | None = None
        self._graphs: dict[tuple[int, int], torch.cuda.CUDAGraph] = {}
        self._by_length = False

    @contextmanager
    def open(self) -> Iterator[None]:
        """Within, rows can be written; memory is held until the end."""
        whole = self._whole
        with torch.inference_mode(), self._seen.kernels(), fused_passes(whole), fused_lora(whole), ExitStack() as stack:
            stack.callback(self.release)
            row_cache.register()
            self._look_at_shapes()
            yield

    def rows_that_fit(self, n_places: int) -> int:
        """Rows of so many places that the device's memory holds beside the model, at least one.

        By what this process may take, not by what happens to be free: a run that is resumed cuts the same waves.
        """
        assert self._like is not None
        size, config = int(self._like.element_size()), self._seen.config
        per_row = sum(heads * dim for pair in self._shapes for heads, dim in pair) * size * n_places
        per_row += _LOGIT_BYTES * int(config.vocab_size)
        if self.device.type != "cuda":
            return max(1, int(_CPU_SHARE * memory_of(self.device)) // per_row)
        widths = 8 * int(config.hidden_size) + 4 * int(getattr(config, "intermediate_size", 4 * config.hidden_size))
        room = _USABLE * (memory_of(self.device) - int(torch.cuda.memory_allocated(self.device)))
        return max(1, int(room - self.budget * widths * size) // per_row)

    def disagreement(self) -> str | None:
        """Why this way of computing cannot be had with the model, by a trial against its plain forward; None: it can.

        Two rows that begin alike, in chunks as of a real wave, and one step.
        """
        random = torch.Generator().manual_seed(0)
        most = min(int(self._seen.config.vocab_size), 1000)
        stem, *ends = (torch.randint(most, (length,), generator=random).tolist() for length in (70, 1, 5))
        rows = [[*stem, *end] for end in ends]
        try:
            wave = plan_wave(rows, self.budget)
            self.allocate(len(rows), wave.n_places(2))
            assert self._cache is not None
            first = self._prefill(self._cache, wave)
            positions = torch.tensor([[len(row)] for row in rows], device=self.device)
            tokens = torch.tensor([[token] for token in first], device=self.device)
            hidden = self._forward(self._cache, tokens, positions, self._cache.n_places, None)[:, 0]
            for row, token, ours in zip(rows, first, hidden.float(), strict=True):
                whole = torch.tensor([[*row, token]], device=self.device)
                theirs = self._seen.decoder(input_ids=whole, use_cache=False).last_hidden_state[0, -1].float()
                if not bool((ours - theirs).norm() <= _TOLERANCE[self._seen.causal.dtype] * theirs.norm()):
                    return "its outputs with a cache of our own differ from its plain forward"
        except Exception as error:  # whatever a model of an unknown kind raises at a call it was not made for
            if out_of_memory(error):
                raise
            return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        finally:
            self.release()
        return None

    def release(self) -> None:
        """Let go of the cache and of the graphs that read it."""
        self._graphs.clear()
        self._cache = None

    def allocate(self, n_rows: int, n_places: int) -> None:
        """Make room for waves of so many rows and places; keeps what is large enough."""
        n_rows, n_places = _up(n_rows, self._row_multiple), _up(n_places, _PLACE_MULTIPLE)
        if self._cache is not None and self._cache.n_rows >= n_rows and self._cache.n_places >= n_places:
            return
        self.release()
        assert self._like is not None
        self._cache = RowCache(self._shapes, n_rows, n_places, self._like)
        integers: dict[str, Any] = {"dtype": torch.long, "device": self.device}
        self._tokens, self._positions = (torch.zeros(n_rows, **integers) for _ in range(2))
        self._written = torch.zeros((n_rows, self._n_steps), **integers)
        self._column = torch.zeros(1, **integers)
        self._number = torch.zeros(1, **integers)  # of the token that comes next in every answer
        self._at = torch.zeros((n_rows, n_places if self._temperature else 0), dtype=torch.float64, device=self.device)
        (key_heads, head_dim), values = self._shapes[0]
        heads = int(self._seen.config.num_attention_heads)
        window = self._seen.window
        self._group = heads // key_heads
        self._by_length = (
            self._ours
            and (key_heads, head_dim) == values
            and len({shape for pair in self._shapes for shape in pair}) == 1
            and (window is None or window >= n_places)
            and row_cache.reads_by_length(heads, key_heads, head_dim, self.device, self._like.dtype)
        )

    def write(self, wave: Wave, max_new_tokens: int, on_tokens: OnTokens, seeds: Sequence[int] = ()) -> None:
        """Up to max_new_tokens after each row; on_tokens is given each row's tokens, some at a time, until it says
        that the row has ended. seeds: of the rows, where tokens are drawn."""
        cache = self._cache
        assert cache is not None
        assert cache.n_places >= wave.n_places(max_new_tokens)
        slots = list(range(len(wave.rows)))  # the row at each place of the cache
        if self._temperature:
            self._at[: len(seeds), :max_new_tokens] = places_of_draws(seeds, max_new_tokens).to(self.device)
        first = self._prefill(cache, wave)
        ended = [on_tokens(row, [token]) for row, token in enumerate(first)]
        longest, done = max(map(len, wave.rows)), 1
        n_rows = _up(len(slots), self._row_multiple)
        while done < max_new_tokens and not all(ended[row] for row in slots):
            slots, n_rows = self._leave(cache, slots, ended, n_rows, longest + done)
            n_steps = min(self._n_steps, max_new_tokens - done)
            n_seen = min(cache.n_places, longest + done + n_steps)
            written = self._steps(cache, n_rows, n_steps, n_seen)
            done += n_steps
            for slot, row in enumerate(slots):
                if not ended[row]:
                    ended[row] = on_tokens(row, written[slot])

    def _look_at_shapes(self) -> None:
        cache = DynamicCache()
        token = torch.zeros((1, 1), dtype=torch.long, device=self.device)
        self._seen.decoder(input_ids=token, past_key_values=cache, use_cache=True)
        self._shapes = layer_shapes(cache)
        self._like = cache.layers[0].keys

    def _leave(
        self, cache: RowCache, slots: list[int], ended: list[bool], n_rows: int, longest: int
    ) -> tuple[list[int], int]:
        """Rows that go on, in the first slots; the last of them move to where others have ended."""
        n_left = sum(not ended[row] for row in slots)
        fewer = n_left if self._row_multiple == 1 else max(self._row_multiple, 1 << (n_left - 1).bit_length())
        if n_left == len(slots) or fewer >= n_rows:
            return slots, n_rows
        if self._row_multiple > 1 and 2 * fewer > n_rows:
            return slots, n_rows
        slots = list(slots)
        free = [slot for slot, row in enumerate(slots[:n_left]) if ended[row]]
        moving = [slot for slot, row in enumerate(slots) if slot >= n_left and not ended[row]]
        if moving:
            sources, targets = (torch.tensor(item, device=self.device) for item in (moving, free))
            cache.move(sources, targets, min(longest, cache.n_places))
            for state in (self._tokens, self._positions, self._at):
                state[targets] = state[sources]
            for source, target in zip(moving, free, strict=True):
                slots[target] = slots[source]
        return slots[:n_left], fewer

    def _prefill(self, cache: RowCache, wave: Wave) -> list[int]:
        """Fill the cache with a wave's rows; returns the first token of each answer."""
        self._number.zero_()
        for chunks, beginnings in wave.levels:
            for chunk in chunks:
                self._forward_chunk(cache, wave, chunk)
            for beginning in beginnings:
                targets = torch.tensor(beginning.rows[1:], device=self.device)
                cache.share(beginning.rows[0], targets, beginning.start, beginning.end)
        for chunk in wave.rests:
            hidden = self._forward_chunk(cache, wave, chunk)
            ends = torch.tensor([end - start - 1 for _, start, end in chunk.jobs], device=self.device)
            rows = torch.tensor([row for row, _, _ in chunk.jobs], device=self.device)
            self._tokens[rows] = self._chosen(hidden[torch.arange(len(ends), device=self.device), ends], rows)
        self._number.fill_(1)
        lengths = torch.tensor([len(row) for row in wave.rows], device=self.device)
        self._positions.zero_()
        self._positions[: len(lengths)] = lengths
        first: list[int] = self._tokens[: len(lengths)].tolist()
        return first

    def _forward_chunk(self, cache: RowCache, wave: Wave, chunk: Chunk) -> torch.Tensor:
        padded = [wave.rows[row][start:end] + [0] * (chunk.length - end + start) for row, start, end in chunk.jobs]
        tokens = torch.tensor(padded, device=self.device)
        rows, starts = (torch.tensor([job[place] for job in chunk.jobs], device=self.device) for place in range(2))
        positions = starts[:, None] + torch.arange(chunk.length, device=self.device)
        return self._forward(cache, tokens, positions, chunk.places, rows)

    def _forward(
        self, cache: RowCache, tokens: torch.Tensor, positions: torch.Tensor, n_seen: int, rows: torch.Tensor | None
    ) -> torch.Tensor:
        """(n_rows, n_queries, width) outputs for (n_rows, n_queries) tokens of the rows (None: the first ones)."""
        seen = self._seen
        n_rows, n_queries = tokens.shape
        numbers = torch.arange(n_rows, device=self.device) if rows is None else rows
        places = (numbers[:, None] * cache.n_places + positions).flatten()
        lengths = None
        if self._by_length:
            lengths = lengths_of(positions[:, -1] + 1, numbers, n_queries, cache.n_places, self._group)
            nothing = torch.ones((1, 1, 1, 1), dtype=torch.bool, device=self.device)  # the model makes no masks then
            masks: Any = dict.fromkeys(seen.kinds, nothing) if len(seen.kinds) > 1 else nothing
        else:
            order = torch.arange(n_seen, device=self.device)
            visible = order <= positions[:, :, None]
            masks = seen.masks(visible, positions, order.expand(n_rows, -1))
        sight = Sight(places, n_seen, rows, lengths)
        cache.aim(sight)
        extra: dict[str, Any] = {"sight": sight} if self._ours else {}
        if self._ours:
            seen.config._attn_implementation = row_cache.NAME
        try:
            output = seen.decoder(
                input_ids=tokens,
                attention_mask=masks,
                position_ids=positions,
                past_key_values=cache.for_model,
                use_cache=True,
                **extra,
            )
        finally:
            seen.config._attn_implementation = seen.attention
        hidden: torch.Tensor = output.last_hidden_state
        return hidden

    def _chosen(self, hidden: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
        """(n,) tokens for (n, width) outputs of the rows (None: the first ones): the most probable, or drawn."""
        parts = hidden.split(self._seen.head_places())
        if not self._temperature:
            return torch.cat([self._seen.logits(part).argmax(-1) for part in parts])
        at = self._at[: len(hidden)] if rows is None else self._at[rows]
        at = at.index_select(1, self._number)[:, 0]
        return torch.cat([
            draw(self._seen.logits(part), share, self._temperature)
            for part, share in zip(parts, at.split(self._seen.head_places()), strict=True)
        ])  # fmt: skip

    def _steps(self, cache: RowCache, n_rows: int, n_steps: int, n_seen: int) -> list[list[int]]:
        """The next n_steps tokens of the first n_rows rows."""
        self._column.zero_()
        if self._captures:
            n_seen = cache.n_places if self._by_length else min(cache.n_places, _up(n_seen, _SEEN_MULTIPLE))
        for _ in range(n_steps):
            graph = self._graphs.get((n_rows, n_seen))
            if graph is not None:
                graph.replay()
                continue
            self._step(cache, n_rows, n_seen)
            if self._captures:
                self._capture(cache, n_rows, n_seen)
        tokens: list[list[int]] = self._written[:n_rows, :n_steps].tolist()
        return tokens

    def _step(self, cache: RowCache, n_rows: int, n_seen: int) -> None:
        """One token more for the first rows; reads and writes fixed places of memory only."""
        tokens, positions = self._tokens[:n_rows], self._positions[:n_rows]
        hidden = self._forward(cache, tokens[:, None], positions[:, None], n_seen, None)
        chosen = self._chosen(hidden[:, -1], None)
        self._written[:n_rows].index_copy_(1, self._column, chosen[:, None])
        tokens.copy_(chosen)
        positions.add_(1)
        self._column.add_(1)
        if self._temperature:
            self._number.add_(1)

    def _capture(self, cache: RowCache, n_rows: int, n_seen: int) -> None:
        """Keep the step, which has just been made once, as a graph; say so where that fails and go on without."""
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._graphs.values())).pool() if self._graphs else None
        failure = ""
        try:
            with torch.cuda.graph(graph, pool=pool):
                self._step(cache, n_rows, n_seen)
        except Exception as error:  # of a kernel that cannot be captured: no common type
            if out_of_memory(error):
                raise
            failure = " ".join(str(error).split())[:200]
        if failure:
            self._captures = False
            self._say(
                f"decoding steps cannot be captured as graphs ({failure}); each is launched anew, which is slower"
            )
        else:
            self._graphs[n_rows, n_seen] = graph


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
