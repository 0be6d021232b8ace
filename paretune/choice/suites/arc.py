"""ARC (Clark et al. 2018), easy and challenge: the test split, as lm-eval has it."""

from __future__ import annotations

from collections.abc import Sequence

from paretune.choice.suites.base import SuiteKind
from paretune.choice.suites.rows import labelled_item, reader_of


def _suite(name: str, stem: str) -> SuiteKind:
    def files(*official: str, hub: Sequence[str]) -> list[str]:
        flat = [f"{stem}-{split}.jsonl" for split in official]
        return [*flat, *(f"{stem}/{file}" for file in flat), *(f"{stem}/{split}-*.parquet" for split in hub)]

    evaluated, shots = files("Test", hub=("test",)), files("Train", "Dev", hub=("train", "validation"))
    return SuiteKind(name, reader_of(name, labelled_item, evaluated, shots))


EASY, CHALLENGE = _suite("arc-easy", "ARC-Easy"), _suite("arc-challenge", "ARC-Challenge")
