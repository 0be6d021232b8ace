"""The promised names: what docs/python.md shows runs, and using them leaves the process as it was."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import paretune as pt
from paretune.errors import DataError, EmptySample, StatisticsError
from tests.simulated_run import variants, write_run
from tests.tiny_experiment import tiny_experiment
from tests.tiny_models import save_tiny_model

pytestmark = pytest.mark.usefixtures("undrawn")

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENT = tiny_experiment(
    "tried",
    "questions = 4\ntrain_rows = 4\nmax_new_tokens = 4",
    """
batch_size = 2
[[variant]]
name = "run-1"
""",
)
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the blocks name: demo.toml, runs/demo and databases/shop."""
    folder = tmp_path_factory.mktemp("python")
    save_tiny_model(folder / "model")
    (folder / "demo.toml").write_text(EXPERIMENT, encoding="utf-8")
    write_run(folder / "runs" / "demo", variants(3))
    (folder / "databases" / "shop").mkdir(parents=True)
    with sqlite3.connect(folder / "databases" / "shop" / "shop.sqlite") as connection:
        connection.executescript("CREATE TABLE item(name TEXT, price REAL); INSERT INTO item VALUES('a', 1), ('b', 2)")
    return folder


def test_every_block_of_the_documentation_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PARETUNE_CACHE", str(folder / "cache"))
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), names)
    printed = capsys.readouterr().out
    assert len(BLOCKS) == 9
    assert (folder / "runs" / "tried" / "report" / "index.html").is_file()
    assert "wrong" in printed
    assert "7" in printed.splitlines()[-1]


def test_using_the_library_changes_nothing_in_the_process(folder: Path) -> None:
    script = f"""
import csv, logging, os
before = dict(os.environ), csv.field_size_limit(), logging.getLogger("sqlglot").level
import paretune as pt
run = pt.Run({str(folder / "runs" / "demo")!r})
run.comparison(), run.tables(), pt.audit(run), pt.power(2, 0.1), pt.compare([True, False], [True, True])
pt.score_sql([{{"db_id": "shop", "gold": "SELECT 1", "sql": "SELEC"}}], {str(folder / "databases")!r})
assert before == (dict(os.environ), csv.field_size_limit(), logging.getLogger("sqlglot").level)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_package_loads_no_other_module_of_it() -> None:
    script = "import sys, paretune; print([name for name in sys.modules if name.startswith('paretune.')])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        pt.nothing  # noqa: B018


def test_compare_by_id_is_compare_in_order() -> None:
    first, second = {"a": True, "b": False, "c": True}, {"c": True, "a": False, "b": True}
    assert pt.compare(first, second) == pt.compare([True, False, True], [False, True, True])


def test_compare_refuses_other_questions_and_strange_answers() -> None:
    with pytest.raises(DataError, match="1 questions have one answer only, for example 'b'"):
        pt.compare({"a": True}, {"a": True, "b": False})
    with pytest.raises(DataError, match="found 2"):
        pt.compare([True, 2], [True, False])  # type: ignore[list-item]  # what a caller without types may do
    with pytest.raises((EmptySample, StatisticsError)):
        pt.compare([], [])


def test_score_sql_names_what_is_missing(folder: Path) -> None:
    with pytest.raises(DataError, match="prediction 0: expected a text under 'gold'"):
        pt.score_sql([{"db_id": "shop", "sql": "SELECT 1"}], folder / "databases")


def test_run_in_a_notebook_is_its_page(folder: Path) -> None:
    assert pt.Run(folder / "runs" / "demo")._repr_html_().startswith("<iframe srcdoc=")


def test_page_is_written_where_asked(folder: Path, tmp_path: Path) -> None:
    page = pt.Run(folder / "runs" / "demo").page(tmp_path / "page", lang="pt-BR")
    assert page == tmp_path / "page" / "index.html"
    assert page.stat().st_size > 10_000
