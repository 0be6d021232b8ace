"""Multiple choice over shared prefixes: which option does the model find most probable?

The shots of a subject are computed once and their key-value cache serves all its questions; what several questions
begin with is computed once for these. Questions are packed with little padding, and only the outputs that predict an
option's tokens meet the vocabulary. In float32 the result is that of one plain forward a question. In 16 bits it
depends in the last digits on what stands in a batch, as with any batched engine, so compare variants only under the
same budget (the default depends on the kind of device alone, not on the memory that happens to be free; a batch that
does not fit is halved). A variant's batches are its own: its numbers do not depend on which other variants the same
call answers.

`plan_choices` does the work that no weights enter (tokens, packing); several adapters over one base share its result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from paretune.engines.base import OnOptions, OptionLogprobs
from paretune.engines.hf.forward import ChoiceModel, DeviceBatch, PrefixCache
from paretune.engines.hf.fused import fused_lora, fused_passes
from paretune.engines.hf.packing import (
    PackedBatch,
    Tree,
    aligned_row,
    build_tree,
    cut_batches,
    fill_rows,
    find_families,
    halves,
    pack,
)
from paretune.engines.hf.tokens import Tokens, encode_prompts
from paretune.errors import EngineError, PromptError
from paretune.models.memory import DoesNotFit, attempt, halving
from paretune.records import ChoicePrompt

Wanted = Callable[[PackedBatch], bool]

# Measured in benchmarks/choice.py: (tokens per batch, tokens per row). Long rows pad less, attend to more.
_BUDGETS = {"cpu": (1024, 256), "cuda": (16384, 512)}
_FAMILY_TOKENS = 1024  # of questions that begin alike; longer families save little more and attend to more than needed


@dataclass(slots=True)
class _PlannedGroup:
    prefix: Tokens
    batches: list[PackedBatch]
    sent: dict[int, DeviceBatch] = field(default_factory=dict)  # kept beside the weights for the next adapter


@dataclass(slots=True)
class ChoicePlan:
    """All that scoring needs and no weights enter: may be reused for every adapter of one base model.

    token_limit: places that a batch of several rows may have, lowered when memory runs out. memory_limit: places
    that were too many for the memory, if that happened; fewer go through.
    """

    prompts: tuple[ChoicePrompt, ...]
    groups: list[_PlannedGroup]
    token_limit: int
    n_tokens: int  # places computed after the prefixes, padding included
    n_prefix_tokens: int
    memory_limit: int | None = None

    def release(self) -> None:
        """Let go of what lies on the device; it is sent again when needed."""
        for group in self.groups:
            group.sent.clear()


def plan_choices(
    tokenizer: Any,
    prompts: Sequence[ChoicePrompt],
    *,
    device: str = "cpu",
    token_budget: int | None = None,
    row_tokens: int | None = None,
) -> ChoicePlan:
    """Tokenise and pack prompts of the methods letter and cloze for a kind of device ("cpu" or "cuda")."""
    budget, row = _BUDGETS.get(device, _BUDGETS["cpu"])
    budget, row = token_budget or budget, row_tokens or row
    groups: list[_PlannedGroup] = []
    # by length: prefixes are computed several at a time, padded to the longest of them
    for group in sorted(encode_prompts(tokenizer, prompts), key=lambda group: len(group.prefix)):
        families = find_families(group.questions, min(_FAMILY_TOKENS, budget))
        trees = [build_tree(*family) for family in families]
        rows = fill_rows(trees, aligned_row(min(row, budget), len(group.prefix)))
        groups.append(_PlannedGroup(group.prefix, cut_batches(rows, budget, len(group.prefix))))
    n_tokens = sum(batch.n_tokens for group in groups for batch in group.batches)
    return ChoicePlan(tuple(prompts), groups, budget, n_tokens, sum(len(group.prefix) for group in groups))


def score_plan(model: Any, plan: ChoicePlan, on_options: OnOptions, answered: Collection[int] = ()) -> None:
    """The options' log-probabilities under the model as it stands (eval mode, the wanted adapter active).

    on_options receives each question of the plan once, as soon as it is known, in an order that depends on the
    prompts alone. answered: positions that an earlier run has answered; batches stay what they were, those finished
    are skipped, and the numbers are to the bit those of an uninterrupted run on this machine.

    Raises EngineError when one question alone does not fit the memory, PromptError when it does not fit the context,
    ScoringError for a model in training mode or of an unsupported kind.
    """
    if len(set(answered)) == len(plan.prompts):
        return
    seen = ChoiceModel(model)
    _refuse_too_long(plan, seen.context_length)
    collector = _Collector(on_options, answered)

    def wanted(batch: PackedBatch) -> bool:
        return any(index not in answered for index, _ in batch.slots)

    waiting: list[_Reading] = []
    with fused_passes(model), fused_lora(model):
        for reading in _readings(seen, plan, wanted):
            waiting.append(reading)
            if len(waiting) > 1:  # one batch behind: the device computes while the host counts
                collector.take(waiting.pop(0))
    for reading in waiting:
        collector.take(reading)


class _Reading:
    """Log-probabilities on their way to the host."""

    def __init__(self, packed: PackedBatch, prefix_length: int, result: torch.Tensor) -> None:
        self.packed, self.prefix_length = packed, prefix_length
        self._event: Any = None
        if result.device.type == "cuda":
            self._host = torch.empty(result.shape, dtype=result.dtype, pin_memory=True)
            self._host.copy_(result, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._host = result

    def numbers(self) -> npt.NDArray[np.float64]:
        """(n_reads,) natural logs, once the device has them."""
        if self._event is not None:
            self._event.synchronize()
        numbers: npt.NDArray[np.float64] = self._host.numpy().astype(np.float64)
        return numbers


class _Collector:
    """Sums tokens to options, options to questions, and hands out the questions that are not known yet."""

    def __init__(self, on_options: OnOptions, answered: Collection[int]) -> None:
        self._on_options, self._answered = on_options, answered
        self._partial: dict[int, dict[int, float]] = {}

    def take(self, reading: _Reading) -> None:
        """Hand out the questions that this batch completes."""
        packed = reading.packed
        sums = np.bincount(packed.reads[:, 2], weights=reading.numbers(), minlength=len(packed.slots))
        questions = {question.index: question for tree in packed.trees for question in tree.questions}
        for (index, option), value in zip(packed.slots, sums.tolist(), strict=True):
            question = questions[index]
            options = self._partial.setdefault(index, {})
            options[option] = value
            if len(options) == len(question.continuations):
                values = tuple(options[place] for place in range(len(options)))
                del self._partial[index]
                if index not in self._answered:
                    tokens = reading.prefix_length + max(map(len, question.contexts))
                    self._on_options(index, OptionLogprobs(values, tokens))


def _readings(model: ChoiceModel, plan: ChoicePlan, wanted: Wanted) -> Iterator[_Reading]:
    for group, cache in _with_prefixes(model, plan, wanted):
        for place, packed in enumerate(group.batches):
            if wanted(packed):
                if place not in group.sent:
                    group.sent[place] = model.to_device(packed, cache.length)
                for part, result in _read(model, group.sent[place], cache, plan):
                    yield _Reading(part, cache.length, result)


def _with_prefixes(model: ChoiceModel, plan: ChoicePlan, wanted: Wanted) -> Iterator[tuple[_PlannedGroup, PrefixCache]]:
    """Each group with its prefix's cache; as many prefixes a forward as the budget allows.

    Prefixes are computed together whether their groups are finished or not, so that resuming changes no rounding;
    a forward of which nothing is wanted is left out. (Where memory ran out, fewer go together from then on: there a
    resumed run may round otherwise.)
    """
    start = 0
    while start < len(plan.groups):
        end, longest = start, 0
        while end < len(plan.groups):
            longest = max(longest, len(plan.groups[end].prefix))
            if end > start and longest * (end + 1 - start) > plan.token_limit:
                break
            end += 1
        chosen = plan.groups[start:end]
        if not any(wanted(batch) for group in chosen for batch in group.batches):
            start = end
            continue
        try:
            count, caches = halving(len(chosen), _prefixes_of(model, chosen))
        except DoesNotFit as error:
            raise _unsplittable(plan, chosen[0].batches[0].trees[0], len(chosen[0].prefix)) from error
        if count < len(chosen):  # fewer go together from here on
            plan.token_limit = max(1, max(len(group.prefix) for group in chosen[:count]) * count)
        yield from zip(chosen[:count], caches, strict=True)
        start += count


def _prefixes_of(model: ChoiceModel, groups: Sequence[_PlannedGroup]) -> Callable[[int], list[PrefixCache]]:
    return lambda count: model.prefix_caches([group.prefix for group in groups[:count]])


def _read(
    model: ChoiceModel, batch: DeviceBatch, cache: PrefixCache, plan: ChoicePlan
) -> Iterator[tuple[PackedBatch, torch.Tensor]]:
    """The batch's log-probabilities, in parts where it does not fit."""
    n_tokens = batch.packed.n_tokens
    if plan.memory_limit is None or n_tokens < plan.memory_limit or len(_parts(batch.packed)) == 1:
        result = attempt(lambda: model.read(batch, cache))
        if result is not None:
            yield batch.packed, result
            return
        plan.memory_limit = min(plan.memory_limit or n_tokens, n_tokens)
        if len(_parts(batch.packed)) == 1:
            raise _unsplittable(plan, batch.packed.trees[0], cache.length)
    for rows in _parts(batch.packed):
        yield from _read(model, model.to_device(pack(rows, cache.length), cache.length), cache, plan)


def _parts(packed: PackedBatch) -> list[list[list[Tree]]]:
    """Two halves of a batch: of its trees or, when it holds one, of that; one option is one part."""
    trees = packed.trees
    if len(trees) == 1:
        return [[[part]] for part in halves(trees[0])]
    half = len(trees) // 2
    return [fill_rows(part, packed.tokens.shape[1]) for part in (trees[:half], trees[half:])]


def _unsplittable(plan: ChoicePlan, tree: Tree, prefix_length: int) -> EngineError:
    name, length = _longest(plan, tree, prefix_length)
    return EngineError(
        f"question {name}: its {length} tokens do not fit the memory even alone; use a smaller model, fewer shots, a "
        "lower precision or a device with more memory"
    )


def _refuse_too_long(plan: ChoicePlan, context_length: int) -> None:
    for group in plan.groups:
        for batch in group.batches:
            for tree in batch.trees:
                if len(group.prefix) + int(tree.depth.max()) >= context_length:
                    name, length = _longest(plan, tree, len(group.prefix))
                    raise PromptError(
                        f"question {name}: {length} tokens, but the model's context holds {context_length}; "
                        "use fewer shots"
                    )


def _longest(plan: ChoicePlan, tree: Tree, prefix_length: int) -> tuple[str, int]:
    """The longest question of a tree by name, and its tokens with its longest option, prefix included."""
    lengths = [
        max(len(context) + len(continuation) - 1 for context, continuation in pairs)
        for pairs in (zip(item.contexts, item.continuations, strict=True) for item in tree.questions)
    ]
    longest = max(lengths)
    question = plan.prompts[tree.questions[lengths.index(longest)].index].question
    return question.id, prefix_length + longest
