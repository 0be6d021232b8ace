"""Everything needed to make the run again: configuration, versions, hardware, fingerprints, hashes of the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from paretune.analysis.results import Comparison
from paretune.report.page.parts import Cell, Facts, PageTable, Places, Section
from paretune.report.text_table import data_word
from paretune.run.load import RunRecords
from paretune.text.language import Language, number, translator

LINE_FILES = {"answers": "answers.jsonl", "sql": "sql.jsonl", "choice": "choice.jsonl", "training": "training.jsonl"}


def reproduction(records: RunRecords, comparison: Comparison, places: Places, language: Language) -> Section:
    """The last section: what decided the figures."""
    say = translator(language)
    manifest = records.manifest
    source = (places.file("manifest.json"),)
    statistics = (
        (say("confidence"), f"{number(100 * comparison.confidence, language, 0)} %"),
        (say("margin, points"), number(comparison.margin_points, language)),
        (say("bootstrap replicates"), str(comparison.replicates)),
        (say("seed of the statistics"), str(comparison.seed)),
    )
    facts = [
        Facts(say("Model"), _facts(manifest.get("model"), language), sources=source),
        Facts(say("Statistics"), statistics),
        Facts(say("Versions"), _facts({**manifest.get("versions", {}), "git commit": manifest.get("git_commit")})),
        Facts(say("Hardware"), _facts(manifest.get("hardware"), language)),
        Facts(say("Data (SHA-256)"), _facts(manifest.get("data")), folded=True),
        Facts(
            say("Configuration"),
            plain=json.dumps(manifest.get("config", {}), indent=2, ensure_ascii=False),
            folded=True,
            sources=source,
        ),
    ]
    kept = tuple(item for item in facts if item.facts or item.plain not in ("", "{}"))
    introduction = say("The same configuration, weights, data and versions give the same lines.")
    return Section(
        "reproduction", say("How to make it again"), introduction, (_fingerprints(records, places, language),), (), kept
    )


def _facts(found: Mapping[str, Any] | None, language: Language = "en") -> tuple[tuple[str, str], ...]:
    """Names as the manifest has them, in words; those of programs and files (no language given) stay as they are."""
    return tuple(
        (data_word(str(name).replace("_", " "), language), str(value))
        for name, value in (found or {}).items()
        if value is not None
    )


def _fingerprints(records: RunRecords, places: Places, language: Language) -> PageTable:
    """Fingerprint of each file of lines; a cell leads to the file."""
    say = translator(language)
    rows = []
    for variant in records.variants:
        cells = [Cell(variant.name)]
        for name, file in LINE_FILES.items():
            found = str(variant.headers.get(name, {}).get("fingerprint") or "")
            cells.append(Cell(found or "–", places.file(variant.name, file).href if found else ""))
        rows.append(tuple(cells))
    prepared = [places.file("prepared", f"{name}.jsonl") for name in ("sql", "train", "choice")]
    notes = (say("A fingerprint covers everything that decides an answer: weights, adapter, prompt, decoding, data."),)
    header = (say("variant"), *LINE_FILES.values())
    return PageTable(say("Fingerprints"), header, tuple(rows), notes, tuple(prepared), words=frozenset((1, 2, 3, 4)))
