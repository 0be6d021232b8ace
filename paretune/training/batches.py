"""Which rows meet in a batch, in which order, and to what length they are padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

_STEP = 8
_TILE = 64


def padded_length(longest: int) -> int:
    """Places of each row in a batch with a mask on a GPU: at least `longest`, a multiple of 8, never one of 64.

    cuDNN's attention, which torch 2.11 takes on an H200 for 16 bits with a mask, gives gradients of the queries that
    are not finite at every odd multiple of 64 (and at no other length tried), once logits are very negative, as those
    of trained models are: a training of 432 steps lost its four batches of 1216 = 19 * 64 places (docs/results.md).
    Even multiples are left out as well, since the tiles of another kernel may be smaller; 8 masked places are cheap.

    >>> [padded_length(longest) for longest in (1200, 1201, 1209, 1216, 1217)]
    [1200, 1208, 1224, 1224, 1224]
    """
    places = -(-longest // _STEP) * _STEP
    return places + _STEP if places % _TILE == 0 else places


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One training example in tokens. The loss is computed on the last `answer_tokens`."""

    tokens: tuple[int, ...]
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class GpuCollator:
    """TRL's collator, made to pad each batch to `padded_length`. Extra places are masked and carry no label.

    Rows of one length stay as they are: without padding attention gets no mask, and a kernel that is sound. So do
    batches that would pass context_tokens: learned positions end there.
    """

    collator: Any  # trl.trainer.sft_trainer.DataCollatorForLanguageModeling
    context_tokens: int

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """input_ids, attention_mask and labels, each (rows, places)."""
        lengths = {len(example["input_ids"]) for example in examples}
        places = padded_length(max(lengths))
        if len(lengths) == 1 or places > self.context_tokens:
            return dict(self.collator(examples))
        # No row is longer than `places`, so padding to a multiple of it is padding to it.
        return dict(replace(self.collator, pad_to_multiple_of=places)(examples))


class LengthGroupedOrder:
    """Order of the rows in which those of a batch have similar lengths; `lengths` in tokens, (rows,).

    Rows are grouped by transformers' own function, longest row first, so that memory runs out at the first step or not
    at all. Its sampler is not used, for two reasons. It draws from torch's global generator, which a resumed training
    finds in another state: rows would come twice or never. And it leaves fifty batches in a row sorted by length, hence
    nearly by database. Here seed and epoch alone decide, and batches are shuffled. accelerate calls `set_epoch`, as on
    its own random sampler.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = list(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        import torch
        from transformers.trainer_pt_utils import get_length_grouped_indices

        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        rows: list[int] = get_length_grouped_indices(self._lengths, self._batch_size, generator=generator)
        batches = [rows[first : first + self._batch_size] for first in range(0, len(rows), self._batch_size)]
        last = batches.pop() if len(batches) > 1 and len(batches[-1]) < self._batch_size else []
        shuffled = torch.randperm(len(batches) - 1, generator=generator).tolist()
        for batch in (batches[0], *(batches[1 + place] for place in shuffled), last):
            yield from batch
