"""The page without a browser: one whole file, nothing from elsewhere, sentences that say no more than is shown."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
import types
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

import paretune.report.page.data
import paretune.text
from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.analysis.results import BUDGETS, Comparison
from paretune.demo.build import demo_directory
from paretune.findings import Finding, count_by_level
from paretune.report.card import card_text
from paretune.report.page import SCRIPTS, write_page, write_unfinished_page
from paretune.report.page.data import explorer_target
from paretune.report.page.parts import typeset
from paretune.report.page.script import script_words
from paretune.report.plots.look import READABLE_CONTRAST, _contrast
from paretune.report.tables import write_tables
from paretune.report.verdict import VerdictText, closing_text, verdict_text
from paretune.run.load import Run, load_run
from paretune.sql.explain import ErrorClass
from paretune.sql.page import result_tables
from paretune.sql.records import SqlOutcome
from paretune.text import LANGUAGES, Voice
from paretune.text.catalogue import Catalogue
from tests.simulated_questions import Size
from tests.simulated_run import SimulatedVariant, change_lines, variants, write_run
from tests.undrawn import draw_nothing

ASSETS = resources.files("paretune.report.page") / "assets"
VOID = {"meta", "link", "input", "br", "path", "use", "line", "circle", "rect", "polyline", "polygon"}


class _Page(HTMLParser):
    """Elements with their attributes, and what is left open at the end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open[-1:]):
            self.words.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_run(tmp_path_factory.mktemp("a run") / "demo", variants(4)))


@pytest.fixture(scope="module")
def comparison(run: Run) -> Comparison:
    return compare_run(run, replicates=300)


@pytest.fixture(scope="module")
def text(run: Run, comparison: Comparison) -> str:
    write_tables(comparison, run.path / "tables", Voice("en"))
    findings = audit_run(load_run(run.path))
    return write_page(run, comparison, findings, run.path / "report", Voice("en")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> _Page:
    return _Page(text)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_nothing(monkeypatch)


def test_write_page_counts_findings_as_the_terminal_does(run: Run, comparison: Comparison, page: _Page) -> None:
    findings = audit_run(load_run(run.path))
    counts = count_by_level(findings)
    assert counts["note"] > len({finding.code for finding in findings if finding.level == "note"})
    said = " ".join(page.words)
    warnings, notes = (f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in ("warning", "note"))
    assert f"{counts['invalid']} blocking problems, {warnings}, {notes}" in said
    assert notes in page.words
    closing = closing_text(comparison, findings, run.path, Voice("en"), None)
    assert f"{counts['invalid']} invalid, {warnings}, {notes};" in " ".join(closing.split())


def test_write_page_elements_closed_identities_unique(page: _Page) -> None:
    assert page.open == []
    identities = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [name for name, count in identities.items() if count > 1] == []
    for attributes in (attributes for _, attributes in page.elements):
        for name in ("aria-labelledby", "for"):
            assert attributes.get(name, "question-title") in identities | {"question-title": 1}


def test_write_page_names_nothing_elsewhere(page: _Page, text: str) -> None:
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                assert not re.match(r"(?:[a-z]+:)?//|[a-z]+:(?!,)", value), (tag, value)
    assert "@import" not in text
    assert not re.search(r"url\(\s*['\"]?(?!#)", text)
    assert [attributes for attributes in page.all("script") if "src" in attributes] == []
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_write_page_links_lead_to_files_and_places_that_exist(page: _Page, run: Run) -> None:
    identities = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    files = set()
    for attributes in page.all("a"):
        place = attributes["href"]
        if place.startswith("#"):
            assert place[1:].partition("?")[0] in identities, place
        else:
            path = (run.path / "report" / unquote(place)).resolve()
            assert path.is_file(), place
            files.add(path.relative_to(run.path.resolve()).as_posix())
    assert {f"{v.name}/{file}" for v in run.variants for file in ("sql.jsonl", "choice.jsonl")} <= files
    assert {"manifest.json", "prepared/sql.jsonl", "tables/claims.csv", "tables/claims.tex"} <= files


def test_write_page_only_one_place_leads_out_of_the_page(text: str) -> None:
    """Mailed alone, the page has dead links nowhere but where it says that they need the run folder."""
    for view in text.split('<div class="view"')[1:]:
        before, after = view.split('<section class="part" id="reproduction')
        assert 'href="../' not in before
        assert 'href="../' in after


def test_write_page_every_table_has_heads_and_a_name(page: _Page) -> None:
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    tables = page.all("table")
    assert len(tables) > 20
    assert all(attributes.get("aria-label") for attributes in tables)
    assert all(a.get("aria-label") for _, a in page.elements if a.get("role") in ("img", "region", "group"))


def test_subjects_heatmap_links_every_cell_to_its_questions(page: _Page, comparison: Comparison) -> None:
    places = {a["href"] for a in page.all("a") if "subject=" in a["href"]}
    assert len(places) == len({(row.subject, row.variant) for row in comparison.subjects})


def test_first_screen_every_budget_says_what_compare_with_it_says(
    run: Run, comparison: Comparison, text: str, tmp_path: Path
) -> None:
    settings = json.loads(re.findall(r'id="settings">(.*?)</script>', text)[0])
    points = sorted({*BUDGETS, comparison.verdict.terms.budget_points})
    for language, budgets in settings["budgets"].items():
        assert len(budgets) == len(points)
        for budget, shown in zip(points, budgets, strict=True):
            asked = compare_run(run, replicates=20, budget_points=budget)
            assert shown["headline"] == typeset(verdict_text(asked, Voice(language)).headline)
            assert shown["rows"].count(" picked") + shown["rows"].count('class="picked"') == 1
            assert ('class="base-row picked"' in shown["rows"]) == (asked.verdict.pick is None)
            assert (shown["pick"] == "") == (asked.verdict.pick is None)


def test_first_screen_names_every_suite(text: str) -> None:
    tiles = text.partition('data-part="tiles"')[2].partition('class="evidence"')[0]
    assert "the worst of 2 suites" in tiles
    for suite in ("demo", "demo-pt"):
        assert re.search(rf"\b{suite}[,:]", tiles), suite


def test_write_page_pieces_of_plots_refer_to_their_own_names(page: _Page, text: str) -> None:
    identities = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    named = {value[1:] for _, a in page.elements for name, value in a.items() if name == "xlink:href"}
    named |= set(re.findall(r"url\(#([^)]+)\)", text))
    assert named
    assert named <= identities
    assert text.count("<style") == 1


def test_write_page_same_arguments_same_bytes(run: Run, comparison: Comparison, text: str) -> None:
    again = write_page(run, comparison, audit_run(load_run(run.path)), run.path / "report", Voice("en"))
    assert again.read_text(encoding="utf-8") == text


def _unpacked(text: str, name: str) -> Any:
    found = re.search(rf'id="data-{name}">([^<]*)<', text)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def test_explorer_data_hold_every_answer(text: str, run: Run) -> None:
    sql = _unpacked(text, "sql")
    assert [q[0] for q in sql["questions"]] == [question.id for question in run.questions]
    prompts = [sql["beginnings"][q[5]] + q[6] for q in sql["questions"]]
    assert prompts == [question.prompt for question in run.questions]
    for variant, column in zip(run.variants, sql["answers"], strict=True):
        assert [(a[0], a[1], a[3]) for a in column] == [
            (v.outcome, v.error_class, v.detail["sql"]) for v in variant.verdicts
        ]
        assert [a[3] if a[4] is None else a[4].strip() for a in column] == [
            v.detail["text"].strip() for v in variant.verdicts
        ]
    choice = _unpacked(text, "choice")
    for at, variant in enumerate(run.variants):
        right = {line.id: line.correct for line in variant.choice if line.method == "cloze"}
        shown = {q[1]: bool(a[0]) for q, a in zip(choice["questions"], choice["answers"]["cloze"][at], strict=True)}
        assert shown == right


def test_result_tables_hold_what_queries_return(run: Run, tmp_path: Path) -> None:
    results = result_tables(run, demo_directory() / "spider" / "database")
    assert len(results["gold"]) == len(run.questions)
    counted = next(at for at, q in enumerate(run.questions) if q.reference == "SELECT COUNT(*) FROM readers")
    columns, count, rows = results["tables"][results["gold"][counted]]
    assert (columns, count) == (1, 1)
    assert int(rows[0][0]) > 0
    assert max(len(rows) for _, _, rows in results["tables"]) <= 20
    for variant, column in zip(run.variants, results["answers"], strict=True):
        for line, gold, found in zip(variant.verdicts, results["gold"], column, strict=True):
            assert found == gold or line.outcome is not SqlOutcome.CORRECT
    assert result_tables(run, tmp_path / "nowhere")["tables"] == []


def test_result_tables_query_that_never_returns_is_ended(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    endless = "SELECT instr(printf('%.*c',8000000,'a'), printf('%.*c',4000000,'a')||'b')"
    changed = {"sql": endless, "outcome": "wrong"}
    change_lines(folder / "run-1" / "sql.jsonl", lambda line: {**line, **changed} if line["index"] == 0 else line)
    results = result_tables(load_run(folder), demo_directory() / "spider" / "database")
    assert results["answers"][1][0] is None
    assert results["gold"][0] is not None


def test_answer_that_writes_is_called_so_and_never_other(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    changed = {"sql": "create table x (a int)", "text": "create table x (a int)", "outcome": "not_a_query",
               "error_class": "other", "error": "only reading is allowed; refused: INSERT sqlite_master"}  # fmt: skip
    path = folder / "run-1" / "sql.jsonl"
    change_lines(path, lambda line: {**line, **changed} if line["outcome"] == "invalid_sql" else line)
    records = load_run(folder)
    comparison = compare_run(records, replicates=20)
    classes = {row.error_class: row.count for row in comparison.error_classes if row.variant == "run-1"}
    assert classes["not_a_query"] > 0
    assert "other" not in classes
    data = explorer_target(records, comparison)
    wrong = next(answer for answer in data["answers"][1] if answer[0] == "not_a_query")
    assert wrong[1:3] == ["not_a_query", "The answer is a CREATE TABLE statement; only queries that read are run."]


def test_explorer_links_use_filters_and_values_that_it_knows(page: _Page, run: Run) -> None:
    script = _asset("explorer.js")
    for attributes in page.all("a"):
        if attributes["href"].startswith("#explorer?"):
            filters = {name: values[0] for name, values in parse_qs(attributes["href"].partition("?")[2]).items()}
            assert filters["axis"] in ("sql", "choice")
            assert all(re.search(rf"\b{name}\b", script) for name in filters)
            assert filters.get("variant", "run-1") in [variant.name for variant in run.variants]


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def test_script_words_cover_what_the_program_says() -> None:
    words = {language: script_words(Voice(language)) for language in LANGUAGES}
    said = set(re.findall(r'data-say="([^"]+)"', _asset("page.html")))
    for name in SCRIPTS:
        said |= set(re.findall(r'say\("((?:[^"\\]|\\.)*)"', _asset(name)))
        asked = r'(?:choice\("\w+", |button\("\w+", |step\(-?1, |turn\(-?1, |copyButton\()"([^"]+)"'
        said |= set(re.findall(asked, _asset(name)))
    said |= set(
        re.findall(r': "([a-z][a-z ]+ [a-z ]+|[a-z]+)"', _asset("explorer.js").partition("FLIP_WORDS = ")[2][:200])
    )
    assert len(said) > 30
    assert said <= set(words["en"])
    assert set(words["en"]) == set(words["pt-BR"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_outcomes_and_reasons_are_all_known(language: str) -> None:
    words = script_words(Voice(language))
    assert {f"outcome:{outcome}" for outcome in SqlOutcome} <= set(words)
    assert {f"class:{name}" for name in [*SqlOutcome, *ErrorClass]} <= set(words)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_style_colours_can_be_read(theme: str) -> None:
    blocks = re.findall(r":root[^{]*\{([^}]*--text[^}]*)\}", _asset("page.css"))
    colours = dict(re.findall(r"--(\w+): (#\w{6})", blocks[0 if theme == "light" else -1]))
    assert dict(re.findall(r"--(\w+): (#\w{6})", blocks[1])) == dict(re.findall(r"--(\w+): (#\w{6})", blocks[2]))
    for ink in ("text", "quiet", "link", "right", "wrong", "invalid", "warning", "note"):
        for paper in ("paper", "panel"):
            assert _contrast(colours[ink], colours[paper]) >= READABLE_CONTRAST, (ink, paper)
    for ink, paper in (("right", "added"), ("wrong", "removed"), ("text", "added"), ("text", "removed")):
        assert _contrast(colours[ink], colours[paper]) >= READABLE_CONTRAST, (ink, paper)


@pytest.mark.usefixtures("undrawn")
def test_write_page_hostile_text_stays_text(run: Run, comparison: Comparison, tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)><!--"
    questions = (replace(run.questions[0], question=hostile, prompt=hostile), *run.questions[1:])
    manifest = {**run.manifest, "config": {"name": hostile}, "versions": {hostile: hostile}}
    finding = Finding("note", "never-stops", {"variant": hostile, "share": 9.0, "questions": 9})
    changed = replace(run, name=hostile, questions=questions, manifest=manifest)
    text = write_page(changed, comparison, [finding], tmp_path, Voice("en")).read_text(encoding="utf-8")
    assert "<img" not in text
    assert _unpacked(text, "sql")["questions"][0][3] == hostile
    assert hostile in "".join(_Page(text).words)


def _sentences(
    tmp_path: Path, planted: Sequence[SimulatedVariant], language: str = "en", size: Size = "demo", **options: Any
) -> VerdictText:
    records = load_run(write_run(tmp_path / "run", planted, size=size))
    return verdict_text(compare_run(records, replicates=100, **options), Voice(language))


def test_verdict_gain_with_the_loss_ruled_out_is_the_pick(tmp_path: Path) -> None:
    planted = [SimulatedVariant("run-1", gain=30.0, loss=0.0, churn=0.02)]
    found = _sentences(tmp_path, planted, size="spider")
    figure = r"\+\d+\.\d \[\+\d+\.\d, \+\d+\.\d\] points"
    assert re.match(rf"Use run-1: {figure} on spider, from \d+\.\d % to \d+\.\d % correct\.", found.gain)
    assert found.general.startswith("General accuracy (mmlu): ")
    assert found.general.endswith("A loss of more than 1 point is ruled out.")


def test_verdict_gain_without_evidence_on_the_loss_keeps_the_base_model(tmp_path: Path) -> None:
    found = _sentences(tmp_path, [SimulatedVariant("run-1", gain=30.0, loss=0.0)])
    assert found.gain.startswith("Keep the base model: variants gain, but for none of them is a loss of")
    assert "The largest gain is that of run-1: +" in found.gain
    assert found.general.endswith("A loss of more than 1 point cannot be ruled out.")
    assert "the worst of 2 suites" in found.general
    assert any(line.startswith("Trained once") for line in found.basis)


def test_verdict_planted_null_is_not_claimed(tmp_path: Path) -> None:
    found = _sentences(tmp_path, [SimulatedVariant("run-1", gain=0.0, loss=0.0)])
    assert found.gain.startswith("Keep the base model: no variant is shown to gain.")
    assert re.search(r"A true gain of \d+\.\d points would be shown four times in five\.", found.gain)


def test_verdict_costly_gain_keeps_the_base_model_and_names_the_price(tmp_path: Path) -> None:
    found = _sentences(tmp_path, [SimulatedVariant("run-1", gain=30.0, loss=35.0)])
    assert found.gain.startswith("Keep the base model: every variant that gains loses more than 1 point")
    assert "points. A loss of more than 1 point is shown." in found.general


def test_verdict_changed_margin_is_said(tmp_path: Path) -> None:
    planted = [SimulatedVariant("run-1", gain=30.0, loss=0.0, churn=0.02)]
    found = _sentences(tmp_path, planted, margin_points=2.0)
    assert "Changed after the fact: margin 1 → 2." in found.basis
    assert "Changed after the fact: budget 1 → 2." in found.basis


def test_verdict_seeds_of_one_recipe_are_never_named_alone(tmp_path: Path) -> None:
    planted = [
        SimulatedVariant(f"run-{seed}", gain=gain, seed=seed, peak_learning_rate=2e-4)
        for seed, gain in ((42, 0.0), (43, 2.0), (44, 25.0))
    ]
    found = _sentences(tmp_path, planted, size="spider")
    assert found.variant == "run-42 + run-43 + run-44"
    assert found.gain.startswith("Keep the base model: no variant is shown to gain.")
    assert "is that of run-44" not in found.gain


def test_verdict_planted_null_of_several_variants_is_never_claimed(tmp_path: Path) -> None:
    for seed in range(8):
        planted = [SimulatedVariant(f"run-{n}") for n in (1, 2, 3)]
        comparison = compare_run(load_run(write_run(tmp_path / str(seed), planted, seed=seed)), replicates=100)
        found = verdict_text(comparison, Voice("en"))
        shown = any(item.finding == "gain shown" for item in comparison.differences if item.axis == "target")
        assert ("no variant is shown to gain" in found.gain) == (not shown)  # shown by luck one time in forty


@pytest.mark.usefixtures("undrawn")
def test_write_page_one_database_is_in_the_singular(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [SimulatedVariant("run-1", gain=20.0)])
    for path in (folder / "prepared" / "sql.jsonl", *folder.glob("*/sql.jsonl")):
        change_lines(path, lambda line: {**line, "db_id": "only"})
    records = load_run(folder)
    text = write_page(records, compare_run(records, replicates=100), audit_run(load_run(folder)), tmp_path, Voice("en"))
    words = " ".join(_Page(text.read_text(encoding="utf-8")).words)
    assert "in 1 database" in words
    assert "em 1 banco de dados" in words
    assert not re.search(r"(?<![\w.,@-])1 (databases|clusters|questions|bancos|grupos|questões)\b", words)


def test_verdict_baseline_alone_compares_nothing(tmp_path: Path) -> None:
    found = _sentences(tmp_path, [])
    assert found.gain.startswith("Only the base model")
    assert "nothing to compare" in found.general


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("language", LANGUAGES)
def test_write_page_baseline_alone_and_invalid_finding(tmp_path: Path, language: str) -> None:
    records = load_run(write_run(tmp_path / "run", [], size="demo"))
    finding = Finding("invalid", "never-stops", {"variant": "baseline", "share": 90.0, "questions": 9})
    path = write_page(records, compare_run(records, replicates=100), [finding], tmp_path / "report", Voice(language))
    text = path.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in text
    other = next(item for item in LANGUAGES if item != language)
    assert f'<div class="view" lang="{other}" data-language="{other}" hidden>' in text
    assert text.count('class="invalid-banner"') == len(LANGUAGES)
    assert _Page(text).open == []


@pytest.mark.usefixtures("undrawn")
def test_write_page_another_language_is_one_catalogue_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portuguese = Voice("pt-BR").catalogue
    marked = {key: f"«{Voice('en').template(key)}»" for key in portuguese.text}
    module = types.ModuleType("paretune.text.xx_yy")
    module.CATALOGUE = Catalogue("Another", "·", " | ", {}, marked)  # type: ignore[attr-defined]  # a new file
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for user in (paretune.text, paretune.report.page, paretune.report.page.data):
        monkeypatch.setattr(user, "LANGUAGES", (*LANGUAGES, "xx-YY"))
    records = load_run(write_run(tmp_path / "run", variants(2)))
    findings = audit_run(records)
    voice = paretune.text.voice_named("xx-YY")
    path = write_page(records, compare_run(records, replicates=100), findings, tmp_path / "report", voice)
    text = path.read_text(encoding="utf-8")
    buttons = [item["data-set-language"] for item in _Page(text).all("button") if "data-set-language" in item]
    assert buttons == [*LANGUAGES, "xx-YY"]
    view = text.partition('<div class="view" lang="xx-YY" data-language="xx-YY">')[2].partition('<div class="view"')[0]
    assert "«variant»" in view
    assert re.search(r"\d·\d \[[+−]?\d+·\d\s\|\s[+−]?\d+·\d\]", view)
    assert Voice("pt-BR").say("variant") not in view.replace("«variant»", "")


def _shorten(path: Path, kept: int) -> None:
    """Leave the first lines of a file, as a run that still works has them."""
    left = iter(range(kept))
    change_lines(path, lambda line: line if next(left, None) is not None else None)


@pytest.mark.usefixtures("undrawn")
def test_write_page_of_an_unfinished_run_says_what_is_missing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(4))
    _shorten(folder / "run-2" / "choice.jsonl", 7)
    records = load_run(folder)
    comparison = compare_run(records, replicates=20)
    text = write_page(records, comparison, [], folder / "report", Voice("en")).read_text(encoding="utf-8")
    words = " ".join(" ".join(_Page(text).words).split())
    assert "Not finished: 3 of 4 variants have all their answers; missing: run-2" in words
    assert f"7 of {len(records.choice_questions)}" in words
    assert "Planned but without complete answers: run-2" in words


def test_write_unfinished_page_without_a_complete_baseline_counts_what_is_there(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(3))
    _shorten(folder / "baseline" / "sql.jsonl", 9)
    records = load_run(folder)
    page = _Page(write_unfinished_page(records, folder / "report", Voice("pt-BR")).read_text(encoding="utf-8"))
    assert page.open == []
    words = " ".join(" ".join(page.words).split())
    assert words.index("Não terminado") < words.index("Not finished: the base model")
    assert f"9 of {len(records.questions)}" in words
    assert page.all("script") == []


def test_card_on_the_page_is_the_one_of_the_pick(tmp_path: Path) -> None:
    planted = [SimulatedVariant("run-1", gain=30.0, loss=0.0, churn=0.02)]
    records = load_run(write_run(tmp_path / "run", planted, size="spider"))
    comparison = compare_run(records, replicates=20)
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        text = write_page(records, comparison, [], tmp_path / "report", Voice("en")).read_text(encoding="utf-8")
    settings = json.loads(re.findall(r'id="settings">(.*?)</script>', text)[0])
    assert settings["cards"]["en"] == card_text(records, comparison, None, Voice("en"))
    assert "Copy the model card of run-1" in text
