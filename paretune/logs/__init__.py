"""Answers that others logged, question by question: one file per format, each read into the same records.

To add a format, write one file with a function like those in READERS: it returns the benchmarks of a log, or None for
what is no log of its kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from paretune.errors import DataError
from paretune.logs import inspect_ai, lm_eval, rows, run_variant
from paretune.logs.answers import Benchmark, Log, Reader

READERS: Mapping[str, Reader] = {
    "a variant of a run folder (RUN/baseline, RUN/run-1)": run_variant.read,
    "lm-eval's samples_TASK_DATE.jsonl, or the folder that holds them": lm_eval.read,
    "a log of inspect-ai (.eval or .json), or a folder of them": inspect_ai.read,
    "CSV or JSONL with the columns id and correct": rows.read,
}


def read_log(path: Path, cluster: str = "") -> Log:
    """Everything that one model answered in a log.

    cluster: the field of each question that says which questions belong together; "" for what the format itself
    knows. Raises DataError where nothing can be read, or where the field is missing.
    """
    if not path.exists():
        raise DataError(f"{path}: not there; expected {_expected()}")
    for read in READERS.values():
        benchmarks = read(path, cluster)
        if benchmarks is not None:
            return Log(path, _one_of_each(path, benchmarks))
    raise DataError(f"{path}: no log that is known here; expected {_expected()}")


def _one_of_each(path: Path, benchmarks: tuple[Benchmark, ...]) -> tuple[Benchmark, ...]:
    """The benchmarks, none of which may have been logged twice or be empty."""
    names = [benchmark.name for benchmark in benchmarks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: {twice} was logged more than once; name the file or folder of one evaluation")
    for benchmark in benchmarks:
        ids = [answer.id for answer in benchmark.answers]
        if not ids:
            raise DataError(f"{path}: {benchmark.name}: no questions")
        if len(set(ids)) < len(ids):
            (again, count), *_ = Counter(ids).most_common(1)
            raise DataError(
                f"{path}: {benchmark.name}: question {again} stands there {count} times; keep one line per question "
                f"({len(ids)} lines, {len(set(ids))} questions)"
            )
    return benchmarks


def _expected() -> str:
    return "; or ".join(READERS)
