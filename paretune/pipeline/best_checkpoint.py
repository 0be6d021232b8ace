"""Which of a training's checkpoints becomes its adapter, by the validation questions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paretune.config import BASELINE, VariantConfig
from paretune.disk import copy_file
from paretune.errors import RunFolderError
from paretune.files import write_text
from paretune.models.adapters import ORIGIN_FILE
from paretune.pipeline.dial import Point, checkpoint_points, measure
from paretune.pipeline.session import Session
from paretune.pipeline.validation import StateAnswers, Validation, judge_states, read_validation
from paretune.run.claims import terms_of

_FILES = ("adapter_config.json", "adapter_model.safetensors")


def choose_checkpoint(session: Session, variant: VariantConfig, mark: str) -> None:
    """Put the best checkpoint in the adapter's place, the last one where none passes; say and note which it is.

    "target": the highest accuracy on the validation questions of the target, the earliest of equal ones; "pick": the
    pick among them by the rules of the verdict. Raises RunFolderError where there is no checkpoint that can answer.
    """
    assert variant.training is not None
    criterion, validation = variant.training.best_checkpoint, read_validation(session)
    points = checkpoint_points(session, variant.name)
    if not points:
        raise RunFolderError(f"{session.folder.variant(variant.name, 'checkpoints')}: no checkpoint is finite; train "
                             "again at a lower peak_learning_rate")  # fmt: skip
    with session.folder.timed("monitor", variant.name, mark):
        states = measure(session, variant.name, validation, points)
    best = _best_on_target(points, states) if criterion == "target" else _picked(session, validation, points, states)
    chosen = best or points[-1]
    facts = {"by": criterion, "checkpoint": chosen.checkpoint, "of": len(points), "passes": best is not None}
    _put_in_place(chosen, session.folder.variant(variant.name, "adapter"), facts)
    session.note_variant(variant.name, {"chosen_checkpoint": chosen.checkpoint, "chosen_by": criterion})
    why = "" if best is not None else "; none passes the rules of the verdict, the last one stays"
    session.say(f"{variant.name}: the checkpoint after {chosen.checkpoint} steps, of {len(points)} (best_checkpoint = "
                f'"{criterion}"{why})')  # fmt: skip


def _best_on_target(points: Sequence[Point], states: Mapping[str, StateAnswers]) -> Point:
    return max(points, key=lambda point: states[point.name].target_points)


def _picked(
    session: Session, validation: Validation, points: Sequence[Point], states: Mapping[str, StateAnswers]
) -> Point | None:
    wanted = {name: states[name] for name in (BASELINE, *(point.name for point in points))}
    verdict = judge_states(validation, wanted, terms_of(session.config.claims), seed=session.config.seed)
    picked = None if verdict.pick is None else verdict.pick.unit.name
    return next((point for point in points if point.name == picked), None)


def _put_in_place(chosen: Point, adapter: Path, facts: Mapping[str, Any]) -> None:
    """The checkpoint's files over the adapter's; what says that it was chosen is written last."""
    origin = json.loads((adapter / ORIGIN_FILE).read_text(encoding="utf-8"))
    for name in _FILES:
        copy_file(chosen.adapter / name, adapter / name)
    write_text(adapter / ORIGIN_FILE, json.dumps({**origin, "chosen": facts}, indent=1) + "\n")
