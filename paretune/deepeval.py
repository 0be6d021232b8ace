"""What paretune brings to DeepEval: `from paretune.deepeval import ExecutionAccuracy`."""

from paretune.integrations.deepeval import ExecutionAccuracy

__all__ = ["ExecutionAccuracy"]
