"""Everything a reader is told, in each language: one catalogue per language, and a `Voice` that speaks it.

A catalogue is a folder with one file per subject, the same in every language: en/verdict.py, pt_br/verdict.py.
To add a word (a column's title, a label): write `voice.say("generated tokens")`; the English word is its own key, and
every other catalogue has a line for it.
To add a sentence with fields: give it a code in English and in every other catalogue, with the same fields,
`"verdict.gain": "{variant} gains {change:+} points"`; say it by `voice.say("verdict.gain", variant=name, change=gain)`.
Where the sentence is made far from its reader, hand on `Phrase("verdict.gain", {...})`, which `say` takes as well. A
finding of the audit has two codes, `audit.CODE` and `audit.CODE.advice`.
Fields are values, not text: a float has one decimal (`:.2` two, `:+` a sign, `:p` a p value, `:g` as many as it needs),
an interval is written whole, a Phrase is said, a tuple is listed, and text stays as it is. A noun after exactly 1 is
put in the singular.
To add a language: one folder like pt_br/, and its name in LANGUAGES. The tests say what is missing or dead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from string import Formatter
from typing import Any, Protocol

from paretune.errors import ConfigError
from paretune.text.catalogue import Catalogue

LANGUAGES = ("en", "pt-BR")  # the first is that of the source; each has its catalogue in a folder of its name
SOURCE = LANGUAGES[0]
_CODE = re.compile(r"[a-z]+[.:]\S")


class Estimate(Protocol):
    """A figure with its interval."""

    @property
    def estimate(self) -> float: ...  # noqa: D102
    @property
    def low(self) -> float: ...  # noqa: D102
    @property
    def high(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence that no language has worded yet: its code in the catalogues, and the values that it quotes.

    As text it is English.

    >>> str(Phrase("power.detectable", {"questions": 1, "points": 9.5}))
    '1 question show a difference of 9.50 points'
    """

    code: str
    fields: Mapping[str, Field] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.code)

    def __str__(self) -> str:
        return Voice(SOURCE).say(self)

    def record(self) -> dict[str, Any]:
        """As JSON: code and fields, phrases within it likewise."""
        return {"code": self.code, "fields": {name: _plain(value) for name, value in self.fields.items()}}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Phrase:
        """The phrase that `record` wrote.

        >>> phrase = Phrase("sql.order", {"wanted": "a.b", "where": Phrase("place.having", {"where": ""})})
        >>> Phrase.of(phrase.record()) == phrase
        True
        """
        fields = {
            name: cls.of(value) if isinstance(value, Mapping) else value for name, value in record["fields"].items()
        }
        return cls(record["code"], fields)


Field = str | int | float | Phrase | Estimate | Sequence["Field"]


@dataclass(frozen=True, slots=True)
class Voice:
    """One language, as it words phrases and writes numbers. It is given once to whatever speaks to a reader."""

    language: str

    @property
    def catalogue(self) -> Catalogue:
        """The language's words."""
        return _catalogue(self.language)

    def say(self, text: str | Phrase, /, **fields: Field) -> str:
        """A word, a code with its fields, or a phrase in this language. Raises KeyError where the catalogue lacks it.

        >>> Voice("pt-BR").say("questions"), Voice("pt-BR").say("plot.scales", variant="run-1")
        ('questões', 'run-1 em escala reduzida')
        >>> Voice("en").say("facts.general", suite="1 questions-bench", questions=1, method="cloze")
        'general: 1 questions-bench, 1 question by cloze'
        """
        if isinstance(text, Phrase):
            return self._filled(self.template(text.code), {**text.fields, **fields})
        return self._filled(self.template(text), fields)

    def template(self, text: str) -> str:
        """What stands in the catalogue, its fields still open."""
        if self.language == SOURCE and not _CODE.match(text):
            return text
        return self.catalogue.text[text]

    def label(self, name: str, *families: str) -> str:
        """A name such as an outcome's, by the first of the families that has it; else the name itself.

        >>> Voice("pt-BR").label("invalid_sql", "outcome"), Voice("en").label("bad_luck", "class", "outcome")
        ('erro de SQL', 'bad luck')
        """
        known = (f"{family}:{name}" for family in families)
        code = next((code for code in known if code in self.catalogue.text), None)
        return name.replace("_", " ") if code is None else self.say(code)

    def data_word(self, name: str) -> str:
        """A name that came with the data (a category, a level), translated where the catalogue knows it."""
        return self.catalogue.text.get(name, name)

    def number(self, value: float, decimals: int = 1) -> str:
        """A number; what rounds to zero has no sign.

        >>> Voice("en").number(-3.25, 2), Voice("pt-BR").number(21.5)
        ('-3.25', '21,5')
        """
        return self.marked(f"{value:z.{decimals}f}")

    def marked(self, number: str) -> str:
        """A number already written, with the language's decimal mark."""
        return number.replace(".", self.catalogue.decimal_mark)

    def points(self, value: float, *, signed: bool = False, decimals: int = 1) -> str:
        """A number, with its sign where asked; what rounds to zero has none.

        >>> Voice("en").points(-0.04, signed=True), Voice("en").points(3.25, signed=True, decimals=2)
        ('0.0', '+3.25')
        """
        text = self.number(value, decimals)
        return f"+{text}" if signed and value > 0 and any(digit in text for digit in "123456789") else text

    def figure(self, value: float) -> str:
        """A number with one decimal, below 1 with as many as it needs to be read.

        >>> [Voice("pt-BR").figure(value) for value in (12.34, 0.5, 0.0321, 0.00321, 0.0000321)]
        ['12,3', '0,50', '0,03', '0,003', '3e-5']
        """
        if 0 < abs(value) < 0.001:
            return f"{value:.0e}".replace("e-0", "e-")
        return self.number(value, 3 if 0 < abs(value) < 0.01 else 2 if 0 < abs(value) < 1 else 1)

    def p_value(self, value: float) -> str:
        """A p value as it should be quoted.

        >>> Voice("en").p_value(0.0002), Voice("pt-BR").p_value(0.0312)
        ('< 0.001', '0,031')
        """
        return f"< {self.number(0.001, 3)}" if value < 0.001 else self.number(value, 3)

    def limits(self, low: float, high: float, *, signed: bool = False, decimals: int = 1) -> str:
        """The two limits of an interval.

        >>> Voice("en").limits(37.14, 51), Voice("pt-BR").limits(-6, 2, signed=True)
        ('[37.1, 51.0]', '[-6,0; +2,0]')
        """
        ends = (self.points(value, signed=signed, decimals=decimals) for value in (low, high))
        return f"[{self.catalogue.between_limits.join(ends)}]"

    def interval(self, figure: Estimate | None, *, signed: bool = False, decimals: int = 1) -> str:
        """A figure with its interval, as every table, page and terminal writes it; "" where there is none."""
        if figure is None:
            return ""
        limits = self.limits(figure.low, figure.high, signed=signed, decimals=decimals)
        return f"{self.points(figure.estimate, signed=signed, decimals=decimals)} {limits}"

    def _filled(self, template: str, fields: Mapping[str, Field]) -> str:
        text, once = "", False
        for literal, name, style in _parts(template):
            text += self._singular(literal) if once else literal
            if name is not None:
                value = self._field(fields[name], style)
                once = value == "1" and re.search(r"[\w.,@-]$", text) is None
                text += value
        return text

    def _singular(self, literal: str) -> str:
        """The words after 1, the first of them in the singular where it is a noun that is counted."""
        for plural, singular in sorted(self.catalogue.singular.items(), key=lambda pair: -len(pair[0])):
            if re.match(rf" {re.escape(plural)}\b", literal):
                return f" {singular}{literal[1 + len(plural) :]}"
        return literal

    def _field(self, value: Field, style: str) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Phrase):
            return self.say(value)
        if isinstance(value, Sequence):
            return ", ".join(self._field(part, style) for part in value)
        if isinstance(value, int) and style in ("", "g"):
            return str(value)
        if isinstance(value, int | float) and style in ("g", "p"):
            return self.figure(value) if style == "g" else self.p_value(value)
        signed, decimals = "+" in style, int(style.partition(".")[2] or 1)
        if isinstance(value, int | float):
            return self.points(value, signed=signed, decimals=decimals)
        return self.interval(value, signed=signed, decimals=decimals)


def voice_named(language: str) -> Voice:
    """The voice of --lang; the language alone is enough, and a locale's spelling will do. Raises ConfigError for a
    language without a catalogue.

    >>> voice_named("pt").language, voice_named("pt_BR").language
    ('pt-BR', 'pt-BR')
    """
    wanted = language.replace("_", "-").lower()
    known = next((name for name in LANGUAGES if wanted in (name.lower(), name.partition("-")[0])), None)
    if known is None:
        raise ConfigError(f"--lang {language}: expected one of {', '.join(LANGUAGES)}")
    return Voice(known)


@cache
def _catalogue(language: str) -> Catalogue:
    if language not in LANGUAGES:
        raise KeyError(language)
    catalogue: Catalogue = import_module(f"{__name__}.{language.lower().replace('-', '_')}").CATALOGUE
    return catalogue


@cache
def _parts(template: str) -> tuple[tuple[str, str | None, str], ...]:
    """Literal text, the field after it (None at the end) and how the field is to be written."""
    return tuple((literal, name, style or "") for literal, name, style, _ in Formatter().parse(template))


def _plain(value: Field) -> Any:
    if isinstance(value, Phrase):
        return value.record()
    return [_plain(part) for part in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
