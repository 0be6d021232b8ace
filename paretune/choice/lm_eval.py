"""Any task of lm-eval as a measure of general ability, scored by lm-eval itself on a model that is already loaded.

lm-eval is an optional extra and is imported only here, when a task is read or scored. Tasks are read without a model:
a rehearsal with made-up answers shows every prompt, option and metric. lm-eval's per-sample records become ours, so
that intervals, pairings and tables treat them like every other question.
"""

from __future__ import annotations

import copy
import difflib
import functools
import logging
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from paretune.choice.lm_eval_samples import AskedTask, answer_of, asked_task, first_filter, request_of
from paretune.config import LM_EVAL
from paretune.errors import ConfigError, DataError, EngineError, ScoringError
from paretune.files import fingerprint
from paretune.models.memory import DoesNotFit, halving
from paretune.records import ChoiceAnswer, ChoiceQuestion, Method
from paretune.run.jsonl import Record

BATCH_SIZE = 8  # texts at once; halved as often as the memory asks for
_SEED, _OTHER_SEED = 0, 1234  # lm-eval's own defaults: shots and options that a task draws rest on them


@dataclass(frozen=True, slots=True)
class LmEvalSuite:
    """What was asked for by one name of lm-eval, as far as it is answered by one method.

    name: "lm-eval/" and the name asked for (a task, group or tag), and the method where its tasks have several. tasks:
    lm-eval's own objects by task name. questions: in lm-eval's order; subject is the task, category the group that
    holds it. requests: what lm-eval asks for each question (contexts, continuations or generation settings). shots:
    None where tasks differ. chance: share right by guessing, in [0, 1]; 0 for written answers. files: fingerprint of
    each task's definition.
    """

    name: str
    method: Method
    tasks: Mapping[str, Any]
    metrics: Mapping[str, str]
    questions: tuple[ChoiceQuestion, ...]
    requests: tuple[Record, ...]
    shots: int | None
    limit: int | None
    chance: float
    files: Mapping[str, str]
    notes: tuple[str, ...]


def lm_eval_version() -> str:
    """The installed lm-eval. Raises ConfigError where there is none."""
    try:
        return metadata.version("lm_eval")
    except metadata.PackageNotFoundError as error:
        raise _absent() from error


def read_lm_eval(
    tasks: Sequence[str | Mapping[str, Any]],
    folder: Path | None = None,
    *,
    shots: int | None = None,
    limit: int | None = None,
) -> tuple[LmEvalSuite, ...]:
    """The suites behind these names, every question with what lm-eval will ask; no model is needed.

    tasks: names of lm-eval tasks, groups or tags, or task definitions as mappings. folder: the user's own task files
    (lm-eval's YAML), searched first. shots: None keeps each task's own number; a task whose definition says 0 keeps 0,
    as lm-eval has it. limit: the first questions of each task; all when None.
    Raises ConfigError where lm-eval is missing or knows no such task (naming the nearest), DataError where a task or
    its data cannot be had, ScoringError where a task does not say right or wrong for each question.
    """
    _require_lm_eval()
    if not tasks:
        raise ConfigError("general.tasks: name at least one task of lm-eval")
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"general.path: {folder}: no such folder of lm-eval task files")
    suites: list[LmEvalSuite] = []
    holders: dict[str, str] = {}
    for asked, loaded in _load(tasks, folder):
        for task in loaded["tasks"]:
            if task in holders:
                raise ConfigError(f"general.tasks: {task} is asked through {holders[task]} and through {asked}")
            holders[task] = asked
        suites += _suites_of(asked, loaded, shots, limit)
    return tuple(suites)


def score_lm_eval(
    model_of: Callable[[int], Any], count_tokens: Callable[[str], int], suite: LmEvalSuite, *, variant: str
) -> list[ChoiceAnswer]:
    """lm-eval's verdict on every question of the suite, each once, in the suite's order.

    model_of: from the texts asked at once to the model as lm-eval knows it (an `lm_eval.api.model.LM`); fewer are
    asked where memory runs out. count_tokens: of a prompt. Raises ScoringError where lm-eval asked something else than
    when the suite was read, EngineError where one text alone does not fit the memory.
    """

    def samples_of(batch_size: int) -> dict[str, list[dict[str, Any]]]:
        with _quiet():
            language_model = model_of(batch_size)
        return _evaluate(language_model, suite.tasks, suite.limit)

    try:
        samples = halving(BATCH_SIZE, samples_of)[1]
    except DoesNotFit as error:
        raise EngineError(f"{suite.name}: lm-eval does not fit the memory even with one text at a time; use a smaller "
                          "model, fewer shots or a lower precision") from error  # fmt: skip
    except Exception as error:  # the task's own code beside lm-eval's
        raise ScoringError(f"{suite.name}: lm-eval stopped: {_one_line(error)}") from error
    asked = dict(zip((question.id for question in suite.questions), suite.requests, strict=True))
    order = {question.id: question for question in suite.questions}
    answers: list[ChoiceAnswer] = []
    for name, task in suite.tasks.items():
        for sample in first_filter(samples[name]):
            question = order.pop(f"{name}/{sample['doc_id']}", None)
            if question is None or request_of(task, sample) != asked[question.id]:
                raise ScoringError(f"lm-eval task {name}, question {sample['doc_id']}: not asked as it was prepared; "
                                   "the task draws its prompts by chance, choose another")  # fmt: skip
            answers.append(answer_of(task, sample, question, suite.method, suite.metrics[name],
                                     suite=suite.name, variant=variant, count_tokens=count_tokens))  # fmt: skip
    if order:
        raise ScoringError(f"{suite.name}: lm-eval left out {len(order)} questions, for example {next(iter(order))}")
    return answers


_OLDEST = (0, 4, 12)  # older ones lack TaskManager.load, or do not import beside transformers 5


def _require_lm_eval() -> None:
    version = lm_eval_version()
    if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < _OLDEST:
        wanted = ".".join(map(str, _OLDEST))
        raise ConfigError(f"lm-eval {version} is too old: general.kind = 'lm-eval' needs {wanted} or newer; "
                          "pip install '.[lm-eval]'")  # fmt: skip
    try:
        import lm_eval.evaluator  # noqa: F401
    except ImportError as error:
        raise _absent() from error


def _absent() -> ConfigError:
    return ConfigError("general.kind = 'lm-eval' needs lm-eval: pip install '.[lm-eval]'")


def _load(tasks: Sequence[str | Mapping[str, Any]], folder: Path | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name asked for, what lm-eval loads for it)."""
    names = [task for task in tasks if isinstance(task, str)]
    own = _manager(folder, with_defaults=False)
    everything: Any = None
    if not set(names) <= set(own.all_tasks):
        everything = _manager(folder, with_defaults=True)
        _refuse_unknown(names, everything.all_tasks)
    for task in tasks:
        asked = task if isinstance(task, str) else str(task.get("task"))
        manager = own if not isinstance(task, str) or task in own.all_tasks else everything
        try:
            with _quiet(), _seeded():
                loaded = manager.load([task if isinstance(task, str) else copy.deepcopy(dict(task))])
        except Exception as error:  # the task's own code, its data, the network: no common error
            raise DataError(
                f"lm-eval cannot load {asked}: {_one_line(error)} (its data come from the Hub unless its definition "
                "names files of your own)"
            ) from error
        yield asked, loaded


@functools.cache
def _manager(folder: Path | None, *, with_defaults: bool) -> Any:
    """Indexing lm-eval's ten thousand task files takes half a minute: once, and only where the user's folder does not
    hold every task."""
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(folder) if folder else None, include_defaults=with_defaults)


def _refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
            raise ConfigError(f"general.tasks: lm-eval has no task {name!r}; the nearest are {', '.join(near)}")


def _suites_of(asked: str, loaded: Mapping[str, Any], shots: int | None, limit: int | None) -> Iterator[LmEvalSuite]:
    """One suite a method. The rehearsal shows all that lm-eval will ask."""
    categories = _categories(loaded)
    notes = []
    for name, task in loaded["tasks"].items():
        if getattr(task, "UNSAFE_CODE", False):
            raise ConfigError(f"lm-eval task {name} runs code that the model wrote; this is not done here")
        own = task.get_config("num_fewshot")
        if shots is not None and own == 0 and shots:
            notes.append(f"{name}: asked without shots, as its definition says")
        elif shots is not None or own is None:
            task.set_config(key="num_fewshot", value=shots or 0)
    try:
        samples = _evaluate(_rehearsal(), loaded["tasks"], limit)
    except Exception as error:  # the task's own code
        raise DataError(f"lm-eval cannot ask {asked}: {_one_line(error)}") from error
    suites = [
        asked_task(name, task, list(first_filter(samples[name])), categories[name])
        for name, task in loaded["tasks"].items()
    ]
    methods = list(dict.fromkeys(item.method for item in suites))
    for method in methods:
        name = f"{LM_EVAL}/{asked}" + (f"/{method}" if len(methods) > 1 else "")
        yield _suite(name, method, [item for item in suites if item.method == method], limit, notes)


def _suite(
    name: str, method: Method, items: Sequence[AskedTask], limit: int | None, notes: Sequence[str]
) -> LmEvalSuite:
    questions = tuple(question for item in items for question in item.questions)
    guesses = [1 / len(question.options) if len(question.options) > 1 else 0.0 for question in questions]
    shots = {int(item.task.get_config("num_fewshot") or 0) for item in items}
    rules = list(dict.fromkeys(item.metric for item in items))
    return LmEvalSuite(
        name=name,
        method=method,
        tasks={item.name: item.task for item in items},
        metrics={item.name: item.metric for item in items},
        questions=questions,
        requests=tuple(request for item in items for request in item.requests),
        shots=shots.pop() if len(shots) == 1 else None,
        limit=limit,
        chance=sum(guesses) / len(guesses),
        files={item.name: _definition(item.task) for item in items},
        notes=(f"scored by lm-eval {lm_eval_version()}, right or wrong by {' and '.join(rules)}", *notes),
    )


def _definition(task: Any) -> str:
    """Fingerprint of what a task's definition says beside where its data lie, which the questions speak for."""
    definition = {key: value for key, value in task.dump_config().items() if not key.startswith("dataset_")}
    return fingerprint(definition)


def _categories(loaded: Mapping[str, Any]) -> dict[str, str]:
    """The group that directly holds each task, or the task's own name."""
    categories = {name: name for name in loaded["tasks"]}
    for group, children in loaded["group_map"].items():
        categories.update(dict.fromkeys((child for child in children if child in categories), group))
    return categories


def _evaluate(language_model: Any, tasks: Mapping[str, Any], limit: int | None) -> dict[str, list[dict[str, Any]]]:
    """lm-eval's samples by task; what is drawn by chance is drawn alike each time."""
    from lm_eval.evaluator import evaluate

    for task in tasks.values():
        task.set_fewshot_seed(seed=_OTHER_SEED)
        task.aggregation = _no_averages
    with _quiet(), _seeded():
        result = evaluate(
            lm=language_model,
            task_dict={"tasks": dict(tasks), "groups": {}, "group_map": {}},
            limit=limit,
            bootstrap_iters=0,
            log_samples=True,
        )
    return dict(result["samples"])


def _no_averages() -> Mapping[str, Any]:
    """In place of a task's own averages, which need not be made and may not be defined for a rehearsal's answers."""
    return defaultdict(lambda: len)


def _rehearsal() -> Any:
    """A language model for lm-eval that knows nothing, and answers the same every time."""
    from lm_eval.api.model import LM

    class Rehearsal(LM):  # type: ignore[misc]  # lm-eval ships no types
        def loglikelihood(self, requests: Any, **_: Any) -> list[tuple[float, bool]]:
            return [(-1.0 - place % 7 / 8, False) for place, _ in enumerate(requests)]

        def loglikelihood_rolling(self, requests: Any, **_: Any) -> list[float]:
            return [-1.0 for _ in requests]

        def generate_until(self, requests: Any, **_: Any) -> list[str]:
            return ["A" for _ in requests]

    return Rehearsal()


@contextmanager
def _seeded() -> Iterator[None]:
    """lm-eval's seeds within, everybody else's randomness as it was after."""
    import numpy
    import torch

    states = random.getstate(), numpy.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        random.seed(_SEED)
        numpy.random.seed(_OTHER_SEED)
        torch.manual_seed(_OTHER_SEED)
        try:
            yield
        finally:
            random.setstate(states[0])
            numpy.random.set_state(states[1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without lm-eval's remarks on a model that is already loaded, and without a bar for every task it prepares."""
    import datasets
    import lm_eval.api.task as task_module

    logger, bar, shown = logging.getLogger("lm_eval"), task_module.tqdm, not datasets.are_progress_bars_disabled()
    level = logger.level
    logger.setLevel(logging.ERROR)
    task_module.tqdm = lambda items, **_: items
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        task_module.tqdm = bar
        if shown:
            datasets.enable_progress_bars()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
