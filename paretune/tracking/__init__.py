"""Trackers: programs that keep and draw figures of many trainings. Off by default, and local unless a server is named.

A key that a server wants comes from the environment, as its client reads it; an experiment file never holds one.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from paretune.config import TrackingConfig
from paretune.errors import ConfigError

# By kind: the module here, its class, and the module that must be installed.
_TRACKERS: Mapping[str, tuple[str, str, str]] = {
    "tensorboard": ("tensorboard", "TensorBoard", "tensorboard"),
    "mlflow": ("mlflow", "MLflow", "mlflow"),
    "wandb": ("wandb", "Wandb", "wandb"),
    "trackio": ("trackio", "Trackio", "trackio"),
}


class Tracker(Protocol):
    """What keeps figures. A run is named; logged again under its name, also by a later process, it goes on."""

    def start(self, run: str, settings: Mapping[str, str]) -> None:
        """Say what a run was made with."""

    def log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        """Figures of one step, by their names."""

    def close(self) -> None:
        """Write all that was logged."""


def build_tracker(config: TrackingConfig, experiment: str, folder: Path) -> Tracker:
    """The tracker that [tracking] names. folder: of its local store. Raises ConfigError where its package is missing
    or it cannot be opened."""
    module, name, package = _TRACKERS[config.kind]
    if importlib.util.find_spec(package) is None:
        raise ConfigError(f'[tracking] kind = "{config.kind}" needs a package: pip install ".[{config.kind}]"')
    kind: Any = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    try:
        tracker: Tracker = kind(config, experiment, folder)
    except ConfigError:
        raise
    except Exception as error:  # another package's code: no common error
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"[tracking] {config.kind} cannot be opened ({reason}); mend that or remove [tracking]"
                          ) from error  # fmt: skip
    return tracker
