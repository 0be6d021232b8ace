"""Every figure of a comparison as CSV text: English headers with the unit in the name, one row a figure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from paretune.analysis.results import Claim, Comparison, GroupRow
from paretune.report.summary import summary_rows
from paretune.stats.claims import LossTest
from paretune.stats.intervals import Interval

Row = Mapping[str, Any]
SIGNIFICANT = 10  # digits: enough for any reader, and without the noise of the last bits


def csv_files(comparison: Comparison) -> dict[str, str]:
    """File name (without .csv) -> text. A table without rows has its header only where another run would have rows."""
    has_target = comparison.has_target
    tables: dict[str, Iterable[Row]] = {
        "summary": _summary(comparison) if has_target else (),
        comparison.facets.metric_column: _target(comparison) if has_target else (),
        "general_accuracy": _general(comparison),
        "comparisons": _comparisons(comparison),
        f"by_{comparison.facets.level}": [
            {**_group(row), "average": comparison.facets.level} for row in comparison.levels
        ],
        "by_subject": _subjects(comparison),
        "error_classes": _error_classes(comparison),
        "outcomes": _outcomes(comparison),
        "flips": _flips(comparison),
        "tradeoff": _tradeoff(comparison) if has_target else (),
        "hypervolume": _hypervolume(comparison) if has_target else (),
        "matched_loss": _matched(comparison) if has_target else (),
        "claims": _claims(comparison),
        "pick": _pick(comparison) if has_target else (),
        "seeds": _seeds(comparison),
        "samples": _samples(comparison),
        "served": _served(comparison),
        "costs": _costs(comparison) if has_target else (),
    }
    texts = {name: csv_text(rows) for name, rows in tables.items()}
    return {name: text for name, text in texts.items() if text}


def csv_text(rows: Iterable[Row]) -> str:
    """Columns in order of first appearance; "" where a row has none."""
    listed = list(rows)
    if not listed:
        return ""
    columns = list(dict.fromkeys(column for row in listed for column in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in listed)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.{SIGNIFICANT}g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value


def _interval(name: str, unit: str, figure: Interval | None, *, method: bool = False) -> dict[str, object]:
    """Three columns a figure, four with the name of the procedure."""
    found: dict[str, object] = {
        f"{name}_{unit}": figure.estimate if figure else None,
        f"{name}_low_{unit}": figure.low if figure else None,
        f"{name}_high_{unit}": figure.high if figure else None,
    }
    if method:
        found[f"{name}_interval_method"] = figure.method if figure else None
    return found


def _summary(comparison: Comparison) -> Iterable[Row]:
    names = [comparison.facets.metric_column]
    for suite in comparison.suites:
        name = re.sub(r"[^a-z0-9]+", "_", f"{suite.suite}_{suite.method}_accuracy".lower())
        names.append(name if name not in names else f"{name}_{len(names)}")
    for row in summary_rows(comparison):
        cells: dict[str, object] = {"variant": row.name}
        for name, one in zip(names, row.on, strict=True):
            cells |= _interval(name, "percent", one.accuracy)
            cells |= _interval(f"{name}_change", "points", one.claim.interval if one.claim else None)
            cells[f"{name}_p_family"] = one.claim.family_p if one.claim else None
            cells[f"{name}_finding"] = one.claim.finding if one.claim else None
        yield {**cells, "decision": row.decision}


def _target(comparison: Comparison) -> Iterable[Row]:
    facets = comparison.facets
    for variant in comparison.variants:
        found, accuracy = comparison.difference(variant.name, "target"), variant.target
        if accuracy is None:
            continue
        yield {
            "variant": variant.name,
            "kind": variant.kind,
            "source": variant.source,
            "adapter_scale": variant.adapter_scale,
            "checkpoint_steps": variant.checkpoint,
            **({"repair": variant.repair} if any(row.repair for row in comparison.variants) else {}),
            "questions": accuracy.n,
            facets.clusters: accuracy.clusters,
            **({"rules": comparison.target_rules} if comparison.target_rules else {}),
            **_interval(facets.metric_column, "percent", accuracy, method=True),
            **_interval("change", "points", found.interval if found else None),
            "p_family": found.claim.family_p if found else None,
            "p_holm": found.claim.holm_p if found else None,
            "finding": found.finding if found else None,
            **{
                column: value
                for name, figure in variant.secondary.items()
                for column, value in _interval(name, "percent", figure).items()
            },
            "confidence": accuracy.confidence,
        }


def _general(comparison: Comparison) -> Iterable[Row]:
    for suite in comparison.suites:
        for row in suite.rows:
            yield {
                "suite": suite.suite,
                "method": suite.method,
                "main": suite.is_main,
                **_group(row),
                "chance_percent": suite.chance,
                "few_shot": suite.shots,
                "letter_mass": suite.letter_mass.get(row.variant) if row.kind == "all" else None,
            }


def _group(row: GroupRow) -> Row:
    return {
        "variant": row.variant,
        "average": {"all": "micro", "macro": "macro"}.get(row.kind, row.kind),
        "group": row.group,
        "questions": row.accuracy.n,
        **_interval("accuracy", "percent", row.accuracy, method=True),
        **_interval("change", "points", row.change, method=True),
        "confidence": row.accuracy.confidence,
    }


def _comparisons(comparison: Comparison) -> Iterable[Row]:
    for item in comparison.differences:
        yield {
            "axis": item.axis,
            "benchmark": item.benchmark,
            "method": item.method,
            "main": item.is_main,
            "first": item.first,
            "second": item.second,
            **_claim(item.claim),
            **_interval("bootstrap", "points", item.bootstrap, method=True),
            "standard_error_points": item.standard_error,
            "degrees_of_freedom": item.degrees_of_freedom,
            "gained_questions": len(item.gained),
            "lost_questions": len(item.lost),
            "discordant_share": item.discordant_share,
            "mcnemar_p": item.mcnemar_p,
            "permutation_p": item.permutation_p,
        }


def _claim(claim: Claim) -> dict[str, object]:
    """The columns of what one comparison shows; a level of the whole family unless they say alone."""
    return {
        "primary": claim.is_primary,
        "questions": claim.interval.n,
        "clusters": claim.interval.clusters,
        "effective_clusters": claim.effective_clusters,
        **_interval("difference", "points", claim.interval, method=True),
        "confidence": claim.interval.confidence,
        **_interval("difference_alone", "points", claim.alone),
        "t_p": claim.t_p,
        "family_p": claim.family_p,
        "holm_p": claim.holm_p,
        "comparisons": claim.comparisons,
        "family_method": claim.family_method,
        "finding": claim.finding,
        "minimum_detectable_effect_points": claim.detectable,
        **_loss("margin", claim.loss),
        **_loss("budget", claim.budget),
    }


def _loss(name: str, test: LossTest | None) -> dict[str, object]:
    return {
        f"{name}_points": test.margin if test else None,
        f"beyond_{name}": test.verdict if test else None,
        f"beyond_{name}_p": test.p_value if test else None,
    }


def _claims(comparison: Comparison) -> Iterable[Row]:
    for item in comparison.verdict.units:
        target = (item.unit.target,) if item.unit.target else ()
        for axis, claims in (("target", target), ("general", item.unit.general)):
            for claim in claims:
                yield {
                    "unit": item.unit.name,
                    "variants": " ".join(item.unit.variants),
                    "seeds": " ".join(str(seed) for seed in item.unit.seeds if seed is not None),
                    "axis": axis,
                    "benchmark": claim.benchmark,
                    "method": claim.method,
                    "worst": claim is item.worst,
                    "decision": (item.reason or "pick") if target else None,
                    **_claim(claim),
                }


def _subjects(comparison: Comparison) -> Iterable[Row]:
    for row in comparison.subjects:
        yield {
            "suite": comparison.main_suite,
            "method": comparison.main_method,
            "variant": row.variant,
            "subject": row.subject,
            "category": row.category,
            "questions": row.questions,
            "baseline_percent": row.baseline,
            "tuned_percent": row.tuned,
            **_interval("change", "points", row.change, method=True),
            "change_together_low_points": row.together.low,
            "change_together_high_points": row.together.high,
            "gained_questions": row.gained,
            "lost_questions": row.lost,
            "mcnemar_p": row.mcnemar_p,
            "holm_p": row.holm_p,
        }


def _error_classes(comparison: Comparison) -> Iterable[Row]:
    for row in comparison.error_classes:
        share = _interval("share", "percent", row.share)
        yield {"variant": row.variant, "error_class": row.error_class, "questions": row.count, **share}


def _outcomes(comparison: Comparison) -> Iterable[Row]:
    for row in comparison.outcomes:
        yield {
            "variant": row.variant,
            "outcome": row.outcome,
            "questions": row.count,
            **{f"{mark}_questions": count for mark, count in row.marks.items()},
        }


def _flips(comparison: Comparison) -> Iterable[Row]:
    for item in comparison.differences:
        for flip, ids in (("gained", item.gained), ("lost", item.lost)):
            for question in ids:
                yield {
                    "axis": item.axis,
                    "benchmark": item.benchmark,
                    "method": item.method,
                    "first": item.first,
                    "second": item.second,
                    "flip": flip,
                    "question": question,
                }


def _tradeoff(comparison: Comparison) -> Iterable[Row]:
    for point in comparison.plane.points:
        yield {
            "variant": point.variant,
            **_interval("gain", "points", point.gain),
            **_interval("general_change", "points", point.general_change),
            **_interval("retention", "percent", point.retention),
            "retention_reason": point.retention_reason,
            **_interval("lost_per_point_gained", "points", point.price),
            "lost_per_point_gained_reason": point.price_reason,
            "on_front": point.on_front,
            "front_probability": point.front_probability,
        }


def _hypervolume(comparison: Comparison) -> Iterable[Row]:
    area, (target, general) = comparison.plane.hypervolume, comparison.plane.reference
    return [
        {
            "variants": len(comparison.variants),
            f"reference_{comparison.facets.metric_column.removesuffix('_accuracy')}_percent": target,
            "reference_general_percent": general,
            **_interval("hypervolume", "square_points", area, method=True),
        }
    ]


def _matched(comparison: Comparison) -> Iterable[Row]:
    for item in comparison.plane.matched:
        loss = _interval("loss", "points", item.loss)
        yield {"source": item.source, "curve": item.kind, "gain_points": item.gain, **loss, "reason": item.reason}


def _pick(comparison: Comparison) -> Iterable[Row]:
    verdict = comparison.verdict
    split = verdict.split
    return [
        {
            "pick": verdict.pick.unit.name if verdict.pick else comparison.variants[0].name,
            "margin_points": verdict.terms.margin_points,
            "margin_reason": verdict.terms.margin_reason,
            "budget_points": verdict.terms.budget_points,
            "primary_suites": " ".join(verdict.terms.primary_suites),
            "level": verdict.terms.level,
            "planned": verdict.planned,
            "scope": verdict.scope,
            "splits": split.splits if split else None,
            "gain_where_picked_points": split.choosing_gain if split else None,
            "gain_where_judged_points": split.judging_gain if split else None,
            "after_the_fact": "; ".join(f"{one.what}: {one.before} -> {one.after}" for one in verdict.changes),
        }
    ]


def _seeds(comparison: Comparison) -> Iterable[Row]:
    for unit in comparison.units:
        if unit.seeds[0] is not None:
            main = next(claim for claim in unit.general if claim.benchmark == comparison.main_suite)
            yield {
                "variants": " ".join(unit.variants),
                "seeds": " ".join(map(str, unit.seeds)),
                **_interval("gain", "points", unit.leading.interval),
                "gain_deviation_between_seeds_points": unit.target_deviation,
                "gain_deviation_at_most_points": unit.target_deviation_high,
                **_interval("general_change", "points", main.interval),
                "general_deviation_between_seeds_points": unit.general_deviation,
                "caveat": unit.caveat,
            }


def _samples(comparison: Comparison) -> Iterable[Row]:
    for row in comparison.samples:
        yield {
            "variant": row.variant,
            "figure": row.figure,
            "k": row.k,
            **_interval("accuracy", "percent", row.accuracy, method=True),
            "tokens_per_question": row.tokens,
        }


def _served(comparison: Comparison) -> Iterable[Row]:
    for row in comparison.served:
        yield {
            "variant": row.variant,
            "source": row.source,
            "benchmark": row.benchmark,
            "method": row.method,
            "same_answers_percent": row.same_answers,
            "gained_questions": row.gained,
            "lost_questions": row.lost,
            **_interval("change", "points", row.change, method=True),
            "finding": row.finding,
        }


def _costs(comparison: Comparison) -> Iterable[Row]:
    mixed = any(cost.general_rows for cost in comparison.costs)
    for cost in comparison.costs:
        general = {"general_rows": cost.general_rows, "general_tokens": cost.general_tokens} if mixed else {}
        yield {
            "variant": cost.variant,
            **{f"{stage}_seconds": seconds for stage, seconds in cost.stage_seconds.items()},
            "train_rows": cost.train_rows,
            "left_out_rows": cost.left_out_rows,
            "training_steps": cost.training_steps,
            "skipped_steps": cost.skipped_steps,
            "training_tokens": cost.training_tokens,
            **general,
            "prompt_tokens": cost.prompt_tokens,
            "generated_tokens": cost.generated_tokens,
            "chatter_tokens": cost.chatter_tokens,
            "turn_ended_answers": cost.turn_ended_answers,
            "statement_ended_answers": cost.statement_ended_answers,
            "cut_answers": cost.cut_answers,
        }
