"""What a search looked at, read from the folder of its run: for the terminal, the tables and the page alike."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import BASELINE
from paretune.config.read import experiment_of
from paretune.experiment_text import toml_tables
from paretune.pipeline.study import Look, candidates, front
from paretune.pipeline.validation import StateAnswers, judge_states, stored_validation
from paretune.report.search import LookRow, SearchReport
from paretune.run.claims import stated_terms
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines
from paretune.run.load import seed_of, task_of
from paretune.sweep import expand

if TYPE_CHECKING:
    from paretune.analysis.results import Comparison

FOLDER = "search"  # of the run that judged what it found
LOOKS, FINAL = "looks.jsonl", "final.toml"


def read_search(folder: RunFolder, comparison: Comparison) -> SearchReport | None:
    """Every look judged as one family, and the pick of the test; None where no search stands behind the run.

    comparison: of the run on the test. Raises DataError where the search's validation questions are not there.
    """
    manifest, inner = folder.read_manifest(), RunFolder(folder.path / FOLDER)
    path = inner.path / LOOKS
    if "search" not in manifest or not path.is_file():
        return None
    header, lines = read_lines(path)
    looks = [
        Look(line["training"], line["recipe"], line["scale"], line["gain"], line["loss"], line["answers"])
        for line in lines
    ]
    terms, facets = stated_terms(manifest)[0], task_of(manifest).facets
    validation = stored_validation(inner, facets.names)
    states = {look.name: StateAnswers.from_record(look.record) for look in looks}
    verdict = judge_states(
        validation, {BASELINE: StateAnswers.from_record(header["base"]), **states}, terms,
        seed=seed_of(manifest), metric=facets.metric,
    )  # fmt: skip
    best = {look.name for look in front(looks)}
    count = int(manifest["search"]["candidates"])
    judged = manifest["search"].get("judged") or [look.name for look in candidates(looks, terms.budget_points, count)]
    return SearchReport(
        rows=[
            LookRow(look.name, look.recipe, look.scale, look.gain, look.loss, look.name in best, look.name in judged)
            for look in looks
        ],
        verdict=verdict,
        trainings=len({look.training for look in looks}),
        dropped=header.get("dropped", {}),
        questions=len(validation.questions),
        general=sum(map(len, validation.choices.values())),
        pick=pick_text(inner.path / FINAL, comparison),
    )


def pick_text(final: Path, comparison: Comparison) -> str:
    """The experiment with the pick alone, to run again, of the file that was judged; "" where the base is picked."""
    pick = comparison.verdict.pick
    if pick is None or not final.is_file():
        return ""
    table = tomllib.loads(final.read_text(encoding="utf-8"))
    variants = experiment_of(table, str(final)).variants
    items = [*table.pop("variant", []), *_swept(table.pop("sweep", None), variants, str(final))]
    named = dict(zip((variant.name for variant in variants), items, strict=True))
    wanted = set(pick.unit.variants)
    wanted |= {variant.source for variant in variants if variant.name in wanted and variant.source is not None}
    return toml_tables({**table, "variant": [item for name, item in named.items() if name in wanted]})


def _swept(sweep: Any, variants: Any, where: str) -> list[Mapping[str, Any]]:
    """The variants of [sweep] as tables of their own; their keys were checked when they were judged."""
    if sweep is None:
        return []
    keys = {key for item in variants if item.training for key in (*item.training.as_dict(), "method", "objective")}
    return list(expand(sweep, keys, where))
