"""The page of a run that came from a search, or whose adapters were dialled: the same words as the terminal's, the pick
to copy, and its place in a narrow window."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.report.dial import dial_table
from paretune.report.page import write_page
from paretune.report.page.parts import typeset
from paretune.report.page.validation import OnValidation
from paretune.report.plots import DRAWINGS
from paretune.report.plots.dial import draw_dial
from paretune.report.plots.look import new_figure
from paretune.report.plots.search import draw_search
from paretune.report.search import looks_table, search_table
from paretune.report.text_table import Table
from paretune.run.load import Run, load_run
from paretune.text import LANGUAGES, Voice
from tests.report.chromium import Browser
from tests.report.conftest import fresh
from tests.report.test_page_axe import axe, evaluated, violations
from tests.simulated_looks import DIALS, PICK, SEARCH
from tests.simulated_run import variants, write_run

__all__ = ["axe", "evaluated"]  # fixtures


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_run(tmp_path_factory.mktemp("searched") / "run", variants(3)))


@pytest.fixture(scope="module")
def page(run: Run) -> Path:
    return written(run, OnValidation(SEARCH, DIALS), run.path / "report")


def written(run: Run, looked: OnValidation, folder: Path) -> Path:
    """The page with what was looked at, without its other plots."""
    with pytest.MonkeyPatch.context() as patch:
        for name in DRAWINGS:
            patch.setitem(DRAWINGS, name, lambda *_: new_figure(False, 1, (1, 1))[0])
        comparison = compare_run(run, replicates=100)
        return write_page(run, comparison, audit_run(run), folder, Voice("en"), looked=looked)


def section(text: str, identity: str) -> str:
    """One section of the page."""
    (part,) = [part for part in text.split('<section class="part" id="') if part.startswith(f'{identity}"')]
    return part


def rows_of(part: str) -> list[list[str]]:
    """The cells of every row of its tables, heads too, in words."""
    rows = re.findall(r"<tr.*?</tr>", part, re.DOTALL)
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row,
            re.DOTALL)] for row in rows]  # fmt: skip


def written_out(table: Table) -> list[list[str]]:
    return [[typeset(cell).strip() for cell in row] for row in (table.header, *table.rows)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_search_on_the_page_is_what_the_terminal_prints(page: Path, language: str) -> None:
    voice = Voice(language)
    part = section(page.read_text(encoding="utf-8"), f"search-{language.lower()}")
    front, every = search_table(SEARCH, voice), looks_table(SEARCH, voice)
    assert rows_of(part) == [*written_out(front), *written_out(every)]
    assert html.escape(typeset(front.notes[0])) in part  # how many looks there were
    assert "trial-009: stopped by the monitor" in part
    assert voice.say("search.claim") in html.unescape(part)
    assert part.count("<svg") == 2
    folded = re.findall(r"<details class=\"folded\"><summary>(.*?)</summary>", part)
    assert folded == [every.title, voice.say("search.again")]


def test_pick_on_the_page_is_the_experiment_to_the_letter(page: Path) -> None:
    found = re.search(r"<pre>(.*?)</pre>", section(page.read_text(encoding="utf-8"), "search-en"), re.DOTALL)
    assert found is not None
    assert html.unescape(found[1]) == PICK


@pytest.mark.parametrize("language", LANGUAGES)
def test_dial_on_the_page_is_what_the_terminal_prints(page: Path, run: Run, language: str) -> None:
    voice = Voice(language)
    part = section(page.read_text(encoding="utf-8"), f"dial-{language.lower()}")
    tables = [dial_table(dial, run.facets, voice) for dial in DIALS]
    assert rows_of(part) == [row for table in tables for row in written_out(table)]
    picked = re.findall(r'<tr class="picked">\s*<th scope="row">(.*?)</th>', part)
    assert picked == [dial.pick.name for dial in DIALS if dial.pick is not None]
    assert part.count("<svg") == 4


def test_page_without_looks_has_no_such_section(run: Run, tmp_path: Path) -> None:
    text = written(run, OnValidation(), tmp_path).read_text(encoding="utf-8")
    assert 'id="search-en"' not in text
    assert 'id="dial-en"' not in text


def test_dial_is_drawn_with_what_was_interpolated_apart(run: Run) -> None:
    figure = draw_dial(DIALS[0], run.facets, Voice("en"))
    drawn = {line.get_marker(): line for line in figure.axes[0].get_lines() if line.get_linestyle() != "None"}
    assert drawn["o"].get_markersize() < 4
    assert np.asarray(drawn["o"].get_xdata()).size == 16  # 0.05, 0.1, ... but for the four measured
    (legend,) = figure.legends
    said = {text.get_text() for text in legend.get_texts()}
    assert said == {"finished adapter", "after 200 steps", "the pick", "interpolated, not measured"}


def test_dial_of_one_scale_is_drawn_by_step(run: Run) -> None:
    figure = draw_dial(DIALS[1], run.facets, Voice("pt-BR"), dark=True, narrow=True)
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["100", "200", "adaptador final"]


def test_search_is_drawn_with_every_look_and_a_ring_for_what_was_judged() -> None:
    figure = draw_search(SEARCH, Voice("en"))
    lines = figure.axes[0].get_lines()
    every = next(line for line in lines if line.get_markersize() == 4 and line.get_linestyle() == "None")
    ring = next(line for line in lines if line.get_markerfacecolor() == "none" and line.get_markersize() == 11)
    assert [list(map(float, place)) for place in np.asarray(every.get_xydata())] == [
        [pair[0].estimate, pair[1].estimate] for pair in map(SEARCH.intervals, SEARCH.rows)
    ]
    assert np.asarray(ring.get_xydata()).tolist() == [[25.0, -3.0]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_looks_have_no_violation_and_fit_the_window(
    evaluated: Browser, page: Path, axe: str, width: int, scheme: str
) -> None:
    fresh(evaluated, page, width=width, scheme=scheme)
    evaluated.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert [*violations(evaluated, axe, "#search-en"), *violations(evaluated, axe, "#dial-en")] == []
    assert evaluated.run("document.documentElement.scrollWidth") <= width
    assert evaluated.errors == []


def test_pick_copied_is_the_experiment_to_the_letter(browser: Browser, page: Path) -> None:
    fresh(browser, page)
    browser.run("document.querySelector('#search-en .facts details').open = true")
    browser.run("navigator.clipboard.writeText = (text) => { window.kept = text; return Promise.resolve(); }")
    browser.run("document.querySelector('#search-en .copy-plain').click()")
    browser.wait_for("window.kept !== undefined")
    assert browser.run("window.kept") == PICK
    browser.wait_for("document.querySelector('#search-en .copy-plain').textContent === 'Copied'")
