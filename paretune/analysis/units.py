"""What a claim is about: a recipe with all its seeds, or one adapter, scale, checkpoint or repair.

Trainings that differ in nothing but the seed are one recipe, and so are their scales, checkpoints and repairs. Picking
the best seed of a recipe and naming it would claim what cannot be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paretune.run.claims import planned_variants
from paretune.run.jsonl import Record

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """variants: those that were evaluated, seeds: of each (None where not trained here); missing: planned ones of the
    same recipe that were not."""

    variants: tuple[str, ...]
    seeds: tuple[int | None, ...]
    missing: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tables call it."""
        return " + ".join(self.variants)

    @property
    def distinct_seeds(self) -> int:
        """Trainings that are really several: variants of the same seed are one."""
        return len(set(self.seeds))


def units_of(manifest: Record, evaluated: Sequence[str]) -> tuple[tuple[Unit, ...], int]:
    """The units that were evaluated, in the order of their first variants, and how many were planned."""
    items = {str(item["name"]): item for item in manifest.get("config", {}).get("variants", [])}
    recipes: dict[Key, list[str]] = {}
    for name in dict.fromkeys([*evaluated, *planned_variants(manifest)]):
        recipes.setdefault(_recipe(name, items), []).append(name)
    units = []
    for members in recipes.values():
        present = tuple(name for name in members if name in evaluated)
        if present:
            seeds = tuple(_seed(name, items) for name in present)
            units.append(Unit(present, seeds, tuple(name for name in members if name not in evaluated)))
    return tuple(units), len(recipes)


def _recipe(name: str, items: Mapping[str, Mapping[str, Any]]) -> Key:
    """Equal for variants that differ in nothing but the seed of the training behind them."""
    item = items.get(name, {})
    training = _training(item, items)
    if training is None:
        return (name,)
    rest = tuple(sorted((key, repr(value)) for key, value in training.items() if key != "seed"))
    repair = (item.get("repair"), repr(item.get("repair_settings")))
    return rest, item.get("adapter_scale"), item.get("checkpoint"), repair


def _seed(name: str, items: Mapping[str, Mapping[str, Any]]) -> int | None:
    training = _training(items.get(name, {}), items)
    return None if training is None else int(training.get("seed", 0))


def _training(item: Mapping[str, Any], items: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    whole = items.get(str(item.get("source")), item) if item.get("source") else item
    found: Mapping[str, Any] | None = whole.get("training")
    return found
