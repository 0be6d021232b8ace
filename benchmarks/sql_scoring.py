"""How long the scorer takes, and that its verdicts are the same for every number of workers.

    python -m benchmarks.sql_scoring --spider DIR [--workers 1 2 4] [--predictions FILE] [--official CHECKOUT]

Scores dev with 1034 predictions: a file, or the gold with every second query exchanged for a neighbour's. Everything is
counted: starting workers, gold (no cache), comparison and diagnosis. Then `paretune score` as a user starts it, the
whole process, without and with kept references; with --official beside the official script's own evaluate() on the same
file (test-suite-sql-eval; it needs sqlparse, nltk and tqdm), in turn, and the ratio of the two. Then the comparison
alone on wide results, and the extraction alone on a megabyte of text.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from paretune.sql.execute import Row
from paretune.sql.extract import extract_sql
from paretune.sql.predictions import join_predictions, read_predictions
from paretune.sql.records import SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.rules import match_official
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.sql.spider import read_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--predictions", type=Path, metavar="FILE")
    parser.add_argument("--official", type=Path, metavar="CHECKOUT")
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
    whole_processes(predictions, arguments.spider, arguments.workers[-1], arguments.official)
    wide_results()
    long_texts()


_TURNS = 3
_EVALUATE = """
import sys
from pathlib import Path
from benchmarks.official_agreement import load_evaluation
evaluation = load_evaluation(Path(sys.argv[1]))
keys = evaluation.build_foreign_key_map_from_json(sys.argv[5])
evaluation.evaluate(sys.argv[2], sys.argv[3], sys.argv[4], "all", keys, False, False, False)
"""


def whole_processes(predictions: list[SqlPrediction], spider: Path, workers: int, official: Path | None) -> None:
    """Time of `paretune score` from its start to its end, beside the official script's on copies of the databases."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [f"{' '.join(item.text.split())}\n" for item in predictions]
        golds = [f"{' '.join(item.gold.split())}\t{item.db_id}\n" for item in predictions]
        (folder / "predicted.txt").write_text("".join(lines), encoding="utf-8")
        (folder / "gold.txt").write_text("".join(golds), encoding="utf-8")
        for db_id in {item.db_id for item in predictions}:
            (folder / "database" / db_id).mkdir(parents=True)
            shutil.copy(spider / "database" / db_id / f"{db_id}.sqlite", folder / "database" / db_id)
        score = [sys.executable, "-m", "paretune", "score", "--spider", str(spider), "--workers", str(workers)]
        score += ["--predictions", str(folder / "predicted.txt")]
        paths = [folder / "gold.txt", folder / "predicted.txt", folder / "database", spider / "tables.json"]
        evaluate = [sys.executable, "-c", _EVALUATE, *map(str, [official, *paths])]
        environment = {**os.environ, "PARETUNE_CACHE": str(folder / "cache")}
        timed("paretune score, no kept references", score, environment)
        ratios = []
        for _ in range(_TURNS):
            ours = timed("paretune score, kept references", score, environment)
            if official is not None:
                theirs = timed("official evaluate()", evaluate, environment)
                ratios.append([other / own for own, other in zip(ours, theirs, strict=True)])
        for what, values in zip(("time", "processor time"), zip(*ratios, strict=True), strict=False):
            print(f"official to paretune, {what}: {', '.join(f'{value:.1f}' for value in values)}")


def timed(name: str, command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds from start to end, and of processors, printed."""
    used, began = processor_seconds(), time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    spent, used = time.monotonic() - began, processor_seconds() - used
    print(f"{name}: {spent:.1f} s, {used:.1f} s of processor time, load {os.getloadavg()[0]:.1f}")
    return spent, used


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
