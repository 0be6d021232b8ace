"""What an audit says: findings, and the words and shares that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from paretune.text import Field, Phrase, Voice

Level = Literal["invalid", "warning", "note"]
LEVELS: tuple[Level, ...] = ("invalid", "warning", "note")
Figure = str | int | float
Figures = Mapping[str, Figure]
TRANSLATED = {"axis", "where"}  # figures that are words of ours
SHARE_WORTH_A_WARNING = 5.0
SHARE_THAT_INVALIDATES = 50.0


@dataclass(frozen=True)
class Finding:
    """One reason not to believe a figure.

    level: "invalid" (the figure must not be quoted), "warning" (it may mislead), "note" (the reader should know).
    code: what was found: audit.CODE and audit.CODE.advice of the text catalogues. figures: what the sentences quote;
    shares in percent.
    """

    level: Level
    code: str
    figures: Figures

    @property
    def evidence(self) -> str:
        """What was seen, in English."""
        return str(self.phrases[0])

    @property
    def advice(self) -> str:
        """What to do about it, in English."""
        return str(self.phrases[1])

    @property
    def phrases(self) -> tuple[Phrase, Phrase]:
        """Evidence and advice, in no language yet."""
        fields: dict[str, Field] = dict(self.figures)
        for name in TRANSLATED & set(fields):
            if " (" not in str(fields[name]):  # else a benchmark by its own name and method
                fields[name] = tuple(Phrase(word) for word in str(fields[name]).split(", "))
        return Phrase(f"audit.{self.code}", fields), Phrase(f"audit.{self.code}.advice", fields)

    def say(self, voice: Voice) -> tuple[str, str]:
        """Evidence and advice in a language."""
        evidence, advice = self.phrases
        return voice.say(evidence), voice.say(advice)


def count_by_level(findings: Iterable[Finding]) -> dict[Level, int]:
    """How many findings there are of each level, as terminal and page say it.

    >>> count_by_level([Finding("note", "single-seed", {"recipes": 2})])
    {'invalid': 0, 'warning': 0, 'note': 1}
    """
    counts = Counter(finding.level for finding in findings)
    return {level: counts[level] for level in LEVELS}


def percent(part: int, whole: int) -> float:
    """Share in percent.

    >>> percent(1, 8)
    12.5
    """
    return 100 * part / whole


def level_of_share(share: float) -> Level | None:
    """How grave it is that `share` percent of the answers are not answers: a warning above 5, invalid above 50."""
    if share > SHARE_THAT_INVALIDATES:
        return "invalid"
    return "warning" if share > SHARE_WORTH_A_WARNING else None


def examples(items: Iterable[int | str], limit: int = 4) -> str:
    """The first few of a list, for a sentence.

    >>> examples([3, 1, 2, 9, 7])
    '1, 2, 3, 7, ...'
    """
    ordered: list[int | str] = sorted(items, key=lambda item: (isinstance(item, str), item))
    return ", ".join([*(str(item) for item in ordered[:limit]), *(["..."] if len(ordered) > limit else [])])
