"""Multiple choice over shared prefixes: which option does the model find most probable?

The shots of a subject are computed once and their key-value cache serves all its questions; what several questions
begin with is computed once for these. Questions are packed with little padding, and only the outputs that predict an
option's tokens meet the vocabulary. In float32 the result is that of one plain forward a question. In 16 bits it
depends in the last digits on what stands in a batch, as with any batched engine, so compare variants only under the
same budget (the default depends on the kind of device alone, not on the memory that happens to be free; a batch that
does not fit is halved). A variant's batches are its own: its numbers do not depend on which other variants the same
call answers.

`plan_choices` plans the work that no weights enter (tokens, packing); several adapters over one base share its result.
The questions of a prefix are tokenised and packed while the device computes those of the prefix before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
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
from paretune.engines.hf.tokens import EncodedQuestion, PrefixGroup, Tokens, encode_prefixes, encode_prompts
from paretune.errors import EngineError, PromptError
from paretune.models.memory import DoesNotFit, attempt, halving
from paretune.records import ChoicePrompt

# Measured in benchmarks/choice.py: (tokens per batch, tokens per row). Long rows pad less, attend to more.
_BUDGETS = {"cpu": (1024, 256), "cuda": (16384, 512)}
_FAMILY_TOKENS = 1024  # of questions that begin alike; longer families save little more and attend to more than needed
_SPECIAL_TOKENS = 8  # that a tokenizer adds to a text at most; else no text has more tokens than bytes


@dataclass(slots=True)
class _PlannedGroup:
    prefix: Tokens
    batches: list[PackedBatch]
    sent: dict[int, DeviceBatch] = field(default_factory=dict)  # kept beside the weights for the next adapter


class _Share:
    """The prompts of one prefix, tokenised and packed when first asked for.

    prefix: the tokens that its first prompt begins with; a group of its prompts may begin with fewer, where tokens join
    otherwise. indices: of the prompts.
    """

    def __init__(self, settings: _Settings, prompts: Sequence[ChoicePrompt], indices: Sequence[int]) -> None:
        self.prefix: Tokens = []
        self.indices = indices
        self._settings, self._prompts = settings, [prompts[index] for index in indices]
        self._groups: list[_PlannedGroup] | None = None

    def groups(self) -> list[_PlannedGroup]:
        """The prompts packed; nearly always one group."""
        if self._groups is None:
            encoded = encode_prompts(self._settings.tokenizer, self._prompts)
            self._groups = [self._packed(group) for group in encoded]
        return self._groups

    def release(self) -> None:
        """Let go of what lies on the device."""
        for group in self._groups or ():
            group.sent.clear()

    def most_bytes(self) -> int:
        """Of the longest prompt with an option."""
        return max(
            len(prompt.prefix.encode())
            + max(len(text.encode()) for text in prompt.contexts)
            + max(len(text.encode()) for text in prompt.continuations)
            for prompt in self._prompts
        )

    def _packed(self, group: PrefixGroup) -> _PlannedGroup:
        budget, length = self._settings.budget, len(group.prefix)
        questions = [EncodedQuestion(self.indices[item.index], item.contexts, item.continuations)
                     for item in group.questions]  # fmt: skip
        trees = [build_tree(*family) for family in find_families(questions, min(_FAMILY_TOKENS, budget))]
        rows = fill_rows(trees, aligned_row(min(self._settings.row_tokens, budget), length))
        return _PlannedGroup(group.prefix, cut_batches(rows, budget, length))


@dataclass(frozen=True, slots=True)
class _Settings:
    """budget, row_tokens: of a batch and of a row, in tokens."""

    tokenizer: Any
    budget: int
    row_tokens: int


@dataclass(slots=True)
class ChoicePlan:
    """All that scoring needs and no weights enter: may be reused for every adapter of one base model.

    token_limit: places that a batch of several rows may have, lowered when memory runs out. memory_limit: places
    that were too many for the memory, if that happened; fewer go through.
    """

    prompts: tuple[ChoicePrompt, ...]
    shares: list[_Share]
    token_limit: int
    memory_limit: int | None = None

    @property
    def groups(self) -> list[_PlannedGroup]:
        """Everything packed, in the order in which it is computed."""
        return [group for share in self.shares for group in share.groups()]

    @property
    def n_tokens(self) -> int:
        """Places computed after the prefixes, padding included."""
        return sum(batch.n_tokens for group in self.groups for batch in group.batches)

    @property
    def n_prefix_tokens(self) -> int:
        """Tokens of the prefixes."""
        return sum(len(group.prefix) for group in self.groups)

    def release(self) -> None:
        """Let go of what lies on the device; it is sent again when needed."""
        for share in self.shares:
            share.release()


def plan_choices(
    tokenizer: Any,
    prompts: Sequence[ChoicePrompt],
    *,
    device: str = "cpu",
    token_budget: int | None = None,
    row_tokens: int | None = None,
) -> ChoicePlan:
    """Plan prompts of the methods letter and cloze for a kind of device ("cpu" or "cuda"): which share a prefix."""
    budget, row = _BUDGETS.get(device, _BUDGETS["cpu"])
    settings = _Settings(tokenizer, token_budget or budget, row_tokens or row)
    by_prefix: dict[str, list[int]] = {}
    for index, prompt in enumerate(prompts):
        by_prefix.setdefault(prompt.prefix, []).append(index)
    several = {prefix: _Share(settings, prompts, indices) for prefix, indices in by_prefix.items() if len(indices) > 1}
    examples = {prefix: prefix + prompts[by_prefix[prefix][0]].contexts[0] for prefix in several}
    for prefix, tokens in encode_prefixes(tokenizer, examples).items():
        several[prefix].prefix = tokens
    shares = list(several.values())
    alone = [indices[0] for indices in by_prefix.values() if len(indices) == 1]
    if alone:  # what their prefixes have in common is told by their tokens alone
        shares.append(_Share(settings, prompts, alone))
        shares[-1].prefix = shares[-1].groups()[0].prefix
    shares.sort(key=lambda share: len(share.prefix))  # prefixes are computed several at a time, padded to the longest
    return ChoicePlan(tuple(prompts), shares, settings.budget)


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
    waiting: list[_Reading] = []
    with fused_passes(model), fused_lora(model):
        for reading in _readings(seen, plan, answered):
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


def _readings(model: ChoiceModel, plan: ChoicePlan, answered: Collection[int]) -> Iterator[_Reading]:
    """The batches of which an answer is wanted, each already being computed when it comes."""

    def wanted(indices: Iterable[int]) -> bool:
        return any(index not in answered for index in indices)

    shares = [share for share in plan.shares if wanted(share.indices)]
    following = dict(pairwise(shares))
    for share, group, cache in _with_prefixes(model, plan, wanted):
        for place, packed in enumerate(group.batches):
            if wanted(index for index, _ in packed.slots):
                if place not in group.sent:
                    group.sent[place] = model.to_device(packed, cache.length)
                for part, result in _read(model, group.sent[place], cache, plan):
                    reading = _Reading(part, cache.length, result)
                    if share in following:
                        following[share].groups()  # packed while the device computes
                    yield reading


def _with_prefixes(
    model: ChoiceModel, plan: ChoicePlan, wanted: Callable[[Iterable[int]], bool]
) -> Iterator[tuple[_Share, _PlannedGroup, PrefixCache]]:
    """Each group with its prefix's cache; as many prefixes a forward as the budget allows.

    Prefixes are computed together whether their groups are finished or not, so that resuming changes no rounding;
    a forward of which nothing is wanted is left out. (Where memory ran out, fewer go together from then on: there a
    resumed run may round otherwise.)
    """
    start = 0
    while start < len(plan.shares):
        end, longest = start, 0
        while end < len(plan.shares):
            longest = max(longest, len(plan.shares[end].prefix))
            if end > start and longest * (end + 1 - start) > plan.token_limit:
                break
            end += 1
        chosen = plan.shares[start:end]
        if not any(wanted(share.indices) for share in chosen):
            start = end
            continue
        try:
            count, caches = halving(len(chosen), _prefixes_of(model, [share.prefix for share in chosen]))
        except DoesNotFit as error:
            first = chosen[0].groups()[0]
            raise _unsplittable(plan, first.batches[0].trees[0], len(chosen[0].prefix)) from error
        if count < len(chosen):  # fewer go together from here on
            plan.token_limit = max(1, max(len(share.prefix) for share in chosen[:count]) * count)
        for share, cache in zip(chosen[:count], caches, strict=True):
            if wanted(share.indices):
                for group in share.groups():
                    alike = group.prefix == share.prefix
                    yield share, group, cache if alike else model.prefix_caches([group.prefix])[0]
        start += count


def _prefixes_of(model: ChoiceModel, prefixes: Sequence[Tokens]) -> Callable[[int], list[PrefixCache]]:
    return lambda count: model.prefix_caches(prefixes[:count])


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
    """Before anything is answered. Prompts of fewer bytes than the context has tokens need not be tokenised for it."""
    long = (share for share in plan.shares if share.most_bytes() + _SPECIAL_TOKENS >= context_length)
    for group in (group for share in long for group in share.groups()):
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
