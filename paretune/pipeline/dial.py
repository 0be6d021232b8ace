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
from paretune.pipeline.held_out import VALIDATION
from paretune.pipeline.pace import Work
from paretune.pipeline.prepare import is_prepared, take_prepared
from paretune.pipeline.session import Session
from paretune.pipeline.validation import (
    StateAnswers,
    Validation,
    answer_state,
    judge_states,
    read_validation,
    stored_validation,
)
from paretune.run.claims import stated_terms
from paretune.run.folder import RunFolder
from paretune.run.jsonl import LineWriter, Record, read_header, read_lines
from paretune.run.load import seed_of, task_of
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

    Points known from before are not asked again, and those of earlier calls with this adapter are in it too: the
    intervals hold for all that was looked at. Raises ConfigError for a variant without an adapter of its own,
    RunFolderError where it is not trained yet, and what answering raises.
    """
    _check_prepared(session, variant)
    validation = read_validation(session)
    points = _points(session, variant, scales, checkpoints=checkpoints)
    if not points:
        raise ConfigError("--scales: 0 is the base model; name a scale that is not")
    measure(session, variant.name, validation, points)
    _note(session, variant.name, points, with_base=0.0 in scales)
    return _noted_dial(session.folder, variant.name, validation)


def read_dials(folder: RunFolder) -> tuple[Dial, ...]:
    """The dial of every variant that has one, as the command printed it last; without those of an adapter or of
    questions that are not the run's any more."""
    manifest = folder.read_manifest()
    names = [name for name, entry in manifest.get("variants", {}).items() if entry.get("dial")]
    if not names or not folder.prepared(VALIDATION).is_file():
        return ()
    validation = stored_validation(folder, task_of(manifest).facets.names)
    dials = []
    for name in names:
        answered = read_header(folder.variant(name, "answers.jsonl")).get("adapter")
        mark = manifest["variants"][name]["dial"]["adapter"]
        asked = read_header(folder.variant(name, FILE)).get("validation")
        if answered in (None, mark) and asked == validation.fingerprint:
            dials.append(_noted_dial(folder, name, validation))
    return tuple(dials)


def _note(session: Session, name: str, points: Sequence[Point], *, with_base: bool) -> None:
    """Which points were looked at, in the manifest, beside those of before of the same adapter: all of them count."""
    mark = points[0].mark  # of the finished adapter
    former = session.folder.read_manifest().get("variants", {}).get(name, {}).get("dial", {})
    known = _known(session.folder, name)
    kept = [item for item in former.get("points", ()) if former["adapter"] == mark and _key(item) in known]
    new = [{"name": point.name, "scale": point.scale, "checkpoint": point.checkpoint, "adapter": point.mark}
           for point in points]  # fmt: skip
    listed = {item["name"]: item for item in (*kept, *new)}
    base = with_base or (bool(kept) and former["base"])
    session.note_variant(name, {"dial": {"adapter": mark, "base": base, "points": list(listed.values())}})


def _noted_dial(folder: RunFolder, name: str, validation: Validation) -> Dial:
    """The dial of the points that the manifest lists, from the answers that lie in the folder alone."""
    manifest = folder.read_manifest()
    noted, known = manifest["variants"][name]["dial"], _known(folder, name)
    base = _known(folder, BASELINE)[None, 1.0]
    points = [item for item in noted["points"] if _key(item) in known]
    states = {BASELINE: base} | {item["name"]: known[_key(item)] for item in points}
    verdict = judge_states(
        validation, states, stated_terms(manifest)[0], seed=seed_of(manifest),
        metric=task_of(manifest).facets.metric,
    )  # fmt: skip
    judged = {unit.unit.name: unit for unit in verdict.units}
    general = {state: _general(answers) for state, answers in states.items()}
    found = [DialPoint(item["name"], item["scale"], item["checkpoint"], states[item["name"]].target_points,
                       general[item["name"]], judged[item["name"]]) for item in points]  # fmt: skip
    if noted["base"]:
        found.append(DialPoint(BASELINE, 0.0, None, base.target_points, general[BASELINE], None))
    return Dial(
        variant=name,
        points=tuple(sorted(found, key=lambda point: (point.checkpoint or 0, point.scale))),
        verdict=verdict,
        questions=int((~base.void).sum()),
        choices={suite: len(prompts) for suite, prompts in validation.choices.items()},
        base=(base.target_points, general[BASELINE]),
    )


def _known(folder: RunFolder, name: str) -> dict[tuple[str | None, float], StateAnswers]:
    """The states of a variant that were measured, by the adapter's fingerprint and the scale."""
    path = folder.variant(name, FILE)
    lines = read_lines(path)[1] if path.is_file() else []
    return {_key(line): StateAnswers.from_record(line) for line in lines}


def _key(item: Record) -> tuple[str | None, float]:
    return item["adapter"], item["scale"]


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
        known = {_key(line): StateAnswers.from_record(line) for line in writer.done}
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
