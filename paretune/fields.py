"""Checked values: from a TOML table to a frozen dataclass by its annotations and field bounds.

Field metadata: minimum and maximum (inclusive), above (exclusive).
"""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from paretune.errors import ConfigError


def build(cls: Any, table: Any, where: str, key: str) -> Any:
    """A dataclass from a TOML table, each value checked against its annotation and bounds."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: {key}: expected a table, found {table!r}")
    known = {f.name: f for f in fields(cls)}
    refuse_unknown(table, set(known), where, key)
    hints = get_type_hints(cls)
    for name, item in known.items():
        if item.default is MISSING and item.default_factory is MISSING and name not in table:
            raise ConfigError(f"{where}: {key}.{name}: missing")
    values = {
        name: check_value(value, hints[name], known[name].metadata, where, f"{key}.{name}")
        for name, value in table.items()
    }
    try:
        return cls(**values)
    except ConfigError as error:  # what the class itself knows of keys that belong together
        raise ConfigError(f"{where}: {error}") from error


def check_value(value: Any, kind: Any, bounds: Mapping[str, float], where: str, key: str) -> Any:
    """The value as its annotation wants it, within its bounds; ConfigError otherwise."""
    converted = _convert(value, kind)
    if converted is _WRONG:
        raise ConfigError(f"{where}: {key}: expected {_describe(kind)}, found {value!r}{_nearest_choice(value, kind)}")
    if isinstance(converted, (int, float)) and not isinstance(converted, bool):
        if not math.isfinite(converted):
            raise ConfigError(f"{where}: {key}: expected a finite number, found {value!r}")
        if converted < bounds.get("minimum", -math.inf) or converted <= bounds.get("above", -math.inf):
            least = f"at least {bounds['minimum']}" if "minimum" in bounds else f"more than {bounds['above']}"
            raise ConfigError(f"{where}: {key}: expected {least}, found {value!r}")
        if converted > bounds.get("maximum", math.inf):
            raise ConfigError(f"{where}: {key}: expected at most {bounds['maximum']}, found {value!r}")
    return converted


_WRONG = object()


def _convert(value: Any, kind: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        candidates = (_convert(value, option) for option in get_args(kind) if option is not types.NoneType)
        return next((found for found in candidates if found is not _WRONG), _WRONG)
    if origin is Literal:
        return value if value in get_args(kind) and not isinstance(value, bool) else _WRONG
    if origin is tuple:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list):
            return _WRONG
        converted = tuple(_convert(item, get_args(kind)[0]) for item in items)
        return _WRONG if _WRONG in converted else converted
    if origin is Mapping:
        right = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        return dict(value) if right else _WRONG
    if is_dataclass(kind):
        return _WRONG
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    return value if right else _WRONG


def _describe(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(_describe(option) for option in get_args(kind) if option is not types.NoneType)
    if origin is Literal:
        return "one of " + ", ".join(repr(option) for option in get_args(kind))
    if origin is tuple:
        return "a list of numbers" if get_args(kind)[0] is float else "a list of strings"
    if origin is Mapping:
        return "a table of strings"
    names = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(kind, str(kind))


def _nearest_choice(value: Any, kind: Any) -> str:
    if get_origin(kind) is Literal and isinstance(value, str):
        return nearest(value, [str(option) for option in get_args(kind)])
    return ""


def nearest(name: str, names: Sequence[str]) -> str:
    """The end of a message: the most similar known name, or all of them."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(names))}"


def refuse_unknown(table: Mapping[str, Any], known: set[str], where: str, key: str) -> None:
    """ConfigError for the first key that is not known."""
    for name in table:
        if name not in known:
            path = f"{key}.{name}" if key else name
            raise ConfigError(f"{where}: {path}: unknown key{nearest(name, sorted(known))}")


def subtable(table: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """The section of that name, empty when absent."""
    value = table.get(name, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: {name}: expected a table, found {value!r}")
    return dict(value)


def is_folder_name(name: str) -> bool:
    """Whether the name can be one folder on every system."""
    return bool(name) and name not in (".", "..") and not set(name) & set('/\\:*?"<>|\0') and name == name.strip()
