"""What every log comes down to: benchmarks, and on each what one model made of every question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paretune.errors import DataError

UNNAMED = "questions"  # a benchmark whose log does not say what it is called


@dataclass(frozen=True, slots=True)
class LoggedAnswer:
    """One question and what became of it.

    id: unique in its benchmark. cluster: what it shares with others, "" where nothing is known. question, options,
    reference, text: for a reader, "" and () where the log lacks them; reference: the right answer, text: the model's.
    prompt: `mark` of all that was sent to the model, "" where the log lacks it. predicted: place of the chosen option.
    """

    id: str
    correct: bool
    cluster: str = ""
    question: str = ""
    options: tuple[str, ...] = ()
    reference: str = ""
    prompt: str = ""
    predicted: int | None = None
    log_probabilities: tuple[float, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark of a log. conditions: what decides a verdict beside question and answer and must be the same in
    both logs, by its English name ("shots", "metric"); chance: probability of a blind guess, None where unknown."""

    name: str
    answers: tuple[LoggedAnswer, ...]
    conditions: Mapping[str, str] = field(default_factory=dict)
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """All benchmarks of one model. path: where they were read."""

    path: Path
    benchmarks: tuple[Benchmark, ...]

    def benchmark(self, name: str) -> Benchmark:
        """The benchmark of that name. Raises DataError with those that there are."""
        for benchmark in self.benchmarks:
            if benchmark.name == name:
                return benchmark
        known = ", ".join(sorted(benchmark.name for benchmark in self.benchmarks))
        raise DataError(f"{self.path}: no answers on {name} (it has {known}); compare logs of the same benchmarks")


Reader = Callable[[Path, str], tuple[Benchmark, ...] | None]


def mark(value: Any) -> str:
    """A short mark of a text or of any JSON value; equal values have equal marks."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def cluster_of(record: Mapping[str, Any], cluster: str, where: str) -> str:
    """The value of the cluster field as text, "" where no field is named. Raises DataError where it is missing."""
    if not cluster:
        return ""
    value = record.get(cluster)
    if value is None or value == "":
        known = ", ".join(map(str, record)) or "none"
        raise DataError(f"{where}: no value in the cluster field {cluster!r} (fields: {known})")
    return str(value)


def json_object(text: str, where: str) -> dict[str, Any]:
    """The JSON object in a text. Raises DataError."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(value).__name__}")
    return value
