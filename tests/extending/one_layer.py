"""A post-hoc repair in one file, as another package may bring it: the update of one block alone is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from paretune.models.repairs.update import Factors, LayerUpdate
from paretune.repairs import Repair


@dataclass(frozen=True, slots=True)
class OneLayerSettings:
    """kept_block: from 0."""

    kept_block: int = field(default=0, metadata={"minimum": 0})


def _repaired(settings: OneLayerSettings, update: LayerUpdate) -> Factors | None:
    if update.depth == settings.kept_block:
        return None
    return Factors(0 * update.factors.up, update.factors.down)


REPAIR = Repair(OneLayerSettings, _repaired)
