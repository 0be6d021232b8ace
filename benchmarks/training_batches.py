"""How many places of a training batch are padding, and how many databases meet in one: random rows and grouped ones.

    python -m benchmarks.training_batches --spider DIR --tokenizer DIR [--rows 800 6904] [--batch-size 8 16]

Rows of train_spider as an experiment renders them (CREATE TABLE text, no shots). Needs a tokenizer, no weights.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import mean

from paretune.models.chat import completion, encode, render
from paretune.sql.database import schema_text
from paretune.sql.prompt import SqlPromptBuilder, one_line
from paretune.sql.spider import database_path, read_split
from paretune.training.batches import LengthGroupedOrder, padded_length

LEFT_OUT = ("soccer_1", "baseball_1")  # as in experiments/spider-1.5b.toml
SEEDS = range(5)
STEPS = 5  # in a row, over which databases are counted as well

Row = tuple[int, str]  # tokens, database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR")
    parser.add_argument("--tokenizer", required=True, metavar="DIR")
    parser.add_argument("--rows", type=int, nargs="+", default=[800, 3456, 6904], metavar="N")
    parser.add_argument("--batch-size", type=int, nargs="+", default=[8, 16], metavar="N")
    arguments = parser.parse_args()
    rows = read_rows(arguments.spider, arguments.tokenizer)
    tokens = sorted(length for length, _ in rows)
    print(f"{len(rows)} rows of {tokens[0]} to {tokens[-1]} tokens, median {tokens[len(tokens) // 2]}, "
          f"{len({database for _, database in rows})} databases; means of {len(SEEDS)} seeds")  # fmt: skip
    for count in arguments.rows:
        drawn = random.Random(0).sample(rows, min(count, len(rows)))
        for size in arguments.batch_size:
            for name in ("random", "grouped"):
                print(f"{len(drawn)} rows, batches of {size}, {name}: {describe(drawn, size, name == 'grouped')}")


def read_rows(spider: Path, tokenizer_directory: str) -> list[Row]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_directory)
    builder = SqlPromptBuilder(cache(lambda db_id: schema_text(database_path(spider, db_id), "create_table", 0)))
    rows = []
    for question in read_split(spider, "train_spider", LEFT_OUT):
        messages = builder.messages(question)
        texts = render(tokenizer, messages), completion(tokenizer, messages, one_line(question.gold))
        rows.append((sum(len(encode(tokenizer, text)) for text in texts), question.db_id))
    return rows


def describe(rows: Sequence[Row], size: int, grouped: bool) -> str:
    """Means over the seeds of one epoch each."""
    found = [measure(rows, size, order(rows, size, grouped, seed)) for seed in SEEDS]
    padding, padding_gpu, databases, in_a_row, shapes = (mean(values) for values in zip(*found, strict=True))
    return (f"padding {padding:.1f} % of places ({padding_gpu:.1f} % as padded on a GPU), {databases:.1f} databases a "
            f"batch, {in_a_row:.1f} in {STEPS} batches, {shapes:.0f} lengths on a GPU")  # fmt: skip


def order(rows: Sequence[Row], size: int, grouped: bool, seed: int) -> list[int]:
    if grouped:
        return list(LengthGroupedOrder([length for length, _ in rows], size, seed))
    return random.Random(seed).sample(range(len(rows)), len(rows))


def measure(rows: Sequence[Row], size: int, places: Sequence[int]) -> tuple[float, float, float, float, int]:
    batches = [[rows[place] for place in places[first : first + size]] for first in range(0, len(places), size)]
    tokens = sum(length for length, _ in rows)
    longest = [max(batch)[0] for batch in batches]
    plain = sum(len(batch) * length for batch, length in zip(batches, longest, strict=True))
    gpu = sum(len(batch) * padded_length(length) for batch, length in zip(batches, longest, strict=True))
    names = [{database for _, database in batch} for batch in batches]
    in_a_row = mean(len(set().union(*names[first : first + STEPS])) for first in range(max(1, len(names) - STEPS + 1)))
    shapes = len({padded_length(length) for length in longest})
    return 100 * (1 - tokens / plain), 100 * (1 - tokens / gpu), mean(map(len, names)), in_a_row, shapes


if __name__ == "__main__":
    main()
