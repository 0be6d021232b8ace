"""All variants as points of gain and remaining ability: front, curves and prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from paretune.analysis.axes import CONFIDENCE, AnsweredAxis
from paretune.analysis.results import Claim, Curve, MatchedLoss, TradeOff, TradeOffPoint
from paretune.errors import UndefinedFigure
from paretune.run.load import Run, VariantEntry
from paretune.stats import tradeoff as ratios
from paretune.stats.clusters import FloatArray, joint_bootstrap
from paretune.stats.intervals import Interval
from paretune.stats.paired import PairedDifference

AT_CHANCE = "the base model cannot be told from chance"
NO_GAIN = "the gain is not shown"
NOT_REACHED = "too few replicates of the curve reach this gain"
SHARE_OF_SMALLEST_REACH = 0.8  # of the curve that gains least: near its end, many replicates fall short
Differences = Mapping[str, PairedDifference]
Claims = Mapping[str, Claim]


@dataclass(frozen=True, slots=True)
class Settings:
    """Replicates of the bootstrap and its seed."""

    replicates: int
    seed: int


def trade_off(
    records: Run,
    axes: tuple[AnsweredAxis, AnsweredAxis],
    against_baseline: tuple[Differences, Differences],
    claims: tuple[Claims, Claims],
    settings: Settings,
) -> TradeOff:
    """Everything about the plane; axes, against_baseline and claims (by variant) are (target, main general)."""
    names = [variant.name for variant in records.variants]
    generator = np.random.default_rng([settings.seed, 1])
    drawn = [
        100 * joint_bootstrap(axis.correct, axis.clusters, replicates=settings.replicates, generator=generator)
        for axis in axes
    ]
    accuracies = np.column_stack([100 * axis.correct.mean(axis=0) for axis in axes])
    front = ratios.pareto_front(accuracies)
    probabilities = ratios.front_probability(drawn[0], drawn[1])
    points = tuple(
        _point(name, at, axes, against_baseline, claims, front[at], probabilities[at]) for at, name in enumerate(names)
    )
    freedom = _fewest_freedom(against_baseline)
    reference = (0.0, 100 * float(np.mean(axes[1].chance)) if axes[1].chance else 0.0)
    curves = _curves([variant.entry for variant in records.variants])
    return TradeOff(
        points=points,
        curves=curves,
        matched=_matched(curves, names, accuracies, (drawn[0], drawn[1]), freedom),
        reference=reference,
        hypervolume=_hypervolume(axes, accuracies, drawn, reference, freedom),
    )


def _hypervolume(
    axes: tuple[AnsweredAxis, AnsweredAxis],
    accuracies: FloatArray,
    drawn: Sequence[FloatArray],
    reference: tuple[float, float],
    freedom: float,
) -> Interval:
    found = ratios.hypervolume_interval(
        accuracies, drawn[0], drawn[1], reference, freedom=freedom, confidence=CONFIDENCE
    )
    return replace(found, n=sum(len(axis.ids) for axis in axes))


def _fewest_freedom(against_baseline: tuple[Differences, Differences]) -> float:
    """Of all comparisons; with the baseline alone there is none, and the normal will do."""
    freedoms = [item.degrees_of_freedom for axis in against_baseline for item in axis.values()]
    return min(freedoms, default=1e6)


def _point(
    name: str,
    at: int,
    axes: tuple[AnsweredAxis, AnsweredAxis],
    against_baseline: tuple[Differences, Differences],
    claims: tuple[Claims, Claims],
    on_front: bool,
    probability: float,
) -> TradeOffPoint:
    general = axes[1]
    if name not in against_baseline[0]:
        nothing = [Interval(0, 0, 0, CONFIDENCE, len(axis.ids), 0, "the baseline itself") for axis in axes]
        kept = Interval(100, 100, 100, CONFIDENCE, len(general.ids), 0, "the baseline itself")
        return TradeOffPoint(name, nothing[0], nothing[1], kept, "", None, "", on_front, probability)
    gain, change = against_baseline[0][name], against_baseline[1][name]
    retention, price, retention_reason, price_reason = None, None, "", ""
    try:
        base, tuned = general.correct[:, 0].tolist(), general.correct[:, at].tolist()
        retention = ratios.retention(base, tuned, general.chance or 0.0, general.clusters, confidence=CONFIDENCE)
    except UndefinedFigure:
        retention_reason = AT_CHANCE
    try:
        if claims[0][name].interval.low <= 0:
            raise UndefinedFigure(NO_GAIN)
        price = ratios.points_lost_per_point_gained(gain, change)
    except UndefinedFigure:
        price_reason = NO_GAIN
    shown, kept = claims[0][name].interval, claims[1][name].interval
    return TradeOffPoint(name, shown, kept, retention, retention_reason, price, price_reason, on_front, probability)


def _curves(entries: Sequence[VariantEntry]) -> tuple[Curve, ...]:
    """Scales and checkpoints of each adapter, from the baseline up to the whole adapter."""
    baseline = entries[0]
    curves: list[Curve] = []
    for whole in entries[1:]:
        derived = [entry for entry in entries if entry.source == whole.name and entry.repair is None]
        scaled = [entry for entry in derived if entry.checkpoint is None]
        stopped = [entry for entry in derived if entry.checkpoint is not None and entry.adapter_scale in (None, 1.0)]
        if scaled:
            scales = [(0.0, baseline), *((_scale(entry), entry) for entry in scaled), (_scale(whole), whole)]
            curves.append(_curve(whole.name, "scale", scales))
        if stopped:
            last = float(whole.steps or max(entry.checkpoint or 0 for entry in stopped) + 1)
            steps = [(0.0, baseline), *((float(entry.checkpoint or 0), entry) for entry in stopped), (last, whole)]
            curves.append(_curve(whole.name, "checkpoint", steps))
    return tuple(curves)


def _curve(source: str, kind: Literal["scale", "checkpoint"], members: list[tuple[float, VariantEntry]]) -> Curve:
    ordered = sorted(members, key=lambda member: member[0])
    return Curve(source, kind, tuple(entry.name for _, entry in ordered), tuple(value for value, _ in ordered))


def _scale(entry: VariantEntry) -> float:
    return 1.0 if entry.adapter_scale is None else entry.adapter_scale


def _matched(
    curves: Sequence[Curve],
    names: Sequence[str],
    accuracies: FloatArray,
    drawn: tuple[FloatArray, FloatArray],
    freedom: float,
) -> tuple[MatchedLoss, ...]:
    """With two curves or more: what each has lost where it reaches a gain that all of them reach."""
    if len(curves) < 2:
        return ()
    columns = {curve: [names.index(name) for name in curve.variants[1:]] for curve in curves}
    reach = min(float((accuracies[at, 0] - accuracies[0, 0]).max()) for at in columns.values())
    gain = SHARE_OF_SMALLEST_REACH * reach
    if gain <= 0:
        return tuple(MatchedLoss(curve.source, curve.kind, gain, None, NOT_REACHED) for curve in curves)
    rows: list[MatchedLoss] = []
    for curve, at in columns.items():
        loss, reason = None, ""
        gains, losses = accuracies[at, 0] - accuracies[0, 0], accuracies[0, 1] - accuracies[at, 1]
        try:
            estimate = ratios.loss_at_matched_gain(gains.tolist(), losses.tolist(), gain)
            loss = ratios.matched_loss_interval(
                drawn[0][:, [0, *at]], drawn[1][:, [0, *at]], gain, estimate, freedom=freedom, confidence=CONFIDENCE
            )
        except UndefinedFigure:
            reason = NOT_REACHED
        rows.append(MatchedLoss(curve.source, curve.kind, gain, loss, reason))
    return tuple(rows)
