"""How hard is a question? Each way of telling is one function, registered with its levels and its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paretune.sql.records import SqlQuestion

Tell = Callable[[SqlQuestion, Path], str | None]


@dataclass(frozen=True, slots=True)
class Levels:
    """A registered way of telling. levels: in their order. source: what it follows, for a reader. tell: the level of a
    question asked of a database file, null where this way knows none."""

    name: str
    levels: tuple[str, ...]
    source: str
    tell: Tell


LEVELS: dict[str, Levels] = {}


def told_by(name: str, levels: tuple[str, ...], source: str) -> Callable[[Tell], Tell]:
    """Register a function as the way of that name."""

    def register(tell: Tell) -> Tell:
        LEVELS[name] = Levels(name, levels, source, tell)
        return tell

    return register


@told_by("difficulty", ("simple", "moderate", "challenging"), "BIRD's files, whose annotators rated each question")
def difficulty(question: SqlQuestion, database: Path) -> str | None:
    """What the file says of the question."""
    return question.level


@told_by("hardness", ("easy", "medium", "hard", "extra"), "Spider's script (evaluation.py: eval_hardness)")
def hardness(question: SqlQuestion, database: Path) -> str | None:
    """The level of the reference's text; "unknown" where it is not one SELECT statement."""
    from paretune.sql.dialects import as_sqlite
    from paretune.sql.explain import level_of

    return level_of(as_sqlite(question.gold, database))


def level(question: SqlQuestion, database: Path) -> str:
    """What the first way says that knows the question.

    >>> level(SqlQuestion(0, "bank", "How many?", "SELECT count(*) FROM loan", level="moderate"), Path("bank.sqlite"))
    'moderate'
    """
    return next((said for way in LEVELS.values() if (said := way.tell(question, database)) is not None), "unknown")
