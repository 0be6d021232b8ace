"""The page over a folder of runs: every run with its verdict, or the reason why there is none."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from paretune.analysis.comparison import compare_run
from paretune.cli import main
from paretune.report.page.parts import typeset
from paretune.report.verdict import verdict_text
from paretune.run.load import load_run
from paretune.text import LANGUAGES, Voice
from tests.simulated_run import SimulatedVariant, variants, write_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all") / "runs"
    write_run(folder / "first & only", variants(3))
    write_run(folder / "picked", [SimulatedVariant("a<b>", 40.0, -20.0)])
    (folder / "picked" / "report").mkdir()
    (folder / "picked" / "report" / "index.html").touch()
    (write_run(folder / "unfinished", variants(2)) / "baseline" / "sql.jsonl").unlink()
    (folder / "not a run").mkdir()
    assert main(["report", str(folder), "--lang", "pt-BR"]) == 0
    return folder


@pytest.fixture(scope="module")
def page(runs: Path) -> str:
    return (runs / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_runs_page_quotes_the_verdict_of_each_run(runs: Path, page: str, language: str) -> None:
    words = html.unescape(page)
    for name in ("first & only", "picked"):
        comparison = compare_run(load_run(runs / name), seed=42)
        said = verdict_text(comparison, Voice(language))
        assert f"<p>{typeset(said.gain)}</p>" in words
        assert f"<p>{typeset(said.general)}</p>" in words
        pick = comparison.verdict.pick
        assert (pick is None) == (name != "picked")
    assert ("pick: a<b>" if language == "en" else "escolhida: a<b>") in words


def test_runs_page_links_pages_that_are_there_and_says_how_to_write_others(page: str) -> None:
    assert re.findall(r'href="([^"]*)"', page) == ["picked/report/index.html"] * len(LANGUAGES)
    assert "`paretune report first &amp; only` writes it" in page


def test_runs_page_names_the_reason_of_a_run_without_a_verdict(page: str) -> None:
    assert "No verdict: the baseline is not complete" in page
    assert "not a run" not in page


def test_runs_page_is_one_file_that_asks_for_nothing_in_the_language_named_first(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"https?:|<script|<link|<img|@import|url\(", page)
    assert page.index('id="in-pt-BR" checked') < page.index('id="in-en"')
    assert '<html lang="pt-BR">' in page


def test_report_of_a_folder_of_runs_takes_no_other_place(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(runs), "--out", str(runs / "elsewhere")]) == 2
    assert "is written there" in capsys.readouterr().err


def test_report_of_a_folder_without_runs_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "neither a run folder nor a folder of runs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
