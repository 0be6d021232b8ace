"""The explorer in a real browser: long names, links in and out, state in the address, keys, two variants, exports."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from paretune.run.load import load_run
from tests.report.chromium import LIMIT_SECONDS, Browser
from tests.report.conftest import LONG, fresh

ROWS = "document.querySelectorAll('#results tbody tr').length"
FOUND = "document.querySelector('.found').textContent"
HASH = "location.hash"
FOCUSED = "document.activeElement.textContent"
DIALOG = "document.getElementById('question').open"


def choose(browser: Browser, name: str, value: str) -> None:
    browser.run(
        f"(() => {{ const s = document.getElementById('filter-{name}'); s.value = {value!r};"
        " s.dispatchEvent(new Event('change')); })()"
    )


def filters(browser: Browser) -> dict[str, str]:
    return dict(parse_qsl(str(browser.run(HASH)).partition("?")[2]))


@pytest.mark.parametrize("width", [400, 1024, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_page_of_long_names_is_never_wider_than_the_window(
    browser: Browser, long_names: Path, width: int, scheme: str, language: str
) -> None:
    fresh(browser, long_names, width=width, scheme=scheme)
    browser.run(f"setLanguage({language!r})")
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert browser.run("document.documentElement.scrollWidth") <= width
    for axis in ("sql", "choice"):
        browser.run(f"document.getElementById('axis-{axis}').click()")
        browser.wait_for(f"document.getElementById('axis-{axis}').ariaPressed === 'true'")
        browser.run("document.querySelector('.open').click()")
        assert browser.run("document.documentElement.scrollWidth") <= width
        dialog = browser.run("(d => [d.scrollWidth, d.clientWidth])(document.getElementById('question'))")
        assert dialog[0] <= dialog[1]
        browser.run("document.getElementById('close').click()")
    assert browser.errors == []
    browser.run("localStorage.clear()")


def test_list_of_long_names_keeps_rows_low_and_questions_wide(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    heights = browser.run("[...document.querySelectorAll('#results tbody tr')].map(r => r.offsetHeight)")
    assert max(heights) <= 110
    assert browser.run("document.querySelector('#results tbody th').offsetWidth") >= 300
    heads = browser.run(
        "[...document.querySelectorAll('#results thead th')].slice(2).map(h => [h.textContent, h.title])"
    )
    assert [title for _, title in heads] == list(LONG[:11])
    assert max(len(text) for text, _ in heads) <= 14
    assert len({text for text, _ in heads}) == 11
    for text, title in heads:
        named = f"[...document.querySelectorAll('.short-names div')].some(d => d.textContent === {text + title!r})"
        assert browser.run(named)


def test_link_into_the_explorer_ends_there_with_its_rows(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names, "#explorer?axis=choice&flip=lost")
    browser.wait_for("document.getElementById('filter-suite') !== null")
    browser.wait_for("Math.abs(document.getElementById('explorer').getBoundingClientRect().top) < 40")
    assert browser.run("document.querySelector('#results tbody tr').getBoundingClientRect().top") < 900
    assert browser.run("document.getElementById('filter-flip').value") == "lost"


def test_link_to_few_questions_still_scrolls_to_the_top(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names, "#explorer?axis=sql&text=how+many+readers")
    browser.wait_for(f"{ROWS} < 10")
    browser.wait_for("Math.abs(document.getElementById('explorer').getBoundingClientRect().top) < 40")


def test_filters_set_by_hand_stand_in_the_address_and_come_back_from_it(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    choose(browser, "variant", LONG[0])
    choose(browser, "flip", "gained")
    found, place = browser.run(FOUND), str(browser.run(HASH))
    assert filters(browser) == {"axis": "sql", "variant": LONG[0], "flip": "gained"}
    fresh(browser, long_names, place)
    browser.wait_for(f"{FOUND} === {found!r}")
    assert browser.run("document.getElementById('filter-flip').value") == "gained"


def test_back_from_a_link_leaves_no_filter_of_it(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    everything = browser.run(FOUND)
    browser.run("document.querySelector('.view:not([hidden]) .variants a').click()")
    browser.wait_for(f"{FOUND} !== {everything!r}")
    browser.run("history.back()")
    browser.wait_for(f"{FOUND} === {everything!r}")


def test_axes_each_keep_their_filters_and_share_the_variants(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    choose(browser, "variant", LONG[1])
    choose(browser, "level", "hard")
    found = browser.run(FOUND)
    browser.run("document.getElementById('axis-choice').click()")
    browser.wait_for("document.getElementById('filter-suite') !== null")
    assert browser.run("document.getElementById('filter-variant').value") == LONG[1]
    browser.run("document.getElementById('axis-sql').click()")
    browser.wait_for(f"{FOUND} === {found!r}")
    assert browser.run("document.getElementById('filter-level').value") == "hard"


def test_open_question_stands_in_the_address_and_opens_from_it(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    browser.run("document.querySelectorAll('.open')[3].click()")
    asked, place = browser.run("document.querySelector('.asked').textContent"), str(browser.run(HASH))
    fresh(browser, long_names, place)
    browser.wait_for(DIALOG)
    assert browser.run("document.querySelector('.asked').textContent") == asked
    browser.press("Escape")
    browser.wait_for(f"!{DIALOG}")
    browser.wait_for("!location.hash.includes('q=')")


def test_copy_link_gives_the_whole_address(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    choose(browser, "flip", "lost")
    browser.ask("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.ask("Emulation.setFocusEmulationEnabled", enabled=True)
    browser.run("document.getElementById('copy-link').click()")
    browser.wait_for("document.getElementById('copy-link').textContent === 'Copied'")
    copied = browser.run("navigator.clipboard.readText()")
    assert copied == f"{long_names.as_uri()}#explorer?axis=sql&flip=lost"


def test_keys_step_through_questions_and_focus_stays_with_the_last_one_read(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    browser.run("document.querySelectorAll('.open')[1].focus()")
    browser.press("j")
    assert browser.run(FOCUSED) == browser.run("document.querySelectorAll('.open')[2].textContent")
    browser.press("k")
    browser.press("Enter")
    browser.wait_for(DIALOG)
    browser.press("j")
    browser.press("j")
    browser.press("ArrowLeft")
    browser.press("ArrowRight")
    last = browser.run("document.querySelectorAll('.open')[3].textContent")
    assert browser.run("document.querySelector('.asked').textContent") == last
    browser.press("Escape")
    browser.wait_for(f"!{DIALOG}")
    browser.wait_for(f"{FOCUSED} === {last!r}")


def test_focus_after_stepping_over_the_end_of_a_page_is_on_the_next_page(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    browser.run("document.querySelectorAll('.open')[49].click()")
    browser.press("j")
    asked = browser.run("document.querySelector('.asked').textContent")
    browser.press("Escape")
    browser.wait_for(f"!{DIALOG}")
    browser.wait_for(f"{FOCUSED} === {asked!r}")
    assert filters(browser)["page"] == "1"


def test_arrow_in_a_box_that_scrolls_does_not_change_the_question(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names, "#explorer?axis=choice", width=400)
    browser.wait_for("document.getElementById('filter-suite') !== null")
    browser.run("document.querySelector('.open').click()")
    asked = browser.run("document.querySelector('.asked').textContent")
    box = "document.querySelector('#question .scrolls')"
    assert browser.run(f"{box}.scrollWidth > {box}.clientWidth")
    browser.run(f"{box}.focus()")
    assert browser.run(f"document.activeElement === {box}")
    browser.press("ArrowRight")
    assert browser.run("document.querySelector('.asked').textContent") == asked
    browser.wait_for(f"{box}.scrollLeft > 0")
    browser.run("document.getElementById('close').focus()")
    browser.press("ArrowRight")
    assert browser.run("document.querySelector('.asked').textContent") != asked


def test_any_two_variants_are_compared_by_the_records(browser: Browser, long_names: Path) -> None:
    run = load_run(long_names.parents[1])
    first, second = run.variant(LONG[2]).verdicts, run.variant(LONG[5]).verdicts
    pairs = [(a.outcome == "correct", b.outcome == "correct") for a, b in zip(first, second, strict=True)]
    fresh(browser, long_names)
    choose(browser, "against", LONG[2])
    choose(browser, "variant", LONG[5])
    counted = browser.run(
        "Object.fromEntries([...document.querySelectorAll('.pair button')]"
        ".map(b => [b.dataset.flip, parseInt(b.textContent)]))"
    )
    assert counted == {"gained": pairs.count((False, True)), "lost": pairs.count((True, False)),
                       "kept": pairs.count((True, True)), "never": pairs.count((False, False))}  # fmt: skip
    browser.run("document.querySelector('.pair [data-flip=lost]').click()")
    browser.wait_for(f"{FOUND}.startsWith('{counted['lost']} of ')")
    cells = "[...document.querySelectorAll('#results tbody tr')].map(r => r.querySelectorAll('td')[6])"
    marks = f"{cells}.every(cell => cell.querySelector('.wrong.changed'))"
    assert browser.run(marks)


def saved(browser: Browser, folder: Path, identity: str) -> str:
    """What a button saves."""
    browser.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    before = set(folder.iterdir())
    browser.run(f"document.getElementById({identity!r}).click()")
    ends = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < ends:
        new = [path for path in set(folder.iterdir()) - before if path.suffix != ".crdownload"]
        if new and new[0].stat().st_size:
            return new[0].read_bytes().decode()
        time.sleep(0.05)
    raise TimeoutError(identity)


def test_export_holds_exactly_the_filtered_questions(browser: Browser, long_names: Path, tmp_path: Path) -> None:
    run = load_run(long_names.parents[1])
    fresh(browser, long_names)
    choose(browser, "variant", LONG[0])
    choose(browser, "outcome", "correct")
    wanted = [line for line in run.variant(LONG[0]).verdicts if line.outcome == "correct"]
    lines: list[dict[str, Any]] = [json.loads(line) for line in saved(browser, tmp_path, "export-jsonl").splitlines()]
    assert [line["id"] for line in lines] == [str(line.id) for line in wanted]
    assert [line["answers"][LONG[0]] for line in lines] == [
        {"outcome": "correct", "answer": line.detail["sql"]} for line in wanted
    ]
    rows = list(csv.DictReader(io.StringIO(saved(browser, tmp_path, "export-csv"), newline="")))
    questions = {str(question.id): question for question in run.questions}
    assert [row["id"] for row in rows] == [str(line.id) for line in wanted]
    assert [row["question"] for row in rows] == [questions[str(line.id)].question for line in wanted]
    assert [row[f"{LONG[0]} answer"] for row in rows] == [line.detail["sql"] for line in wanted]


def test_identical_answers_stand_together(browser: Browser, long_names: Path) -> None:
    run = load_run(long_names.parents[1])
    at = next(
        at for at in range(len(run.questions)) if sum(one.verdicts[at].outcome == "correct" for one in run.variants) > 3
    )
    fresh(browser, long_names, f"#explorer?axis=sql&q={run.questions[at].id}")
    browser.wait_for(DIALOG)
    groups = browser.run(
        "[...document.querySelectorAll('#question .answer:not(.reference)')]"
        ".map(s => [...s.querySelectorAll('.who')].map(w => w.textContent))"
    )
    assert sorted(name for group in groups for name in group) == sorted(one.name for one in run.variants)
    right = {one.name for one in run.variants if one.verdicts[at].outcome == "correct" and one.name != "baseline"}
    assert any(right <= set(group) for group in groups)  # the baseline's text has a fence around it
    assert "baseline" in groups[0]


def test_marked_sql_keeps_the_answer_as_it_was_written(browser: Browser, long_names: Path) -> None:
    fresh(browser, long_names)
    answer = "SELECT  AVG(fees),\n  name\nFROM t"
    kept = "(code => { code.querySelectorAll('del').forEach(d => d.remove()); return code.textContent; })"
    written = browser.run(f"{kept}(markedSql('SELECT avg(fee) FROM t', {json.dumps(answer)}))")
    assert " ".join(written.split()) == " ".join(answer.split())
    assert "AVG(fees),\n  name\nFROM" in written
    shown = browser.run("markedSql('SELECT avg(fee) FROM t', 'SELECT avg(fees) FROM t').textContent")
    assert shown.split() == ["SELECT", "avg(", "fee", "fees)", "FROM", "t"]
