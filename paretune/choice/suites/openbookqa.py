"""OpenBookQA (Mihaylov et al. 2018): the test split."""

from __future__ import annotations

from paretune.choice.suites.base import Form, SuiteKind, options, worded
from paretune.choice.suites.rows import labelled_item, reader_of

_LAYOUTS = ("{}.jsonl", "Main/{}.jsonl", "Data/Main/{}.jsonl")
_EVALUATED = (*(layout.format("test") for layout in _LAYOUTS), "main/test-*.parquet", "test-*.parquet")
_SHOTS = (
    *(layout.format(split) for split in ("train", "dev") for layout in _LAYOUTS),
    *("main/train-*.parquet", "train-*.parquet"),
)
SUITE = SuiteKind(
    "openbookqa",
    reader_of("openbookqa", labelled_item, _EVALUATED, _SHOTS),
    cloze=Form(worded("{question}"), options),  # the text itself, to be continued
)
