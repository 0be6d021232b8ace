"""Generation by the library's own loop: for models whose cache or attention `decoding` cannot reach."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

_PART = 16  # tokens between looks at which answers have ended


def write_plainly(
    model: Any,
    rows: list[list[int]],
    max_new_tokens: int,
    stop: Collection[int],
    padding: int,
    draws: tuple[Sequence[int], float] = ((), 0.0),
) -> Iterator[tuple[int, list[int]]]:
    """Each row with tokens written after it, some at a time: rows that have ended leave the batch, the others keep
    their cache. draws: seeds of the rows and temperature, where answers are drawn.

    Otherwise one answer that never ends makes the whole batch compute to the limit.
    """
    import torch

    from paretune.engines.hf.draws import DrawsTokens, places

    seeds, temperature = draws
    at = places(seeds, max_new_tokens).to(model.device)
    longest = max(len(row) for row in rows)
    device = model.device
    ids = torch.tensor([[padding] * (longest - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
    unfinished, cache = list(range(len(rows))), None
    with torch.inference_mode():
        while unfinished:
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                past_key_values=cache,
                max_new_tokens=min(_PART, max_new_tokens + longest - ids.shape[1]),
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                eos_token_id=sorted(stop),
                pad_token_id=padding,
                logits_processor=[DrawsTokens(at, temperature, longest)] if seeds else None,
                return_dict_in_generate=True,
            )
            written = output.sequences[:, ids.shape[1] :].tolist()
            yield from zip(unfinished, written, strict=True)
            kept = [place for place, tokens in enumerate(written) if not set(stop).intersection(tokens)]
            cache = output.past_key_values
            if output.sequences.shape[1] == longest + max_new_tokens or not kept:
                break
            unfinished = [unfinished[place] for place in kept]
            chosen = torch.tensor(kept, device=device)
            ids = output.sequences[chosen]
            at = at[chosen] if seeds else at
            mask = torch.cat([mask[chosen], mask.new_ones((len(kept), len(written[0])))], dim=1)
            if len(kept) < len(written):
                cache.batch_select_indices(chosen)
