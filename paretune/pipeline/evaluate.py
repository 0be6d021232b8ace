"""Evaluate: every question of both axes answered by one variant, and judged. Interrupted, it goes on where it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.choice.lm_eval import LmEvalSuite, lm_eval_version, score_lm_eval
from paretune.choice.prompts import build_prompts
from paretune.config import VariantConfig
from paretune.engines.base import Generation
from paretune.files import fingerprint
from paretune.models.adapters import adapter_fingerprint, on_base, why_unusable
from paretune.pipeline.prepare import GeneralData, target_directory
from paretune.pipeline.session import Session, prepared_lines, prepared_mark
from paretune.progress import progress_bar
from paretune.records import ChoiceAnswer, ChoicePrompt, SqlPrediction
from paretune.run.folder import RunFolder, is_complete, same_fingerprint
from paretune.run.jsonl import LineWriter, Record, read_lines, set_aside, write_lines

if TYPE_CHECKING:
    from paretune.engines.hf.options import AskedSuite

# Of extraction, execution, comparison and explanation: raised whenever a change of theirs may change a verdict, so that
# verdicts of before are found again and not taken for present ones.
JUDGE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Choices:
    """The multiple choice that every variant is asked; lm_eval: suites that lm-eval asks and scores."""

    suites: tuple[AskedSuite, ...]
    lm_eval: tuple[LmEvalSuite, ...]
    fingerprint: str  # of the prompts of `suites`

    def __len__(self) -> int:
        """Answers that a variant owes."""
        own = sum(len(suite.prompts) for suite in self.suites)
        return own + sum(len(suite.questions) for suite in self.lm_eval)


def choices_of(general: Sequence[GeneralData]) -> Choices:
    """The prompts of all suites, made once for all variants."""
    from paretune.engines.hf.options import AskedSuite

    prompts: dict[str, list[ChoicePrompt]] = {}
    for item in general:
        for method in item.methods if item.lm_eval is None else ():
            made = build_prompts(item.suite, item.questions, shots=item.shots or 0, method=method)
            prompts.setdefault(item.suite.name, []).extend(made)
    asked = fingerprint([[suite, asdict(prompt)] for suite, own in prompts.items() for prompt in own])
    suites = tuple(AskedSuite(suite, own) for suite, own in prompts.items())
    return Choices(suites, tuple(item.lm_eval for item in general if item.lm_eval), asked)


def evaluate(session: Session, variant: VariantConfig, choices: Choices) -> None:
    """Write answers.jsonl, sql.jsonl and choice.jsonl of a variant. Loads the model only where answers are missing.

    Raises EngineError, ScoringError, ModelError or RunFolderError.
    """
    adapter = session.adapter(variant)
    if unusable := why_unusable(adapter):
        session.note_variant(variant.name, {"unusable": unusable})
        session.say(f"{variant.name}: {unusable}; it is left out")
        return
    if session.folder.read_manifest().get("variants", {}).get(variant.name, {}).get("unusable"):
        session.note_variant(variant.name, {"unusable": None})
    generated, chosen = answer_headers(session, variant, choices, session.folder)
    sql_prompts = prepared_lines(session, "sql")[1]
    answers = session.folder.variant(variant.name, "answers.jsonl")
    chosen_lines = session.folder.variant(variant.name, "choice.jsonl")
    generate = not is_complete(answers, generated["fingerprint"], len(sql_prompts))
    choose = not is_complete(chosen_lines, chosen["fingerprint"], len(choices))
    if generate or choose:
        with on_base(session.base, adapter, variant.adapter_scale) as model:
            if generate:
                _generate(session, variant.name, model, generated, sql_prompts)
            if choose:
                _choose(session, variant.name, model, chosen, choices)
    else:
        session.say(f"{variant.name}: already answered")
    score(session, variant)


def score(session: Session, variant: VariantConfig) -> None:
    """Judge the answers of a variant: no model needed."""
    from paretune.files import cache_directory
    from paretune.sql.score import ScoreSettings, score_predictions

    target = session.config.target
    header, answers = read_lines(session.folder.variant(variant.name, "answers.jsonl"))
    questions = prepared_lines(session, "sql")[1]
    settings = ScoreSettings(rules=target.rules, limit_seconds=target.limit_seconds)
    wanted = verdicts_header(session, str(header["fingerprint"]), session.folder)
    path = session.folder.variant(variant.name, "sql.jsonl")
    if is_complete(path, wanted["fingerprint"], len(questions)):
        return
    texts = {answer["index"]: answer["text"] for answer in answers}
    predictions = [
        SqlPrediction(item["index"], item["db_id"], item["question"], item["gold"], texts[item["index"]])
        for item in questions
    ]
    with (
        session.folder.timed("score", variant.name, wanted["fingerprint"]),
        progress_bar(f"{variant.name} execute SQL", len(predictions)) as advance,
    ):
        verdicts = score_predictions(
            predictions,
            target_directory(target) / "database",
            settings,
            cache=cache_directory() / "gold",
            on_verdict=lambda _: advance(1),
        )
        if path.exists() and not same_fingerprint(path, wanted["fingerprint"]):
            session.say(f"{variant.name}: answers, rules, databases or versions changed; sql.jsonl is judged anew, the "
                        f"former is kept as {set_aside(path).name}")  # fmt: skip
        write_lines(path, wanted, verdicts)


def answer_headers(
    session: Session, variant: VariantConfig, choices: Choices, prepared: RunFolder
) -> tuple[Record, Record]:
    """The headers that answers.jsonl and choice.jsonl of a variant must have. prepared: where what is asked lies."""
    conditions = _conditions(session, session.adapter(variant), variant.adapter_scale)
    return _answers_header(session, conditions, prepared), _choice_header(conditions, choices, prepared)


def verdicts_header(session: Session, answers: str, prepared: RunFolder) -> Record:
    """The header that sql.jsonl must have. answers: fingerprint of the answers that are judged."""
    target = session.config.target
    conditions = {"prepared": prepared_mark(prepared, "sql"), "rules": target.rules,
                  "limit_seconds": target.limit_seconds, "databases": _database_hashes(prepared),
                  "sqlite": sqlite3.sqlite_version, "judge": JUDGE_VERSION}  # fmt: skip
    return {"kind": "sql", "fingerprint": fingerprint([answers, conditions]), "answers": answers, **conditions}


def _conditions(session: Session, adapter: Path | None, scale: float) -> Record:
    """What decides an answer beside the prompt."""
    from paretune.models.load import choose_precision

    return {
        "weights": session.source.weights,
        "adapter": adapter_fingerprint(adapter) if adapter is not None else None,
        "adapter_scale": scale if adapter is not None else None,
        "precision": choose_precision(session.config.model.precision),
        "quantization": session.config.model.quantization,
    }


def _answers_header(session: Session, conditions: Record, prepared: RunFolder) -> Record:
    target = session.config.target
    decided = {**conditions, "prepared": prepared_mark(prepared, "sql"), "decoding": "greedy",
               "max_new_tokens": target.max_new_tokens, "batch_size": target.batch_size}  # fmt: skip
    return {"kind": "answers", "fingerprint": fingerprint(decided), **decided}


def _choice_header(conditions: Record, choices: Choices, prepared: RunFolder) -> Record:
    decided = {**conditions, "prepared": prepared_mark(prepared, "choice"), "prompts": choices.fingerprint}
    if choices.lm_eval:  # what lm-eval asks stands in prepared/, how it judges that does not
        definitions = fingerprint({suite.name: dict(suite.files) for suite in choices.lm_eval})
        decided["lm_eval"] = {"version": lm_eval_version(), "definitions": definitions}
    return {"kind": "choice", "fingerprint": fingerprint(decided), **decided}


def _generate(session: Session, name: str, model: Any, header: Record, questions: list[Record]) -> None:
    from paretune.engines.hf.generate import TransformersEngine

    engine = TransformersEngine(model, session.tokenizer, session.config.target.batch_size)
    with LineWriter(session.folder.variant(name, "answers.jsonl"), header) as writer:
        _say_replaced(session, name, writer)
        done = {record["index"] for record in writer.done}
        answered = {place for place, question in enumerate(questions) if question["index"] in done}
        with (
            session.folder.timed("generate", name, header["fingerprint"], kept=True),
            progress_bar(f"{name} write SQL", len(questions), len(answered)) as advance,
        ):

            def on_answer(place: int, generation: Generation) -> None:
                question = questions[place]
                writer.append({"index": question["index"], "db_id": question["db_id"], **asdict(generation)})
                advance(1)

            prompts = [question["prompt"] for question in questions]
            engine.generate(prompts, session.config.target.max_new_tokens, on_answer, answered)


def _choose(session: Session, name: str, model: Any, header: Record, choices: Choices) -> None:
    with LineWriter(session.folder.variant(name, "choice.jsonl"), header) as writer:
        _say_replaced(session, name, writer)
        done = {(record["suite"], record["method"], record["id"]) for record in writer.done}
        with (
            session.folder.timed("choice", name, header["fingerprint"], kept=True),
            progress_bar(f"{name} answer questions", len(choices), len(done)) as advance,
        ):

            def on_answer(answer: ChoiceAnswer) -> None:
                writer.append(answer)
                advance(1)

            for suite in choices.suites:
                answered = {(method, question) for of, method, question in done if of == suite.suite}
                suite.score(model, session.tokenizer, variant=name, answered=answered, on_answer=on_answer)
            for asked in choices.lm_eval:
                # lm-eval scores a suite whole: of one that a kill left in part, the known answers stay as they are
                keys = [(asked.name, asked.method, question.id) for question in asked.questions]
                if not set(keys) <= done:
                    longest = session.base.context_tokens
                    answers = score_lm_eval(model, session.tokenizer, asked, variant=name, longest=longest)
                    for answer in answers:
                        if (answer.suite, answer.method, answer.id) not in done:
                            on_answer(answer)


def _say_replaced(session: Session, name: str, writer: LineWriter) -> None:
    if writer.replaced is not None:
        session.say(f"{name}: settings changed; {writer.path.name} starts anew, the former is kept as "
                    f"{writer.replaced.name}")  # fmt: skip


def _database_hashes(prepared: RunFolder) -> str:
    """One fingerprint of the target's databases, from the manifest that prepare wrote."""
    data = prepared.read_manifest().get("data", {})
    return fingerprint({name: digest for name, digest in data.items() if name.startswith("target/database/")})
