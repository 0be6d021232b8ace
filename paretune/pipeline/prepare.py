"""Prepare: data to the exact texts that every variant will be asked, before any weights are loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from paretune.choice.lm_eval import LmEvalSuite, lm_eval_version, read_lm_eval
from paretune.choice.suites.load import Suite, load_suite, select_questions
from paretune.config import ExperimentConfig, GeneralConfig, TargetConfig
from paretune.errors import DataError, ParetuneError, PromptError
from paretune.files import file_sha256, fingerprint
from paretune.models.chat import completion, encode, render
from paretune.models.load import require_bitsandbytes
from paretune.pipeline.doubts import doubtful_references, trained_on_the_test, unreadable_references
from paretune.pipeline.session import Session, describe_machine
from paretune.records import ChoiceQuestion, Method, SqlQuestion
from paretune.run.jsonl import read_header, set_aside, write_lines
from paretune.sources.store import with_stored_paths
from paretune.sql.database import schema_text
from paretune.sql.dialects import as_sqlite, dialect_of
from paretune.sql.prompt import SqlPromptBuilder, choose_examples, one_line
from paretune.sql.spider import database_path, read_split, take
from paretune.sql.spider_metrics import hardness


@dataclass(frozen=True, slots=True)
class TargetData:
    """The target task as read: where its databases are, what is asked, what may be trained on."""

    directory: Path
    questions: tuple[SqlQuestion, ...]
    training: tuple[tuple[str, SqlQuestion], ...]  # (split, row)
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GeneralData:
    """One suite as read, and the questions drawn from it. lm_eval: set where lm-eval asks and scores them."""

    config: GeneralConfig
    suite: Suite
    questions: tuple[ChoiceQuestion, ...]
    lm_eval: LmEvalSuite | None = None

    @property
    def method(self) -> str:
        """One of the methods, or "all" of them."""
        return self.lm_eval.method if self.lm_eval else self.config.method

    @property
    def methods(self) -> tuple[Method, ...]:
        """How its questions are scored."""
        if self.lm_eval:
            return (self.lm_eval.method,)
        return ("letter", "cloze", "generate") if self.config.method == "all" else (self.config.method,)

    @property
    def shots(self) -> int | None:
        """Solved questions before each; None where lm-eval's tasks differ."""
        return self.lm_eval.shots if self.lm_eval else self.config.few_shot


def target_directory(config: TargetConfig) -> Path:
    """The directory in Spider's layout; the embedded benchmark is built at first use."""
    if config.kind == "demo" and config.path is None:
        from paretune.demo.build import demo_directory

        return demo_directory() / "spider"
    return Path(str(config.path))


def read_target(config: ExperimentConfig) -> TargetData:
    """Read and draw the target's rows. Raises DataError for whatever is wrong with them."""
    target = config.target
    directory = target_directory(target)
    pool = read_split(directory, target.split, target.exclude_databases)
    questions = take(pool, target.questions, target.selection, config.seed, [_stratum(row) for row in pool])
    training: list[tuple[str, SqlQuestion]] = []
    if any(variant.is_trained for variant in config.variants) or config.prompt.few_shot:
        rows = [
            (split, row)
            for split in target.train_splits
            for row in read_split(directory, split, target.exclude_databases)
        ]
        chosen = take([row for _, row in rows], target.train_rows, target.selection, config.seed,
                      [_stratum(row) for _, row in rows])  # fmt: skip
        kept = {id(row) for row in chosen}
        training = [(split, row) for split, row in rows if id(row) in kept]
    names = [f"{split}.json" for split in (target.split, *target.train_splits)]
    files = {name: file_sha256(directory / name) for name in names if (directory / name).is_file()}
    for db_id in sorted({row.db_id for row in questions}):
        files[f"database/{db_id}"] = file_sha256(database_path(directory, db_id))
    return TargetData(directory, tuple(questions), tuple(training), files)


def read_general(config: ExperimentConfig) -> list[GeneralData]:
    """Read every suite and draw its questions. Raises DataError, and what `read_lm_eval` raises."""
    found = []
    for general in config.general:
        path = Path(general.path) if general.path else None
        if general.kind == "lm-eval":
            suites = read_lm_eval(general.tasks, path, shots=general.few_shot, limit=general.questions_per_subject)
            found += [_lm_eval_data(general, suite) for suite in suites]
            continue
        suite = load_suite(general.kind, path, subjects=general.subjects, shots=general.few_shot or 0)
        questions = select_questions(
            suite, limit_per_subject=general.questions_per_subject, selection=general.selection, seed=config.seed
        )
        found.append(GeneralData(general, suite, questions))
    return found


def _lm_eval_data(general: GeneralConfig, asked: LmEvalSuite) -> GeneralData:
    suite = Suite(asked.name, asked.questions, {}, asked.chance, asked.files, asked.notes)
    return GeneralData(general, suite, asked.questions, asked)


def prepare(session: Session) -> tuple[TargetData, list[GeneralData]]:
    """Write prepared/{sql,train,choice}.jsonl and the manifest; what they replace is set aside and named."""
    require_bitsandbytes(session.config)
    session.config = with_stored_paths(session.config)
    target, general = read_target(session.config), read_general(session.config)
    unreadable = unreadable_references(session.config.target.split, target)
    if unreadable:
        raise DataError("; ".join(unreadable))
    builder, training = builder_of(session, target)
    context = context_of(session.source.directory, session.config.model.context_tokens)
    general = [cut_prompts(session, item, context) for item in general]
    questions = [_asked(session, builder, question, target.directory) for question in target.questions]
    for question, record in zip(target.questions, questions, strict=True):
        check_length(question, record["prompt_tokens"], session.config.target.max_new_tokens, context)
    rows = [_training_row(session, builder, split, row) for split, row in training]
    written = _store(session, "sql", questions, {})
    written |= _store(session, "train", rows, {"left_out": _left_out(session, rows)})
    for remark in (*trained_on_the_test(target), *(_doubts(session, target) if written else ())):
        session.say(f"note: {remark}")
    _store(session, "choice", *_choice_records(general))
    manifest = {
        "name": session.config.name,
        "config": session.config.as_dict(),
        "data": data_hashes(target, general),
        **describe_machine(),
    }
    session.folder.update_manifest(manifest)
    return target, general


def _doubts(session: Session, target: TargetData) -> list[str]:
    return doubtful_references(session.config.target.split, target)


def check_length(question: SqlQuestion, prompt_tokens: int, max_new_tokens: int, context: int) -> None:
    """Raises PromptError for a prompt that leaves no room in the context for the longest answer."""
    if prompt_tokens + max_new_tokens > context:
        raise PromptError(
            f"question {question.index} ({question.db_id}): prompt of {prompt_tokens} tokens plus "
            f"max_new_tokens = {max_new_tokens} exceeds the context of {context} tokens; use "
            'prompt.schema = "compact", fewer sample_values or examples, or exclude the database'
        )


def data_hashes(target: TargetData, general: Sequence[GeneralData]) -> dict[str, str]:
    """SHA-256 of every file that was read, by the name that the manifest gives it."""
    hashes = {f"target/{name}": digest for name, digest in target.files.items()}
    for item in general:
        hashes.update({f"{item.suite.name}/{name}": digest for name, digest in item.suite.files.items()})
    return hashes


def builder_of(session: Session, target: TargetData) -> tuple[SqlPromptBuilder, list[tuple[str, SqlQuestion]]]:
    """The prompt builder and the training rows it leaves (shots are not trained on)."""
    prompt = session.config.prompt

    @cache
    def shown(db_id: str) -> str:
        return schema_text(database_path(target.directory, db_id), prompt.schema, prompt.sample_values)

    @cache
    def dialect(db_id: str) -> str:
        return dialect_of(database_path(target.directory, db_id)).name

    examples = choose_examples([row for _, row in target.training], prompt, session.config.seed)
    used = {id(example) for example in examples}
    return SqlPromptBuilder(shown, examples, dialect), [
        (split, row) for split, row in target.training if id(row) not in used
    ]


def _asked(session: Session, builder: SqlPromptBuilder, question: SqlQuestion, directory: Path) -> dict[str, Any]:
    prompt = render(session.tokenizer, builder.messages(question))
    return {
        **asdict(question),
        "hardness": hardness(as_sqlite(question.gold, database_path(directory, question.db_id))),
        "prompt": prompt,
        "prompt_tokens": len(encode(session.tokenizer, prompt)),
    }


def _training_row(session: Session, builder: SqlPromptBuilder, split: str, row: SqlQuestion) -> dict[str, Any]:
    messages = builder.messages(row)
    prompt = render(session.tokenizer, messages)
    answer = completion(session.tokenizer, messages, one_line(row.gold))
    tokens = len(encode(session.tokenizer, prompt)) + len(encode(session.tokenizer, answer))
    return {"split": split, **asdict(row), "prompt": prompt, "completion": answer, "tokens": tokens}


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
        if asked:
            suites[item.suite.name]["lm_eval"] = {"version": lm_eval_version(), "tasks": dict(asked.files)}
    return records, {"suites": suites}


def cut_prompts(session: Session, item: GeneralData, context: int) -> GeneralData:
    """The same, with a note where lm-eval will cut prompts: it takes from the left what is too long for the model."""
    if item.lm_eval is None:
        return item
    longest = [
        max(len(encode(session.tokenizer, prompt)) for prompt in request["contexts"])
        for request in item.lm_eval.requests
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
    header = {"kind": f"prepared-{name}", "fingerprint": fingerprint([dict(record) for record in records]), **extra}
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


def context_of(directory: Path, wanted: int | None) -> int:
    """The model's context in tokens, from its configuration alone; the wanted one where that is shorter."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    own = int(config.get("text_config", config).get("max_position_embeddings") or 1 << 20)
    return min(own, wanted or own)


def _stratum(row: SqlQuestion) -> str:
    return f"{row.db_id}/{_level(row.gold)}"


@cache
def _level(query: str) -> str:
    try:
        return hardness(query)
    except ParetuneError:
        return "unknown"
