"""Weights & Biases: offline files, or a server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretune.config import TrackingConfig
from paretune.errors import ConfigError


class Wandb:
    """Runs of a project, in a group per experiment. Without a server they are files that `wandb sync` can send; with
    one, its key is WANDB_API_KEY in the environment. Neither code nor facts of the machine are recorded."""

    def __init__(self, config: TrackingConfig, experiment: str, folder: Path) -> None:
        if config.server is not None and not os.environ.get("WANDB_API_KEY"):
            raise ConfigError("[tracking] wandb with a server needs WANDB_API_KEY in the environment")
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        folder.mkdir(parents=True, exist_ok=True)
        self._config, self._experiment, self._folder = config, experiment, folder
        self._runs: dict[str, Any] = {}

    def start(self, run: str, settings: Mapping[str, str]) -> None:
        """The settings as the run's config."""
        self._run(run).config.update(dict(settings), allow_val_change=True)

    def log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        """A row of figures with its step: W&B's own step may never go back, as trainings that are resumed do."""
        self._run(run).log({**figures, "step": step})

    def close(self) -> None:
        """Write and end the runs."""
        for run in self._runs.values():
            run.finish()

    def _run(self, run: str) -> Any:
        import wandb

        if run not in self._runs:
            config, name = self._config, f"{self._experiment}/{run}"
            settings = wandb.Settings(
                silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True,
                x_disable_machine_info=True, x_save_requirements=False,
                **({} if config.server is None else {"base_url": config.server}),
            )  # fmt: skip
            self._runs[run] = wandb.init(
                project=config.project, group=self._experiment, name=name, dir=str(self._folder),
                id=hashlib.sha256(name.encode()).hexdigest()[:16], resume="allow", reinit="create_new",
                mode="offline" if config.server is None else "online", settings=settings,
            )  # fmt: skip
            self._runs[run].define_metric("*", step_metric="step")
        return self._runs[run]
