"""The model card."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "card.what": "An adapter of {base}, trained for {benchmark}; what it gains and what it forgets was measured.",
    "card.variant": (
        "{variant} changes {benchmark} by {change:+} points, from {before:.1} % to {after:.1} % correct: {finding}."
    ),
    "card.recipe": (
        "{variant} is one of {seeds} seeds of the recipe {recipe}, which changes {benchmark} by {change:+} points, "
        "from {before:.1} % to {after:.1} % correct: {finding}."
    ),
    "card.shots": ", {shots} shots",
    "card.terms": (
        "A loss of up to {margin} points would not matter, the pick may lose {budget} points; intervals of changes "
        "hold for all {planned} variants together ({level:g} %)."
    ),
    "card.precision": "Precision {precision}, greedy decoding.",
    "card.versions": "Versions: {versions}. Seed of the questions drawn: {seed}.",
    "card.training": ("{rows} training rows, {steps} steps, {epochs} epochs, peak learning rate {rate}, seed {seed}."),
    "card.method": "Method: {method} ({settings}).",
    "card.checkpoint": "The adapter is the one after step {step} of {source}.",
    "card.repair": "The adapter was changed after its training, without data: {repair} ({settings}), from {source}.",
    "card.prompts": (
        "Ask it in the form that it was trained on: `prepared/` of the run folder holds every prompt to the letter."
    ),
    "card.scale": (
        "These figures are of the adapter at {scale} of its strength; `paretune export EXPERIMENT DIR --variant "
        "{variant}` writes one that has this inside."
    ),
}
