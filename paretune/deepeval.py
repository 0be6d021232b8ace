"""What paretune brings to DeepEval: `from paretune.deepeval import ExecutionAccuracy`."""

from paretune.scoring.deepeval_metric import ExecutionAccuracy

__all__ = ["ExecutionAccuracy"]
