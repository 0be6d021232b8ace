"""The validation questions answered and judged: by the base model, by any adapter at any scale, or by a model that is
being trained. Whatever looks at a state of the model before the test does, does it here."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from paretune.analysis.axes import AnsweredAxis, axis_of_target
from paretune.analysis.results import Verdict
from paretune.analysis.units import Unit
from paretune.analysis.verdict import claims_on, unit_rows, verdict_of
from paretune.config import BASELINE
from paretune.engines.base import Engine, Generation
from paretune.engines.choices import answer_choices
from paretune.errors import ConfigError, DataError, EmptySample
from paretune.files import fingerprint
from paretune.pipeline.choices import read_prompts
from paretune.pipeline.held_out import VALIDATION, VALIDATION_CHOICE, VALIDATION_PROMPTS
from paretune.pipeline.session import Session, prepared_mark
from paretune.records import ChoiceAnswer, ChoicePrompt
from paretune.run.claims import Terms
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_header, read_lines
from paretune.run.lines import AskedQuestion, Suite, from_record
from paretune.stats.clusters import subject_clusters
from paretune.stats.paired import paired_difference

Right = npt.NDArray[np.bool_]
_REPLICATES = 1000  # of intervals that nothing shown rests on


@dataclass(frozen=True, slots=True)
class Validation:
    """What is asked. completions: the reference answer to each question as a model would write it; choices: by suite,
    in the experiment's order; suites: what prepared/ says of each; fingerprint: of all of it."""

    questions: tuple[AskedQuestion, ...]
    completions: tuple[str, ...]
    choices: Mapping[str, tuple[ChoicePrompt, ...]]
    suites: Mapping[str, Suite]
    fingerprint: str

    def __len__(self) -> int:
        """Answers that one state of the model owes."""
        return len(self.questions) + sum(map(len, self.choices.values()))

    def first(self, count: int) -> Validation:
        """A part of at most so many target questions, and as many of each suite, spread evenly over all."""
        choices = {suite: _spread(prompts, count) for suite, prompts in self.choices.items()}
        return Validation(
            _spread(self.questions, count),
            _spread(self.completions, count),
            choices,
            self.suites,
            fingerprint([self.fingerprint, count]),
        )


@dataclass(frozen=True, slots=True)
class StateAnswers:
    """What one state of the model answers right: correct, void (the reference itself fails): (n_questions,); general:
    by suite, (n_prompts,); all in the order of what was asked."""

    correct: Right
    void: Right
    general: Mapping[str, Right]

    @property
    def target_points(self) -> float:
        """Accuracy on the target in points, void questions left out. Raises EmptySample where all are void."""
        if self.void.all():
            raise EmptySample("the reference of every validation question fails; there is no accuracy")
        return 100 * float(self.correct[~self.void].mean())

    def general_points(self, suite: str) -> float:
        """Accuracy on a suite in points."""
        return 100 * float(self.general[suite].mean())

    def record(self) -> dict[str, Any]:
        """As one JSON line: a digit per question, 1 for right, 0 for wrong, - for void."""
        marks = ["-" if void else str(int(right)) for right, void in zip(self.correct, self.void, strict=True)]
        general = {suite: "".join(str(int(right)) for right in rights) for suite, rights in self.general.items()}
        return {"target": "".join(marks), "general": general}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> StateAnswers:
        """Of such a line.

        >>> StateAnswers.from_record({"target": "10-1", "general": {"demo": "01"}}).general_points("demo")
        50.0
        """
        marks = np.array(list(record["target"]))
        general = {suite: np.array(list(rights)) == "1" for suite, rights in record["general"].items()}
        return cls(marks == "1", marks == "-", general)


def read_validation(session: Session) -> Validation:
    """What prepared/ asks. Raises ConfigError without a [validation] section, DataError where it is not prepared."""
    if session.config.validation is None:
        raise ConfigError(
            f"{session.config.name}: no validation questions; add a [validation] section to the experiment "
            "(docs/training.md) and run again: they are taken out of the training rows"
        )
    return stored_validation(session.folder, session.task.facets.names)


def stored_validation(folder: RunFolder, names: Mapping[str, str]) -> Validation:
    """The same from a run folder alone. names: of the task's facets. Raises DataError where it is not prepared."""
    path = folder.prepared(VALIDATION)
    records = read_lines(path)[1]
    questions = tuple(
        from_record(AskedQuestion, record, f"{path}, line {number}", names)
        for number, record in enumerate(records, start=2)
    )
    prompts, mark = read_prompts(folder.prepared(VALIDATION_PROMPTS))
    if not questions or not prompts:
        raise DataError(f"{path}: holds no questions; run paretune prepare again")
    known = read_header(folder.prepared(VALIDATION_CHOICE)).get("suites", {})
    suites = {name: from_record(Suite, {**known.get(name, {}), "name": name}, "suites") for name in prompts}
    completions = tuple(str(record.get("completion", "")) for record in records)
    return Validation(questions, completions, prompts, suites, fingerprint([prepared_mark(folder, VALIDATION), mark]))


def answer_state(
    session: Session,
    validation: Validation,
    adapter: Path | None,
    scale: float = 1.0,
    advance: Callable[[int], None] = lambda count: None,
) -> StateAnswers:
    """Answer with an adapter at a scale on the loaded base model; None: the base model itself.

    advance: told of answers as they come. Raises ModelError where the adapter does not fit, EngineError, ScoringError.
    """
    with session.engine.variant(adapter, scale):
        return answer_now(session, session.engine, validation, advance)


def answer_now(
    session: Session, engine: Engine, validation: Validation, advance: Callable[[int], None] = lambda count: None
) -> StateAnswers:
    """Answer with the engine as it stands, greedily, and judge as the test's answers are judged."""
    questions = validation.questions
    texts = [""] * len(questions)

    def on_answer(place: int, generation: Generation) -> None:
        texts[place] = generation.text
        advance(1)

    engine.generate([question.prompt for question in questions], session.config.target.max_new_tokens, on_answer)
    general: dict[str, Right] = {}
    for suite, prompts in validation.choices.items():
        right: dict[str, bool] = {}

        def on_choice(answer: ChoiceAnswer, right: dict[str, bool] = right) -> None:
            right[answer.id] = answer.correct
            advance(1)

        answer_choices(engine, prompts, suite=suite, variant=BASELINE, on_answer=on_choice)
        general[suite] = np.array([right[prompt.question.id] for prompt in prompts], dtype=np.bool_)
    correct, void = _judged(session, questions, texts)
    return StateAnswers(correct, void, general)


def _judged(session: Session, questions: Sequence[AskedQuestion], texts: Sequence[str]) -> tuple[Right, Right]:
    task = session.task
    verdicts = task.judge(session.config, questions, texts, lambda verdict: None)
    outcomes = [str(verdict.outcome) for verdict in verdicts]
    if "failed" in outcomes:
        raise DataError(f"validation question {questions[outcomes.index('failed')].id}: could not be judged; run again")
    right = np.array([outcome == "correct" for outcome in outcomes], dtype=np.bool_)
    return right, np.array([outcome in task.facets.void for outcome in outcomes], dtype=np.bool_)


def judge_states(
    validation: Validation,
    states: Mapping[str, StateAnswers],
    terms: Terms,
    *,
    seed: int,
    metric: str = "accuracy",
    planned: int | None = None,
) -> Verdict:
    """What may be claimed of each state by the validation questions, and the pick: the rules of a comparison.

    states: by name, the base model's under "baseline"; all others are one family of `planned` units (their number when
    absent). Raises EmptySample without another state, or where every reference fails.
    """
    names = [BASELINE, *(name for name in states if name != BASELINE)]
    if len(names) < 2:
        raise EmptySample("no state of the model beside the base; there is nothing to judge")
    units = [Unit((name,), (None,), ()) for name in names[1:]]
    ordered = [states[name] for name in names]
    target, *generals = axes_of(validation, ordered, metric)
    count = max(planned or 0, len(units))
    claims = {}
    for axis in (target, *generals):
        against = {}
        for at, name in enumerate(names[1:], start=1):
            generator = np.random.default_rng([seed, zlib.crc32(f"{axis.benchmark}/{name}".encode())])
            against[name] = paired_difference(
                axis.correct[:, 0], axis.correct[:, at], axis.clusters, generator=generator, replicates=_REPLICATES
            )
        claims[axis.key] = claims_on(axis, names, units, count, against, terms, seed)
    rows = unit_rows(units, target, generals, names, claims)
    return verdict_of(rows, target, names, terms, (), count, seed)


def axes_of(validation: Validation, states: Sequence[StateAnswers], metric: str) -> list[AnsweredAxis]:
    """The states' answers as a comparison has them: the target's axis, then one per suite, all of them primary."""
    judged = ~np.any([state.void for state in states], axis=0)
    if not judged.any():
        raise EmptySample("the reference of every validation question fails; there is nothing to compare")
    asked = [question for question, kept in zip(validation.questions, judged, strict=True) if kept]
    target = axis_of_target(metric, asked, np.column_stack([state.correct[judged] for state in states]))
    return [target, *(_general_axis(validation, suite, states) for suite in validation.choices)]


def _general_axis(validation: Validation, suite: str, states: Sequence[StateAnswers]) -> AnsweredAxis:
    prompts = validation.choices[suite]
    subjects = tuple(prompt.question.subject for prompt in prompts)
    known = validation.suites[suite].chance
    return AnsweredAxis(
        axis="general",
        benchmark=suite,
        method=prompts[0].method,
        is_main=suite == next(iter(validation.choices)),
        ids=tuple(prompt.question.id for prompt in prompts),
        groups=subjects,
        categories=tuple(prompt.question.category for prompt in prompts),
        clusters=subject_clusters(subjects),
        correct=np.column_stack([state.general[suite] for state in states]),
        chance=tuple(1 / len(prompt.question.options) if known is None else known for prompt in prompts),
        suite=replace(validation.suites[suite], method=prompts[0].method),
    )


def _spread(items: Sequence[Any], count: int) -> tuple[Any, ...]:
    """At most so many, evenly over all."""
    if count >= len(items):
        return tuple(items)
    return tuple(items[place * len(items) // count] for place in range(count))
