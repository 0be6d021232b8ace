"""Tables on the console and on disk: aligned, within 100 columns, the same figures everywhere."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.report.screen import Screen
from paretune.report.tables import print_tables, target_table, write_tables
from paretune.report.text_table import Table, as_latex, as_markdown, as_text, escape_latex
from paretune.run.jsonl import read_lines, write_lines
from paretune.run.load import load_run
from paretune.text import LANGUAGES, Voice
from tests.simulated_run import SimulatedVariant, variants, write_run


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare_run(load_run(write_run(tmp_path_factory.mktemp("run") / "run", variants(12))), replicates=200)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("language", LANGUAGES)
def test_print_tables_fit_100_columns(compared: Comparison, language: str) -> None:
    printed = print_tables(compared, Voice(language))
    assert max(len(line) for line in printed.splitlines()) <= 100
    for variant in compared.variants:
        assert re.search(rf"^{re.escape(variant.name)} ", printed, flags=re.MULTILINE)


def test_print_tables_quote_every_figure_with_its_interval(compared: Comparison) -> None:
    printed = print_tables(compared, Voice("en"))
    row = compared.variants[1].leading
    assert f"{row.estimate:.1f} [{row.low:.1f}, {row.high:.1f}]" in printed
    change = compared.difference("run-1", "general")
    assert change is not None
    assert f"{change.interval.estimate:+.1f} [{change.interval.low:+.1f}, {change.interval.high:+.1f}]" in printed
    for heading in ("STEM", "Humanities", "Social sciences", "all questions", "chance 25.0 %"):
        assert heading in printed


def test_print_tables_portuguese_has_decimal_commas_and_no_english(compared: Comparison) -> None:
    printed = print_tables(compared, Voice("pt-BR"))
    assert "acurácia de execução" in printed
    assert not re.search(r"\d\.\d", re.sub(r"@[\d.]+", "", printed))
    for word in ("accuracy", "change", "shown", "points", "questions"):
        assert word not in printed


def test_tables_without_questions_known_to_be_wrong_stand_beside(tmp_path: Path) -> None:
    folder, wrong = write_run(tmp_path / "run", variants(2)), {3, 4, 50}
    accuracies = {}
    for variant in ("baseline", "run-1"):
        path = folder / variant / "sql.jsonl"
        header, lines = read_lines(path)
        write_lines(path, header, [{**line, "known_wrong": line["index"] in wrong} for line in lines])
        kept = [line["execution_match"] for line in lines if line["index"] not in wrong]
        assert len(kept) == len(lines) - 3
        accuracies[variant] = 100 * sum(kept) / len(kept)
    comparison = compare_run(load_run(folder), replicates=100)
    write_tables(comparison, tmp_path / "tables", Voice("en"))
    rows = [row for row in rows_of(tmp_path / "tables" / "by_hardness.csv") if row["group"].startswith("without")]
    assert {row["variant"]: float(row["accuracy_percent"]) for row in rows} == pytest.approx(accuracies, rel=1e-5)
    assert {row["group"] for row in rows} == {"without questions known to be wrong"}
    write_tables(comparison, tmp_path / "tabelas", Voice("pt-BR"))
    heading = (tmp_path / "tabelas" / "by_hardness.md").read_text(encoding="utf-8")
    assert "| sem questões sabidamente erradas |" in heading


def test_print_tables_name_incomplete_variants(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(3))
    (folder / "run-2" / "sql.jsonl").unlink()
    printed = print_tables(compare_run(load_run(folder), replicates=100), Voice("en"))
    assert "Planned but without complete answers: run-2; they still count in the family." in printed
    assert "One seed" in printed


def test_print_tables_baseline_alone_prints(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    (folder / "run-1" / "sql.jsonl").unlink()
    printed = print_tables(compare_run(load_run(folder), replicates=100), Voice("pt-BR"))
    assert "baseline" in printed


def test_write_tables_csv_holds_the_figures_of_the_comparison(compared: Comparison, tmp_path: Path) -> None:
    written = write_tables(compared, tmp_path, Voice("pt-BR"))
    assert {path.suffix for path in written} == {".csv", ".md", ".tex"}
    rows = rows_of(tmp_path / "execution_accuracy.csv")
    assert [row["variant"] for row in rows] == [variant.name for variant in compared.variants]
    for row, variant in zip(rows, compared.variants, strict=True):
        assert float(row["execution_accuracy_percent"]) == pytest.approx(variant.leading.estimate)
        assert float(row["execution_accuracy_low_percent"]) == pytest.approx(variant.leading.low)
    assert rows[0]["change_points"] == ""
    assert {row["variant"]: row["finding"] for row in rows}["run-2"] == "gain shown"
    general = rows_of(tmp_path / "general_accuracy.csv")
    assert {row["average"] for row in general} == {"micro", "macro", "category"}
    assert {row["suite"] for row in general} == {"demo", "demo-pt"}


def test_write_tables_flips_agree_with_the_comparisons(compared: Comparison, tmp_path: Path) -> None:
    write_tables(compared, tmp_path, Voice("en"))
    flips = rows_of(tmp_path / "flips.csv")
    for row in rows_of(tmp_path / "comparisons.csv"):
        key = ("benchmark", "method", "first", "second")
        mine = [flip for flip in flips if all(flip[name] == row[name] for name in key)]
        assert sum(flip["flip"] == "gained" for flip in mine) == int(row["gained_questions"])
        assert sum(flip["flip"] == "lost" for flip in mine) == int(row["lost_questions"])
        points = 100 * (int(row["gained_questions"]) - int(row["lost_questions"])) / int(row["questions"])
        assert float(row["difference_points"]) == pytest.approx(points)


def test_write_tables_units_are_in_the_headers(compared: Comparison, tmp_path: Path) -> None:
    write_tables(compared, tmp_path, Voice("pt-BR"))
    for path in tmp_path.glob("*.csv"):
        for column in rows_of(path)[0]:
            assert re.fullmatch(r"[a-z_]+", column), f"{path.name}: {column}"
            if column.startswith(("gain", "change", "loss", "accuracy", "share", "retention")):
                assert column.endswith(("_points", "_percent", "_method", "_reason", "_questions", "_share")), (
                    f"{path.name}: {column}"
                )


def test_summary_has_both_axes_and_the_decision_of_every_variant_in_one_row(
    compared: Comparison, tmp_path: Path
) -> None:
    write_tables(compared, tmp_path, Voice("en"))
    rows = {row["variant"]: row for row in rows_of(tmp_path / "summary.csv")}
    assert list(rows)[: len(compared.variants)] == [row.name for row in compared.variants]
    reasons = {item.unit.name: item.reason or "pick" for item in compared.verdict.units}
    for variant in compared.variants[1:]:
        row = rows[variant.name]
        target, general = (compared.difference(variant.name, axis) for axis in ("target", "general"))
        assert target is not None
        assert general is not None
        assert float(row["execution_accuracy_change_low_points"]) == pytest.approx(target.interval.low)
        assert float(row["demo_cloze_accuracy_change_points"]) == pytest.approx(general.interval.estimate)
        assert float(row["demo_cloze_accuracy_p_family"]) == pytest.approx(general.claim.family_p)
        assert row["decision"] == reasons.get(variant.name, "")
    assert rows["baseline"]["decision"] == ("" if compared.verdict.pick else "pick")
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    for claim in (item.unit.leading for item in compared.verdict.units):
        assert Voice("en").interval(claim.interval, signed=True) in text


def test_summary_of_a_recipe_has_its_claim_and_no_accuracy(tmp_path: Path) -> None:
    planted = [SimulatedVariant(f"a-{seed}", gain=20, seed=seed, peak_learning_rate=2e-4) for seed in (1, 2)]
    comparison = compare_run(load_run(write_run(tmp_path / "run", planted)), replicates=100)
    write_tables(comparison, tmp_path / "tables", Voice("en"))
    (recipe,) = comparison.units
    rows = {row["variant"]: row for row in rows_of(tmp_path / "tables" / "summary.csv")}
    assert rows["a-1"]["decision"] == rows["a-2"]["decision"] == ""
    assert rows["a-1"]["execution_accuracy_finding"] == "one seed of several"
    assert rows[recipe.name]["execution_accuracy_percent"] == ""
    estimate = float(rows[recipe.name]["execution_accuracy_change_points"])
    assert estimate == pytest.approx(recipe.leading.interval.estimate)
    assert rows[recipe.name]["decision"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_write_tables_latex_is_read_by_a_strict_reader(tmp_path: Path, language: str) -> None:
    folder = write_run(tmp_path / "run", [SimulatedVariant("my_run-1", gain=10), SimulatedVariant("a&b %#~^$", gain=5)])
    comparison = compare_run(load_run(folder), replicates=100)
    write_tables(comparison, tmp_path / "tables", Voice(language))
    written = sorted((tmp_path / "tables").glob("*.tex"))
    assert len(written) == 6
    for path in written:
        rows = latex_rows(path.read_text(encoding="utf-8"))
        assert len(rows) > 2
        assert any(cells[0] == "my_run-1" for cells in rows)
        assert any(cells[0] == "a&b %#~^$" for cells in rows)
    accuracy = latex_rows((tmp_path / "tables" / "execution_accuracy.tex").read_text(encoding="utf-8"))
    shown = target_table(comparison, Voice(language))
    assert accuracy == [list(cells) for cells in (shown.header, *shown.rows)]


def test_latex_tables_compile(tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex here; apt-get install texlive-latex-recommended")
    folder = write_run(tmp_path / "run", [SimulatedVariant("my_run-1", gain=10), SimulatedVariant("a&b %#~^$", gain=5)])
    comparison = compare_run(load_run(folder), replicates=100)
    for language in LANGUAGES:
        write_tables(comparison, tmp_path / language, Voice(language))
    tables = sorted(tmp_path.glob("*/*.tex"))
    assert len(tables) == 6 * len(LANGUAGES)
    inputs = "\n".join(rf"\input{{{path}}}" for path in tables)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{booktabs,graphicx}\n"
        f"\\begin{{document}}\n{inputs}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [program, "-halt-on-error", "-interaction=nonstopmode", "paper.tex"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
    )
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log, log[log.find("Overfull") :][:500]


def latex_rows(text: str) -> list[list[str]]:
    """The cells of the one table in a file, read by rules stricter than LaTeX's: braces and environments closed in
    order, no bare special letter, mathematics only for signs, every row as wide as the column specification."""
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    fitted = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    assert text.count(fitted) == 1
    bare = re.sub(r"\\[\\&%$#_{}]", "", text.replace(fitted, "{"))
    under = text.partition(r"\end{tabular}")[2]
    assert "notes" not in text.partition(r"\begin{tabular}")[0]
    assert under.count(r"\par") >= 1
    depth = 0
    for letter in bare:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    assert re.findall(r"[%#~^_]", bare) == []
    assert set(re.findall(r"\$([^$]*)\$", bare)) <= {"-", "<", ">"}
    assert "$" not in re.sub(r"\$[-<>]\$", "", bare)
    known = {"begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "textbackslash",
             "textasciitilde", "textasciicircum", "resizebox", "ifdim", "width", "linewidth", "else", "fi", "par",
             "medskip", "footnotesize", "raggedright", "quad"}  # fmt: skip
    assert set(re.findall(r"\\([A-Za-z]+)", bare)) <= known
    found = re.search(r"\\begin\{tabular\}\{([lr]+)\}(.*)\\end\{tabular\}", text, re.DOTALL)
    assert found
    assert re.findall(r"\\(toprule|midrule|bottomrule)", found[2]) == ["toprule", "midrule", "bottomrule"]
    rows = []
    for line in re.sub(r"\\(?:top|mid|bottom)rule", "", found[2]).strip().splitlines():
        if not line.strip():
            continue
        assert line.endswith(r" \\")
        cells = re.split(r"(?<!\\)&", line.removesuffix(r" \\"))
        assert len(cells) == len(found[1])
        rows.append([_unescaped(cell.strip()) for cell in cells])
    return rows


def _unescaped(cell: str) -> str:
    for command, letter in (("textasciitilde", "~"), ("textasciicircum", "^"), ("textbackslash", "\\")):
        cell = cell.replace(rf"\{command}{{}}", letter)
    return re.sub(r"\$([-<>])\$", r"\1", re.sub(r"\\([&%$#_{}])", r"\1", cell))


def test_as_text_wide_table_is_broken_into_blocks() -> None:
    table = Table("t", ("name", *("x" * 30 for _ in range(5))), (("row", *("y" for _ in range(5))),))
    lines = as_text(table, Screen(70)).splitlines()
    assert max(map(len, lines)) <= 70
    assert sum(line.startswith("name") for line in lines) == 3


def test_as_markdown_bar_in_a_cell_is_escaped() -> None:
    text = as_markdown(Table("t", ("a", "b"), (("x|y", "1"),)))
    assert r"x\|y" in text


def test_as_markdown_words_are_left_and_numbers_right() -> None:
    table = Table("t", ("a", "b", "c"), (("x", "+1.0 [0.0, 2.0]", "gain shown"), ("y", "", "not shown")))
    assert "| :-- | --: | :-- |" in as_markdown(table)


def test_as_latex_notes_stand_under_the_table_and_indented_rows_stay_so() -> None:
    text = as_latex(Table("title", ("a", "b"), (("run-1", "1"), ("  change", "-2"))), "t")
    assert "minipage" not in text
    assert r"\quad change & $-$2 \\" in text
    noted = as_latex(Table("title", ("a", "b"), (("run-1", "1"),), ("a note", "another")), "t")
    caption, _, under = noted.partition(r"\end{tabular}")
    assert r"\caption{title}" in caption
    assert "note" not in caption
    assert "a note" in under
    assert "another" in under


def test_as_latex_negative_numbers_get_a_minus_sign() -> None:
    assert "$-$2.0" in as_latex(Table("t", ("a", "b"), (("run-1", "-2.0 [-3.0, -1.0]"),)), "t")


@given(st.text(alphabet="\\&%$#_{}~^<>-ab1 "))
def test_escape_latex_leaves_no_special_letter_bare(text: str) -> None:
    escaped = escape_latex(text)
    plain = re.sub(r"\\textbackslash\{\}|\\textasciitilde\{\}|\\textasciicircum\{\}|\\[&%$#_{}]|\$[<>-]\$", "", escaped)
    assert not re.search(r"[\\&%$#_{}~^<>]", plain)
