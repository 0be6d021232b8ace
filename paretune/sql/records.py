"""The records of text-to-SQL that pass between stages: one JSON line each, every field by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SqlOutcome(StrEnum):
    """What became of one predicted query. Only CORRECT counts as right; FAILED is our own fault and stops a
    comparison."""

    CORRECT = "correct"
    WRONG = "wrong"
    INVALID_SQL = "invalid_sql"  # SQLite refused to prepare or run it
    NOT_A_QUERY = "not_a_query"  # it would do something other than read
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"  # result beyond the row, byte or memory cap
    NO_ANSWER = "no_answer"  # no SQL statement in the text
    GOLD_FAILED = "gold_failed"  # the reference query itself does not run
    GOLD_TOO_LARGE = "gold_too_large"  # the reference returns more than the row, byte or memory cap
    FAILED = "failed"  # ours: worker lost, disk error


NOT_JUDGED = frozenset({SqlOutcome.GOLD_FAILED, SqlOutcome.GOLD_TOO_LARGE})  # in no accuracy: the reference's fault


@dataclass(frozen=True, slots=True)
class SqlQuestion:
    """One text-to-SQL question. index: 0-based position in its split, the only identity of a question
    (texts repeat). evidence, level: what the file itself says of a hint and of how hard it is, as BIRD's does."""

    index: int
    db_id: str
    question: str
    gold: str
    evidence: str = ""
    level: str | None = None


@dataclass(frozen=True, slots=True)
class SqlPrediction:
    """A question with a raw answer `text`, ready to be scored. level: as in SqlQuestion. known_wrong: question
    or reference are known to be wrong, which a second figure leaves out."""

    index: int
    db_id: str
    question: str
    gold: str
    text: str
    level: str | None = None
    known_wrong: bool = False


@dataclass(frozen=True, slots=True)
class SqlVerdict:
    """The verdict on one predicted query: one line of sql.jsonl and of `paretune score --out`.

    sql: the one statement extracted from `text` ("" when there is none). execution_match: result equal to the
    gold's under the chosen rules on the one database. test_suite_match: equal on every database of a suite, null
    without a suite. exact_set_match: official exact set match, null where it is not computed. both_empty: gold and
    prediction both returned no rows. error_class: see ErrorClass in differences.py, null when correct. seconds: the
    prediction's own execution time (never the gold's). exact_set_match_strict: with what the official script's own
    parser refuses as no match; soft_f1: BIRD's, in [0, 1], under the rules `bird` alone; gold_doubt: why the
    reference's result cannot be relied on; these three null in lines of older versions. known_wrong: as in
    SqlPrediction. error: in English, SQLite's own message where there is one; error_code, error_fields: the
    explanation for a reader, as text.Phrase has it (null in lines of older versions).
    """

    index: int
    db_id: str
    question: str
    text: str
    sql: str
    gold: str
    outcome: SqlOutcome
    execution_match: bool
    test_suite_match: bool | None
    exact_set_match: bool | None
    hardness: str  # easy, medium, hard, extra
    both_empty: bool
    error_class: str | None
    error: str | None
    seconds: float
    error_code: str | None = None
    error_fields: Mapping[str, Any] | None = None
    exact_set_match_strict: bool | None = None
    soft_f1: float | None = None
    gold_doubt: str | None = None
    known_wrong: bool = False
