"""The page in a real browser: silence in the console, no request, filters, languages, themes, keys, paper."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.demo.build import demo_directory
from paretune.report.page import write_page
from paretune.run.load import Run, load_run
from paretune.text import Voice
from tests.report.chromium import Browser
from tests.report.conftest import fresh
from tests.simulated_run import variants, write_run
from tests.undrawn import draw_nothing

ROWS = "document.querySelectorAll('#results tbody tr').length"
FOUND = "document.querySelector('.found').textContent"
ROWS_DRAWN = """(() => {
  const seen = new MutationObserver(() => {}), filter = document.getElementById('filter-flip');
  seen.observe(document.getElementById('explorer-body'), { childList: true, subtree: true });
  filter.value = 'lost';
  filter.dispatchEvent(new Event('change'));
  const added = seen.takeRecords().flatMap((record) => [...record.addedNodes]).filter((node) => node.nodeType === 1);
  return added.reduce((rows, node) => rows + node.querySelectorAll('tbody tr').length, 0);
})()"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_run(tmp_path_factory.mktemp("runs") / "demo", variants(6)))


@pytest.fixture(scope="module")
def page(run: Run) -> Path:
    comparison = compare_run(run, replicates=500)
    databases = demo_directory() / "spider" / "database"
    findings = audit_run(load_run(run.path))
    return write_page(run, comparison, findings, run.path / "report", Voice("en"), target_data=databases)


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    """The page, fresh, with an empty memory and a wide light window."""
    return fresh(browser, page)


def _choose(browser: Browser, name: str, value: str) -> None:
    browser.run(
        f"(() => {{ const s = document.getElementById('filter-{name}'); s.value = {value!r};"
        " s.dispatchEvent(new Event('change')); })()"
    )


def test_page_opened_console_silent_and_nothing_requested(opened: Browser, page: Path) -> None:
    opened.run("document.getElementById('axis-choice').click()")
    opened.wait_for("document.getElementById('filter-suite') !== null")
    opened.run("document.querySelector('.open').click()")
    assert opened.errors == []
    elsewhere = [url for url in opened.requests if url not in (page.as_uri(), "about:blank", "data:,")]
    assert elsewhere == []


def test_policy_script_that_fetches_is_stopped(opened: Browser) -> None:
    # The page's own event, not the console: the console is told whenever the browser finds the time.
    directive = opened.run("""new Promise((done) => {
      document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective), { once: true });
      fetch('https://example.org/').then(() => done('answered'), () => {});
    })""")
    assert directive == "connect-src"


def test_explorer_filters_counts_are_the_records(opened: Browser, run: Run) -> None:
    baseline, tuned = run.variant("baseline").verdicts, run.variant("run-1").verdicts
    lost = sum(a.outcome == "correct" != b.outcome for a, b in zip(baseline, tuned, strict=True))
    gained = sum(b.outcome == "correct" != a.outcome for a, b in zip(baseline, tuned, strict=True))
    _choose(opened, "variant", "run-1")
    _choose(opened, "flip", "lost")
    assert opened.run(FOUND) == f"{lost} of {len(tuned)} questions"
    _choose(opened, "flip", "gained")
    assert opened.run(FOUND) == f"{gained} of {len(tuned)} questions"
    _choose(opened, "flip", "")
    _choose(opened, "outcome", "invalid_sql")
    assert opened.run(FOUND).startswith(f"{sum(line.outcome == 'invalid_sql' for line in tuned)} of ")
    _choose(opened, "outcome", "")
    _choose(opened, "level", "hard")
    _choose(opened, "group", run.questions[0].cluster)
    wanted = [q for q in run.questions if q.level == "hard" and q.cluster == run.questions[0].cluster]
    assert opened.run(FOUND).startswith(f"{len(wanted)} of ")


def test_explorer_error_class_and_text_narrow_the_list(opened: Browser, run: Run) -> None:
    _choose(opened, "variant", "run-2")
    _choose(opened, "error", "wrong_join_key")
    wanted = sum(line.error_class == "wrong_join_key" for line in run.variant("run-2").verdicts)
    assert opened.run(FOUND).startswith(f"{wanted} of ")
    opened.run("document.getElementById('clear').click()")
    opened.wait_for(f"{FOUND}.startsWith('{len(run.questions)} of')")
    opened.run("document.getElementById('filter-text').focus()")
    opened.ask("Input.insertText", text="HOW MANY READERS")
    wanted = sum("how many readers" in question.question.lower() for question in run.questions)
    assert wanted > 0
    opened.wait_for(f"{FOUND}.startsWith('{wanted} of ')")
    opened.ask("Input.insertText", text=" no such words")
    opened.wait_for("document.getElementById('results').textContent === 'No question fits these filters.'")


def test_figure_in_table_leads_to_the_questions_it_counts(opened: Browser) -> None:
    links = opened.run(
        "[...document.querySelectorAll('.view:not([hidden]) a[href^=\"#explorer?\"]')]"
        ".map((a, at) => [at, a.textContent]).filter(([, text]) => /^\\d+(:|$)/.test(text))"
    )
    assert len(links) > 30
    for at, text in links[:: max(1, len(links) // 12)]:
        opened.run(f"document.querySelectorAll('.view:not([hidden]) a[href^=\"#explorer?\"]')[{at}].click()")
        count = text.partition(":")[0]
        opened.wait_for(f"{FOUND}.startsWith('{count} of ')")


def test_accuracy_in_a_table_leads_to_its_right_answers(opened: Browser, run: Run) -> None:
    """Every percentage of the main tables: as many questions are shown as make it up."""
    figures = opened.run(
        "[...document.querySelectorAll('.view:not([hidden]) td a[href*=\"outcome=correct\"]')]"
        ".map((a, at) => [at, a.textContent, a.hash])"
    )
    assert len(figures) > 6 * 4
    totals = {level: sum(q.level == level for q in run.questions) for level in ("easy", "medium", "hard", "extra")}
    checked = 0
    for at, text, place in figures:
        filters = dict(parse_qsl(place.partition("?")[2]))
        if filters["axis"] != "sql" or "[" not in text:
            continue
        opened.run(f"document.querySelectorAll('.view:not([hidden]) td a[href*=\"outcome=correct\"]')[{at}].click()")
        total = totals[filters["level"]] if "level" in filters else len(run.questions)
        share = float(text.split(" ")[0])
        count = next(n for n in range(total + 1) if abs(100 * n / total - share) <= 0.0501)
        opened.wait_for(f"{FOUND} === '{count} of {len(run.questions)} questions'")
        checked += 1
    assert checked >= 6 * 4


@pytest.mark.parametrize(("width", "kind"), [(1400, "wide"), (400, "narrow")])
def test_plots_are_drawn_for_the_width_of_the_window(opened: Browser, width: int, kind: str) -> None:
    opened.resize(width)
    shown = (
        "[...document.querySelectorAll('.view:not([hidden]) .tradeoff svg')].filter(s => s.checkVisibility())"
        ".map(s => s.closest('.wide, .narrow').className)"
    )
    assert opened.run(shown) == [kind]


def test_keyboard_opens_steps_and_closes_a_question(opened: Browser) -> None:
    opened.run("document.querySelectorAll('.open')[1].focus()")
    asked = opened.run("document.activeElement.textContent")
    opened.press("Enter")
    opened.wait_for("document.getElementById('question').open")
    assert opened.run("document.querySelector('#question .asked').textContent") == asked
    assert opened.run("document.getElementById('question').contains(document.activeElement)")
    opened.press("ArrowRight")
    assert opened.run("document.querySelector('#question .asked').textContent") == opened.run(
        "document.querySelectorAll('.open')[2].textContent"
    )
    opened.press("Escape")
    opened.wait_for("!document.getElementById('question').open")
    opened.wait_for("document.activeElement === document.querySelectorAll('.open')[2]")


def test_question_shows_answers_difference_and_prompt(opened: Browser, run: Run) -> None:
    at = next(n for n, line in enumerate(run.variant("run-1").verdicts) if line.outcome == "invalid_sql")
    line = run.variant("run-1").verdicts[at]
    asked, english, portuguese = run.questions[at].question, line.explanation, run.task.explain(line, Voice("pt-BR"))
    opened.run(f"document.getElementById('results') && explorer.show({{axis: 'sql', text: {asked!r}}})")
    opened.wait_for(f"{ROWS} > 0 && {ROWS} < 20")
    titles = "[...document.querySelectorAll('#results .about')].map(e => e.textContent)"
    place = [title.split(" · ")[0] for title in opened.run(titles)].index(str(line.id))
    opened.run(f"document.querySelectorAll('.open')[{place}].click()")
    named = "[...s.querySelectorAll('.who')].some(w => w.textContent === 'run-1')"
    section = f"[...document.querySelectorAll('#question .answer')].find(s => {named})"
    assert opened.run(f"{section}.querySelector('.reason').textContent") == f"to fix: {english}"
    opened.run("setLanguage('pt-BR')")
    opened.wait_for("document.querySelector('#question .reason').textContent.startsWith('para corrigir: ')")
    assert opened.run(f"{section}.querySelector('.reason').textContent") == f"para corrigir: {portuguese}"
    assert portuguese != english
    opened.run("setLanguage('en')")
    opened.wait_for("document.querySelector('#question .reason').textContent.startsWith('to fix: ')")
    added = opened.run(f"[...{section}.querySelectorAll('ins')].map(e => e.textContent).join(' ')")
    assert "no_such_column" in added
    removed = opened.run(f"{section}.querySelectorAll('del').length")
    assert removed > 0
    returned = "document.querySelectorAll('#question .reference .result tbody td').length"
    assert opened.run(returned) > 0
    prompt = "[...document.querySelectorAll('#question details')].at(-1).querySelector('pre').textContent"
    assert opened.run(prompt) == run.questions[at].prompt


@pytest.mark.parametrize(
    ("reference", "answer", "marks"),
    [
        ("SELECT name FROM singer", "select  name\nfrom singer", []),
        ("SELECT 'Ann'", "SELECT 'ann'", [["removed", "'Ann'"], ["added", "'ann'"]]),
        ("SELECT a, b FROM t", "SELECT a FROM t", [["removed", ","], ["removed", "b"]]),
        ("", "SELECT 1", [["added", "SELECT"], ["added", "1"]]),
    ],
)  # fmt: skip
def test_differences_marks_only_what_differs(
    opened: Browser, reference: str, answer: str, marks: list[list[str]]
) -> None:
    found = opened.run(f"differences({reference!r}, {answer!r})")
    assert [pair for pair in found if pair[0] != "same"] == marks
    kept = [word for kind, word in found if kind != "removed"]
    assert "".join(kept) == "".join(answer.split())


def test_language_switch_changes_every_part_and_is_remembered(opened: Browser, page: Path) -> None:
    opened.run("document.querySelector('[data-set-language=\"pt-BR\"]').click()")
    opened.wait_for("document.getElementById('explorer-title').textContent === 'Todas as questões e respostas'")
    shown = opened.run("[...document.querySelectorAll('.view')].filter(v => v.offsetHeight > 0).map(v => v.lang)")
    assert shown == ["pt-BR"]
    assert opened.run("document.documentElement.lang") == "pt-BR"
    opened.wait_for(f"/ de \\d+ questões$/.test({FOUND})")
    opened.open(page)
    assert opened.run("document.documentElement.lang") == "pt-BR"
    opened.run("localStorage.clear()")


def test_theme_follows_the_system_until_chosen(opened: Browser) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('.view:not([hidden]) .tradeoff text')).fill"
    light, words = opened.run(paper), opened.run(ink)
    opened.prefer("dark")
    dark = opened.run(paper)
    assert dark != light
    assert opened.run(ink) != words
    opened.run("document.getElementById('theme').click()")
    assert opened.run(paper) == light
    opened.run("localStorage.clear()")


@pytest.mark.parametrize("width", [1400, 400])
def test_page_is_never_wider_than_the_window(opened: Browser, width: int) -> None:
    opened.resize(width)
    opened.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert opened.run("document.documentElement.scrollWidth") <= width
    opened.run("document.querySelector('.open').click()")
    assert opened.run("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name(opened: Browser) -> None:
    opened.run("document.getElementById('axis-choice').click()")
    opened.wait_for("document.getElementById('filter-suite') !== null")
    nodes = opened.ask("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "combobox", "searchbox", "region", "table", "image", "navigation", "dialog", "img"}
    controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
    assert len(controls) > 100
    nameless = [node["role"] for node in controls if not str(node.get("name", {}).get("value", "")).strip()]
    assert nameless == []
    landmarks = {node["role"]["value"] for node in nodes if not node["ignored"]}
    assert {"main", "banner", "navigation"} <= landmarks


def test_page_prints_figures_without_explorer(opened: Browser) -> None:
    opened.prefer("dark")
    printed = opened.pdf()
    assert printed.startswith(b"%PDF-")
    assert 3 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 14
    opened.ask("Emulation.setEmulatedMedia", media="print")
    assert not opened.run("document.getElementById('explorer').checkVisibility()")
    assert opened.run("document.querySelector('.view:not([hidden]) .tradeoff .wide').checkVisibility()")
    opened.resize(700)  # A4 within its margins
    assert opened.run("document.documentElement.scrollWidth") <= 700
    opened.ask("Emulation.setEmulatedMedia", media="")


def test_spider_size_shows_one_page_of_questions_at_a_time(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1034 questions and 14042 of three variants: whatever the filter, no more than fifty rows are ever drawn."""
    draw_nothing(monkeypatch)
    folder = write_run(tmp_path / "run", variants(3), size="spider")
    records = load_run(folder)
    page = write_page(records, compare_run(records, replicates=100), [], folder / "report", Voice("pt-BR"))
    browser.open(page)
    assert browser.run(ROWS) == 50
    assert 0 < browser.run(ROWS_DRAWN) <= 50
    browser.run("document.getElementById('axis-choice').click()")
    browser.wait_for("document.getElementById('filter-suite') !== null")
    assert 0 < browser.run(ROWS_DRAWN) <= 50
    assert browser.run(ROWS) == 50
