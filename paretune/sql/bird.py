"""BIRD's question files: what they have that Spider's have not.

Li et al. 2023, "Can LLM Already Serve as A Database Interface? A BIg Bench for Large-Scale Database Grounded
Text-to-SQLs". dev.json and Mini-Dev's mini_dev_sqlite.json are lists of objects with db_id, question, SQL (gold_sql in
some copies), evidence (a hint that belongs to the question) and difficulty; databases lie in dev_databases/.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paretune.errors import DataError
from paretune.sql.levels import LEVELS
from paretune.sql.records import SqlQuestion

WITHOUT_KNOWN_WRONG = "without questions known to be wrong"  # what the second figure is called


def question_with_evidence(question: SqlQuestion) -> str:
    """The question as it is asked where the evidence is shown.

    >>> question_with_evidence(SqlQuestion(0, "bank", "How many?", "SELECT 1", evidence="Count the loans."))
    'How many?\\nEvidence: Count the loans.'
    """
    text = question.question.strip()
    return f"{text}\nEvidence: {question.evidence.strip()}" if question.evidence.strip() else text


def is_bird(questions: Sequence[SqlQuestion]) -> bool:
    """Are these questions BIRD's? They are where they say their difficulty in its words."""
    return bool(questions) and all(question.level in LEVELS["difficulty"].levels for question in questions)


def read_known_wrong(path: Path, questions: Sequence[SqlQuestion]) -> frozenset[int]:
    """The positions of questions known to be wrong, from a file with one number per line (# begins a comment).

    Raises DataError for a line that is no position in the split.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    known = {question.index for question in questions}
    positions = set()
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        if not text.isdecimal() or int(text) not in known:
            raise DataError(f"{path}, line {number}: expected a position in the split, found {text!r}")
        positions.add(int(text))
    return frozenset(positions)
