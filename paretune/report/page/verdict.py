"""The verdict in two plain sentences: what was gained, what became of general ability, and how sure that is.

What is not shown is said as not shown. Where one of several variants was chosen by looking, the sentences quote the
questions that did not take part in the choice.
"""

from __future__ import annotations

from dataclasses import dataclass

from paretune.analysis.results import BudgetChoice, Comparison, Difference
from paretune.text import Voice


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two sentences, what they rest on, and the variant that they are about ("" with the baseline alone)."""

    variant: str
    gain: str
    general: str
    basis: tuple[str, ...]


def verdict(comparison: Comparison, voice: Voice) -> Verdict:
    """What a reader should take away if they read nothing else."""
    tuned = comparison.variants[1:]
    if not tuned:
        return _baseline_alone(comparison, voice)
    choice = comparison.tradeoff.choice
    if choice is not None and len(tuned) > 1 and choice.variant != comparison.variants[0].name:
        return _chosen(comparison, choice, voice)
    best = max(tuned, key=lambda row: row.execution.estimate).name
    return _of_one(comparison, best, voice)


def _baseline_alone(comparison: Comparison, voice: Voice) -> Verdict:
    row = comparison.variants[0]
    gain = voice.say("verdict.baseline", accuracy=row.execution, benchmark=comparison.target_benchmark)
    general = voice.say("verdict.baseline-general", accuracy=row.general, suite=comparison.main_suite)
    return Verdict("", gain, general, (voice.say("95 % intervals in brackets."),))


def _chosen(comparison: Comparison, choice: BudgetChoice, voice: Voice) -> Verdict:
    """Figures of the half that did not choose. A gain or a loss is claimed only where the adjusted p over all
    questions shows it too, so that the sentence never says more than the tables."""
    say = voice.say
    findings = {
        axis: found.finding if found else "not shown"
        for axis in ("target", "general")
        for found in [comparison.difference(choice.variant, axis)]
    }
    shown = choice.gain.low > 0 and findings["target"] == "gain shown"
    gain = say(
        "verdict.chosen-gain" if shown else "verdict.chosen-gain-not-shown",
        variant=choice.variant,
        gain=choice.gain,
        benchmark=comparison.target_benchmark,
    )
    sentences = {"shown": "verdict.general-kept", "refuted": "verdict.general-beyond-budget"}
    within = choice.within_budget
    if within == "refuted" and findings["general"] != "loss shown":
        within = "not shown"
    general = say(
        sentences.get(within, "verdict.chosen-general-not-shown"),
        suite=comparison.main_suite,
        change=choice.general_change,
        margin=choice.budget,
    )
    basis = say(
        "verdict.chosen",
        count=len(comparison.variants),
        budget=choice.budget,
        validation=choice.validation_questions,
        test=choice.test_questions,
    )
    adjusted = comparison.difference(choice.variant, "target")
    doubts = []
    if choice.gain.low > 0 and not shown and adjusted is not None:
        doubts.append(say("verdict.chosen-adjusted", p=adjusted.holm_p, count=adjusted.comparisons))
    return Verdict(choice.variant, gain, general, (basis, *doubts, *_seeds(comparison, choice.variant, voice)))


def _of_one(comparison: Comparison, name: str, voice: Voice) -> Verdict:
    """Figures of all questions, with Holm's adjustment over every comparison of the run."""
    say = voice.say
    target, general = comparison.difference(name, "target"), comparison.difference(name, "general")
    if target is None or general is None:
        return _baseline_alone(comparison, voice)
    basis = [
        say(
            "verdict.all-questions",
            questions=target.interval.n,
            general=general.interval.n,
            count=target.comparisons,
        )
    ]
    choice, several = comparison.tradeoff.choice, len(comparison.variants) > 2
    if several:
        basis.append(say("verdict.best-of", variant=name, count=len(comparison.variants) - 1))
    if choice is not None and choice.variant == comparison.variants[0].name:
        basis.insert(0, say("verdict.base-model-chosen", budget=choice.budget))
    for item in (target, general):
        if item.finding == "not shown" and 0 not in item.interval:
            named = comparison.target_benchmark if item.axis == "target" else item.benchmark
            basis.append(say("verdict.adjusted", benchmark=named, count=item.comparisons, p=item.holm_p))
    basis += _seeds(comparison, name, voice)
    return Verdict(name, _target(comparison, target, voice), _general(comparison, general, voice), tuple(basis))


def _target(comparison: Comparison, found: Difference, voice: Voice) -> str:
    rows = {row.name: row for row in comparison.variants}
    sentences = {"gain shown": "verdict.gain", "loss shown": "verdict.loss"}
    return voice.say(
        sentences.get(found.finding, "verdict.gain-not-shown"),
        variant=found.second,
        change=found.interval,
        benchmark=comparison.target_benchmark,
        before=rows[found.first].execution.estimate,
        after=rows[found.second].execution.estimate,
        questions=found.interval.n,
        detectable=found.minimum_detectable_effect,
    )


def _general(comparison: Comparison, found: Difference, voice: Voice) -> str:
    if found.finding == "loss shown":
        sentence = "verdict.general-loss"
    elif found.non_inferiority.verdict == "shown":
        sentence = "verdict.general-kept"
    else:
        sentence = "verdict.general-not-shown"
    return voice.say(
        sentence,
        suite=comparison.main_suite,
        change=found.interval,
        margin=comparison.margin_points,
        detectable=found.minimum_detectable_effect,
    )


def _seeds(comparison: Comparison, name: str, voice: Voice) -> tuple[str, ...]:
    """The recipe's caveat, for a variant trained here or made of one that was."""
    sources = {row.name: row.source or row.name for row in comparison.variants}
    say = voice.say
    for recipe in comparison.recipes:
        if sources.get(name, name) in recipe.variants and recipe.caveat:
            sentence = say(recipe.caveat)
            return (f"{sentence[:1].upper()}{sentence[1:]}.",)
    return ()
