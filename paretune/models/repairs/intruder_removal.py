"""Intruders scaled down: leading singular vectors of the tuned weight that resemble none of the base's (Shuttleworth et
al., "LoRA vs full fine-tuning: an illusion of equivalence", arXiv 2410.21228), to which forgetting was traced there.

A left singular vector of W + dW is an intruder where its cosine with every left singular vector of W is below a
threshold. Its share of W + dW is scaled, and the update is what then differs from W, without rounding to the former
rank. The defaults are those of PEFT's `reduce_intruder_dimension`, whose `mitigation_lambda` is `intruder_scale`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paretune.models.repairs.update import Factors, LayerUpdate
from paretune.repairs import Repair

if TYPE_CHECKING:
    import torch

_VANISHING = 1e-6  # of the largest singular value: directions below it are none of the weight's


@dataclass(frozen=True, slots=True)
class IntruderSettings:
    """similarity: cosine below which a vector is an intruder; leading_vectors: how many are looked at; intruder_scale:
    what is left of an intruder's singular value, 0 removes it."""

    similarity: float = field(default=0.5, metadata={"above": 0.0, "maximum": 1.0})
    leading_vectors: int = field(default=10, metadata={"minimum": 1})
    intruder_scale: float = field(default=0.75, metadata={"minimum": 0.0, "maximum": 1.0})


def _repaired(settings: IntruderSettings, update: LayerUpdate) -> Factors | None:
    import torch

    base = update.weight().to(update.factors.up.device).double()
    up, down = update.factors.up.double(), update.factors.down.double()
    tuned = base + up @ down
    leading = left_vectors(tuned)[:, : settings.leading_vectors]
    cosines = (leading.T @ left_vectors(base)).abs().max(dim=1).values
    intruders = leading[:, cosines < settings.similarity]
    if not intruders.shape[1] or settings.intruder_scale == 1.0:
        return None
    further_up, further_down = (settings.intruder_scale - 1) * intruders, intruders.T @ tuned
    return Factors(torch.cat([up, further_up], dim=1).float(), torch.cat([down, further_down]).float())


def left_vectors(matrix: torch.Tensor) -> torch.Tensor:
    """The left singular vectors, largest singular value first; (rows, up to min(rows, columns)), in float64.

    By the eigenvectors of the smaller Gram matrix, which takes a fraction of the time of a whole decomposition. Its
    squared condition number harms only directions that float64 cannot tell from 0, which are dropped.
    """
    import torch

    rows, columns = matrix.shape
    if rows <= columns:
        return torch.linalg.eigh(matrix @ matrix.T).eigenvectors.flip(1)
    values, right = torch.linalg.eigh(matrix.T @ matrix)
    lengths = values.clamp(min=0).sqrt().flip(0)
    kept = lengths > _VANISHING * lengths[0]
    left: torch.Tensor = (matrix @ right.flip(1)[:, kept]) / lengths[kept]
    return left


REPAIR = Repair(IntruderSettings, _repaired)
