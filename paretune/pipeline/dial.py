"""Dial: the states of one variant's adapter measured on the validation questions, with nothing trained or reloaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paretune.analysis.dial import Dial, DialPoint
from paretune.config import BASELINE, VariantConfig
from paretune.errors import ConfigError, RunFolderError
from paretune.files import fingerprint
from paretune.models.adapters import why_unusable
from paretune.pipeline.conditions import training_fingerprint
from paretune.pipeline.evaluate import target_files
from paretune.pipeline.pace import Work
from paretune.pipeline.prepare import is_prepared, take_prepared
from paretune.pipeline.session import Session
from paretune.pipeline.validation import StateAnswers, Validation, answer_state, judge_states, read_validation
from paretune.run.claims import terms_of
from paretune.run.jsonl import LineWriter, Record
from paretune.training.sft import is_trained

FILE = "validation.jsonl"  # of a variant: its states that were measured


@dataclass(frozen=True, slots=True)
class Point:
    """A state to measure. adapter: its folder; mark: the adapter's fingerprint."""

    name: str
    scale: float
    checkpoint: int | None
    adapter: Path
    mark: str


def turn_dial(session: Session, variant: VariantConfig, scales: Sequence[float], *, checkpoints: bool) -> Dial:
    """Both axes at every scale, of every checkpoint too where asked, and the pick by the rules of the verdict.

    Points known from before are not asked again. Raises ConfigError for a variant without an adapter of its own,
    RunFolderError where it is not trained yet, and what answering raises.
    """
    _check_prepared(session, variant)
    validation = read_validation(session)
    points = _points(session, variant, scales, checkpoints=checkpoints)
    if not points:
        raise ConfigError("--scales: 0 is the base model; name a scale that is not")
    states = measure(session, variant.name, validation, points)
    base = states[BASELINE]
    terms, task = terms_of(session.config.claims), session.task
    verdict = judge_states(validation, states, terms, seed=session.config.seed, metric=task.facets.metric)
    judged = {unit.unit.name: unit for unit in verdict.units}
    general = {name: _general(state) for name, state in states.items()}
    found = [DialPoint(point.name, point.scale, point.checkpoint, states[point.name].target_points,
                       general[point.name], judged[point.name]) for point in points]  # fmt: skip
    if 0.0 in scales:
        found.append(DialPoint(BASELINE, 0.0, None, base.target_points, general[BASELINE], None))
    return Dial(
        variant=variant.name,
        points=tuple(sorted(found, key=lambda point: (point.checkpoint or 0, point.scale))),
        verdict=verdict,
        questions=int((~base.void).sum()),
        choices={suite: len(prompts) for suite, prompts in validation.choices.items()},
        base=(base.target_points, general[BASELINE]),
    )


def _check_prepared(session: Session, variant: VariantConfig) -> None:
    """Refuse an adapter that may have been trained on the validation questions, and questions of other settings."""
    if session.config.validation is None:
        return  # `read_validation` says so
    folder = session.folder.path
    if not is_prepared(session):
        raise RunFolderError(f"{folder}: not prepared with these settings; paretune run prepares and trains")
    take_prepared(session)
    if variant.is_trained and not is_trained(folder / variant.name, training_fingerprint(session, variant)):
        raise RunFolderError(f"{folder / variant.name}: not trained with these settings, or not to its end; train it "
                             f"first (paretune train EXPERIMENT --variant {variant.name})")  # fmt: skip


def checkpoint_points(session: Session, name: str) -> list[Point]:
    """Every checkpoint of a training, whole, in its order; adapters that are not finite are left out."""
    found = []
    folders = session.folder.variant(name, "checkpoints").glob("checkpoint-*")
    for step, folder in sorted((int(path.name.rpartition("-")[2]), path) for path in folders):
        if why_unusable(folder) is None:
            mark = session.engine.adapter_fingerprint(folder)
            found.append(Point(f"{name}@step-{step}", 1.0, step, folder, mark))
    return found


def measure(session: Session, name: str, validation: Validation, points: Iterable[Point]) -> dict[str, StateAnswers]:
    """The base model's answers under "baseline", and those at each point by its name; known ones are read."""
    wanted = list(points)
    states = {BASELINE: _measured(session, BASELINE, validation, [None])[None]}
    found = _measured(session, name, validation, wanted)
    return states | {point.name: found[point] for point in wanted}


def _measured(
    session: Session, name: str, validation: Validation, points: Sequence[Point | None]
) -> dict[Point | None, StateAnswers]:
    with LineWriter(session.folder.variant(name, FILE), _header(session, validation)) as writer:
        known = {(line["adapter"], line["scale"]): StateAnswers.from_record(line) for line in writer.done}
        keys = {point: (None, 1.0) if point is None else (point.mark, point.scale) for point in points}
        missing = [point for point in points if keys[point] not in known]
        if missing:
            work = Work(name, "dial", len(missing) * len(validation))
            with session.bar(work, "answer validation questions") as advance:
                for point in missing:
                    adapter, scale = (None, 1.0) if point is None else (point.adapter, point.scale)
                    state = answer_state(session, validation, adapter, scale, advance)
                    mark, _ = keys[point]
                    step = None if point is None else point.checkpoint
                    writer.append({"adapter": mark, "scale": scale, "checkpoint": step, **state.record()})
                    known[keys[point]] = state
    return {point: known[keys[point]] for point in points}


def _header(session: Session, validation: Validation) -> Record:
    config, task = session.config, session.task
    decided = {
        "validation": validation.fingerprint,
        "conditions": dict(session.engine.conditions),
        "max_new_tokens": config.target.max_new_tokens,
        "stops": (ending := task.ending(config)) is not None and ending.stops,
        "judge": task.conditions(config, target_files(session.folder)),
    }
    return {"kind": "validation", "fingerprint": fingerprint(decided), **decided}


def _points(session: Session, variant: VariantConfig, scales: Sequence[float], *, checkpoints: bool) -> list[Point]:
    if variant.name == BASELINE or variant.source is not None or variant.served is not None:
        raise ConfigError(f"--variant {variant.name}: has no adapter of its own; name one that is trained here or made "
                          "elsewhere")  # fmt: skip
    if checkpoints and not variant.is_trained:
        raise ConfigError(f"--checkpoints: {variant.name} is not trained here and has none; leave the option out")
    adapter = session.adapter(variant)
    assert adapter is not None
    if unusable := why_unusable(adapter):
        raise RunFolderError(f"{adapter}: {unusable}; train it again")
    whole = Point(variant.name, 1.0, None, adapter, session.engine.adapter_fingerprint(adapter))
    # The last checkpoint, or the one that was chosen, is the finished adapter.
    others = [point for point in checkpoint_points(session, variant.name) if point.mark != whole.mark]
    wanted = [float(scale) for scale in dict.fromkeys(scales) if scale]
    return [_at(point, scale) for point in (whole, *(others if checkpoints else ())) for scale in wanted]


def _at(point: Point, scale: float) -> Point:
    name = point.name if scale == 1.0 else f"{point.name}@{scale}"
    return Point(name, scale, point.checkpoint, point.adapter, point.mark)


def _general(state: StateAnswers) -> Mapping[str, float]:
    return {suite: state.general_points(suite) for suite in state.general}
