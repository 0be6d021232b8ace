"""Train: prepared rows to one adapter per variant."""

from __future__ import annotations

from typing import Any

from paretune.config import VariantConfig
from paretune.errors import TrainingError
from paretune.models.chat import encode
from paretune.pipeline import replay
from paretune.pipeline.best_checkpoint import choose_checkpoint
from paretune.pipeline.conditions import training_fingerprint
from paretune.pipeline.monitor import watch_training
from paretune.pipeline.pace import Work
from paretune.pipeline.session import Session, prepared_lines
from paretune.run.folder import same_fingerprint
from paretune.run.jsonl import read_lines
from paretune.training.batches import TrainingRow
from paretune.training.sft import awaits_choice, is_trained, total_steps, train_adapter


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
    with (
        session.folder.timed("train", variant.name, mark, kept=True, apart=lambda: watch.seconds if watch else 0.0),
        session.bar(Work(variant.name, "train", steps, size), "train") as advance,
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
