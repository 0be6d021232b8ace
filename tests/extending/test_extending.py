"""A task of another package goes from its experiment file to tables, audit and page; the package does not know it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.run.jsonl import Record, read_lines, write_lines
from paretune.run.load import load_run
from tests.extending.installed import with_points
from tests.report.chromium import Browser, find_chromium
from tests.tiny_experiment import tiny_experiment
from tests.tiny_models import save_tiny_model

pytestmark = pytest.mark.usefixtures("undrawn")

EXPERIMENT = tiny_experiment(
    "sums",
    "questions = 40\ntrain_rows = 8\nmax_new_tokens = 2\nbatch_size = 8",
    """
batch_size = 4
rank = 2
[[variant]]
name = "run-1"
""",
    kind="sums",
)


def _offer(monkeypatch: pytest.MonkeyPatch, value: str = "tests.extending.sums:TASK") -> None:
    point = metadata.EntryPoint("sums", value, "paretune.tasks")
    monkeypatch.setattr(metadata, "entry_points", with_points(point))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny random model, with answers of a better one in the place of its own."""
    home = tmp_path_factory.mktemp("sums")
    save_tiny_model(home / "model")
    (home / "sums.toml").write_text(EXPERIMENT, encoding="utf-8")
    folder = home / "run"
    words = [str(home / "sums.toml"), "--out", str(folder)]
    with pytest.MonkeyPatch.context() as patched:
        _offer(patched)
        patched.setenv("PARETUNE_CACHE", str(home / "cache"))
        for stage in ("train", "evaluate"):
            assert main([stage, *words]) == 0
        for name, right in (("baseline", 8), ("run-1", 30)):
            _answer(folder, name, right)
        assert main(["evaluate", *words]) == 0
        for language in ("pt-BR", "en"):
            assert main(["report", *words, "--lang", language]) == 0
    return folder


def _answer(folder: Path, variant: str, right: int) -> None:
    """Right sums, then one that is too low, one too high, and texts without a number."""
    header, answers = read_lines(folder / variant / "answers.jsonl")
    references = [line["reference"] for line in read_lines(folder / "prepared" / "sums.jsonl")[1]]
    texts = [f"It is {value}" for value in references]
    texts[right:] = ["0", "9999", *["?"] * (len(texts) - right - 2)]
    lines: list[Record] = [
        {**line, "text": text, "finish": "stop"}
        for line, text in zip(sorted(answers, key=lambda line: int(line["id"][4:])), texts, strict=True)
    ]
    write_lines(folder / variant / "answers.jsonl", header, lines)
    (folder / variant / "sums.jsonl").unlink()


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch)


def test_task_of_another_package_writes_lines_of_its_own_name(run: Path) -> None:
    header, asked = read_lines(run / "prepared" / "sums.jsonl")
    assert header["kind"] == "prepared-sums"
    assert list(asked[0]) == ["id", "cluster", "question", "reference", "level", "prompt", "prompt_tokens"]
    header, verdicts = read_lines(run / "run-1" / "sums.jsonl")
    assert header["tolerance"] == 0
    assert [line["outcome"] for line in verdicts].count("correct") == 30
    assert not list(run.glob("**/sql.jsonl"))


def test_task_of_another_package_is_resumed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "run-1" / "sums.jsonl").read_bytes()
    assert main(["evaluate", str(run.parent / "sums.toml"), "--out", str(run)]) == 0
    assert "baseline: already answered" in capsys.readouterr().err
    assert (run / "run-1" / "sums.jsonl").read_bytes() == before


def test_task_of_another_package_is_compared_in_its_own_words(run: Path) -> None:
    comparison = compare_run(load_run(run), replicates=50)
    assert [row.leading.estimate for row in comparison.variants] == [20.0, 75.0]
    assert {row.group for row in comparison.levels} == {"small", "large"}
    assert {row.error_class for row in comparison.error_classes} == {"no_number", "too_low", "too_high"}
    gain = comparison.difference("run-1", "target")
    assert gain is not None
    assert (gain.benchmark, gain.interval.clusters) == ("share of right values", 8)
    json.dumps(comparison.as_dict())


def test_task_of_another_package_has_tables(run: Path) -> None:
    tables = {path.name for path in (run / "tables").iterdir()}
    assert {"share_of_right_values.csv", "share_of_right_values.md", "by_size.csv", "by_size.tex"} <= tables
    assert not {"execution_accuracy.csv", "by_hardness.csv"} & tables
    columns = (run / "tables" / "share_of_right_values.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"things", "share_of_right_values_percent"} <= set(columns)
    text = (run / "tables" / "share_of_right_values.md").read_text(encoding="utf-8")
    assert "Share of right values in percent: sums, 40 questions in 8 things" in text


def test_task_of_another_package_is_audited(run: Path) -> None:
    found = {(finding.code, finding.figures.get("variant")) for finding in audit_run(load_run(run))}
    assert {("no-answer", "baseline"), ("no-answer", "run-1"), ("groups-overlap", None)} <= found
    assert not {"no-sql", "no-schema", "databases-overlap"} & {code for code, _ in found}


def test_task_of_another_package_cut_answers_are_audited(run: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    header, lines = read_lines(copy / "run-1" / "answers.jsonl")
    write_lines(copy / "run-1" / "answers.jsonl", header, [{**line, "finish": "length"} for line in lines])
    levels = {finding.code: finding.level for finding in audit_run(load_run(copy))}
    assert levels["cut-answers"] == "invalid"


def test_task_of_another_package_has_a_page_without_sql(run: Path) -> None:
    page = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert 'id="data-sums"' in page
    assert "#explorer?axis=sums" in page
    for words in ("Share of right values in percent", "Parcela de valores certos em %", "40 questões em 8 coisas",
                  "clustered by thing", "agrupada por coisa", "baixo demais"):  # fmt: skip
        assert words in page
    shown = page[: page.index('<script type="application/octet-stream"')]
    for word in ("SQL", "database", "banco", "hardness", "execution"):
        assert word not in shown


def test_find_task_unknown_kind_names_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[target]\nkind = "sumz"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"x\.toml: target\.kind: no task 'sumz'; did you mean 'sums'"):
        load_experiment(file)


def test_find_task_that_cannot_be_loaded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch, "tests.extending.nowhere:TASK")
    file = tmp_path / "x.toml"
    file.write_text('[target]\nkind = "sums"\n', encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"paretune\.tasks: 'sums' of tests\.extending\.nowhere:TASK cannot be imported"
    ):
        load_experiment(file)


def test_target_unknown_key_of_a_task_names_its_own(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[target]\nkind = "sums"\ntolerence = 1\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"target\.tolerence: unknown key; did you mean 'tolerance'"):
        load_experiment(file)


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium here; set PARETUNE_CHROMIUM or install it")
def test_task_of_another_package_explorer_shows_its_answers(run: Path, tmp_path: Path) -> None:
    browser = Browser(str(find_chromium()), tmp_path / "profile")
    try:
        browser.open(run / "report" / "index.html")
        browser.run("explorer.show({axis: 'sums', variant: 'run-1', error: 'too_high'})")
        browser.wait_for("document.querySelectorAll('#results tbody tr').length === 1")
        browser.run("document.querySelector('.open').click()")
        shown = browser.run("document.getElementById('question').innerText")
        labels = browser.run("[...document.querySelectorAll('.filters label')].map(e => e.textContent)")
        assert browser.errors == []
    finally:
        browser.close()
    assert "too high" in shown
    assert "9999" in shown
    assert {"thing", "size"} <= set(labels)
