"""Engines by name: the [engine] table of an experiment says which one answers."""

from __future__ import annotations

from collections.abc import Mapping

from paretune import plugins
from paretune.engines.base import EngineKind
from paretune.engines.hf.engine import HfEngine
from paretune.engines.scripted import ScriptedEngine

GROUP = "paretune.engines"  # of entry points
ENGINES: Mapping[str, type[EngineKind]] = {"transformers": HfEngine, "scripted": ScriptedEngine}


def engine_names() -> list[str]:
    """Every kind of engine that an experiment may name."""
    return plugins.names(GROUP, ENGINES)


def engine_kind(name: str) -> type[EngineKind]:
    """The kind of that name. Raises KeyError for one that nobody gives, ConfigError for one that cannot be had."""
    return plugins.load(GROUP, ENGINES, name)
