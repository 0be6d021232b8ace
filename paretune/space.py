"""[search]: what `paretune search` may vary, and how it judges.

A key of [search.space] takes a list of values or a range, { low = 1e-4, high = 1e-2, log = true }.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from paretune.errors import ConfigError
from paretune.fields import build, refuse_unknown

Value = Any  # of a training key


@dataclass(frozen=True, slots=True)
class Range:
    """Every number from low to high; log: evenly by their logarithm. Whole numbers where both ends are."""

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high and not (self.is_whole and value != int(value))


Values = Range | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """[search], absent by default. space: the training keys that are varied; scales: at which each adapter is answered,
    which costs no training; candidates: recipes of the front that are trained anew with each of `seeds` and judged on
    the test."""

    space: Mapping[str, Values]
    scales: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    candidates: int = field(default=2, metadata={"minimum": 1})
    seeds: tuple[int, ...] = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class _Plain:
    """The keys of [search] that have one value."""

    candidates: int = field(default=2, metadata={"minimum": 1})


def search_config(table: Any, training_keys: Collection[str], where: str) -> SearchConfig:
    """The section checked. Raises ConfigError for unknown keys, nothing to vary, and empty lists and ranges.

    >>> search_config({"space": {"rank": [8, 16]}}, ["rank"], "x.toml").space
    {'rank': (8, 16)}
    """
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: search: expected a table, found {table!r}")
    refuse_unknown(table, {"space", "scales", "candidates", "seeds"}, where, "search")
    space = table.get("space")
    if not isinstance(space, dict) or not space:
        raise ConfigError(f"{where}: search.space: nothing to vary; give a training key a list or a range, for example "
                          "peak_learning_rate = { low = 1e-4, high = 1e-2, log = true }")  # fmt: skip
    refuse_unknown(space, {*training_keys} - {"seed"}, where, "search.space")
    plain: _Plain = build(_Plain, {key: table[key] for key in ("candidates",) if key in table}, where, "search")
    scales = _numbers(table.get("scales", [0.25, 0.5, 0.75, 1.0]), "scales", where)
    seeds = _numbers(table.get("seeds", [1, 2, 3]), "seeds", where)
    if any(not 0 < scale <= 4 for scale in scales):
        raise ConfigError(f"{where}: search.scales: expected numbers above 0, at most 4, found {list(scales)}")
    if any(seed != int(seed) or seed < 0 for seed in seeds):
        raise ConfigError(f"{where}: search.seeds: expected whole numbers, at least 0, found {list(seeds)}")
    values = {key: _values(value, f"{where}: search.space.{key}") for key, value in space.items()}
    return SearchConfig(values, tuple(map(float, scales)), plain.candidates, tuple(map(int, seeds)))


def ends(values: Values) -> tuple[Value, ...]:
    """Values by which a key can be checked: all of a list, both ends of a range."""
    return (values.low, values.high) if isinstance(values, Range) else values


def middle(values: Values) -> Value:
    """A value of about the middle of what may be chosen, for what a search costs on average.

    >>> middle(Range(1e-4, 1e-2, log=True)), middle(Range(4, 32)), middle((1, 2, 3)), middle(("lora", "dora"))
    (0.001, 18, 2, 'lora')
    """
    if not isinstance(values, Range):
        ordered = all(isinstance(value, int | float) for value in values)
        return sorted(values)[(len(values) - 1) // 2] if ordered else values[0]
    number = sqrt(values.low * values.high) if values.log else (values.low + values.high) / 2
    return round(number) if values.is_whole else round(number, 12)


def largest(values: Values) -> Value:
    """The largest number that may be chosen, for the memory that a search may need; of words the first."""
    if isinstance(values, Range):
        return values.high
    return max(values) if all(isinstance(value, int | float) for value in values) else values[0]


def _numbers(values: Any, key: str, where: str) -> tuple[float, ...]:
    right = isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
    if not right or not values or len(set(values)) < len(values):
        raise ConfigError(f"{where}: search.{key}: expected one number or more, all different, found {values!r}")
    return tuple(values)


def _values(value: Any, where: str) -> Values:
    if isinstance(value, list):
        if not value:
            raise ConfigError(f"{where}: expected one value or more, found an empty list")
        if any(value[place] in value[:place] for place in range(len(value))):
            raise ConfigError(f"{where}: a value stands there twice; remove one")
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a list of values or {{ low = ..., high = ... }}, found {value!r}")
    for name in ("low", "high"):
        number = value.get(name)
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise ConfigError(f"{where}.{name}: expected a number, found {number!r}")
    refuse_unknown(value, {"low", "high", "log"}, where.partition(": ")[0], where.partition(": ")[2])
    made = Range(value["low"], value["high"], value.get("log", False) is True)
    if made.low >= made.high or (made.log and made.low <= 0):
        raise ConfigError(f"{where}: an empty range; expected low below high" + (", above 0" if made.log else ""))
    return made
