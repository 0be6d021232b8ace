"""General rows of a training: replay, with answers that the base model writes first, and texts of the objective."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from paretune.config import NO_REPLAY, SELF_REPLAY, TrainingConfig, VariantConfig
from paretune.engines import build_engine
from paretune.engines.base import Generation, Host, Sampling
from paretune.errors import TrainingError
from paretune.files import fingerprint
from paretune.models.chat import encode
from paretune.objectives import find_objective
from paretune.pipeline.pace import Work
from paretune.pipeline.session import Session, prepared_lines
from paretune.run.folder import is_complete
from paretune.run.jsonl import LineWriter, Record, read_lines
from paretune.training.batches import TrainingRow
from paretune.training.general import GeneralPrompt, content_sha256, files_of, read_prompts

FILE = "replay.jsonl"
TEMPERATURE = 1.0  # answers as the base gives them: their expected loss is KL(base || tuned) and a constant
MOST_ANSWER_TOKENS = 256
_FEWEST_ANSWER_TOKENS = 8  # room that a prompt must leave
_FEWEST_WORDS = 4  # of a test question that is looked for inside a longer prompt


@dataclass(frozen=True, slots=True)
class _Asked:
    """One row of replay: a prompt, rendered, and which of the answers to it."""

    prompt: GeneralPrompt
    rendered: str
    draw: int

    def seed(self, of_experiment: int) -> int:
        """Decides the answer together with the prompt, whatever else is asked."""
        digest = hashlib.sha256(f"{of_experiment}/replay/{self.prompt.text}/{self.draw}".encode()).digest()
        return int.from_bytes(digest[:4]) >> 1


def mixed_count(target_rows: int, share: float) -> int:
    """How many general rows make up that share of these and the target's rows together; at least 1.

    >>> mixed_count(90, 0.1), mixed_count(3, 0.1)
    (10, 1)
    """
    return max(1, round(target_rows * share / (1.0 - share)))


def conditions(session: Session, config: TrainingConfig) -> Mapping[str, Any]:
    """What the fingerprint of a training says of its replay. Raises TrainingError for a file that cannot be read."""
    if config.replay == NO_REPLAY:
        return {}
    drawing = {"temperature": TEMPERATURE, "answer_tokens": MOST_ANSWER_TOKENS, "seed": session.config.seed}
    return {"replay": content_sha256(files_of(config.replay)), "replay_drawing": drawing}


def general_rows(session: Session, variant: VariantConfig, target_rows: int) -> list[TrainingRow]:
    """The rows that a variant's training mixes in. Loads the model where answers are to be written.

    Raises TrainingError for files that cannot be read, a test question among the prompts, and prompts without room.
    """
    return [*_replay_rows(session, variant, target_rows), *_text_rows(session, variant, target_rows)]


def _text_rows(session: Session, variant: VariantConfig, target_rows: int) -> list[TrainingRow]:
    config = variant.training
    assert config is not None
    objective = find_objective(config.objective)
    texts, share = objective.texts(config.objective_settings) if objective.texts else ((), 0.0)
    if not texts:
        return []
    rows = []
    for text, _ in _cycled(texts, mixed_count(target_rows, share), config.seed):
        tokens = encode(session.tokenizer, text)[: config.max_tokens]
        rows.append(TrainingRow(tuple(tokens), len(tokens) - 1, "text"))
    return [row for row in rows if row.answer_tokens > 0]


def _replay_rows(session: Session, variant: VariantConfig, target_rows: int) -> list[TrainingRow]:
    config = variant.training
    assert config is not None
    if config.replay == NO_REPLAY:
        return []
    prompts = read_prompts(config.replay)
    prompts = _without_test_questions(session, config.replay, prompts)
    cue = session.task.facets.cue
    rendered = [(prompt, session.engine.render(_messages(prompt), cue)) for prompt in prompts]
    fitting = [(prompt, text) for prompt, text in rendered if _room(session, config, text) >= _FEWEST_ANSWER_TOKENS]
    if not fitting:
        raise TrainingError(f"{variant.name}: replay: no prompt leaves room for an answer in max_tokens = "
                            f"{config.max_tokens}; raise it")  # fmt: skip
    if len(fitting) < len(prompts):
        left_out = len(prompts) - len(fitting)
        session.say(f"{variant.name}: {left_out} replay prompts leave no room for an answer and are left out")
    drawn = _cycled(fitting, mixed_count(target_rows, config.replay_share), session.config.seed)
    asked = [_Asked(prompt, text, draw) for (prompt, text), draw in drawn]
    answers = _answers(session, variant, [item for item in asked if item.prompt.completion is None])
    rows = [_row(session, item, answers.get((item.prompt.text, item.draw))) for item in asked]
    kept = [row for row in rows if row.answer_tokens > 0 and len(row.tokens) <= config.max_tokens]
    if not kept:
        raise TrainingError(f"{variant.name}: replay: no row fits max_tokens = {config.max_tokens}; raise it")
    return kept


def _cycled(items: Sequence[Any], count: int, seed: int) -> Iterator[tuple[Any, int]]:
    """The items in an order drawn by the seed, as often as needed; with each, how often it came before."""
    shuffled = random.Random(f"{seed} general").sample(list(items), len(items))
    for number in range(count):
        yield shuffled[number % len(shuffled)], number // len(shuffled)


def _messages(prompt: GeneralPrompt) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt.text}]


def _room(session: Session, config: TrainingConfig, rendered: str) -> int:
    """Tokens that an answer may have."""
    longest = min(config.max_tokens, session.engine.context_tokens)
    return min(MOST_ANSWER_TOKENS, longest - session.engine.count_tokens(rendered))


def _row(session: Session, item: _Asked, answer: Record | None) -> TrainingRow:
    """An answer that was cut off goes without an end of turn."""
    text = item.prompt.completion if answer is None else str(answer["text"])
    assert text is not None
    if answer is None or answer["finish"] != "length":
        text = session.engine.completion(_messages(item.prompt), text)
    prompt, tokens = encode(session.tokenizer, item.rendered), encode(session.tokenizer, text)
    return TrainingRow((*prompt, *tokens), len(tokens), "replay")


def _answers(session: Session, variant: VariantConfig, asked: Sequence[_Asked]) -> dict[tuple[str, int], Record]:
    """The base model's answers by prompt and draw, from the variant's replay.jsonl; missing ones are written first."""
    config = variant.training
    assert config is not None
    if not asked:
        return {}
    room = min(_room(session, config, item.rendered) for item in asked)
    decided = {
        **conditions(session, config), **session.engine.conditions, "max_new_tokens": room, "adapter": None,
        "asked": fingerprint([[item.rendered, item.draw] for item in asked]),
    }  # fmt: skip
    header = {"kind": "replay", "fingerprint": fingerprint(decided), **decided}
    path = session.folder.variant(variant.name, FILE)
    if not is_complete(path, header["fingerprint"], len(asked)):
        _write_answers(session, variant.name, header, asked, room)
    return {(record["prompt"], record["draw"]): record for record in read_lines(path)[1]}


def _write_answers(session: Session, name: str, header: Record, asked: Sequence[_Asked], room: int) -> None:
    """By an engine that ends no answer early, as that of the task may."""
    host = Host(session.model, batch_size=session.config.target.batch_size, say=session.say)
    engine = build_engine(session.config.engine, host)
    with LineWriter(session.folder.variant(name, FILE), header) as writer:
        done = {(record["prompt"], record["draw"]) for record in writer.done}
        answered = {place for place, item in enumerate(asked) if (item.prompt.text, item.draw) in done}
        with (
            session.folder.timed("replay", name, header["fingerprint"], kept=True),
            session.bar(Work(name, "replay", len(asked)), "replay answers", len(answered)) as advance,
            engine.variant(None),
        ):

            def on_answer(place: int, generation: Generation) -> None:
                item = asked[place]
                writer.append({"prompt": item.prompt.text, "draw": item.draw, **asdict(generation)})
                advance(1)

            sampling = Sampling(TEMPERATURE, tuple(item.seed(session.config.seed) for item in asked))
            engine.generate([item.rendered for item in asked], room, on_answer, answered, sampling)
    engine.release()


def _without_test_questions(session: Session, replay: str, prompts: Sequence[GeneralPrompt]) -> list[GeneralPrompt]:
    """The prompts but those that are a question of the test, or hold one. Raises TrainingError where a user's file has
    such; built-in ones are left out."""
    kept = []
    wanted = _test_questions(session)
    for prompt in prompts:
        question = _question_in(_words(prompt.text), wanted)
        if question is None:
            kept.append(prompt)
        elif replay != SELF_REPLAY:
            raise TrainingError(f"{prompt.place}: replay: {question!r} is a question of the test; take it out")
    return kept


def _test_questions(session: Session) -> Mapping[tuple[str, ...], list[tuple[tuple[str, ...], str]]]:
    """Every question of the test, in words and as it stands, by its first words."""
    wanted: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for name in (session.task.facets.lines, "choice"):
        for record in prepared_lines(session, name)[1]:
            question = str(
                record.get(session.task.facets.names.get("question", "question"), record.get("question", ""))
            )
            if words := _words(question):
                wanted[words[:_FEWEST_WORDS]].append((words, question))
    return wanted


def _question_in(
    words: tuple[str, ...], wanted: Mapping[tuple[str, ...], list[tuple[tuple[str, ...], str]]]
) -> str | None:
    for at in range(len(words)):
        for question, text in wanted.get(words[at : at + _FEWEST_WORDS], ()):
            if words == question or (len(question) >= _FEWEST_WORDS and words[at : at + len(question)] == question):
                return text
    return None


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))
