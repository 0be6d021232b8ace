"""Attention over a layout of shared prompts (shared_prompts.py), and the loss that is taken on it.

A row sees what its group shares and its own remainder. On a GPU from compute capability 8.0 on, FlashAttention-2,
which torch brings along, computes this without a mask and without a copy of any key: once causally over every segment
by itself, and once for all remainders of each group over what the group shares. The two are added up by the sums that
their softmaxes were divided by, and the backward pass hands these sums, of the whole, to the kernel's own backward of
each part, as attention over several devices does (Liu et al., Ring Attention, 2023). Elsewhere the same layout is
computed with a mask by torch's scaled dot product attention.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface

from paretune.training.shared_prompts import lay_out, to_tensors

NAME = "paretune_shared"  # under which transformers knows `attend`
_TRIAL_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Shared:
    """A layout as attention sees it. mask: (n_tokens, n_tokens), which pairs are visible; None: by kernel."""

    starts: torch.Tensor
    shared_starts: torch.Tensor
    sharing_starts: torch.Tensor
    longest_starts: int
    longest_shared_starts: int
    longest_sharing_starts: int
    n_shared: int
    n_sharing: int
    mask: torch.Tensor | None


def shared_of(layout: Mapping[str, Any], *, by_kernel: bool) -> Shared:
    """What the attention needs of `to_tensors`' layout."""
    names = Shared.__dataclass_fields__.keys() - {"mask"}
    mask = None if by_kernel else visible(layout)
    return Shared(**{name: layout[name] for name in names}, mask=mask)


def visible(layout: Mapping[str, Any]) -> torch.Tensor:
    """(n_tokens, n_tokens): whether a token (row) sees a key (column)."""
    n_shared, n_sharing = layout["n_shared"], layout["n_sharing"]
    place = torch.arange(layout["input_ids"].shape[1], device=layout["input_ids"].device)
    segment = torch.bucketize(place, layout["starts"], right=True)
    group_shared = torch.bucketize(place, layout["shared_starts"], right=True)
    group_sharing = torch.bucketize(place - n_shared, layout["sharing_starts"], right=True)
    sharing = (place >= n_shared) & (place < n_shared + n_sharing)
    own = (segment[:, None] == segment[None]) & (place[:, None] >= place[None])
    follows = sharing[:, None] & (place < n_shared)[None] & (group_sharing[:, None] == group_shared[None])
    return own | follows


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    shared: Shared | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in each layer: (1, n_tokens, heads, head_dim) of (1, heads, n_tokens, head_dim)."""
    assert shared is not None, "this attention belongs to shared_loss"
    if shared.mask is None:
        rows, keys, values = (item[0].transpose(0, 1) for item in (query, key, value))
        attended: torch.Tensor = _ByKernel.apply(rows, keys, values, shared, scaling)
        return attended[None], None
    several = query.shape[1] != key.shape[1]
    attended = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=shared.mask, scale=scaling, enable_gqa=several
    )
    return attended.transpose(1, 2), None


class _ByKernel(torch.autograd.Function):
    """(n_tokens, heads, head_dim) of queries of that shape, keys and values of (n_tokens, key_heads, head_dim)."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, shared: Shared,
                scale: float | None) -> torch.Tensor:  # fmt: skip
        flash = torch.ops.aten._flash_attention_forward
        limits = shared.starts, shared.starts, shared.longest_starts, shared.longest_starts
        out, log_sums, *seeds = flash(query, key, value, *limits, 0.0, True, False, scale=scale)[:4]
        between = slice(shared.n_shared, shared.n_shared + shared.n_sharing)
        if shared.n_sharing:
            before, before_sums, *_ = flash(
                query[between], key[: shared.n_shared], value[: shared.n_shared], *_across(shared), 0.0, False, False,
                scale=scale,
            )  # fmt: skip
            total = torch.logaddexp(log_sums[:, between], before_sums)
            share = (before_sums - total).exp().t()[..., None]
            out[between] = torch.lerp(out[between].float(), before.float(), share).to(out.dtype)
            log_sums[:, between] = total
        ctx.save_for_backward(query, key, value, out, log_sums, *seeds)
        ctx.shared, ctx.scale = shared, scale
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, out, log_sums, *seeds = ctx.saved_tensors
        shared, scale, gradient = ctx.shared, ctx.scale, gradients[0].contiguous()
        flash = torch.ops.aten._flash_attention_backward
        limits = shared.starts, shared.starts, shared.longest_starts, shared.longest_starts
        found = flash(gradient, query, key, value, out, log_sums, *limits, 0.0, True, *seeds, scale=scale)
        if shared.n_sharing:
            between = slice(shared.n_shared, shared.n_shared + shared.n_sharing)
            before = slice(shared.n_shared)
            parts = flash(
                gradient[between], query[between], key[before], value[before], out[between],
                log_sums[:, between].contiguous(), *_across(shared), 0.0, False, *seeds, scale=scale,
            )  # fmt: skip
            for whole, place, part in zip(found, (between, before, before), parts, strict=True):
                whole[place] += part
        return (*found, None, None)


def _across(shared: Shared) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Remainders' queries by group, over the keys that each group shares."""
    return (shared.sharing_starts, shared.shared_starts, shared.longest_sharing_starts, shared.longest_shared_starts)


@contextmanager
def attending_by_layout(model: Any) -> Iterator[None]:
    """Within, the model attends by layouts: call it with `shared=`."""
    AttentionInterface.register(NAME, attend)
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    kinds = [(config, config._attn_implementation) for config in configs.values()
             if hasattr(config, "_attn_implementation")]  # fmt: skip
    for config, _ in kinds:
        config._attn_implementation = NAME
    try:
        yield
    finally:
        for config, kind in kinds:
            config._attn_implementation = kind


def shared_loss(model: Any, layout: Mapping[str, Any], answer_tokens: int, *, by_kernel: bool) -> torch.Tensor:
    """Negative log-likelihood of the layout's labels, summed and divided by answer_tokens; within
    `attending_by_layout`. Logits are computed where there is a label only."""
    output = model(
        input_ids=layout["input_ids"],
        position_ids=layout["position_ids"],
        shared=shared_of(layout, by_kernel=by_kernel),
        logits_to_keep=layout["places"],
        use_cache=False,
    )
    total = functional.cross_entropy(output.logits[0].float(), layout["labels"], reduction="sum")
    return total / max(1, answer_tokens)


def kernel_fits(model: Any) -> bool:
    """Whether the kernels compute this model's attention here: by its shape, and by a trial with gradients."""
    config = model.config.get_text_config()
    device = model.device
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0):
        return False
    heads = int(config.num_attention_heads)
    key_heads = int(getattr(config, "num_key_value_heads", None) or heads)
    head_dim = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    dtype = next((weight.dtype for weight in model.parameters() if weight.is_floating_point()), model.dtype)
    if dtype not in (torch.float16, torch.bfloat16) or head_dim % 8 or head_dim > 256:
        return False
    try:
        return _kernel_agrees(heads, key_heads, head_dim, device, dtype)
    except Exception:  # a build of torch without the kernel, or with another signature: no common type
        return False


def _kernel_agrees(heads: int, key_heads: int, head_dim: int, device: torch.device, dtype: torch.dtype) -> bool:
    layout = {name: item.to(device) if isinstance(item, torch.Tensor) else item for name, item in _trial().items()}
    n_tokens = layout["input_ids"].shape[1]
    made = torch.Generator().manual_seed(0)
    numbers = [torch.randn((1, count, n_tokens, head_dim), generator=made).to(device)
               for count in (heads, key_heads, key_heads, heads)]  # fmt: skip
    found = []
    for by_kernel in (True, False):
        kind = dtype if by_kernel else torch.float32
        states = [item.to(dtype).to(kind).requires_grad_() for item in numbers[:3]]
        attended, _ = attend(None, *states, None, shared=shared_of(layout, by_kernel=by_kernel))  # type: ignore[arg-type]
        weight = numbers[3].transpose(1, 2).to(dtype).to(kind)
        found.append((attended, *torch.autograd.grad((attended * weight).sum(), states)))
    return all(bool(torch.allclose(one.float(), other, atol=5e-2, rtol=5e-2))
               for one, other in zip(*found, strict=True))  # fmt: skip


def _trial() -> dict[str, Any]:
    """Two groups and a row on its own, in made-up tokens."""
    prompts = [tuple(range(first, first + _TRIAL_TOKENS)) for first in (5, 40)]
    rows = [((*prompt, *(100 + row + place for place in range(3 + row))), 2) for prompt in prompts for row in range(3)]
    (layout,) = lay_out([*rows, ((3, 4, 3, 4, 3), 2)])
    return to_tensors(layout)


def why_not_shared(model: Any, longest_row: int) -> str | None:
    """Why prompts cannot be shared in a training of this model, in words; None where they can.

    Known reasons first; then the model is tried: it must give the logits of whole rows on a layout of a few tokens.
    """
    config = model.config.get_text_config()
    if getattr(config, "attention_dropout", 0.0):
        return "the model's attention_dropout is not 0"
    if getattr(config, "attn_logit_softcapping", None):
        return "the model caps its attention's logits"
    window = getattr(config, "sliding_window", None)
    if window and getattr(config, "use_sliding_window", True) and longest_row > window:
        return f"the model's window of {window} tokens is shorter than the longest row"
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention", "sliding_attention"}
    if kinds:
        return f"the model has layers of kind {', '.join(sorted(kinds))}"
    layout = {name: item.to(model.device) if isinstance(item, torch.Tensor) else item
              for name, item in _trial().items()}  # fmt: skip
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return None if _logits_agree(model, layout) else "the model computes other logits for a layout"
    except Exception as error:  # a model whose forward takes no such arguments: no common type
        return f"the model does not take a layout ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
    finally:
        model.train(was_training)


def _logits_agree(model: Any, layout: Mapping[str, Any]) -> bool:
    by_kernel = kernel_fits(model)
    with attending_by_layout(model):
        found = model(
            input_ids=layout["input_ids"], position_ids=layout["position_ids"],
            shared=shared_of(layout, by_kernel=by_kernel), use_cache=False,
        ).logits[0].float()  # fmt: skip
    rows, places = _rows_of(layout)
    expected = torch.cat([model(input_ids=row[None], use_cache=False).logits[0, first:].float() for row, first in rows])
    return float((found[places] - expected).norm()) < 0.05 * float(expected.norm())


def _rows_of(layout: Mapping[str, Any]) -> tuple[list[tuple[torch.Tensor, int]], torch.Tensor]:
    """The layout's rows whole, each with the place of its remainder, and the places of all remainders."""
    starts, shared = layout["starts"].tolist(), layout["shared_starts"].tolist()
    tokens, n_shared = layout["input_ids"][0], layout["n_shared"]
    begun = torch.bucketize(
        torch.tensor(starts, device=tokens.device) - n_shared, layout["sharing_starts"], right=True
    ).tolist()
    rows = []
    for segment in range(len(shared) - 1, len(starts) - 1):
        own = tokens[starts[segment] : starts[segment + 1]]
        group = begun[segment] - 1
        follows = group < len(shared) - 1
        before = tokens[shared[group] : shared[group + 1]] if follows else tokens[:0]
        rows.append((torch.cat([before, own]), len(before)))
    return rows, torch.arange(n_shared, len(tokens), device=tokens.device)
