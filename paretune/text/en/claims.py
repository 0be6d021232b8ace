"""What is claimed, for which family of comparisons, and what was changed afterwards."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "claims.loss-beyond": "loss > {margin} points",
    "claims.pick": (
        "Pick: the largest gain that is shown and whose loss of more than {budget} points is ruled out on every "
        "primary "
        "suite."
    ),
    "claims.alone": "Changes: {level:g} % intervals in brackets.",
    "claims.family": (
        "Changes: intervals in brackets that hold for all {count} variants together ({level:g} %; {method})."
    ),
    "claims.family-suites": (
        "Changes: intervals in brackets that hold for all {count} comparisons together ({level:g} %; {method})."
    ),
    "claims.suites": "What is claimed, in points against {base}",
    "claims.no-clusters": (
        "Questions count as independent; where they share a document or database, --cluster FIELD names it."
    ),
    "claims.chance-unknown": (
        "{suite}: the accuracy of a blind guess is unknown and counts as 0, so a loss may be ruled out where there "
        "was little to lose."
    ),
    "claims.holm-differs": "{variant}: p is {family:p} by {method}, which decides, and {holm:p} by Holm.",
    "claims.changed": "Changed after the fact: {what} {before} → {after}.",
    "claims.variants-added": "Changed after the fact: variants added: {after}.",
    "claims.variants-removed": ("Changed after the fact: variants removed: {before}; they still count in the family."),
    "claims.variants-missing": ("Planned but without complete answers: {before}; they still count in the family."),
    "claims.suites-missing": "Planned but without answers: suites {before}.",
    "claims.searched": (
        "A search looked at {before} states of the model on validation questions. What it chose ({after}) was trained "
        "anew and is judged here, on questions that the search never saw."
    ),
    "claims.repeated": "Evaluated more than once, the former answers are kept as: {before}.",
    "margin:ruled out": "ruled out",
    "margin:cannot be ruled out": "cannot be ruled out",
    "margin:not measurable": "not measurable",
    "margin:shown": "shown",
    "change:one seed of several": "one seed of several",
    "change:gain shown": "gain shown",
    "change:loss shown": "loss shown",
    "change:not shown": "not shown",
    "family:one comparison": "one comparison",
    "family:Bonferroni": "Bonferroni",
    "family:sign flips of clusters": "sign flips of clusters",
}
