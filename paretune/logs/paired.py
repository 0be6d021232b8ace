"""Logs of several models as one run, paired by question: what a comparison, its tables and its page read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from paretune.errors import DataError
from paretune.logs.answers import UNNAMED, Benchmark, Log, LoggedAnswer
from paretune.records import ChoiceAnswer, ChoiceOutcome
from paretune.run.jsonl import Record
from paretune.run.lines import AskedChoice, Suite, Variant, VariantEntry
from paretune.run.load import Run
from paretune.tasks import DEFAULT_KIND, find_task

_NO_HEADERS = defaultdict[str, Record](dict)
SHOWN = ("metric", "filter", "shots")  # conditions that a table's title names


def paired_run(logs: Sequence[Log], margin_points: float = 1.0) -> Run:
    """The logs as variants of one run, the first one the base; it has no target, and every benchmark is a suite.

    Benchmarks go by name; logs of one benchmark each count as the same benchmark, whatever it is called. Raises
    DataError where benchmarks, questions, prompts, right answers or settings differ.
    """
    names = variant_names([log.path for log in logs])
    base = logs[0]
    suites: list[Suite] = []
    asked: list[AskedChoice] = []
    lines: list[list[ChoiceAnswer]] = [[] for _ in logs]
    for name, columns in _matched(logs):
        first = columns[0]
        for other, log in zip(columns[1:], logs[1:], strict=True):
            _same_conditions(first, other, base, log)
        tables = [{answer.id: answer for answer in column.answers} for column in columns]
        for table, log in zip(tables[1:], logs[1:], strict=True):
            _same_questions(name, tables[0], table, base, log)
        questions = [_question(name, [table[answer.id] for table in tables]) for answer in first.answers]
        asked += questions
        notes = tuple(f"{key} {value}" for key, value in first.conditions.items() if key in SHOWN)
        suites.append(Suite(name, first.chance, None, "logged", notes))
        for column, table, variant in zip(lines, tables, names, strict=True):
            column += [_answer(question, table[question.id], variant) for question in questions]
    kinds = ("baseline", *("logged" for _ in logs[1:]))
    variants = tuple(
        Variant(VariantEntry(name, kind), (), tuple(column), (), (), _NO_HEADERS)
        for name, kind, column in zip(names, kinds, lines, strict=True)
    )
    return Run(
        path=base.path,
        name=" / ".join(names),
        task=find_task(DEFAULT_KIND),  # of no consequence where there is no target
        manifest=_manifest(logs, names, margin_points),
        headers={},
        content={},
        questions=(),
        training_rows=(),
        left_out_rows={},
        choice_questions=tuple(asked),
        suites=tuple(suites),
        variants=variants,
        all_variants=variants,
        incomplete={},
        former=(),
        has_target=False,
    )


def variant_names(paths: Sequence[Path]) -> list[str]:
    """A short name for each log: as many of its path's last parts as tell all of them apart.

    >>> variant_names([Path("a/results.csv"), Path("b/results.csv")])
    ['a/results', 'b/results']
    """
    parts = [_parts(path) for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(parents[-length:]) for parents in parts]
        if len(set(names)) == len(names):
            return names
    twice = next(path for path in paths if list(paths).count(path) > 1)
    raise DataError(f"{twice}: named twice; a log cannot be compared with itself")


def _parts(path: Path) -> tuple[str, ...]:
    """lm-eval's samples go by their folder, which has the model's name."""
    path = path.resolve()
    if path.is_dir():
        return path.parts[1:]
    return path.parent.parts[1:] if path.name.startswith("samples_") else (*path.parent.parts[1:], path.stem)


def _matched(logs: Sequence[Log]) -> Iterator[tuple[str, list[Benchmark]]]:
    """Each benchmark of the base with that of every other log. Raises DataError where a log has others."""
    base = logs[0]
    if all(len(log.benchmarks) == 1 for log in logs):
        only = [log.benchmarks[0] for log in logs]
        yield next((item.name for item in only if item.name != UNNAMED), UNNAMED), only
        return
    names = [benchmark.name for benchmark in base.benchmarks]
    for log in logs[1:]:
        for benchmark in log.benchmarks:
            base.benchmark(benchmark.name)
    for name in names:
        yield name, [log.benchmark(name) for log in logs]


def _same_conditions(first: Benchmark, second: Benchmark, base: Log, log: Log) -> None:
    """Conditions that only one log knows are no difference: a CSV file knows none."""
    for key in first.conditions.keys() & second.conditions.keys():
        if first.conditions[key] != second.conditions[key]:
            raise DataError(
                f"{log.path}: {second.name}: {key} {second.conditions[key]}, but {first.conditions[key]} in "
                f"{base.path}; only logs that were made in the same way can be compared"
            )


def _same_questions(
    name: str, first: Mapping[str, LoggedAnswer], second: Mapping[str, LoggedAnswer], base: Log, log: Log
) -> None:
    for owner, other, ids in ((base, log, first.keys() - second.keys()), (log, base, second.keys() - first.keys())):
        if ids:
            raise DataError(
                f"{other.path}: {name}: no answer to {len(ids)} of the questions of {owner.path}, for example "
                f"{min(ids)}; only logs of the same questions can be paired"
            )
    for what in ("prompt", "reference", "question", "cluster"):
        differ = [
            key
            for key, answer in first.items()
            if getattr(answer, what) and getattr(second[key], what)
            and getattr(answer, what) != getattr(second[key], what)
        ]  # fmt: skip
        if differ:
            word = "right answer" if what == "reference" else what
            raise DataError(
                f"{log.path}: {name}: another {word} than in {base.path} for {len(differ)} of {len(first)} questions, "
                f"for example {differ[0]}; only questions asked in the same way can be paired"
            )


def _question(suite: str, columns: Sequence[LoggedAnswer]) -> AskedChoice:
    """The question as the logs have it, the first that knows a field."""

    def known(what: str) -> str:
        return next((value for answer in columns if (value := str(getattr(answer, what)))), "")

    reference = known("reference")
    options = next((answer.options for answer in columns if reference in answer.options), (reference,))
    return AskedChoice(
        suite=suite,
        id=columns[0].id,
        subject=known("cluster") or suite,
        category=suite,
        question=known("question") or columns[0].id,
        options=options if any(options) else (),
        answer=options.index(reference),
    )


def _answer(question: AskedChoice, answer: LoggedAnswer, variant: str) -> ChoiceAnswer:
    return ChoiceAnswer(
        suite=question.suite,
        id=question.id,
        subject=question.subject,
        category=question.category,
        variant=variant,
        method="logged",
        outcome=ChoiceOutcome.CORRECT if answer.correct else ChoiceOutcome.WRONG,
        correct=answer.correct,
        correct_raw=None,
        answer=question.answer,
        predicted=answer.predicted,
        log_probabilities=answer.log_probabilities,
        letter_mass=None,
        prompt_tokens=0,
        text=answer.text,
    )


def _manifest(logs: Sequence[Log], names: Sequence[str], margin_points: float) -> dict[str, object]:
    """What the page shows as configuration: where each log lies and how it was made."""
    about = {
        name: {
            "path": str(log.path),
            "conditions": {benchmark.name: dict(benchmark.conditions) for benchmark in log.benchmarks},
        }
        for name, log in zip(names, logs, strict=True)
    }
    return {"config": {"claims": {"margin_points": margin_points}, "logs": about}}
