"""Names to things: those of this program, and those that installed packages add through entry points.

A package adds an engine, a suite, a task or a training method by an entry point of the group, for example in its
pyproject.toml:

    [project.entry-points."paretune.engines"]
    vllm = "its_package.engine:VllmEngine"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import TypeVar

from paretune.errors import ConfigError

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
