"""One variant of a run folder, so that it can be compared with variants of other runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.logs.answers import Benchmark, LoggedAnswer, cluster_of, mark
from paretune.run.load import Run, Variant, load_run
from paretune.sql.spider import data_name

# Parts of a header that decide what a verdict means; model, precision and device may differ between runs.
CONDITIONS = ("prompt", "prompts", "suites", "lm_eval", "decoding", "max_new_tokens", "rules", "limit_seconds", "judge")


def read(path: Path, cluster: str) -> tuple[Benchmark, ...] | None:
    """The target and every suite by every method. cluster: a field of the verdicts' lines. Raises DataError."""
    if (path / "manifest.json").is_file():
        names = sorted({file.parent.name for file in path.glob("*/choice.jsonl")} - {"prepared"})
        raise DataError(f"{path}: a run folder; name one of its variants, {path}/NAME (it has {', '.join(names)})")
    if not path.is_dir() or not (path.parent / "manifest.json").is_file():
        return None
    run = load_run(path.resolve().parent)
    run.check()
    variant = run.variant(path.resolve().name)
    benchmarks = (_target(run, variant, cluster), *_suites(run, variant))
    return tuple(benchmark for benchmark in benchmarks if benchmark.answers)


def _target(run: Run, variant: Variant, cluster: str) -> Benchmark:
    facets = run.facets
    config: Mapping[str, Any] = run.config.get("target") or {}
    texts = {answer.id: answer.text for answer in variant.answers}
    answers = []
    for question, verdict in zip(run.questions, variant.verdicts, strict=True):
        if verdict.outcome in facets.void:
            continue
        fields = {**verdict.detail, "cluster": question.cluster, "level": question.level}
        answers.append(
            LoggedAnswer(
                id=str(question.id),
                correct=verdict.outcome == "correct",
                cluster=cluster_of(fields, cluster, f"{variant.name}, question {question.id}") or question.cluster,
                question=question.question,
                reference=question.reference,
                prompt=mark(question.prompt) if question.prompt else "",
                text=texts.get(question.id) or str(verdict.detail.get("text", "")),
            )
        )
    data = data_name(config, {question.cluster for question in run.questions}) or run.target_kind
    name = f"{data}, {facets.metric}"  # a suite may be its namesake
    return Benchmark(name, tuple(answers), {"metric": facets.metric, **_conditions(variant.headers[facets.lines])}, 0.0)


def _suites(run: Run, variant: Variant) -> Iterator[Benchmark]:
    asked = {(choice.suite, choice.id): choice for choice in run.choice_questions}
    suites = {suite.name: suite for suite in run.suites}
    methods = dict.fromkeys((line.suite, line.method) for line in variant.choice)
    for name, method in methods:
        answers = []
        for line in variant.choice:
            if (line.suite, line.method) != (name, method):
                continue
            choice = asked[name, line.id]
            answers.append(
                LoggedAnswer(
                    id=line.id,
                    correct=line.correct,
                    cluster=line.subject,
                    question=choice.question,
                    options=choice.options,
                    reference=choice.options[choice.answer],
                    predicted=line.predicted,
                    log_probabilities=line.log_probabilities,
                    text=line.text,
                )
            )
        suite = suites[name]
        several = sum(suite_name == name for suite_name, _ in methods) > 1
        conditions = {"metric": method, **_conditions(variant.headers["choice"])}
        if suite.shots is not None:
            conditions["shots"] = str(suite.shots)
        counts = [len(answer.options) for answer in answers]
        chance = sum(1 / count for count in counts) / len(counts) if suite.chance is None else suite.chance
        yield Benchmark(f"{name}, {method}" if several else name, tuple(answers), conditions, chance)


def _conditions(header: Mapping[str, Any]) -> dict[str, str]:
    """Short values as they are, long ones by their mark."""
    conditions = {name: header[name] for name in CONDITIONS if header.get(name) is not None}
    return {
        name: str(value) if isinstance(value, str | int | float) else mark(value) for name, value in conditions.items()
    }
