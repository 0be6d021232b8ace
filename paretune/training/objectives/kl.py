"""Supervised fine-tuning plus the divergence from the base model, KL(base || tuned), per token.

That is the direction which forgetting was seen to follow, measured on the new task's prompts (Shenfeld et al. 2025,
RL's Razor, arXiv 2509.04259). The base is the same model with its adapters off. The mean is over all answer tokens of a
step and over the tokens of general texts that are mixed in, from which nothing else is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.objectives import Objective, TokenScores
from paretune.training.batches import NO_LABEL
from paretune.training.general import BUILT_IN, NONE, TEXTS, content_sha256, read_lines_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class KlSettings:
    """kl_weight: of the mean divergence, in nats per token. kl_texts: "built-in", "none", or a text file with one text
    per line. kl_text_share: of the training's rows, [0, 0.5]."""

    kl_weight: float = field(default=0.5, metadata={"above": 0.0})
    kl_texts: str = BUILT_IN
    kl_text_share: float = field(default=0.1, metadata={"above": 0.0, "maximum": 0.5})


def _loss(settings: KlSettings, scores: TokenScores) -> torch.Tensor:
    from torch.nn.functional import cross_entropy, kl_div, log_softmax

    assert scores.base_logits is not None
    learnt = (scores.labels >= 0).to(scores.logits.dtype)
    losses = cross_entropy(scores.logits, scores.labels.clamp(min=0), reduction="none")
    counts = (scores.labels != NO_LABEL).to(scores.logits.dtype)
    base, tuned = (log_softmax(logits, dim=-1) for logits in (scores.base_logits, scores.logits))
    divergence = kl_div(tuned, base, reduction="none", log_target=True).sum(dim=-1)
    total: torch.Tensor = (losses * learnt).sum() / scores.learnt
    return total + settings.kl_weight * (divergence * counts).sum() / scores.compared


def _texts(settings: KlSettings) -> tuple[Sequence[str], float]:
    if settings.kl_texts == NONE:
        return (), 0.0
    return read_lines_of(_file(settings), "kl_texts"), settings.kl_text_share


def _conditions(settings: KlSettings) -> Mapping[str, Any]:
    if settings.kl_texts == NONE:
        return {"kl_weight": settings.kl_weight, "kl_texts": NONE}
    return {**asdict(settings), "kl_texts": content_sha256([_file(settings)])}


def _file(settings: KlSettings) -> Path:
    return TEXTS if settings.kl_texts == BUILT_IN else Path(settings.kl_texts)


OBJECTIVE = Objective(KlSettings, loss=_loss, needs_base=True, texts=_texts, conditions=_conditions)
