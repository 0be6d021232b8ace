"""PIQA (Bisk et al. 2020): which of two solutions reaches the goal; the validation split."""

from __future__ import annotations

from paretune.choice.suites.base import SuiteKind
from paretune.choice.suites.files import Item, Row
from paretune.choice.suites.rows import index_of, reader_of


def _piqa_item(row: Row) -> Item:
    return Item(row.where, row.text("goal"), (row.text("sol1"), row.text("sol2")), index_of(row, "label"))


_EVALUATED = ("valid.jsonl", "*/validation-*.parquet", "validation-*.parquet")
_SHOTS = ("train.jsonl", "*/train-*.parquet", "train-*.parquet")
SUITE = SuiteKind("piqa", reader_of("piqa", _piqa_item, _EVALUATED, _SHOTS))
