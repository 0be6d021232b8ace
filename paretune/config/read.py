"""Experiment files: TOML to frozen dataclasses, or an error that names the file, the key and the nearest right one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretune.config import (
    DEFAULT_GENERAL,
    DEFAULT_SEED,
    LM_EVAL,
    ClaimsConfig,
    EngineConfig,
    ExperimentConfig,
    GeneralConfig,
    ModelConfig,
    TrackingConfig,
    ValidationConfig,
)
from paretune.config.settings import apply_setting, resolve_paths
from paretune.config.together import check_together
from paretune.config.training import COMMON_KEYS, check_training_table, recipe_training
from paretune.config.variants import read_variants, with_swept
from paretune.errors import ConfigError
from paretune.fields import build, check_value, is_folder_name, refuse_unknown, subtable
from paretune.methods import DEFAULT_METHOD, METHODS, find_method
from paretune.space import SearchConfig, ends, search_config
from paretune.tasks import DEFAULT_KIND, Task, find_task


def load_experiment(file: Path, settings: Sequence[str] = ()) -> ExperimentConfig:
    """Read an experiment file and apply `a.b=value` settings.

    Relative paths in the file are relative to the file; those in settings to the working directory. Raises
    ConfigError naming file, key and what was expected.
    """
    return experiment_of(read_table(file, settings), str(file))


def read_table(file: Path, settings: Sequence[str] = ()) -> dict[str, Any]:
    """An experiment file as tables, settings applied and paths absolute, nothing else checked."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: no such experiment file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error
    resolve_paths(table, file.resolve().parent)
    for setting in settings:
        apply_setting(table, setting)
    return table


def experiment_of(table: Mapping[str, Any], where: str) -> ExperimentConfig:
    """The experiment of these tables. where: the file, for messages, and for a name where the tables have none."""
    table = {key: dict(value) if isinstance(value, dict) else value for key, value in table.items()}
    known = {"name", "seed", "model", "engine", "target", "general", "prompt", "claims", "validation", "training",
             "variant", "sweep", "tracking", "search"}  # fmt: skip
    refuse_unknown(table, known, where, "")
    name = table.get("name", Path(where).stem)
    if not isinstance(name, str) or not is_folder_name(name):
        raise ConfigError(f"{where}: name: expected a plain folder name, found {name!r}")
    general = table.get("general")
    suites = general if isinstance(general, list) else [general]
    training = subtable(table, "training", where)
    space = table["search"].get("space") if isinstance(table.get("search"), dict) else None
    check_training_table(training, [table.get("variant"), table.get("sweep"), space], where)
    task = _task(table, where)
    config = ExperimentConfig(
        name=name,
        variants=read_variants(with_swept(table, training, where), training, where),
        general=(DEFAULT_GENERAL,) if general is None else tuple(_general(item, where) for item in suites),
        model=build(ModelConfig, subtable(table, "model", where), where, "model"),
        engine=_engine(subtable(table, "engine", where), where),
        target=build(task.target, subtable(table, "target", where), where, "target"),
        prompt=build(task.prompt, subtable(table, "prompt", where), where, "prompt"),
        claims=build(ClaimsConfig, subtable(table, "claims", where), where, "claims"),
        tracking=_tracking(table, where),
        search=_search(table, training, where),
        validation=_validation(table, where),
        seed=check_value(table.get("seed", DEFAULT_SEED), int, {"minimum": 0}, where, "seed"),
    )
    check_together(config, where)
    return config


def _task(table: dict[str, Any], where: str) -> Task:
    kind = check_value(subtable(table, "target", where).get("kind", DEFAULT_KIND), str, {}, where, "target.kind")
    try:
        return find_task(kind)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _engine(table: dict[str, Any], where: str) -> EngineConfig:
    kind = check_value(table.pop("kind", EngineConfig().kind), str, {}, where, "engine.kind")
    return EngineConfig(kind, table)


def _search(table: Mapping[str, Any], training: Mapping[str, Any], where: str) -> SearchConfig | None:
    if "search" not in table:
        return None
    search = search_config(table["search"], COMMON_KEYS | METHODS.keys(), where)
    for key, values in search.space.items():
        for value in ends(values):  # so that a value that cannot be is reported where it stands
            recipes = [{"method": value}] if key == "method" else _with_methods(search, training, key, value, where)
            for recipe in recipes:
                recipe_training(training, recipe, where, "search.space")
    return search


def _with_methods(
    search: SearchConfig, training: Mapping[str, Any], key: str, value: Any, where: str
) -> list[dict[str, Any]]:
    """A value with each method that is searched and has the key."""
    usual = training.get("method", DEFAULT_METHOD)
    methods = ends(search.space["method"]) if "method" in search.space else (usual,)
    having = [name for name in methods if key in COMMON_KEYS or key in find_method(name).keys]
    if not having:
        raise ConfigError(f"{where}: search.space.{key}: no method that is searched has this key; {key} is one of "
                          f"{', '.join(METHODS.with_key(key))}")  # fmt: skip
    return [{"method": name, key: value} for name in having]


def _tracking(table: Mapping[str, Any], where: str) -> TrackingConfig | None:
    if "tracking" not in table:
        return None
    section = subtable(table, "tracking", where)
    for key in section:
        if any(word in key.lower() for word in ("key", "token", "secret", "password")):
            raise ConfigError(f"{where}: tracking.{key}: no key may stand in an experiment file; remove it and set the "
                              "environment variable that the tracker reads, such as WANDB_API_KEY")  # fmt: skip
    tracking: TrackingConfig = build(TrackingConfig, section, where, "tracking")
    return tracking


def _validation(table: dict[str, Any], where: str) -> ValidationConfig | None:
    if "validation" not in table:
        return None
    section: ValidationConfig = build(ValidationConfig, subtable(table, "validation", where), where, "validation")
    return section


def _general(item: Any, where: str) -> GeneralConfig:
    general: GeneralConfig = build(GeneralConfig, item, where, "general")
    if general.kind != LM_EVAL:
        if general.tasks:
            raise ConfigError(f'{where}: general.tasks: only for kind = "lm-eval"; remove the key')
        return general
    for key in ("method", "subjects", "selection"):
        if key in item:
            raise ConfigError(f"{where}: general.{key}: lm-eval's tasks decide this themselves; remove the key")
    if not general.tasks:
        raise ConfigError(f'{where}: general.tasks: missing; name tasks of lm-eval, for example ["arc_easy"]')
    if len(set(general.tasks)) < len(general.tasks):
        raise ConfigError(f"{where}: general.tasks: expected different tasks, found {list(general.tasks)}")
    return replace(general, few_shot=item.get("few_shot"), selection="first")
