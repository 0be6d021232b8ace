"""How fast this machine is on layers of a model's shape: some seconds, with random weights, before a run."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

from paretune.models.load import drop_needless_remarks
from paretune.pipeline.shape import Shape

_LAYERS, _TOKENS, _ROWS, _PLACES = 2, 256, (8, 32), 256


@dataclass(frozen=True, slots=True)
class Rates:
    """Operations per second of a forward pass and of a training's step; steps: seconds of writing one token in each of
    so many rows, per layer. Of a GPU limit alone, of a product of two large matrices, and bandwidth in bytes."""

    forward: float = 0.0
    training: float = 0.0
    steps: tuple[tuple[int, float], ...] = ()
    limit: float | None = None
    bandwidth: float | None = None

    def step_seconds(self, rows: int, layers: int) -> float:
        """Of one token in each of so many rows; on the line through the two numbers of rows that were measured."""
        (few, low), (many, high) = self.steps
        return layers * max(low, low + (high - low) * (rows - few) / (many - few))


def probe(shape: Shape, precision: str) -> Rates:
    """Measure this machine."""
    import torch

    return _gpu() if torch.cuda.is_available() else _cpu(shape, precision)


def _cpu(shape: Shape, precision: str) -> Rates:
    """With two layers of the model, LoRA on each."""
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model

    drop_needless_remarks()
    config = copy.deepcopy(shape.config)
    config.num_hidden_layers = _LAYERS
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:_LAYERS]
    config.vocab_size = 1000
    model = transformers.AutoModel.from_config(config).to(getattr(torch, precision)).eval()
    weights = shape.multiplied * _LAYERS / shape.layers
    row = torch.randint(0, 1000, (1, _TOKENS))
    with torch.inference_mode():
        forward = _fastest(lambda: model(input_ids=row, use_cache=False))
        steps = []
        for rows in _ROWS:
            past = model(input_ids=row.expand(rows, -1)[:, :_PLACES], use_cache=True).past_key_values
            one = torch.randint(0, 1000, (rows, 1))

            def step(one: torch.Tensor = one, past: object = past) -> None:
                model(input_ids=one, past_key_values=copy.deepcopy(past), use_cache=True)

            copying = _fastest(lambda past=past: copy.deepcopy(past))  # type: ignore[misc]  # a default, not a parameter
            steps.append((rows, max(1e-6, _fastest(step) - copying) / _LAYERS))
    tuned = get_peft_model(model, LoraConfig(r=16, target_modules="all-linear")).train()
    tuned.enable_input_require_grads()
    training = _fastest(lambda: tuned(input_ids=row, use_cache=False).last_hidden_state.sum().backward())
    return Rates(2 * weights * _TOKENS / forward, 4 * weights * _TOKENS / training, tuple(steps))


def _gpu() -> Rates:
    import torch

    size = 8192
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    one = torch.randn(size, size, dtype=dtype, device="cuda")
    other, into = one.clone(), torch.empty_like(one)

    def product() -> None:
        torch.mm(one, other, out=into)
        torch.cuda.synchronize()

    def copied() -> None:
        into.copy_(one)
        torch.cuda.synchronize()

    return Rates(limit=2 * size**3 / _fastest(product), bandwidth=2 * one.nbytes / _fastest(copied))


def _fastest(run: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest of some runs after one that does not count: other work on the machine only adds."""
    run()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
