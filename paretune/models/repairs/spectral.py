"""A threshold on the update's singular values: small ones, which are mostly noise of the training, are removed; large
ones may be cut.

The idea is that of spectral unforgetting (Abro et al. 2026, arXiv 2605.20296), which applies the hard threshold of
Gavish and Donoho (2014) for unknown noise: a multiple of the median singular value, 1.43 for the most oblong matrices.
Of a whole update most singular values are noise, and the median is its level. An update of rank r has r of them, and
the median of these is what a threshold is a multiple of here: a choice of this program, not of the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from paretune.errors import ConfigError
from paretune.models.repairs.update import Factors, LayerUpdate, compose, decompose
from paretune.repairs import Repair


@dataclass(frozen=True, slots=True)
class SpectralSettings:
    """Both in medians of the layer's singular values. remove_below: smaller ones are removed, 0 none; cut_above:
    larger ones are cut to it, none when absent."""

    remove_below: float = field(default=1.43, metadata={"minimum": 0.0})
    cut_above: float | None = field(default=None, metadata={"above": 0.0})

    def __post_init__(self) -> None:
        if self.cut_above is not None and self.cut_above < self.remove_below:
            raise ConfigError(
                f"cut_above = {self.cut_above:g} is below remove_below = {self.remove_below:g}: nothing would be left"
            )


def _repaired(settings: SpectralSettings, update: LayerUpdate) -> Factors | None:
    left, values, right = decompose(update.factors)
    median = values.median()
    kept = values >= settings.remove_below * median
    cut = values if settings.cut_above is None else values.clamp(max=settings.cut_above * float(median))
    if bool(kept.all()) and bool((cut == values).all()):
        return None
    return compose(left[:, kept], cut[kept], right[kept])


REPAIR = Repair(SpectralSettings, _repaired)
