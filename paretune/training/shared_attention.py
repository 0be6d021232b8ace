"""Attention over a layout of shared prompts (shared_prompts.py), and the loss computed on it.

A row sees what its group shares and its own remainder. On a GPU from compute capability 8.0 on, FlashAttention-2,
which torch brings along, computes this without a mask and without a copy of any key: once causally over every segment
by itself, and once for all remainders of each group over what the group shares. The two are added up by the sums that
their softmaxes were divided by, and the backward pass hands these sums, of the whole, to the kernel's own backward of
each part, as attention over several devices does (Liu et al., Ring Attention, 2023). Elsewhere the same layout is
computed with a mask by torch's scaled dot product attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    """A layout as attention sees it: every segment by itself, cut by `starts`; and the tokens from `first` on, `count`
    of them, over the first n_keys keys, both cut by group (`queries`, `keys`, relative to their first). longest: of
    segments, of a group's queries, of its keys. mask: (n_tokens, n_tokens), which pairs are visible; None: by kernel.
    """

    starts: torch.Tensor
    queries: torch.Tensor
    keys: torch.Tensor
    longest: tuple[int, int, int]
    first: int
    count: int
    n_keys: int
    mask: torch.Tensor | None = None


def shared_of(layout: Mapping[str, Any], *, by_kernel: bool) -> Shared:
    """What the attention needs of `to_tensors`' layout."""
    cuts = layout["starts"], layout["sharing_starts"], layout["shared_starts"]
    longest = layout["longest_starts"], layout["longest_sharing_starts"], layout["longest_shared_starts"]
    n_shared, n_sharing = layout["n_shared"], layout["n_sharing"]
    return Shared(*cuts, longest, n_shared, n_sharing, n_shared, None if by_kernel else visible(layout))


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


class _ByKernel(torch.autograd.Function):  # type: ignore[misc]  # torch gives its class no type
    """(n_tokens, heads, head_dim) of queries of that shape, keys and values of (n_tokens, key_heads, head_dim)."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, shared: Shared,
                scale: float | None) -> torch.Tensor:  # fmt: skip
        flash = torch.ops.aten._flash_attention_forward
        out, log_sums, *seeds = flash(query, key, value, *_within(shared), 0.0, True, False, scale=scale)[:4]
        follow = slice(shared.first, shared.first + shared.count)
        if shared.count:
            keys, values = key[: shared.n_keys], value[: shared.n_keys]
            before, sums = flash(query[follow], keys, values, *_across(shared), 0.0, False, False, scale=scale)[:2]
            sums = torch.where(sums == torch.inf, -torch.inf, sums)  # of queries without a key, as the kernel has it
            total = torch.logaddexp(log_sums[:, follow], sums)
            share = (sums - total).exp().t()[..., None]
            out[follow] = torch.lerp(out[follow].float(), before.float(), share).to(out.dtype)
            log_sums[:, follow] = total
        ctx.save_for_backward(query, key, value, out, log_sums, *seeds)
        ctx.shared, ctx.scale = shared, scale
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, out, log_sums, *seeds = ctx.saved_tensors
        shared, scale, gradient = ctx.shared, ctx.scale, gradients[0].contiguous()
        flash = torch.ops.aten._flash_attention_backward
        found = flash(gradient, query, key, value, out, log_sums, *_within(shared), 0.0, True, *seeds, scale=scale)
        if shared.count:
            follow, keys = slice(shared.first, shared.first + shared.count), slice(shared.n_keys)
            parts = flash(
                gradient[follow], query[follow], key[keys], value[keys], out[follow],
                log_sums[:, follow].contiguous(), *_across(shared), 0.0, False, *seeds, scale=scale,
            )  # fmt: skip
            for whole, place, part in zip(found, (follow, keys, keys), parts, strict=True):
                whole[place] += part
        return (*found, None, None)


def _within(shared: Shared) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Every segment over itself."""
    return shared.starts, shared.starts, shared.longest[0], shared.longest[0]


def _across(shared: Shared) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Remainders' queries by group, over the keys that each group shares."""
    return shared.queries, shared.keys, shared.longest[1], shared.longest[2]


@contextmanager
def attending_by_layout(model: Any) -> Iterator[list[tuple[Any, str]]]:
    """Within, the model attends by layouts: call it with `shared=`; yields its configurations and how they attended."""
    AttentionInterface.register(NAME, attend)
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    kinds = [(config, config._attn_implementation) for config in configs.values()
             if hasattr(config, "_attn_implementation")]  # fmt: skip
    for config, _ in kinds:
        config._attn_implementation = NAME
    try:
        yield kinds
    finally:
        for config, kind in kinds:
            config._attn_implementation = kind


def shared_loss(model: Any, layout: Mapping[str, Any], answer_tokens: Any, *, by_kernel: bool) -> torch.Tensor:
    """Negative log-likelihood of the layout's labels, summed and divided by answer_tokens (at least 1); within
    `attending_by_layout`. Logits are computed where there is a label only."""
    return loss_at(model, layout, shared_of(layout, by_kernel=by_kernel), answer_tokens)


def loss_at(model: Any, layout: Mapping[str, Any], shared: Shared, answer_tokens: Any) -> torch.Tensor:
    """As `shared_loss`, of a layout whose attention is given; a label of -100 is none."""
    logits = logits_at(model, layout, shared)
    return functional.cross_entropy(logits, layout["labels"], reduction="sum", ignore_index=-100) / answer_tokens


def logits_at(model: Any, layout: Mapping[str, Any], shared: Shared) -> torch.Tensor:
    """(n_labels, vocabulary), float32: the logits at the layout's places."""
    output = model(
        input_ids=layout["input_ids"],
        position_ids=layout["position_ids"],
        shared=shared,
        logits_to_keep=layout["places"],
        use_cache=False,
    )
    logits: torch.Tensor = output.logits[0].float()
    return logits


def kernel_fits(model: Any) -> bool:
    """Whether the kernels compute this model's attention here: by its shape, and by a trial with gradients."""
    return kernel_fits_as(model, lambda layout: shared_of(layout, by_kernel=True))


def kernel_fits_as(model: Any, shared_by: Callable[[Mapping[str, Any]], Shared]) -> bool:
    """The same for layouts as shared_by has them."""
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
        return agrees_with_mask(heads, key_heads, head_dim, device, dtype, shared_by)
    except Exception:  # a build of torch without the kernel, or with another signature: no common type
        return False


def agrees_with_mask(
    heads: int, key_heads: int, head_dim: int, device: torch.device, dtype: torch.dtype,
    shared_by: Callable[[Mapping[str, Any]], Shared],
) -> bool:  # fmt: skip
    """Whether the kernels give what a mask gives, gradients included, on the trial's layout as shared_by has it."""
    layout = {name: item.to(device) if isinstance(item, torch.Tensor) else item for name, item in _trial().items()}
    n_tokens, shared = layout["input_ids"].shape[1], shared_by(layout)
    n_padded = int(shared.starts[-1])
    made = torch.Generator().manual_seed(0)
    numbers = [torch.randn((1, count, n_padded, head_dim), generator=made).to(device)
               for count in (heads, key_heads, key_heads, heads)]  # fmt: skip
    found = []
    for seen, kind, count in ((shared, dtype, n_padded), (shared_of(layout, by_kernel=False), torch.float32, n_tokens)):
        states = [item[:, :, :count].to(dtype).to(kind).requires_grad_() for item in numbers[:3]]
        attended, _ = attend(None, states[0], states[1], states[2], None, shared=seen)
        weight = numbers[3].transpose(1, 2)[:, :n_tokens].to(dtype).to(kind)
        gradients = torch.autograd.grad((attended[:, :n_tokens] * weight).sum(), states)
        found.append([attended[:, :n_tokens], *(gradient[:, :, :n_tokens] for gradient in gradients)])
    return all(bool(torch.allclose(one.float(), other, atol=5e-2, rtol=5e-2))
               for one, other in zip(*found, strict=True))  # fmt: skip


def _trial() -> dict[str, Any]:
    """Two groups and a row on its own, in made-up tokens."""
    prompts = [tuple(range(first, first + _TRIAL_TOKENS)) for first in (5, 40)]
    rows = [(*prompt, *(100 + row + place for place in range(3 + row))) for prompt in prompts for row in range(3)]
    (layout,) = lay_out([(row, row[-2:]) for row in (*rows, (3, 4, 3, 4, 3))])
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
