"""The tables that people read: on the console, and as Markdown and LaTeX beside the CSV files."""

from __future__ import annotations

from pathlib import Path

from paretune.analysis.results import Comparison, Difference, GroupRow, SuiteTable, TradeOffPoint
from paretune.report.csv import csv_files
from paretune.report.text_table import (
    Table,
    as_latex,
    as_markdown,
    as_text,
    data_word,
    p_value,
    points,
    with_interval,
)
from paretune.run.jsonl import write_text
from paretune.text.language import Language, in_number, number, translator


def print_tables(comparison: Comparison, language: Language) -> str:
    """Execution accuracy, and general accuracy by category with its change, with intervals; 100 columns wide."""
    tables = [execution_table(comparison, language)]
    tables += [general_table(comparison, suite, language) for suite in comparison.suites]
    return "\n\n\n".join(as_text(table) for table in tables) + "\n"


def write_tables(comparison: Comparison, folder: Path, language: Language) -> list[Path]:
    """Every table as CSV (English headers with units), and the main ones as Markdown and LaTeX; returns the files."""
    written: list[Path] = []
    for name, text in csv_files(comparison).items():
        written.append(_written(folder / f"{name}.csv", text))
    main = {
        "execution_accuracy": execution_table(comparison, language),
        "general_accuracy": general_table(comparison, comparison.main_table(), language),
        "by_hardness": hardness_table(comparison, language),
        "tradeoff": tradeoff_table(comparison, language),
    }
    for name, table in main.items():
        written.append(_written(folder / f"{name}.md", as_markdown(table)))
        written.append(_written(folder / f"{name}.tex", as_latex(table, name.replace("_", "-"))))
    return written


def execution_table(comparison: Comparison, language: Language) -> Table:
    """Execution accuracy of every variant, its change, and what that shows."""
    say = translator(language)
    rows: list[tuple[str, ...]] = []
    for variant in comparison.variants:
        found = comparison.difference(variant.name, "target")
        figures = (variant.name, with_interval(variant.execution, language), *_change_cells(found, language))
        rows.append(figures)
    title = say("Execution accuracy in percent: {benchmark}, {questions} questions in {databases} databases").format(
        benchmark=comparison.target_benchmark, questions=comparison.questions, databases=comparison.databases
    )
    header = _header(say("execution accuracy"), language)
    return Table(in_number(title, language), header, tuple(rows), _notes(comparison, language))


def general_table(comparison: Comparison, suite: SuiteTable, language: Language) -> Table:
    """General accuracy by category, each variant with its change in the line below."""
    say = translator(language)
    groups = list(dict.fromkeys((row.kind, row.group) for row in suite.rows if row.kind != "macro"))
    if len(groups) == 2:
        groups = groups[:1]  # a single category is all questions again
    found = {(row.variant, row.kind, row.group): row for row in suite.rows}
    rows: list[tuple[str, ...]] = []
    for variant in comparison.variants:
        cells: list[GroupRow] = [found[variant.name, kind, group] for kind, group in groups]
        rows.append((variant.name, *(with_interval(cell.accuracy, language) for cell in cells)))
        if any(cell.change for cell in cells):
            changes = tuple(with_interval(cell.change, language, signed=True) for cell in cells)
            rows.append((f"  {say('change')}", *changes))
    header = (say("variant"), *(data_word(group, language) if group else say("all questions") for _, group in groups))
    asked = next(row.accuracy.n for row in suite.rows if row.kind == "all")
    title = say("General accuracy in percent: {suite} by {method}, {questions} questions").format(
        suite=suite.suite, method=say(suite.method), questions=asked
    )
    if suite.chance is not None:
        title += say(", chance {chance} %").format(chance=number(suite.chance, language))
    notes = _general_notes(comparison, suite, language)
    if next(row.accuracy.clusters for row in suite.rows if row.kind == "all") == 0:
        few = say("Few subjects: questions count as independent, and the figures hold for these subjects.")
        notes = (few, *notes)
    return Table(in_number(title, language), header, tuple(rows), notes)


def hardness_table(comparison: Comparison, language: Language) -> Table:
    """Execution accuracy by hardness of the reference query."""
    say = translator(language)
    levels = list(dict.fromkeys(row.group for row in comparison.hardness))
    found = {(row.variant, row.group): row for row in comparison.hardness}
    rows = tuple(
        (v.name, *(with_interval(found[v.name, level].accuracy, language) for level in levels))
        for v in comparison.variants
    )
    header = (say("variant"), *(data_word(level, language) for level in levels))
    return Table(say("Execution accuracy in percent by hardness"), header, rows, (_interval_note(language),))


def tradeoff_table(comparison: Comparison, language: Language) -> Table:
    """Gain, what it cost, and whether another variant is better on both axes."""
    say = translator(language)
    header = (
        say("variant"), say("gain"), say("change in general accuracy"), say("ability kept, %"),
        say("points lost per point gained"), say("probability on the front"),
    )  # fmt: skip
    rows = tuple(_tradeoff_row(point, language) for point in comparison.tradeoff.points)
    notes = [_interval_note(language), say("Front: no other variant is as good on both axes and better on one.")]
    reasons = dict.fromkeys(
        reason for point in comparison.tradeoff.points for reason in (point.retention_reason, point.price_reason)
    )
    notes += [f"–: {say(reason)}." for reason in reasons if reason]
    area, (_, chance) = comparison.tradeoff.hypervolume, comparison.tradeoff.reference
    notes.append(
        say(
            "Hypervolume: {area} square points, dominated above 0 % execution and {chance} % general accuracy; compare "
            "it only between experiments with as many variants on the same questions."
        ).format(area=with_interval(area, language, decimals=0), chance=number(chance, language))
    )
    return Table(say("Trade-off against the baseline, in points"), header, rows, tuple(notes))


def _tradeoff_row(point: TradeOffPoint, language: Language) -> tuple[str, ...]:
    is_baseline = point.gain.low == point.gain.high == 0
    probability = points(point.front_probability, language, decimals=2)
    if is_baseline:
        return (point.variant, "", "", "", "", probability)
    return (
        point.variant,
        with_interval(point.gain, language, signed=True),
        with_interval(point.general_change, language, signed=True),
        with_interval(point.retention, language, decimals=0) or "–",
        with_interval(point.price, language, decimals=2) or "–",
        probability,
    )


def _header(figure: str, language: Language) -> tuple[str, ...]:
    say = translator(language)
    return (say("variant"), figure, say("change"), say("p (Holm)"), say("detectable"), say("finding"))


def _change_cells(found: Difference | None, language: Language) -> tuple[str, ...]:
    if found is None:
        return ("", "", "", "")
    return (
        with_interval(found.interval, language, signed=True),
        p_value(found.holm_p, language),
        number(found.minimum_detectable_effect, language),
        translator(language)(found.finding),
    )


def _interval_note(language: Language) -> str:
    return translator(language)("95 % intervals in brackets.")


def _notes(comparison: Comparison, language: Language) -> tuple[str, ...]:
    say = translator(language)
    notes = [
        _interval_note(language),
        say("Change: against the baseline, in points, paired by question, clustered by database.")
        if comparison.databases > 1
        else say("One database: questions count as independent, and the figures hold for this database."),
    ]
    if comparison.differences:
        notes.append(
            say("p (Holm): adjusted for all {count} comparisons of this run; finding: p below 0.05.").format(
                count=comparison.differences[0].comparisons
            )
        )
        notes.append(say("Detectable: the difference that data like these show in four of five repetitions."))
    caveats = {recipe.caveat for recipe in comparison.recipes if recipe.caveat}
    if any(len(recipe.seeds) == 1 for recipe in comparison.recipes):
        notes.append(say("One seed: a difference holds for this adapter; the recipe may vary more."))
    elif caveats:
        notes.append(say("Two seeds: the variance between seeds is hardly known."))
    if comparison.incomplete:
        notes.append(say("Incomplete and left out: {names}.").format(names=", ".join(comparison.incomplete)))
    return tuple(notes)


def _general_notes(comparison: Comparison, suite: SuiteTable, language: Language) -> tuple[str, ...]:
    """One sentence a variant: what its change over all questions shows."""
    say = translator(language)
    notes: list[str] = []
    for item in comparison.differences:
        if item.first != comparison.variants[0].name or (item.benchmark, item.method) != (suite.suite, suite.method):
            continue
        sentence = say(
            "{variant}: {finding} (p {p}); loss below the margin of {margin} points: {verdict}; "
            "detectable: {effect} points."
        )
        notes.append(
            sentence.format(
                variant=item.second,
                finding=say(item.finding),
                p=p_value(item.holm_p, language),
                margin=number(comparison.margin_points, language),
                verdict=say(item.non_inferiority.verdict),
                effect=number(item.minimum_detectable_effect, language),
            )
        )
    return tuple(notes)


def _written(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
