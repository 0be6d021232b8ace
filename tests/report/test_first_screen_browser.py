"""The first screen in a real browser: the budget moves line, recommendation and row, the plot points at the table, and
paper is light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import BUDGETS, Comparison
from paretune.report.page.parts import typeset
from paretune.report.verdict import verdict_text
from paretune.run.load import load_run
from paretune.text import Voice
from tests.report.chromium import Browser
from tests.report.conftest import fresh

VIEW = "document.querySelector('.view:not([hidden])')"
HEADLINE = f"{VIEW}.querySelector('h1').textContent"
LINE = f"Number({VIEW}.querySelector('.tradeoff .wide .allowed').getAttribute('y1'))"
PICKED = f"[...{VIEW}.querySelectorAll('.variants .picked[data-unit] th a')].map(a => a.textContent)"
MARKED = f"{VIEW}.querySelectorAll('.tradeoff .wide .point.picked').length"


def allow(browser: Browser, at: int) -> None:
    browser.run(
        f"(() => {{ const s = {VIEW}.querySelector('.slider input'); s.value = {at};"
        " s.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )


@pytest.fixture(scope="module")
def by_budget(allowing: Path) -> list[Comparison]:
    """What `paretune compare` says with each budget of the slider."""
    records = load_run(allowing.parents[1])
    return [compare_run(records, replicates=20, budget_points=budget) for budget in BUDGETS]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_budget_moved_says_what_compare_with_that_budget_says(
    browser: Browser, allowing: Path, by_budget: list[Comparison], language: str
) -> None:
    fresh(browser, allowing)
    browser.run(f"setLanguage({language!r})")
    lines, picks = [], []
    for at, comparison in enumerate(by_budget):
        allow(browser, at)
        assert browser.run(HEADLINE) == typeset(verdict_text(comparison, Voice(language)).headline)
        pick = [comparison.verdict.pick.unit.name] if comparison.verdict.pick else []
        assert browser.run(PICKED) == pick
        assert browser.run(MARKED) == len(pick)
        lines.append(browser.run(LINE))
        picks += pick
    assert len(set(picks)) == 2
    assert lines == sorted(lines)
    assert lines[0] < lines[1] < lines[2]
    assert browser.errors == []
    browser.run("localStorage.clear()")


def test_allowing_more_by_the_button_picks_what_it_promises(browser: Browser, allowing: Path) -> None:
    fresh(browser, allowing)
    assert browser.run(PICKED) == ["run-2"]
    stated = browser.run(HEADLINE)
    asked = browser.run(f"{VIEW}.querySelector('.why').textContent")
    assert "Why not run-1?" in asked
    browser.run(f"{VIEW}.querySelector('[data-allow]').click()")
    assert browser.run(PICKED) == ["run-1"]
    assert "paretune compare --budget" in browser.run(f"{VIEW}.querySelector('.explored').textContent")
    browser.run(f"{VIEW}.querySelector('.as-stated').click()")
    assert browser.run(HEADLINE) == stated
    assert browser.run(f"{VIEW}.querySelector('.explored').textContent") == ""


def test_pointing_at_the_plot_marks_the_row_and_says_the_figures(browser: Browser, allowing: Path) -> None:
    fresh(browser, allowing)
    place: dict[str, Any] = browser.run(
        f"(b => ({{x: b.x + b.width / 2, y: b.y + b.height / 2}}))"
        f"({VIEW}.querySelector('.tradeoff .wide .point[data-unit=u0] .marker').getBoundingClientRect())"
    )
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", **place)
    browser.wait_for("document.querySelector('.told') !== null")
    told = browser.run("document.querySelector('.told').textContent")
    assert told.startswith("run-1: gain +")
    assert told.count("[") == 2
    assert browser.run(f"{VIEW}.querySelector('.variants tr.near th').textContent").strip().startswith("run-1")
    browser.ask("Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, **place)
    browser.ask("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **place)
    browser.wait_for("document.getElementById('filter-flip').value === 'changed'")
    assert browser.run("document.getElementById('filter-variant').value") == "run-1"


def test_page_printed_from_dark_is_dark_on_white(browser: Browser, allowing: Path) -> None:
    fresh(browser, allowing, scheme="dark")
    for theme, scheme in (("dark", "dark"), ("dark", "light"), (None, "dark")):
        browser.run(f"document.documentElement.dataset.theme = {theme!r}" if theme else "delete root.dataset.theme")
        browser.ask(
            "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        shown = browser.run(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
            f" getComputedStyle({VIEW}.querySelector('.tile')).color,"
            f" getComputedStyle({VIEW}.querySelector('.tradeoff text')).fill]"
        )
        assert shown[0] == "rgb(255, 255, 255)"
        assert set(shown[1:3]) == {"rgb(28, 29, 32)"}
        assert shown[3] in ("rgb(28, 29, 32)", "rgb(92, 94, 102)")
    browser.ask("Emulation.setEmulatedMedia", media="")
    browser.run("localStorage.clear()")
