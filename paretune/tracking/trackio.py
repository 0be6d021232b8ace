"""Trackio: a SQLite file, a server, or a Space of the Hugging Face Hub."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from paretune.config import TrackingConfig


class Trackio:
    """Runs of a project. server: an address, or OWNER/SPACE with the Hub's key HF_TOKEN in the environment."""

    def __init__(self, config: TrackingConfig, experiment: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["TRACKIO_DIR"] = str(folder.resolve())  # read when the package is imported
        self._config, self._experiment = config, experiment
        self._runs: dict[str, Any] = {}

    def start(self, run: str, settings: Mapping[str, str]) -> None:
        """The settings as the run's config; those of a run that goes on are there already."""
        if run not in self._runs:
            self._open(run, settings)

    def log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        """A row of figures."""
        if run not in self._runs:
            self._open(run, {})
        self._runs[run].log(dict(figures), step=step)

    def close(self) -> None:
        """Wait until all is written."""
        with redirect_stdout(io.StringIO()):
            for run in self._runs.values():
                run.finish()

    def _open(self, run: str, settings: Mapping[str, str]) -> None:
        import trackio

        server = self._config.server
        place = {} if server is None else {"server_url" if "://" in server else "space_id": server}
        with redirect_stdout(io.StringIO()):  # it tells how to look at them; standard output is for tables
            self._runs[run] = trackio.init(
                project=self._config.project, group=self._experiment, name=f"{self._experiment}/{run}",
                config=dict(settings), resume="allow", embed=False, auto_log_cpu=False, auto_log_gpu=False, **place,
            )  # fmt: skip
