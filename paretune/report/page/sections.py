"""The sections below the first screen: all tables, with links to the lines they were computed from."""

from __future__ import annotations

from collections.abc import Callable

from paretune.analysis.results import Comparison, Difference, SubjectRow
from paretune.report.page.links import FigureLinks
from paretune.report.page.parts import Cell, Link, PageTable, Places, Plot, Section, as_page_table, explorer
from paretune.report.page.plots import page_plot
from paretune.report.page.reproduction import reproduction
from paretune.report.tables import execution_table, general_table, hardness_table, tradeoff_table
from paretune.report.text_table import data_word, p_value, with_interval
from paretune.run.load import RunRecords
from paretune.text.explorer import class_label, outcome_label
from paretune.text.language import Language, number, translator

STAGES = {"train": "training, s", "generate": "answering, s", "score": "scoring, s", "choice": "multiple choice, s"}


def sections(records: RunRecords, comparison: Comparison, places: Places, language: Language) -> tuple[Section, ...]:
    """Everything but the first screen and the explorer, in the order of the page."""
    say = translator(language)
    made = [
        _figures(comparison, places, language),
        _forgotten(comparison, places, language),
        _reasons(comparison, places, language),
    ]
    training = page_plot("training", comparison, places, language)
    made.append(
        Section(
            "costs",
            say("Training and costs"),
            "",
            tables=_costs(comparison, places, language),
            plots=(training,) if comparison.training else (),
        )
    )
    made.append(reproduction(records, comparison, places, language))
    return tuple(made)


def _line_link(places: Places, file: str, names: set[str]) -> Callable[[str], str]:
    return lambda name: places.file(name, file).href if name in names else ""


def _figures(comparison: Comparison, places: Places, language: Language) -> Section:
    say = translator(language)
    names = [row.name for row in comparison.variants]
    sql, choice = (_line_link(places, file, set(names)) for file in ("sql.jsonl", "choice.jsonl"))
    sql_files, choice_files = places.lines(names, "sql.jsonl"), places.lines(names, "choice.jsonl")
    links = FigureLinks(comparison)
    tables = [
        as_page_table(execution_table(comparison, language), sql, *sql_files, places.table("execution_accuracy"),
                      words=[5], figures=links.execution),
        as_page_table(tradeoff_table(comparison, language), sql, *sql_files, *choice_files, places.table("tradeoff"),
                      places.table("hypervolume"), figures=links.tradeoff),
        as_page_table(hardness_table(comparison, language), sql, *sql_files, places.table("by_hardness"),
                      figures=links.hardness),
    ]  # fmt: skip
    for suite in comparison.suites:
        table = general_table(comparison, suite, language)
        source = places.table("general_accuracy")
        tables.append(as_page_table(table, choice, *choice_files, source, figures=links.general(suite)))
    tables += _seeds(comparison, places, language)
    tables += _matched(comparison, places, language)
    introduction = say(
        "A variant's name leads to the lines that its figures were computed from, a figure to its questions in the "
        "explorer below."
    )
    return Section("figures", say("Figures"), introduction, tuple(tables))


def _seeds(comparison: Comparison, places: Places, language: Language) -> list[PageTable]:
    """Only where a recipe was trained with several seeds."""
    say = translator(language)
    several = [recipe for recipe in comparison.recipes if len(recipe.seeds) > 1]
    if not several:
        return []
    rows = tuple(
        (
            Cell(", ".join(recipe.variants)),
            Cell(with_interval(recipe.target, language, signed=True)),
            Cell("–" if recipe.target_deviation is None else number(recipe.target_deviation, language)),
            Cell(with_interval(recipe.general, language, signed=True)),
            Cell("–" if recipe.general_deviation is None else number(recipe.general_deviation, language)),
        )
        for recipe in several
    )
    deviation = say("deviation between seeds")
    header = (say("variants of one recipe"), say("gain"), deviation, say("change in general accuracy"), deviation)
    notes = (say("95 % intervals in brackets."), say("The intervals hold both the questions and the seeds."))
    return [
        PageTable(say("The same recipe with other seeds, in points"), header, rows, notes, (places.table("seeds"),))
    ]


def _matched(comparison: Comparison, places: Places, language: Language) -> list[PageTable]:
    say = translator(language)
    matched = comparison.tradeoff.matched
    if not matched:
        return []
    rows = tuple(
        (
            Cell(say("scales of {variant}" if item.kind == "scale" else "checkpoints of {variant}").format(
                variant=item.source)),
            Cell(with_interval(item.loss, language) or f"– ({say(item.reason)})"),
        )
        for item in matched
    )  # fmt: skip
    title = say("Points of general ability lost where a curve reaches a gain of {gain} points").format(
        gain=number(matched[0].gain, language)
    )
    notes = (say("95 % intervals in brackets."),)
    return [PageTable(title, (say("curve"), say("points lost")), rows, notes, (places.table("matched_loss"),))]


def _forgotten(comparison: Comparison, places: Places, language: Language) -> Section:
    say = translator(language)
    tables = [_flips(comparison, places, language)]
    for row in comparison.variants[1:]:
        subjects = [subject for subject in comparison.subjects if subject.variant == row.name]
        if len(subjects) > 1:
            tables.append(_subjects(comparison, row.name, subjects, places, language))
    plots: tuple[Plot, ...] = ()
    if len({row.subject for row in comparison.subjects}) > 1:
        plots = (page_plot("subjects", comparison, places, language),)
    introduction = say("A figure leads to the very questions that it counts, in the explorer below.")
    return Section("forgotten", say("What was learned and what was forgotten"), introduction, tuple(tables), plots)


def _flips(comparison: Comparison, places: Places, language: Language) -> PageTable:
    say = translator(language)
    rows = []
    for item in comparison.differences:
        if item.first == comparison.variants[0].name:
            gained, lost = (Cell(str(len(ids)), _flip_link(item, flip))
                            for flip, ids in (("gained", item.gained), ("lost", item.lost)))  # fmt: skip
            benchmark = say("execution accuracy") if item.axis == "target" else f"{item.benchmark}, {say(item.method)}"
            rows.append((Cell(item.second), Cell(benchmark), gained, lost,
                         Cell(p_value(item.mcnemar_p, language)), Cell(p_value(item.permutation_p, language)),
                         Cell(p_value(item.holm_p, language)), Cell(say(item.finding)),
                         Cell(number(item.minimum_detectable_effect, language))))  # fmt: skip
    header = (say("variant"), say("benchmark"), say("newly right"), say("no longer right"), say("p (McNemar)"),
              say("p (permutation)"), say("p (Holm)"), say("finding"), say("detectable, points"))  # fmt: skip
    notes = (say("McNemar's exact p takes questions as independent; p (Holm) respects databases and subjects."),)
    sources = (places.table("flips"), places.table("comparisons"))
    title = say("Questions that changed sides against the baseline")
    return PageTable(title, header, tuple(rows), notes, sources, words=frozenset((1, 7)))


def _flip_link(item: Difference, flip: str) -> str:
    if item.axis == "target":
        return explorer(axis="sql", variant=item.second, flip=flip)
    return explorer(axis="choice", suite=item.benchmark, method=item.method, variant=item.second, flip=flip)


def _subjects(
    comparison: Comparison, name: str, subjects: list[SubjectRow], places: Places, language: Language
) -> PageTable:
    """All subjects of one variant, the greatest loss first; folded, the plot above shows the extremes."""
    say = translator(language)
    rows, base = [], comparison.variants[0].name
    for row in subjects:
        link = {"axis": "choice", "suite": comparison.main_suite, "method": comparison.main_method, "variant": name,
                "subject": row.subject}  # fmt: skip
        rows.append((
            Cell(row.subject.replace("_", " "), explorer(**link)),
            Cell(data_word(row.category, language)),
            Cell(str(row.questions)),
            Cell(number(row.baseline, language), explorer(**{**link, "variant": base}, outcome="correct")),
            Cell(number(row.tuned, language), explorer(**link, outcome="correct")),
            Cell(with_interval(row.change, language, signed=True), explorer(**link, flip="changed")),
            Cell(str(row.gained), explorer(**link, flip="gained")),
            Cell(str(row.lost), explorer(**link, flip="lost")),
            Cell(p_value(row.holm_p, language)),
        ))  # fmt: skip
    header = (say("subject"), say("category"), say("questions"), say("base model, %"), say("variant, %"),
              say("change"), say("newly right"), say("no longer right"), say("p (Holm)"))  # fmt: skip
    notes = (say("Holm over all subjects and variants; intervals take the questions of a subject as independent."),)
    sources = (*places.lines([base, name], "choice.jsonl"), places.table("by_subject"))
    title = say("{variant}: every subject, the greatest loss first").format(variant=name)
    return PageTable(title, header, tuple(rows), notes, sources, folded=True, words=frozenset((1,)))


def _reasons(comparison: Comparison, places: Places, language: Language) -> Section:
    say = translator(language)
    names = [row.name for row in comparison.variants]
    classes = list(dict.fromkeys(row.error_class for row in comparison.error_classes))
    found = {(row.variant, row.error_class): row for row in comparison.error_classes}
    rows = []
    for error_class in classes:
        cells = [Cell(class_label(error_class, language), explorer(axis="sql", error=error_class))]
        for name in names:
            row = found[name, error_class]
            share = with_interval(row.share, language)
            link = explorer(axis="sql", variant=name, error=error_class) if row.count else ""
            cells.append(Cell(f"{row.count}: {share}", link))
        rows.append(tuple(cells))
    files = places.lines(names, "sql.jsonl")
    why = PageTable(
        say("Why SQL was wrong: questions, and their share in percent"),
        (say("reason"), *names), tuple(rows), (say("95 % intervals in brackets."),),
        (*files, places.table("error_classes")),
    )  # fmt: skip
    outcomes = list(dict.fromkeys(row.outcome for row in comparison.outcomes))
    counts = {(row.variant, row.outcome): row for row in comparison.outcomes}
    rows = []
    for outcome in outcomes:
        cells = [Cell(outcome_label(outcome, language), explorer(axis="sql", outcome=outcome))]
        for name in names:
            link = explorer(axis="sql", variant=name, outcome=outcome)
            known = counts.get((name, outcome))
            cells.append(Cell(str(known.count), link) if known else Cell("0"))
        rows.append(tuple(cells))
    empty = {name: sum(row.both_empty for row in comparison.outcomes if row.variant == name) for name in names}
    if any(empty.values()):
        rows.append((Cell(say("both results empty")), *(Cell(str(empty[name])) for name in names)))
    what = PageTable(
        say("What became of the answers, in questions"), (say("outcome"), *names), tuple(rows), (),
        (*files, places.table("outcomes")),
    )  # fmt: skip
    return Section("reasons", say("Why SQL is wrong"), "", (why, what) if classes else (what,))


def _costs(comparison: Comparison, places: Places, language: Language) -> tuple[PageTable, ...]:
    say = translator(language)
    noted = dict.fromkeys(stage for cost in comparison.costs for stage in cost.stage_seconds)
    stages = [stage for stage in STAGES if stage in noted] + [stage for stage in noted if stage not in STAGES]
    rows = []
    for cost in comparison.costs:
        seconds = [cost.stage_seconds.get(stage) for stage in stages]
        rows.append((
            Cell(cost.variant),
            *(Cell("–" if taken is None else number(taken, language)) for taken in seconds),
            Cell(_count(cost.training_steps)),
            Cell(_count(cost.train_rows)),
            Cell(_count(cost.training_tokens)),
            Cell(_count(cost.prompt_tokens)),
            Cell(_count(cost.generated_tokens)),
            Cell(str(cost.cut_answers)),
        ))  # fmt: skip
    header = (say("variant"), *(say(STAGES[stage]) if stage in STAGES else f"{stage}, s" for stage in stages),
              say("steps"), say("training rows"), say("training tokens"), say("prompt tokens"),
              say("tokens answered"), say("cut answers"))  # fmt: skip
    left_out = [f"{cost.variant}: {cost.left_out_rows}" for cost in comparison.costs if cost.left_out_rows]
    skipped = [f"{cost.variant}: {cost.skipped_steps}" for cost in comparison.costs if cost.skipped_steps]
    notes = [say("Cut answers hit the token limit before they ended.")]
    if left_out:
        notes.append(say("Training rows left out as too long: {counts}.").format(counts=", ".join(left_out)))
    if skipped:
        notes.append(say("Training steps skipped as not finite: {counts}.").format(counts=", ".join(skipped)))
    sources: tuple[Link, ...] = (places.file("manifest.json"), places.table("costs"))
    return (PageTable(say("What it cost"), header, tuple(rows), tuple(notes), sources),)


def _count(value: int | None) -> str:
    """Without separators, so that it can be copied; "–" for what is not known or not there."""
    return str(value) if value else "–"
