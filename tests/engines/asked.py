"""The engine of transformers over a model that is in memory, and multiple choice asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paretune.engines.base import Host
from paretune.engines.choices import answer_choices
from paretune.engines.hf.engine import HfEngine, TransformersSettings
from paretune.models.load import LoadedModel, ModelHandle
from paretune.models.source import ModelSource
from paretune.records import ChoicePrompt


def engine_of(
    model: Any, tokenizer: Any, *, fast: bool = True, batch_size: int = 16, token_budget: int | None = None,
    context_tokens: int = 2048,
) -> HfEngine:  # fmt: skip
    source = ModelSource(Path("tiny"), "weights", ("tiny",))
    loaded = LoadedModel(model, tokenizer, source, "float32", "none", context_tokens)
    host = Host(ModelHandle.of(loaded), batch_size=batch_size, token_budget=token_budget)
    return HfEngine(TransformersSettings(fast), host)


def score_choices(
    model: Any, tokenizer: Any, prompts: Sequence[ChoicePrompt], *, token_budget: int | None = None, fast: bool = True,
    **asked: Any,
) -> None:  # fmt: skip
    """`answer_choices` with an engine made for it."""
    answer_choices(engine_of(model, tokenizer, token_budget=token_budget, fast=fast), prompts, **asked)
