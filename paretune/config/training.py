"""[training], and what a variant or a recipe overrides of it: common keys, those of its method and its objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from paretune.config import SETTINGS, VARIANT_KEYS, TrainingConfig
from paretune.errors import ConfigError
from paretune.fields import build, check_value, refuse_unknown
from paretune.methods import DEFAULT_METHOD, METHODS, find_method
from paretune.objectives import DEFAULT_OBJECTIVE, OBJECTIVES, find_objective
from paretune.plugins import Kinds

COMMON_KEYS = {item.name for item in fields(TrainingConfig)} - {*SETTINGS}  # of every training
# Keys that name a kind with keys of its own, with their defaults.
KINDS: Mapping[str, tuple[str, Kinds[Any]]] = {
    "method": (DEFAULT_METHOD, METHODS),
    "objective": (DEFAULT_OBJECTIVE, OBJECTIVES),
}


def recipe_training(
    training: Mapping[str, Any], recipe: Mapping[str, Any], where: str, key: str = "search"
) -> TrainingConfig:
    """[training] with a recipe of a search, of which keys that its method does not have decide nothing."""
    return read_training(training, recipe_keys(training, recipe), where, key)


def recipe_keys(training: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a recipe that its method has."""
    method = find_method(recipe.get("method", training.get("method", DEFAULT_METHOD)))
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in recipe.items()}
    return {key: value for key, value in plain.items() if key in COMMON_KEYS or key in method.keys}


def read_training(table: Mapping[str, Any], overrides: Mapping[str, Any], where: str, key: str) -> TrainingConfig:
    """A variant's training: the [training] table, overridden. Keys of that table which the variant's method and
    objective do not have are those of other variants'; among the overrides they are an error."""
    whole = {**table, **overrides}
    settings, of_objective = _own_settings(whole, overrides, where, key)
    common = {name: value for name, value in whole.items() if name in COMMON_KEYS}
    training: TrainingConfig = replace(
        build(TrainingConfig, common, where, key), settings=settings, objective_settings=of_objective
    )
    if find_method(training.method).moves_base and find_objective(training.objective).needs_base:
        raise ConfigError(f"{where}: {key}: objective {training.objective!r} compares with the base model, whose "
                          f"weights method {training.method!r} moves; choose another of the two")  # fmt: skip
    if training.share_prompts and training.group_by_length:
        raise ConfigError(f"{where}: {key}: share_prompts orders rows by their prompts; remove group_by_length")
    return training


def _own_settings(table: Mapping[str, Any], given: Mapping[str, Any], where: str, key: str) -> tuple[Any, Any]:
    """The settings of the table's method and of its objective, from their keys in the table.

    Raises ConfigError for an unknown method or objective, and for a given key that neither has.
    """
    kinds: dict[str, Any] = {}
    for role, (default, known_kinds) in KINDS.items():
        name = check_value(table.get(role, default), str, {}, where, f"{key}.{role}")
        try:
            kinds[role] = known_kinds.find(name)
        except ConfigError as error:
            raise ConfigError(f"{where}: {key}.{role}: {error}") from error
    own = {name for kind in kinds.values() for name in kind.keys}
    for other in given:
        for role, (default, known_kinds) in KINDS.items():
            if other not in COMMON_KEYS and other not in own and (having := known_kinds.with_key(other)):
                keys = ", ".join(kinds[role].keys) or "none"
                raise ConfigError(f"{where}: {key}.{other}: not a key of {role} {table.get(role, default)!r}, but of "
                                  f"{', '.join(having)}; its own are {keys}")  # fmt: skip
    known = {*COMMON_KEYS, *own} | (set() if key in ("training", "sweep") else VARIANT_KEYS)
    refuse_unknown(given, known, where, key)
    method, objective = (
        build(kind.settings, {name: value for name, value in table.items() if name in kind.keys}, where, key)
        for kind in kinds.values()
    )
    return method, objective


def check_training_table(table: Mapping[str, Any], sections: Sequence[Any], where: str) -> None:
    """Refuse what no training can obey, so that it is reported there. sections: [[variant]] and [[sweep]], not checked
    yet; keys of the methods and objectives that they name may stand in [training]."""
    build(TrainingConfig, {key: value for key, value in table.items() if key in COMMON_KEYS}, where, "training")
    items = [item for section in sections for item in (section if isinstance(section, list) else [section])]
    elsewhere: set[str] = set()
    for role, (_, kinds) in KINDS.items():
        named = [item[role] for item in items if isinstance(item, dict) and role in item]
        chosen = [name for value in named for name in (value if isinstance(value, list) else [value])]
        elsewhere.update(key for name in chosen if name in kinds.names() for key in kinds.find(name).keys)
    given = {key: value for key, value in table.items() if key not in elsewhere}
    _own_settings(table, given, where, "training")
