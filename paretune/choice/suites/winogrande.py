"""WinoGrande (Sakaguchi et al. 2020): which of two words fills the gap; the validation split.

Partial scoring, as lm-eval does it: the sentence up to its gap with each option in it; what follows the gap is scored.
"""

from __future__ import annotations

from paretune.choice.suites.base import Form, SuiteKind
from paretune.choice.suites.files import Item, Row
from paretune.choice.suites.rows import index_of, reader_of
from paretune.errors import DataError
from paretune.records import ChoiceQuestion


def _winogrande_item(row: Row) -> Item:
    sentence = row.text("sentence")
    if sentence.count("_") != 1:
        raise DataError(f"{row.where}: the sentence must hold one gap _, found {sentence.count('_')}")
    return Item(row.where, sentence, (row.text("option1"), row.text("option2")), index_of(row, "answer", first=1))


def _contexts(question: ChoiceQuestion) -> tuple[str, ...]:
    before = question.question[: question.question.index("_")]
    return tuple(before + option for option in question.options)


def _continuations(question: ChoiceQuestion) -> tuple[str, ...]:
    after = question.question[question.question.index("_") + 1 :].strip()
    return tuple(after for _ in question.options)


_EVALUATED = ("dev.jsonl", "winogrande_xl/validation-*.parquet", "validation-*.parquet")
_SHOTS = ("train_xl.jsonl", "train.jsonl", "winogrande_xl/train-*.parquet", "train-*.parquet")
SUITE = SuiteKind(
    "winogrande",
    reader_of("winogrande", _winogrande_item, _EVALUATED, _SHOTS),
    cloze=Form(_contexts, _continuations),
)
