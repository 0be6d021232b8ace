"""The first screen of the page."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "first.use": (
        "Use {variant}: {gain:+} points of {accuracy}, and a loss of more than {budget} points of general accuracy is "
        "ruled out."
    ),
    "first.accuracy": "{metric}",
    "first.sql-accuracy": "SQL accuracy",
    "first.recipe": "{variant} (recipe, {count} seeds)",
    "first.points": "{budget} points",
    "first.explored": (
        "With {budget} points allowed, which is not what the experiment states. `paretune compare --budget {budget}` "
        "says the same."
    ),
    "first.gain-line": "{change:+} points: {finding}",
    "first.no-change": "{change:+} points: neither a gain nor a loss is shown",
    "first.loss-line": "{change:+} points. {loss}",
    "first.other-suite": "{suite}: {levels}, {change:+} points",
    "first.interval": "95 % interval: {low} to {high} %",
    "first.suite": "General accuracy · {suite}, {questions} questions",
    "first.worst-suite": "General accuracy · {suite}, the worst of {suites} suites, {questions} questions",
    "first.target": "{accuracy} · {benchmark}, {questions} questions in {count} {clusters}",
    "first.of-largest-gain": "{variant}, which gains most · {label}",
    "first.of-largest-change": "{variant}, the best of them · {label}",
    "first.of-smallest-loss": "{variant}, which loses least · {label}",
    "first.seeds": "{count} seeds",
    "first.audit": "{invalid} blocking problems, {warnings} warnings, {notes} notes",
    "first.these": "The figures hold for these groups of questions only.",
    "first.scale": "{variant} at scale {scale}",
    "first.checkpoint": "step {step} of {variant}",
    "first.repair": "{variant} repaired: {repair}",
    "first.gain-not-shown": "Its gain is not shown: {gained:+} points.",
    "first.target-loss": "It loses on the target itself: {gained:+} points.",
    "first.loss-shown": (
        "It gains {gain:+} points, but a loss of more than {budget} points is shown on {suite}: {change:+}."
    ),
    "first.loss-open": (
        "It gains {gain:+} points, but its interval on {suite} reaches {low:+}: a loss of more than {budget} points "
        "cannot be ruled out."
    ),
    "first.not-measurable": (
        "It gains {gain:+} points, but {suite} cannot show whether it loses more than {budget} points."
    ),
    "first.smaller-gain": "It gains less: {gained:+} points.",
    "first.allow": "Allow {budget} points",
    "first.gained": "{count} questions newly right",
    "first.lost": "{count} questions no longer right",
    "first.beyond": "loses more than the {budget} points allowed",
    "first.base": "{what} {accuracy:.1} %",
    "first.x": "points of {accuracy} gained",
    "first.y": "points of general accuracy gained or lost ({suite})",
    "first.point": "{variant}: gain {gain:+}; {suite} {change:+}",
    "first.why-not": "Why not {variant}?",
    "first.what-changed": "What {variant} changed:",
    "first.more-reasons": "The rest ({count} variants)",
}
