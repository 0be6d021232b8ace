"""The embedded benchmark, built once for all tests that read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretune.data.demo.build import build_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A freshly built benchmark, alone in its parent folder; read it, do not change it."""
    return build_demo(tmp_path_factory.mktemp("cache") / "demo")
