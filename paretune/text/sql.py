"""Why SQL was wrong, for a reader: by the code that a verdict line has, or, in a line of before there were codes, by
its English sentence.

Such a sentence, like a message of SQLite or of the sandbox, is recognised by the template of the English catalogue
that it was made from. Names, values and SQL stay as they are, and so does a message that no template fits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any

from paretune.text import SOURCE, Field, Phrase, Voice

_WHERE = "(?:(?: in the query after | in the subquery of | in HAVING).*)?"
_REFERENCE = "(?:reference|gold)"  # the word was gold before
_ON_SUBQUERY = " (a subquery)"


def why_wrong(voice: Voice, error: str | None, code: str | None, fields: Mapping[str, Any] | None) -> str:
    """What a verdict line says of its error, "" where it says nothing.

    error, code, fields: the line's `error`, `error_code` and `error_fields`.

    >>> why_wrong(Voice("pt-BR"), "no such column: fee", "sql.unknown-column", {"column": "fee"})
    'Nenhuma tabela tem a coluna fee.'
    >>> why_wrong(Voice("pt-BR"), "Order by t.a in HAVING.", None, None)
    'Ordene por t.a no HAVING.'
    """
    if code is not None:
        return voice.say(Phrase.of({"code": code, "fields": fields or {}}))
    return voice.say(recognised(error)) if error else ""


def recognised(sentence: str) -> Phrase:
    """The phrase that an English sentence about wrong SQL was made from; sql.message where no template fits.

    >>> recognised("Compare singer.name with 'Ann', not 'ann' (letter case) in HAVING.").code
    'sql.literal-case'
    """
    return _phrase("sql.", sentence) or Phrase("sql.message", {"message": sentence})


def _phrase(family: str, sentence: str) -> Phrase | None:
    for code, pattern in _patterns(family):
        found = pattern.fullmatch(sentence)
        if found:
            return Phrase(code, {name: _field(name, text) for name, text in found.groupdict().items()})
    return None


def _field(name: str, text: str) -> Field:
    """A place and a message are sentences of ours, all else is SQL."""
    if name == "message":
        return recognised(text)
    if name == "where":
        return _phrase("place.", text) or ""
    if text.endswith(_ON_SUBQUERY):
        return Phrase("sql.on-subquery", {"condition": text.removesuffix(_ON_SUBQUERY)})
    return text


@cache
def _patterns(family: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    text = Voice(SOURCE).catalogue.text
    whole = ("sql.message", "sql.on-subquery")  # these fit any sentence
    codes = [code for code in text if code.startswith(family) and code not in whole]
    return tuple((code, re.compile(_expression(text[code]), re.DOTALL)) for code in codes)


def _expression(template: str) -> str:
    written = ""
    for literal, name, _, _ in Formatter().parse(template):
        written += re.escape(literal).replace("reference", _REFERENCE)
        if name is not None:
            written += f"(?P<{name}>{_WHERE if name == 'where' else '.+?'})"
    return written
