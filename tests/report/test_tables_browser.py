"""Tables of the page in a real browser: sorted by their heads, and carried away by their buttons."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from tests.report.chromium import LIMIT_SECONDS, Browser
from tests.report.conftest import fresh

VIEW = "document.querySelector('.view:not([hidden])')"
GENERAL = f"[...{VIEW}.querySelectorAll('table')].find(t => t.querySelector('tr.change'))"
ROWS = f"[...{GENERAL}.tBodies[0].rows].map(r => [...r.cells].map(c => c.textContent.trim()))"
CARRIED = f"{GENERAL}.parentElement.previousElementSibling.querySelector"


@pytest.fixture
def opened(browser: Browser, allowing: Path) -> Browser:
    """A page of three variants, in a window that has the keyboard and the clipboard."""
    browser.ask("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.ask("Emulation.setFocusEmulationEnabled", enabled=True)
    return fresh(browser, allowing)


def _head(browser: Browser, at: int) -> str | None:
    """Click the head of a column; returns how the column is sorted then."""
    head = f"{GENERAL}.tHead.rows[0].cells[{at}]"
    sorted_by: str | None = browser.run(f"({head}.querySelector('button').click(), {head}.getAttribute('aria-sort'))")
    return sorted_by


def _copied(browser: Browser, button: str) -> str:
    """What a button puts on the clipboard."""
    browser.run("navigator.clipboard.writeText('nothing')")
    browser.run(f"{button}.click()")
    browser.wait_for(f"{button}.textContent === 'Copied'")
    return str(browser.run("navigator.clipboard.readText()"))


def test_head_clicked_sorts_by_figures_the_largest_first_then_the_smallest(opened: Browser) -> None:
    before = opened.run(ROWS)
    assert _head(opened, 1) == "descending"
    rows = opened.run(ROWS)
    figures = [float(row[1].split()[0]) for row in rows if row[0] != "change"]
    assert figures == sorted(figures, reverse=True)
    assert _head(opened, 1) == "ascending"
    again = [float(row[1].split()[0]) for row in opened.run(ROWS) if row[0] != "change"]
    assert again == figures[::-1]
    assert again != figures
    assert sorted(opened.run(ROWS)) == sorted(before)


def test_head_clicked_keeps_each_change_under_its_variant(opened: Browser) -> None:
    def below(rows: list[list[str]]) -> dict[str, list[str]]:
        return {rows[at - 1][0]: row for at, row in enumerate(rows) if row[0] == "change"}

    before = below(opened.run(ROWS))
    assert len(before) == 2
    for at in (2, 0, 0):
        _head(opened, at)
        assert below(opened.run(ROWS)) == before


def test_head_of_words_clicked_sorts_by_letters_and_frees_the_other_head(opened: Browser) -> None:
    _head(opened, 1)
    assert _head(opened, 0) == "ascending"
    names = [row[0] for row in opened.run(ROWS) if row[0] != "change"]
    assert names == sorted(names)
    assert opened.run(f"{GENERAL}.querySelectorAll('[aria-sort]').length") == 1


def test_head_in_portuguese_sorts_figures_with_a_comma(opened: Browser) -> None:
    opened.run("setLanguage('pt-BR')")
    assert _head(opened, 1) == "descending"
    figures = [float(row[1].split()[0].replace(",", ".")) for row in opened.run(ROWS) if row[0] != "variação"]
    assert len(figures) == 3
    assert figures == sorted(figures, reverse=True)
    opened.run("localStorage.clear()")


def test_copy_as_markdown_gives_the_table_as_it_is_sorted(opened: Browser) -> None:
    _head(opened, 1)
    lines = _copied(opened, f"{CARRIED}('[data-carry=markdown]')").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert rows[0] == opened.run(f"[...{GENERAL}.tHead.rows[0].cells].map(c => c.textContent)")
    assert set("".join(rows[1])) == {":", "-"}
    assert [[" ".join(cell.split()) for cell in row] for row in rows[2:]] == [
        [" ".join(cell.split()) for cell in row] for row in opened.run(ROWS)
    ]


def test_csv_button_saves_the_table(opened: Browser, tmp_path: Path) -> None:
    opened.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    opened.run(f"{CARRIED}('[data-carry=csv]').click()")
    ends = time.monotonic() + LIMIT_SECONDS
    while not (saved := [path for path in tmp_path.glob("*.csv") if path.stat().st_size]):
        assert time.monotonic() < ends
        time.sleep(0.05)
    rows = list(csv.reader(io.StringIO(saved[0].read_bytes().decode(), newline="")))
    assert [[" ".join(cell.split()) for cell in row] for row in rows[1:]] == [
        [" ".join(cell.split()) for cell in row] for row in opened.run(ROWS)
    ]


def test_copy_card_gives_the_model_card_of_the_pick(opened: Browser) -> None:
    card = json.loads(opened.run("document.getElementById('settings').textContent"))["cards"]["en"]
    assert _copied(opened, f"{VIEW}.querySelector('.copy-card')") == card
    assert "run-2" in card


def test_copy_in_a_question_gives_the_answer_as_it_was_written(opened: Browser) -> None:
    opened.run("document.querySelector('.open').click()")
    button = "document.querySelector('#question .answer:not(.reference) .copy')"
    shown = "document.querySelector('#question .answer:not(.reference) pre code')"
    wanted = opened.run(f"(c => {{ c = c.cloneNode(true); c.querySelectorAll('del').forEach(d => d.remove());"
                        f" return c.textContent; }})({shown})")  # fmt: skip
    assert " ".join(_copied(opened, button).split()) == " ".join(wanted.split())
    assert wanted.startswith("SELECT")
