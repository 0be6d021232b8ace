"""English and Brazilian Portuguese wording of everything printed in tables and the report.

The English sentence is its own key; `PORTUGUESE` holds the translations. A sentence without a translation is an
error, so that a half-translated page cannot be published.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from paretune.errors import ConfigError

Language = Literal["en", "pt-BR"]
Translator = Callable[[str], str]
LANGUAGES: tuple[Language, ...] = ("en", "pt-BR")

PORTUGUESE: dict[str, str] = {
    "variant": "variante",
    "questions": "questões",
    "execution accuracy": "acurácia de execução",
    "general accuracy": "acurácia geral",
    "change against the baseline": "variação em relação à base",
    "catastrophic forgetting": "esquecimento catastrófico",
    "fine-tuning": "ajuste fino",
}


def parse_language(name: str) -> Language:
    """The language of that name. Raises ConfigError for any other."""
    if name not in LANGUAGES:
        raise ConfigError(f"--lang {name}: expected one of {', '.join(LANGUAGES)}")
    return name


def translator(language: Language) -> Translator:
    """The function that words an English sentence in the language; KeyError where a translation is missing."""
    if language == "en":
        return lambda sentence: sentence
    return PORTUGUESE.__getitem__


def number(value: float, language: Language, decimals: int = 1) -> str:
    """A number as the language writes it.

    >>> number(-3.25, "en", 2), number(21.5, "pt-BR")
    ('-3.25', '21,5')
    """
    text = f"{value:.{decimals}f}"
    return text if language == "en" else text.replace(".", ",")
