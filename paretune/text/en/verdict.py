"""What to do with the variants, and why one is or is not picked."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "verdict.baseline": (
        "Only the base model has been evaluated: it answers {accuracy} % of the {benchmark} questions correctly."
    ),
    "verdict.baseline-general": "General accuracy: {accuracy} % on {suite}. There is nothing to compare yet.",
    "verdict.pick": "Use {variant}: {change:+} points on {benchmark}, from {before:.1} % to {after:.1} % correct.",
    "verdict.base-no-gain": "Keep the base model: no variant is shown to gain.",
    "verdict.base-all-worse": "Keep the base model: every variant answers fewer target questions correctly.",
    "verdict.base-all-lose": (
        "Keep the base model: every variant that gains loses more than {budget} points of general accuracy."
    ),
    "verdict.base-no-evidence": (
        "Keep the base model: variants gain, but for none of them is a loss of more than {budget} points of general "
        "accuracy ruled out."
    ),
    "verdict.largest-gain": (
        "The largest gain is that of {variant}: {change:+} points, from {before:.1} % to {after:.1} % correct."
    ),
    "verdict.largest-change": "The largest change is that of {variant}: {change:+} points on {benchmark}.",
    "verdict.detectable": "A true gain of {detectable:.1} points would be shown four times in five.",
    "verdict.nothing-detectable": "So few data show no difference reliably.",
    "verdict.general": "General accuracy ({suite}): {change:+} points.",
    "verdict.general-worst": "General accuracy ({suite}, the worst of {suites} suites): {change:+} points.",
    "verdict.ruled-out": "A loss of more than {margin} points is ruled out.",
    "verdict.not-ruled-out": "A loss of more than {margin} points cannot be ruled out.",
    "verdict.loss-shown": "A loss of more than {margin} points is shown.",
    "verdict.near-chance": (
        "A loss of more than {margin} points cannot be measured there: the base model is only {losable:.1} points "
        "above chance, its interval within {clear} points of it ({times} margins)."
    ),
    "verdict.near-ceiling": (
        "A loss of more than {margin} points cannot be measured there: the base model's interval comes within {clear} "
        "points of 100 % ({times} margins), where questions are too easy to show what is forgotten."
    ),
    "verdict.suite": "{variant} against {base}: {change:+} points on {suite} ({shown}).",
    "verdict.suites": ("{variant} against {base} on {suites} suites: gain shown on {gained}; loss shown on {lost}."),
    "verdict.worst-suite": "The worst of {suites} suites is {suite}: {change:+} points.",
    "verdict.not-picked": "Not picked: {reasons}.",
    "verdict.split": (
        "Of {count} variants the one with the largest gain on one half of the databases gains {choosing:.1} "
        "points there "
        "and {judging:.1} on the other half (mean of {splits} splits): that is what picking adds."
    ),
    "verdict.worst-subject": (
        "Worst of {subjects} subjects of {suite} under {variant}: {subject}, {change:+} points. The intervals of all "
        "subjects and variants hold together: in each subject a loss of more than {bound:.1} points is ruled out."
    ),
    "verdict.missing-seeds": "Planned seeds without answers: {names}.",
    "decision:pick": "pick",
    "decision:gain not shown": "gain not shown",
    "decision:loss on the target": "loss on the target",
    "decision:loss shown": "loss shown",
    "decision:loss cannot be ruled out": "loss cannot be ruled out",
    "decision:loss not measurable": "loss not measurable",
    "decision:smaller gain": "smaller gain",
}
