"""What a run will take before it starts: minutes, memory and disk of each stage, on this machine or on a named card.

Seconds come from what runs beside this one took (`pace`), else from a probe of this machine (`probe`), else, for a
named card, from its stated figures. docs/training.md says what each figure rests on and how far it was off.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from zlib import crc32

from paretune.config import BASELINE, TrainingConfig, VariantConfig
from paretune.errors import ConfigError, ParetuneError
from paretune.fields import nearest
from paretune.models.load import choose_precision
from paretune.pipeline.done import list_progress
from paretune.pipeline.experiment import held_of, like_this, todo_of
from paretune.pipeline.overhead import general_rows
from paretune.pipeline.pace import Speeds, Work
from paretune.pipeline.plan_search import TRIALS, SearchPlan, finals, trials_todo
from paretune.pipeline.prepare import GeneralData, read_general, read_target
from paretune.pipeline.probe import Rates, probe
from paretune.pipeline.replay import MOST_ANSWER_TOKENS
from paretune.pipeline.samples import Drawing
from paretune.pipeline.session import Session
from paretune.pipeline.shape import Shape, shape_of
from paretune.sources.store import with_stored_paths
from paretune.tasks import TargetData
from paretune.training.general import read_prompts
from paretune.training.shared_prompts import SharedPromptOrder, prompt_groups, sharable, shared_tokens

Basis = Literal["measured", "probed", "derived", "unknown"]
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU by its stated figures: memory, dense 16-bit arithmetic without sparsity, and memory bandwidth."""

    name: str
    memory_bytes: int
    operations: float
    bytes_per_second: float | None = None
    bfloat16: bool = True


CARDS: Mapping[str, Card] = {
    "t4": Card("T4", 15_360 * 2**20, 65e12, 320e9, bfloat16=False),
    "l4": Card("L4", 23_034 * 2**20, 121e12, 300e9),
    "a100": Card("A100", 80 * _GIB, 312e12, 2039e9),
    "h100": Card("H100", 80 * _GIB, 989e12, 3350e9),
    "h200": Card("H200", 141 * 10**9, 989e12, 4800e9),
}
# Shares of the arithmetic limit, a product of two large matrices, measured on one H200 (docs/training.md and
# docs/results.md), and that limit's share of the card's stated figure.
_ATTAINED = 753 / 989
_SHARES: Mapping[str, float] = {
    "shared, fused": 0.24, "shared": 0.07, "whole": 0.10,
    "4 bits, shared, fused": 0.08, "4 bits, fused": 0.155, "4 bits": 0.025,
    "generate": 0.10, "choice": 0.47,
}  # fmt: skip
_LETTERS_PER_TOKEN = 3.6  # where there is no tokenizer: SQL prompts in Qwen's tokens
_SCORE_SECONDS, _PAGE_SECONDS = 0.005, 10.0  # per answer; tables, plots and page (docs/results.md)
_PAGE_BYTES, _LINE_BYTES = 6 * 2**20, 600
_CONTEXT_BYTES = 600 * 2**20  # of CUDA and its libraries in a process


@dataclass(frozen=True, slots=True)
class Estimate:
    """One stage of one variant ("" for all). memory_bytes: of the GPU, else of the process; disk_bytes: written and
    kept until the end. Each None where it is not known or does not apply. basis: of the seconds."""

    stage: str
    variant: str
    seconds: float | None
    memory_bytes: int | None
    disk_bytes: int | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """estimates: in the order of a run, what is done already left out. memory_bytes: that the device has; advice: what
    to set where a stage does not fit; notes: what the figures rest on."""

    where: str
    memory_bytes: int
    estimates: tuple[Estimate, ...]
    advice: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Of all stages; None where one is not known."""
        known = [item.seconds for item in self.estimates if item.seconds is not None]
        return sum(known) if len(known) == len(self.estimates) else None

    @property
    def peak_bytes(self) -> int:
        """The most memory that a stage takes."""
        return max((item.memory_bytes or 0 for item in self.estimates), default=0)

    @property
    def disk_bytes(self) -> int:
        """Of all that is written."""
        return sum(item.disk_bytes or 0 for item in self.estimates)


def card_named(text: str) -> Card:
    """A card by its name, or by "GB,TFLOPS" with the bandwidth in GB/s as a third number if need be. Raises
    ConfigError.

    >>> card_named("T4").name, card_named("24,121").operations
    ('T4', 121000000000000.0)
    """
    if text.lower() in CARDS:
        return CARDS[text.lower()]
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise ConfigError(f"--card {text}: expected GB,TFLOPS or a card{nearest(text.lower(), list(CARDS))}")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        raise ConfigError(f"--card {text}: expected numbers, for example 24,121 or 24,121,300") from None
    if min(numbers) <= 0:
        raise ConfigError(f"--card {text}: expected numbers above 0")
    bandwidth = numbers[2] * 1e9 if len(numbers) == 3 else None
    return Card(f"{numbers[0]:g} GB, {numbers[1]:g} TFLOPS", int(numbers[0] * 1e9), numbers[1] * 1e12, bandwidth)


def plan_experiment(session: Session, card: Card | None = None, search: SearchPlan | None = None) -> ExperimentPlan:
    """What is still to do of an experiment, and what that takes. card: where, if not on this machine; search: the whole
    of its search comes first, and its candidates are judged beside the experiment's own variants.

    Reads the data and counts their tokens; no weights. Raises what reading data and the model's configuration raises.
    """
    start = time.monotonic()
    session.config = with_stored_paths(session.config)
    target, general = read_target(session.config, session.task), read_general(session.config)
    counts = _Counts.of(session, target, general)
    reading = time.monotonic() - start
    shape, config = shape_of(session.config.model), session.config.model
    precision = choose_precision(config.precision) if card is None else _precision_on(card, config.precision)
    speeds, runs = (Speeds(), 0) if card is not None else like_this(session)
    held = held_of(target, general)
    sizes = {"train": len(counts.rows), "answers": len(counts.prompts), "choice": counts.choices}
    largest: dict[str, TrainingConfig] = {}
    if search is not None:
        judged = finals(session.config, search)
        session.config = replace(session.config, variants=(*session.config.variants, *judged))
        largest = dict.fromkeys((TRIALS, *(item.name for item in judged)), search.most)
    rows = list_progress(session)[0]
    todo = todo_of(session, rows, sizes, held)
    if search is not None:
        trials = VariantConfig(TRIALS, training=search.usual)
        session.config = replace(session.config, variants=(trials, *session.config.variants))
        todo = [*trials_todo(session, search, len(counts.rows), held), *todo]
    rates = None
    if any(speeds.of(work) is None for work in todo if work.stage != "score"):
        rates = probe(shape, precision) if card is None else None
    device = _Device.of(card, rates)
    plan = _Planner(session, shape, precision, device, counts, speeds, largest)
    missing = any(not row.variant and row.state != "done" for row in rows)
    estimates = [
        *([Estimate("prepare", "", reading, None, counts.bytes, "measured")] if missing else []),
        *(plan.estimate(work) for work in todo if work.items),
        Estimate("report", "", _PAGE_SECONDS, None, _PAGE_BYTES, "derived"),
    ]
    notes = tuple(plan.notes(runs, counts))
    advice = tuple(plan.advice(todo))
    return ExperimentPlan(device.name, device.memory_bytes, tuple(estimates), advice, notes)


def _precision_on(card: Card, wanted: str) -> str:
    return wanted if wanted != "auto" else "bfloat16" if card.bfloat16 else "float16"


@dataclass(frozen=True, slots=True)
class _Device:
    """Where the work is done. rates: of this machine, as probed; card: by its figures."""

    name: str
    memory_bytes: int
    card: Card | None
    rates: Rates | None

    @classmethod
    def of(cls, card: Card | None, rates: Rates | None) -> _Device:
        from paretune.models.load import choose_device
        from paretune.models.memory import memory_of

        if card is not None:
            return cls(card.name, card.memory_bytes, card, None)
        import torch

        kind = choose_device()
        name = torch.cuda.get_device_name(0) if kind == "cuda" else f"this machine, {torch.get_num_threads()} cores"
        return cls(name, memory_of(torch.device(kind)), None, rates)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Tokens of the data. rows: (tokens, tokens of the answer) of each training row; prompts: tokens of each question's
    prompt; choices: answers that choice.jsonl will have, choice_tokens: that are computed for them. exact: whether a
    tokenizer counted them; bytes: of the prepared files."""

    rows: tuple[tuple[tuple[int, ...], int], ...]
    prompts: tuple[tuple[int, ...], ...]
    choices: int
    choice_tokens: int
    exact: bool
    bytes: int

    @classmethod
    def of(cls, session: Session, target: TargetData, general: Sequence[GeneralData]) -> _Counts:
        try:
            tokenizer = session.tokenizer
        except ParetuneError:
            tokenizer = None
        facets, task = session.task.facets, session.task

        def tokens(text: str) -> tuple[int, ...]:
            if tokenizer is not None:
                return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
            pieces = int(len(text) / _LETTERS_PER_TOKEN)
            return tuple(crc32(text[int(at * _LETTERS_PER_TOKEN) : int((at + 1) * _LETTERS_PER_TOKEN)].encode())
                         for at in range(pieces))  # fmt: skip

        def prompt(question: Any) -> str:
            messages = target.messages(question)
            if tokenizer is not None:
                return session.engine.render(messages, facets.cue)
            return "\n".join(str(message["content"]) for message in messages)

        written = 0
        rows = []
        for _, row in target.training:
            asked, answer = tokens(prompt(row)), tokens(task.training_answer(row))
            rows.append(((*asked, *answer, 0), len(answer) + 1))
            written += _LINE_BYTES + 4 * len(asked)
        prompts = tuple(tokens(prompt(question)) for question in target.questions)
        written += sum(_LINE_BYTES + 4 * len(one) for one in prompts)
        choices = choice_tokens = 0
        for item in general:
            texts = [[question.question, *question.options] for question in item.questions]
            sizes = [sum(len(tokens(text)) for text in parts) + 8 for parts in texts]
            subjects = len({question.subject for question in item.questions})
            shots = (item.shots or 0) * subjects * (sum(sizes) // max(1, len(sizes)))
            choices += len(item.questions) * len(item.methods)
            choice_tokens += (sum(sizes) + shots) * len(item.methods)
            written += sum(2 * _LINE_BYTES + 8 * size for size in sizes)
        return cls(tuple(rows), prompts, choices, choice_tokens, tokenizer is not None, written)


class _Planner:
    """The estimates of one experiment on one device."""

    def __init__(self, session: Session, shape: Shape, precision: str, device: _Device, counts: _Counts,
                 speeds: Speeds, largest: Mapping[str, TrainingConfig]) -> None:  # fmt: skip
        self._session, self._shape, self._precision = session, shape, precision
        self._device, self._counts, self._speeds = device, counts, speeds
        self._quantization = session.config.model.quantization
        self._largest = largest  # what a variant may be at most, for its memory
        self._steps: dict[tuple[Any, ...], tuple[int, int, int]] = {}

    def estimate(self, work: Work) -> Estimate:
        """Of one stage of a variant."""
        variant = self._session.config.variant(work.variant)
        seconds, basis = self._seconds(work, variant)
        return Estimate(
            work.stage, work.variant, seconds, self._memory(work, variant), self._disk(work, variant), basis
        )

    def _seconds(self, work: Work, variant: VariantConfig) -> tuple[float | None, Basis]:
        if work.stage in self._speeds.amount or (work.like and self._speeds.of(work) is not None):
            return self._speeds.of(work), "measured"
        if work.stage == "score":
            return work.items * _SCORE_SECONDS, "derived"
        basis: Basis = "probed" if self._device.rates is not None else "derived"
        shape, counts = self._shape, self._counts
        if work.stage == "train":
            assert variant.training is not None
            training = variant.training
            computed, _, labels = self._layout(training)
            share = work.items * work.size / max(1, len(counts.rows))
            operations = (6 if training.gradient_checkpointing else 4) * shape.multiplied * computed
            operations += 4 * labels * shape.hidden * shape.vocabulary
            return share * operations / self._rate(self._path(training), training=True), basis
        if work.stage == "replay":
            assert variant.training is not None
            prompts = read_prompts(variant.training.replay)
            tokens = sum(len(prompt.text) for prompt in prompts) / len(prompts) / _LETTERS_PER_TOKEN
            return self._writing(work.items, int(work.items * tokens), MOST_ANSWER_TOKENS), basis
        each = {"generate": self._answer(variant), "choice": self._choice()}
        parts = work.like or ((work.stage, 1.0),)
        return work.items * sum(amount * each[stage] for stage, amount in parts), basis

    def _choice(self) -> float:
        """Seconds of one answer to a multiple-choice question."""
        counts = self._counts
        return 2 * self._shape.multiplied * counts.choice_tokens / max(1, counts.choices) / self._rate("choice")

    def _answer(self, variant: VariantConfig) -> float:
        """Seconds of one answer of a variant, as one of all those to the test."""
        count = len(self._counts.prompts)
        if not count:
            return 0.0
        samples = Drawing.of(self._session.config).samples
        written = self._answer_tokens(variant)
        return self._writing(count, _shared(self._counts.prompts), written, samples) / (count * samples)

    def _rate(self, path: str, *, training: bool = False) -> float:
        """Operations per second."""
        card, rates = self._device.card, self._device.rates
        if card is not None:
            return _SHARES[path] * _ATTAINED * card.operations
        assert rates is not None
        if rates.limit is not None:  # a GPU, of which the limit alone was probed
            return _SHARES[path] * rates.limit
        return rates.training if training else rates.forward

    def _path(self, training: TrainingConfig) -> str:
        if self._quantization != "none":
            shared = ", shared" if training.share_prompts else ""
            return f"4 bits{shared}, fused" if training.fuse_adapters else "4 bits"
        return ("shared, fused" if training.fuse_adapters else "shared") if training.share_prompts else "whole"

    def _writing(self, rows: int, prompt_tokens: int, written: float, samples: int = 1) -> float:
        """Seconds of answers of so many tokens to prompts with what they share computed once, then one step per token
        of the longest answer of each wave."""
        shape, size = self._shape, self._session.config.target.batch_size
        waves = -(-rows // (size or rows))
        new_tokens = written * rows * samples
        rates, card = self._device.rates, self._device.card
        operations = (
            2 * shape.multiplied * prompt_tokens + 2 * (shape.multiplied + shape.hidden * shape.vocabulary) * new_tokens
        )
        if rates is not None and rates.limit is None:
            step = rates.step_seconds(min(size or rows, rows), shape.layers)
            return 2 * shape.multiplied * prompt_tokens / rates.forward + waves * samples * written * step
        bandwidth = card.bytes_per_second if card is not None else rates.bandwidth if rates is not None else None
        weights = shape.weight_bytes(self._precision, self._quantization)
        reading = waves * samples * written * weights / bandwidth if bandwidth else 0.0
        return float(max(operations / self._rate("generate"), reading))

    def _answer_tokens(self, variant: VariantConfig) -> float:
        """Tokens of an answer: a tuned variant's as its training rows', the base model's as long as they may be."""
        longest = float(self._session.config.target.max_new_tokens)
        if variant.name == BASELINE or not self._counts.rows:
            return longest
        return min(longest, sum(answer for _, answer in self._counts.rows) / len(self._counts.rows))

    def _layout(self, training: TrainingConfig) -> tuple[int, int, int]:
        """Tokens that an epoch computes, tokens of its largest pass, and labels of an epoch."""
        key = (training.batch_size, training.accumulation_steps, training.share_prompts, training.prompts_per_step,
               training.max_tokens, training.group_by_length, training.seed)  # fmt: skip
        if key not in self._steps:
            rows = [row for row in self._counts.rows if len(row[0]) <= training.max_tokens]
            self._steps[key] = _layout(rows, training) if rows else (0, 0, 0)
        return self._steps[key]

    def _memory(self, work: Work, variant: VariantConfig) -> int | None:
        if work.stage in ("score", "monitor"):  # the latter within what its training has
            return None
        if work.stage == "train":
            assert variant.training is not None
            return self.training_bytes(self._largest.get(work.variant, variant.training), self._quantization)
        weights = self._shape.weight_bytes(self._precision, self._quantization) + _CONTEXT_BYTES
        if work.stage == "choice":
            return weights + 16_384 * self._shape.hidden * 12
        target = self._session.config.target
        longest = max((len(prompt) for prompt in self._counts.prompts), default=0) + target.max_new_tokens
        rows = target.batch_size or 1
        return weights + rows * longest * self._shape.cache_bytes(self._precision)

    def training_bytes(self, training: TrainingConfig, quantization: str) -> int:
        """Weights, adapter with its gradients and optimizer, and what the largest pass keeps."""
        _, largest, _ = self._layout(training)
        numbers = self._shape.adapter_numbers(training)
        optimizer = 2 if training.optimizer.endswith("8bit") else 8
        labels = training.batch_size * max((answer for _, answer in self._counts.rows), default=0)
        return (
            self._shape.weight_bytes(self._precision, quantization)
            + numbers * (8 + optimizer + (2 if training.fuse_adapters else 0))
            + self._shape.activation_bytes(training, largest, labels, self._precision)
            + _CONTEXT_BYTES
        )

    def _disk(self, work: Work, variant: VariantConfig) -> int:
        if work.stage == "train":
            assert variant.training is not None
            kept = work.items // variant.training.checkpoint_steps
            return self._shape.adapter_numbers(variant.training) * 4 * (1 + kept * 3)  # with the optimizer's state
        return work.items * _LINE_BYTES

    def advice(self, todo: Sequence[Work]) -> list[str]:
        """For every training that does not fit: the first settings with which it does."""
        said: dict[str, None] = {}
        for work in todo:
            training = self._largest.get(work.variant) or self._session.config.variant(work.variant).training
            if work.stage != "train" or training is None:
                continue
            needed = self.training_bytes(training, self._quantization)
            if needed > self._device.memory_bytes:
                said[f"{work.variant}: its training needs about {needed / _GIB:.1f} GiB of "
                     f"{self._device.memory_bytes / _GIB:.1f}; {self._remedy(training)}"] = None  # fmt: skip
        return list(said)

    def _remedy(self, training: TrainingConfig) -> str:
        halves = max(1, training.batch_size // 4)
        smaller = replace(training, batch_size=halves,
                          accumulation_steps=training.accumulation_steps * training.batch_size // halves)  # fmt: skip
        less = f"batch_size = {halves} with accumulation_steps = {smaller.accumulation_steps}"
        for words, changed, quantization in (
            ("gradient_checkpointing = true", replace(training, gradient_checkpointing=True), self._quantization),
            (less, smaller, self._quantization),
            (f"{less} and gradient_checkpointing = true", replace(smaller, gradient_checkpointing=True),
             self._quantization),
            ('model.quantization = "nf4"', training, "nf4"),
            ('model.quantization = "nf4" and gradient_checkpointing = true',
             replace(training, gradient_checkpointing=True), "nf4"),
            (f'model.quantization = "nf4", {less} and gradient_checkpointing = true',
             replace(smaller, gradient_checkpointing=True), "nf4"),
        ):  # fmt: skip
            if (needed := self.training_bytes(changed, quantization)) <= self._device.memory_bytes:
                return f"set {words} (about {needed / _GIB:.1f} GiB)"
        return "no setting known here makes it fit; choose a smaller model or a lower max_tokens"

    def notes(self, runs: int, counts: _Counts) -> list[str]:
        """What the figures rest on."""
        said = []
        if runs:
            said.append(f"measured: by {runs} {'run' if runs == 1 else 'runs'} beside this one with the same model, "
                        "task and machine")  # fmt: skip
        if self._device.card is not None:
            said.append("derived: from the card's stated figures and the shares of them that one H200 reached "
                        "(docs/training.md); not measured on this card")  # fmt: skip
            if not self._device.card.bfloat16:
                said.append("this card has no bfloat16 and no FlashAttention-2: weights are float16, and shared "
                            "prompts are computed with a mask, whose cost is not in these figures")  # fmt: skip
        elif self._device.rates is not None:
            said.append("probed: from the speed of this machine on layers of the model's shape, just now")
        if not counts.exact:
            said.append(f"the tokenizer is not here: {_LETTERS_PER_TOKEN} letters count as a token")
        trainings = [item.training for item in self._session.config.variants if item.training is not None]
        if any(general_rows(item, len(counts.rows)) for item in trainings):
            said.append("general rows of a training count as long as the target's")
        if self._largest:
            said.append(f"{TRIALS}: all trainings of the search; the time is that of a recipe in the middle of the "
                        "space, the memory that of its largest values")  # fmt: skip
        elif self._session.config.search is not None:
            said.append("the search is not in these figures; --trials N counts it")
        if self._session.config.target.batch_size is None:
            said.append("answers: the memory is that of one at a time; as many are written at once as fit")
        return said


def _shared(prompts: Sequence[tuple[int, ...]]) -> int:
    """Tokens of prompts with what each group begins with alike counted once."""
    total = sum(map(len, prompts))
    for group in prompt_groups(prompts):
        total -= (len(group) - 1) * shared_tokens([prompts[row] for row in group])
    return total


def _layout(rows: Sequence[tuple[tuple[int, ...], int]], training: TrainingConfig) -> tuple[int, int, int]:
    lengths = [len(tokens) for tokens, _ in rows]
    labels, size = sum(answer for _, answer in rows), training.batch_size * training.accumulation_steps
    if not training.share_prompts:
        ordered = sorted(lengths) if training.group_by_length else lengths
        batches = [ordered[at : at + training.batch_size] for at in range(0, len(ordered), training.batch_size)]
        padded = [len(batch) * max(batch) for batch in batches]
        return sum(padded), training.batch_size * max(lengths), labels
    order = list(SharedPromptOrder([sharable(*row) for row in rows], lengths, rows_per_step=size,
                                   prompts_per_step=training.prompts_per_step, seed=training.seed))  # fmt: skip
    steps = [order[at : at + size] for at in range(0, len(order), size)]
    computed = []
    for step in steps:
        prompts = [sharable(*rows[row]) for row in step]
        computed.append(sum(lengths[row] for row in step) - sum(map(len, prompts)) + _shared(prompts))
    return sum(computed), min(max(computed), training.batch_size * training.max_tokens), labels
