"""Answers from a model that transformers runs in this process."""

from paretune.engines.hf.generate import TransformersEngine

__all__ = ["TransformersEngine"]
