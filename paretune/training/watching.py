"""Looking at a model in the middle of its training: it computes as a finished adapter does, and goes on as if nobody
had looked."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from paretune.models.load import LoadedModel
from paretune.models.memory import release_memory
from paretune.training.batches import TrainingRow
from paretune.training.shared_attention import NAME

_ROWS = 8  # scored together: their logits over the whole vocabulary are held


@dataclass(slots=True)
class Watch:
    """steps: between two looks. look: from the model and the step to what stands in the log; "stop": true ends the
    training there. seconds: what the looks have taken so far."""

    steps: int
    look: Callable[[Any, int], Mapping[str, Any]]
    seconds: float = 0.0

    def looking_at(self, trainer: Any, base: LoadedModel) -> Callable[[int], Mapping[str, Any]]:
        """The look at a trainer's model, by the step."""

        def look(step: int) -> Mapping[str, Any]:
            started = time.monotonic()
            try:
                with as_evaluated(trainer, base):
                    return self.look(trainer.model, step)
            finally:
                self.seconds += time.monotonic() - started

        return look


@contextmanager
def as_evaluated(trainer: Any, base: LoadedModel) -> Iterator[None]:
    """Within, the trainer's model computes as its adapter will when it is evaluated: in evaluation mode, with the
    base's attention and the layers' own forward, plain LoRA in the base's precision.

    Behind it weights, gradients, random numbers and patches are those of before, bit for bit.
    """
    model = trainer.model
    with ExitStack() as stack:
        stack.enter_context(_own_random_numbers())
        modes = [(module, module.training) for module in model.modules()]
        stack.callback(_set_modes, modes)
        model.eval()
        for module in trainer.replaced:
            stack.callback(setattr, module, "forward", module.__dict__.pop("forward"))
        for config, kind in trainer.own_attention:
            stack.callback(setattr, config, "_attn_implementation", NAME)
            config._attn_implementation = kind
        hooks = model.get_input_embeddings()._forward_hooks  # that make its output need gradients
        stack.callback(hooks.update, OrderedDict(hooks))
        hooks.clear()
        if _is_plain(trainer, base):
            for weight in (weight for weight in model.parameters() if weight.requires_grad):
                stack.callback(setattr, weight, "data", weight.data)
                weight.data = weight.data.to(base.model.dtype)
        try:
            yield
        finally:
            release_memory()
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()  # step_graphs.py asks what a step needs at most


def _set_modes(modes: Sequence[tuple[Any, bool]]) -> None:
    for module, training in modes:
        module.training = training


def _is_plain(trainer: Any, base: LoadedModel) -> bool:
    """Whether the finished adapter will compute in the base's precision, on weights that are those of now."""
    configs = trainer.model.peft_config.values()
    plain = all(str(config.peft_type.value) == "LORA" and not config.use_dora for config in configs)
    return plain and trainer.start is None and base.quantization == "none"


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Within, whoever draws changes no draw of the training."""
    devices = range(torch.cuda.device_count())
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Of reference answers, per token in nats: loss, the mean negative log-likelihood; divergence, the mean
    Kullback-Leibler divergence of the base model's prediction from the model's, None where the base is not at hand."""

    loss: float
    divergence: float | None


def score_answers(model: Any, rows: Sequence[TrainingRow], *, with_base: bool) -> AnswerScores:
    """What the model makes of reference answers. with_base: compare with the base, the adapters off (a PeftModel)."""
    losses = divergences = 0.0
    count = sum(row.answer_tokens for row in rows)
    ordered = sorted(rows, key=lambda row: len(row.tokens))
    for first in range(0, len(ordered), _ROWS):
        batch = ordered[first : first + _ROWS]
        inputs, labels = _aligned(batch, model.device)
        kept = labels != -100
        with torch.inference_mode():
            known = _predictions(model, inputs, labels.shape[1])[kept]
            losses -= float(known.gather(1, labels[kept][:, None]).double().sum())
            if with_base:
                with model.disable_adapter():
                    base = _predictions(model, inputs, labels.shape[1])[kept]
                divergences += float((known.exp() * (known - base)).sum(dim=1).double().sum())
    return AnswerScores(losses / count, divergences / count if with_base else None)


def _aligned(rows: Sequence[TrainingRow], device: Any) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The rows padded on the left, so that their answers end together, and the labels of the last places, (rows,
    longest answer)."""
    longest, answer = max(len(row.tokens) for row in rows), max(row.answer_tokens for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    labels = torch.full((len(rows), answer), -100, dtype=torch.long)
    for number, row in enumerate(rows):
        tokens[number, longest - len(row.tokens) :] = torch.tensor(row.tokens)
        mask[number, longest - len(row.tokens) :] = 1
        labels[number, answer - row.answer_tokens :] = tokens[number, longest - row.answer_tokens :]
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    inputs = {"input_ids": tokens, "attention_mask": mask, "position_ids": positions}
    return {name: item.to(device) for name, item in inputs.items()}, labels.to(device)


def _predictions(model: Any, inputs: Mapping[str, torch.Tensor], count: int) -> torch.Tensor:
    """(rows, count, vocabulary) log-probabilities of the last `count` tokens."""
    logits = model(**inputs, use_cache=False, logits_to_keep=count + 1).logits
    known: torch.Tensor = logits[:, -count - 1 : -1].float().log_softmax(dim=-1)
    return known
