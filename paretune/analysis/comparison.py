"""From a run folder's lines to everything that can be said about gain and loss, with how sure it is.

Target questions are clustered by database, general questions by subject where those are a sample of subjects
(`subject_clusters`); where they are too few, questions count as independent (the interval then says `clusters` 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from paretune.analysis import groups as rows
from paretune.analysis import tradeoff
from paretune.analysis.axes import AnsweredAxis, general_axes, target_axis
from paretune.analysis.results import Comparison, Difference, Finding, VariantRow
from paretune.config import BASELINE
from paretune.errors import EmptySample, RunFolderError
from paretune.run.load import Run, Variant
from paretune.stats.intervals import Interval, accuracy_interval
from paretune.stats.paired import EquivalenceTest, PairedDifference, equivalence_test, holm, paired_difference

CONFIDENCE = 0.95
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two variants on one axis, before the p values of all pairs are adjusted together."""

    axis: AnsweredAxis
    first: str
    second: str
    found: PairedDifference


def compare_run(
    records: Run,
    *,
    margin_points: float = 1.0,
    replicates: int = 10_000,
    seed: int = 42,
    every_pair: bool = False,
    budget_points: float | None = None,
) -> Comparison:
    """Compare every variant with the baseline (every_pair: also with each other) on both axes.

    margin_points: the loss that would not matter, stated before looking. budget_points: the loss that the chosen
    variant may have; the margin when absent. The same records and seed give the same comparison. Raises
    RunFolderError without a complete baseline or where the records cannot be compared, EmptySample without questions.
    """
    _check(records)
    names = [variant.name for variant in records.variants]
    target, generals = target_axis(records), general_axes(records)
    main = next(axis for axis in generals if axis.is_main)
    generator = np.random.default_rng(seed)
    pairs = list(combinations(names, 2)) if every_pair else [(BASELINE, name) for name in names[1:]]
    found = [
        _Pair(axis, first, second, _paired(axis, names, first, second, replicates, generator))
        for axis in (target, *generals)
        for first, second in pairs
    ]
    against = {
        kind: {pair.second: pair.found for pair in found if pair.axis is axis and pair.first == BASELINE}
        for kind, axis in (("target", target), ("general", main))
    }
    model, config = records.manifest.get("model", {}), records.manifest.get("config", {})
    return Comparison(
        experiment=records.name,
        model=str(model.get("name", "")),
        precision=str(model.get("precision", "")),
        quantization=str(model.get("quantization", "")),
        target_benchmark=str(config.get("target", {}).get("name") or config.get("target", {}).get("kind", "")),
        target_rules=str(config.get("target", {}).get("rules", "")),
        questions=len(target.ids),
        databases=len(set(target.groups)),
        main_suite=main.benchmark,
        main_method=main.method,
        confidence=CONFIDENCE,
        margin_points=margin_points,
        replicates=replicates,
        seed=seed,
        variants=tuple(_variant_row(variant, target, main, at) for at, variant in enumerate(records.variants)),
        hardness=rows.hardness_rows(records, target, names),
        suites=tuple(rows.suite_table(records, axis, names) for axis in generals),
        differences=_judged(found, margin_points),
        tradeoff=tradeoff.trade_off(
            records,
            (target, main),
            (against["target"], against["general"]),
            tradeoff.Settings(margin_points if budget_points is None else budget_points, replicates, seed),
        ),
        subjects=rows.subject_rows(main, names),
        error_classes=rows.error_class_rows(records, target),
        outcomes=rows.outcome_rows(records),
        recipes=rows.recipe_rows(records, target, main, names),
        costs=rows.cost_rows(records),
        training=rows.training_curves(records),
        incomplete=dict(records.incomplete),
    )


def _check(records: Run) -> None:
    records.check()
    if BASELINE in records.incomplete:
        missing = "; ".join(records.incomplete[BASELINE])
        raise RunFolderError(f"{records.path}: the baseline is not complete ({missing}); evaluate it first")
    if not records.questions or not records.choice_questions:
        raise EmptySample(f"{records.path}: no questions on one of the two axes; there is nothing to compare")


def _paired(
    axis: AnsweredAxis, names: Sequence[str], first: str, second: str, replicates: int, generator: np.random.Generator
) -> PairedDifference:
    one, two = axis.correct[:, names.index(first)], axis.correct[:, names.index(second)]
    return paired_difference(one, two, axis.clusters, generator=generator, confidence=CONFIDENCE, replicates=replicates)


def _judged(pairs: Sequence[_Pair], margin: float) -> tuple[Difference, ...]:
    """All differences with Holm's adjustment over every one of them."""
    if not pairs:
        return ()
    adjusted = holm([pair.found.t_p for pair in pairs])
    return tuple(_difference(pair, p_value, len(pairs), margin) for pair, p_value in zip(pairs, adjusted, strict=True))


def _difference(pair: _Pair, holm_p: float, comparisons: int, margin: float) -> Difference:
    found, axis = pair.found, pair.axis
    finding: Finding = "not shown"
    if holm_p < 1 - CONFIDENCE:
        finding = "gain shown" if found.difference > 0 else "loss shown"
    return Difference(
        axis=axis.axis,
        benchmark=axis.benchmark,
        method=axis.method,
        is_main=axis.is_main,
        first=pair.first,
        second=pair.second,
        interval=found.t,
        bootstrap=found.bootstrap,
        standard_error=found.standard_error,
        degrees_of_freedom=found.degrees_of_freedom,
        gained=tuple(axis.ids[at] for at in found.gained),
        lost=tuple(axis.ids[at] for at in found.lost),
        discordant_share=found.discordant_share,
        mcnemar_p=found.mcnemar_p,
        permutation_p=found.permutation_p,
        t_p=found.t_p,
        holm_p=holm_p,
        comparisons=comparisons,
        finding=finding,
        minimum_detectable_effect=found.minimum_detectable_effect,
        non_inferiority=_consistent(equivalence_test(found, margin, claim="non-inferiority"), finding),
        equivalence=_consistent(equivalence_test(found, margin, claim="equivalence"), finding),
    )


def _consistent(test: EquivalenceTest, finding: Finding) -> EquivalenceTest:
    """A difference that the adjusted p does not show cannot be shown to lie beyond the margin: "refuted" then is
    "not shown". "shown" needs no adjustment: it is the claim of one variant, with a margin stated before looking."""
    if test.verdict == "refuted" and finding == "not shown":
        return replace(test, verdict="not shown")
    return test


def _variant_row(variant: Variant, target: AnsweredAxis, main: AnsweredAxis, at: int) -> VariantRow:
    entry = variant.entry
    exact = [line.exact_set_match for line in variant.sql]
    suite = [line.test_suite_match for line in variant.sql]
    return VariantRow(
        name=variant.name,
        kind=entry.kind,
        source=entry.source,
        adapter_scale=entry.adapter_scale,
        checkpoint=entry.checkpoint,
        execution=accuracy_interval(target.correct[:, at], target.clusters, confidence=CONFIDENCE),
        exact_set_match=_where_known(exact, target),
        test_suite=_where_known(suite, target),
        general=accuracy_interval(main.correct[:, at], main.clusters, confidence=CONFIDENCE),
    )


def _where_known(matches: Sequence[bool | None], target: AnsweredAxis) -> Interval | None:
    """The accuracy, only where every question has a verdict: a part of the questions is another benchmark."""
    known = [match for match in matches if match is not None]
    if len(known) < len(matches):
        return None
    return accuracy_interval(known, target.clusters, confidence=CONFIDENCE)
