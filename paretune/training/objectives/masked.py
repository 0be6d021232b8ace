"""Selective token masking (Wu et al. 2025, arXiv 2501.14315): tokens that the base model finds unlikely get no loss.

The paper masks answer tokens whose perplexity under the base model, 1 / probability, is above 2.5: a probability below
0.4. The probabilities are computed once, before the first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from paretune.objectives import Objective


@dataclass(frozen=True, slots=True)
class MaskedSettings:
    """least_probability: of a token under the base model, for it to be learnt."""

    least_probability: float = field(default=0.4, metadata={"above": 0.0, "maximum": 1.0})


def _learns(settings: MaskedSettings, probabilities: Sequence[float]) -> list[bool]:
    return [probability >= settings.least_probability for probability in probabilities]


OBJECTIVE = Objective(MaskedSettings, learns=_learns)
