"""English and Brazilian Portuguese wording of everything printed in tables and the report.

The English sentence is its own key; `PORTUGUESE` holds the translations. A sentence without a translation is an
error, so that a half-translated page cannot be published.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

from paretune.errors import ConfigError
from paretune.text.audit import AUDIT_PORTUGUESE
from paretune.text.choice import CHOICE_PORTUGUESE
from paretune.text.page import PAGE_PORTUGUESE

Language = Literal["en", "pt-BR"]
Translator = Callable[[str], str]
LANGUAGES: tuple[Language, ...] = ("en", "pt-BR")

PORTUGUESE: dict[str, str] = {
    "done": "pronto",
    "missing": "falta",
    "outdated": "desatualizado",
    "lines are counted, not checked against the settings: {reason}": "linhas contadas, não conferidas com as"
    " configurações: {reason}",
    **AUDIT_PORTUGUESE,
    **CHOICE_PORTUGUESE,
    **PAGE_PORTUGUESE,
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
    "why SQL was wrong, with an example each": "por que o SQL estava errado, com um exemplo de cada",
    "predictions": "predições",
    "split": "partição",
    "databases": "bancos de dados",
    "gold": "referência",
    "tables": "tabelas",
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
    "change": "variação",
    "all questions": "todas as questões",
    "letter": "letra",
    "cloze": "texto da resposta",
    "generate": "geração",
    "Execution accuracy in percent: {benchmark}, {questions} questions in {databases} databases": (
        "Acurácia de execução em %: {benchmark}, {questions} questões em {databases} bancos de dados"
    ),
    "General accuracy in percent: {suite} by {method}, {questions} questions": (
        "Acurácia geral em %: {suite} por {method}, {questions} questões"
    ),
    ", chance {chance} %": ", acaso {chance} %",
    "Execution accuracy in percent by hardness": "Acurácia de execução em % por dificuldade",
    "Trade-off against the baseline, in points": "Ganhos e perdas em relação à base, em pontos",
    "gain": "ganho",
    "change in general accuracy": "variação da acurácia geral",
    "ability kept, %": "capacidade mantida, %",
    "points lost per point gained": "pontos perdidos por ponto ganho",
    "probability on the front": "probabilidade na fronteira",
    "Front: no other variant is as good on both axes and better on one.": (
        "Fronteira: nenhuma outra variante é tão boa nos dois eixos e melhor em um deles."
    ),
    "Hypervolume: {area} square points, dominated above 0 % execution and {chance} % general accuracy; compare it "
    "only between experiments with as many variants on the same questions.": (
        "Hipervolume: {area} pontos quadrados, dominados acima de 0 % de acurácia de execução e {chance} % de acurácia "
        "geral; compare só entre experimentos com tantas variantes e as mesmas questões."
    ),
    "p (Holm)": "p (Holm)",
    "detectable": "detectável",
    "finding": "conclusão",
    "gain shown": "ganho demonstrado",
    "loss shown": "perda demonstrada",
    "not shown": "não demonstrado",
    "shown": "demonstrado",
    "refuted": "refutado",
    "95 % intervals in brackets.": "Intervalos de 95 % entre colchetes.",
    "Change: against the baseline, in points, paired by question, clustered by database.": (
        "Variação: em relação à base, em pontos, pareada por questão, agrupada por banco de dados."
    ),
    "p (Holm): adjusted for all {count} comparisons of this run; finding: p below 0.05.": (
        "p (Holm): ajustado para todas as {count} comparações deste experimento; conclusão: p abaixo de 0,05."
    ),
    "Detectable: the difference that data like these show in four of five repetitions.": (
        "Detectável: a diferença que dados como estes mostram em quatro de cinco repetições."
    ),
    "One database: questions count as independent, and the figures hold for this database.": (
        "Um só banco de dados: as questões contam como independentes, e os números valem para este banco."
    ),
    "Few subjects: questions count as independent, and the figures hold for these subjects.": (
        "Poucas disciplinas: as questões contam como independentes, e os números valem para estas disciplinas."
    ),
    "One seed: a difference holds for this adapter; the recipe may vary more.": (
        "Uma só semente: a diferença vale para este adaptador; a receita pode variar mais."
    ),
    "Two seeds: the variance between seeds is hardly known.": (
        "Duas sementes: a variância entre sementes é quase desconhecida."
    ),
    "Incomplete and left out: {names}.": "Incompletas e deixadas de fora: {names}.",
    "{variant}: {finding} (p {p}); loss below the margin of {margin} points: {verdict}; detectable: {effect} points.": (
        "{variant}: {finding} (p {p}); perda abaixo da margem de {margin} p.p.: {verdict}; detectável: {effect} p.p."
    ),
    "the base model cannot be told from chance": "o modelo base não se distingue do acaso",
    "the interval of the gain holds 0": "o intervalo do ganho contém 0",
    "too few replicates of the curve reach this gain": "poucas réplicas da curva atingem este ganho",
    "too few questions to choose on one half and judge on the other": (
        "questões de menos para escolher em uma metade e julgar na outra"
    ),
    "one seed: the difference holds for this adapter, the recipe may vary more": (
        "uma só semente: a diferença vale para este adaptador, a receita pode variar mais"
    ),
    "two seeds: the variance between seeds is hardly known": (
        "duas sementes: a variância entre sementes é quase desconhecida"
    ),
    "STEM": "STEM",
    "Humanities": "Humanidades",
    "Social sciences": "Ciências sociais",
    "Other": "Outras",
    "gain in execution accuracy, points": "ganho em acurácia de execução, pontos",
    "change in general accuracy, points": "variação da acurácia geral, pontos",
    "Gain and loss against the baseline": "Ganho e perda em relação à base",
    "Pareto front": "fronteira de Pareto",
    "95 % interval": "intervalo de 95 %",
    "scales of {variant}": "escalas de {variant}",
    "checkpoints of {variant}": "checkpoints de {variant}",
    "chosen for a loss of at most {budget} points": "escolhida para uma perda de até {budget} p.p.",
    "Training curves": "Curvas de treino",
    "loss": "perda",
    "learning rate": "taxa de aprendizado",
    "gradient norm": "norma do gradiente",
    "step": "passo",
    "Change by subject, {suite}": "Variação por disciplina, {suite}",
    "change in accuracy, points": "variação da acurácia, pontos",
    "the {count} of {all} subjects that changed most": "as {count} de {all} disciplinas que mais mudaram",
    "no training was logged": "nenhum treino foi registrado",
    "no subjects to compare": "não há disciplinas para comparar",
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


ONE: dict[Language, dict[str, str]] = {
    "en": {
        word: word.removesuffix("s")
        for word in (
            "questions", "databases", "clusters", "variants", "comparisons", "answers", "rows", "tokens", "lines",
            "points", "prompts", "recipes", "steps", "subjects", "notes",
        )
    },
    "pt-BR": {
        "questões": "questão", "bancos de dados": "banco de dados", "bancos": "banco", "grupos": "grupo",
        "variantes": "variante", "comparações": "comparação", "respostas": "resposta", "linhas": "linha",
        "tokens": "token", "pontos": "ponto", "prompts": "prompt", "receitas": "receita", "passos": "passo",
        "disciplinas": "disciplina", "notas": "nota", "minutos": "minuto", "consultas": "consulta",
    },
}  # fmt: skip


def in_number(text: str, language: Language) -> str:
    """The text with a noun in the singular wherever exactly 1 stands before it.

    >>> in_number("1 questions in 1 databases, 21 questions", "en")
    '1 question in 1 database, 21 questions'
    >>> in_number("run-1 points to 1 note", "en")
    'run-1 points to 1 note'
    >>> in_number("1 questões em 1 bancos de dados, 0,1 pontos", "pt-BR")
    '1 questão em 1 banco de dados, 0,1 pontos'
    """
    return _counted_once(language).sub(lambda found: f"1 {ONE[language][found[1]]}", text)


@cache
def _counted_once(language: Language) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, ONE[language]), key=len, reverse=True))
    return re.compile(rf"(?<![\w.,@-])1 ({words})\b")


def number(value: float, language: Language, decimals: int = 1) -> str:
    """A number as the language writes it; what rounds to zero has no sign.

    >>> number(-3.25, "en", 2), number(21.5, "pt-BR")
    ('-3.25', '21,5')
    """
    text = f"{value:z.{decimals}f}"
    return text if language == "en" else text.replace(".", ",")
