"""Target questions to look at on the way: drawn from the training rows, which then lack them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

from paretune.config import ExperimentConfig
from paretune.errors import DataError
from paretune.stats.clusters import sampling_units
from paretune.tasks import Facets, TargetData

VALIDATION, VALIDATION_CHOICE, VALIDATION_PROMPTS = "validation", "validation_choice", "validation_prompts"  # prepared/


def is_primary(config: ExperimentConfig, kind: str) -> bool:
    """Whether a loss on the suite of that kind counts; all do where none is named."""
    named = {name.split("/")[0] for name in config.claims.primary_suites}
    return not named or kind in named


def hold_out(config: ExperimentConfig, target: TargetData, facets: Facets) -> TargetData:
    """The target with its validation questions taken out of the training rows, by whole clusters in an order drawn by
    the seed, as long as they are at most so many as wanted.

    Where the clusters are too few to speak for others (`sampling_units`), the questions of one reference stay together
    instead. Raises DataError naming the numbers where nothing fits or nothing is left to train on.
    """
    if config.validation is None:
        return target
    wanted, rows = config.validation.questions, target.training
    if not rows:
        raise DataError("validation.questions: drawn from the training rows, of which there are none; name splits to "
                        "train on (target.train_splits), or remove [validation]")  # fmt: skip
    clusters = [row.cluster for _, row in rows]
    units = sampling_units(clusters, [row.reference for _, row in rows])
    assert units is not None  # with references there are always some
    sizes = Counter(units)
    chosen: set[object] = set()
    count = 0

    def drawn(unit: object) -> bytes:
        return hashlib.sha256(f"{config.seed}/validation/{unit}".encode()).digest()

    for unit in sorted(sizes, key=drawn):
        if count + sizes[unit] <= wanted:
            chosen.add(unit)
            count += sizes[unit]
    what = facets.clusters if units == tuple(clusters) else "references"
    if not chosen:
        raise DataError(
            f"validation.questions = {wanted}: whole {what} are held out, and the smallest of the {len(sizes)} has "
            f"{min(sizes.values())} of the {len(rows)} training rows; raise it"
        )
    if len(chosen) == len(sizes):
        raise DataError(f"validation.questions = {wanted}: nothing would be left of the {len(rows)} training rows in "
                        f"{len(sizes)} {what}; lower it")  # fmt: skip
    held = [unit in chosen for unit in units]
    return replace(
        target,
        training=tuple(pair for pair, out in zip(rows, held, strict=True) if not out),
        validation=tuple(pair for pair, out in zip(rows, held, strict=True) if out),
    )
