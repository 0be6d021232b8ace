"""MLflow: a SQLite file, or a tracking server."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretune.config import TrackingConfig

_TAG = "paretune.run"


class MLflow:
    """Runs of an experiment named by project. A server's user and password are MLFLOW_TRACKING_USERNAME and
    MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in the environment."""

    def __init__(self, config: TrackingConfig, experiment: str, folder: Path) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.tracking import MlflowClient

        self._experiment, self._ids = experiment, dict[str, str]()
        if config.server is None:
            folder.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(tracking_uri=config.server or f"sqlite:///{folder.resolve()}/mlflow.db")
        there = self._client.get_experiment_by_name(config.project)
        self._project = self._client.create_experiment(config.project) if there is None else there.experiment_id

    def start(self, run: str, settings: Mapping[str, str]) -> None:
        """The settings as tags: parameters could not be written twice."""
        for key, value in settings.items():
            self._client.set_tag(self._id(run), key, value)

    def log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        """One metric per figure."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, step) for name, value in figures.items()]
        self._client.log_batch(self._id(run), metrics=metrics)

    def close(self) -> None:
        """Mark the runs as ended."""
        for identity in self._ids.values():
            self._client.set_terminated(identity)

    def _id(self, run: str) -> str:
        if run not in self._ids:
            name = f"{self._experiment}/{run}"
            wanted = name.replace("'", "")
            found: list[Any] = self._client.search_runs([self._project], f"tags.`{_TAG}` = '{wanted}'", max_results=1)
            made = found[0] if found else self._client.create_run(self._project, run_name=name, tags={_TAG: wanted})
            self._ids[run] = str(made.info.run_id)
        return self._ids[run]
