"""Dynamic Fine-Tuning (Wu et al. 2025, arXiv 2508.05629): each token's loss times the token's own probability.

The factor carries no gradient. It undoes the 1 / probability in the gradient of the negative log-likelihood, which
makes unlikely tokens pull hardest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paretune.objectives import NoSettings, Objective, TokenScores

if TYPE_CHECKING:
    import torch


def _loss(settings: NoSettings, scores: TokenScores) -> torch.Tensor:
    from torch.nn.functional import cross_entropy

    losses = cross_entropy(scores.logits, scores.labels.clamp(min=0), reduction="none")
    learnt = (scores.labels >= 0).to(losses.dtype)
    total: torch.Tensor = ((-losses.detach()).exp() * losses * learnt).sum() / scores.learnt
    return total


OBJECTIVE = Objective(NoSettings, loss=_loss)
