"""What the text of a prediction tells, as it travels from the worker that found it (sql/explain.py) to a verdict.

No parser is needed here, so that the process which only collects verdicts starts without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from paretune.text import Phrase
from paretune.text.sql import recognised

_SAYS_THE_MESSAGE = ("sql.not-comparable", "sql.no-clause")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """hardness: of the reference, "unknown" where it is no SELECT statement. measured: the metrics of texts
    (sql/metrics.py), none where the hardness is unknown. error_class, phrase: null for a prediction that is not
    wrong."""

    hardness: str = "unknown"
    measured: Mapping[str, float] = field(default_factory=dict)
    error_class: str | None = None
    phrase: Phrase | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return values | {"phrase": None if self.phrase is None else self.phrase.record()}

    @classmethod
    def of(cls, record: Mapping[str, Any] | None) -> Diagnosis:
        """The diagnosis that `record` wrote; one that knows nothing for None."""
        if record is None:
            return cls()
        phrase = record["phrase"]
        return cls(**{**record, "phrase": None if phrase is None else Phrase.of(phrase)})


def worth_saying(message: str | None, refused: bool, diagnosed: Phrase | None) -> Phrase | None:
    """What to tell a reader: the diagnosis, where it says more than the message.

    message: of SQLite or of the sandbox, None when the query ran to its end. refused: was it SQLite that refused the
    text. diagnosed: the phrase of a Diagnosis.
    """
    if message is None:
        return diagnosed
    if refused and diagnosed is not None and diagnosed.code not in _SAYS_THE_MESSAGE:
        return diagnosed
    return recognised(message)
