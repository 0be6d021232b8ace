"""Engines by name: the [engine] table of an experiment says which one answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paretune import plugins
from paretune.config import EngineConfig, ExperimentConfig
from paretune.engines.base import Engine, EngineKind, Host
from paretune.engines.hf.engine import HfEngine
from paretune.engines.scripted import ScriptedEngine
from paretune.engines.server import ServerEngine, ServerSettings
from paretune.errors import ConfigError
from paretune.fields import build, nearest

GROUP = "paretune.engines"  # of entry points
ENGINES: Mapping[str, type[EngineKind]] = {
    "transformers": HfEngine,
    "scripted": ScriptedEngine,
    "server": ServerEngine,
}


def engine_kind(name: str, where: str = "[engine]") -> type[EngineKind]:
    """The kind of that name, built in or from an installed package. Raises ConfigError where there is none."""
    try:
        return plugins.load(GROUP, ENGINES, name)
    except KeyError as error:
        known = plugins.names(GROUP, ENGINES)
        raise ConfigError(f"{where}: engine.kind: no engine {name!r}{nearest(name, known)}") from error


def engine_settings(config: EngineConfig, where: str = "[engine]") -> Any:
    """The kind's own settings. Raises ConfigError naming the key that it does not know, or what it expected."""
    return build(engine_kind(config.kind, where).Settings, dict(config.options), where, "engine")


def check_engine(config: ExperimentConfig, where: str) -> None:
    """Refuse an [engine] table that cannot be obeyed, and trainings whose adapters the engine cannot take.

    Raises ConfigError naming the file (where), the key and what was expected.
    """
    engine_settings(config.engine, where)
    for variant in config.variants:
        if variant.served is not None:
            try:
                ServerSettings(variant.served)
            except ConfigError as error:
                said = str(error).replace("engine.url", f"variant.{variant.name}.served")
                raise ConfigError(f"{where}: {said}") from error
    if engine_kind(config.engine.kind, where).takes_peft:
        return
    for variant in config.variants:
        if variant.repair is not None:
            raise ConfigError(f"{where}: variant {variant.name!r}: adapters of the engine {config.engine.kind!r} "
                              "cannot be repaired; remove the variant")  # fmt: skip
        if variant.is_trained:
            raise ConfigError(f"{where}: variant {variant.name!r}: the engine {config.engine.kind!r} takes no trained "
                              "adapters; name one made for it (adapter = PATH)")  # fmt: skip


def build_engine(config: EngineConfig, host: Host) -> Engine:
    """The engine, which has read and loaded nothing yet."""
    return engine_kind(config.kind).build(engine_settings(config), host)
