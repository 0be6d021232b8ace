"""What the lines of a run folder hold, as dataclasses, and how a JSON record becomes one."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from paretune.errors import DataError
from paretune.records import ChoiceAnswer
from paretune.run.jsonl import Record
from paretune.tasks import Identity, Question, Task, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskedQuestion(Question):
    """One target question as it was asked: a line of prepared/<lines of the task>.jsonl."""

    prompt: str = ""
    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One training row: a line of prepared/train.jsonl. tokens: prompt and completion together."""

    split: str
    id: Identity
    cluster: str
    question: str
    reference: str
    prompt: str = ""
    completion: str = ""
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class AskedChoice:
    """One multiple-choice question as it was asked: a line of prepared/choice.jsonl. answer: index of the right one."""

    suite: str
    id: str
    subject: str
    category: str
    question: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Suite:
    """What prepared/choice.jsonl says of a suite. chance: probability of a blind guess in [0, 1], if known. instead_of:
    the method that the experiment names, where the engine can only write."""

    name: str
    chance: float | None = None
    shots: int | None = None
    method: str | None = None
    notes: tuple[str, ...] = ()
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One logged step. seconds since the start; skipped: steps left out so far; gradient_norm: null if unknown.
    monitor: what a look at the model found (pipeline/monitor.py)."""

    step: int
    epoch: float
    loss: float | None
    learning_rate: float | None
    gradient_norm: float | None
    tokens: int
    seconds: float
    skipped: int = 0
    monitor: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GeneratedAnswer:
    """One raw answer. finish: "stop" (end of turn), "statement" (ended behind a complete one) or "length" (token limit
    reached), null where it was not noted. chatter_tokens: of the tokens, those behind a complete statement."""

    id: Identity
    cluster: str
    text: str
    tokens: int
    finish: str | None = None
    chatter_tokens: int = 0


@dataclass(frozen=True, slots=True)
class SampledAnswer:
    """What became of one of several answers to a question: a line of sample_verdicts.jsonl."""

    id: Identity
    sample: int
    outcome: str
    tokens: int
    chatter_tokens: int = 0
    finish: str | None = None


@dataclass(frozen=True, slots=True)
class VariantEntry:
    """What the manifest says of a variant. kind: baseline, trained, adapter, scaled, checkpoint, repaired
    or served; repair: how it was repaired."""

    name: str
    kind: str
    source: str | None = None
    adapter_scale: float | None = None
    checkpoint: int | None = None
    train_rows: int = 0
    left_out_rows: int = 0
    steps: int = 0
    skipped_steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    truncated_rows: int = 0
    stopped_step: int | None = None  # where a monitored training was ended, by a loss that was shown
    chosen_checkpoint: int | None = None  # of its training, by the validation questions
    repair: str | None = None
    unusable: str | None = None  # why its adapter cannot answer, such as weights that are not finite


@dataclass(frozen=True, slots=True)
class Variant:
    """All lines of one variant, verdicts in the order in which the questions were asked.

    headers: of each file (answers, the task's, choice, training), empty where there is no file. samples: where several
    answers were drawn per question, all of them.
    """

    entry: VariantEntry
    verdicts: tuple[Verdict, ...]
    choice: tuple[ChoiceAnswer, ...]
    answers: tuple[GeneratedAnswer, ...]
    training: tuple[TrainingStep, ...]
    headers: Mapping[str, Record]
    samples: tuple[SampledAnswer, ...] = ()

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.entry.name


def from_record(
    kind: type[T], record: Mapping[str, Any], where: str, names: Mapping[str, str] = MappingProxyType({})
) -> T:
    """The dataclass `kind` from a JSON record: lists become tuples, outcomes their enum; unknown keys are left out.

    names: how the record calls a field, where that is another name. Raises DataError naming the missing key, the value
    of another type, or an unknown outcome.
    """
    required, known, conversions = _plan(typing.cast(Any, kind))
    record = {**record, **{name: record[own] for name, own in names.items() if own in record}}
    for name in required:
        if name not in record:
            raise DataError(
                f"{where}: a record lacks {names.get(name, name)!r}; it was written by another version: evaluate again"
            )
    values = {}
    for name, expected in known:
        if name in record:
            value = values[name] = record[name]
            if expected and not isinstance(value, expected):
                raise DataError(
                    f"{where}: {names.get(name, name)}: {value!r} is no {expected[0].__name__}; evaluate again"
                )
    for name, convert in conversions:
        value = values.get(name)
        if value is not None:
            try:
                values[name] = convert(value)
            except (ValueError, TypeError) as error:
                raise DataError(f"{where}: {names.get(name, name)}: {value!r} is not known here") from error
    return kind(**values)


def verdict_from(task: Task, record: Mapping[str, Any], where: str) -> Verdict:
    """The verdict that a line of the task holds. detail: what stands under that key, or the whole line.

    Raises DataError as `from_record` does, for what the task's own dataclass requires as well.
    """
    if task.verdict is not Verdict:
        from_record(task.verdict, record, where)
    if record.get("outcome") not in (None, *task.facets.outcomes):
        raise DataError(f"{where}: outcome: {record['outcome']!r} is not known here")
    return from_record(Verdict, {"detail": record, **record}, where, task.facets.names)


@cache
def _plan(
    kind: Any,
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[type, ...]], ...], tuple[tuple[str, Any], ...]]:
    """Fields that a record must have, all fields with their JSON types, and what some are converted by."""
    hints = typing.get_type_hints(kind)
    required: list[str] = []
    known: list[tuple[str, tuple[type, ...]]] = []
    conversions: list[tuple[str, Any]] = []
    for item in dataclasses.fields(kind):
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            required.append(item.name)
        hint = hints[item.name]
        options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        known.append((item.name, _json_types(options)))
        for option in options:
            if typing.get_origin(option) is tuple:
                conversions.append((item.name, tuple))
            elif isinstance(option, type) and issubclass(option, StrEnum):
                conversions.append((item.name, option))
    return tuple(required), tuple(known), tuple(conversions)


def _json_types(options: tuple[Any, ...]) -> tuple[type, ...]:
    """What JSON may hold for a field of these types; empty where its conversion says whether it fits."""
    allowed: list[type] = []
    for option in options:
        if option is float:
            allowed += [float, int]
        elif option in (int, str, bool, type(None)):
            allowed.append(option)
        elif typing.get_origin(option) is tuple:
            allowed.append(list)
        else:
            return ()
    return tuple(allowed)
