"""The tables that people read: on the console, and as Markdown and LaTeX beside the CSV files."""

from __future__ import annotations

from pathlib import Path

from paretune.analysis.results import Comparison, Difference, GroupRow, SuiteTable, TradeOffPoint
from paretune.files import write_text
from paretune.report.csv import csv_files
from paretune.report.text_table import Table, as_latex, as_markdown, as_text
from paretune.text import Voice


def print_tables(comparison: Comparison, voice: Voice) -> str:
    """Execution accuracy, and general accuracy by category with its change, with intervals; 100 columns wide."""
    tables = [execution_table(comparison, voice)]
    tables += [general_table(comparison, suite, voice) for suite in comparison.suites]
    return "\n\n\n".join(as_text(table) for table in tables) + "\n"


def write_tables(comparison: Comparison, folder: Path, voice: Voice) -> list[Path]:
    """Every table as CSV (English headers with units), and the main ones as Markdown and LaTeX; returns the files."""
    written: list[Path] = []
    for name, text in csv_files(comparison).items():
        written.append(_written(folder / f"{name}.csv", text))
    main = {
        "execution_accuracy": execution_table(comparison, voice),
        "general_accuracy": general_table(comparison, comparison.main_table(), voice),
        "by_hardness": hardness_table(comparison, voice),
        "tradeoff": tradeoff_table(comparison, voice),
    }
    for name, table in main.items():
        written.append(_written(folder / f"{name}.md", as_markdown(table)))
        written.append(_written(folder / f"{name}.tex", as_latex(table, name.replace("_", "-"))))
    return written


def execution_table(comparison: Comparison, voice: Voice) -> Table:
    """Execution accuracy of every variant, its change, and what that shows."""
    say = voice.say
    rows: list[tuple[str, ...]] = []
    for variant in comparison.variants:
        found = comparison.difference(variant.name, "target")
        figures = (variant.name, voice.interval(variant.execution), *_change_cells(found, voice))
        rows.append(figures)
    title = say(
        "table.execution",
        benchmark=comparison.target_benchmark,
        questions=comparison.questions,
        databases=comparison.databases,
    )
    header = _header(say("execution accuracy"), voice)
    return Table(title, header, tuple(rows), _notes(comparison, voice))


def general_table(comparison: Comparison, suite: SuiteTable, voice: Voice) -> Table:
    """General accuracy by category, each variant with its change in the line below."""
    say = voice.say
    groups = list(dict.fromkeys((row.kind, row.group) for row in suite.rows if row.kind != "macro"))
    if len(groups) == 2:
        groups = groups[:1]  # a single category is all questions again
    found = {(row.variant, row.kind, row.group): row for row in suite.rows}
    rows: list[tuple[str, ...]] = []
    for variant in comparison.variants:
        cells: list[GroupRow] = [found[variant.name, kind, group] for kind, group in groups]
        rows.append((variant.name, *(voice.interval(cell.accuracy) for cell in cells)))
        if any(cell.change for cell in cells):
            changes = tuple(voice.interval(cell.change, signed=True) for cell in cells)
            rows.append((f"  {say('change')}", *changes))
    header = (say("variant"), *(voice.data_word(group) if group else say("all questions") for _, group in groups))
    asked = next(row.accuracy.n for row in suite.rows if row.kind == "all")
    title = say("table.general", suite=suite.suite, method=say(suite.method), questions=asked)
    if suite.chance is not None:
        title += say("table.chance", chance=suite.chance)
    notes = _general_notes(comparison, suite, voice)
    if next(row.accuracy.clusters for row in suite.rows if row.kind == "all") == 0:
        few = say("Few subjects: questions count as independent, and the figures hold for these subjects.")
        notes = (few, *notes)
    return Table(title, header, tuple(rows), notes)


def hardness_table(comparison: Comparison, voice: Voice) -> Table:
    """Execution accuracy by hardness of the reference query."""
    say = voice.say
    levels = list(dict.fromkeys(row.group for row in comparison.hardness))
    found = {(row.variant, row.group): row for row in comparison.hardness}
    rows = tuple(
        (v.name, *(voice.interval(found[v.name, level].accuracy) for level in levels)) for v in comparison.variants
    )
    header = (say("variant"), *(voice.data_word(level) for level in levels))
    return Table(say("Execution accuracy in percent by hardness"), header, rows, (_interval_note(voice),))


def tradeoff_table(comparison: Comparison, voice: Voice) -> Table:
    """Gain, what it cost, and whether another variant is better on both axes."""
    say = voice.say
    header = (
        say("variant"), say("gain"), say("change in general accuracy"), say("ability kept, %"),
        say("points lost per point gained"), say("probability on the front"),
    )  # fmt: skip
    rows = tuple(_tradeoff_row(point, voice) for point in comparison.tradeoff.points)
    notes = [_interval_note(voice), say("Front: no other variant is as good on both axes and better on one.")]
    reasons = dict.fromkeys(
        reason for point in comparison.tradeoff.points for reason in (point.retention_reason, point.price_reason)
    )
    notes += [f"–: {say(reason)}." for reason in reasons if reason]
    area, (_, chance) = comparison.tradeoff.hypervolume, comparison.tradeoff.reference
    notes.append(say("table.hypervolume", area=area, chance=chance))
    return Table(say("Trade-off against the baseline, in points"), header, rows, tuple(notes))


def _tradeoff_row(point: TradeOffPoint, voice: Voice) -> tuple[str, ...]:
    is_baseline = point.gain.low == point.gain.high == 0
    probability = voice.points(point.front_probability, decimals=2)
    if is_baseline:
        return (point.variant, "", "", "", "", probability)
    return (
        point.variant,
        voice.interval(point.gain, signed=True),
        voice.interval(point.general_change, signed=True),
        voice.interval(point.retention, decimals=0) or "–",
        voice.interval(point.price, decimals=2) or "–",
        probability,
    )


def _header(figure: str, voice: Voice) -> tuple[str, ...]:
    say = voice.say
    return (say("variant"), figure, say("change"), say("p (Holm)"), say("detectable"), say("finding"))


def _change_cells(found: Difference | None, voice: Voice) -> tuple[str, ...]:
    if found is None:
        return ("", "", "", "")
    return (
        voice.interval(found.interval, signed=True),
        voice.p_value(found.holm_p),
        voice.number(found.minimum_detectable_effect),
        voice.say(found.finding),
    )


def _interval_note(voice: Voice) -> str:
    return voice.say("95 % intervals in brackets.")


def _notes(comparison: Comparison, voice: Voice) -> tuple[str, ...]:
    say = voice.say
    notes = [
        _interval_note(voice),
        say("Change: against the baseline, in points, paired by question, clustered by database.")
        if comparison.databases > 1
        else say("One database: questions count as independent, and the figures hold for this database."),
    ]
    if comparison.differences:
        notes.append(say("table.holm", count=comparison.differences[0].comparisons))
        notes.append(say("Detectable: the difference that data like these show in four of five repetitions."))
    caveats = {recipe.caveat for recipe in comparison.recipes if recipe.caveat}
    if any(len(recipe.seeds) == 1 for recipe in comparison.recipes):
        notes.append(say("One seed: a difference holds for this adapter; the recipe may vary more."))
    elif caveats:
        notes.append(say("Two seeds: the variance between seeds is hardly known."))
    if comparison.incomplete:
        notes.append(say("table.incomplete", names=tuple(comparison.incomplete)))
    return tuple(notes)


def _general_notes(comparison: Comparison, suite: SuiteTable, voice: Voice) -> tuple[str, ...]:
    """One sentence a variant: what its change over all questions shows."""
    say = voice.say
    notes: list[str] = []
    for item in comparison.differences:
        if item.first != comparison.variants[0].name or (item.benchmark, item.method) != (suite.suite, suite.method):
            continue
        notes.append(
            say(
                "table.general-change",
                variant=item.second,
                finding=say(f"change:{item.finding}"),
                p=item.holm_p,
                margin=comparison.margin_points,
                verdict=say(f"margin:{item.non_inferiority.verdict}"),
                effect=item.minimum_detectable_effect,
            )
        )
    return tuple(notes)


def _written(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
