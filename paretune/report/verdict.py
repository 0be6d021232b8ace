"""The verdict in words, for the page, the terminal and the tables: everything is quoted from one `Verdict`.

Subject first, number second; a loss beyond the margin is ruled out, cannot be ruled out, or is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paretune.analysis.results import Claim, Comparison, SuiteTable, UnitRow, UnitVerdict, Verdict
from paretune.findings import Finding as AuditFinding
from paretune.findings import count_by_level
from paretune.report.screen import FILE, Screen
from paretune.report.target_words import target_say
from paretune.report.text_table import Table
from paretune.run.claims import Change
from paretune.stats.claims import CLEAR_BY, LossTest
from paretune.stats.family import ALONE
from paretune.text import Voice


@dataclass(frozen=True, slots=True)
class VerdictText:
    """variant: the unit that the sentences are about, "" with the baseline alone. headline: what to do; gain, general:
    the two sentences; basis: what they rest on, and what speaks against them."""

    variant: str
    headline: str
    gain: str
    general: str
    basis: tuple[str, ...]


def verdict_text(comparison: Comparison, voice: Voice) -> VerdictText:
    """What a reader should take away if they read nothing else."""
    subject = comparison.verdict.subject
    if subject is None:
        return _baseline_alone(comparison, voice)
    if not comparison.has_target:
        return _of_suites(comparison, voice)
    return VerdictText(
        variant=subject.unit.name,
        headline=headline(comparison, voice),
        gain=_gain(comparison, subject, voice),
        general=general_sentence(subject.worst, len(subject.unit.primary), voice),
        basis=tuple(_basis(comparison, subject, voice)),
    )


def headline(comparison: Comparison, voice: Voice) -> str:
    """What to do, in one sentence: the pick with its gain, or the base model with the reason."""
    verdict = comparison.verdict
    if not comparison.has_target:
        return _of_suites(comparison, voice).headline
    if verdict.subject is None:
        return _baseline_alone(comparison, voice).headline
    if verdict.pick is None:
        return voice.say(_why_base(verdict), budget=stated(verdict.terms.budget_points))
    tell, unit = target_say(comparison.facets, voice), verdict.pick.unit
    return voice.say(
        "first.use",
        variant=unit_label(unit, voice),
        gain=unit.leading.interval.estimate,
        accuracy=tell("first.accuracy"),
        budget=stated(verdict.terms.budget_points),
    )


def unit_label(unit: UnitRow, voice: Voice) -> str:
    """A unit by its variant; a recipe of several by the first of them and the number of its seeds."""
    if not unit.is_recipe:
        return unit.variants[0]
    return voice.say("first.recipe", variant=unit.variants[0], count=len(set(unit.seeds)))


def accuracy_after(comparison: Comparison, unit: UnitRow) -> float:
    """The unit's accuracy on the target in percent; of a recipe, its mean."""
    if unit.is_recipe:
        return comparison.variants[0].leading.estimate + unit.leading.interval.estimate
    return next(row.leading.estimate for row in comparison.variants if row.name == unit.name)


def general_sentence(claim: Claim, suites: int, voice: Voice) -> str:
    """What became of general accuracy on the suite that must be quoted, and whether a loss is ruled out there."""
    code = "verdict.general" if suites == 1 else "verdict.general-worst"
    change = voice.say(code, suite=claim.benchmark, suites=suites, change=claim.interval)
    return f"{change} {loss_sentence(_test(claim), voice)}"


def worst_subject(comparison: Comparison, variant: str, voice: Voice) -> tuple[str, ...]:
    """Where a variant loses most, and what is ruled out in every subject of the main suite; none of one subject."""
    rows = [row for row in comparison.subjects if row.variant == variant]
    if len(rows) < 2:
        return ()
    worst, bound = min(rows, key=lambda row: row.together.low), min(row.together.low for row in rows)
    return (
        voice.say(
            "verdict.worst-subject",
            variant=variant,
            suite=comparison.main_suite,
            subjects=len(rows),
            subject=worst.subject.replace("_", " "),
            change=worst.together,
            bound=max(0.0, -bound),
        ),
    )


def loss_sentence(test: LossTest, voice: Voice) -> str:
    """Whether a loss beyond the margin is ruled out."""
    codes = {
        "ruled out": "verdict.ruled-out",
        "cannot be ruled out": "verdict.not-ruled-out",
        "shown": "verdict.loss-shown",
        "not measurable": "verdict.near-chance",
    }
    code, losable = codes[test.verdict], 0.0
    if test.sensitivity is not None:
        losable = max(0.0, test.sensitivity.losable)
        if test.verdict == "not measurable" and test.sensitivity.limit == "ceiling":
            code = "verdict.near-ceiling"
    clear = stated(CLEAR_BY * test.margin)
    return voice.say(code, margin=stated(test.margin), losable=losable, clear=clear, times=CLEAR_BY)


def claims_table(comparison: Comparison, voice: Voice) -> Table:
    """Both axes of every unit in one row, and why it is the pick or not; without a target every suite in one row."""
    say, verdict = voice.say, comparison.verdict
    if not comparison.has_target:
        return _suites_table(comparison, voice)
    lost = say("claims.loss-beyond", margin=stated(verdict.terms.margin_points))
    header = (
        say("variant"), say("gain"), say("p (family)"), say("finding"), say("worst suite"), say("change"), lost,
        say("decision"),
    )  # fmt: skip
    rows = tuple(_claims_row(item, voice) for item in verdict.units)
    rule = say("claims.pick", budget=stated(verdict.terms.budget_points))
    notes = (*family_notes(verdict, voice), rule, *change_notes(verdict.changes, voice))
    return Table(say("What is claimed, in points against the baseline"), header, rows, notes)


def _claims_row(item: UnitVerdict, voice: Voice) -> tuple[str, ...]:
    say, target, worst = voice.say, item.unit.leading, item.worst
    return (
        item.unit.name,
        voice.interval(target.interval, signed=True),
        voice.p_value(target.family_p),
        say(f"change:{target.finding}"),
        worst.benchmark,
        voice.interval(worst.interval, signed=True),
        say(f"margin:{worst.loss.verdict}") if worst.loss else "",
        say(f"decision:{item.reason or 'pick'}"),
    )


def _suites_table(comparison: Comparison, voice: Voice) -> Table:
    """Every unit on every suite: what changed, what that shows, and whether a loss beyond the margin is ruled out."""
    say, verdict = voice.say, comparison.verdict
    header = (
        say("variant"), say("suite"), say("change"), say("p (family)"), say("detectable"), say("finding"),
        say("claims.loss-beyond", margin=stated(verdict.terms.margin_points)),
    )  # fmt: skip
    rows = tuple(
        (
            item.unit.name,
            claim.benchmark,
            voice.interval(claim.interval, signed=True),
            voice.p_value(claim.family_p),
            "–" if claim.detectable is None else voice.number(claim.detectable),
            say(f"change:{claim.finding}"),
            say(f"margin:{_test(claim).verdict}"),
        )
        for item in verdict.units
        for claim in item.unit.general
    )
    title = say("claims.suites", base=comparison.variants[0].name)
    return Table(title, header, rows, family_notes(verdict, voice))


def family_notes(verdict: Verdict, voice: Voice) -> tuple[str, ...]:
    """Which comparisons the intervals hold for, and where Holm's p would decide otherwise."""
    say, level = voice.say, stated(100 * verdict.terms.level)
    if not verdict.units:
        return ()
    method = verdict.units[0].unit.leading.family_method
    if method == ALONE:
        notes = [say("claims.alone", level=level)]
    else:
        code = "claims.family" if verdict.units[0].unit.target else "claims.family-suites"
        notes = [say(code, level=level, count=verdict.planned, method=say(f"family:{method}"))]
    limit = 1 - verdict.terms.level
    for item in verdict.units:
        claim = item.unit.leading
        if (claim.family_p < limit) != (claim.holm_p < limit):
            notes.append(
                say(
                    "claims.holm-differs",
                    variant=item.unit.name,
                    family=claim.family_p,
                    method=say(f"family:{method}"),
                    holm=claim.holm_p,
                )
            )
    return tuple(notes)


def change_notes(changes: Sequence[Change], voice: Voice) -> tuple[str, ...]:
    """What was changed since answers were there, what is missing, and what was evaluated again."""
    codes = {
        "variants added": "claims.variants-added",
        "variants removed": "claims.variants-removed",
        "variants without answers": "claims.variants-missing",
        "suites without answers": "claims.suites-missing",
        "evaluations repeated": "claims.repeated",
        "searched": "claims.searched",
    }
    notes = []
    for change in changes:
        if change.what in codes:
            notes.append(voice.say(codes[change.what], before=change.before, after=change.after))
            continue
        empty = voice.say("none stated" if change.what == "margin's reason" else "all")
        before, after = change.before or empty, change.after or empty
        notes.append(voice.say("claims.changed", what=voice.say(change.what), before=before, after=after))
    return tuple(notes)


def closing_text(
    comparison: Comparison,
    findings: Sequence[AuditFinding],
    folder: Path | None,
    voice: Voice,
    page: Path | None,
    screen: Screen = FILE,
) -> str:
    """The end of a run or a comparison in the terminal: the verdict, the gravest findings of the audit, the page.

    folder: the run's; None for logs of others, whose findings are all said here.
    """
    say, text = voice.say, verdict_text(comparison, voice)
    lines = [screen.inked(say("Verdict").upper(), "bold")]
    lines += [screen.inked(line, "bold") for line in screen.wrapped(text.gain)] + screen.wrapped(text.general)
    lines += [row for line in text.basis for row in screen.wrapped(line, "  ", "    ")] + [""]
    for finding in findings:
        if finding.level == "invalid" or (folder is None and finding.level == "warning"):
            evidence, advice = finding.say(voice)
            grave = screen.wrapped(f"{say(finding.level).upper()}: {evidence}")
            lines += [screen.inked(line, "red") for line in grave]
            lines += screen.wrapped(f"{say('what to do')}: {advice}", "  ", "    ")
    counts = count_by_level(findings)
    if counts["invalid"] or counts["warning"]:
        audited = say(
            "terminal.audit",
            invalid=counts["invalid"],
            warnings=counts["warning"],
            notes=counts["note"],
            folder=str(folder),
        )
    else:
        audited = say("Audit: nothing found that would invalidate these figures.")
    if folder is not None or not (counts["invalid"] or counts["warning"]):
        # a path is not broken, and does not decide where the others break
        path = str(folder)
        lines += [line.replace("FOLDER", path) for line in screen.wrapped(audited.replace(path, "FOLDER"))]
    if page is not None:
        lines.append(say("terminal.page", path=str(page.resolve())))
    elif folder is not None:
        lines.append(say("terminal.no-page", folder=str(folder)))
    return "\n".join(lines) + "\n"


def stated(value: float) -> int | float:
    """A number as it was stated: 1 rather than 1.0, so that a language says "1 point".

    >>> stated(1.0), stated(2.5)
    (1, 2.5)
    """
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _baseline_alone(comparison: Comparison, voice: Voice) -> VerdictText:
    row = comparison.variants[0]
    gain = ""
    if row.target is not None:
        gain = voice.say("verdict.baseline", accuracy=row.target, benchmark=comparison.target_benchmark)
    general = voice.say("verdict.baseline-general", accuracy=row.general, suite=comparison.main_suite)
    basis = (voice.say("95 % intervals in brackets."), *change_notes(comparison.verdict.changes, voice))
    return VerdictText("", gain or general, gain, general, basis)


def _of_suites(comparison: Comparison, voice: Voice) -> VerdictText:
    """Where no benchmark is the target: what every variant gains and loses on all suites, the worst one quoted."""
    units = comparison.verdict.units
    basis = (*change_notes(comparison.verdict.changes, voice), *family_notes(comparison.verdict, voice))
    basis += tuple(dict.fromkeys(note for suite in comparison.suites for note in suite_notes(suite, voice)))
    gain = " ".join(_changes(item.unit, comparison, voice) for item in units)
    return VerdictText(
        variant=units[0].unit.name if len(units) == 1 else "",
        headline=gain,
        gain=gain,
        general=" ".join(_worst(item, len(units) > 1, voice) for item in units),
        basis=basis,
    )


def _changes(unit: UnitRow, comparison: Comparison, voice: Voice) -> str:
    say, base = voice.say, comparison.variants[0].name
    if len(unit.general) == 1:
        (claim,) = unit.general
        shown, suite = say(f"change:{claim.finding}"), claim.benchmark
        return say("verdict.suite", variant=unit.name, base=base, suite=suite, change=claim.interval, shown=shown)
    gained, lost = (
        tuple(claim.benchmark for claim in unit.general if claim.finding == shown) or say("no suite")
        for shown in ("gain shown", "loss shown")
    )
    return say("verdict.suites", variant=unit.name, base=base, suites=len(unit.general), gained=gained, lost=lost)


def _worst(item: UnitVerdict, is_named: bool, voice: Voice) -> str:
    suites, sentence = len(item.unit.primary), loss_sentence(_test(item.worst), voice)
    if suites > 1:
        said = voice.say("verdict.worst-suite", suite=item.worst.benchmark, suites=suites, change=item.worst.interval)
        sentence = f"{said} {sentence}"
    return f"{item.unit.name}: {sentence}" if is_named else sentence


def suite_notes(suite: SuiteTable, voice: Voice) -> tuple[str, ...]:
    """What a reader must know of a suite that others logged."""
    if suite.chance is not None or suite.method != "logged":
        return ()
    return (voice.say("claims.chance-unknown", suite=suite.suite),)


def _gain(comparison: Comparison, subject: UnitVerdict, voice: Voice) -> str:
    verdict, target = comparison.verdict, subject.unit.leading
    base = comparison.variants[0].leading.estimate

    def said(code: str) -> str:
        return voice.say(
            code,
            variant=subject.unit.name,
            change=target.interval,
            benchmark=comparison.target_benchmark,
            before=base,
            after=accuracy_after(comparison, subject.unit),
            detectable=target.detectable or 0.0,
        )

    if verdict.pick is not None:
        return said("verdict.pick")
    keep = voice.say(_why_base(verdict), budget=stated(verdict.terms.budget_points))
    if target.finding == "gain shown":
        return f"{keep} {said('verdict.largest-gain')}"
    reach = "verdict.nothing-detectable" if target.detectable is None else "verdict.detectable"
    return f"{keep} {said('verdict.largest-change')} {said(reach)}"


def _why_base(verdict: Verdict) -> str:
    gains = [item for item in verdict.units if item.unit.leading.finding == "gain shown"]
    if all(item.unit.leading.finding == "loss shown" for item in verdict.units):
        return "verdict.base-all-worse"
    if not gains:
        return "verdict.base-no-gain"
    return "verdict.base-all-lose" if all(item.reason == "loss shown" for item in gains) else "verdict.base-no-evidence"


def _basis(comparison: Comparison, subject: UnitVerdict, voice: Voice) -> list[str]:
    say, tell, verdict = voice.say, target_say(comparison.facets, voice), comparison.verdict
    lines = list(change_notes(verdict.changes, voice))
    if verdict.scope == "these":
        lines.append(tell("table.these-clusters"))
    lines += family_notes(verdict, voice)
    others = [item for item in verdict.units if item.reason]
    if others:
        reasons = "; ".join(f"{item.unit.name}: {say(f'decision:{item.reason}')}" for item in others)
        lines.append(say("verdict.not-picked", reasons=reasons))
    if verdict.split is not None:
        lines.append(
            tell(
                "table.target-split",
                count=len(verdict.units),
                choosing=verdict.split.choosing_gain,
                judging=verdict.split.judging_gain,
                splits=verdict.split.splits,
            )
        )
    if not subject.unit.is_recipe:
        lines += worst_subject(comparison, subject.unit.name, voice)
    return lines + _seed_lines(subject.unit, voice)


def _seed_lines(unit: UnitRow, voice: Voice) -> list[str]:
    lines = [voice.say("verdict.missing-seeds", names=unit.missing)] if unit.missing else []
    if unit.caveat.startswith("one seed"):
        lines.append(
            voice.say(
                "Trained once (one seed): this is a result about this adapter. Training it again may give another."
            )
        )
    elif unit.caveat:
        lines.append(voice.say("Two seeds: the variance between seeds is hardly known."))
    return lines


def _test(claim: Claim) -> LossTest:
    """Of the pick's budget, which is the margin unless the experiment names another."""
    assert claim.budget is not None  # claims on suites have one
    return claim.budget
