"""What decides a trained adapter, as one fingerprint."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from paretune.config import VariantConfig
from paretune.files import fingerprint
from paretune.methods import find_method
from paretune.models.load import choose_precision
from paretune.objectives import find_objective
from paretune.pipeline import replay
from paretune.pipeline.held_out import VALIDATION, VALIDATION_PROMPTS
from paretune.pipeline.session import Session, prepared_mark
from paretune.run.claims import terms_of
from paretune.run.folder import RunFolder

# Keys that came later, each with the one without which it decides nothing: trainings made before them stand.
_LATER_KEYS = {
    "group_by_length": "group_by_length",
    "prompts_per_step": "share_prompts",
    "share_prompts": "share_prompts",
    "fuse_adapters": "fuse_adapters",
    "monitor_steps": "stop_when_loss",
    "stop_when_loss": "stop_when_loss",
    "best_checkpoint": "best_checkpoint",
}


def training_fingerprint(session: Session, variant: VariantConfig, prepared: RunFolder | None = None) -> str:
    """Fingerprint of all that decides a trained adapter. prepared: where the rows lie, if not in the run folder."""
    assert variant.training is not None
    training = variant.training
    conditions = find_method(training.method).conditions(training.settings)
    of_objective = find_objective(training.objective).conditions(training.objective_settings)
    decided = {**training.as_dict(), **conditions, **of_objective, **replay.conditions(session, training)}
    settings = {key: value for key, value in decided.items() if key != "logging_steps"}
    for key, deciding in _LATER_KEYS.items():
        if not settings.get(deciding):
            settings.pop(key, None)
    folder = prepared or session.folder
    whole: dict[str, Any] = {
        "weights": session.source.weights,
        "precision": choose_precision(session.config.model.precision),
        "quantization": session.config.model.quantization,
        "rows": prepared_mark(folder, "train"),
        "training": settings,
    }
    if training.stop_when_loss is not None or training.best_checkpoint is not None:
        whole["validation"] = [prepared_mark(folder, name) for name in (VALIDATION, VALIDATION_PROMPTS)]
        whole["claims"] = asdict(terms_of(session.config.claims)) if training.best_checkpoint == "pick" else None
    return fingerprint(whole)
