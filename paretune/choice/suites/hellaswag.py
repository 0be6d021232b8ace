"""HellaSwag (Zellers et al. 2019): which ending continues the text; the validation split."""

from __future__ import annotations

import re

from paretune.choice.suites.base import Form, SuiteKind, options, worded
from paretune.choice.suites.files import Item, Row
from paretune.choice.suites.rows import index_of, reader_of, strings_of


def tidy_hellaswag(text: str) -> str:
    """A HellaSwag text without the WikiHow marks, as lm-eval's hellaswag task cleans it.

    >>> tidy_hellaswag(" How to knit [title] Buy wool. [step] Go to a shop.  Choose. ")
    'How to knit. Buy wool. Go to a shop. Choose.'
    """
    text = re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". "))
    return text.replace("  ", " ")


def _hellaswag_item(row: Row) -> Item:
    endings = strings_of(row, row.get("endings"), "endings")
    if "ctx_a" in row.fields:
        context = f"{row.text('ctx_a')} {row.text('ctx_b').capitalize()}"
        question = tidy_hellaswag(f"{row.text('activity_label')}: {context}")
        return Item(row.where, question, [tidy_hellaswag(ending) for ending in endings], index_of(row, "label"))
    return Item(row.where, row.text("query"), endings, index_of(row, "label"))


def _remarks(row: Row) -> list[str]:
    if "ctx_a" in row.fields:
        return []
    return ["contexts stand as in the file; lm-eval capitalises their second part, which this layout does not mark"]


_EVALUATED = ("hellaswag_val.jsonl", "*/validation-*.parquet", "validation-*.parquet")
_SHOTS = ("hellaswag_train.jsonl", "*/train-*.parquet", "train-*.parquet")
SUITE = SuiteKind(
    "hellaswag",
    reader_of("hellaswag", _hellaswag_item, _EVALUATED, _SHOTS, _remarks),
    cloze=Form(worded("{question}"), options),  # the text itself, to be continued
)
