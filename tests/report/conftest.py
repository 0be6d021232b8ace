"""One browser for all tests of the page, and pages to open in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.report.page import write_page
from paretune.run.load import load_run
from paretune.text import Voice
from tests.report.chromium import Browser, find_chromium
from tests.simulated_run import SimulatedVariant, write_run
from tests.undrawn import draw_nothing

LONG = tuple(
    f"qwen2.5-7b-lora-r{rank}-lr{rate}-epochs3-cosine-{at:02d}"
    for at, (rank, rate) in enumerate(
        (rank, rate) for rank in (64, 32, 16) for rate in ("2e-4", "1e-4", "5e-5", "1e-5")
    )
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no chromium here; apt-get install chromium")
    started = Browser(program, tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of twelve variants, eleven of them with names as trainings often have them. Its plots are left out."""
    planted = [SimulatedVariant(name, gain=20.0 - at, loss=at / 2) for at, name in enumerate(LONG[:11])]
    return written(write_run(tmp_path_factory.mktemp("long") / "run", planted))


@pytest.fixture(scope="session")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two variants of which the better one is the pick only with a larger budget than the stated one."""
    planted = [
        SimulatedVariant("run-1", gain=25.0, loss=1.5, churn=0.02),
        SimulatedVariant("run-2", gain=12.0, loss=0.0, churn=0.02),
    ]
    return written(write_run(tmp_path_factory.mktemp("allowing") / "run", planted, size="spider"))


def written(folder: Path) -> Path:
    """The page of a run, in English, without the plots that take long to draw."""
    records = load_run(folder)
    comparison = compare_run(records, replicates=100)
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        return write_page(records, comparison, audit_run(load_run(folder)), folder / "report", Voice("en"))


def fresh(browser: Browser, page: Path, place: str = "", *, width: int = 1400, scheme: str = "light") -> Browser:
    """The page as somebody sees it who was never there before."""
    browser.resize(width)
    browser.prefer(scheme)
    browser.open(page)
    browser.run("localStorage.clear()")
    browser.errors.clear()
    browser.requests.clear()
    browser.ask("Page.navigate", url="about:blank")
    browser.open(page, place)
    return browser
