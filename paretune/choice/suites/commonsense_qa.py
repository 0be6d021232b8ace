"""CommonsenseQA (Talmor et al. 2019): the validation split."""

from __future__ import annotations

from paretune.choice.suites.base import Form, SuiteKind, options, worded
from paretune.choice.suites.rows import labelled_item, reader_of

_EVALUATED = ("valid.jsonl", "dev_rand_split.jsonl", "*/validation-*.parquet", "validation-*.parquet")
_SHOTS = ("train.jsonl", "train_rand_split.jsonl", "*/train-*.parquet", "train-*.parquet")
SUITE = SuiteKind(
    "commonsense-qa",
    reader_of("commonsense-qa", labelled_item, _EVALUATED, _SHOTS),
    cloze=Form(worded("Question: {stripped}\nAnswer:"), options),
)
