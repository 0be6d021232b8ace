"""Post-hoc repairs: how a trained adapter is changed without data and without training, by the name under `repair`.

Those of paretune are one file each in models/repairs/. Those of other packages are entry points of the group
`paretune.repairs`, each a `Repair`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from paretune import plugins
from paretune.errors import ConfigError
from paretune.fields import nearest

if TYPE_CHECKING:
    from paretune.models.repairs.update import Factors, LayerUpdate

GROUP = "paretune.repairs"  # of entry points
_ROOM = "paretune.models.repairs"
REPAIRS: Mapping[str, str] = {
    "layer-scale": f"{_ROOM}.layer_scale:REPAIR",
    "intruder-removal": f"{_ROOM}.intruder_removal:REPAIR",
    "spectral": f"{_ROOM}.spectral:REPAIR",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """How one layer's update of a low-rank adapter is changed.

    settings: a frozen dataclass of the repair's own keys in [[variant]], checked by its annotations and bounds.
    repaired: from these settings and a layer's update to the factors of the new update; None where it stays as it is.
    Raises ModelError where the layer does not lend itself to it.
    """

    settings: type[Any]
    repaired: Callable[[Any, LayerUpdate], Factors | None]

    @property
    def keys(self) -> tuple[str, ...]:
        """Its own keys."""
        return tuple(item.name for item in fields(self.settings))


def repair_names() -> list[str]:
    """Every repair there is, those of other packages included."""
    return plugins.names(GROUP, REPAIRS)


def find_repair(name: str) -> Repair:
    """The repair of that name. Raises ConfigError with the nearest name, or why its package cannot be imported."""
    try:
        repair: Repair = plugins.load(GROUP, REPAIRS, name)
    except KeyError as error:
        raise ConfigError(f"no repair {name!r}{nearest(name, repair_names())}") from error
    return repair


def repairs_with(key: str) -> list[str]:
    """The repairs of paretune that have a key of that name."""
    return [name for name in REPAIRS if key in find_repair(name).keys]
