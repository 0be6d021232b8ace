"""Prepare: data to the exact texts that every variant will be asked, before any weights are loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from paretune.choice.held_out import draw_validation, read_validation_split
from paretune.choice.lm_eval import LmEvalSuite, lm_eval_version, read_lm_eval
from paretune.choice.prompts import build_prompts
from paretune.choice.suites.load import Suite, load_suite, select_questions
from paretune.config import LM_EVAL, ExperimentConfig, GeneralConfig
from paretune.engines.base import ScoresSomeChoices
from paretune.errors import DataError, PromptError
from paretune.files import fingerprint
from paretune.models.load import require_bitsandbytes
from paretune.pipeline.choices import FILE as CHOICE_PROMPTS
from paretune.pipeline.choices import prompt_lines
from paretune.pipeline.doubts import trained_on_the_test
from paretune.pipeline.held_out import (
    VALIDATION,
    VALIDATION_CHOICE,
    VALIDATION_PROMPTS,
    hold_out,
    is_primary,
)
from paretune.pipeline.session import Session, describe_machine
from paretune.records import METHODS, ChoicePrompt, ChoiceQuestion, Method
from paretune.run.claims import record_claims
from paretune.run.jsonl import read_header, set_aside, write_lines
from paretune.sources.store import with_stored_paths
from paretune.tasks import Question, TargetData, Task


@dataclass(frozen=True, slots=True)
class GeneralData:
    """One suite as read, and the questions drawn from it. lm_eval: set where lm-eval asks and scores them. instead_of:
    the method that is wanted, where the engine can only write. validation: further questions, none of them those."""

    config: GeneralConfig
    suite: Suite
    questions: tuple[ChoiceQuestion, ...]
    lm_eval: LmEvalSuite | None = None
    instead_of: str | None = None
    validation: tuple[ChoiceQuestion, ...] = ()

    @property
    def method(self) -> str:
        """One of the methods, or "all" of them."""
        return self.lm_eval.method if self.lm_eval else self.config.method

    @property
    def methods(self) -> tuple[Method, ...]:
        """How its questions are scored."""
        if self.lm_eval:
            return (self.lm_eval.method,)
        return METHODS if self.config.method == "all" else (self.config.method,)

    @property
    def shots(self) -> int | None:
        """Solved questions before each; None where lm-eval's tasks differ."""
        return self.lm_eval.shots if self.lm_eval else self.config.few_shot


def read_general(config: ExperimentConfig) -> list[GeneralData]:
    """Read every suite and draw its questions. Raises DataError, and what `read_lm_eval` raises."""
    found = []
    for general in config.general:
        path = Path(general.path) if general.path else None
        if general.kind == LM_EVAL:
            suites = read_lm_eval(general.tasks, path, shots=general.few_shot, limit=general.questions_per_subject)
            found += [_lm_eval_data(general, suite) for suite in suites]
            continue
        suite = load_suite(general.kind, path, subjects=general.subjects, shots=general.few_shot or 0)
        questions = select_questions(
            suite, limit_per_subject=general.questions_per_subject, selection=general.selection, seed=config.seed
        )
        found.append(with_validation(config, GeneralData(general, suite, questions)))
    if config.validation is not None and not any(item.validation for item in found):
        raise DataError("validation.general_questions: no primary suite is asked by this program itself (lm-eval's own "
                        "cannot be held out); name another in claims.primary_suites")  # fmt: skip
    return found


def with_validation(config: ExperimentConfig, item: GeneralData) -> GeneralData:
    """The same with its validation questions, where there are any; the files they come from count as the suite's."""
    if config.validation is None or not is_primary(config, item.config.kind):
        return item
    general, path = item.config, Path(item.config.path) if item.config.path else None
    split, files = read_validation_split(general.kind, path, general.subjects)
    drawn = draw_validation(
        item.suite, item.questions, split, count=config.validation.general_questions, shots=general.few_shot or 0,
        seed=config.seed,
    )  # fmt: skip
    return replace(item, suite=replace(item.suite, files={**item.suite.files, **files}), validation=drawn)


def _lm_eval_data(general: GeneralConfig, asked: LmEvalSuite) -> GeneralData:
    suite = Suite(asked.name, asked.questions, {}, asked.chance, asked.files, asked.notes)
    return GeneralData(general, suite, asked.questions, asked)


def read_target(config: ExperimentConfig, task: Task) -> TargetData:
    """What the task reads, the validation questions taken out of the training rows. Raises what these raise."""
    return hold_out(config, task.read(config), task.facets)


def prepare(session: Session) -> tuple[TargetData, list[GeneralData]]:
    """Write prepared/* (the task's questions, train, choice) and the manifest; what they replace is set aside."""
    require_bitsandbytes(session.config)
    session.config = with_stored_paths(session.config)
    task = session.task
    target, general = read_target(session.config, task), read_general(session.config)
    session.say(_what_was_read(session.config.target.kind, target, general))  # the tokenizer's library takes seconds
    context = session.engine.context_tokens
    general = [cut_prompts(session, in_writing(session, item), context) for item in general]
    questions = [_asked(session, target, question, context) for question in target.questions]
    rows = [_training_row(session, target, split, row) for split, row in target.training]
    written = _store(session, task.facets.lines, questions, {})
    written |= _store(session, "train", rows, {"left_out": _left_out(session, rows)})
    for remark in (*trained_on_the_test(target), *(task.doubts(session.config, target) if written else ())):
        session.say(f"note: {remark}")
    _store(session, "choice", *_choice_records(general))
    header, prompts = prompt_lines(_choice_prompts(general))
    _store(session, CHOICE_PROMPTS, prompts, header)
    if session.config.validation is not None:
        _store(session, VALIDATION, [_held_out(session, target, split, row) for split, row in target.validation], {})
        held_out = [
            replace(item, questions=item.validation, config=replace(item.config, method=item.methods[0]))
            for item in general
            if item.validation
        ]
        _store(session, VALIDATION_CHOICE, *_choice_records(held_out))
        header, prompts = prompt_lines(_choice_prompts(held_out), VALIDATION_PROMPTS)
        _store(session, VALIDATION_PROMPTS, prompts, header)
    _note_claims(session)
    manifest = {
        "name": session.config.name,
        "config": session.config.as_dict(),
        "data": data_hashes(target, general),
        **describe_machine(),
    }
    session.folder.update_manifest(manifest)
    return target, general


def _what_was_read(kind: str, target: TargetData, general: Sequence[GeneralData]) -> str:
    suites = ", ".join(f"{len(item.questions)} of {item.suite.name}" for item in general)
    asked = f"{len(target.questions)} questions of {kind}"
    return f"read {asked}, {len(target.training)} training rows; general ability: {suites}"


def _note_claims(session: Session) -> None:
    """Before the settings are noted: a change of what was planned is told by comparing with those of then."""
    if record_claims(session.folder, session.config):
        changed = "[claims], suites or variants"
        session.say(f"{changed} changed after answers were there: tables and page will say so")


def is_prepared(session: Session) -> bool:
    """Whether prepared/ was made from these settings: model, engine, target, prompt, suites and seed. Data are not
    looked at; where a path is left open, the one of then counts."""
    files = [session.task.facets.lines, "choice", CHOICE_PROMPTS]
    files += [] if session.config.validation is None else [VALIDATION, VALIDATION_CHOICE, VALIDATION_PROMPTS]
    if not all(session.folder.prepared(name).is_file() for name in files):
        return False
    then, now = session.folder.read_manifest().get("config", {}), json.loads(json.dumps(session.config.as_dict()))
    return all(
        _same(then.get(name), now.get(name))
        for name in ("model", "engine", "target", "prompt", "general", "validation", "seed")
    )


def _same(then: Any, now: Any) -> bool:
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return all(map(_same, then, now))
    if not isinstance(then, dict) or not isinstance(now, dict):
        return bool(then == now)
    return then.keys() == now.keys() and all(
        then[key] == value or (key == "path" and value is None) for key, value in now.items()
    )


def take_prepared(session: Session) -> None:
    """Go on with what is prepared: paths that the experiment leaves open are those of then."""
    target: Any = session.config.target  # the task's own dataclass, which may have a path
    then = session.folder.read_manifest()["config"]
    path = then["target"].get("path")
    if path is not None and getattr(target, "path", path) is None:
        session.config = replace(session.config, target=replace(target, path=path))
    general = tuple(
        replace(item, path=item.path or former.get("path"))
        for item, former in zip(session.config.general, then["general"], strict=True)
    )
    session.config = replace(session.config, general=general)
    _note_claims(session)
    session.folder.update_manifest({"config": session.config.as_dict()})


def check_length(task: Task, question: Question, prompt_tokens: int, max_new_tokens: int, context: int) -> None:
    """Raises PromptError for a prompt that leaves no room in the context for the longest answer."""
    if prompt_tokens + max_new_tokens > context:
        raise PromptError(
            f"question {question.id} ({question.cluster}): prompt of {prompt_tokens} tokens plus "
            f"max_new_tokens = {max_new_tokens} exceeds the context of {context} tokens; {task.facets.shorter_prompts}"
        )


def data_hashes(target: TargetData, general: Sequence[GeneralData]) -> dict[str, str]:
    """SHA-256 of every file that was read, by the name that the manifest gives it."""
    hashes = {f"target/{name}": digest for name, digest in target.files.items()}
    for item in general:
        hashes.update({f"{item.suite.name}/{name}": digest for name, digest in item.suite.files.items()})
    return hashes


def _asked(session: Session, target: TargetData, question: Question, context: int) -> dict[str, Any]:
    """The line of one question. Raises PromptError where prompt and answer do not fit the context."""
    prompt = session.engine.render(target.messages(question), session.task.facets.cue)
    tokens = session.engine.count_tokens(prompt)
    check_length(session.task, question, tokens, session.config.target.max_new_tokens, context)
    return {**session.task.facets.line(**asdict(question)), "prompt": prompt, "prompt_tokens": tokens}


def _held_out(session: Session, target: TargetData, split: str, row: Question) -> dict[str, Any]:
    """The line of one validation question: as it is asked, and as it would have been trained on."""
    asked = _asked(session, target, row, session.engine.context_tokens)
    return {"split": split, **asked, "completion": _training_row(session, target, split, row)["completion"]}


def _training_row(session: Session, target: TargetData, split: str, row: Question) -> dict[str, Any]:
    messages = target.messages(row)
    prompt = session.engine.render(messages, session.task.facets.cue)
    answer = session.engine.completion(messages, session.task.training_answer(row))
    tokens = session.engine.count_tokens(prompt) + session.engine.count_tokens(answer)
    shown = session.task.facets.line(id=row.id, cluster=row.cluster, question=row.question, reference=row.reference)
    return {"split": split, **shown, "prompt": prompt, "completion": answer, "tokens": tokens}


def _left_out(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Rows longer than a variant's max_tokens: left out of its training, never cut."""
    counts = {}
    for variant in session.config.variants:
        if variant.training is not None:
            longest = variant.training.max_tokens
            counts[variant.name] = sum(row["tokens"] > longest for row in rows)
            if counts[variant.name]:
                session.say(f"{variant.name}: {counts[variant.name]} of {len(rows)} training rows are longer than "
                            f"max_tokens = {longest} and left out")  # fmt: skip
    return counts


def _choice_records(general: Sequence[GeneralData]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    records: list[dict[str, Any]] = []
    suites: dict[str, Any] = {}
    for item in general:
        asked = item.lm_eval
        requests: Sequence[Mapping[str, Any]] = asked.requests if asked else [{}] * len(item.questions)
        for question, request in zip(item.questions, requests, strict=True):
            records.append({"suite": item.suite.name, **asdict(question), **request})
        suites[item.suite.name] = {
            "chance": item.suite.chance,
            "shots": item.shots,
            "method": item.method,
            "selection": item.config.selection,
            "notes": list(item.suite.notes),
        }
        if item.instead_of is not None:
            suites[item.suite.name]["instead_of"] = item.instead_of
        if asked:
            suites[item.suite.name]["lm_eval"] = {"version": lm_eval_version(), "tasks": dict(asked.files)}
    return records, {"suites": suites}


def _choice_prompts(general: Sequence[GeneralData]) -> dict[str, list[ChoicePrompt]]:
    """What our own suites ask, by suite."""
    prompts: dict[str, list[ChoicePrompt]] = {}
    for item in general:
        for method in item.methods if item.lm_eval is None else ():
            made = build_prompts(item.suite, item.questions, shots=item.shots or 0, method=method)
            prompts.setdefault(item.suite.name, []).extend(made)
    return prompts


def in_writing(session: Session, item: GeneralData) -> GeneralData:
    """The same, asked in writing where the engine cannot score its options; the tables say so."""
    engine = session.engine
    if item.lm_eval is not None or not isinstance(engine, ScoresSomeChoices):
        return item
    if set(item.methods) <= set(engine.choice_methods()):
        return item
    wanted = ", ".join(method for method in item.methods if method != "generate")
    session.say(f"{item.suite.name}: asked in writing instead of by {wanted}: the server returns no "
                "log-probabilities of the options")  # fmt: skip
    return replace(item, config=replace(item.config, method="generate"), instead_of=wanted)


def cut_prompts(session: Session, item: GeneralData, context: int) -> GeneralData:
    """The same, with a note where lm-eval will cut prompts: it takes from the left what is too long for the model."""
    if item.lm_eval is None:
        return item
    longest = [
        max(session.engine.count_tokens(prompt) for prompt in request["contexts"]) for request in item.lm_eval.requests
    ]
    cut = sum(tokens > context for tokens in longest)
    if not cut:
        return item
    note = f"{cut} of {len(longest)} prompts are longer than the context of {context} tokens; lm-eval cuts their start"
    session.say(f"{item.suite.name}: {note}")
    return replace(item, suite=replace(item.suite, notes=(*item.suite.notes, note)))


def _store(session: Session, name: str, records: Sequence[Mapping[str, Any]], extra: Mapping[str, Any]) -> bool:
    """Write a prepared file unless the same stands there; one with other content is set aside. True if written."""
    path = session.folder.prepared(name)
    mark = extra.get("fingerprint") or fingerprint([dict(record) for record in records])
    header = {"kind": f"prepared-{name}", "fingerprint": mark, **extra}
    if path.exists():
        former = read_header(path)
        if former == header:
            return False
        if former.get("fingerprint") == header["fingerprint"]:  # the same lines: a variant was added, say
            write_lines(path, header, records)
            return True
        session.say(f"{path.name}: settings or data changed; the former file is kept as {set_aside(path).name}")
    write_lines(path, header, records)
    return True
