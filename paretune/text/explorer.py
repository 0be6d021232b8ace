"""What the page's explorer says, in English and in Brazilian Portuguese, and the names of outcomes and reasons."""

from __future__ import annotations

from typing import Literal

OUTCOMES: dict[str, tuple[str, str]] = {
    "correct": ("right", "certa"),
    "wrong": ("other result", "outro resultado"),
    "invalid_sql": ("SQL refused", "SQL recusado"),
    "not_a_query": ("not a query", "não é consulta"),
    "timeout": ("ran out of time", "tempo esgotado"),
    "too_large": ("result too large", "resultado grande demais"),
    "no_answer": ("no answer", "sem resposta"),
    "gold_failed": ("reference fails", "a referência falha"),
    "failed": ("failed on our side", "falha nossa"),
}
CLASSES: dict[str, tuple[str, str]] = {
    "no_statement": ("no SQL statement", "nenhum comando SQL"),
    "syntax": ("syntax", "sintaxe"),
    "unknown_table": ("unknown table", "tabela desconhecida"),
    "unknown_column": ("unknown column", "coluna desconhecida"),
    "ambiguous_column": ("ambiguous column", "coluna ambígua"),
    "unknown_function": ("unknown function", "função desconhecida"),
    "set_operation": ("set operation", "operação de conjunto"),
    "wrong_table": ("wrong table", "tabela errada"),
    "missing_join": ("missing join", "junção ausente"),
    "needless_join": ("needless join", "junção desnecessária"),
    "wrong_join_key": ("wrong join key", "chave de junção errada"),
    "wrong_join": ("wrong join", "junção errada"),
    "wrong_aggregate": ("wrong aggregate", "agregação errada"),
    "wrong_columns": ("wrong columns", "colunas erradas"),
    "missing_columns": ("missing columns", "colunas ausentes"),
    "extra_columns": ("extra columns", "colunas a mais"),
    "wrong_grouping": ("wrong grouping", "agrupamento errado"),
    "missing_filter": ("missing filter", "filtro ausente"),
    "needless_filter": ("needless filter", "filtro desnecessário"),
    "wrong_filter": ("wrong filter", "filtro errado"),
    "wrong_literal": ("wrong literal", "literal errado"),
    "missing_clause": ("missing clause", "cláusula ausente"),
    "distinct": ("DISTINCT", "DISTINCT"),
    "wrong_order": ("wrong order", "ordem errada"),
    "wrong_limit": ("wrong limit", "LIMIT errado"),
    "other": ("other", "outro motivo"),
    "unclassified": ("not classified", "não classificado"),
}

SCRIPT: dict[str, str] = {
    "Dark": "Escuro",
    "Light": "Claro",
    "All questions and answers": "Todas as questões e respostas",
    "{shown} of {all} questions": "{shown} de {all} questões",
    "any": "qualquer",
    "newly right": "passaram a certas",
    "no longer right": "deixaram de ser certas",
    "right before and after": "certas antes e depois",
    "wrong before and after": "erradas antes e depois",
    "any change": "qualquer mudança",
    "question": "questão",
    "database": "banco",
    "subject": "disciplina",
    "hardness": "dificuldade",
    "easy": "fácil",
    "medium": "média",
    "hard": "difícil",
    "extra": "muito difícil",
    "unknown": "desconhecida",
    "prompt": "prompt",
    "reference SQL": "SQL de referência",
    "not in the reference": "não está na referência",
    "only in the reference": "só na referência",
    "differs from the reference": "diferença em relação à referência",
    "raw answer": "resposta crua",
    "reason": "motivo",
    "no SQL was found in the answer": "nenhum SQL foi encontrado na resposta",
    "the same text as the reference": "o mesmo texto da referência",
    "both results empty": "ambos os resultados vazios",
    "{count} tokens": "{count} tokens",
    "result: first {shown} of {count} rows": "resultado: as primeiras {shown} de {count} linhas",
    "result: {count} rows": "resultado: {count} linhas",
    "result: 1 row": "resultado: 1 linha",
    "column {number}": "coluna {number}",
    "cut at the token limit": "cortada no limite de tokens",
    "option": "opção",
    "right option": "opção certa",
    "chosen": "escolhida",
    "probability of the letters together: {mass}": "probabilidade das letras somadas: {mass}",
    "natural logarithm of the probability; the highest is chosen": (
        "logaritmo natural da probabilidade; a maior é escolhida"
    ),
    "natural logarithm of the probability; the highest for its length in bytes is chosen": (
        "logaritmo natural da probabilidade; a maior em relação ao comprimento em bytes é escolhida"
    ),
    "wrong answer": "resposta errada",
    "not asked": "não perguntada",
    "No question fits these filters.": "Nenhuma questão atende a estes filtros.",
    "This browser cannot unpack the answers; open the page in a newer one, or read the lines beside it.": (
        "Este navegador não consegue descompactar as respostas; abra a página em um mais novo ou leia as linhas ao"
        " lado dela."
    ),
    "Unpacking…": "Descompactando…",
    "page {page} of {pages}": "página {page} de {pages}",
    "letter": "letra",
    "cloze": "texto da resposta",
    "generate": "geração",
    "Target questions": "Questões da tarefa-alvo",
    "General questions": "Questões gerais",
    "compared with the baseline": "comparada à base",
    "text in question or answer": "texto na questão ou na resposta",
    "suite": "conjunto",
    "method": "método",
    "Clear": "Limpar",
    "Previous": "Anterior",
    "Next": "Próxima",
    "Close": "Fechar",
    "category": "categoria",
    "outcome": "desfecho",
    "The explorer needs JavaScript; the lines are in the files beside this page.": (
        "O explorador precisa de JavaScript; as linhas estão nos arquivos ao lado desta página."
    ),
    "Each answer of each variant, beside the reference. Enter opens a question, Esc closes it.": (
        "Cada resposta de cada variante ao lado da referência. Enter abre uma questão, Esc a fecha."
    ),
    "Skip to the verdict": "Ir para o veredito",
    "variant": "variante",
    "STEM": "STEM",
    "Humanities": "Humanidades",
    "Social sciences": "Ciências sociais",
    "Other": "Outras",
}


def outcome_label(name: str, language: Literal["en", "pt-BR"]) -> str:
    """An outcome as a reader would call it.

    >>> outcome_label("invalid_sql", "pt-BR")
    'SQL recusado'
    """
    return _label(OUTCOMES, name, language)


def class_label(name: str, language: Literal["en", "pt-BR"]) -> str:
    """A reason as a reader would call it; one that nobody named keeps its own name.

    >>> class_label("wrong_join_key", "en"), class_label("bad_luck", "pt-BR")
    ('wrong join key', 'bad luck')
    """
    return _label(CLASSES if name in CLASSES else OUTCOMES, name, language)


def script_words() -> dict[str, dict[str, str]]:
    """What the page's own program says: language -> English sentence -> sentence. Names of outcomes are under
    "outcome:NAME", of reasons under "class:NAME"."""
    found: dict[str, dict[str, str]] = {"en": {key: key for key in SCRIPT}, "pt-BR": dict(SCRIPT)}
    for prefix, names in (("outcome", OUTCOMES), ("class", {**OUTCOMES, **CLASSES})):
        for name, (english, portuguese) in names.items():
            found["en"][f"{prefix}:{name}"] = english
            found["pt-BR"][f"{prefix}:{name}"] = portuguese
    return found


def _label(names: dict[str, tuple[str, str]], name: str, language: Literal["en", "pt-BR"]) -> str:
    if name not in names:
        return name.replace("_", " ")
    english, portuguese = names[name]
    return english if language == "en" else portuguese
