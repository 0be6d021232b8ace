"""The verdict in words, for the page, the terminal and the tables: everything is quoted from one `Verdict`.

Subject first, number second; a loss beyond the margin is ruled out, cannot be ruled out, or is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paretune.analysis.audit.findings import Finding as AuditFinding
from paretune.analysis.results import Claim, Comparison, UnitRow, UnitVerdict, Verdict
from paretune.report.text_table import Table, p_value, with_interval
from paretune.run.claims import Change
from paretune.stats.claims import LossTest
from paretune.stats.family import ALONE
from paretune.text.language import Language, in_number, number, translator


@dataclass(frozen=True, slots=True)
class VerdictText:
    """variant: the unit that the sentences are about, "" with the baseline alone. gain, general: the two sentences;
    basis: what they rest on, and what speaks against them."""

    variant: str
    gain: str
    general: str
    basis: tuple[str, ...]


def verdict_text(comparison: Comparison, language: Language) -> VerdictText:
    """What a reader should take away if they read nothing else."""
    verdict = comparison.verdict
    subject = verdict.subject
    if subject is None:
        return _baseline_alone(comparison, language)
    return VerdictText(
        variant=subject.unit.name,
        gain=_gain(comparison, subject, language),
        general=general_sentence(subject.worst, len(subject.unit.primary), language),
        basis=tuple(in_number(line, language) for line in _basis(comparison, subject, language)),
    )


def general_sentence(claim: Claim, suites: int, language: Language) -> str:
    """What became of general accuracy on the suite that must be quoted, and whether a loss is ruled out there."""
    say, test = translator(language), _test(claim)
    where = "{suite}" if suites == 1 else "{suite}, the worst of {suites} suites"
    place = say(where).format(suite=claim.benchmark, suites=suites)
    change = say("General accuracy ({place}): {change} points.").format(
        place=place, change=with_interval(claim.interval, language, signed=True)
    )
    return f"{change} {loss_sentence(test, language)}"


def loss_sentence(test: LossTest, language: Language) -> str:
    """Whether a loss beyond the margin is ruled out."""
    say = translator(language)
    limit = test.sensitivity.limit if test.sensitivity else ""
    sentences = {
        "ruled out": "A loss of more than {margin} points is ruled out.",
        "cannot be ruled out": "A loss of more than {margin} points cannot be ruled out.",
        "shown": "A loss of more than {margin} points is shown.",
        "not measurable": "A loss of more than {margin} points cannot be measured there: the base model is only "
        "{losable} points above chance, errors counted, and that is all it could lose.",
    }
    sentence = sentences[test.verdict]
    if test.verdict == "not measurable" and limit == "ceiling":
        sentence = (
            "A loss of more than {margin} points cannot be measured there: the base model answers nearly everything "
            "correctly, so the questions are too easy to show what is forgotten."
        )
    losable = test.sensitivity.losable if test.sensitivity else 0.0
    text = say(sentence).format(margin=plain(test.margin, language), losable=number(max(0.0, losable), language))
    return in_number(text, language)


def claims_table(comparison: Comparison, language: Language) -> Table:
    """Both axes of every unit in one row, and why it is the pick or not."""
    say, verdict = translator(language), comparison.verdict
    lost = in_number(
        say("loss > {margin} points").format(margin=plain(verdict.terms.margin_points, language)), language
    )
    header = (
        say("variant"), say("gain"), say("p (family)"), say("finding"), say("worst suite"), say("change"), lost,
        say("decision"),
    )  # fmt: skip
    rows = tuple(_claims_row(item, language) for item in verdict.units)
    budget = in_number(
        say("Pick: the largest gain that is shown and whose loss of more than {budget} points is ruled out on every "
            "primary suite.").format(budget=plain(verdict.terms.budget_points, language)),
        language,
    )  # fmt: skip
    notes = (*family_notes(verdict, language), budget, *change_notes(verdict.changes, language))
    return Table(say("What is claimed, in points against the baseline"), header, rows, notes)


def _claims_row(item: UnitVerdict, language: Language) -> tuple[str, ...]:
    say, target, worst = translator(language), item.unit.target, item.worst
    return (
        item.unit.name,
        with_interval(target.interval, language, signed=True),
        p_value(target.family_p, language),
        say(target.finding),
        worst.benchmark,
        with_interval(worst.interval, language, signed=True),
        say(worst.loss.verdict) if worst.loss else "",
        say(item.reason or "pick"),
    )


def family_notes(verdict: Verdict, language: Language) -> tuple[str, ...]:
    """Which comparisons the intervals hold for, and where Holm's p would decide otherwise."""
    say, level = translator(language), plain(100 * verdict.terms.level, language)
    if not verdict.units:
        return ()
    method = verdict.units[0].unit.target.family_method
    if method == ALONE:
        notes = [say("Changes: {level} % intervals in brackets.").format(level=level)]
    else:
        sentence = "Changes: intervals in brackets that hold for all {count} variants together ({level} %; {method})."
        text = say(sentence).format(level=level, count=verdict.planned, method=say(method))
        notes = [in_number(text, language)]
    for item in verdict.units:
        target, limit = item.unit.target, 1 - verdict.terms.level
        if (target.family_p < limit) != (target.holm_p < limit):
            sentence = "{variant}: p is {family_p} by {method}, which decides, and {holm_p} by Holm."
            notes.append(
                say(sentence).format(
                    variant=item.unit.name,
                    family_p=p_value(target.family_p, language),
                    method=say(method),
                    holm_p=p_value(target.holm_p, language),
                )
            )
    return tuple(notes)


def change_notes(changes: Sequence[Change], language: Language) -> tuple[str, ...]:
    """What was changed since answers were there, what is missing, and what was evaluated again."""
    say = translator(language)
    sentences = {
        "variants added": "Changed after the fact: variants added: {after}.",
        "variants removed": "Changed after the fact: variants removed: {before}; they still count in the family.",
        "variants without answers": "Planned but without complete answers: {before}; they still count in the family.",
        "suites without answers": "Planned but without answers: suites {before}.",
        "evaluations repeated": "Evaluated more than once, the former answers are kept as: {before}.",
    }
    notes = []
    for change in changes:
        if change.what in sentences:
            notes.append(say(sentences[change.what]).format(before=change.before, after=change.after))
            continue
        empty = say("none" if change.what == "margin's reason" else "all")
        what = say("Changed after the fact: {what} {before} → {after}.")
        notes.append(what.format(what=say(change.what), before=change.before or empty, after=change.after or empty))
    return tuple(notes)


def closing_text(
    comparison: Comparison, findings: Sequence[AuditFinding], folder: Path, language: Language, page: Path | None
) -> str:
    """The end of a run or a comparison in the terminal: the verdict, the gravest findings of the audit, the page."""
    say, text = translator(language), verdict_text(comparison, language)
    lines = [say("Verdict").upper(), text.gain, text.general, *(f"  {line}" for line in text.basis), ""]
    for finding in findings:
        if finding.level == "invalid":
            evidence, advice = finding.say(language)
            lines += [f"{say(finding.level).upper()}: {evidence}", f"  {say('what to do')}: {advice}"]
    counts = {level: sum(finding.level == level for finding in findings) for level in ("invalid", "warning", "note")}
    if counts["invalid"] or counts["warning"]:
        sentence = (
            "Audit: {invalid} findings that make figures unusable, {warnings} warnings, {notes} notes; `paretune audit "
            "{folder}` tells what to do."
        )
        summary = say(sentence).format(
            invalid=counts["invalid"], warnings=counts["warning"], notes=counts["note"], folder=folder
        )
        lines.append(in_number(summary, language))
    else:
        lines.append(say("Audit: nothing found that would invalidate these figures."))
    if page is not None:
        lines.append(say("page: {path}").format(path=page.resolve()))
    else:
        lines.append(say("page: not written yet; `paretune report {folder}` writes it").format(folder=folder))
    return "\n".join(lines) + "\n"


def plain(value: float, language: Language) -> str:
    """A stated number as it was stated: 1, 0.5.

    >>> plain(1.0, "en"), plain(0.5, "pt-BR")
    ('1', '0,5')
    """
    text = f"{value:g}"
    return text if language == "en" else text.replace(".", ",")


def _baseline_alone(comparison: Comparison, language: Language) -> VerdictText:
    say, row = translator(language), comparison.variants[0]
    gain = say(
        "Only the base model has been evaluated: it answers {accuracy} % of the {benchmark} questions correctly."
    )
    general = say("General accuracy: {accuracy} % on {suite}. There is nothing to compare yet.")
    return VerdictText(
        "",
        gain.format(accuracy=with_interval(row.execution, language), benchmark=comparison.target_benchmark),
        general.format(accuracy=with_interval(row.general, language), suite=comparison.main_suite),
        (say("95 % intervals in brackets."), *change_notes(comparison.verdict.changes, language)),
    )


def _gain(comparison: Comparison, subject: UnitVerdict, language: Language) -> str:
    say, verdict, target = translator(language), comparison.verdict, subject.unit.target
    figures = {
        "variant": subject.unit.name,
        "change": with_interval(target.interval, language, signed=True),
        "benchmark": comparison.target_benchmark,
        "before": number(comparison.variants[0].execution.estimate, language),
        "after": number(comparison.variants[0].execution.estimate + target.interval.estimate, language),
    }
    if verdict.pick is not None:
        sentence = "Use {variant}: {change} points on {benchmark}, from {before} % to {after} % correct."
        return say(sentence).format(**figures)
    budget = plain(verdict.terms.budget_points, language)
    keep = in_number(say(_why_base(verdict)).format(budget=budget), language)
    if target.finding == "gain shown":
        best = say("The largest gain is that of {variant}: {change} points, from {before} % to {after} % correct.")
        return f"{keep} {best.format(**figures)}"
    best = say("The largest change is that of {variant}: {change} points on {benchmark}.").format(**figures)
    if target.detectable is None:
        return f"{keep} {best} {say('So few data show no difference reliably.')}"
    reach = say("A true gain of {points} points would be shown four times in five.")
    return f"{keep} {best} {reach.format(points=number(target.detectable, language))}"


def _why_base(verdict: Verdict) -> str:
    gains = [item for item in verdict.units if item.unit.target.finding == "gain shown"]
    if not gains:
        return "Keep the base model: no variant is shown to gain."
    if all(item.reason == "loss shown" for item in gains):
        return "Keep the base model: every variant that gains loses more than {budget} points of general accuracy."
    return (
        "Keep the base model: of no variant that gains a loss of more than {budget} points of general accuracy is "
        "ruled out."
    )


def _basis(comparison: Comparison, subject: UnitVerdict, language: Language) -> list[str]:
    say, verdict = translator(language), comparison.verdict
    lines = list(change_notes(verdict.changes, language))
    if verdict.scope == "these":
        lines.append(say("The databases are too few to speak for others: the figures hold for these databases."))
    lines += family_notes(verdict, language)
    others = [item for item in verdict.units if item.reason and (item is not subject or verdict.pick is None)]
    if others:
        reasons = "; ".join(f"{item.unit.name}: {say(item.reason)}" for item in others)
        lines.append(say("Not picked: {reasons}.").format(reasons=reasons))
    if verdict.split is not None:
        sentence = (
            "Of {count} variants the one with the largest gain on one half of the databases gains {choosing} points "
            "there and {judging} on the other half (mean of {splits} splits): that is what picking adds."
        )
        lines.append(
            say(sentence).format(
                count=len(verdict.units),
                choosing=number(verdict.split.choosing_gain, language),
                judging=number(verdict.split.judging_gain, language),
                splits=verdict.split.splits,
            )
        )
    return lines + _seed_lines(comparison, subject.unit, language)


def _seed_lines(comparison: Comparison, unit: UnitRow, language: Language) -> list[str]:
    say = translator(language)
    lines = (
        [say("Planned seeds without answers: {names}.").format(names=", ".join(unit.missing))] if unit.missing else []
    )
    if unit.caveat.startswith("one seed"):
        lines.append(
            say("Trained once (one seed): this is a result about this adapter. Training it again may give another.")
        )
    elif unit.caveat:
        lines.append(say("Two seeds: the variance between seeds is hardly known."))
    return lines


def _test(claim: Claim) -> LossTest:
    """Of the pick's budget, which is the margin unless the experiment names another."""
    assert claim.budget is not None  # claims on suites have one
    return claim.budget
