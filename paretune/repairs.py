"""Post-hoc repairs: how a trained adapter is changed without data and without training, by the name under `repair`.

Those of paretune are one file each in models/repairs/. Those of other packages are entry points of the group
`paretune.repairs`, each a `Repair`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paretune.plugins import Kind, Kinds

if TYPE_CHECKING:
    from paretune.models.repairs.update import Factors, LayerUpdate


@dataclass(frozen=True, slots=True)
class Repair(Kind):
    """How one layer's update of a low-rank adapter is changed.

    settings: a frozen dataclass of the repair's own keys in [[variant]], checked by its annotations and bounds.
    repaired: from these settings and a layer's update to the factors of the new update; None where it stays as it is.
    Raises ModelError where the layer does not lend itself to it.
    """

    repaired: Callable[[Any, LayerUpdate], Factors | None]


_ROOM = "paretune.models.repairs"
REPAIRS: Kinds[Repair] = Kinds(
    "repair",
    {
        "layer-scale": f"{_ROOM}.layer_scale:REPAIR",
        "intruder-removal": f"{_ROOM}.intruder_removal:REPAIR",
        "spectral": f"{_ROOM}.spectral:REPAIR",
    },
)
find_repair = REPAIRS.find
