"""Supervised fine-tuning: the mean negative log-likelihood of the answers' tokens. The usual objective."""

from __future__ import annotations

from paretune.objectives import Objective

OBJECTIVE = Objective()
