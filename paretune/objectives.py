"""Training objectives: what a training minimises, by the name that stands under `objective`.

Those of paretune are one file each in training/objectives/. Those of other packages are entry points of the group
`paretune.objectives`, each an `Objective`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from paretune.plugins import Kind, Kinds

if TYPE_CHECKING:
    import torch

DEFAULT_OBJECTIVE = "sft"


@dataclass(frozen=True, slots=True)
class NoSettings:
    """An objective without keys of its own."""


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What an objective sees of a part of a step, one place per token that is learnt or compared with the base.

    logits: (n_places, vocabulary), float32. labels: (n_places,), the token to learn; below 0 where none is learnt:
    NO_LABEL where the place does not count at all, COMPARED where only the base matters (training/batches.py).
    base_logits: as logits, by the base model without adapter; None unless asked for. learnt, compared: how many places
    of the whole step have a token to learn, and how many count; at least 1.
    """

    logits: torch.Tensor
    labels: torch.Tensor
    base_logits: torch.Tensor | None
    learnt: torch.Tensor | int
    compared: torch.Tensor | int


@dataclass(frozen=True, slots=True)
class Objective(Kind):
    """What a training minimises.

    settings: a frozen dataclass of the objective's own keys in [training], checked by its annotations and bounds.
    loss: from these and the scores of a part of a step to the part's share of the loss, so that the parts of a step add
    up to it; None: the mean negative log-likelihood of the tokens to learn. needs_base: the loss looks at base_logits,
    so it is not for methods that move the base.
    learns: from the settings and the probabilities of an answer's tokens under the base model to which of them are
    learnt; None: all.
    texts: from the settings to general texts, and the share of rows that they make up: their tokens are compared with
    the base and not learnt. Raises TrainingError where they cannot be read.
    conditions: what decides the training, for its fingerprint; the settings' values unless one of them names a file.
    """

    settings: type[Any] = NoSettings
    loss: Callable[[Any, TokenScores], torch.Tensor] | None = None
    needs_base: bool = False
    learns: Callable[[Any, Sequence[float]], Sequence[bool]] | None = None
    texts: Callable[[Any], tuple[Sequence[str], float]] | None = None
    conditions: Callable[[Any], Mapping[str, Any]] = asdict


_ROOM = "paretune.training.objectives"
OBJECTIVES: Kinds[Objective] = Kinds(
    "objective",
    {
        "sft": f"{_ROOM}.sft:OBJECTIVE",
        "dft": f"{_ROOM}.dft:OBJECTIVE",
        "masked": f"{_ROOM}.masked:OBJECTIVE",
        "kl": f"{_ROOM}.kl:OBJECTIVE",
    },
)
find_objective = OBJECTIVES.find
