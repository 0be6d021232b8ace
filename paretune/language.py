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
    "easy": "fácil",
    "medium": "média",
    "hard": "difícil",
    "extra": "muito difícil",
    "unknown": "desconhecida",
    "confidence intervals": "intervalos de confiança",
    "clustered by database": "agrupados por banco de dados",
    "rules": "regras",
    "only the first of the split were scored": "só as primeiras da partição foram avaliadas",
    "only a part was scored": "só uma parte foi avaliada",
    "test-suite accuracy": "acurácia na suíte de testes",
    "the gold fails on the suite": "a consulta de referência falha na suíte",
    "one database per db_id: no suite": "um banco por db_id: sem suíte",
    "exact set match": "correspondência exata de conjuntos",
    "correct": "corretas",
    "wrong": "erradas",
    "invalid_sql": "SQL inválido",
    "not_a_query": "não é consulta",
    "timeout": "tempo esgotado",
    "too_large": "resultado grande demais",
    "no_answer": "sem resposta",
    "gold_failed": "referência falhou",
    "failed": "falha nossa",
    "both results empty": "ambos os resultados vazios",
    "predictions": "predições",
    "split": "partição",
    "databases": "bancos de dados",
    "gold": "referência",
    "{questions} questions show a difference of {points} points": (
        "{questions} questões mostram uma diferença de {points} pontos"
    ),
    "questions needed to show {points} points with probability {power}: {questions}": (
        "questões necessárias para mostrar {points} pontos com probabilidade {power}: {questions}"
    ),
    "minutes for {variants} variants at {seconds} s a question ({axis}): {minutes}": (
        "minutos para {variants} variantes a {seconds} s por questão ({axis}): {minutes}"
    ),
    "as given": "como informado",
    "target": "tarefa-alvo",
    "general": "capacidade geral",
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
