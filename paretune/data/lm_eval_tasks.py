"""Any task of lm-eval as a measure of general ability, scored by lm-eval itself on a model that is already loaded.

lm-eval is an optional extra and is imported only here, when a task is run. Its per-sample records become ours, so
that intervals, pairings and tables treat them like every other question.
"""

from __future__ import annotations

import copy
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from paretune.errors import ConfigError, DataError, ScoringError
from paretune.records import ChoiceAnswer, ChoiceOutcome, Method

SUITE = "lm-eval"
_FEWSHOT_SEED = 1234  # lm-eval's own default: its figures for sampled shots rest on it
_RIGHT_OR_WRONG = ("acc_norm", "acc", "exact_match", "em", "pass@1")  # the first that a task reports decides


def run_lm_eval(
    model: Any,
    tokenizer: Any,
    tasks: Sequence[str | Mapping[str, Any]],
    limit: int | None,
    *,
    variant: str = "baseline",
    shots: int | None = None,
    batch_size: int = 8,
) -> list[ChoiceAnswer]:
    """Score the model by lm-eval's tasks and bring each question home, in lm-eval's order.

    model, tokenizer: loaded transformers objects (a PEFT model is one). tasks: names of lm-eval tasks, groups or
    tags, or task definitions as mappings. limit: the first questions of each task; all when None. shots: None keeps
    each task's own number. subject: the task's name; category: the group it was asked through, else its name.

    Method and verdict: options scored by acc_norm are `cloze` (correct_raw is acc); letters and other options scored
    by acc alone are `letter` or `cloze` with correct = acc; generated answers are `generate`, correct by the first
    filter's exact match. log_probabilities are lm-eval's sums.
    Raises ConfigError where lm-eval is missing or knows no such task, DataError where a task's data cannot be had,
    ScoringError where a task does not say right or wrong for each question.
    """
    evaluate, manager, language_model = _import_lm_eval(tasks)
    loaded = _load_tasks(manager, tasks)
    categories = _categories(loaded)
    wrapped = language_model(pretrained=model, tokenizer=tokenizer, batch_size=batch_size)
    result = evaluate(
        model=wrapped,
        tasks=list(loaded["tasks"].values()),
        num_fewshot=shots,
        limit=limit,
        bootstrap_iters=0,
        task_manager=manager,
        random_seed=None,
        numpy_random_seed=None,
        torch_random_seed=None,
        fewshot_random_seed=_FEWSHOT_SEED,
    )
    answers: list[ChoiceAnswer] = []
    for name, samples in result["samples"].items():
        task = loaded["tasks"][name]
        answers.extend(
            _answer(task, sample, subject=name, category=categories[name], variant=variant, tokenizer=tokenizer)
            for sample in _first_filter(samples)
        )
    return answers


def _import_lm_eval(tasks: Sequence[str | Mapping[str, Any]]) -> tuple[Any, Any, Any]:
    """(simple_evaluate, a task manager, the wrapper of transformers models)."""
    try:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise ConfigError("general.kind = 'lm-eval' needs lm-eval: pip install 'paretune[lm-eval]'") from error
    by_name = any(isinstance(task, str) for task in tasks)
    # Indexing lm-eval's ten thousand task files takes half a minute: only where a task is asked by name.
    return simple_evaluate, TaskManager(include_defaults=by_name), HFLM


def _load_tasks(manager: Any, tasks: Sequence[str | Mapping[str, Any]]) -> Any:
    if not tasks:
        raise ConfigError("general.tasks: name at least one task of lm-eval")
    known = set(manager.all_tasks)
    for task in tasks:
        if isinstance(task, str) and task not in known:
            near = difflib.get_close_matches(task, known, n=1, cutoff=0.0)
            raise ConfigError(f"lm-eval has no task {task!r}; the nearest is {near[0]!r}")
    try:
        return manager.load([task if isinstance(task, str) else copy.deepcopy(dict(task)) for task in tasks])
    except (OSError, ValueError, KeyError, TypeError) as error:
        named = ", ".join(task if isinstance(task, str) else str(task.get("task")) for task in tasks)
        raise DataError(f"lm-eval cannot load {named}: {error}") from error


def _categories(loaded: Mapping[str, Any]) -> dict[str, str]:
    """The group that directly holds each task, or the task's own name."""
    categories = {name: name for name in loaded["tasks"]}
    for group, children in loaded["group_map"].items():
        categories.update(dict.fromkeys((child for child in children if child in categories), group))
    return categories


def _first_filter(samples: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """One sample a question: tasks with several answer filters list each question once a filter."""
    return (sample for sample in samples if sample["filter"] == samples[0]["filter"])


def _answer(
    task: Any, sample: Mapping[str, Any], *, subject: str, category: str, variant: str, tokenizer: Any
) -> ChoiceAnswer:
    metric = next((name for name in _RIGHT_OR_WRONG if name in sample), None)
    if metric is None or sample[metric] not in (0, 1):
        raise ScoringError(f"lm-eval task {subject}: no metric says right or wrong for each question; choose another")
    correct = bool(sample[metric])
    read = _read_generation if task.OUTPUT_TYPE == "generate_until" else _read_options
    return ChoiceAnswer(
        suite=SUITE,
        id=f"{subject}/{sample['doc_id']}",
        subject=subject,
        category=category,
        variant=variant,
        outcome=ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG,
        correct=correct,
        prompt_tokens=len(tokenizer(sample["arguments"][0][0], add_special_tokens=False)["input_ids"]),
        **read(task, sample),
    )


def _read_generation(task: Any, sample: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": "generate",
        "correct_raw": None,
        "answer": 0,
        "predicted": 0 if sample[next(name for name in _RIGHT_OR_WRONG if name in sample)] else None,
        "log_probabilities": (),
        "letter_mass": None,
        "text": str(sample["resps"][0][0]),
    }


def _read_options(task: Any, sample: Mapping[str, Any]) -> dict[str, Any]:
    """Options with their log-probabilities; a task of one continuation (lambada) has one option, which is right when
    it is what the model would write."""
    sums = [float(response[0]) for response in sample["filtered_resps"]]
    if task.OUTPUT_TYPE != "multiple_choice":
        return _scored("cloze", sums, answer=0, predicted=0 if sample["acc"] else None, raw=bool(sample["acc"]))
    options = [str(option) for option in task.doc_to_choice(sample["doc"])]
    sums = sums[: len(options)]  # acc_mutual_info adds the options without their question
    answer = _right_option(task, sample, options)
    if "acc_norm" in sample:
        # lm-eval divides by characters, not bytes.
        scores = [total / len(option) for total, option in zip(sums, options, strict=True)]
        return _scored("cloze", sums, answer, scores.index(max(scores)), bool(sample["acc"]))
    predicted = sums.index(max(sums))
    if all(len(option.strip()) == 1 and option.strip().isalpha() for option in options):
        mass = min(1.0, math.fsum(math.exp(total) for total in sums))
        return _scored("letter", sums, answer, predicted, None) | {"letter_mass": mass}
    return _scored("cloze", sums, answer, predicted, bool(sample["acc"]))


def _right_option(task: Any, sample: Mapping[str, Any], options: Sequence[str]) -> int:
    gold = task.doc_to_text(sample["doc"]) if task.multiple_input else sample["target"]
    gold = gold[0] if isinstance(gold, list) else gold
    if isinstance(gold, str) and gold in options:
        return options.index(gold)
    try:
        return int(gold)
    except ValueError as error:
        question = f"lm-eval task {task.task_name}, question {sample['doc_id']}"
        raise ScoringError(f"{question}: the answer {gold!r} is none of the options {', '.join(options)}") from error


def _scored(
    method: Method, sums: Sequence[float], answer: int, predicted: int | None, raw: bool | None
) -> dict[str, Any]:
    return {
        "method": method,
        "correct_raw": raw,
        "answer": answer,
        "predicted": predicted,
        "log_probabilities": tuple(sums),
        "letter_mass": None,
    }
