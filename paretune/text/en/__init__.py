"""English, the language of the source: what a code says. A word without a code says itself."""

from __future__ import annotations

from paretune.text.catalogue import Catalogue
from paretune.text.en import audit, card, claims, first, page, plots, sql, tables, terminal, validation, verdict

SINGULAR: dict[str, str] = {
    "warnings": "warning",
    "questions": "question",
    "databases": "database",
    "clusters": "cluster",
    "variants": "variant",
    "comparisons": "comparison",
    "answers": "answer",
    "rows": "row",
    "runs": "run",
    "tokens": "token",
    "lines": "line",
    "points": "point",
    "prompts": "prompt",
    "recipes": "recipe",
    "steps": "step",
    "epochs": "epoch",
    "shots": "shot",
    "subjects": "subject",
    "notes": "note",
    "blocking problems": "blocking problem",
    "seeds": "seed",
}
TEXT: dict[str, str] = {
    **terminal.TEXT,
    **verdict.TEXT,
    **claims.TEXT,
    **card.TEXT,
    **tables.TEXT,
    **plots.TEXT,
    **first.TEXT,
    **page.TEXT,
    **validation.TEXT,
    **audit.TEXT,
    **sql.TEXT,
}
CATALOGUE = Catalogue("English", ".", ", ", SINGULAR, TEXT)
