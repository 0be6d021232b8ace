"""What lm-eval writes with --log_samples: samples_TASK_DATE.jsonl, and results_DATE.json beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretune.choice.lm_eval_samples import RIGHT_OR_WRONG, first_filter
from paretune.errors import DataError
from paretune.logs.answers import Benchmark, LoggedAnswer, cluster_of, json_object, mark
from paretune.run.jsonl import Record

_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[.\d]*)\.jsonl")
_QUESTION_FIELDS = ("question", "query", "input", "problem", "ctx", "goal", "sentence", "text", "prompt")


def read(path: Path, cluster: str) -> tuple[Benchmark, ...] | None:
    """Every task of a folder, or of one file; the tasks of a group are its clusters. Raises DataError."""
    if path.is_dir():
        files = [file for file in sorted(path.rglob("samples_*.jsonl")) if _NAME.fullmatch(file.name)]
        if not files:
            return None
    elif _NAME.fullmatch(path.name) or _looks_like_samples(path):
        files = [path]
    else:
        return None
    tasks: dict[str, list[Benchmark]] = {}
    for file in files:
        results = _results(file)
        task = _task(file)
        tasks.setdefault(task if path.is_file() else _group(task, results), []).append(
            _benchmark(task, file, results, cluster)
        )
    return tuple(benchmark for name, members in tasks.items() for benchmark in _together(name, members))


def _looks_like_samples(path: Path) -> bool:
    """Whether a file of another name holds samples."""
    if path.suffix.lower() != ".jsonl":
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline()
    return '"doc_id"' in first and '"resps"' in first


def _task(file: Path) -> str:
    known = _NAME.fullmatch(file.name)
    return known["task"] if known else file.stem


def _results(samples: Path) -> Record:
    """The results file of the same date, empty where there is none."""
    known = _NAME.fullmatch(samples.name)
    file = samples.with_name(f"results_{known['date']}.json") if known else samples
    if not known or not file.exists():
        return {}
    return json_object(file.read_text(encoding="utf-8"), str(file))


def _group(task: str, results: Mapping[str, Any]) -> str:
    """The topmost group that a task belongs to, or the task itself."""
    members = results.get("group_subtasks") or {}
    above = {str(member): str(group) for group, listed in members.items() for member in listed}
    seen = [task]
    while seen[-1] in above and above[seen[-1]] not in seen:
        seen.append(above[seen[-1]])
    return seen[-1]


def _together(name: str, members: Sequence[Benchmark]) -> list[Benchmark]:
    """The tasks of a group as one benchmark, unless they are judged in different ways."""
    alone = len(members) == 1 and members[0].name == name
    same = {key: value for key, value in members[0].conditions.items()
            if all(member.conditions.get(key) == value for member in members)}  # fmt: skip
    if alone or "metric" not in same or len({member.name for member in members}) < len(members):
        return list(members)
    answers = tuple(answer for member in members for answer in _in_group(member))
    chance = sum((member.chance or 0.0) * len(member.answers) for member in members) / len(answers)
    varied = {f"{key} of {member.name}": value for member in members for key, value in member.conditions.items()
              if key not in same}  # fmt: skip
    return [Benchmark(name, answers, {**same, **varied}, chance)]


def _in_group(task: Benchmark) -> Iterator[LoggedAnswer]:
    """A task's answers under ids that are unique in its group, clustered by task where no field is named."""
    for answer in task.answers:
        yield replace(answer, id=f"{task.name}/{answer.id}", cluster=answer.cluster or task.name)


def _benchmark(task: str, file: Path, results: Mapping[str, Any], cluster: str) -> Benchmark:
    with file.open(encoding="utf-8") as lines:
        samples = [json_object(line, f"{file}, line {at}") for at, line in enumerate(lines, 1) if line.strip()]
    missing = next((key for key in ("doc_id", "arguments", "resps") for sample in samples if key not in sample), None)
    if not samples or missing:
        raise DataError(f"{file}: {f'a line lacks {missing!r}' if missing else 'no lines'}; expected lm-eval's samples")
    is_named = all("filter" in sample for sample in samples)
    chosen = list(first_filter(samples)) if is_named else _first_of_unnamed(samples)
    metric = next((rule for rule in RIGHT_OR_WRONG if all(_is_verdict(sample.get(rule)) for sample in chosen)), None)
    if metric is None:
        known = ", ".join(map(str, chosen[0].get("metrics") or sorted(chosen[0])))
        raise DataError(
            f"{file}: no metric says right or wrong for each question (it has {known}); compare another task"
        )
    answers = tuple(_answer(sample, metric, cluster, f"{file}, doc_id {sample['doc_id']}") for sample in chosen)
    shots = (results.get("n-shot") or {}).get(task)
    conditions = {
        "metric": metric,
        **({"filter": str(chosen[0]["filter"])} if is_named else {}),
        **({} if shots is None else {"shots": str(shots)}),
        **({"version": str(found)} if (found := (results.get("versions") or {}).get(task)) is not None else {}),
    }
    options = [len(answer.options) for answer in answers]
    chance = sum(1 / count if count > 1 else 0.0 for count in options) / len(answers)
    return Benchmark(task, answers, conditions, chance)


def _first_of_unnamed(samples: list[Record]) -> list[Record]:
    """One sample per question. Versions that name no filter wrote a question once per filter, the first filter first,
    each with the same raw answer; a question with two raw answers was logged twice and stays so."""
    first: dict[object, Record] = {}
    for sample in samples:
        if first.setdefault(sample["doc_id"], sample)["resps"] != sample["resps"]:
            return samples
    return list(first.values())


def _is_verdict(value: Any) -> bool:
    return isinstance(value, int | float) and value in (0, 1)


def _answer(sample: Mapping[str, Any], metric: str, cluster: str, where: str) -> LoggedAnswer:
    """One sample: options and log-probabilities of a choice, the text of a written answer."""
    doc: Mapping[str, Any] = sample["doc"] if isinstance(sample.get("doc"), Mapping) else {}
    requests = [list(request.values()) if isinstance(request, Mapping) else list(request)
                for request in (sample["arguments"].values() if isinstance(sample["arguments"], Mapping)
                                else sample["arguments"])]  # fmt: skip
    contexts = [str(request[0]) for request in requests]
    is_written = len(requests[0]) < 2 or isinstance(requests[0][1], Mapping)
    options = () if is_written else tuple(str(request[1]).strip() for request in requests)
    sums = () if is_written else tuple(float(response[0]) for response in sample["filtered_resps"])
    question = next((str(doc[name]) for name in _QUESTION_FIELDS if isinstance(doc.get(name), str)), contexts[0])
    target = str(sample.get("target", ""))
    if options and target.isdecimal() and int(target) < len(options):
        target = options[int(target)]
    correct = bool(sample[metric])
    return LoggedAnswer(
        id=str(sample["doc_id"]),
        correct=correct,
        cluster=cluster_of({**doc, **({cluster: sample[cluster]} if cluster in sample else {})}, cluster, where),
        question=question,
        options=options,
        reference=target.strip(),
        prompt=mark([contexts, [request[1:] for request in requests]]),
        predicted=_chosen(options, sums, target.strip(), correct, metric),
        log_probabilities=sums[: len(options)],
        text=str(sample["resps"][0][0]) if is_written else None,
    )


def _chosen(options: Sequence[str], sums: Sequence[float], target: str, correct: bool, metric: str) -> int | None:
    """The option with the highest log-probability, by characters for acc_norm; the right one where lm-eval says so."""
    if not options:
        return None
    if correct and target in options:
        return options.index(target)
    lengths = [max(1, len(option)) if metric == "acc_norm" else 1 for option in options]
    scores = [total / length for total, length in zip(sums, lengths, strict=False)]
    return scores.index(max(scores)) if scores else None
