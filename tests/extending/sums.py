"""A target task that is not SQL: arithmetic word problems, judged by the value that the answer ends with."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paretune.config import ExperimentConfig
from paretune.tasks import Facets, Messages, Question, TargetData, Task, Verdict

THINGS = "apples", "books", "coins", "doors", "eggs", "flags", "gates", "hats"


@dataclass(frozen=True, slots=True)
class SumsTarget:
    """[target]. tolerance: how far from the value an answer may be."""

    kind: str = "sums"
    questions: int = 40
    train_rows: int = 16
    tolerance: int = field(default=0, metadata={"minimum": 0})
    max_new_tokens: int = 8
    batch_size: int = 4


@dataclass(frozen=True, slots=True)
class SumsPrompt:
    """[prompt]. opening: stands before each problem."""

    opening: str = "Solve. Reply with the number only."


class Sums(Task):
    """See paretune.tasks.Task."""

    facets = Facets(
        lines="sums", metric="share of right values", cluster="thing", clusters="things",
        level="size", levels=("small", "large"), answer="value",
        words={"pt-BR": {"share of right values": "parcela de valores certos", "thing": "coisa", "things": "coisas",
                         "size": "tamanho", "small": "pequena", "large": "grande", "class:too_low": "baixo demais"}},
    )  # fmt: skip
    target = SumsTarget
    prompt = SumsPrompt

    def read(self, config: ExperimentConfig) -> TargetData:
        """Drawn from the experiment's seed."""
        assert isinstance(config.target, SumsTarget)
        generator, count = random.Random(config.seed), config.target.questions
        rows = [_problem(number, generator) for number in range(count + config.target.train_rows)]

        def messages(question: Question) -> Messages:
            return [{"role": "user", "content": f"{config.prompt.opening}\n\n{question.question}"}]

        return TargetData(tuple(rows[:count]), tuple(("train", row) for row in rows[count:]), {}, messages)

    def training_answer(self, row: Question) -> str:
        """The value."""
        return row.reference

    def conditions(self, config: ExperimentConfig, files: Mapping[str, str]) -> dict[str, Any]:
        """The tolerance."""
        assert isinstance(config.target, SumsTarget)
        return {"tolerance": config.target.tolerance}

    def judge(
        self, config: ExperimentConfig, questions: Sequence[Question], texts: Sequence[str],
        on_verdict: Callable[[Any], None],
    ) -> list[Verdict]:  # fmt: skip
        """By the last whole number of the text."""
        assert isinstance(config.target, SumsTarget)
        verdicts = []
        for question, text in zip(questions, texts, strict=True):
            verdicts.append(_verdict(question, text, config.target.tolerance))
            on_verdict(verdicts[-1])
        return verdicts


TASK = Sums()


def _problem(number: int, generator: random.Random) -> Question:
    thing, low = THINGS[number % 8], number % 3 != 0
    first, second = generator.choices(range(1, 10 if low else 100), k=2)
    text = f"Problem {number}: there are {first} {thing} and {second} more come. How many {thing} are there?"
    return Question(f"sum-{number}", thing, text, str(first + second), "small" if low else "large")


def _verdict(question: Question, text: str, tolerance: int) -> Verdict:
    found = re.findall(r"-?\d+", text)
    if not found:
        return Verdict(question.id, question.cluster, question.level, "no_answer", "no_number", "There is no number.")
    off, detail = int(found[-1]) - int(question.reference), {"value": found[-1]}
    reason = "too_low" if off < 0 else "too_high"
    if abs(off) <= tolerance:
        return Verdict(question.id, question.cluster, question.level, "correct", detail=detail)
    return Verdict(question.id, question.cluster, question.level, "wrong", reason, f"It is {off} off.", detail)
