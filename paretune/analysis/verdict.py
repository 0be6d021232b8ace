"""What is claimed: every unit on every benchmark, judged as one family each, and the pick.

On each benchmark all planned units are one family; their intervals hold together (`stats.family`). A gain on the target
comes first; of what gains, a loss beyond the budget must be ruled out on every primary suite. All else, other methods,
categories and pairs of variants, is exploratory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from paretune.analysis.axes import AnsweredAxis
from paretune.analysis.results import BUDGETS, Claim, Finding, UnitRow, UnitVerdict, Verdict
from paretune.analysis.units import Unit
from paretune.errors import StatisticsError
from paretune.run.claims import Change, Terms, changed_terms, planned_suites, repeated_evaluations
from paretune.run.load import Run
from paretune.stats.claims import LossTest, Sensitivity, finding, gravest, loss_test, sensitivity
from paretune.stats.clusters import are_a_sample
from paretune.stats.estimate import Estimate
from paretune.stats.family import Family, bonferroni, family_of
from paretune.stats.intervals import accuracy_interval
from paretune.stats.paired import PairedDifference, holm
from paretune.stats.pick import Candidate, Reason, SplitCheck, pick_within_budget, split_check
from paretune.stats.seeds import SeedEffect, seed_effect

Key = tuple[str, str]
Differences = Mapping[str, PairedDifference]


def claims_on(
    axis: AnsweredAxis,
    names: Sequence[str],
    units: Sequence[Unit],
    planned: int,
    against: Differences,
    terms: Terms,
    seed: int,
) -> dict[str, Claim]:
    """The claim of each unit by its name, and of each seed of a recipe by the variant's.

    against: every variant's difference from the baseline, names[0]. planned: units of the family.
    """
    if not units:
        return {}
    estimates = {unit.name: _estimate(axis, names, unit, against) for unit in units}
    family = _family(axis, names, units, planned, terms.level, seed)
    adjusted = holm([estimate.p_two_sided() for estimate in estimates.values()], planned)
    limits = _sensitivities(axis, (terms.margin_points, terms.budget_points, *BUDGETS))
    claims = {
        name: _claim(axis, estimate, family, holm_p, terms, limits)
        for (name, estimate), holm_p in zip(estimates.items(), adjusted, strict=True)
    }
    for unit in units:
        for name in unit.variants if len(unit.variants) > 1 else ():
            one = _claim(axis, against[name].estimate, family, claims[unit.name].holm_p, terms, limits)
            claims[name] = _not_a_claim(one)
    return claims


def pair_claims(
    axis: AnsweredAxis,
    names: Sequence[str],
    differences: Mapping[tuple[str, str], PairedDifference],
    level: float,
    seed: int,
) -> dict[tuple[str, str], Claim]:
    """Tuned variants against each other: exploratory, one family per benchmark."""
    if not differences:
        return {}
    columns = np.column_stack([_column(axis, names, two) - _column(axis, names, one) for one, two in differences])
    generator = np.random.default_rng([seed, 4])
    family = family_of(columns, axis.clusters, planned=len(differences), generator=generator, confidence=level)
    adjusted = holm([item.t_p for item in differences.values()])
    return {
        pair: _claim(axis, item.estimate, family, holm_p, None, None)
        for (pair, item), holm_p in zip(differences.items(), adjusted, strict=True)
    }


def unit_rows(
    units: Sequence[Unit],
    target: AnsweredAxis | None,
    generals: Sequence[AnsweredAxis],
    names: Sequence[str],
    claims: Mapping[Key, Mapping[str, Claim]],
) -> tuple[UnitRow, ...]:
    """Every unit with its claims on all benchmarks. generals: the main one first."""
    rows = []
    for unit in units:
        gained, kept = (_seeds(axis, names, unit) for axis in (target or generals[0], generals[0]))
        trained = unit.seeds[0] is not None
        rows.append(
            UnitRow(
                name=unit.name,
                variants=unit.variants,
                seeds=unit.seeds,
                missing=unit.missing,
                target=claims[target.key][unit.name] if target else None,
                general=tuple(claims[axis.key][unit.name] for axis in generals),
                target_deviation=gained.seed_deviation,
                target_deviation_high=gained.deviation_high,
                general_deviation=kept.seed_deviation,
                caveat=gained.caveat if trained else "",
            )
        )
    return tuple(rows)


def verdict_of(
    units: Sequence[UnitRow],
    target: AnsweredAxis | None,
    names: Sequence[str],
    terms: Terms,
    changes: Sequence[Change],
    planned: int,
    seed: int,
) -> Verdict:
    """The pick, and why not the others; without a target there is neither."""
    pick, judged = _picked(units) if target else (None, tuple(_judged(unit, "") for unit in units))
    scope: Literal["databases", "these"] = "databases" if target and target.speaks_for_others else "these"
    return Verdict(
        pick=pick,
        units=judged,
        split=_split(units, target, names, seed) if target else None,
        terms=terms,
        changes=tuple(changes),
        planned=planned,
        scope=scope,
    )


def verdict_within(verdict: Verdict, budget_points: float) -> Verdict:
    """What `compare_run` would say with that budget, one of BUDGETS or the stated one.

    The change of the budget is named as one. Raises ValueError for a budget that was not tested.
    """
    if budget_points == verdict.terms.budget_points:
        return verdict
    at = BUDGETS.index(budget_points)
    pick, judged = _picked([_with_budget(item.unit, at) for item in verdict.units])
    terms = replace(verdict.terms, loss_budget_points=budget_points)
    changes = (*verdict.changes, *changed_terms(verdict.terms, terms))
    return replace(verdict, pick=pick, units=judged, terms=terms, changes=changes)


def _with_budget(unit: UnitRow, at: int) -> UnitRow:
    return replace(unit, general=tuple(replace(claim, budget=claim.ladder[at]) for claim in unit.general))


def _picked(units: Sequence[UnitRow]) -> tuple[UnitVerdict | None, tuple[UnitVerdict, ...]]:
    """The pick by the units' tests against the budget, None for the base model, and every unit with its reason."""
    offered = [Candidate(unit.leading.interval, tuple(_budget(claim) for claim in unit.primary)) for unit in units]
    best, reasons = pick_within_budget(offered)
    judged = tuple(_judged(unit, reason) for unit, reason in zip(units, reasons, strict=True))
    return None if best is None else judged[best], judged


def _judged(unit: UnitRow, reason: Reason) -> UnitVerdict:
    """The unit with the suite that must be quoted, by the tests against the budget."""
    return UnitVerdict(unit, unit.primary[gravest([_budget(claim) for claim in unit.primary])], reason)


def missing_parts(records: Run) -> tuple[Change, ...]:
    """What was planned and is not in the figures, and what was evaluated more than once."""
    changes = []
    if records.incomplete:
        changes.append(Change("variants without answers", ", ".join(records.incomplete), ""))
    present = {part for suite in records.suites for part in (suite.name, suite.name.split("/")[0])}
    dropped = [kind for kind in planned_suites(records.manifest) if kind not in present]
    if dropped:
        changes.append(Change("suites without answers", ", ".join(dropped), ""))
    repeated = repeated_evaluations(records.path)
    if repeated:
        changes.append(Change("evaluations repeated", ", ".join(repeated), ""))
    return tuple(changes)


def _estimate(axis: AnsweredAxis, names: Sequence[str], unit: Unit, against: Differences) -> Estimate:
    if len(unit.variants) == 1:
        return against[unit.variants[0]].estimate
    return _seeds(axis, names, unit).estimate


def _seeds(axis: AnsweredAxis, names: Sequence[str], unit: Unit) -> SeedEffect:
    rows = axis.correct[:, [names.index(name) for name in unit.variants]].T
    return seed_effect(axis.correct[:, 0], rows, axis.clusters, seeds=unit.seeds)


def _family(
    axis: AnsweredAxis, names: Sequence[str], units: Sequence[Unit], planned: int, level: float, seed: int
) -> Family:
    """Seeds are a source of error that flips of databases do not see: with several, Bonferroni."""
    if any(unit.distinct_seeds > 1 for unit in units):
        return bonferroni(planned, level)
    columns = np.column_stack([_unit_column(axis, names, unit.variants) for unit in units])
    generator = np.random.default_rng([seed, 3])
    return family_of(columns, axis.clusters, planned=planned, generator=generator, confidence=level)


def _claim(
    axis: AnsweredAxis,
    estimate: Estimate,
    family: Family,
    holm_p: float,
    terms: Terms | None,
    limits: Mapping[float, Sensitivity] | None,
) -> Claim:
    interval, alone = estimate.interval(family.tail, family.confidence), (1 - family.confidence) / 2
    p_value = estimate.p_two_sided()
    loss = budget = None
    ladder: tuple[LossTest, ...] = ()
    if terms is not None and limits is not None:
        tests = {
            points: loss_test(estimate, points, tail=family.tail, sensitivity=limit) for points, limit in limits.items()
        }
        loss, budget = tests[terms.margin_points], tests[terms.budget_points]
        ladder = tuple(tests[points] for points in BUDGETS)
    return Claim(
        benchmark=axis.benchmark,
        method=axis.method,
        is_primary=axis.is_primary and terms is not None,
        interval=interval,
        alone=estimate.interval(alone, family.confidence),
        t_p=p_value,
        family_p=family.adjusted(p_value),
        holm_p=holm_p,
        comparisons=family.planned,
        family_method=family.method,
        finding=finding(interval),
        detectable=estimate.detectable(family.tail),
        effective_clusters=estimate.effective_clusters,
        loss=loss,
        budget=budget,
        ladder=ladder,
    )


def _not_a_claim(claim: Claim) -> Claim:
    word: Finding = "one seed of several"
    return replace(claim, finding=word, is_primary=False, loss=None, budget=None, ladder=())


def _sensitivities(axis: AnsweredAxis, losses: Sequence[float]) -> Mapping[float, Sensitivity] | None:
    """Whether the suite can show each of the losses, in points; None on the target."""
    if axis.chance is None:
        return None
    base = accuracy_interval(axis.correct[:, 0], axis.clusters)
    chance = 100 * float(np.mean(axis.chance))
    return {points: sensitivity(base, chance, points) for points in losses}


def _split(units: Sequence[UnitRow], target: AnsweredAxis, names: Sequence[str], seed: int) -> SplitCheck | None:
    if len(units) < 2:
        return None
    columns = np.column_stack([_unit_column(target, names, unit.variants) for unit in units])
    clusters = target.clusters if target.clusters is not None and are_a_sample(target.clusters) else None
    try:
        return split_check(columns, clusters, generator=np.random.default_rng([seed, 2]))
    except StatisticsError:
        return None


def _unit_column(axis: AnsweredAxis, names: Sequence[str], variants: Sequence[str]) -> npt.NDArray[np.float64]:
    """(n,) the mean of its variants minus the baseline."""
    tuned = np.mean([_column(axis, names, name) for name in variants], axis=0)
    return np.asarray(tuned - _column(axis, names, names[0]), dtype=np.float64)


def _column(axis: AnsweredAxis, names: Sequence[str], name: str) -> npt.NDArray[np.float64]:
    return axis.correct[:, names.index(name)].astype(np.float64)


def _budget(claim: Claim) -> LossTest:
    assert claim.budget is not None  # primary claims are on general suites
    return claim.budget
