"""[sweep]: a grid over training keys, written out as the [[variant]] tables that it stands for.

From here on a swept variant is one like any other: named, trained and judged by the rules that hold for all. Variants
that differ in their seed alone are one recipe.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from paretune.errors import ConfigError
from paretune.fields import build, is_folder_name, nearest, refuse_unknown

UNSAID_VARIANTS = 64  # a larger grid is made only where the file states its size
_SHORTER = {"peak_learning_rate": "rate"}  # in names
_NOT_IN_NAMES = '/\\:*?"<>|\0 '


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """[sweep], or several [[sweep]]: its own keys. name: with training keys in braces; variants: how many it makes."""

    name: str | None = None
    variants: int | None = field(default=None, metadata={"minimum": 1})


def expand(sweeps: Any, training_keys: Collection[str], where: str) -> list[dict[str, Any]]:
    """The tables of a file's sweeps as [[variant]] tables, the last key changing fastest.

    A list holds the values that a key takes; any other value holds for the whole sweep. Raises ConfigError for an
    unknown key, no key with a list, a list without values or with one twice, more than UNSAID_VARIANTS variants that
    are not stated, and names that collide.

    >>> [item["name"] for item in expand({"rank": [8, 16], "seed": [1, 2]}, ["rank", "seed"], "x.toml")]
    ['rank-8-seed-1', 'rank-8-seed-2', 'rank-16-seed-1', 'rank-16-seed-2']
    """
    tables = sweeps if isinstance(sweeps, list) else [sweeps]
    variants: dict[str, dict[str, Any]] = {}
    for table in tables:
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: sweep: expected a table, found {table!r}")
        for variant in _variants(table, training_keys, where):
            if variant["name"] in variants:
                raise ConfigError(
                    f"{where}: sweep: two variants are called {variant['name']!r}; set sweep.name so that they "
                    f'differ, for example name = "{_suggested(table)}"'
                )
            variants[variant["name"]] = variant
    return list(variants.values())


def _variants(table: Mapping[str, Any], training_keys: Collection[str], where: str) -> list[dict[str, Any]]:
    own = {"name", "variants"}
    refuse_unknown(table, {*training_keys, *own}, where, "sweep")
    settings: SweepConfig = build(SweepConfig, {key: table[key] for key in table if key in own}, where, "sweep")
    grid = {key: value for key, value in table.items() if key not in own and isinstance(value, list)}
    fixed = {key: value for key, value in table.items() if key not in own and key not in grid}
    if not grid:
        raise ConfigError(f"{where}: sweep: nothing to vary; give a training key a list, for example seed = [1, 2, 3]")
    for key, values in grid.items():
        if not values:
            raise ConfigError(f"{where}: sweep.{key}: expected one value or more, found an empty list")
        twice = [value for place, value in enumerate(values) if value in values[:place]]
        if twice:
            raise ConfigError(f"{where}: sweep.{key}: {twice[0]!r} stands there twice; remove one")
    _check_count(prod(len(values) for values in grid.values()), settings.variants, where)
    template = settings.name or _template(grid)
    _check_template(template, [*grid, *fixed], where)
    return [_variant(template, dict(zip(grid, cell, strict=True)), fixed) for cell in product(*grid.values())]


def _check_count(count: int, stated: int | None, where: str) -> None:
    if stated is not None and stated != count:
        raise ConfigError(f"{where}: sweep.variants: states {stated}, but the grid makes {count}")
    if stated is None and count > UNSAID_VARIANTS:
        raise ConfigError(
            f"{where}: sweep: makes {count} variants; more than {UNSAID_VARIANTS} must be stated: "
            f"variants = {count} in [sweep]"
        )


def _template(keys: Collection[str]) -> str:
    return "-".join(f"{_SHORTER.get(key, key).replace('_', '-')}-{{{key}}}" for key in keys)


def _suggested(table: Mapping[str, Any]) -> str:
    return _template([key for key in table if key not in ("name", "variants")])


def _check_template(template: str, keys: Sequence[str], where: str) -> None:
    try:
        named = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ConfigError(f"{where}: sweep.name: {template!r}: {error}; expected keys in braces") from error
    for name in named:
        if name not in keys:
            raise ConfigError(f"{where}: sweep.name: {{{name}}} is no key of this sweep{nearest(name, keys)}")


def _variant(template: str, cell: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    settings = {**fixed, **cell}
    name = template.format(**{key: _text(value) for key, value in settings.items()})
    return {"name": name, **settings}


def _text(value: Any) -> str:
    """A value as a part of a folder's name.

    >>> [_text(value) for value in (2e-4, 8, True, ["q_proj", "v_proj"], "all-linear")]
    ['0.0002', '8', 'true', 'q_proj+v_proj', 'all-linear']
    """
    if isinstance(value, list):
        return "+".join(map(_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if is_folder_name(text) else "".join("-" if letter in _NOT_IN_NAMES else letter for letter in text)
