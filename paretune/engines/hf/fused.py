"""Products and passes done together: low-rank parts beside their weights, rotation and gated product."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch.nn import functional

from paretune.engines.hf.available import kernels_of
from paretune.models.memory import out_of_memory

_SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))  # layers of one module with one input
_MULTIPLE = 8  # of the columns of a weight: matrix kernels want rows aligned so


@contextmanager
def fused_lora(model: Any, *, widen: bool | None = None) -> Iterator[int]:
    """Within, the model's plain LoRA layers run fused; yields how many.

    widen: whether layers of one input share its product with A (default: on CUDA). Their base weights then lie in
    memory with B beside them and move back at the end, bit for bit. Left alone: layers merged, disabled, with several
    active adapters, quantised, with DoRA or another variant, with a bias on B, or whose adapter computes in another
    precision than the base.
    """
    adapted = hasattr(model, "peft_config")
    fused = [layer for layer in model.modules() if is_plain(layer)] if adapted else []
    with ExitStack() as stack:
        for group in _siblings(model) if fused else []:
            on_cuda = group[0].base_layer.weight.device.type == "cuda"
            if on_cuda if widen is None else widen:
                _enter_if_it_fits(stack, group)
        for layer in fused:
            if "forward" not in layer.__dict__:
                layer.forward = update_in_place(layer)
                stack.callback(delattr, layer, "forward")
        yield len(fused)


def is_plain(layer: Any) -> bool:
    """Whether a layer is a LoRA layer with one active adapter, unmerged, that computes W x + s B A x and no more."""
    if not type(layer).__module__.startswith("peft."):  # of thousands of modules most are none of PEFT's
        return False
    from peft.tuners.lora.layer import Linear

    if type(layer) is not Linear or type(layer.base_layer) is not torch.nn.Linear or "forward" in layer.__dict__:
        return False
    if layer.merged or layer.disable_adapters or len(layer.active_adapters) != 1 or layer.fan_in_fan_out:
        return False
    name = layer.active_adapters[0]
    if name not in layer.lora_A or getattr(layer, "lora_variant", {}).get(name) is not None:
        return False
    up, down = layer.lora_B[name], layer.lora_A[name]
    return up.bias is None and down.weight.dtype == up.weight.dtype == layer.base_layer.weight.dtype


def update_in_place(layer: Any) -> Callable[..., torch.Tensor]:
    """A forward for a plain layer that adds the update into the base's output within the product itself."""
    name = layer.active_adapters[0]
    base, down, up = layer.base_layer, layer.lora_A[name].weight, layer.lora_B[name].weight.t()
    scaling = float(layer.scaling[name])

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result: torch.Tensor = base(x)
        inner = torch.nn.functional.linear(x, down)
        result.view(-1, result.shape[-1]).addmm_(inner.view(-1, inner.shape[-1]), up, alpha=scaling)
        return result

    return forward


def _siblings(model: Any) -> list[list[Any]]:
    """Plain layers that are given one input by their module, two or more together, of one scaling."""
    groups: list[list[Any]] = []
    for module in model.modules():
        children = dict(module.named_children())
        for names in _SIBLINGS:
            group = [children[name] for name in names if name in children and is_plain(children[name])]
            alike = {(layer.scaling[layer.active_adapters[0]], layer.base_layer.in_features) for layer in group}
            if len(group) > 1 and len(alike) == 1:
                groups.append(group)
    return groups


class _WideInput:
    """The layers' common input, (n, width), with its products with all their A beside it."""

    def __init__(self, group: Sequence[Any]) -> None:
        name = group[0].active_adapters[0]
        downs = [layer.lora_A[name].weight.detach() for layer in group]
        rank = sum(map(len, downs))
        downs.append(downs[0].new_zeros((-rank % _MULTIPLE, downs[0].shape[1])))
        self.down = torch.cat(downs).t()
        self._scaling = float(group[0].scaling[name])
        self._n_layers = len(group)
        self._seen: torch.Tensor | None = None
        self._wide: torch.Tensor | None = None
        self._left = 0

    def of(self, x: torch.Tensor) -> torch.Tensor:
        """Computed at the first layer's call, kept until the last one's."""
        wide = self._wide
        if wide is None or self._seen is not x:
            rows = x.reshape(-1, x.shape[-1])
            inner = torch.addmm(rows.new_zeros(1), rows, self.down, beta=0, alpha=self._scaling)
            wide = torch.cat([rows, inner], dim=1)
            self._seen, self._wide, self._left = x, wide, self._n_layers
        self._left -= 1
        if self._left == 0:
            self._seen = self._wide = None
        return wide


def _enter_if_it_fits(stack: ExitStack, group: Sequence[Any]) -> None:
    """Widen the group; where the memory does not hold one more weight, its layers stay as they are."""
    try:
        stack.enter_context(_widened(group))
    except Exception as error:
        if not out_of_memory(error):
            raise


@contextmanager
def _widened(group: Sequence[Any]) -> Iterator[None]:
    """Within, the layers' base weights lie in one piece of memory with their B."""
    source = _WideInput(group)
    begin = 0
    with ExitStack() as stack:
        for layer in group:
            up = layer.lora_B[layer.active_adapters[0]].weight.detach()
            stack.enter_context(_beside(layer, up, begin, source))
            begin += up.shape[1]
        yield


@contextmanager
def _beside(layer: Any, up: torch.Tensor, begin: int, source: _WideInput) -> Iterator[None]:
    base = layer.base_layer
    width = base.in_features
    wide = up.new_zeros((base.out_features, width + source.down.shape[1]))
    wide[:, :width].copy_(base.weight.detach())
    wide[:, width + begin : width + begin + up.shape[1]].copy_(up)
    base.weight.data = wide[:, :width]  # the same numbers; frees the memory they had

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        return torch.nn.functional.linear(source.of(x), wide, base.bias).view(*x.shape[:-1], -1)

    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward
        base.weight.data = wide[:, :width].contiguous()


_LEAST_RANK = 16  # that a matrix unit takes

_Forward = Callable[..., torch.Tensor]
_Replaced = list[tuple[Any, _Forward]]  # modules, each with its new forward
_Verdicts = dict[tuple[Any, ...], bool]  # of trials, by all that makes modules alike


@contextmanager
def fused_passes(model: Any, *, everywhere: bool = False) -> Iterator[int]:
    """Within, the model's RMS norms, SiLU-gated networks and rotary embeddings run fused; yields how many modules.

    everywhere: also on the CPU, where it saves little. Enter it before `fused_lora`, which leaves alone what is
    replaced here.
    """
    count = 0
    verdicts: _Verdicts = {}
    with ExitStack() as stack:
        for module in model.modules():
            replaced = _replacements(module, everywhere, verdicts)
            for part, forward in replaced:
                part.forward = forward
                stack.callback(delattr, part, "forward")
            count += bool(replaced)
        for source, rotation in _rotations(model, everywhere):
            stack.callback(setattr, source, _ROTATION, getattr(source, _ROTATION))
            setattr(source, _ROTATION, rotation)
        yield count


def _replacements(module: Any, everywhere: bool, verdicts: _Verdicts) -> _Replaced:
    """The module and its new forward, then layers in it whose work that forward does; nothing where none fits."""
    kind = type(module).__name__
    if "forward" in module.__dict__:
        return []
    if kind.endswith("RMSNorm"):
        return _norm(module, everywhere, verdicts)
    if kind.endswith("MLP") and all(hasattr(module, name) for name in ("gate_proj", "up_proj", "down_proj", "act_fn")):
        return _gated(module, everywhere, verdicts)
    return []


def _norm(module: Any, everywhere: bool, verdicts: _Verdicts) -> _Replaced:
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1 or not isinstance(epsilon, float):
        return []
    if weight.device.type != "cuda" and not everywhere:
        return []
    shape = list(weight.shape)

    def forward(hidden_states: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(hidden_states, shape, weight, epsilon)

    def agrees() -> bool:
        trial = _numbers((4, shape[0]), weight.device)  # float32 in, float32 throughout
        found = functional.rms_norm(trial, shape, weight.float(), epsilon)
        return bool(torch.allclose(found, module(trial).float(), atol=1e-5, rtol=1e-5))

    key = (type(module), shape[0], epsilon, weight.dtype, weight.device)
    return [(module, forward)] if _tried(verdicts, key, agrees) else []


def _gated(module: Any, everywhere: bool, verdicts: _Verdicts) -> _Replaced:
    weight = next(module.parameters())
    device = weight.device
    if (device.type != "cuda" and not everywhere) or not weight.is_floating_point():  # quantised: bytes
        return []
    layers = (module.gate_proj, module.up_proj, module.down_proj)
    activation = type(module.act_fn) if isinstance(module.act_fn, torch.nn.Module) else module.act_fn
    alike = (type(module), activation, *map(type, layers), weight.shape, weight.dtype, device)
    if not _tried(verdicts, ("activation", *alike), lambda: _is_silu(module.act_fn, device)):
        return []
    times = _gate_times(device)
    pair = _LowRankPair.of(module.gate_proj, module.up_proj)

    def forward(x: torch.Tensor) -> torch.Tensor:
        if pair is None:
            gate, up = module.gate_proj(x), module.up_proj(x)
            low_rank: tuple[torch.Tensor, ...] = ()
        else:
            gate, up = module.gate_proj.base_layer(x), module.up_proj.base_layer(x)
            low_rank = (pair.inner(x), pair.ups)
        acted = times(gate.flatten(0, -2), up.flatten(0, -2), *low_rank)
        result: torch.Tensor = module.down_proj(acted.view(gate.shape))
        return result

    def agrees() -> bool:
        trial = _numbers((2, module.gate_proj.in_features), device).to(weight.dtype)
        expected, found = module(trial).float(), forward(trial).float()
        unit = 1e-5 if trial.dtype == torch.float32 else 3e-2
        return float((found - expected).abs().max()) <= unit * float(expected.abs().max())

    rank = len(pair.ups) if pair is not None else 0
    if not _tried(verdicts, ("network", rank, *alike), agrees):
        return []
    taken = layers[:2] if pair is not None else ()
    return [(module, forward), *((layer, update_in_place(layer)) for layer in taken)]


def _is_silu(activation: Any, device: torch.device) -> bool:
    trial = _numbers((2, 8), device)
    return bool(torch.allclose(activation(trial), functional.silu(trial), atol=1e-6, rtol=1e-6))


def _tried(verdicts: _Verdicts, key: tuple[Any, ...], agrees: Callable[[], bool]) -> bool:
    if key not in verdicts:
        with torch.inference_mode():
            verdicts[key] = bool(agrees())
    return verdicts[key]


class _LowRankPair:
    """The low-rank parts of two plain LoRA layers of one input, stacked, ranks filled up with zeros to a power of two.

    ups: (2 rank, out_features). Their weights are copies: made anew for each scoring.
    """

    def __init__(self, gate: Any, up: Any, rank: int) -> None:
        name = gate.active_adapters[0]
        down = gate.lora_A[name].weight.new_zeros((2 * rank, gate.base_layer.in_features))
        self.ups = down.new_zeros((2 * rank, gate.base_layer.out_features))
        for begin, layer in ((0, gate), (rank, up)):
            here = slice(begin, begin + len(layer.lora_A[name].weight))
            down[here].copy_(layer.lora_A[name].weight.detach())
            self.ups[here].copy_(layer.lora_B[name].weight.detach().t())
        self._down = down.t()
        self._scaling = float(gate.scaling[name])

    @staticmethod
    def of(gate: Any, up: Any) -> _LowRankPair | None:
        """The pair, or None where the layers are not adapted alike, or their ranks are too large for one pass."""
        if not (is_plain(gate) and is_plain(up)) or gate.active_adapters != up.active_adapters:
            return None
        name = gate.active_adapters[0]
        alike = gate.scaling[name] == up.scaling[name] and gate.base_layer.out_features == up.base_layer.out_features
        rank = max(len(layer.lora_A[name].weight) for layer in (gate, up))
        rank = max(_LEAST_RANK, 1 << (rank - 1).bit_length())
        if not alike or not _adds_low_rank(gate.base_layer.weight.device, gate.base_layer.weight.dtype, rank):
            return None
        return _LowRankPair(gate, up, rank)

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        """(n_rows, 2 rank): the input's products with both A, scaled."""
        rows = x.reshape(-1, x.shape[-1])
        return torch.addmm(rows.new_zeros(1), rows, self._down, beta=0, alpha=self._scaling)


_ROTATION = "apply_rotary_pos_emb"  # the name under which transformers' model files have it


def _rotations(model: Any, everywhere: bool) -> Iterator[tuple[ModuleType, Callable[..., Any]]]:
    """The files of the model's attention classes whose rotation can be replaced, with what replaces it."""
    devices = {
        sys.modules[type(module).__module__]: next(module.parameters()).device
        for module in model.modules()
        if type(module).__name__.endswith("Attention")
    }
    for source, device in devices.items():
        own = getattr(source, _ROTATION, None)
        if own is None or (device.type != "cuda" and not everywhere):
            continue
        turn = _rotate(device)
        query, key, cos, sin = (_numbers(shape, device) for shape in ((1, 4, 5, 16), (1, 2, 5, 16), *[(1, 5, 16)] * 2))
        with torch.inference_mode():
            pairs = zip(own(query, key, cos, sin), (turn(query, cos, sin), turn(key, cos, sin)), strict=True)
            if all(torch.allclose(found, expected, atol=1e-5, rtol=1e-5) for expected, found in pairs):
                yield source, _rotation(own, turn, device)


def _rotation(own: Callable[..., Any], turn: _Forward, device: torch.device) -> Callable[..., Any]:
    def rotation(
        query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        usual = cos.dim() == 3 and query.shape[-1] == key.shape[-1] == cos.shape[-1] and query.device == device
        if args or kwargs or not usual:
            return own(query, key, cos, sin, *args, **kwargs)
        return turn(query, cos, sin), turn(key, cos, sin)

    return rotation


def _plain_gate_times(
    gate: torch.Tensor, up: torch.Tensor, inner: torch.Tensor | None = None, ups: torch.Tensor | None = None
) -> torch.Tensor:
    if inner is not None and ups is not None:
        rank = inner.shape[1] // 2
        gate = gate.addmm(inner[:, :rank], ups[:rank])
        up = up.addmm(inner[:, rank:], ups[rank:])
    return functional.silu(gate).mul_(up)


def _plain_rotate(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    cos, sin = cos[:, None], sin[:, None]
    half = states.shape[-1] // 2
    turned = states * cos
    turned[..., :half].addcmul_(states[..., half:], sin[..., :half], value=-1)
    turned[..., half:].addcmul_(states[..., :half], sin[..., half:])
    return turned


@cache
def _gate_times(device: torch.device) -> _Forward:
    """SiLU(gate) * up: on CUDA as one kernel, where it compiles and agrees."""
    kernels = kernels_of(device)
    if kernels is None:
        return _plain_gate_times
    gate, up = (_numbers((70, 136), device).bfloat16() for _ in range(2))
    if not _agrees(lambda: kernels.gate_times(gate, up), _plain_gate_times(gate.float(), up.float())):
        return _plain_gate_times
    compiled: _Forward = kernels.gate_times
    return compiled


@cache
def _rotate(device: torch.device) -> _Forward:
    """Rotary embedding of queries or keys: on CUDA as one kernel, where it compiles and agrees."""
    kernels = kernels_of(device)
    if kernels is None:
        return _plain_rotate
    states, cos, sin = (_numbers(shape, device).bfloat16() for shape in ((2, 3, 37, 96), (2, 37, 96), (2, 37, 96)))
    expected = _plain_rotate(states.float(), cos.float(), sin.float())
    compiled: _Forward = kernels.rotate
    return compiled if _agrees(lambda: compiled(states, cos, sin), expected) else _plain_rotate


@cache
def _adds_low_rank(device: torch.device, dtype: torch.dtype, rank: int) -> bool:
    """On CUDA only in the kernel's pass: without it, layers widened by `fused_lora` are faster."""
    if device.type != "cuda":
        return True
    kernels = kernels_of(device)
    if kernels is None or _gate_times(device) is not kernels.gate_times or rank > kernels.MAX_RANK:
        return False
    shapes = ((70, 136), (70, 136), (70, 2 * rank), (2 * rank, 136))
    numbers = [_numbers(shape, device).div_(rank**0.5).to(dtype) for shape in shapes]
    return _agrees(lambda: kernels.gate_times(*numbers), _plain_gate_times(*(item.float() for item in numbers)))


def _agrees(compute: Callable[[], torch.Tensor], expected: torch.Tensor) -> bool:
    """Whether a kernel compiles here and gives the expected numbers; what it raises otherwise has no common type."""
    try:
        return bool(torch.allclose(compute().float(), expected, atol=3e-2, rtol=3e-2))
    except Exception:
        return False


def _numbers(shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
    made = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=made).to(device) * 3
