"""The first screen: what to do, at what price, how far to trust it, and why not the others; for the stated budget and
for every other that a reader may allow. Nothing is decided here: a budget's pick comes from `verdict_within`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from paretune.analysis.results import BUDGETS, Claim, Comparison, GroupRow, UnitVerdict
from paretune.analysis.verdict import verdict_within
from paretune.findings import Finding, count_by_level
from paretune.report.names import short_names
from paretune.report.page.figure import (
    NARROW,
    WIDE,
    Drawing,
    Frame,
    Point,
    Words,
    paths_of,
    whisker,
    whisker_scale,
)
from paretune.report.page.links import CHANGED
from paretune.report.page.parts import Link, explorer
from paretune.report.target_words import clusters_counted, target_say
from paretune.report.verdict import accuracy_after, headline, loss_sentence, stated, unit_label
from paretune.text import Voice

MOST_REASONS = 3  # shown at once
SERIES = 7  # colours
AGAINST = {
    "gain not shown": "first.gain-not-shown",
    "loss on the target": "first.target-loss",
    "loss shown": "first.loss-shown",
    "loss cannot be ruled out": "first.loss-open",
    "loss not measurable": "first.not-measurable",
    "smaller gain": "first.smaller-gain",
}
GRAVE = {"ruled out": "good", "shown": "bad", "cannot be ruled out": "doubt", "not measurable": "doubt", "": ""}


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the three answers. tone: "good", "bad" or "doubt"; more: further lines; href: where its line leads."""

    label: str
    value: str
    line: str
    tone: str
    more: tuple[str, ...] = ()
    href: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a variant is not the pick. allow: position of the least budget with which it would be, None for none."""

    variant: str
    sentence: str
    allow: int | None
    allow_words: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Questions that the variant answers otherwise than the base model: their counts, which lead to them."""

    variant: str
    parts: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One variant in the compact table. key: the same in every language and drawing."""

    key: str
    name: str
    short: str
    note: str
    href: str
    accuracy: str
    gain: str
    gain_whisker: str
    is_gain_shown: bool
    suite: str
    change: str
    change_whisker: str
    loss: str
    tone: str
    is_pick: bool


@dataclass(frozen=True, slots=True)
class Within:
    """What is said with one budget. line: where it lies in the wide and in the narrow drawing, in pixels; explored:
    that this is not the stated one, "" where it is."""

    points: float
    said: str
    headline: str
    explored: str
    tiles: tuple[Tile, ...]
    rows: tuple[Row, ...]
    reasons: tuple[Reason, ...]
    more_reasons: tuple[Reason, ...]
    changed: Changed | None
    beyond: str
    line: tuple[float, float]
    pick: str


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """Everything above the first table. heads: of the compact table; base: its first row; stated: position of the
    stated budget in `budgets`, one of which is shown at a time. wide, narrow: the drawing, "" without variants."""

    heads: tuple[str, ...]
    base: tuple[str, ...]
    budgets: tuple[Within, ...]
    stated: int
    wide: str
    narrow: str

    @property
    def shown(self) -> Within:
        """With the budget that was stated."""
        return self.budgets[self.stated]


def first_screen(comparison: Comparison, findings: Sequence[Finding], voice: Voice, audit: str) -> FirstScreen:
    """The first screen in one language. audit: link to the findings."""
    if not comparison.has_target:
        return _without_target(comparison, findings, voice, audit)
    stated_points = comparison.verdict.terms.budget_points
    points = sorted({*BUDGETS, stated_points}) if comparison.units else [stated_points]
    ladder = [replace(comparison, verdict=verdict_within(comparison.verdict, budget)) for budget in points]
    picks = [one.verdict.pick.unit.name if one.verdict.pick else "" for one in ladder]
    drawing = _drawing(comparison, points, voice)
    lines = [drawing.lines(frame, stated_points) for frame in (WIDE, NARROW)]
    at = points.index(stated_points)
    budgets = tuple(
        _within(one, findings, voice, audit, picks, points, (lines[0][number], lines[1][number]), number == at)
        for number, one in enumerate(ladder)
    )
    return FirstScreen(
        heads=_heads(comparison, voice),
        base=_base_row(comparison, voice),
        budgets=budgets,
        stated=at,
        wide=_svg(drawing, WIDE, comparison),
        narrow=_svg(drawing, NARROW, comparison),
    )


def _without_target(comparison: Comparison, findings: Sequence[Finding], voice: Voice, audit: str) -> FirstScreen:
    """Of logs, where nothing is picked: the sentence, and what one variant did on each suite."""
    units = comparison.verdict.units
    suites = units[0].unit.general if len(units) == 1 else ()
    tiles = [
        Tile(claim.benchmark, _levels(comparison, claim, voice),
             voice.say("first.loss-line", change=claim.interval, loss=loss_sentence(claim.budget, voice)),
             GRAVE[claim.budget.verdict])
        for claim in suites
        if claim.budget is not None
    ]  # fmt: skip
    said = headline(comparison, voice)
    tiles.append(_trust(comparison, None, findings, voice, audit))
    only = Within(comparison.verdict.terms.budget_points, "", said, "", tuple(tiles), (), (), (), None, "", (0, 0), "")
    return FirstScreen((), (), (only,), 0, "", "")


def _svg(drawing: Drawing, frame: Frame, comparison: Comparison) -> str:
    verdict = comparison.verdict
    if not drawing.points:
        return ""
    return drawing.svg(frame, verdict.terms.budget_points, _key(comparison, verdict.pick) if verdict.pick else None)


def _within(
    comparison: Comparison,
    findings: Sequence[Finding],
    voice: Voice,
    audit: str,
    picks: Sequence[str],
    points: Sequence[float],
    line: tuple[float, float],
    is_stated: bool,
) -> Within:
    verdict, budget = comparison.verdict, stated(comparison.verdict.terms.budget_points)
    reasons = _reasons(comparison, voice, picks, points)
    kept = 0 if verdict.pick is None else 1  # with a pick, what gains less needs no line of its own
    shown = [reason for reason in reasons if not (kept and reason[0] == "smaller gain")][:MOST_REASONS]
    explored = "" if is_stated else voice.say("first.explored", budget=budget)
    return Within(
        points=comparison.verdict.terms.budget_points,
        said=voice.say("first.points", budget=budget),
        headline=headline(comparison, voice),
        explored=explored,
        tiles=_tiles(comparison, findings, voice, audit),
        rows=_rows(comparison, voice),
        reasons=tuple(reason for _, reason in shown),
        more_reasons=tuple(reason for pair in reasons if pair not in shown for reason in pair[1:]),
        changed=_changed(comparison, voice),
        beyond=voice.say("first.beyond", budget=budget),
        line=line,
        pick=_key(comparison, verdict.pick) if verdict.pick else "",
    )


def _tiles(comparison: Comparison, findings: Sequence[Finding], voice: Voice, audit: str) -> tuple[Tile, ...]:
    subject = comparison.verdict.subject
    if subject is None:
        return (*_base_tiles(comparison, voice), _trust(comparison, None, findings, voice, audit))
    return (
        _target_tile(comparison, subject, voice),
        _general_tile(comparison, subject, voice),
        _trust(comparison, subject, findings, voice, audit),
    )


def _target_tile(comparison: Comparison, subject: UnitVerdict, voice: Voice) -> Tile:
    target = subject.unit.leading
    before, after = comparison.variants[0].leading.estimate, accuracy_after(comparison, subject.unit)
    tone = {"gain shown": "good", "loss shown": "bad"}.get(target.finding, "doubt")
    if target.finding == "not shown":
        line = voice.say("first.no-change", change=target.interval)
    else:
        line = voice.say("first.gain-line", change=target.interval, finding=voice.say(f"change:{target.finding}"))
    return Tile(_labelled(comparison, subject, _target_label(comparison, voice), voice), _arrow(before, after, voice),
                line, tone)  # fmt: skip


def _general_tile(comparison: Comparison, subject: UnitVerdict, voice: Voice) -> Tile:
    worst = subject.worst
    assert worst.budget is not None  # primary claims are on general suites
    label = _suite_label(comparison, worst, len(subject.unit.primary), voice)
    others = [claim for claim in subject.unit.general if claim is not worst]
    more = tuple(
        voice.say("first.other-suite", suite=_place(comparison, claim, voice), levels=_levels(comparison, claim, voice),
                  change=claim.interval)
        for claim in others
    )  # fmt: skip
    line = voice.say("first.loss-line", change=worst.interval, loss=loss_sentence(worst.budget, voice))
    return Tile(_labelled(comparison, subject, label, voice), _levels(comparison, worst, voice), line,
                GRAVE[worst.budget.verdict], more)  # fmt: skip


def _base_tiles(comparison: Comparison, voice: Voice) -> tuple[Tile, Tile]:
    row = comparison.variants[0]
    others = tuple(
        f"{table.suite}, {voice.say(table.method)}: {voice.interval(one.accuracy)} %"
        for table in comparison.suites
        for one in table.rows
        if one.kind == "all" and one.variant == row.name and not table.is_main
    )
    first, second = (
        Tile(label, f"{voice.number(figure.estimate)} %",
             voice.say("first.interval", low=figure.low, high=figure.high), "", more)
        for label, figure, more in (
            (_target_label(comparison, voice), row.leading, ()),
            (voice.say("first.suite", suite=comparison.main_suite, questions=row.general.n), row.general, others),
        )
    )  # fmt: skip
    return first, second


def _trust(
    comparison: Comparison, subject: UnitVerdict | None, findings: Sequence[Finding], voice: Voice, audit: str
) -> Tile:
    """The gravest level of the audit, and how many trainings stand behind what is said."""
    counts = count_by_level(findings)
    value = voice.say("Do not quote" if counts["invalid"] else "Usable with care" if counts["warning"] else "Usable")
    if subject is not None and subject.unit.seeds[0] is not None:
        value += ", " + voice.say("first.seeds", count=len(set(subject.unit.seeds)))
    line = voice.say("first.audit", invalid=counts["invalid"], warnings=counts["warning"], notes=counts["note"])
    tone = "bad" if counts["invalid"] else "doubt" if counts["warning"] else "good"
    more = (voice.say("first.these"),) if comparison.verdict.scope == "these" else ()
    return Tile(voice.say("How far to trust it"), value, line, tone, more, audit)


def _labelled(comparison: Comparison, subject: UnitVerdict, label: str, voice: Voice) -> str:
    """A tile about a variant that is not the pick says whose figures it holds."""
    if comparison.verdict.pick is not None:
        return label
    if len(comparison.units) == 1:
        return f"{unit_label(subject.unit, voice)} · {label}"
    codes = {"gain shown": "first.of-largest-gain", "loss shown": "first.of-smallest-loss"}
    code = codes.get(subject.unit.leading.finding, "first.of-largest-change")
    return voice.say(code, variant=unit_label(subject.unit, voice), label=label)


def _target_label(comparison: Comparison, voice: Voice) -> str:
    tell = target_say(comparison.facets, voice)
    text = tell(
        "first.target",
        accuracy=tell("first.accuracy"),
        benchmark=comparison.target_benchmark,
        questions=comparison.questions,
        **clusters_counted(comparison.facets, voice, comparison.clusters),
    )
    return text[:1].upper() + text[1:]


def _suite_label(comparison: Comparison, claim: Claim, suites: int, voice: Voice) -> str:
    asked = _all_questions(comparison, claim)[_base(comparison)].accuracy.n
    code = "first.suite" if suites == 1 else "first.worst-suite"
    return voice.say(code, suite=_place(comparison, claim, voice), questions=asked, suites=suites)


def _base(comparison: Comparison) -> str:
    """The base model's name."""
    return comparison.variants[0].name


def _place(comparison: Comparison, claim: Claim, voice: Voice) -> str:
    """A suite by name, with its method where one suite is asked by several."""
    methods = {table.method for table in comparison.suites if table.suite == claim.benchmark}
    return claim.benchmark if len(methods) == 1 else f"{claim.benchmark}, {voice.say(claim.method)}"


def _all_questions(comparison: Comparison, claim: Claim) -> dict[str, GroupRow]:
    table = next(one for one in comparison.suites if (one.suite, one.method) == (claim.benchmark, claim.method))
    return {row.variant: row for row in table.rows if row.kind == "all"}


def _levels(comparison: Comparison, claim: Claim, voice: Voice) -> str:
    """Accuracy on the claim's suite before and after."""
    before = _all_questions(comparison, claim)[_base(comparison)].accuracy.estimate
    return _arrow(before, before + claim.interval.estimate, voice)


def _arrow(before: float, after: float, voice: Voice) -> str:
    return f"{voice.number(before)} % → {voice.number(after)} %"


def _heads(comparison: Comparison, voice: Voice) -> tuple[str, ...]:
    """Variant, accuracy, gain, its whisker, general change, its whisker, loss."""
    say, tell = voice.say, target_say(comparison.facets, voice)
    accuracy = tell("first.accuracy")
    return (
        say("variant"),
        f"{accuracy[:1].upper()}{accuracy[1:]}, %",
        say("gain"),
        "",
        say("general change"),
        "",
        say("claims.loss-beyond", margin=stated(comparison.verdict.terms.budget_points)),
    )


def _base_row(comparison: Comparison, voice: Voice) -> tuple[str, ...]:
    row = comparison.variants[0]
    return (voice.say("base model"), voice.number(row.leading.estimate), comparison.main_suite,
            f"{voice.number(row.general.estimate)} %")  # fmt: skip


def _rows(comparison: Comparison, voice: Voice) -> tuple[Row, ...]:
    verdict = comparison.verdict
    short = dict(zip([item.unit.name for item in verdict.units], _short(comparison, voice), strict=True))
    gains = {item.unit.name: item.unit.leading.interval for item in verdict.units}
    changes = {item.unit.name: item.worst.interval for item in verdict.units}
    if not verdict.units:
        return ()
    budget = verdict.terms.budget_points
    across, along = whisker_scale(gains), whisker_scale(changes, budget)
    several = len(verdict.units[0].unit.primary) > 1
    rows = []
    for item in verdict.units:
        unit, worst = item.unit, item.worst
        series = _series(comparison, unit.variants[0])
        loss = worst.budget.verdict if worst.budget else ""
        rows.append(
            Row(
                key=_key(comparison, item),
                name=unit_label(unit, voice),
                short="" if short[unit.name] == unit_label(unit, voice) else short[unit.name],
                note=_note(comparison, item, voice),
                href=_link(comparison, item),
                accuracy=voice.number(accuracy_after(comparison, unit)),
                gain=voice.points(unit.leading.interval.estimate, signed=True),
                gain_whisker=whisker(unit.leading.interval, across, series),
                is_gain_shown=unit.leading.finding == "gain shown",
                suite=_place(comparison, worst, voice) if several else "",
                change=voice.points(worst.interval.estimate, signed=True),
                change_whisker=whisker(worst.interval, along, series, budget),
                loss=voice.say(f"margin:{loss}") if loss else "",
                tone=GRAVE[loss],
                is_pick=item is verdict.pick or (verdict.pick is not None and unit == verdict.pick.unit),
            )
        )
    gained = [item.unit.leading.interval.estimate for item in verdict.units]
    return tuple(rows[at] for at in sorted(range(len(rows)), key=lambda at: -gained[at]))


def _note(comparison: Comparison, item: UnitVerdict, voice: Voice) -> str:
    """What a scale, a checkpoint or a repair is of."""
    row = next(row for row in comparison.variants if row.name == item.unit.variants[0])
    if row.repair is not None and row.source:
        return voice.say("first.repair", variant=row.source, repair=row.repair)
    if row.kind == "checkpoint" and row.checkpoint is not None and row.source:
        return voice.say("first.checkpoint", step=row.checkpoint, variant=row.source)
    if row.kind == "scaled" and row.adapter_scale is not None and row.source:
        return voice.say("first.scale", scale=voice.marked(f"{row.adapter_scale:g}"), variant=row.source)
    return ""


def _reasons(
    comparison: Comparison, voice: Voice, picks: Sequence[str], points: Sequence[float]
) -> list[tuple[str, Reason]]:
    """Reason code and sentence of every unit that is not the pick, the largest gain first."""
    budget = stated(comparison.verdict.terms.budget_points)
    others = [item for item in comparison.verdict.units if item.reason]
    others.sort(key=lambda item: -item.unit.leading.interval.estimate)
    found = []
    for item in others:
        sentence = voice.say(
            AGAINST[item.reason],
            gain=item.unit.leading.interval.estimate,
            gained=item.unit.leading.interval,
            change=item.worst.interval,
            low=item.worst.interval.low,
            suite=_place(comparison, item.worst, voice),
            budget=budget,
        )
        allow = _allowed(item.unit.name, picks, points, comparison.verdict.terms.budget_points)
        words = "" if allow is None else voice.say("first.allow", budget=stated(points[allow]))
        found.append((str(item.reason), Reason(unit_label(item.unit, voice), sentence, allow, words)))
    return found


def _allowed(name: str, picks: Sequence[str], points: Sequence[float], budget: float) -> int | None:
    """The least larger budget with which the unit is the pick."""
    larger = (at for at, pick in enumerate(picks) if pick == name and points[at] > budget)
    return next(larger, None)


def _changed(comparison: Comparison, voice: Voice) -> Changed | None:
    subject = comparison.verdict.subject
    if subject is None or subject.unit.is_recipe:
        return None
    name, axis = subject.unit.name, comparison.facets.lines
    difference = comparison.difference(name, "target")
    if difference is None:
        return None
    sides = (("first.gained", "gained", difference.gained), ("first.lost", "lost", difference.lost))
    parts = tuple(
        Link(voice.say(code, count=len(ids)), explorer(axis=axis, variant=name, flip=flip) if ids else "")
        for code, flip, ids in sides
    )
    return Changed(unit_label(subject.unit, voice), parts)


def _drawing(comparison: Comparison, points: Sequence[float], voice: Voice) -> Drawing:
    units = comparison.verdict.units
    short = _short(comparison, voice)
    unit_of = {variant: _key(comparison, item) for item in units for variant in item.unit.variants}
    return Drawing(
        tuple(_point(comparison, item, label, voice) for item, label in zip(units, short, strict=True)),
        paths_of([curve.variants for curve in comparison.plane.curves], unit_of),
        tuple(points),
        _words(comparison, voice),
        voice,
    )


def _point(comparison: Comparison, item: UnitVerdict, label: str, voice: Voice) -> Point:
    unit, worst = item.unit, item.worst
    row = next(row for row in comparison.variants if row.name == unit.variants[0])
    told = voice.say("first.point", variant=unit_label(unit, voice), gain=unit.leading.interval,
                     suite=_place(comparison, worst, voice), change=worst.interval)  # fmt: skip
    seeds = []
    for name in unit.variants if unit.is_recipe else ():
        pair = [one for one in comparison.differences if one.second == name and one.first == _base(comparison)]
        gain = next(one for one in pair if one.axis == "target")
        change = next(one for one in pair if (one.benchmark, one.method) == (worst.benchmark, worst.method))
        seeds.append((gain.interval.estimate, change.interval.estimate))
    return Point(
        key=_key(comparison, item),
        label=label,
        told=told,
        href=_link(comparison, item),
        gain=unit.leading.interval,
        change=worst.interval,
        series=_series(comparison, row.name),
        derived=row.source is not None,
        seeds=tuple(seeds),
    )


def _words(comparison: Comparison, voice: Voice) -> Words:
    say, tell = voice.say, target_say(comparison.facets, voice)
    accuracy, base = tell("first.accuracy"), comparison.variants[0]
    suites = sorted({claim.benchmark for unit in comparison.units for claim in unit.primary})
    place = suites[0] if len(suites) == 1 else say("worst suite")
    levels = ((accuracy, base.leading.estimate), (comparison.main_suite, base.general.estimate))
    return Words(
        described=say("Gain and loss against the baseline"),
        x=say("first.x", accuracy=accuracy),
        y=say("first.y", suite=place),
        better=say("better"),
        base=(say("base model"), *(say("first.base", what=what, accuracy=level) for what, level in levels)),
        beyond=say("first.beyond", budget=stated(comparison.verdict.terms.budget_points)),
        pick=say("decision:pick"),
    )


def _short(comparison: Comparison, voice: Voice) -> list[str]:
    units = comparison.units
    short = dict(zip([row.name for row in comparison.variants[1:]],
                     short_names([row.name for row in comparison.variants[1:]]), strict=True))  # fmt: skip
    return [unit_label(replace(unit, variants=tuple(short[name] for name in unit.variants)), voice) for unit in units]


def _key(comparison: Comparison, item: UnitVerdict) -> str:
    return f"u{[unit.name for unit in comparison.units].index(item.unit.name)}"


def _series(comparison: Comparison, variant: str) -> int:
    """The colour of a variant: one per adapter, its scales and checkpoints in the same."""
    sources = [row.name for row in comparison.variants[1:] if row.source is None]
    row = next(row for row in comparison.variants if row.name == variant)
    name = row.source or row.name
    return sources.index(name) % SERIES if name in sources else SERIES - 1


def _link(comparison: Comparison, item: UnitVerdict) -> str:
    """The questions that a unit answers otherwise than the base model; of a recipe of several there is no one list."""
    if item.unit.is_recipe:
        return ""
    return explorer(axis=comparison.facets.lines, variant=item.unit.name, **CHANGED)
