"""What is wrong with the trainings: cut rows, steps that are not finite, a single seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from paretune.analysis.audit.findings import (
    Figures,
    Finding,
    Level,
    RunRecords,
    VariantRecords,
    level_of_share,
    percent,
)

SHARE_OF_ROWS_WORTH_A_WARNING = 10.0


def training_findings(records: RunRecords) -> Iterator[Finding]:
    """Findings on every trained variant, then on the seeds of all."""
    rows = len(records.train.records)
    cut = sum(_is_cut(row) for row in records.train.records)
    for variant in records.variants:
        about = records.about(variant.name)
        if not variant.training.records and about.get("kind") != "trained":
            continue
        truncated = int(about.get("truncated_rows") or 0) or cut
        if truncated:
            yield Finding("warning", "rows-truncated", {"variant": variant.name, "count": truncated, "rows": rows})
        left_out = int(about.get("left_out_rows") or 0) or _left_out(records, variant.name)
        if left_out:
            many = rows and percent(left_out, rows) > SHARE_OF_ROWS_WORTH_A_WARNING
            figures: Figures = {"variant": variant.name, "count": left_out, "rows": rows}
            yield Finding("warning" if many else "note", "rows-left-out", figures)
        yield from _non_finite(variant, int(about.get("skipped_steps") or 0), int(about.get("steps") or 0))
    yield from _seeds(records)


def _left_out(records: RunRecords, variant: str) -> int:
    """What the header of the training rows says: one number for all variants, or one each."""
    found = records.train.header.get("left_out") or 0
    return int(found.get(variant, 0) if isinstance(found, dict) else found)


def _is_cut(row: dict[str, object]) -> bool:
    """Whether a training row's completion lacks a part of its gold query (spaces aside)."""
    if not row.get("completion") or not row.get("gold"):
        return False
    gold, completion = ("".join(str(row[key]).rstrip("; \n").split()) for key in ("gold", "completion"))
    return gold not in completion


def _non_finite(variant: VariantRecords, skipped: int, steps: int) -> Iterator[Finding]:
    lines = variant.training.records
    # A loss that JSON cannot hold is written as null; a gradient norm is null where nobody measured it.
    broken = sum(
        not (_is_finite(line.get("loss", 0.0)) and _is_finite(line.get("gradient_norm") or 0.0)) for line in lines
    )
    skipped = max([skipped, broken, *(int(line.get("skipped") or 0) for line in lines)])
    steps = max([steps, 1, *(int(line.get("step") or 0) for line in lines)])
    if skipped:
        level: Level = "invalid" if level_of_share(percent(skipped, steps)) else "warning"
        yield Finding(level, "non-finite-steps", {"variant": variant.name, "count": skipped, "steps": steps})


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _seeds(records: RunRecords) -> Iterator[Finding]:
    """Trainings that differ in nothing but the seed belong to one recipe."""
    recipes: dict[str, set[object]] = {}
    for variant in records.config.get("variants") or []:
        training = variant.get("training")
        if training:
            recipe = json.dumps({key: value for key, value in training.items() if key != "seed"}, sort_keys=True)
            recipes.setdefault(recipe, set()).add(training.get("seed"))
    if recipes and all(len(seeds) < 2 for seeds in recipes.values()):
        yield Finding("note", "single-seed", {"recipes": len(recipes)})
