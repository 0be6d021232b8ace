"""The text-to-SQL prompt: one builder for training rows and evaluation questions alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from paretune.errors import PromptError
from paretune.models.chat import Message
from paretune.sql.bird import question_with_evidence
from paretune.sql.database import on_one_line
from paretune.sql.dialects import SQLITE
from paretune.sql.records import SqlQuestion

INSTRUCTION = "Write one {dialect} query that answers the question. Reply with the query only."

SchemaText = Callable[[str], str]  # db_id -> schema as shown


@dataclass(frozen=True, slots=True)
class PromptConfig:
    """[prompt]. schema: CREATE TABLE text, one compact line per table, or one line per column as in M-Schema.
    sample_values: distinct values shown per column; values: the first ones stored, or first those that the question's
    words speak of. few_shot: solved training rows shown before the question. evidence: show the hints of questions that
    have some, as BIRD's do."""

    schema: Literal["create_table", "compact", "m-schema"] = "create_table"
    sample_values: int = field(default=0, metadata={"minimum": 0})
    values: Literal["stored", "question"] = field(default="stored", metadata={"unsaid": True})
    few_shot: int = field(default=0, metadata={"minimum": 0})
    evidence: bool = True


@dataclass(frozen=True, slots=True)
class SqlPromptBuilder:
    """Turns a question into messages. examples: solved training rows, the same for every question. dialect: what a
    database calls its SQL. schema_for: in place of schema_text, where the question decides what is shown."""

    schema_text: SchemaText
    examples: tuple[SqlQuestion, ...] = ()
    dialect: Callable[[str], str] = lambda _: SQLITE.name
    evidence: bool = True
    schema_for: Callable[[SqlQuestion], str] | None = None

    def messages(self, question: SqlQuestion) -> list[Message]:
        """The conversation that ends where the model has to answer."""
        messages: list[Message] = []
        for example in self.examples:
            messages.append({"role": "user", "content": self._request(example)})
            messages.append({"role": "assistant", "content": one_line(example.gold)})
        messages.append({"role": "user", "content": self._request(question)})
        return messages

    def _request(self, question: SqlQuestion) -> str:
        instruction = INSTRUCTION.format(dialect=self.dialect(question.db_id))
        asked = question_with_evidence(question) if self.evidence else question.question.strip()
        schema = self.schema_text(question.db_id) if self.schema_for is None else self.schema_for(question)
        return f"{schema}\n\n{instruction}\nQuestion: {asked}"


def one_line(query: str) -> str:
    """A training answer: the query without line breaks, comments and its final semicolon; texts in it stay whole.

    >>> one_line("SELECT name\\nFROM singer ;")
    'SELECT name FROM singer'
    """
    return on_one_line(query).rstrip("; ")


def choose_examples(rows: Sequence[SqlQuestion], config: PromptConfig, seed: int) -> tuple[SqlQuestion, ...]:
    """Few-shot examples: a seeded draw of training rows, from different databases while there are enough.

    Raises PromptError where there are fewer rows than examples.
    """
    if config.few_shot > len(rows):
        raise PromptError(f"prompt.few_shot = {config.few_shot}: there are only {len(rows)} training rows")
    shuffled = random.Random(seed).sample(list(rows), len(rows)) if config.few_shot else []
    chosen: list[SqlQuestion] = []
    for fresh_only in (True, False):
        for row in shuffled:
            if len(chosen) == config.few_shot:
                return tuple(chosen)
            known = {example.db_id for example in chosen}
            taken = any(row is example for example in chosen)
            if not taken and not (fresh_only and row.db_id in known):
                chosen.append(row)
    return tuple(chosen)
