"""BoolQ (Clark et al. 2019): a passage and a yes-no question; the validation split."""

from __future__ import annotations

from paretune.choice.suites.base import Form, SuiteKind, letters, options, worded
from paretune.choice.suites.files import Item, Row
from paretune.choice.suites.rows import index_of, reader_of
from paretune.errors import DataError


def _boolq_item(row: Row) -> Item:
    """question: the passage and the question under it, worded as in SuperGLUE ("TITLE -- passage")."""
    options = ("no", "yes")
    if "query" in row.fields:
        passage, found, question = row.text("query").removeprefix("Passage: ").rpartition("\nQuestion: ")
        if not found:
            raise DataError(f"{row.where}: 'query' must hold a passage and a line that begins with 'Question: '")
        return Item(row.where, f"{passage}\nQuestion: {question}", options, index_of(row, "gold"))
    passage = row.text("passage")
    if row.fields.get("title"):
        passage = f"{row.text('title')} -- {passage}"
    answer = index_of(row, "label" if "label" in row.fields else "answer")
    return Item(row.where, f"{passage}\nQuestion: {row.text('question')}?", options, answer)


def _remarks(row: Row) -> list[str]:
    return ["passages stand without the titles that SuperGLUE's rows begin with"] if "query" in row.fields else []


_EVALUATED = ("val.jsonl", "dev.jsonl", "boolq_val.jsonl", "*/validation-*.parquet", "validation-*.parquet")
_SHOTS = ("train.jsonl", "*/train-*.parquet", "train-*.parquet")
SUITE = SuiteKind(
    "boolq",
    reader_of("boolq", _boolq_item, _EVALUATED, _SHOTS, _remarks),
    # its passage stands first and the word "Question:" is in its text
    letter=Form(worded("{stripped}\n{lettered}\nAnswer:"), letters),
    cloze=Form(worded("{question}\nAnswer:"), options),
)
