"""Brazilian Portuguese: what a code says, and what an English word of the source says."""

from __future__ import annotations

from paretune.text.catalogue import Catalogue
from paretune.text.pt_br import audit, card, claims, first, page, plots, sql, tables, terminal, validation, verdict

SINGULAR: dict[str, str] = {
    "inválidos": "inválido",
    "avisos": "aviso",
    "questões": "questão",
    "bancos de dados": "banco de dados",
    "bancos": "banco",
    "grupos": "grupo",
    "variantes": "variante",
    "execuções": "execução",
    "comparações": "comparação",
    "respostas": "resposta",
    "linhas": "linha",
    "tokens": "token",
    "pontos": "ponto",
    "prompts": "prompt",
    "receitas": "receita",
    "passos": "passo",
    "épocas": "época",
    "exemplos resolvidos": "exemplo resolvido",
    "disciplinas": "disciplina",
    "notas": "nota",
    "minutos": "minuto",
    "consultas": "consulta",
    "problemas impeditivos": "problema impeditivo",
    "sementes": "semente",
    "semelhantes": "semelhante",
}
TEXT: dict[str, str] = {
    **terminal.TEXT,
    **verdict.TEXT,
    **claims.TEXT,
    **card.TEXT,
    **tables.TEXT,
    **plots.TEXT,
    **first.TEXT,
    **page.TEXT,
    **validation.TEXT,
    **audit.TEXT,
    **sql.TEXT,
}
CATALOGUE = Catalogue("Português", ",", "; ", SINGULAR, TEXT)
