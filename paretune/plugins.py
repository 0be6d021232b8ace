"""Names to things: those of this program, and those that installed packages add through entry points.

A package adds an engine, a suite, a task, a training method, an objective or a repair by an entry point of the group,
for example in its pyproject.toml:

    [project.entry-points."paretune.engines"]
    vllm = "its_package.engine:VllmEngine"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import metadata
from typing import Any, Generic, TypeVar

from paretune.errors import ConfigError
from paretune.fields import nearest

T = TypeVar("T")


def names(group: str, built_in: Iterable[str]) -> list[str]:
    """Every name there is, those of this program first. Nothing of another package is imported."""
    added = sorted(point.name for point in metadata.entry_points(group=group))
    return list(dict.fromkeys([*built_in, *added]))


def load(group: str, built_in: Mapping[str, T | str], name: str) -> T:
    """The thing of that name; this program's own names cannot be replaced.

    built_in: things by name, or where they are, as "module:attribute", where they are imported only when asked for.

    Raises KeyError for an unknown name, ConfigError where the package that gives it cannot be imported or
    two packages give it.
    """
    if name in built_in:
        thing = built_in[name]
        if not isinstance(thing, str):
            return thing
        own: T = metadata.EntryPoint(name, thing, group).load()
        return own
    points = list(metadata.entry_points(group=group, name=name))
    if not points:
        raise KeyError(name)
    packages = [point.dist.name if point.dist is not None else point.value for point in points]
    if len(points) > 1:
        raise ConfigError(f"{group}: {name!r} is given by {' and by '.join(packages)}; uninstall all but one")
    try:
        loaded: T = points[0].load()
    except Exception as error:  # another package's code: no common error
        raise ConfigError(
            f"{group}: {name!r} of {packages[0]} cannot be imported ({error}); mend that package"
        ) from error
    return loaded


@dataclass(frozen=True, slots=True)
class Kind:
    """What has keys of its own in an experiment file. settings: a frozen dataclass of these keys, which are checked by
    its annotations and bounds."""

    settings: type[Any]

    @property
    def keys(self) -> tuple[str, ...]:
        """Its own keys."""
        return tuple(item.name for item in fields(self.settings))


K = TypeVar("K", bound=Kind)


@dataclass(frozen=True, slots=True)
class Kinds(Generic[K]):
    """The kinds that one key of an experiment file chooses among. Iterates over the names of this program's own.

    role: that key, such as "method"; the entry points' group is its plural, "paretune.methods". built_in: where this
    program's own are, as for `load`.
    """

    role: str
    built_in: Mapping[str, str]

    @property
    def group(self) -> str:
        """Of the entry points."""
        return f"paretune.{self.role}s"

    def __iter__(self) -> Iterator[str]:
        return iter(self.built_in)

    def names(self) -> list[str]:
        """Every name there is, those of other packages included."""
        return names(self.group, self.built_in)

    def find(self, name: str) -> K:
        """The kind of that name. Raises ConfigError with the nearest name, or why its package cannot be imported."""
        try:
            kind: K = load(self.group, self.built_in, name)
        except KeyError as error:
            raise ConfigError(f"no {self.role} {name!r}{nearest(name, self.names())}") from error
        return kind

    def with_key(self, key: str) -> list[str]:
        """Those of this program that have a key of that name."""
        return [name for name in self if key in self.find(name).keys]

    def keys(self) -> set[str]:
        """The keys of all of them."""
        return {key for name in self.names() for key in self.find(name).keys}
