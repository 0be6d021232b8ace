"""A scale for each block: the update of the first blocks, which hold what is general, counts less (LiNeS, Wang et al.
2025, arXiv 2410.17146: a line from the first block to the last)."""

from __future__ import annotations

from dataclasses import dataclass, field

from paretune.errors import ConfigError, ModelError
from paretune.models.repairs.update import Factors, LayerUpdate
from paretune.repairs import Repair


@dataclass(frozen=True, slots=True)
class LayerScaleSettings:
    """first_scale, last_scale: of the first and the last block, the others on a line between them. layer_scales: one
    for every block instead."""

    first_scale: float = field(default=0.5, metadata={"minimum": 0.0, "maximum": 4.0})
    last_scale: float = field(default=1.0, metadata={"minimum": 0.0, "maximum": 4.0})
    layer_scales: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if any(not 0 <= scale <= 4 for scale in self.layer_scales):
            raise ConfigError(f"layer_scales: expected numbers from 0 to 4, found {list(self.layer_scales)}")


def scale_at(settings: LayerScaleSettings, depth: int, depths: int) -> float:
    """The scale of a block.

    >>> [scale_at(LayerScaleSettings(), depth, 3) for depth in range(3)]
    [0.5, 0.75, 1.0]
    """
    if settings.layer_scales:
        if len(settings.layer_scales) != depths:
            raise ModelError(
                f"layer_scales: {len(settings.layer_scales)} numbers, but the model has {depths} blocks; give one each"
            )
        return settings.layer_scales[depth]
    share = depth / (depths - 1) if depths > 1 else 1.0
    return settings.first_scale + (settings.last_scale - settings.first_scale) * share


def _repaired(settings: LayerScaleSettings, update: LayerUpdate) -> Factors | None:
    if update.depth is None:
        raise ModelError(f"layer-scale: {update.name} stands in no block; choose another repair")
    scale = scale_at(settings, update.depth, update.depths)
    return None if scale == 1.0 else Factors(update.factors.up * scale, update.factors.down)


REPAIR = Repair(LayerScaleSettings, _repaired)
