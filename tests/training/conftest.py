from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny_training import train


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one uninterrupted training; read it, do not change it."""
    folder = tmp_path_factory.mktemp("whole") / "run-1"
    train(folder)
    return folder
