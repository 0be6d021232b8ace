"""Every error that a user of paretune can meet, as one tree.

    ParetuneError
      ConfigError             an experiment file or a --set that cannot be obeyed
      DataError               a data file that is missing, broken or contradicts itself
      ModelError              weights, tokenizer or adapter that cannot be had or do not fit
      PromptError             a prompt that cannot be built or does not fit the context
      TrainingError           a training that must stop
      EngineError             an engine that did not answer
      ScoringError            a set-up in which no verdict can be trusted
      RunFolderError          a run folder that is in use, foreign or incomplete
      StatisticsError         a figure that the data cannot support
        EmptySample           no observations
        UndefinedFigure       a ratio or retention whose denominator is not distinguishable from zero

A message names the file or item, what was expected, and the next step.
"""


class ParetuneError(Exception):
    """Base of all errors; the command line prints its message and exits with 2."""


class ConfigError(ParetuneError):
    """An experiment file or a --set that cannot be obeyed."""


class DataError(ParetuneError):
    """A data file that is missing, broken or contradicts itself."""


class ModelError(ParetuneError):
    """Weights, a tokenizer or an adapter that cannot be had or do not fit together."""


class PromptError(ParetuneError):
    """A prompt that cannot be built or does not fit the context."""


class TrainingError(ParetuneError):
    """A training that must stop."""


class EngineError(ParetuneError):
    """An engine that did not answer."""


class ScoringError(ParetuneError):
    """A set-up in which no verdict can be trusted."""


class RunFolderError(ParetuneError):
    """A run folder that is in use, foreign or incomplete."""


class StatisticsError(ParetuneError):
    """A figure that the data cannot support."""


class EmptySample(StatisticsError):
    """No observations: there is no figure, not a figure of zero."""


class UndefinedFigure(StatisticsError):
    """A ratio whose denominator cannot be told from zero."""
