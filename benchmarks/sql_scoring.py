"""How long the scorer takes, and that its verdicts are the same for every number of workers.

    python -m benchmarks.sql_scoring --spider DIR [--workers 1 2 4] [--predictions FILE]

Scores dev with 1034 predictions: a file, or the gold with every second query exchanged for a neighbour's. Everything is
counted: starting workers, gold (no cache), comparison and diagnosis. Then the comparison alone on wide results, and
the extraction alone on a megabyte of text.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from paretune.records import SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.execute import Row
from paretune.sql.extract import extract_sql
from paretune.sql.predictions import join_predictions, read_predictions
from paretune.sql.rules import match_official
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.sql.spider import read_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--predictions", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    questions = read_split(arguments.spider, "dev")
    if arguments.predictions:
        predictions = join_predictions(read_predictions(arguments.predictions).rows, questions)
    else:
        predictions = exchanged(questions)
    print(f"{len(predictions)} predictions, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    scored = {}
    for workers in arguments.workers:
        scored[workers] = measure(predictions, arguments.spider / "database", workers)
    first, *others = scored.values()
    print("verdicts equal for every number of workers:", all(first == other for other in others))
    wide_results()
    long_texts()


def exchanged(questions: list[SqlQuestion]) -> list[SqlPrediction]:
    """Gold as prediction, every second one that of another question on the same database, with a LIMIT."""
    generator = random.Random(0)
    predictions = []
    for question in questions:
        text = question.gold
        if question.index % 2:
            text = generator.choice([other.gold for other in questions if other.db_id == question.db_id]) + " LIMIT 5"
        predictions.append(SqlPrediction(question.index, question.db_id, question.question, question.gold, text))
    return predictions


def measure(predictions: list[SqlPrediction], databases: Path, workers: int) -> list[SqlVerdict]:
    """Score once and print the time; the verdicts come back without their times."""
    used, began = processor_seconds(), time.monotonic()
    verdicts = score_predictions(predictions, databases, ScoreSettings(workers=workers))
    spent, used = time.monotonic() - began, processor_seconds() - used
    counts = Counter(str(verdict.outcome) for verdict in verdicts)
    print(f"{workers} workers: {spent:.1f} s, {used:.1f} s of processor time, {dict(counts)}")
    return [replace(verdict, seconds=0.0) for verdict in verdicts]


def processor_seconds() -> float:
    """Of this process and of its workers that have ended."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in usage)


def wide_results() -> None:
    """Time of the official comparison on results of 20 columns and 10,000 rows with columns and rows moved."""
    generator = random.Random(0)
    kinds: dict[str, list[Row]] = {
        "numbers": [tuple(generator.randint(0, 10**6) for _ in range(20)) for _ in range(10_000)],
        "bits": [tuple(generator.randint(0, 1) for _ in range(20)) for _ in range(10_000)],
        "equal columns": [(row % 7,) * 20 for row in range(10_000)],
        "whole floats": [tuple(float(generator.randint(0, 50)) for _ in range(20)) for _ in range(10_000)],
        "permutations": list(zip(*[generator.sample(range(10_000), 10_000) for _ in range(20)], strict=True)),
        "two ones a row": [tuple(int(c in {r % 20, r // 20 % 20}) for c in range(20)) for r in range(10_000)],
    }
    for kind, rows in kinds.items():
        order = generator.sample(range(20), 20)
        moved = [tuple(row[place] for place in order) for row in generator.sample(rows, len(rows))]
        began = time.process_time()
        equal = match_official(rows, moved, ordered=False)
        print(f"20 columns x 10,000 rows, {kind}: {time.process_time() - began:.2f} s of processor time, equal {equal}")


def long_texts() -> None:
    """Time to look for a statement in a million characters of what is hard to read."""
    for unit in ("SELECT '", "(", "x SELECT (", "a\n", "```", "-- x\n", "/*", "<|"):
        text = unit * (10**6 // len(unit))
        began = time.process_time()
        extract_sql(text)
        print(f"{len(text)} characters of {unit!r}: {time.process_time() - began:.2f} s of processor time")


if __name__ == "__main__":
    main()
