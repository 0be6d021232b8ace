"""Titles, columns and notes of the tables."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "table.change": (
        "Change: against the baseline, in points, paired by question, clustered by database; the {databases} databases "
        "are worth {effective:.1} of equal size."
    ),
    "table.summary": "Gain and loss in one table: {benchmark}, {questions} questions, and general accuracy; in percent",
    "table.target": "{Metric} in percent: {benchmark}, {questions} questions in {count} {clusters}",
    "table.levels": "{Metric} in percent by {level}",
    "table.target-change": (
        "Change: against the baseline, in points, paired by question, clustered by {cluster}; the {count} "
        "{clusters} are worth {effective:.1} of equal size."
    ),
    "table.these-clusters": "The {clusters} are too few to speak for others: the figures hold for these alone.",
    "table.target-split": (
        "Of {count} variants the one with the largest gain on one half of the {clusters} gains {choosing:.1} points "
        "there and {judging:.1} on the other half (mean of {splits} splits): that is what picking adds."
    ),
    "table.void": "{count} questions whose reference fails are in no accuracy.",
    "table.p-values": (
        "McNemar's exact p takes questions as independent; p (family) and p (Holm) respect {clusters} and subjects."
    ),
    "table.target-hypervolume": (
        "Hypervolume: {area:.0} square points, dominated above 0 % on the target and {chance:.1} % general accuracy; "
        "compare it only between experiments with as many variants on the same questions."
    ),
    "table.reasons": "Reasons: questions and % of all",
    "table.execution": "Execution accuracy in percent: {benchmark}, {questions} questions in {databases} databases",
    "table.general": "General accuracy in percent: {suite} by {method}, {questions} questions",
    "table.served": (
        "Alike: the whole interval of the change lies within the margin of {margin} points. Different: it leaves out "
        "0. It holds for all served variants of a benchmark together."
    ),
    "table.samples": (
        "One of k: at least one of k drawn answers is right, which helps only where the right answer is known; "
        "estimated without bias from all that were drawn. Vote: the answer whose result most of them have."
    ),
    "table.logged": "Accuracy in percent: {suite}, {questions} questions",
    "table.chance": ", chance {chance:.1} %",
    "table.in-writing": (
        "Asked in writing instead of by {method}: the server returns no log-probabilities of the options."
    ),
    "table.hypervolume": (
        "Hypervolume: {area:.0} square points, dominated above 0 % execution and {chance:.1} % general accuracy; "
        "compare it only between experiments with as many variants on the same questions."
    ),
    "table.stopped": (
        "{variant}: its training was stopped after {step} steps, where its monitor showed a loss (stop_when_loss)."
    ),
    "table.chosen": "{variant}: its checkpoint after {step} steps, chosen by the validation questions.",
    "table.matched": "Points of general accuracy lost where a curve reaches a gain of {gain:.1} points",
    "table.left-out": "Training rows left out as too long: {counts}.",
    "table.skipped": "Training steps skipped as not finite: {counts}.",
    "section.reasons": "Why answers are wrong",
    "served:alike": "alike",
    "served:different": "different",
    "served:not shown": "not shown",
    "sample:mean": "one drawn",
    "sample:pass": "one of {k} (pass@{k})",
    "sample:oracle": "one of all {k} (oracle)",
    "sample:vote": "vote of {k}",
}
