"""How probable the base model finds the answers of a training's rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any

import torch

from paretune.training.batches import TrainingRow, WholeRowsCollator
from paretune.training.shared_attention import attending_by_layout, shared_of
from paretune.training.shared_prompts import lay_out, prompt_groups, sharable, to_tensors
from paretune.training.trainer import Computation, token_scores


def answer_probabilities(
    model: Any, rows: Sequence[TrainingRow], computation: Computation, rows_at_once: int
) -> list[tuple[float, ...]]:
    """Of each row, the probability of each answer token given all tokens before it, by the model as it stands.

    Computed as a step is: on shared prompts where these are shared. rows_at_once: as many as a step has.
    """
    tokens = [
        row.tokens[place] for row in rows for place in range(len(row.tokens) - row.answer_tokens, len(row.tokens))
    ]
    found = torch.zeros(len(tokens))
    device = model.device
    answers = torch.tensor(tokens, device=device)
    with torch.no_grad(), attending_by_layout(model) if computation.shares else nullcontext():
        for part in _parts(rows, computation, rows_at_once):
            sent = {name: item.to(device) if isinstance(item, torch.Tensor) else item for name, item in part.items()}
            shared = shared_of(sent, by_kernel=computation.by_kernel) if computation.shares else None
            logits, numbers = token_scores(model, sent, shared)  # labels are numbers of answer tokens
            by_token = logits.gather(1, answers[numbers][:, None])[:, 0] - logits.logsumexp(dim=1)
            found[numbers.cpu()] = by_token.exp().cpu()
    values = iter(found.tolist())
    return [tuple(islice(values, row.answer_tokens)) for row in rows]


def _parts(rows: Sequence[TrainingRow], computation: Computation, rows_at_once: int) -> Iterator[Mapping[str, Any]]:
    """All rows, those that begin alike together, in layouts or padded batches whose labels number the answer tokens."""
    first, labelled = 0, []
    for row in rows:
        labelled.append((row.tokens, tuple(range(first, first + row.answer_tokens))))
        first += row.answer_tokens
    groups = prompt_groups([sharable(row.tokens, row.answer_tokens) for row in rows])
    places = [place for group in groups for place in group]
    collator = WholeRowsCollator(rows_at_once, 0, computation.context_tokens)
    for start in range(0, len(places), rows_at_once):
        together = [labelled[place] for place in places[start : start + rows_at_once]]
        if computation.shares:
            yield from (to_tensors(layout) for layout in lay_out(together))
        else:
            examples = [{"input_ids": list(tokens), "labels": [-100] * (len(tokens) - len(labels)) + list(labels)}
                        for tokens, labels in together]  # fmt: skip
            yield from collator(examples)["layouts"]
