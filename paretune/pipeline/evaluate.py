"""Evaluate: every question of both axes answered by one variant, and judged.

Three pieces of work, each of which goes on where it was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from paretune.choice.lm_eval import lm_eval_version, score_lm_eval
from paretune.config import VariantConfig
from paretune.engines.base import Generation, RunsLmEval
from paretune.engines.choices import answer_choices
from paretune.errors import EngineError
from paretune.files import fingerprint
from paretune.models.adapters import fingerprint_as_written, why_unusable
from paretune.pipeline.choices import Choices
from paretune.pipeline.pace import Work
from paretune.pipeline.samples import Drawing, draw, judge_samples, sampling, settle
from paretune.pipeline.session import Session, prepared_lines, prepared_mark
from paretune.records import ChoiceAnswer
from paretune.run.folder import RunFolder, is_complete, same_fingerprint
from paretune.run.jsonl import LineWriter, Record, read_header, read_lines, set_aside, write_lines
from paretune.run.lines import AskedQuestion, from_record

_FORMER_BATCH_SIZE = 16  # of experiments that named none


def answer(session: Session, variant: VariantConfig, choices: Choices) -> None:
    """Write answers.jsonl of a variant. Loads the model where answers are missing.

    Raises EngineError, ModelError or RunFolderError.
    """
    session = session.answering(variant)
    adapter = session.adapter(variant)
    if unusable := why_unusable(adapter):
        session.note_variant(variant.name, {"unusable": unusable})
        session.say(f"{variant.name}: {unusable}; it is left out")
        return
    if is_unusable(session, variant):
        session.note_variant(variant.name, {"unusable": None})
    answers = session.folder.variant(variant.name, "answers.jsonl")
    generated, chosen = answer_headers(session, variant, choices, session.folder)
    questions = asked_questions(session)[1]
    if not is_complete(answers, generated["fingerprint"], len(questions)):
        several = Drawing.of(session.config).samples > 1
        with _answering(session, variant, adapter):
            if several:
                draw(session, variant.name, generated, questions)
            else:
                _generate(session, variant.name, generated, questions)
        if several:
            settle(session, variant.name, generated, questions)
    elif is_complete(session.folder.variant(variant.name, "choice.jsonl"), chosen["fingerprint"], len(choices)):
        session.say(f"{variant.name}: already answered")


def choose(session: Session, variant: VariantConfig, choices: Choices) -> None:
    """Write choice.jsonl of a variant: all suites. Loads the model where answers are missing.

    Raises EngineError, ModelError or RunFolderError.
    """
    session = session.answering(variant)
    adapter = session.adapter(variant)
    chosen = answer_headers(session, variant, choices, session.folder)[1]
    if is_complete(session.folder.variant(variant.name, "choice.jsonl"), chosen["fingerprint"], len(choices)):
        return
    if why_unusable(adapter) is None:
        with _answering(session, variant, adapter):
            _choose(session, variant.name, chosen, choices)


def is_unusable(session: Session, variant: VariantConfig) -> bool:
    """Whether the manifest says that a variant's adapter cannot answer."""
    return bool(session.folder.read_manifest().get("variants", {}).get(variant.name, {}).get("unusable"))


@contextmanager
def _answering(session: Session, variant: VariantConfig, adapter: Path | None) -> Iterator[None]:
    with session.engine.variant(adapter, variant.adapter_scale):
        if variant.served is None:
            session.folder.update_manifest({"model": dict(session.engine.describe())})
        yield


def score(session: Session, variant: VariantConfig) -> None:
    """Judge the answers of a variant: no model needed. Nothing to do for one whose adapter cannot answer."""
    if is_unusable(session, variant):
        return
    task = session.task
    lines, names = task.facets.lines, task.facets.names
    header, answers = read_lines(session.folder.variant(variant.name, "answers.jsonl"))
    questions = asked_questions(session)[1]
    wanted = verdicts_header(session, str(header["fingerprint"]), session.folder)
    if Drawing.of(session.config).samples > 1:
        judge_samples(session, variant.name, wanted, questions)
    path = session.folder.variant(variant.name, f"{lines}.jsonl")
    if is_complete(path, wanted["fingerprint"], len(questions)):
        return
    texts = {answer[names.get("id", "id")]: answer["text"] for answer in answers}
    with (
        session.folder.timed("score", variant.name, wanted["fingerprint"]),
        session.bar(Work(variant.name, "score", len(questions)), task.facets.progress[1]) as advance,
    ):
        asked = [texts[question.id] for question in questions]
        verdicts = task.judge(session.config, questions, asked, lambda _: advance(1))
        if path.exists() and not same_fingerprint(path, wanted["fingerprint"]):
            session.say(f"{variant.name}: answers, rules, data or versions changed; {path.name} is judged anew, the "
                        f"former is kept as {set_aside(path).name}")  # fmt: skip
        write_lines(path, wanted, verdicts)


def answer_headers(
    session: Session, variant: VariantConfig, choices: Choices, prepared: RunFolder
) -> tuple[Record, Record]:
    """The headers that answers.jsonl and choice.jsonl of a variant must have. prepared: where what is asked lies."""
    session = session.answering(variant)
    conditions = _conditions(session, variant, session.adapter(variant))
    path = session.folder.variant(variant.name, "answers.jsonl")
    return _answers_header(session, conditions, path, prepared), _choice_header(conditions, choices, prepared)


def verdicts_header(session: Session, answers: str, prepared: RunFolder) -> Record:
    """The header that the verdicts must have. answers: fingerprint of the answers that are judged."""
    task = session.task
    conditions = {
        "prepared": prepared_mark(prepared, task.facets.lines),
        **task.conditions(session.config, target_files(prepared)),
    }
    mark = fingerprint([answers, conditions])
    return {"kind": task.facets.lines, "fingerprint": mark, "answers": answers, **conditions}


def asked_questions(session: Session) -> tuple[str, list[AskedQuestion]]:
    """Fingerprint and questions of the task's prepared file."""
    facets = session.task.facets
    mark, records = prepared_lines(session, facets.lines)
    where = str(session.folder.prepared(facets.lines))
    return mark, [from_record(AskedQuestion, record, where, facets.names) for record in records]


def _conditions(session: Session, variant: VariantConfig, adapter: Path | None) -> Record:
    """What decides an answer beside the prompt. Of a server in a variant's place, the server alone: it is meant to
    differ from what answers the others."""
    if variant.served is not None:
        return {"served": session.engine.conditions["engine"]}
    return {
        **session.engine.conditions,
        "adapter": _adapter_mark(session, variant, adapter) if adapter is not None else None,
        "adapter_scale": variant.adapter_scale if adapter is not None else None,
    }


def _adapter_mark(session: Session, variant: VariantConfig, adapter: Path) -> str:
    """The adapter's fingerprint; the one of an earlier release where this variant's answers hold it."""
    files = [session.folder.variant(variant.name, f"{name}.jsonl") for name in ("answers", "choice")]
    recorded = [read_header(file).get("adapter") for file in files]
    if (adapter / "adapter_config.json").is_file() and (earlier := fingerprint_as_written(adapter)) in recorded:
        return earlier
    return session.engine.adapter_fingerprint(adapter)


def _answers_header(session: Session, conditions: Record, path: Path, prepared: RunFolder) -> Record:
    """What decided the answers. Files from before batch_size could be absent have the number that stood for that."""
    target = session.config.target
    decoding = Drawing.of(session.config).condition(session.config.seed)
    decided = {**conditions, "prepared": prepared_mark(prepared, session.task.facets.lines), "decoding": decoding,
               "max_new_tokens": target.max_new_tokens, "batch_size": target.batch_size}  # fmt: skip
    ending = session.task.ending(session.config)
    if ending is not None and ending.stops:
        decided["stop"] = "statement"
    earlier = {**decided, "batch_size": _FORMER_BATCH_SIZE} if target.batch_size is None else decided
    if same_fingerprint(path, fingerprint(earlier)):
        decided = earlier
    return {"kind": "answers", "fingerprint": fingerprint(decided), **decided}


def _choice_header(conditions: Record, choices: Choices, prepared: RunFolder) -> Record:
    decided = {**conditions, "prepared": prepared_mark(prepared, "choice"), "prompts": choices.fingerprint}
    if choices.lm_eval:  # what lm-eval asks stands in prepared/, how it judges that does not
        definitions = fingerprint({suite.name: dict(suite.files) for suite in choices.lm_eval})
        decided["lm_eval"] = {"version": lm_eval_version(), "definitions": definitions}
    return {"kind": "choice", "fingerprint": fingerprint(decided), **decided}


def _generate(session: Session, name: str, header: Record, questions: list[AskedQuestion]) -> None:
    with LineWriter(session.folder.variant(name, "answers.jsonl"), header) as writer:
        _say_replaced(session, name, writer)
        facets = session.task.facets
        done = {record[facets.names.get("id", "id")] for record in writer.done}
        answered = {place for place, question in enumerate(questions) if question.id in done}
        with (
            session.folder.timed("generate", name, header["fingerprint"], kept=True),
            session.bar(Work(name, "generate", len(questions)), facets.progress[0], len(answered)) as advance,
        ):

            def on_answer(place: int, generation: Generation) -> None:
                question = questions[place]
                writer.append({**facets.line(id=question.id, cluster=question.cluster), **asdict(generation)})
                advance(1)

            prompts = [question.prompt for question in questions]
            drawn = sampling(session, questions)
            order = {} if drawn is None else {"sampling": drawn}  # engines of before there was any know no such word
            session.engine.generate(prompts, session.config.target.max_new_tokens, on_answer, answered, **order)


def _choose(session: Session, name: str, header: Record, choices: Choices) -> None:
    with LineWriter(session.folder.variant(name, "choice.jsonl"), header) as writer:
        _say_replaced(session, name, writer)
        done = {(record["suite"], record["method"], record["id"]) for record in writer.done}
        with (
            session.folder.timed("choice", name, header["fingerprint"], kept=True),
            session.bar(Work(name, "choice", len(choices)), "answer questions", len(done)) as advance,
        ):

            def on_answer(answer: ChoiceAnswer) -> None:
                writer.append(answer)
                advance(1)

            for suite, prompts in choices.prompts.items():
                answered = {(method, question) for of, method, question in done if of == suite}
                answer_choices(
                    session.engine, prompts, suite=suite, variant=name, on_answer=on_answer, answered=answered
                )
            for asked in choices.lm_eval:
                # lm-eval scores a suite whole: of one that a kill left in part, the known answers stay as they are
                keys = [(asked.name, asked.method, question.id) for question in asked.questions]
                if not set(keys) <= done:
                    for answer in score_lm_eval(
                        _lm_eval_model(session), session.engine.count_tokens, asked, variant=name
                    ):
                        if (answer.suite, answer.method, answer.id) not in done:
                            on_answer(answer)


def _lm_eval_model(session: Session) -> Callable[[int], Any]:
    engine = session.engine
    if not isinstance(engine, RunsLmEval):
        raise EngineError(f'the engine {session.config.engine.kind!r} cannot run tasks of lm-eval; remove the '
                          '[[general]] of kind "lm-eval" or choose the engine "transformers"')  # fmt: skip
    return engine.lm_eval_model


def _say_replaced(session: Session, name: str, writer: LineWriter) -> None:
    if writer.replaced is not None:
        session.say(f"{name}: settings changed; {writer.path.name} starts anew, the former is kept as "
                    f"{writer.replaced.name}")  # fmt: skip


def target_files(prepared: RunFolder) -> dict[str, str]:
    """SHA-256 of what the task read, from the manifest that prepare wrote."""
    data = prepared.read_manifest().get("data", {})
    return {name.removeprefix("target/"): digest for name, digest in data.items() if name.startswith("target/")}
