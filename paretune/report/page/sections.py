"""The page's sections below the first screen, each a table with its sources; last, how to make the run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from paretune.analysis.results import Comparison, Difference, SubjectRow
from paretune.report.page.links import FigureLinks
from paretune.report.page.parts import Cell, Facts, Link, PageTable, Places, Plot, Section, as_page_table, explorer
from paretune.report.page.plots import page_plot
from paretune.report.tables import general_table, level_table, samples_table, served_table, target_table, tradeoff_table
from paretune.report.target_words import target_label, target_say, target_word
from paretune.report.verdict import claims_table, family_notes, stated, worst_subject
from paretune.run.load import Run
from paretune.text import Voice

STAGES = {"train": "training, s", "generate": "answering, s", "score": "scoring, s", "choice": "multiple choice, s"}


def sections(records: Run, comparison: Comparison, places: Places, voice: Voice) -> tuple[Section, ...]:
    """Everything but the first screen and the explorer, in the order of the page."""
    say = voice.say
    made = [_figures(comparison, places, voice), _forgotten(comparison, places, voice)]
    if not comparison.has_target:
        return (*made, reproduction(records, comparison, places, voice))
    made.append(_reasons(comparison, places, voice))
    training = page_plot("training", comparison, places, voice)
    made.append(
        Section(
            "costs",
            say("Training and costs"),
            "",
            tables=_costs(comparison, places, voice),
            plots=(training,) if comparison.training else (),
        )
    )
    made.append(reproduction(records, comparison, places, voice))
    return tuple(made)


def _line_link(places: Places, file: str, names: set[str]) -> Callable[[str], str]:
    return lambda name: places.file(name, file).href if name in names else ""


def _figures(comparison: Comparison, places: Places, voice: Voice) -> Section:
    say = voice.say
    names = [row.name for row in comparison.variants]
    facets = comparison.facets
    files = (f"{facets.lines}.jsonl", "choice.jsonl")
    target, choice = (_line_link(places, file, set(names)) for file in files)
    target_files, choice_files = (places.lines(names, file) for file in files)
    links = FigureLinks(comparison)
    claims = claims_table(comparison, voice)
    tables = [
        as_page_table(claims, target, *target_files, *choice_files, places.table("claims"), places.table("pick"),
                      words=[3, 4, 6, 7], figures=links.claims),
        as_page_table(target_table(comparison, voice), target, *target_files, places.table(facets.metric_column),
                      words=[5], figures=links.target),
        as_page_table(tradeoff_table(comparison, voice), target, *target_files, *choice_files,
                      places.table("tradeoff"), places.table("hypervolume"), figures=links.tradeoff),
    ] if comparison.has_target else [as_page_table(claims, choice, words=[1, 5, 6])]  # fmt: skip
    if comparison.served:
        table = served_table(comparison, voice)
        tables.append(as_page_table(table, target, *target_files, places.table("served"), words=[1, 2, 7]))
    if comparison.samples:
        lines = places.lines(names, "sample_verdicts.jsonl")
        tables.append(as_page_table(samples_table(comparison, voice), target, *lines, places.table("samples")))
    if comparison.levels:
        source = places.table(f"by_{facets.level}")
        tables.append(as_page_table(level_table(comparison, voice), target, *target_files, source, figures=links.level))
    for suite in comparison.suites:
        table = general_table(comparison, suite, voice)
        source = places.table("general_accuracy")
        tables.append(as_page_table(table, choice, *choice_files, source, figures=links.general(suite)))
    tables += _seeds(comparison, places, voice)
    tables += _matched(comparison, places, voice)
    introduction = say(
        "A variant's name leads to the lines that its figures were computed from, a figure to its questions in the "
        "explorer below."
        if comparison.has_target
        else "A figure leads to the very questions that it counts, in the explorer below."
    )
    return Section("figures", say("Figures"), introduction, tuple(tables))


def _seeds(comparison: Comparison, places: Places, voice: Voice) -> list[PageTable]:
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
    return [
        PageTable(say("The same recipe with other seeds, in points"), header, rows, notes, (places.table("seeds"),))
    ]


def _deviation(value: float | None, most: float | None, voice: Voice) -> str:
    """Between seeds, and what it may be at most: three equal seeds do not make it 0."""
    if value is None:
        return "–"
    return voice.number(value) if most is None else f"{voice.number(value)} (≤ {voice.number(most)})"


def _matched(comparison: Comparison, places: Places, voice: Voice) -> list[PageTable]:
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
    notes = (say("95 % intervals in brackets."),)
    return [PageTable(title, (say("curve"), say("points lost")), rows, notes, (places.table("matched_loss"),))]


def _forgotten(comparison: Comparison, places: Places, voice: Voice) -> Section:
    say = voice.say
    tables = [_flips(comparison, places, voice)]
    for row in comparison.variants[1:]:
        subjects = [subject for subject in comparison.subjects if subject.variant == row.name]
        if len(subjects) > 1:
            tables.append(_subjects(comparison, row.name, subjects, places, voice))
    plots: tuple[Plot, ...] = ()
    if len({row.subject for row in comparison.subjects}) > 1:
        plots = (page_plot("subjects", comparison, places, voice),)
    introduction = say("A figure leads to the very questions that it counts, in the explorer below.")
    return Section("forgotten", say("What was learned and what was forgotten"), introduction, tuple(tables), plots)


def _flips(comparison: Comparison, places: Places, voice: Voice) -> PageTable:
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
    sources = (places.table("flips"), places.table("comparisons"))
    title = say("Questions that changed sides against the baseline")
    return PageTable(title, header, tuple(rows), notes, sources, words=frozenset((1, 8)))


def _reach(points: float | None, voice: Voice) -> str:
    return "–" if points is None else voice.number(points)


def _flip_link(comparison: Comparison, item: Difference, flip: str) -> str:
    if item.axis == "target":
        return explorer(axis=comparison.facets.lines, variant=item.second, flip=flip)
    return explorer(axis="choice", suite=item.benchmark, method=item.method, variant=item.second, flip=flip)


def _subjects(comparison: Comparison, name: str, subjects: list[SubjectRow], places: Places, voice: Voice) -> PageTable:
    """All subjects of one variant, the greatest loss first; folded, the plot above shows the extremes."""
    say = voice.say
    rows, base = [], comparison.variants[0].name
    for row in subjects:
        link = {"axis": "choice", "suite": comparison.main_suite, "method": comparison.main_method, "variant": name,
                "subject": row.subject}  # fmt: skip
        rows.append((
            Cell(row.subject.replace("_", " "), explorer(**link)),
            Cell(voice.data_word(row.category)),
            Cell(str(row.questions)),
            Cell(voice.number(row.baseline), explorer(**{**link, "variant": base}, outcome="correct")),
            Cell(voice.number(row.tuned), explorer(**link, outcome="correct")),
            Cell(voice.interval(row.change, signed=True), explorer(**link, flip="changed")),
            Cell(voice.limits(row.together.low, row.together.high, signed=True)),
            Cell(str(row.gained), explorer(**link, flip="gained")),
            Cell(str(row.lost), explorer(**link, flip="lost")),
            Cell(voice.p_value(row.holm_p)),
        ))  # fmt: skip
    header = (say("subject"), say("category"), say("questions"), say("base model, %"), say("variant, %"),
              say("change"), say("all together"), say("newly right"), say("no longer right"),
              say("p (Holm)"))  # fmt: skip
    notes = (
        *worst_subject(comparison, name, voice),
        say("Holm over all subjects and variants; intervals take the questions of a subject as independent."),
    )
    sources = (*places.lines([base, name], "choice.jsonl"), places.table("by_subject"))
    title = say("table.subjects", variant=name)
    return PageTable(title, header, tuple(rows), notes, sources, folded=True, words=frozenset((1,)))


def _reasons(comparison: Comparison, places: Places, voice: Voice) -> Section:
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
    files = places.lines(names, f"{axis}.jsonl")
    why = PageTable(
        tell("table.reasons"),
        (say("reason"), *names), tuple(rows), (say("95 % intervals in brackets."),),
        (*files, places.table("error_classes")),
    )  # fmt: skip
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
    what = PageTable(
        say("What became of the answers, in questions"), (say("outcome"), *names), tuple(rows), (),
        (*files, places.table("outcomes")),
    )  # fmt: skip
    return Section("reasons", tell("section.reasons"), "", (why, what) if classes else (what,))


def _costs(comparison: Comparison, places: Places, voice: Voice) -> tuple[PageTable, ...]:
    say = voice.say
    noted = dict.fromkeys(stage for cost in comparison.costs for stage in cost.stage_seconds)
    stages = [stage for stage in STAGES if stage in noted] + [stage for stage in noted if stage not in STAGES]
    rows = []
    stopped = any(cost.statement_ended_answers for cost in comparison.costs)
    for cost in comparison.costs:
        seconds = [cost.stage_seconds.get(stage) for stage in stages]
        rows.append((
            Cell(cost.variant),
            *(Cell("–" if taken is None else voice.number(taken)) for taken in seconds),
            Cell(_count(cost.training_steps)),
            Cell(_count(cost.train_rows)),
            Cell(_count(cost.training_tokens)),
            Cell(_count(cost.prompt_tokens)),
            Cell(_count(cost.generated_tokens)),
            Cell(str(cost.chatter_tokens)),
            Cell(str(cost.turn_ended_answers)),
            *([Cell(str(cost.statement_ended_answers))] if stopped else []),
            Cell(str(cost.cut_answers)),
        ))  # fmt: skip
    header = (say("variant"), *(say(STAGES[stage]) if stage in STAGES else f"{stage}, s" for stage in stages),
              say("steps"), say("training rows"), say("training tokens"), say("prompt tokens"),
              say("tokens answered"), say("chatter tokens"), say("ended by the model"),
              *([say("ended behind the statement")] if stopped else []), say("cut answers"))  # fmt: skip
    left_out = [f"{cost.variant}: {cost.left_out_rows}" for cost in comparison.costs if cost.left_out_rows]
    skipped = [f"{cost.variant}: {cost.skipped_steps}" for cost in comparison.costs if cost.skipped_steps]
    notes = [say("Cut answers hit the token limit before they ended."),
             say("Chatter tokens were written behind a complete statement.")]  # fmt: skip
    if left_out:
        notes.append(say("table.left-out", counts=tuple(left_out)))
    if skipped:
        notes.append(say("table.skipped", counts=tuple(skipped)))
    sources: tuple[Link, ...] = (places.file("manifest.json"), places.table("costs"))
    return (PageTable(say("What it cost"), header, tuple(rows), tuple(notes), sources),)


def _count(value: int | None) -> str:
    """Without separators, so that it can be copied; "–" for what is not known or not there."""
    return str(value) if value else "–"


def reproduction(records: Run, comparison: Comparison, places: Places, voice: Voice) -> Section:
    """The last section: what decided the figures."""
    say = voice.say
    manifest, terms = records.manifest, comparison.verdict.terms
    source = (places.file("manifest.json"),)
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
        Facts(say("Model"), _facts(manifest.get("model"), voice), sources=source),
        Facts(say("Statistics"), statistics),
        Facts(say("Versions"), _facts({**manifest.get("versions", {}), "git commit": manifest.get("git_commit")})),
        Facts(say("Hardware"), _facts(manifest.get("hardware"), voice)),
        Facts(say("Data (SHA-256)"), _facts(manifest.get("data")), folded=True),
        Facts(
            say("Configuration"),
            plain=json.dumps(manifest.get("config", {}), indent=2, ensure_ascii=False),
            folded=True,
            sources=source,
        ),
    ]
    kept = tuple(item for item in facts if item.facts or item.plain not in ("", "{}"))
    introduction = say("The same configuration, weights, data and versions give the same lines.")
    tables = (_fingerprints(records, places, voice),) if comparison.has_target else ()
    return Section("reproduction", say("How to make it again"), introduction, tables, (), kept)


def _facts(found: Mapping[str, Any] | None, voice: Voice | None = None) -> tuple[tuple[str, str], ...]:
    """Names as the manifest has them, in words; those of programs and files (no language given) stay as they are."""
    return tuple(
        (str(name).replace("_", " ") if voice is None else voice.data_word(str(name).replace("_", " ")), str(value))
        for name, value in (found or {}).items()
        if value is not None
    )


def _fingerprints(records: Run, places: Places, voice: Voice) -> PageTable:
    """Fingerprint of each file of lines; a cell leads to the file."""
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
    prepared = [places.file("prepared", f"{name}.jsonl") for name in (lines, "train", "choice")]
    notes = (say("A fingerprint covers everything that decides an answer: weights, adapter, prompt, decoding, data."),)
    header = (say("variant"), *files.values())
    return PageTable(say("Fingerprints"), header, tuple(rows), notes, tuple(prepared), words=frozenset((1, 2, 3, 4)))
