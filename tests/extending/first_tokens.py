"""A training objective in one file, as another package may bring it: only the first tokens of an answer are learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from paretune.objectives import Objective


@dataclass(frozen=True, slots=True)
class FirstTokensSettings:
    """first_tokens: how many of each answer."""

    first_tokens: int = field(default=2, metadata={"minimum": 1})


def _learns(settings: FirstTokensSettings, probabilities: Sequence[float]) -> list[bool]:
    return [place < settings.first_tokens for place in range(len(probabilities))]


OBJECTIVE = Objective(FirstTokensSettings, learns=_learns)
