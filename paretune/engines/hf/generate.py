"""Greedy generation with transformers, in batches of similar length."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from paretune.engines.base import Generation, OnAnswer
from paretune.errors import EngineError
from paretune.models.chat import encode, stop_token_ids

_PART = 16  # tokens between looks at which answers have ended


class TransformersEngine:
    """Answers prompts with a loaded causal language model (adapters as they are set)."""

    def __init__(self, model: Any, tokenizer: Any, batch_size: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._batch_size = batch_size
        self._stop = frozenset(stop_token_ids(tokenizer, model.generation_config))

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, on_answer: OnAnswer, answered: Collection[int] = ()
    ) -> None:
        """See Engine. Longest prompts first, so that a batch too large for the memory shows at once."""

        def on_missing(position: int, generation: Generation) -> None:
            if position not in answered:
                on_answer(position, generation)

        encoded = [encode(self._tokenizer, prompt) for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda position: (-len(encoded[position]), position))
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            if not all(position in answered for position in batch):
                self._answer_batch([(position, encoded[position]) for position in batch], max_new_tokens, on_missing)

    def _answer_batch(self, batch: list[tuple[int, list[int]]], max_new_tokens: int, on_answer: OnAnswer) -> None:
        import torch

        try:
            generations = self._generate([tokens for _, tokens in batch], max_new_tokens)
        except torch.cuda.OutOfMemoryError as error:
            if len(batch) == 1:
                position, tokens = batch[0]
                raise EngineError(
                    f"prompt {position} ({len(tokens)} tokens) alone does not fit the memory; shorten the prompt or "
                    "lower the precision"
                ) from error
            torch.cuda.empty_cache()
            half = len(batch) // 2
            self._answer_batch(batch[:half], max_new_tokens, on_answer)
            self._answer_batch(batch[half:], max_new_tokens, on_answer)
            return
        for (position, _), generation in zip(batch, generations, strict=True):
            on_answer(position, generation)

    def _generate(self, rows: list[list[int]], max_new_tokens: int) -> list[Generation]:
        """Greedy answers, `_PART` tokens at a time: rows that have ended leave the batch, the others keep their cache.

        Otherwise one answer that never ends makes the whole batch compute to the limit.
        """
        import torch

        longest = max(len(row) for row in rows)
        padding = self._tokenizer.pad_token_id
        device = self._model.device
        ids = torch.tensor([[padding] * (longest - len(row)) + row for row in rows], device=device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
        answers: list[list[int]] = [[] for _ in rows]
        unfinished, cache = list(range(len(rows))), None
        with torch.inference_mode():
            while unfinished:
                output = self._go_on(ids, mask, cache, min(_PART, max_new_tokens + longest - ids.shape[1]))
                written = output.sequences[:, ids.shape[1] :].tolist()
                for row, tokens in zip(unfinished, written, strict=True):
                    answers[row] += tokens
                kept = [place for place, tokens in enumerate(written) if not self._stop.intersection(tokens)]
                cache = output.past_key_values
                if output.sequences.shape[1] == longest + max_new_tokens or not kept:
                    break
                unfinished = [unfinished[place] for place in kept]
                chosen = torch.tensor(kept, device=device)
                ids = output.sequences[chosen]
                mask = torch.cat([mask[chosen], mask.new_ones((len(kept), len(written[0])))], dim=1)
                if len(kept) < len(written):
                    cache.batch_select_indices(chosen)
        return [self._read(tokens) for tokens in answers]

    def _go_on(self, ids: Any, mask: Any, cache: Any, tokens: int) -> Any:
        return self._model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            max_new_tokens=tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            repetition_penalty=1.0,
            eos_token_id=sorted(self._stop),
            pad_token_id=self._tokenizer.pad_token_id,
            return_dict_in_generate=True,
        )

    def _read(self, tokens: list[int]) -> Generation:
        for place, token in enumerate(tokens):
            if token in self._stop:
                text = self._tokenizer.decode(tokens[:place], skip_special_tokens=True)
                return Generation(text, place + 1, "stop")
        return Generation(self._tokenizer.decode(tokens, skip_special_tokens=True), len(tokens), "length")
