"""One forward of packed questions through the model's own modules, the last layer only where it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, DynamicLayer
from transformers.modeling_outputs import BaseModelOutputWithPast

from paretune.engines.hf import attention
from paretune.engines.hf.attention import DeviceParts, Parts, PartsLayer, cut_parts, cut_reads
from paretune.engines.hf.packing import Integers, PackedBatch
from paretune.errors import EngineError, ScoringError


@dataclass(frozen=True, slots=True)
class LastReads:
    """The places of a batch whose outputs are read, beside the weights.

    index: (n_rows, most_reads) token in its row; rows with fewer reads are filled up with the row's first token.
    places: (n_places,) index of each output wanted into the flattened index. parts: the reads of each part, where
    attention is by parts (then n_rows is 1).
    """

    index: torch.Tensor
    places: torch.Tensor
    parts: DeviceParts | None = None


@dataclass(slots=True)
class Narrowed:
    """Whether the last forward's output is that of the reads alone, (n_rows, most_reads, width)."""

    applied: bool = False


def find(decoder: Any, config: Any) -> Any | None:
    """The decoder's last layer, if it is one whose attention writes keys and values to the cache as the last one."""
    layers = getattr(decoder, "layers", None)
    if not isinstance(layers, torch.nn.ModuleList) or len(layers) != getattr(config, "num_hidden_layers", None):
        return None
    attention = getattr(layers[-1], "self_attn", None)
    return layers[-1] if getattr(attention, "layer_idx", None) == len(layers) - 1 else None


def reads_by_row(places: Integers, n_rows: int, row_length: int) -> tuple[Integers, Integers]:
    """index and places as in `LastReads`, of (n_places,) flat places in rows of row_length.

    >>> index, places = reads_by_row(np.array([1, 6, 7]), 2, 5)
    >>> index.tolist(), places.tolist()
    ([[1, 0], [1, 2]], [0, 2, 3])
    """
    row, column = np.divmod(places, row_length)
    counts = np.bincount(row, minlength=n_rows)
    order = np.empty_like(row)
    by_row = np.argsort(row, kind="stable")
    order[by_row] = np.arange(len(row)) - (np.cumsum(counts) - counts)[row[by_row]]
    index = np.zeros((n_rows, counts.max()), dtype=np.int64)
    index[row, order] = column
    return index, row * index.shape[1] + order


@contextmanager
def keys_only(layer: Any) -> Iterator[None]:
    """Within, the layer puts its keys and values into the cache and computes nothing else; its output means nothing."""
    before = layer.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        cache = kwargs.get("past_key_values")
        try:
            hidden = _only_input(args)
            if not isinstance(cache, Cache):
                raise _NotUnderstoodError
            own = _own_keys(before, hidden, kwargs)
        except _NotUnderstoodError:
            return before(*args, **kwargs)
        cache.update(own.keys, own.values, own.layer_index)
        return hidden

    with replaced_forward(layer, forward):
        yield


@contextmanager
def reads_only(layer: Any, reads: LastReads, keys: DynamicLayer | None) -> Iterator[Narrowed]:
    """Within, the layer's output is computed at the reads alone; what is yielded says whether it was.

    keys: makes what the reads attend to of the layer's own keys and values (puts the prefix before them); None: those
    themselves.
    """
    before = layer.forward
    narrowed = Narrowed()

    def forward(*args: Any, **kwargs: Any) -> Any:
        narrowed.applied = False
        try:
            hidden = _only_input(args)
            at_reads = _at_reads(kwargs, reads, hidden.shape[1])
            own = _own_keys(before, hidden, kwargs)
            own.layer = keys
            found = before(_taken(hidden, reads.index, hidden.shape[1]), **at_reads, past_key_values=own)
        except _NotUnderstoodError:
            return before(*args, **kwargs)
        narrowed.applied = True
        return found

    with replaced_forward(layer, forward):
        yield narrowed


@contextmanager
def replaced_forward(module: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """Within, calling the module calls `forward`."""
    missing = object()
    before = module.__dict__.get("forward", missing)
    module.forward = forward
    try:
        yield
    finally:
        if before is missing:
            del module.forward
        else:
            module.forward = before


class _KeysKnown(Exception):  # ends a call early, no error
    pass


class _NotUnderstoodError(AttributeError):
    """The layer is given, or asks for, something that may not fit fewer places."""


class _OwnKeys:
    """Stands for the cache: the first update is kept and ends the call, later ones are answered with what was kept."""

    def __init__(self) -> None:
        self.known = False
        self.layer: DynamicLayer | None = None

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_index: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.known:
            self.keys, self.values, self.layer_index, self.known = keys, values, layer_index, True
            raise _KeysKnown
        return (self.keys, self.values) if self.layer is None else self.layer.update(self.keys, self.values)

    def __getattr__(self, name: str) -> Any:
        raise _NotUnderstoodError(name)  # a length or a position: not that of the reads


def _own_keys(forward: Callable[..., Any], hidden: torch.Tensor, kwargs: dict[str, Any]) -> _OwnKeys:
    own = _OwnKeys()
    if "past_key_values" not in kwargs:
        raise _NotUnderstoodError
    try:
        forward(hidden, **{**kwargs, "past_key_values": own})
    except _KeysKnown:
        return own
    raise _NotUnderstoodError("no keys and values were cached")


def _only_input(args: tuple[Any, ...]) -> torch.Tensor:
    if len(args) != 1 or not isinstance(args[0], torch.Tensor) or args[0].dim() != 3:
        raise _NotUnderstoodError
    return args[0]


def _at_reads(kwargs: dict[str, Any], reads: LastReads, length: int) -> dict[str, Any]:
    """The layer's arguments for the reads, without the cache."""
    chosen: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name == "parts":
            chosen[name] = reads.parts
        elif name == "attention_mask":
            chosen[name] = value if reads.parts is not None else _mask_taken(value, reads.index, length)
        elif name in ("position_ids", "position_embeddings"):
            several = isinstance(value, tuple)
            taken = tuple(_taken(item, reads.index, length) for item in (value if several else (value,)))
            chosen[name] = taken if several else taken[0]
        elif name != "past_key_values":
            if not (value is None or isinstance(value, bool | int | float | str)):
                raise _NotUnderstoodError(name)
            chosen[name] = value
    return chosen


def _taken(value: Any, index: torch.Tensor, length: int) -> torch.Tensor:
    """(n_rows, most_reads, ...) of (n_rows or 1, length, ...)."""
    n_rows = index.shape[0]
    if not isinstance(value, torch.Tensor) or value.dim() < 2 or value.shape[1] != length:
        raise _NotUnderstoodError
    if value.shape[0] not in (1, n_rows):
        raise _NotUnderstoodError
    row = torch.arange(n_rows, device=index.device)[:, None]
    return value.expand(n_rows, *value.shape[1:])[row, index]


def _mask_taken(mask: Any, index: torch.Tensor, length: int) -> torch.Tensor:
    """(n_rows, 1, most_reads, n_keys) of (n_rows, 1, length, n_keys)."""
    if not isinstance(mask, torch.Tensor) or mask.dim() != 4 or mask.shape[1] != 1:
        raise _NotUnderstoodError
    return _taken(mask[:, 0], index, length)[:, None]


_HEAD_ELEMENTS = {"cpu": 2**25, "cuda": 2**29}  # logits held at once


@dataclass(frozen=True, slots=True)
class PrefixCache:
    """Keys and values of one prefix: a pair of (1, key_heads, length, head_dim) a layer; no layers when empty."""

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    length: int


@dataclass(slots=True)
class DeviceBatch:
    """A packed batch where the model is, with all that does not depend on the weights: masks wait for the forward.

    Either padded rows, (n_rows, row_length), with question and branch; or, by parts, one row of the questions alone.
    reads: (n_reads, 2) of index into places, token. last: where the last layer is needed (None: everywhere).
    """

    packed: PackedBatch
    tokens: torch.Tensor
    depth: torch.Tensor
    places: torch.Tensor
    reads: torch.Tensor
    question: torch.Tensor | None = None
    branch: torch.Tensor | None = None
    parts: DeviceParts | None = None
    last: LastReads | None = None


class _FrozenPrefixLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not followed by the type checker
    """Gives every row the prefix's keys and values before its own, and keeps nothing."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.dtype, self.device = keys.dtype, keys.device
        self.keys, self.values = keys, values
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The prefix, once a row, followed by the row."""
        n_rows = key_states.shape[0]
        keys = torch.cat([self.keys.expand(n_rows, -1, -1, -1), key_states], dim=-2)
        return keys, torch.cat([self.values.expand(n_rows, -1, -1, -1), value_states], dim=-2)


class ChoiceModel:
    """A causal language model (or PeftModel with its adapter active) as scoring needs it.

    Raises ScoringError for a model in training mode or of a kind whose prefix cannot be cached exactly.
    """

    def __init__(self, model: Any) -> None:
        if model.training:
            raise ScoringError("the model is in training mode (dropout would change its answers); call model.eval()")
        self.causal = _base_model(model)
        self.decoder: Any = getattr(self.causal, self.causal.base_model_prefix, None)
        self.config = self.causal.config.get_text_config()
        self.attention = _attention_kind(self.causal, self.config)
        self.kinds, self.window = _layer_kinds(self.config)
        self.context_length: int = getattr(self.config, "max_position_embeddings", None) or 2**31
        self.device = self.causal.get_input_embeddings().weight.device
        self.by_parts = self.attention == "sdpa" and attention.fits(
            self.config, self.device, self.causal.dtype, self.window
        )
        self.prefix_apart = self.by_parts and attention.fits_apart(self.config, self.device, self.causal.dtype)
        if self.decoder is None:
            raise ScoringError(f"{type(self.causal).__name__}: its decoder cannot be reached; choose another engine")
        self.last_layer = find(self.decoder, self.config)

    def prefix_caches(self, prefixes: Sequence[Sequence[int]]) -> list[PrefixCache]:
        """The caches of several prefixes, from one forward padded on the right (which no real token can see)."""
        longest = max(map(len, prefixes))
        if longest == 0:
            return [PrefixCache((), 0) for _ in prefixes]
        tokens = torch.zeros((len(prefixes), longest), dtype=torch.long)
        for row, prefix in enumerate(prefixes):
            tokens[row, : len(prefix)] = torch.tensor(prefix, dtype=torch.long)
        cache = DynamicCache()
        last = nullcontext() if self.last_layer is None else keys_only(self.last_layer)
        with torch.inference_mode(), self.kernels(), last:
            self.decoder(input_ids=tokens.to(self.device), past_key_values=cache, use_cache=True)
        caches: list[PrefixCache] = []
        for row, prefix in enumerate(prefixes):
            here = (slice(row, row + 1), slice(None), slice(0, len(prefix)))
            layers = tuple((layer.keys[here].clone(), layer.values[here].clone()) for layer in cache.layers)
            caches.append(PrefixCache(layers if prefix else (), len(prefix)))
        return caches

    def to_device(self, packed: PackedBatch, prefix_length: int) -> DeviceBatch:
        """The batch's arrays beside the weights, laid out as its attention wants them."""
        send = self._send
        reads = send(packed.reads[:, :2])
        apart = self.prefix_apart and attention.keeps_apart(packed, prefix_length, self.window)
        parts = cut_parts(packed, prefix_length, apart=apart) if self.by_parts else None
        if parts is None or not attention.pays(parts, packed, prefix_length):
            index, slots = reads_by_row(packed.places, *packed.tokens.shape)
            tokens, depth, places = send(packed.tokens), send(packed.depth), send(packed.places)
            row_of = (send(packed.question), send(packed.branch))
            return DeviceBatch(packed, tokens, depth, places, reads, *row_of, last=LastReads(send(index), send(slots)))
        cut = self._send_parts(parts)
        tokens, depth, places = send(parts.tokens[None]), send(parts.depth[None]), send(parts.places)
        read = cut_reads(parts)
        last = None
        if read is not None:
            keys = cut.keys if read.keys is parts.keys else None
            in_order = torch.arange(len(parts.places), device=self.device)
            last = LastReads(places[None], in_order, self._send_parts(read, keys))
        return DeviceBatch(packed, tokens, depth, places, reads, parts=cut, last=last)

    def read(self, batch: DeviceBatch, prefix: PrefixCache) -> torch.Tensor:
        """(n_reads,) float32 natural log of the probability of each token read, still on the device."""
        with torch.inference_mode(), self.kernels():
            with self._last_layer_at_reads(batch, prefix) as narrowed:
                hidden = self._hidden(batch, prefix)
            places = batch.last.places if batch.last is not None and narrowed.applied else batch.places
            wanted = hidden.flatten(0, 1).index_select(0, places)
            return self.log_probabilities(wanted, batch.reads)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(n_places, vocabulary) logits of (n_places, width) outputs, by the model's own head, scaling and caps."""
        output = BaseModelOutputWithPast(last_hidden_state=hidden[None])
        with replaced_forward(self.decoder, lambda *args, **kwargs: output):
            nothing = torch.zeros((1, hidden.shape[0]), dtype=torch.long, device=hidden.device)
            logits: torch.Tensor = self.causal(input_ids=nothing, use_cache=False).logits[0]
        return logits

    def head_places(self) -> int:
        """How many places' logits may be held at once."""
        return max(1, _HEAD_ELEMENTS.get(self.device.type, 2**25) // int(self.config.vocab_size))

    def _last_layer_at_reads(self, batch: DeviceBatch, prefix: PrefixCache) -> AbstractContextManager[Narrowed]:
        last = batch.last
        if last is None or self.last_layer is None:
            return nullcontext(Narrowed())
        keys, values = prefix.layers[-1] if prefix.layers else (None, None)
        if last.parts is not None:
            return reads_only(self.last_layer, last, PartsLayer(keys, values, last.parts.keys))
        before = None if keys is None or values is None else _FrozenPrefixLayer(keys, values)
        return reads_only(self.last_layer, last, before)

    def _hidden(self, batch: DeviceBatch, prefix: PrefixCache) -> torch.Tensor:
        if batch.parts is not None:
            return self._hidden_by_parts(batch, batch.parts, prefix)
        position = batch.depth + prefix.length
        cache = Cache(layers=[_FrozenPrefixLayer(*layer) for layer in prefix.layers]) if prefix.length else None
        output = self.decoder(
            input_ids=batch.tokens,
            attention_mask=self._masks(batch, position, prefix.length),
            position_ids=position,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        hidden: torch.Tensor = output.last_hidden_state
        return hidden

    def _hidden_by_parts(self, batch: DeviceBatch, parts: DeviceParts, prefix: PrefixCache) -> torch.Tensor:
        pairs: Sequence[Any] = prefix.layers or [(None, None)] * int(self.config.num_hidden_layers)
        nothing = torch.ones((1, 1, 1, 1), dtype=torch.bool, device=self.device)  # keeps the model from making masks
        attention.register()
        self.config._attn_implementation = attention.NAME
        try:
            output = self.decoder(
                input_ids=batch.tokens,
                attention_mask=dict.fromkeys(self.kinds, nothing) if len(self.kinds) > 1 else nothing,
                position_ids=batch.depth + prefix.length,
                past_key_values=Cache(layers=[PartsLayer(keys, values, parts.keys) for keys, values in pairs]),
                use_cache=True,
                parts=parts,
            )
        finally:
            self.config._attn_implementation = self.attention
        hidden: torch.Tensor = output.last_hidden_state
        return hidden

    def _masks(self, batch: DeviceBatch, position: torch.Tensor, prefix_length: int) -> Any:
        """(n_rows, 1, row_length, prefix_length + row_length), or one for each kind of layer where kinds differ."""
        assert batch.question is not None
        assert batch.branch is not None
        n_rows, length = position.shape
        ordered = torch.ones((length, length), dtype=torch.bool, device=position.device).tril()
        same_question = batch.question[:, :, None] == batch.question[:, None, :]
        own_branch = batch.branch[:, :, None] == batch.branch[:, None, :]
        row = ordered & same_question & (own_branch | (batch.branch == 0)[:, None, :])
        full = torch.cat([row.new_ones((n_rows, length, prefix_length)), row], dim=-1)
        past = torch.arange(prefix_length, device=position.device).expand(n_rows, -1)
        return self.masks(full, position, torch.cat([past, position], dim=-1))

    def masks(self, visible: torch.Tensor, position: torch.Tensor, key_position: torch.Tensor) -> Any:
        """What the decoder takes as attention_mask for (n_rows, n_queries, n_keys) visible pairs.

        position: (n_rows, n_queries), key_position: (n_rows, n_keys): where a layer's window cuts the pairs.
        """
        by_kind = {"full_attention": visible}
        if "sliding_attention" in self.kinds:
            behind = position[:, :, None] - key_position[:, None, :]
            by_kind["sliding_attention"] = visible & (behind < (self.window or 0))
        masks = {kind: self._as_attended(by_kind[kind][:, None]) for kind in self.kinds}
        return masks if len(masks) > 1 else masks[self.kinds[0]]

    def _as_attended(self, mask: torch.Tensor) -> torch.Tensor:
        if self.attention == "sdpa":
            return mask
        smallest = torch.finfo(self.causal.dtype).min
        return torch.zeros(mask.shape, dtype=self.causal.dtype, device=mask.device).masked_fill_(~mask, smallest)

    def log_probabilities(self, hidden: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
        """Log-softmax of the wanted tokens, a slice of the places at a time."""
        step = self.head_places()
        normaliser = torch.empty(hidden.shape[0], dtype=torch.float32, device=hidden.device)
        result = torch.empty(reads.shape[0], dtype=torch.float32, device=hidden.device)
        only = hidden.shape[0] <= step
        for start in range(0, hidden.shape[0], step):
            logits = self.logits(hidden[start : start + step]).float()
            normaliser[start : start + step] = torch.logsumexp(logits, dim=-1)
            if only:
                result = logits[reads[:, 0], reads[:, 1]]
            else:
                inside = ((reads[:, 0] >= start) & (reads[:, 0] < start + step)).nonzero()[:, 0]
                result[inside] = logits[reads[inside, 0] - start, reads[inside, 1]]
        return result - normaliser[reads[:, 0]]

    def _send_parts(self, parts: Parts, keys: torch.Tensor | None = None) -> DeviceParts:
        """keys: the parts' keys, if they are beside the weights already."""
        starts, key_starts = (self._send(item.astype(np.int32)) for item in (parts.starts, parts.key_starts))
        index = self._send(parts.keys) if keys is None else keys
        return DeviceParts(index, starts, key_starts, parts.longest, parts.shared)

    def _send(self, array: npt.NDArray[Any]) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def kernels(self) -> AbstractContextManager[Any]:
        """On CUDA, kernels that need no preparation for each new shape."""
        if self.device.type != "cuda":
            return nullcontext()
        from torch.nn.attention import SDPBackend, sdpa_kernel

        context: AbstractContextManager[Any] = sdpa_kernel(
            [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
        )
        return context


def _base_model(model: Any) -> Any:
    """The causal model under a PeftModel; its adapted layers are inside it and stay active."""
    if not hasattr(model, "peft_config"):
        return model
    for name, config in model.peft_config.items():
        if getattr(config, "is_prompt_learning", False):
            raise EngineError(f"adapter {name}: prompt-learning adapters are not supported; train LoRA or a relative")
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _attention_kind(causal: Any, config: Any) -> str:
    kind = config._attn_implementation
    if kind not in ("sdpa", "eager"):
        kind = "sdpa" if getattr(causal, "_supports_sdpa", True) else "eager"
        causal.set_attn_implementation(kind)  # others do not take a mask of our own
    return str(kind)


def _layer_kinds(config: Any) -> tuple[tuple[str, ...], int | None]:
    """The kinds of attention among the layers, and the window."""
    window = getattr(config, "sliding_window", None)
    kinds = tuple(sorted(set(getattr(config, "layer_types", None) or ())))
    if not kinds:
        kinds = ("sliding_attention",) if window else ("full_attention",)
    strange = set(kinds) - {"full_attention", "sliding_attention"}
    if strange:
        raise ScoringError(f"{config.model_type}: layers of kind {', '.join(sorted(strange))} cannot share a prefix")
    return kinds, window
