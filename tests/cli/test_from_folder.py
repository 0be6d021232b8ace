"""compare and report with nothing but a run folder, as one that was made elsewhere."""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

import pytest

from paretune.cli import run as command
from paretune.errors import ConfigError
from paretune.run.jsonl import read_lines, write_lines
from paretune.run.load import load_run
from tests.simulated_run import change_manifest, variants, write_run

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", variants(3), size="demo", seed=3)


def run(stage: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run_stage(stage, parser.parse_args(words))


def comparisons(folder: Path) -> list[dict[str, str]]:
    with open(folder / "tables" / "comparisons.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_compare_folder_alone_writes_tables(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", str(folder), "--lang", "pt-BR") == 0
    out = capsys.readouterr().out
    assert "Acurácia de execução em %" in out
    assert "VEREDITO" in out
    assert out.splitlines()[-1].startswith("página: ainda não escrita")
    assert {row["margin_points"] for row in comparisons(folder) if row["axis"] == "general"} == {"1"}
    assert not (folder / "report").exists()


def test_compare_folder_stated_margin_and_pairs_are_used(folder: Path) -> None:
    run("compare", str(folder), "--margin", "40", "--every-pair")
    found = comparisons(folder)
    assert {row["margin_points"] for row in found if row["primary"] == "true" and row["axis"] == "general"} == {"40"}
    assert "margin: 1 -> 40" in (folder / "tables" / "pick.csv").read_text(encoding="utf-8")
    assert ("run-1", "run-2") in {(row["first"], row["second"]) for row in found}


def test_report_folder_alone_writes_the_page_with_results_of_queries(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", str(folder), "--budget", "3") == 0
    page = folder / "report" / "index.html"
    assert capsys.readouterr().out.splitlines()[-1] == f"page: {page.resolve()}"
    assert "Changed after the fact: budget 1 → 3." in page.read_text(encoding="utf-8")
    assert (folder / "report" / "tradeoff.png").exists()


@pytest.mark.parametrize(
    ("stage", "words", "named"),
    [
        ("train", (), "train needs the experiment file"),
        ("report", ("--set", "name=x"), "--set"),
        ("compare", ("--margin", "0"), "--margin 0.0"),
        ("compare", ("--margin", "inf"), "--margin inf: expected points above 0, at most 100"),
        ("compare", ("--budget", "-1"), "--budget -1.0"),
        ("report", ("--databases", "/none"), "--databases /none: no such folder"),
        ("compare", ("--databases", "."), "compare shows no query results"),
    ],
)
def test_folder_with_what_it_cannot_obey_is_refused(
    folder: Path, stage: str, words: tuple[str, ...], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        run(stage, str(folder), *words)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run on a disk that says it cannot be written (to root, permissions say nothing)."""
    original = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and original(path, mode))
    return folder


def test_compare_read_only_folder_prints_and_writes_nothing(
    read_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(read_only)
    assert run("compare", str(read_only)) == 0
    printed = capsys.readouterr()
    assert "Execution accuracy in percent" in printed.out
    assert f"paretune compare {read_only} --out DIR" in printed.err
    assert contents(read_only) == before


def test_report_read_only_folder_asks_where_to_write(read_only: Path) -> None:
    before = contents(read_only)
    with pytest.raises(ConfigError, match=f"paretune report {read_only} --out DIR writes them elsewhere"):
        run("report", str(read_only))
    assert contents(read_only) == before


def test_report_out_of_a_folder_receives_tables_and_page(
    read_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = contents(read_only), tmp_path / "elsewhere"
    assert run("report", str(read_only), "--out", str(out)) == 0
    page = (out / "report" / "index.html").resolve()
    assert capsys.readouterr().out.splitlines()[-1] == f"page: {page}"
    assert comparisons(out)
    assert (out / "report" / "index.html").is_file()
    assert contents(read_only) == before


def test_compare_own_data_in_spiders_layout_are_not_called_spider(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "run", variants(2), size="spider")
    config = load_run(folder).config
    change_manifest(folder, config={**config, "target": {**config["target"], "path": "data/shop"}})
    assert run("compare", str(folder)) == 0
    printed = capsys.readouterr().out
    assert ": shop, " in printed
    assert ": spider, " not in printed


def test_compare_run_trained_on_its_test_questions_says_so_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    header, questions = read_lines(folder / "prepared" / "sql.jsonl")
    _, rows = read_lines(folder / "prepared" / "train.jsonl")
    leaked = [{**row, **{key: asked[key] for key in ("db_id", "question", "gold", "prompt")}}
              for row, asked in zip(rows, questions, strict=False)]  # fmt: skip
    write_lines(folder / "prepared" / "train.jsonl", header, leaked)
    assert run("compare", str(folder)) == 0
    end = capsys.readouterr().out.partition("VERDICT")[2]
    assert "INVALID: " in end
    assert "Audit: 0 invalid" not in end
