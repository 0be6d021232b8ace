"""What paretune brings to DeepEval: `from paretune.deepeval import ExecutionAccuracy, stay_offline`."""

from paretune.integrations.deepeval import ExecutionAccuracy, stay_offline

__all__ = ["ExecutionAccuracy", "stay_offline"]
