"""Tables on the console and on disk: aligned, within 100 columns, the same figures everywhere."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.language import LANGUAGES, Language
from paretune.report.comparison import compare_run
from paretune.report.comparison_records import Comparison
from paretune.report.run_records import load_run
from paretune.report.table_text import Table, as_latex, as_markdown, as_text, escape_latex, p_value, with_interval
from paretune.report.tables import print_tables, write_tables
from paretune.stats.intervals import Interval
from tests.simulated_run import SimulatedVariant, variants, write_run


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare_run(load_run(write_run(tmp_path_factory.mktemp("run") / "run", variants(12))), replicates=200)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("language", LANGUAGES)
def test_print_tables_fit_100_columns(compared: Comparison, language: Language) -> None:
    printed = print_tables(compared, language)
    assert max(len(line) for line in printed.splitlines()) <= 100
    for variant in compared.variants:
        assert re.search(rf"^{re.escape(variant.name)} ", printed, flags=re.MULTILINE)


def test_print_tables_quote_every_figure_with_its_interval(compared: Comparison) -> None:
    printed = print_tables(compared, "en")
    row = compared.variants[1].execution
    assert f"{row.estimate:.1f} [{row.low:.1f}, {row.high:.1f}]" in printed
    change = compared.difference("run-1", "general")
    assert change is not None
    assert f"{change.interval.estimate:+.1f} [{change.interval.low:+.1f}, {change.interval.high:+.1f}]" in printed
    for heading in ("STEM", "Humanities", "Social sciences", "all questions", "chance 25.0 %"):
        assert heading in printed


def test_print_tables_portuguese_has_decimal_commas_and_no_english(compared: Comparison) -> None:
    printed = print_tables(compared, "pt-BR")
    assert "acurácia de execução" in printed
    assert not re.search(r"\d\.\d", re.sub(r"@[\d.]+", "", printed))
    for word in ("accuracy", "change", "shown", "points", "questions"):
        assert word not in printed


def test_print_tables_name_incomplete_variants(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(3))
    (folder / "run-2" / "sql.jsonl").unlink()
    printed = print_tables(compare_run(load_run(folder), replicates=100), "en")
    assert "Incomplete and left out: run-2." in printed
    assert "One seed" in printed


def test_print_tables_baseline_alone_prints(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    (folder / "run-1" / "sql.jsonl").unlink()
    printed = print_tables(compare_run(load_run(folder), replicates=100), "pt-BR")
    assert "baseline" in printed


def test_write_tables_csv_holds_the_figures_of_the_comparison(compared: Comparison, tmp_path: Path) -> None:
    written = write_tables(compared, tmp_path, "pt-BR")
    assert {path.suffix for path in written} == {".csv", ".md", ".tex"}
    rows = rows_of(tmp_path / "execution_accuracy.csv")
    assert [row["variant"] for row in rows] == [variant.name for variant in compared.variants]
    for row, variant in zip(rows, compared.variants, strict=True):
        assert float(row["execution_accuracy_percent"]) == pytest.approx(variant.execution.estimate)
        assert float(row["execution_accuracy_low_percent"]) == pytest.approx(variant.execution.low)
    assert rows[0]["change_points"] == ""
    assert rows[1]["finding"] == "gain shown"
    general = rows_of(tmp_path / "general_accuracy.csv")
    assert {row["average"] for row in general} == {"micro", "macro", "category"}
    assert {row["suite"] for row in general} == {"demo", "demo-pt"}


def test_write_tables_flips_agree_with_the_comparisons(compared: Comparison, tmp_path: Path) -> None:
    write_tables(compared, tmp_path, "en")
    flips = rows_of(tmp_path / "flips.csv")
    for row in rows_of(tmp_path / "comparisons.csv"):
        key = ("benchmark", "method", "first", "second")
        mine = [flip for flip in flips if all(flip[name] == row[name] for name in key)]
        assert sum(flip["flip"] == "gained" for flip in mine) == int(row["gained_questions"])
        assert sum(flip["flip"] == "lost" for flip in mine) == int(row["lost_questions"])
        points = 100 * (int(row["gained_questions"]) - int(row["lost_questions"])) / int(row["questions"])
        assert float(row["difference_points"]) == pytest.approx(points)


def test_write_tables_units_are_in_the_headers(compared: Comparison, tmp_path: Path) -> None:
    write_tables(compared, tmp_path, "pt-BR")
    for path in tmp_path.glob("*.csv"):
        for column in rows_of(path)[0]:
            assert re.fullmatch(r"[a-z_]+", column), f"{path.name}: {column}"
            if column.startswith(("gain", "change", "loss", "accuracy", "share", "retention")):
                assert column.endswith(("_points", "_percent", "_method", "_reason", "_questions", "_share")), (
                    f"{path.name}: {column}"
                )


def test_write_tables_latex_is_balanced_and_escaped(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [SimulatedVariant("my_run-1", gain=10)])
    write_tables(compare_run(load_run(folder), replicates=100), tmp_path / "tables", "en")
    for path in (tmp_path / "tables").glob("*.tex"):
        text = path.read_text(encoding="utf-8")
        assert r"\toprule" in text
        assert r"\bottomrule" in text
        assert text.count(r"\begin") == text.count(r"\end") == 2
        assert r"my\_run-1" in text
        body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
        widths = {line.count(" & ") for line in body.splitlines() if line.endswith(r"\\")}
        assert len(widths) == 1


def test_as_text_wide_table_is_broken_into_blocks() -> None:
    table = Table("t", ("name", *("x" * 30 for _ in range(5))), (("row", *("y" for _ in range(5))),))
    lines = as_text(table, width=70).splitlines()
    assert max(map(len, lines)) <= 70
    assert sum(line.startswith("name") for line in lines) == 3


def test_as_markdown_bar_in_a_cell_is_escaped() -> None:
    text = as_markdown(Table("t", ("a", "b"), (("x|y", "1"),)))
    assert r"x\|y" in text


def test_as_latex_negative_numbers_get_a_minus_sign() -> None:
    assert "$-$2.0" in as_latex(Table("t", ("a", "b"), (("run-1", "-2.0 [-3.0, -1.0]"),)), "t")


@given(st.text(alphabet="\\&%$#_{}~^<>-ab1 "))
def test_escape_latex_leaves_no_special_letter_bare(text: str) -> None:
    escaped = escape_latex(text)
    plain = re.sub(r"\\textbackslash\{\}|\\textasciitilde\{\}|\\textasciicircum\{\}|\\[&%$#_{}]|\$[<>-]\$", "", escaped)
    assert not re.search(r"[\\&%$#_{}~^<>]", plain)


def test_with_interval_missing_figure_is_empty() -> None:
    assert with_interval(None, "en") == ""


def test_with_interval_end_that_rounds_to_zero_has_no_sign() -> None:
    assert with_interval(Interval(1, -0.04, 2, 0.95, 9, 0, "t"), "en", signed=True) == "+1.0 [0.0, +2.0]"


def test_p_value_never_prints_zero() -> None:
    assert p_value(1e-12, "pt-BR") == "< 0,001"
    assert p_value(1.0, "en") == "1.000"
