"""The page's sections below the first screen; last, how to make the run again, and the files that all came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from paretune.analysis.results import Comparison, Difference, SubjectRow
from paretune.report.names import short_names
from paretune.report.page.links import FigureLinks
from paretune.report.page.parts import Cell, Facts, PageTable, Places, Section, as_page_table, explorer
from paretune.report.page.plots import page_plot
from paretune.report.page.validation import OnValidation, validation_sections
from paretune.report.plots.forgetting import watched
from paretune.report.tables import general_table, level_table, samples_table, served_table, target_table, tradeoff_table
from paretune.report.target_words import target_label, target_say, target_word
from paretune.report.verdict import claims_table, family_notes, stated
from paretune.run.load import Run
from paretune.text import Voice

MOST_IN_HEAD = 14  # letters
STAGES = {"train": "training, s", "generate": "answering, s", "score": "scoring, s", "choice": "multiple choice, s"}


def sections(
    records: Run, comparison: Comparison, looked: OnValidation, places: Places, voice: Voice
) -> tuple[Section, ...]:
    """Everything but the first screen and the explorer, in the order of the page."""
    say = voice.say
    made = [_figures(comparison, voice), *validation_sections(looked, comparison.facets, voice)]
    made += [_forgotten(comparison, voice)] if comparison.units else []
    if not comparison.has_target:
        return (*made, reproduction(records, comparison, places, voice))
    made.append(_reasons(comparison, voice))
    made.append(
        Section(
            "costs",
            say("Training and costs"),
            "",
            tables=_costs(comparison, voice),
            plots=(page_plot("training", comparison, voice),) if comparison.training else (),
        )
    )
    made.append(reproduction(records, comparison, places, voice))
    return tuple(made)


def _figures(comparison: Comparison, voice: Voice) -> Section:
    """What is claimed, and every suite; the rest folded."""
    say, links, pick = voice.say, FigureLinks(comparison), comparison.verdict.pick
    picked = pick.unit.name if pick else ""
    tables = []
    if comparison.has_target:
        tables.append(as_page_table(target_table(comparison, voice), words=[5], figures=links.target, picked=picked))
    if comparison.units:
        claims = claims_table(comparison, voice)
        tables.insert(0, as_page_table(claims, words=[3, 4, 6, 7], figures=links.claims, picked=picked)
                      if comparison.has_target else as_page_table(claims, words=[1, 5, 6]))  # fmt: skip
    if comparison.served:
        tables.append(as_page_table(served_table(comparison, voice), words=[1, 2, 7]))
    if comparison.samples:
        tables.append(as_page_table(samples_table(comparison, voice), words=[1]))
    for suite in comparison.suites:
        table = general_table(comparison, suite, voice)
        tables.append(as_page_table(table, figures=links.general(suite), folded=not suite.is_main, picked=picked))
    if comparison.levels:
        tables.append(as_page_table(level_table(comparison, voice), figures=links.level, folded=True, picked=picked))
    if comparison.units and comparison.has_target:
        trade_off = tradeoff_table(comparison, voice)
        tables.append(as_page_table(trade_off, figures=links.tradeoff, folded=True, picked=picked))
    tables += _seeds(comparison, voice)
    tables += _matched(comparison, voice)
    return Section("figures", say("Figures"), say("Click a figure to see its questions, a head to sort by it."),
                   tuple(tables))  # fmt: skip


def _seeds(comparison: Comparison, voice: Voice) -> list[PageTable]:
    """Only where a recipe was trained with several seeds."""
    say = voice.say
    several = [unit for unit in comparison.units if unit.is_recipe]
    if not several:
        return []
    rows = tuple(
        (
            Cell(", ".join(unit.variants)),
            Cell(voice.interval(unit.leading.interval, signed=True)),
            Cell(_deviation(unit.target_deviation, unit.target_deviation_high, voice)),
            Cell(voice.interval(unit.general[0].interval, signed=True)),
            Cell(_deviation(unit.general_deviation, None, voice)),
        )
        for unit in several
    )
    deviation = say("deviation between seeds")
    header = (say("variants of one recipe"), say("gain"), deviation, say("change in general accuracy"), deviation)
    notes = (*family_notes(comparison.verdict, voice)[:1], say("The intervals hold both the questions and the seeds."))
    return [PageTable(say("The same recipe with other seeds, in points"), header, rows, notes)]


def _deviation(value: float | None, most: float | None, voice: Voice) -> str:
    """Between seeds, and what it may be at most: three equal seeds do not make it 0."""
    if value is None:
        return "–"
    return voice.number(value) if most is None else f"{voice.number(value)} (≤ {voice.number(most)})"


def _matched(comparison: Comparison, voice: Voice) -> list[PageTable]:
    say = voice.say
    matched = comparison.tradeoff.matched if comparison.tradeoff else ()
    if not matched:
        return []
    rows = tuple(
        (
            Cell(say("plot.scales" if item.kind == "scale" else "plot.checkpoints", variant=item.source)),
            Cell(voice.interval(item.loss) or f"– ({say(item.reason)})"),
        )
        for item in matched
    )  # fmt: skip
    title = say("table.matched", gain=matched[0].gain)
    return [
        PageTable(title, (say("curve"), say("points lost")), rows, (say("95 % intervals in brackets."),), folded=True)
    ]


def _forgotten(comparison: Comparison, voice: Voice) -> Section:
    tables = [_flips(comparison, voice)] if comparison.units else []
    if len({row.subject for row in comparison.subjects}) > 1:
        tables.append(_subjects(comparison, voice))
    introduction = voice.say("Click a number to see exactly those questions.")
    title = voice.say("What was learned and what was forgotten")
    plots = (page_plot("forgetting", comparison, voice),) if watched(comparison) else ()
    return Section("forgotten", title, introduction, tuple(tables), plots)


def _flips(comparison: Comparison, voice: Voice) -> PageTable:
    say, tell = voice.say, target_say(comparison.facets, voice)
    rows = []
    for item in comparison.differences:
        if item.first == comparison.variants[0].name:
            gained, lost = (Cell(str(len(ids)), _flip_link(comparison, item, flip))
                            for flip, ids in (("gained", item.gained), ("lost", item.lost)))  # fmt: skip
            metric = target_word(comparison.facets, voice, comparison.facets.metric)
            benchmark = metric if item.axis == "target" else f"{item.benchmark}, {say(item.method)}"
            rows.append((Cell(item.second), Cell(benchmark), gained, lost,
                         Cell(voice.p_value(item.mcnemar_p)), Cell(voice.p_value(item.permutation_p)),
                         Cell(voice.p_value(item.claim.family_p)), Cell(voice.p_value(item.claim.holm_p)),
                         Cell(say(f"change:{item.finding}")), Cell(_reach(item.claim.detectable, voice))))  # fmt: skip
    header = (say("variant"), say("benchmark"), say("newly right"), say("no longer right"), say("p (McNemar)"),
              say("p (permutation)"), say("p (family)"), say("p (Holm)"), say("finding"),
              say("detectable, points"))  # fmt: skip
    notes = (tell("table.p-values"), say("p (family) decides; p (Holm) stands beside it."))
    return PageTable(say("Questions whose outcome changed"), header, tuple(rows), notes, words=frozenset((1, 8)))


def _reach(points: float | None, voice: Voice) -> str:
    return "–" if points is None else voice.number(points)


def _flip_link(comparison: Comparison, item: Difference, flip: str) -> str:
    if item.axis == "target":
        return explorer(axis=comparison.facets.lines, variant=item.second, flip=flip)
    return explorer(axis="choice", suite=item.benchmark, method=item.method, variant=item.second, flip=flip)


def _subjects(comparison: Comparison, voice: Voice) -> PageTable:
    """Every subject of the main suite with its change for every variant, as a heatmap, the greatest mean loss first."""
    say = voice.say
    changed = {(row.subject, row.variant): row for row in comparison.subjects}
    names = [row.name for row in comparison.variants[1:]]
    heads = short_names(names, MOST_IN_HEAD)
    subjects = list(dict.fromkeys(row.subject for row in comparison.subjects))
    means = {one: sum(changed[one, name].change.estimate for name in names) / len(names) for one in subjects}
    rows = []
    for subject in sorted(subjects, key=lambda one: (means[one], one)):
        first = changed[subject, names[0]]
        about = f"{voice.data_word(first.category)}, {first.questions}"
        cells = [_heat(comparison, changed[subject, name], voice) for name in names]
        rows.append((Cell(subject.replace("_", " ")), Cell(about), *cells))
    header = (say("subject"), say("category, questions"), *heads)
    notes = (
        say("Bold: a change that holds with all subjects and variants counted (Holm). Point at a figure for more."),
        say("Holm over all subjects and variants; intervals take the questions of a subject as independent."),
    )
    title = say("plot.subjects", suite=comparison.main_suite)
    titles = {head: name for head, name in zip(heads, names, strict=True) if head != name}
    return PageTable(title, header, tuple(rows), notes, words=frozenset((1,)), tall=True, titles=titles)


def _heat(comparison: Comparison, row: SubjectRow, voice: Voice) -> Cell:
    link = explorer(axis="choice", suite=comparison.main_suite, method=comparison.main_method, variant=row.variant,
                    subject=row.subject, flip="changed")  # fmt: skip
    told = voice.say("page.subject", variant=row.variant, before=row.baseline, after=row.tuned, change=row.change,
                     gained=row.gained, lost=row.lost, p=row.holm_p)  # fmt: skip
    text = voice.points(row.change.estimate, signed=True)
    return Cell(text, link, told=told, heat=row.change.estimate, strong=row.holm_p < 1 - comparison.confidence)


def _reasons(comparison: Comparison, voice: Voice) -> Section:
    say, tell = voice.say, target_say(comparison.facets, voice)
    facets, axis = comparison.facets, comparison.facets.lines
    names = [row.name for row in comparison.variants]
    classes = list(dict.fromkeys(row.error_class for row in comparison.error_classes))
    found = {(row.variant, row.error_class): row for row in comparison.error_classes}
    rows = []
    for error_class in classes:
        label = target_label(facets, voice, error_class, "class", "outcome")
        cells = [Cell(label, explorer(axis=axis, error=error_class))]
        for name in names:
            row = found[name, error_class]
            share = voice.interval(row.share)
            link = explorer(axis=axis, variant=name, error=error_class) if row.count else ""
            cells.append(Cell(f"{row.count}: {share}", link))
        rows.append(tuple(cells))
    heads = short_names(names, MOST_IN_HEAD)
    titles = {head: name for head, name in zip(heads, names, strict=True) if head != name}
    intervals = (say("95 % intervals in brackets."),)
    why = PageTable(tell("table.reasons"), (say("reason"), *heads), tuple(rows), intervals, titles=titles)
    outcomes = list(dict.fromkeys(row.outcome for row in comparison.outcomes))
    counts = {(row.variant, row.outcome): row for row in comparison.outcomes}
    rows = []
    for outcome in outcomes:
        cells = [Cell(target_label(facets, voice, outcome, "outcome"), explorer(axis=axis, outcome=outcome))]
        for name in names:
            link = explorer(axis=axis, variant=name, outcome=outcome)
            known = counts.get((name, outcome))
            cells.append(Cell(str(known.count), link) if known else Cell("0"))
        rows.append(tuple(cells))
    for mark in facets.marks:
        marked = {name: sum(row.marks[mark] for row in comparison.outcomes if row.variant == name) for name in names}
        if any(marked.values()):
            label = target_word(facets, voice, facets.sentences.get(mark, mark.replace("_", " ")))
            rows.append((Cell(label), *(Cell(str(marked[name])) for name in names)))
    title = say("Outcome of each answer (number of questions)")
    what = PageTable(title, (say("outcome"), *heads), tuple(rows), folded=bool(classes), titles=titles)
    return Section("reasons", tell("section.reasons"), "", (why, what) if classes else (what,))


def _costs(comparison: Comparison, voice: Voice) -> tuple[PageTable, ...]:
    say = voice.say
    noted = dict.fromkeys(stage for cost in comparison.costs for stage in cost.stage_seconds)
    stages = [stage for stage in STAGES if stage in noted] + [stage for stage in noted if stage not in STAGES]
    rows = []
    mixed = any(cost.general_rows for cost in comparison.costs)
    stopped = any(cost.statement_ended_answers for cost in comparison.costs)
    for cost in comparison.costs:
        seconds = [cost.stage_seconds.get(stage) for stage in stages]
        rows.append((
            Cell(cost.variant),
            *(Cell("–" if taken is None else voice.number(taken)) for taken in seconds),
            Cell(_count(cost.training_steps)),
            Cell(_count(cost.train_rows)),
            *([Cell(_count(cost.general_rows))] if mixed else []),
            Cell(_count(cost.training_tokens)),
            Cell(_count(cost.prompt_tokens)),
            Cell(_count(cost.generated_tokens)),
            Cell(str(cost.chatter_tokens)),
            Cell(str(cost.turn_ended_answers)),
            *([Cell(str(cost.statement_ended_answers))] if stopped else []),
            Cell(str(cost.cut_answers)),
        ))  # fmt: skip
    header = (say("variant"), *(say(STAGES[stage]) if stage in STAGES else f"{stage}, s" for stage in stages),
              say("steps"), say("training rows"), *([say("of them general")] if mixed else []),
              say("training tokens"), say("prompt tokens"),
              say("generated tokens"), say("chatter tokens"), say("ended by the model"),
              *([say("ended behind the statement")] if stopped else []), say("cut answers"))  # fmt: skip
    left_out = [f"{cost.variant}: {cost.left_out_rows}" for cost in comparison.costs if cost.left_out_rows]
    skipped = [f"{cost.variant}: {cost.skipped_steps}" for cost in comparison.costs if cost.skipped_steps]
    notes = [say("Cut answers hit the token limit before they ended."),
             say("Chatter tokens were written behind a complete statement.")]  # fmt: skip
    if left_out:
        notes.append(say("table.left-out", counts=tuple(left_out)))
    if skipped:
        notes.append(say("table.skipped", counts=tuple(skipped)))
    return (PageTable(say("What it cost"), header, tuple(rows), tuple(notes), folded=True),)


def _count(value: int | None) -> str:
    """Without separators, so that it can be copied; "–" for what is not known or not there."""
    return str(value) if value else "–"


def reproduction(records: Run, comparison: Comparison, places: Places, voice: Voice) -> Section:
    """The last section: what decided the figures."""
    say = voice.say
    manifest, terms = records.manifest, comparison.verdict.terms
    statistics = (
        (say("confidence"), f"{voice.number(100 * comparison.confidence, 0)} %"),
        (say("margin, points"), voice.marked(str(stated(terms.margin_points)))),
        (say("margin's reason"), terms.margin_reason or say("none stated")),
        (say("budget of the pick, points"), voice.marked(str(stated(terms.budget_points)))),
        (say("primary suites"), ", ".join(terms.primary_suites) or say("all")),
        (say("level of all changes together"), f"{voice.marked(str(stated(100 * terms.level)))} %"),
        (say("bootstrap replicates"), str(comparison.replicates)),
        (say("seed of the statistics"), str(comparison.seed)),
    )
    facts = [
        Facts(say("Model"), _facts(manifest.get("model"), voice)),
        Facts(say("Statistics"), statistics),
        Facts(say("Versions"), _facts({**manifest.get("versions", {}), "git commit": manifest.get("git_commit")})),
        Facts(say("Hardware"), _facts(manifest.get("hardware"), voice)),
        Facts(say("Data (SHA-256)"), _facts(manifest.get("data")), folded=True),
        Facts(
            say("Configuration"),
            plain=json.dumps(manifest.get("config", {}), indent=2, ensure_ascii=False),
            folded=True,
        ),
    ]
    kept = tuple(item for item in facts if item.facts or item.plain not in ("", "{}"))
    introduction = say("The same configuration, weights, data and versions give the same lines.")
    files = (_raw_records(records, places, voice), _tables(records, places, voice)) if comparison.has_target else ()
    return Section("reproduction", say("Reproduce this run"), introduction, files, (), kept)


def _facts(found: Mapping[str, Any] | None, voice: Voice | None = None) -> tuple[tuple[str, str], ...]:
    """Names as the manifest has them, in words; those of programs and files (no language given) stay as they are."""
    return tuple(
        (str(name).replace("_", " ") if voice is None else voice.data_word(str(name).replace("_", " ")), str(value))
        for name, value in (found or {}).items()
        if value is not None
    )


def _raw_records(records: Run, places: Places, voice: Voice) -> PageTable:
    """Every file of lines with its fingerprint: the one place that leads out of the page."""
    say = voice.say
    lines = records.facets.lines
    files = {name: f"{name}.jsonl" for name in ("answers", lines, "choice", "training")}
    rows = []
    for variant in records.variants:
        cells = [Cell(variant.name)]
        for name, file in files.items():
            found = str(variant.headers.get(name, {}).get("fingerprint") or "")
            cells.append(Cell(found or "–", places.file(variant.name, file).href if found else ""))
        rows.append(tuple(cells))
    asked = {"": "manifest", lines: lines, "choice": "choice", "training": "train"}
    prepared = [_file(records, places, *(("manifest.json",) if name == "manifest" else ("prepared", f"{name}.jsonl")))
                for name in asked.values()]  # fmt: skip
    rows.append((Cell(say("what was asked")), *prepared))
    notes = (
        say("A fingerprint covers everything that decides an answer: weights, adapter, prompt, decoding, data."),
        say("These links need the run folder beside the page; everything else is in the page itself."),
    )
    return PageTable(say("Raw records and their fingerprints"), (say("variant"), *files.values()), tuple(rows), notes,
                     folded=True, words=frozenset((1, 2, 3, 4)))  # fmt: skip


def _tables(records: Run, places: Places, voice: Voice) -> PageTable:
    """The tables as files, for spreadsheets, READMEs and papers."""
    say = voice.say
    forms = ("csv", "md", "tex")
    there = sorted(path for path in (records.path / "tables").glob("*") if path.suffix[1:] in forms)
    names = list(dict.fromkeys(path.stem for path in there))
    rows = tuple(
        (Cell(name.replace("_", " ")), *(_file(records, places, "tables", f"{name}.{form}") for form in forms))
        for name in names
    )
    header = (say("table"), "CSV", "Markdown", "LaTeX")
    return PageTable(say("Tables as files"), header, rows, folded=True, words=frozenset((1, 2, 3)))


def _file(records: Run, places: Places, *parts: str) -> Cell:
    return Cell(parts[-1], places.file(*parts).href) if records.path.joinpath(*parts).is_file() else Cell("–")
