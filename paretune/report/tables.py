"""The tables that people read: on the console, and as Markdown and LaTeX beside the CSV files."""

from __future__ import annotations

from pathlib import Path

from paretune.analysis.results import Claim, Comparison, GroupRow, SuiteTable, TradeOffPoint
from paretune.files import write_text
from paretune.report.csv import csv_files
from paretune.report.screen import FILE, Screen
from paretune.report.summary import Summary, summary_rows
from paretune.report.target_words import clusters_counted, target_say, target_word
from paretune.report.text_table import Table, as_latex, as_markdown, as_text
from paretune.report.verdict import change_notes, claims_table, family_notes, stated, suite_notes
from paretune.text import Voice


def print_tables(comparison: Comparison, voice: Voice, screen: Screen = FILE) -> str:
    """The target's accuracy, and general accuracy by category with its change, with intervals."""
    tables = [target_table(comparison, voice)] if comparison.has_target else []
    if comparison.samples:
        tables.append(samples_table(comparison, voice))
    tables += [general_table(comparison, suite, voice) for suite in comparison.suites]
    if comparison.served:
        tables.append(served_table(comparison, voice))
    if comparison.units:
        tables.append(claims_table(comparison, voice))
    return "\n\n\n".join(as_text(table, screen) for table in tables) + "\n"


def write_tables(comparison: Comparison, folder: Path, voice: Voice) -> list[Path]:
    """Every table as CSV (English headers with units), and the main ones as Markdown and LaTeX; returns the files."""
    written: list[Path] = []
    for name, text in csv_files(comparison).items():
        written.append(_written(folder / f"{name}.csv", text))
    main = {
        "claims": claims_table(comparison, voice),
        "general_accuracy": general_table(comparison, comparison.main_table(), voice),
        "samples": samples_table(comparison, voice),
        "served": served_table(comparison, voice),
    }
    if comparison.has_target:
        main |= {
            "summary": summary_table(comparison, voice),
            comparison.facets.metric_column: target_table(comparison, voice),
            f"by_{comparison.facets.level}": level_table(comparison, voice),
            "tradeoff": tradeoff_table(comparison, voice),
        }
    for name, table in main.items():
        if not table.rows:
            continue
        written.append(_written(folder / f"{name}.md", as_markdown(table)))
        written.append(_written(folder / f"{name}.tex", as_latex(table, name.replace("_", "-"))))
    return written


def summary_table(comparison: Comparison, voice: Voice) -> Table:
    """Both axes of every variant and recipe in one row: accuracy, change and p on the target and on each suite, and
    the decision."""
    say, facets = voice.say, comparison.facets
    header = [say("variant"), target_word(facets, voice, facets.metric), say("change"), say("p (family)")]
    for suite in comparison.suites:
        header += [f"{suite.suite} ({say(suite.method)})", say("change"), say("p (family)")]
    header.append(say("decision"))
    rows = [
        (row.name, *(cell for one in row.on for cell in _summary_cells(one, voice)), say(f"decision:{row.decision}")
         if row.decision else "")
        for row in summary_rows(comparison)
    ]  # fmt: skip
    title = target_say(facets, voice)(
        "table.summary", benchmark=comparison.target_benchmark, questions=comparison.questions
    )
    rule = say("claims.pick", budget=stated(comparison.verdict.terms.budget_points))
    notes = (say("Accuracies: 95 % intervals in brackets."), *family_notes(comparison.verdict, voice), rule)
    return Table(title, tuple(header), tuple(rows), (*notes, *change_notes(comparison.verdict.changes, voice)))


def _summary_cells(figures: Summary, voice: Voice) -> tuple[str, ...]:
    claim = figures.claim
    return (
        voice.interval(figures.accuracy),
        voice.interval(claim.interval, signed=True) if claim else "",
        voice.p_value(claim.family_p) if claim else "",
    )


def target_table(comparison: Comparison, voice: Voice) -> Table:
    """The target's accuracy of every variant, its change, and what that shows."""
    facets = comparison.facets
    rows: list[tuple[str, ...]] = []
    for variant in comparison.variants:
        found = comparison.difference(variant.name, "target")
        claim = found.claim if found else None
        rows.append((variant.name, voice.interval(variant.target), *_change_cells(claim, voice)))
    rows += [(unit.name, "", *_change_cells(unit.leading, voice)) for unit in comparison.units if unit.is_recipe]
    tell = target_say(facets, voice)
    title = tell(
        "table.target",
        benchmark=comparison.target_benchmark,
        questions=comparison.questions,
        **clusters_counted(facets, voice, comparison.clusters),
    )
    header = _header(target_word(facets, voice, facets.metric), voice)
    return Table(title, header, tuple(rows), (*_notes(comparison, voice), *_ending_notes(comparison, voice)))


def _ending_notes(comparison: Comparison, voice: Voice) -> list[str]:
    """Trainings that were ended by what their monitor showed, and variants that are a chosen checkpoint."""
    notes = []
    for row in comparison.variants:
        if row.stopped_step is not None:
            notes.append(voice.say("table.stopped", variant=row.name, step=row.stopped_step))
        if row.chosen_checkpoint is not None:
            notes.append(voice.say("table.chosen", variant=row.name, step=row.chosen_checkpoint))
    return notes


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
    if suite.method == "logged":
        title = say("table.logged", suite=suite.suite, questions=asked)
        title += f" ({', '.join(suite.notes)})" if suite.notes else ""
    else:
        title = say("table.general", suite=suite.suite, method=say(suite.method), questions=asked)
    if suite.chance is not None:
        title += say("table.chance", chance=suite.chance)
    notes = _change_note(comparison, voice)
    if next(row.accuracy.clusters for row in suite.rows if row.kind == "all") == 0:
        is_known = suite.method != "logged" or any(row.kind == "macro" for row in suite.rows)
        few = say("Few subjects: questions count as independent, and the figures hold for these subjects.")
        notes = (few if is_known else say("claims.no-clusters"), *notes)
    if suite.instead_of is not None:
        notes = (say("table.in-writing", method=say(suite.instead_of)), *notes)
    return Table(title, header, tuple(rows), (*notes, *suite_notes(suite, voice)))


def samples_table(comparison: Comparison, voice: Voice) -> Table:
    """What several answers per question are worth, and what they cost; without rows where each has one."""
    say = voice.say
    rows = tuple(
        (
            row.variant,
            say(f"sample:{row.figure}", k=row.k),
            voice.interval(row.accuracy),
            voice.number(row.tokens, 0),
        )
        for row in comparison.samples
    )
    header = (say("variant"), say("answers"), target_word(comparison.facets, voice, comparison.facets.metric),
              say("tokens per question"))  # fmt: skip
    notes = (_interval_note(voice), say("table.samples"))
    return Table(say("Several answers per question, in percent"), header, rows, notes)


def served_table(comparison: Comparison, voice: Voice) -> Table:
    """Whether servers answer as what they stand for; without rows where no variant is served."""
    say, facets = voice.say, comparison.facets
    rows = tuple(
        (
            row.variant,
            row.source,
            f"{row.benchmark}, {say(row.method)}" if row.method else target_word(facets, voice, row.benchmark),
            voice.number(row.same_answers),
            str(row.gained),
            str(row.lost),
            voice.interval(row.change, signed=True),
            say(f"served:{row.finding}"),
        )
        for row in comparison.served
    )
    header = (say("variant"), say("stands for"), say("benchmark"), say("same answers, %"), say("questions gained"),
              say("questions lost"), say("change"), say("alike?"))  # fmt: skip
    note = say("table.served", margin=voice.marked(str(stated(comparison.margin_points))))
    return Table(say("Does the server answer as what it stands for?"), header, rows, (note,))


def level_table(comparison: Comparison, voice: Voice) -> Table:
    """The target's accuracy by level; without rows where its task has no levels."""
    facets = comparison.facets
    say, tell = voice.say, target_say(facets, voice)
    levels = list(dict.fromkeys(row.group for row in comparison.levels))
    found = {(row.variant, row.group): row for row in comparison.levels}
    rows = tuple(
        (v.name, *(voice.interval(found[v.name, level].accuracy) for level in levels))
        for v in (comparison.variants if levels else ())
    )
    header = (say("variant"), *(target_word(facets, voice, level) for level in levels))
    return Table(tell("table.levels"), header, rows, (_interval_note(voice),))


def tradeoff_table(comparison: Comparison, voice: Voice) -> Table:
    """Gain, what it cost, and whether another variant is better on both axes."""
    say, plane = voice.say, comparison.plane
    header = (
        say("variant"), say("gain"), say("change in general accuracy"), say("ability kept, %"),
        say("points lost per point gained"), say("probability on the front"),
    )  # fmt: skip
    rows = tuple(_tradeoff_row(point, voice) for point in plane.points)
    notes = [_interval_note(voice), say("Front: no other variant is as good on both axes and better on one.")]
    reasons = dict.fromkeys(reason for point in plane.points for reason in (point.retention_reason, point.price_reason))
    notes += [f"–: {say(reason)}." for reason in reasons if reason]
    area, (_, chance) = plane.hypervolume, plane.reference
    tell = target_say(comparison.facets, voice)
    notes.append(tell("table.target-hypervolume", area=area, chance=chance))
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
    return (say("variant"), figure, say("change"), say("p (family)"), say("detectable"), say("finding"))


def _change_cells(claim: Claim | None, voice: Voice) -> tuple[str, ...]:
    if claim is None:
        return ("", "", "", "")
    return (
        voice.interval(claim.interval, signed=True),
        voice.p_value(claim.family_p),
        "–" if claim.detectable is None else voice.number(claim.detectable),
        voice.say(f"change:{claim.finding}"),
    )


def _interval_note(voice: Voice) -> str:
    return voice.say("95 % intervals in brackets.")


def _change_note(comparison: Comparison, voice: Voice) -> tuple[str, ...]:
    """How far the intervals of accuracies and of changes reach."""
    return (
        voice.say("Accuracies: 95 % intervals in brackets; changes of parts likewise, each alone and exploratory."),
        *family_notes(comparison.verdict, voice)[:1],
    )


def _notes(comparison: Comparison, voice: Voice) -> tuple[str, ...]:
    say, verdict = voice.say, comparison.verdict
    tell = target_say(comparison.facets, voice)
    notes = [say("Accuracies: 95 % intervals in brackets.")]
    if comparison.void_questions:
        notes.append(say("table.void", count=comparison.void_questions))
    if verdict.scope == "databases":
        notes.append(
            tell(
                "table.target-change",
                effective=float(comparison.effective_clusters),
                **clusters_counted(comparison.facets, voice, comparison.clusters),
            )
        )
    else:
        notes.append(tell("table.these-clusters"))
    if verdict.units:
        notes += family_notes(verdict, voice)
        notes.append(say("Finding: whether that interval leaves out 0; p (family) counts all variants planned."))
        notes.append(
            say("Detectable: the smallest true difference that such data would show in this way 80 % of the time.")
        )
    if any(unit.is_recipe for unit in comparison.units):
        notes.append(say("Variants that differ in nothing but the seed are one recipe: it is what is claimed."))
    if any(unit.caveat.startswith("one seed") for unit in comparison.units):
        notes.append(say("One seed: a difference holds for this adapter; the recipe may vary more."))
    elif any(unit.caveat for unit in comparison.units):
        notes.append(say("Two seeds: the variance between seeds is hardly known."))
    return (*notes, *change_notes(verdict.changes, voice))


def _written(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
