"""What an audit says: findings, and the words and shares that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from paretune.text.audit import WORDING
from paretune.text.language import Language, in_number, number, translator

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
    code: what was found, a key of audit_wording.WORDING. figures: what the sentences quote; shares in percent.
    """

    level: Level
    code: str
    figures: Figures

    @property
    def evidence(self) -> str:
        """What was seen, in English."""
        return self.say("en")[0]

    @property
    def advice(self) -> str:
        """What to do about it, in English."""
        return self.say("en")[1]

    def say(self, language: Language) -> tuple[str, str]:
        """Evidence and advice in the language."""
        translate = translator(language)
        words = {name: _word(value, language) for name, value in self.figures.items()}
        for name in TRANSLATED & set(words):
            if " (" not in words[name]:  # else a benchmark by its own name and method
                words[name] = ", ".join(map(translate, words[name].split(", ")))
        evidence, advice = (in_number(translate(sentence).format(**words), language) for sentence in WORDING[self.code])
        return evidence, advice


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


def examples(items: Iterable[int] | Iterable[str], limit: int = 4) -> str:
    """The first few of a list, for a sentence.

    >>> examples([3, 1, 2, 9, 7])
    '1, 2, 3, 7, ...'
    """
    ordered: list[int | str] = sorted(items, key=lambda item: (isinstance(item, str), item))
    return ", ".join([*(str(item) for item in ordered[:limit]), *(["..."] if len(ordered) > limit else [])])


def _word(value: Figure, language: Language) -> str:
    if not isinstance(value, float):
        return str(value)
    if 0 < abs(value) < 0.001:
        return f"{value:.0e}".replace("e-0", "e-")
    return number(value, language, 3 if 0 < abs(value) < 0.01 else 2 if 0 < abs(value) < 1 else 1)
