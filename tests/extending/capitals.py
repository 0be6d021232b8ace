"""A suite of general ability in one file, as another package may bring it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paretune.choice.suites.base import Form, SuiteKind, options, worded
from paretune.choice.suites.files import Item, Splits, SuiteFolder, as_question

CAPITALS = {
    "europe": {"France": "Paris", "Spain": "Madrid", "Italy": "Rome", "Greece": "Athens", "Norway": "Oslo"},
    "america": {"Peru": "Lima", "Chile": "Santiago", "Cuba": "Havana", "Canada": "Ottawa", "Bolivia": "Sucre"},
    "asia": {"Japan": "Tokyo", "China": "Beijing", "India": "New Delhi", "Iran": "Tehran", "Nepal": "Kathmandu"},
    "africa": {"Kenya": "Nairobi", "Egypt": "Cairo", "Ghana": "Accra", "Mali": "Bamako", "Angola": "Luanda"},
}


def _read(folder: SuiteFolder, subjects: Sequence[str], shots: int) -> Splits:
    rows = []
    for continent, pairs in CAPITALS.items():
        cities = list(pairs.values())
        for place, country in enumerate(pairs):
            item = Item(country, f"The capital of {country} is", cities, place)
            rows.append(as_question(item, subject=continent, category="geography", row=str(place)))
    return Splits(rows, {}, [])


SUITE = SuiteKind(
    "capitals",
    _read,
    cloze=Form(worded("{question}"), options),
    methods=("cloze",),
    embedded=lambda: Path(__file__).parent,
)
