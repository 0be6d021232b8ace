"""From a run folder's lines to everything that can be said about gain and loss, with how sure it is.

Target questions are clustered as their task says (SQL by database), general questions by subject where those are a
sample of further ones; where they are too few, the figures hold for them alone (`AnsweredAxis.clusters`). What is
claimed is made in `verdict`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from paretune.analysis import groups as rows
from paretune.analysis import tradeoff
from paretune.analysis.axes import CONFIDENCE, AnsweredAxis, general_axes, judged, target_axis
from paretune.analysis.results import Claim, Comparison, Difference, ServedRow, UnitRow, VariantRow
from paretune.analysis.samples import sample_rows
from paretune.analysis.served import served_pairs, served_rows
from paretune.analysis.units import units_of
from paretune.analysis.verdict import claims_on, missing_parts, pair_claims, unit_rows, verdict_of
from paretune.config import BASELINE
from paretune.errors import EmptySample, RunFolderError
from paretune.run.claims import Terms, changed_terms, stated_terms
from paretune.run.load import Run, Variant
from paretune.sql.spider import data_name
from paretune.stats.clusters import effective_clusters
from paretune.stats.intervals import Interval, accuracy_interval
from paretune.stats.paired import PairedDifference, paired_difference

Pair = tuple[str, str]


def _rules(records: Run) -> str:
    """The rules that the verdicts were reached by: a configuration may leave them open. "" for a task without any."""
    header = records.variants[0].headers.get(records.facets.lines, {})
    return str(header.get("rules") or records.manifest.get("config", {}).get("target", {}).get("rules") or "")


def compare_run(
    records: Run,
    *,
    margin_points: float | None = None,
    replicates: int = 10_000,
    seed: int = 42,
    every_pair: bool = False,
    budget_points: float | None = None,
) -> Comparison:
    """Compare every variant with the baseline (every_pair: also with each other) on both axes.

    margin_points, budget_points: instead of those stated in the experiment, which the verdict then says. The same
    records and seed give the same comparison. Raises RunFolderError without a complete baseline or where the records
    cannot be compared, EmptySample without questions.
    """
    _check(records)
    names = [variant.name for variant in records.variants]
    stated, changes = stated_terms(records.manifest)
    terms = replace(
        stated,
        margin_points=margin_points or stated.margin_points,
        loss_budget_points=budget_points or stated.loss_budget_points,
    )
    target, generals = _target(records), general_axes(records, terms.primary_suites)
    axes = generals if target is None else (target, *generals)
    if not any(axis.is_primary for axis in generals):
        wanted = ", ".join(terms.primary_suites)
        raise RunFolderError(
            f"{records.path}: no answers on a primary suite ({wanted}); evaluate it or change [claims]"
        )
    main = next(axis for axis in generals if axis.is_main)
    against = {axis.key: _against_baseline(axis, names, replicates, seed) for axis in axes}
    units, planned = units_of(records.manifest, names[1:])
    if target is None:  # any suite may be quoted for a gain
        planned *= sum(axis.is_primary for axis in generals)
    claims = {axis.key: claims_on(axis, names, units, planned, against[axis.key], terms, seed) for axis in axes}
    found = unit_rows(units, target, generals, names, claims)
    differences = tuple(
        _difference(axis, (names[0], name), against[axis.key][name], _claim_of(name, axis, found, claims))
        for axis in axes
        for name in names[1:]
    )
    if every_pair:
        differences += tuple(item for axis in axes for item in _pairs(axis, names, replicates, seed, terms.level))
    model = records.manifest.get("model", {})
    return Comparison(
        experiment=records.name,
        model=str(model.get("name", "")),
        precision=str(model.get("precision", "")),
        quantization=str(model.get("quantization", "")),
        target_benchmark=data_name(
            records.config.get("target") or {}, {question.cluster for question in records.questions}
        ),
        target_rules=_rules(records),
        questions=len(target.ids) if target else 0,
        clusters=len(set(target.groups)) if target else 0,
        effective_clusters=effective_clusters(target.groups) if target else 0.0,
        void_questions=len(records.questions) - len(target.ids) if target else 0,
        facets=records.facets,
        main_suite=main.benchmark,
        main_method=main.method,
        confidence=CONFIDENCE,
        replicates=replicates,
        seed=seed,
        variants=tuple(_variant_row(records, target, main, at) for at in range(len(names))),
        levels=rows.level_rows(records, target, names) if target else (),
        suites=tuple(
            rows.suite_table(records, axis, names, _intervals(axis, differences, names[0])) for axis in generals
        ),
        differences=differences,
        verdict=verdict_of(
            found,
            target,
            names,
            terms,
            (*changes, *changed_terms(stated, terms), *missing_parts(records)),
            planned,
            seed,
        ),
        tradeoff=tradeoff.trade_off(
            records,
            (target, main),
            (against[target.key], against[main.key]),
            (_by_variant(target, differences, names[0]), _by_variant(main, differences, names[0])),
            tradeoff.Settings(replicates, seed),
        )
        if target
        else None,
        subjects=rows.subject_rows(main, names),
        error_classes=rows.error_class_rows(records, target) if target else (),
        outcomes=rows.outcome_rows(records),
        costs=rows.cost_rows(records),
        training=rows.training_curves(records),
        incomplete=dict(records.incomplete),
        samples=() if target is None else sample_rows(records, target, CONFIDENCE),
        served=_served(records, axes, replicates, seed, terms),
    )


def _target(records: Run) -> AnsweredAxis | None:
    """The target's axis, None in logs of others."""
    if not records.has_target:
        return None
    target = target_axis(records)
    if not target.ids:
        raise EmptySample(f"{records.path}: the reference of every target question fails; there is nothing to compare")
    return target


def _check(records: Run) -> None:
    records.check()
    if BASELINE in records.incomplete:
        missing = "; ".join(records.incomplete[BASELINE])
        raise RunFolderError(f"{records.path}: the baseline is not complete ({missing}); evaluate it first")
    if not records.choice_questions or (not records.questions and records.has_target):
        raise EmptySample(f"{records.path}: no questions on one of the two axes; there is nothing to compare")


def _against_baseline(
    axis: AnsweredAxis, names: Sequence[str], replicates: int, seed: int
) -> dict[str, PairedDifference]:
    return {name: _paired(axis, names, (names[0], name), replicates, seed) for name in names[1:]}


def _paired(axis: AnsweredAxis, names: Sequence[str], pair: Pair, replicates: int, seed: int) -> PairedDifference:
    """Each pair has draws of its own, whatever else is compared."""
    mark = zlib.crc32("/".join((*axis.key, *pair)).encode())
    one, two = (axis.correct[:, names.index(name)] for name in pair)
    generator = np.random.default_rng([seed, mark])
    return paired_difference(one, two, axis.clusters, generator=generator, confidence=CONFIDENCE, replicates=replicates)


def _pairs(axis: AnsweredAxis, names: Sequence[str], replicates: int, seed: int, level: float) -> Sequence[Difference]:
    """Every tuned variant against every other: a family of its own on each benchmark."""
    pairs = list(combinations(names[1:], 2))
    found = {pair: _paired(axis, names, pair, replicates, seed) for pair in pairs}
    claims = pair_claims(axis, names, found, level, seed)
    return [_difference(axis, pair, found[pair], claims[pair]) for pair in pairs]


def _served(
    records: Run, axes: Sequence[AnsweredAxis], replicates: int, seed: int, terms: Terms
) -> tuple[ServedRow, ...]:
    names, pairs = [variant.name for variant in records.variants], served_pairs(records)
    rows: list[ServedRow] = []
    for axis in axes if pairs else ():
        found = {pair: _paired(axis, names, pair, replicates, seed) for pair in pairs}
        rows += served_rows(records, axis, found, terms.margin_points, terms.level, seed)
    return tuple(rows)


def _difference(axis: AnsweredAxis, pair: Pair, found: PairedDifference, claim: Claim) -> Difference:
    return Difference(
        axis=axis.axis,
        benchmark=axis.benchmark,
        method=axis.method,
        is_main=axis.is_main,
        first=pair[0],
        second=pair[1],
        claim=claim,
        bootstrap=found.bootstrap,
        standard_error=found.standard_error,
        degrees_of_freedom=found.degrees_of_freedom,
        gained=tuple(axis.ids[at] for at in found.gained),
        lost=tuple(axis.ids[at] for at in found.lost),
        discordant_share=found.discordant_share,
        mcnemar_p=found.mcnemar_p,
        permutation_p=found.permutation_p,
    )


def _claim_of(
    variant: str, axis: AnsweredAxis, units: Sequence[UnitRow], claims: Mapping[tuple[str, str], Mapping[str, Claim]]
) -> Claim:
    """The claim of the variant's unit, or what is known of one seed of several."""
    unit = next(unit for unit in units if variant in unit.variants)
    return claims[axis.key][variant if unit.is_recipe else unit.name]


def _by_variant(axis: AnsweredAxis, differences: Sequence[Difference], base: str) -> dict[str, Claim]:
    return {
        item.second: item.claim
        for item in differences
        if item.first == base and (item.benchmark, item.method) == axis.key
    }


def _intervals(axis: AnsweredAxis, differences: Sequence[Difference], base: str) -> dict[str, Interval]:
    return {name: claim.interval for name, claim in _by_variant(axis, differences, base).items()}


def _variant_row(records: Run, target: AnsweredAxis | None, main: AnsweredAxis, at: int) -> VariantRow:
    variant = records.variants[at]
    entry = variant.entry
    return VariantRow(
        name=variant.name,
        kind=entry.kind,
        source=entry.source,
        adapter_scale=entry.adapter_scale,
        checkpoint=entry.checkpoint,
        repair=entry.repair,
        target=accuracy_interval(target.correct[:, at], target.clusters, confidence=CONFIDENCE) if target else None,
        secondary=_secondary(records, variant, target) if target else {},
        general=accuracy_interval(main.correct[:, at], main.clusters, confidence=CONFIDENCE),
        stopped_step=entry.stopped_step,
        chosen_checkpoint=entry.chosen_checkpoint,
    )


def _secondary(records: Run, variant: Variant, target: AnsweredAxis) -> dict[str, Interval | None]:
    details = [variant.verdicts[place].detail for place in judged(records)]
    return {
        column: _where_known([detail.get(key) for detail in details], target)
        for column, key in records.facets.secondary.items()
    }


def _where_known(matches: Sequence[bool | None], target: AnsweredAxis) -> Interval | None:
    """The accuracy, only where every question has a verdict: a part of the questions is another benchmark."""
    known = [match for match in matches if match is not None]
    if len(known) < len(matches):
        return None
    return accuracy_interval(known, target.clusters, confidence=CONFIDENCE)
