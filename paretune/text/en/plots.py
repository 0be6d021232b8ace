"""The plots."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "plot.pick": "the pick: a loss of more than {budget} points is ruled out",
    "plot.general": "change in general accuracy ({suite}), points",
    "plot.gain": "gain in {metric}, points",
    "plot.scales": "scales of {variant}",
    "plot.checkpoints": "checkpoints of {variant}",
    "plot.forgetting": (
        "Gain and forgetting by step, on {questions} validation questions, none of them the test's; whiskers: 95 % "
        "intervals of each look alone."
    ),
    "plot.subjects": "Change by subject, {suite}",
    "plot.subjects-shown": "the {count} of {all} subjects that changed most",
}
