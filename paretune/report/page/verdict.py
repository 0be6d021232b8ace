"""The verdict in two plain sentences: what was gained, what became of general ability, and how sure that is.

What is not shown is said as not shown. Where one of several variants was chosen by looking, the sentences quote the
questions that did not take part in the choice.
"""

from __future__ import annotations

from dataclasses import dataclass

from paretune.analysis.results import BudgetChoice, Comparison, Difference
from paretune.report.text_table import p_value, with_interval
from paretune.text.language import Language, number, translator


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two sentences, what they rest on, and the variant that they are about ("" with the baseline alone)."""

    variant: str
    gain: str
    general: str
    basis: tuple[str, ...]


def verdict(comparison: Comparison, language: Language) -> Verdict:
    """What a reader should take away if they read nothing else."""
    tuned = comparison.variants[1:]
    if not tuned:
        return _baseline_alone(comparison, language)
    choice = comparison.tradeoff.choice
    if choice is not None and len(tuned) > 1 and choice.variant != comparison.variants[0].name:
        return _chosen(comparison, choice, language)
    best = max(tuned, key=lambda row: row.execution.estimate).name
    return _of_one(comparison, best, language)


def _baseline_alone(comparison: Comparison, language: Language) -> Verdict:
    say = translator(language)
    row = comparison.variants[0]
    gain = say("Only the base model has been evaluated: {accuracy} % of {benchmark} is right.").format(
        accuracy=with_interval(row.execution, language), benchmark=comparison.target_benchmark
    )
    general = say("Its general ability is {accuracy} % on {suite}; there is nothing to compare yet.").format(
        accuracy=with_interval(row.general, language), suite=comparison.main_suite
    )
    return Verdict("", gain, general, (say("95 % intervals in brackets."),))


def _chosen(comparison: Comparison, choice: BudgetChoice, language: Language) -> Verdict:
    """Figures of the half that did not choose. A gain or a loss is claimed only where the adjusted p over all
    questions shows it too, so that the sentence never says more than the tables."""
    say = translator(language)
    findings = {
        axis: found.finding if found else "not shown"
        for axis in ("target", "general")
        for found in [comparison.difference(choice.variant, axis)]
    }
    shown = choice.gain.low > 0 and findings["target"] == "gain shown"
    sentence = (
        "{variant} gains {gain} points on {benchmark} over the base model."
        if shown
        else "A gain of {variant} on {benchmark} is not shown: the change is {gain} points."
    )
    gain = say(sentence).format(
        variant=choice.variant,
        gain=with_interval(choice.gain, language, signed=not shown),
        benchmark=comparison.target_benchmark,
    )
    sentences = {
        "shown": "Its general ability ({suite}) changes by {change} points: a loss below {margin} points is shown.",
        "refuted": "It pays with general ability: {suite} changes by {change} points, more than the {margin} allowed.",
    }
    not_shown = (
        "That it loses less than {margin} points of general ability is not shown: {suite} changes by {change} points."
    )
    within = choice.within_budget
    if within == "refuted" and findings["general"] != "loss shown":
        within = "not shown"
    general = say(sentences.get(within, not_shown)).format(
        suite=comparison.main_suite,
        change=with_interval(choice.general_change, language, signed=True),
        margin=number(choice.budget, language),
    )
    basis = say(
        "Chosen among {count} variants for the greatest gain at a loss of at most {budget} points on one half of the "
        "questions ({validation}); the figures above are those of the other half ({test}), with 95 % intervals; "
        "plots and tables show all."
    ).format(
        count=len(comparison.variants),
        budget=number(choice.budget, language),
        validation=choice.validation_questions,
        test=choice.test_questions,
    )
    adjusted = comparison.difference(choice.variant, "target")
    doubts = []
    if choice.gain.low > 0 and not shown and adjusted is not None:
        doubts.append(
            say(
                "That interval leaves out 0, but over all questions p is {p} after adjustment for {count} comparisons, "
                "so the gain does not count as shown."
            ).format(p=p_value(adjusted.holm_p, language), count=adjusted.comparisons)
        )
    return Verdict(choice.variant, gain, general, (basis, *doubts, *_seeds(comparison, choice.variant, language)))


def _of_one(comparison: Comparison, name: str, language: Language) -> Verdict:
    """Figures of all questions, with Holm's adjustment over every comparison of the run."""
    say = translator(language)
    target, general = comparison.difference(name, "target"), comparison.difference(name, "general")
    if target is None or general is None:
        return _baseline_alone(comparison, language)
    basis = [
        say(
            "All {questions} and {general} questions; {count} comparisons were adjusted together (Holm), "
            "95 % intervals in brackets."
        ).format(questions=target.interval.n, general=general.interval.n, count=target.comparisons)
    ]
    choice, several = comparison.tradeoff.choice, len(comparison.variants) > 2
    if several:
        basis.append(
            say("{variant} is the best of {count} on these very questions, which flatters it.").format(
                variant=name, count=len(comparison.variants) - 1
            )
        )
    if choice is not None and choice.variant == comparison.variants[0].name:
        basis.insert(
            0,
            say(
                "On the half of the questions kept for choosing, no variant gained and lost at most {budget} points, "
                "so the base model is the choice."
            ).format(budget=number(choice.budget, language)),
        )
    for item in (target, general):
        if item.finding == "not shown" and 0 not in item.interval:
            sentence = say("{benchmark}: the interval leaves out 0, but adjusted for {count} comparisons p is {p}.")
            named = comparison.target_benchmark if item.axis == "target" else item.benchmark
            adjusted = p_value(item.holm_p, language)
            basis.append(sentence.format(benchmark=named, count=item.comparisons, p=adjusted))
    basis += _seeds(comparison, name, language)
    return Verdict(name, _target(comparison, target, language), _general(comparison, general, language), tuple(basis))


def _target(comparison: Comparison, found: Difference, language: Language) -> str:
    rows = {row.name: row for row in comparison.variants}
    if found.finding == "gain shown":
        sentence = "{variant} gains {change} points on {benchmark}, from {before} % to {after} % right."
    elif found.finding == "loss shown":
        sentence = "{variant} loses on its own task: {benchmark} changes by {change} points, to {after} % right."
    else:
        sentence = (
            "A gain of {variant} on {benchmark} is not shown: the change is {change} points, and these {questions} "
            "questions show differences from {detectable} points on."
        )
    return (
        translator(language)(sentence)
        .format(
            variant=found.second,
            change=with_interval(found.interval, language, signed=found.finding != "gain shown"),
            benchmark=comparison.target_benchmark,
            before=number(rows[found.first].execution.estimate, language),
            after=number(rows[found.second].execution.estimate, language),
            questions=found.interval.n,
            detectable=number(found.minimum_detectable_effect, language),
        )
    )  # fmt: skip


def _general(comparison: Comparison, found: Difference, language: Language) -> str:
    if found.finding == "loss shown":
        sentence = "It pays with general ability: {suite} changes by {change} points."
    elif found.non_inferiority.verdict == "shown":
        sentence = "Its general ability ({suite}) changes by {change} points: a loss below {margin} points is shown."
    else:
        sentence = (
            "That it loses less than {margin} points of general ability is not shown: {suite} changes by {change} "
            "points, and differences from {detectable} points on would show."
        )
    return translator(language)(sentence).format(
        suite=comparison.main_suite,
        change=with_interval(found.interval, language, signed=True),
        margin=number(comparison.margin_points, language),
        detectable=number(found.minimum_detectable_effect, language),
    )


def _seeds(comparison: Comparison, name: str, language: Language) -> tuple[str, ...]:
    """The recipe's caveat, for a variant trained here or made of one that was."""
    sources = {row.name: row.source or row.name for row in comparison.variants}
    say = translator(language)
    for recipe in comparison.recipes:
        if sources.get(name, name) in recipe.variants and recipe.caveat:
            sentence = say(recipe.caveat)
            return (f"{sentence[:1].upper()}{sentence[1:]}.",)
    return ()
