"""What is wrong with the trainings: cut rows, steps that are not finite, a single seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from paretune.findings import (
    Figures,
    Finding,
    Level,
    level_of_share,
    percent,
)
from paretune.run.load import Run, TrainingRow, Variant
from paretune.tasks import Question, Task

FEWEST_LOSSES = 5
DIVERGED = 1.2  # times the loss at the beginning
LOSS_OF_GUESSING = 9.0  # nats per token; ln of a vocabulary of 8000
SHARE_OF_ROWS_WORTH_A_WARNING = 10.0


def training_findings(records: Run) -> Iterator[Finding]:
    """Findings on every trained variant, then on the seeds of all."""
    rows = len(records.training_rows)
    cut = sum(_is_cut(row, records.task) for row in records.training_rows)
    for variant in records.all_variants:
        about = variant.entry
        if not variant.training and about.kind != "trained":
            continue
        truncated = about.truncated_rows or cut
        if truncated:
            yield Finding("warning", "rows-truncated", {"variant": variant.name, "count": truncated, "rows": rows})
        left_out = about.left_out_rows or records.left_out_rows.get(variant.name, 0)
        if left_out:
            many = rows and percent(left_out, rows) > SHARE_OF_ROWS_WORTH_A_WARNING
            figures: Figures = {"variant": variant.name, "count": left_out, "rows": rows}
            yield Finding("warning" if many else "note", "rows-left-out", figures)
        yield from _non_finite(variant)
        yield from _diverged(variant)
    yield from _seeds(records)


def _is_cut(row: TrainingRow, task: Task) -> bool:
    """Whether a training row's completion lacks a part of its answer (spaces aside): neither the reference as it was
    written stands in it, nor what the task makes of it."""
    if not row.completion or not row.reference:
        return False
    answer = task.training_answer(Question(row.id, row.cluster, row.question, row.reference))
    wanted, made, completion = (
        "".join(text.rstrip("; \n").split()) for text in (row.reference, answer, row.completion)
    )
    return wanted not in completion and made not in completion


def _non_finite(variant: Variant) -> Iterator[Finding]:
    # A loss that JSON cannot hold is written as null; a gradient norm is null where it was not measured.
    broken = sum(not (_is_finite(line.loss) and _is_finite(line.gradient_norm or 0.0)) for line in variant.training)
    skipped = max([variant.entry.skipped_steps, broken, *(line.skipped for line in variant.training)])
    steps = max([variant.entry.steps, 1, *(line.step for line in variant.training)])
    if skipped:
        level: Level = "invalid" if level_of_share(percent(skipped, steps)) else "warning"
        yield Finding(level, "non-finite-steps", {"variant": variant.name, "count": skipped, "steps": steps})


def _diverged(variant: Variant) -> Iterator[Finding]:
    """A training that ends at a higher loss than it began with, or near that of guessing a token."""
    losses = [line.loss for line in variant.training if line.loss is not None and math.isfinite(line.loss)]
    if len(losses) < FEWEST_LOSSES:
        return
    few = max(1, len(losses) // 10)
    first, last = sum(losses[:few]) / few, sum(losses[-few:]) / few
    if last > DIVERGED * first or last > LOSS_OF_GUESSING:
        yield Finding("warning", "training-diverged", {"variant": variant.name, "first": first, "last": last})


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _seeds(records: Run) -> Iterator[Finding]:
    """Trainings that differ in nothing but the seed belong to one recipe."""
    recipes: dict[str, set[object]] = {}
    for variant in records.config.get("variants") or []:
        training = variant.get("training")
        if training:
            recipe = json.dumps({key: value for key, value in training.items() if key != "seed"}, sort_keys=True)
            recipes.setdefault(recipe, set()).add(training.get("seed"))
    if recipes and all(len(seeds) < 2 for seeds in recipes.values()):
        yield Finding("note", "single-seed", {"recipes": len(recipes)})
