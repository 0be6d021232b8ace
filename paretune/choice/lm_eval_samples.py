"""One record of lm-eval, a "sample", to one question and one answer of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paretune.choice.verdict import unanswered
from paretune.errors import ScoringError
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoiceQuestion, Method
from paretune.run.jsonl import Record

RIGHT_OR_WRONG = ("acc_norm", "acc", "exact_match", "em", "pass@1", "prompt_level_strict_acc")
"""Metrics that can say right or wrong for each question; the first that a task reports so decides."""

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AskedTask:
    """One task of lm-eval as it will be asked. metric: what decides right or wrong, one of RIGHT_OR_WRONG."""

    name: str
    task: Any
    method: Method
    metric: str
    questions: tuple[ChoiceQuestion, ...]
    requests: tuple[Record, ...]


def first_filter(samples: Sequence[Sample]) -> Iterator[Sample]:
    """One sample a question: tasks with several answer filters list each question once a filter."""
    return (sample for sample in samples if sample["filter"] == samples[0]["filter"])


def asked_task(name: str, task: Any, samples: Sequence[Sample], category: str) -> AskedTask:
    """What a task asks, read off the samples of a rehearsal. Raises ScoringError where no metric of RIGHT_OR_WRONG is 0
    or 1 for every question."""
    metric = next(
        (rule for rule in RIGHT_OR_WRONG if all(_verdict(sample, rule) is not None for sample in samples)), ""
    )
    if not metric:
        known = ", ".join(samples[0]["metrics"])
        raise ScoringError(f"lm-eval task {name}: no metric says right or wrong for each question (it has {known}); "
                           "choose another task")  # fmt: skip
    questions = tuple(_question(name, task, sample, category) for sample in samples)
    requests = tuple(request_of(task, sample) for sample in samples)
    return AskedTask(name, task, _method(task, metric, questions), metric, questions, requests)


def request_of(task: Any, sample: Sample) -> Record:
    """What lm-eval sends to the model for one question: contexts (one where all options share it), continuations, or
    the settings of a generation."""
    contexts = [str(request[0]) for request in sample["arguments"]]
    record: Record = {"contexts": contexts if len(set(contexts)) > 1 else contexts[:1]}
    if task.OUTPUT_TYPE == "generate_until":
        return record | {"generation": dict(sample["arguments"][0][1])}
    return record | {"continuations": [str(request[1]) for request in sample["arguments"]]}


def answer_of(
    task: Any,
    sample: Sample,
    question: ChoiceQuestion,
    method: Method,
    metric: str,
    *,
    suite: str,
    variant: str,
    count_tokens: Callable[[str], int],
) -> ChoiceAnswer:
    """The verdict of lm-eval's metric on one question. log_probabilities: lm-eval's sums, one an option; none for a
    written answer, whose text is kept. correct_raw: lm-eval's acc of a cloze question."""
    correct = _verdict(sample, metric)
    if correct is None:
        raise ScoringError(f"lm-eval task {question.subject}, question {sample['doc_id']}: {metric} = "
                           f"{sample.get(metric)!r} says neither right nor wrong; choose another task")  # fmt: skip
    sums: list[float] = []
    if method != "generate":
        # acc_mutual_info adds the options without their question; they come last
        sums = [float(response[0]) for response in sample["filtered_resps"]][: len(question.options)]
    prompt_tokens = count_tokens(str(sample["arguments"][0][0]))
    return replace(
        unanswered(question, method, suite, variant, prompt_tokens),
        outcome=ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG,
        correct=correct,
        correct_raw=_verdict(sample, "acc") if method == "cloze" else None,
        predicted=_predicted(question, metric, sums, correct),
        log_probabilities=tuple(sums),
        letter_mass=min(1.0, math.fsum(math.exp(total) for total in sums)) if method == "letter" else None,
        text=str(sample["resps"][0][0]) if method == "generate" else None,
    )


def _verdict(sample: Sample, metric: str) -> bool | None:
    """Right, wrong, or None where the metric is not there or between the two."""
    try:
        value = float(sample[metric])
    except (KeyError, TypeError, ValueError):
        return None
    return bool(value) if value in (0.0, 1.0) else None


def _method(task: Any, metric: str, questions: Sequence[ChoiceQuestion]) -> Method:
    if task.OUTPUT_TYPE == "generate_until":
        return "generate"
    options = [option.strip() for question in questions for option in question.options]
    letters = all(len(option) == 1 and option.isalpha() for option in options)
    return "letter" if letters and metric == "acc" and task.OUTPUT_TYPE == "multiple_choice" else "cloze"


def _predicted(question: ChoiceQuestion, metric: str, sums: Sequence[float], correct: bool) -> int | None:
    """The option chosen. A question of one option (a written answer, lambada) has it or has it not."""
    if len(question.options) == 1 or not sums:
        return 0 if correct else None
    if metric != "acc_norm":
        return sums.index(max(sums))
    # lm-eval divides by characters, not bytes
    scores = [total / max(1, len(option)) for total, option in zip(sums, question.options, strict=True)]
    return scores.index(max(scores))


def _question(name: str, task: Any, sample: Sample, category: str) -> ChoiceQuestion:
    options: tuple[str, ...] = (_target(sample),)
    answer = 0
    if task.OUTPUT_TYPE == "multiple_choice":
        options = tuple(str(option) for option in task.doc_to_choice(sample["doc"]))
        answer = _right_option(task, sample, options)
    return ChoiceQuestion(
        id=f"{name}/{sample['doc_id']}",
        subject=name,
        category=category,
        question=_text(task, sample),
        options=options,
        answer=answer,
    )


def _text(task: Any, sample: Sample) -> str:
    """The question without its shots, where the task has one."""
    if getattr(task, "multiple_input", 0):  # doc_to_text is the number of the right context
        return str(sample["target"])
    text = task.doc_to_text(sample["doc"])
    return text if isinstance(text, str) else str(sample["arguments"][0][0])


def _target(sample: Sample) -> str:
    target = sample["target"]
    return " | ".join(map(str, target)) if isinstance(target, list) else str(target)


def _right_option(task: Any, sample: Sample, options: Sequence[str]) -> int:
    gold = task.doc_to_text(sample["doc"]) if getattr(task, "multiple_input", 0) else sample["target"]
    gold = gold[0] if isinstance(gold, list) else gold
    if isinstance(gold, str) and gold in options:
        return options.index(gold)
    try:
        return int(gold)
    except ValueError as error:
        question = f"lm-eval task {task.task_name}, question {sample['doc_id']}"
        raise ScoringError(f"{question}: the answer {gold!r} is none of the options {', '.join(options)}") from error
