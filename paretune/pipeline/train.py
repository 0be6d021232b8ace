"""Train: prepared rows to one adapter per variant."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from paretune.config import VariantConfig
from paretune.errors import TrainingError
from paretune.files import fingerprint
from paretune.methods import find_method
from paretune.models.chat import encode
from paretune.objectives import find_objective
from paretune.pipeline import replay
from paretune.pipeline.best_checkpoint import choose_checkpoint
from paretune.pipeline.held_out import VALIDATION, VALIDATION_PROMPTS
from paretune.pipeline.monitor import watch_training
from paretune.pipeline.pace import Work, passes
from paretune.pipeline.session import Session, prepared_lines, prepared_mark
from paretune.run.claims import terms_of
from paretune.run.folder import RunFolder, same_fingerprint
from paretune.run.jsonl import read_lines
from paretune.training.batches import TrainingRow
from paretune.training.sft import awaits_choice, is_trained, total_steps, train_adapter

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
    from paretune.models.load import choose_precision

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


def train(session: Session, variant: VariantConfig) -> None:
    """Train one variant, from its last checkpoint where there is one; nothing to do for a finished or derived one."""
    config = variant.training
    if config is None:
        return
    folder = session.folder.path / variant.name
    mark = training_fingerprint(session, variant)
    if is_trained(folder, mark):
        session.say(f"{variant.name}: already trained")
        return
    if awaits_choice(folder, mark):
        choose_checkpoint(session, variant, mark)
        return
    if (folder / "training.jsonl").exists() and not same_fingerprint(folder / "training.jsonl", mark):
        session.say(f"{variant.name}: settings or data changed; its former training is kept as *.old-N and starts anew")
    prepared = prepared_lines(session, "train")[1]
    records = [row for row in prepared if row["tokens"] <= config.max_tokens]
    if prepared and not records:
        shortest = min(row["tokens"] for row in prepared)
        raise TrainingError(f"{variant.name}: all {len(prepared)} training rows are longer than max_tokens = "
                            f"{config.max_tokens}; the shortest has {shortest}: raise training.max_tokens")  # fmt: skip
    rows = [_row(session.tokenizer, record) for record in records]
    general = replay.general_rows(session, variant, len(rows)) if rows else []
    rows += general
    base = session.base
    steps = total_steps(len(rows), config)
    mixed = f" ({len(general)} of them general)" if general else ""
    session.say(f"{variant.name}: training on {len(rows)} rows{mixed}, {steps} steps")
    watch = None
    if config.monitor_steps is not None:
        with session.folder.timed("monitor", variant.name, mark):
            watch = watch_training(session, variant, steps)
    done, size = 0, config.batch_size * config.accumulation_steps
    each = passes(config.objective, config.epochs, checkpointing=config.gradient_checkpointing)
    with (
        session.folder.timed("train", variant.name, mark, kept=True, apart=lambda: watch.seconds if watch else 0.0),
        session.bar(Work(variant.name, "train", steps, size * each), "train") as advance,
    ):

        def on_step(step: int, _: int) -> None:
            nonlocal done
            advance(step - done)
            done = step
            if session.mirror is not None:
                session.mirror.send_training(variant.name)

        def say(remark: str) -> None:
            session.say(f"{variant.name}: {remark}")

        try:
            progress = train_adapter(base, rows, config, folder, mark, on_step, say, watch, processes=session.processes)
        finally:
            if watch is not None:
                session.folder.add_seconds("monitor", variant.name, watch.seconds, mark)
    if progress.skipped_steps:
        session.say(f"{variant.name}: {progress.skipped_steps} steps were not finite and were skipped")
    session.note_variant(
        variant.name,
        {"train_rows": len(rows), "steps": progress.step, "skipped_steps": progress.skipped_steps,
         "tokens": progress.tokens, "seconds": round(progress.seconds, 2),
         **_ending(session, variant.name, progress.step)},
    )  # fmt: skip
    if config.best_checkpoint is not None:
        choose_checkpoint(session, variant, mark)


def _ending(session: Session, name: str, last_step: int) -> dict[str, Any]:
    """What the manifest says of how the training ended; nothing of one that went its usual way, unless a former one
    did not."""
    lines = read_lines(session.folder.variant(name, "training.jsonl"))[1]
    stopped = any((line.get("monitor") or {}).get("stop") for line in lines)
    facts = {"stopped_step": last_step if stopped else None, "chosen_checkpoint": None, "chosen_by": None}
    noted = session.folder.read_manifest().get("variants", {}).get(name, {})
    return {key: value for key, value in facts.items() if value is not None or noted.get(key) is not None}


def _row(tokenizer: Any, record: dict[str, Any]) -> TrainingRow:
    prompt, answer = encode(tokenizer, record["prompt"]), encode(tokenizer, record["completion"])
    return TrainingRow((*prompt, *answer), len(answer))
