"""TensorBoard: event files in a folder per run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretune.config import TrackingConfig


class TensorBoard:
    """Event files below FOLDER/EXPERIMENT/RUN, for `tensorboard --logdir FOLDER`."""

    def __init__(self, config: TrackingConfig, experiment: str, folder: Path) -> None:
        self._folder = folder / experiment
        self._writers: dict[str, Any] = {}

    def start(self, run: str, settings: Mapping[str, str]) -> None:
        """The settings as text."""
        lines = "\n".join(f"    {key} = {value}" for key, value in settings.items())
        self._writer(run).add_text("settings", lines)

    def log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        """One scalar per figure."""
        for name, value in figures.items():
            self._writer(run).add_scalar(name, value, step)

    def close(self) -> None:
        """Flush the files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, run: str) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        if run not in self._writers:
            self._writers[run] = SummaryWriter(str(self._folder / run))
        return self._writers[run]
