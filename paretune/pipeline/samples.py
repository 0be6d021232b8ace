"""Several answers per question: drawn and kept one by one, judged, and one of them chosen as the answer.

<variant>/samples.jsonl holds every answer, sample_verdicts.jsonl what became of each; answers.jsonl holds the one that
counts, so that everything after it is as with one answer per question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from paretune.config import ExperimentConfig
from paretune.engines.base import Generation, Sampling
from paretune.files import fingerprint
from paretune.pipeline.pace import Work
from paretune.pipeline.session import Session
from paretune.progress import progress_bar
from paretune.run.folder import is_complete, same_fingerprint
from paretune.run.jsonl import LineWriter, Record, read_lines, set_aside, write_lines
from paretune.run.lines import AskedQuestion
from paretune.tasks import Identity

FILE = "samples.jsonl"
VERDICTS = "sample_verdicts.jsonl"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How answers are drawn: as the [target] table says, greedily where it does not."""

    temperature: float = 0.0
    samples: int = 1
    vote: bool = False

    @classmethod
    def of(cls, config: ExperimentConfig) -> Drawing:
        """Of an experiment; tasks whose table has no such keys answer greedily."""
        target: Any = config.target
        return cls(getattr(target, "temperature", 0.0), getattr(target, "samples", 1), getattr(target, "vote", False))

    def condition(self, seed: int) -> Any:
        """What an answers' header says of it."""
        return "greedy" if not self.temperature else {**asdict(self), "seed": seed}


def sampling(session: Session, questions: Sequence[AskedQuestion]) -> Sampling | None:
    """The engine's order for each question's samples in turn; None where answers are the most probable ones."""
    drawing = Drawing.of(session.config)
    if not drawing.temperature:
        return None
    seeds = (_seed(session.config.seed, item.id, number) for item in questions for number in range(drawing.samples))
    return Sampling(drawing.temperature, tuple(seeds))


def draw(session: Session, name: str, answers: Record, questions: Sequence[AskedQuestion]) -> None:
    """Write samples.jsonl, going on where it ended. answers: the header that answers.jsonl will have."""
    samples, facets = Drawing.of(session.config).samples, session.task.facets
    with LineWriter(session.folder.variant(name, FILE), _header(answers)) as writer:
        if writer.replaced is not None:
            session.say(f"{name}: settings changed; {FILE} starts anew, the former is kept as {writer.replaced.name}")
        done = {(record[facets.names.get("id", "id")], record["sample"]) for record in writer.done}
        pairs = [(item, number) for item in questions for number in range(samples)]
        answered = {place for place, (item, number) in enumerate(pairs) if (item.id, number) in done}
        if len(answered) == len(pairs):
            return
        with (
            session.folder.timed("generate", name, answers["fingerprint"], kept=True),
            session.bar(Work(name, "generate", len(pairs)), facets.progress[0], len(answered)) as advance,
        ):

            def on_answer(place: int, generation: Generation) -> None:
                item, number = pairs[place]
                line = facets.line(id=item.id, cluster=item.cluster)
                writer.append({**line, "sample": number, **asdict(generation)})
                advance(1)

            prompts = [item.prompt for item, _ in pairs]
            longest = session.config.target.max_new_tokens
            session.engine.generate(prompts, longest, on_answer, answered, sampling(session, questions))


def settle(session: Session, name: str, answers: Record, questions: Sequence[AskedQuestion]) -> None:
    """Write answers.jsonl: of each question the sample that counts, by vote or the first. No model is needed."""
    kept = _samples(session, name)
    chosen = [0] * len(questions)
    if Drawing.of(session.config).vote:
        texts = [[str(line["text"]) for line in kept[item.id]] for item in questions]
        with session.folder.timed("vote", name, answers["fingerprint"]):
            chosen = list(session.task.vote(session.config, questions, texts))
    path = session.folder.variant(name, "answers.jsonl")
    if path.exists() and not same_fingerprint(path, answers["fingerprint"]):
        session.say(f"{name}: settings changed; {path.name} starts anew, the former is kept as {set_aside(path).name}")
    write_lines(path, answers, [kept[item.id][number] for item, number in zip(questions, chosen, strict=True)])


def judge_samples(session: Session, name: str, verdicts: Record, questions: Sequence[AskedQuestion]) -> None:
    """Write sample_verdicts.jsonl: the outcome of every sample, under the conditions of the variant's verdicts."""
    path, count = session.folder.variant(name, VERDICTS), Drawing.of(session.config).samples * len(questions)
    if is_complete(path, verdicts["fingerprint"], count):
        return
    kept, task = _samples(session, name), session.task
    pairs = [(item, line) for item in questions for line in kept[item.id]]
    with (
        session.folder.timed("score", name, verdicts["fingerprint"]),
        progress_bar(f"{name} {task.facets.progress[1]}", len(pairs)) as advance,
    ):
        asked = [item for item, _ in pairs]
        judged = task.judge(session.config, asked, [str(line["text"]) for _, line in pairs], lambda _: advance(1))
    if path.exists() and not same_fingerprint(path, verdicts["fingerprint"]):
        session.say(f"{name}: {path.name} is judged anew, the former is kept as {set_aside(path).name}")
    lines = [
        {**task.facets.line(id=item.id), "sample": line["sample"], "outcome": verdict.outcome, "tokens": line["tokens"],
         "chatter_tokens": line["chatter_tokens"], "finish": line["finish"]}
        for (item, line), verdict in zip(pairs, judged, strict=True)
    ]  # fmt: skip
    write_lines(path, {**verdicts, "kind": "sample-verdicts"}, lines)


def _samples(session: Session, name: str) -> dict[Identity, list[Record]]:
    """Each question's samples in their order."""
    key = session.task.facets.names.get("id", "id")
    found: dict[Identity, list[Record]] = {}
    records = read_lines(session.folder.variant(name, FILE))[1]
    for record in sorted(records, key=lambda record: int(record["sample"])):
        found.setdefault(record[key], []).append(record)
    return found


def _header(answers: Record) -> Record:
    """Of samples.jsonl: everything that decides the answers, except which of them counts."""
    decided = {key: value for key, value in answers.items() if key not in ("kind", "fingerprint")}
    decided["decoding"] = {key: value for key, value in answers["decoding"].items() if key != "vote"}
    return {"kind": "samples", "fingerprint": fingerprint(decided), **decided}


def _seed(seed: int, question: Identity, sample: int) -> int:
    """The same for all variants: what differs between two of them is the model, not luck."""
    digest = hashlib.sha256(f"{seed}/{question}/{sample}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1  # servers take 31 bits
