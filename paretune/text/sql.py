"""Why SQL was wrong, in Brazilian Portuguese.

Verdict lines keep the English sentence, so that a file says the same whoever wrote it; whoever shows it words it. A
sentence is recognised by the template that sql_differences, sql_errors or sql_diagnosis made it from; names, values
and SQL stay as they are. Of SQLite's own messages the usual ones are known, any other stays in SQLite's words.
"""

from __future__ import annotations

import re
from functools import cache

# English, Portuguese. {where} is the place within a query and may be empty, other fields are never empty. The first
# template that fits counts.
TEMPLATES: tuple[tuple[str, str], ...] = (
    ("The answer holds no SQL statement.", "A resposta não contém nenhum comando SQL."),
    ("no SQL statement in the answer", "nenhum comando SQL na resposta"),
    ("only reading is allowed; refused: {a}", "só leitura é permitida; recusado: {a}"),
    ("the gold query fails: {a}", "a consulta de referência falha: {a}"),
    (
        "The statement is too long or too deeply nested to be compared with the gold.",
        "O comando é longo ou aninhado demais para ser comparado com a referência.",
    ),
    (
        "The two queries cannot be compared clause by clause: {message}",
        "As duas consultas não podem ser comparadas cláusula a cláusula: {message}",
    ),
    (
        "No clause tells them apart: the clauses are alike, so look at expressions, ties and what the data holds.",
        "Nenhuma cláusula as distingue: são iguais, então veja expressões, empates e o que há nos dados.",
    ),
    ("No clause tells them apart: {message}.", "Nenhuma cláusula as distingue: {message}."),
    # set operations
    ("Drop the {a}{where}: the gold is a single query.", "Retire {a}{where}: a referência é uma consulta só."),
    ("Combine two queries with {a}{where}, as the gold does.", "Combine duas consultas com {a}{where}, como a"
     " referência."),
    # names
    (
        "Column {a} is in none of the tables read{where} (it is in {b}); in quotes SQLite takes it for text.",
        "A coluna {a} não está em nenhuma das tabelas lidas{where} (está em {b}); entre aspas o SQLite a toma por"
        " texto.",
    ),
    (
        "Column {a} is in none of the tables read{where}; in quotes SQLite takes it for text.",
        "A coluna {a} não está em nenhuma das tabelas lidas{where}; entre aspas o SQLite a toma por texto.",
    ),
    (
        "Column {a} is in none of the tables read; it is in {b}, which must be joined or named.",
        "A coluna {a} não está em nenhuma das tabelas lidas; está em {b}, que é preciso juntar ou nomear.",
    ),
    (
        "{table} has no column {a}; it is in {b}, which must be joined or named.",
        "{table} não tem a coluna {a}; ela está em {b}, que é preciso juntar ou nomear.",
    ),
    (
        "Column {a} is in several of the tables read: write the table before it.",
        "A coluna {a} está em várias das tabelas lidas: escreva a tabela antes dela.",
    ),
    ("There is no table {a}; did you mean {b}?", "Não existe a tabela {a}; seria {b}?"),
    ("There is no table {a}; there are {b}.", "Não existe a tabela {a}; existem {b}."),
    ("No table has a column {a}; did you mean {b}?", "Nenhuma tabela tem a coluna {a}; seria {b}?"),
    ("No table has a column {a}.", "Nenhuma tabela tem a coluna {a}."),
    (
        "SQLite has no function {a}: write it with one that SQLite has.",
        "O SQLite não tem a função {a}: escreva com uma que ele tenha.",
    ),
    (
        "An aggregate {a} stands where rows are not yet grouped: move it to HAVING.",
        "Uma agregação {a} está onde as linhas ainda não foram agrupadas: leve-a ao HAVING.",
    ),
    (
        "An aggregate  stands where rows are not yet grouped: move it to HAVING.",
        "Uma agregação está onde as linhas ainda não foram agrupadas: leve-a ao HAVING.",
    ),
    (
        "Function {a} was given a number of arguments that SQLite does not accept.",
        "A função {a} recebeu um número de argumentos que o SQLite não aceita.",
    ),
    (
        "The two sides of the set operation select different numbers of columns.",
        "Os dois lados da operação de conjunto selecionam números diferentes de colunas.",
    ),
    ("HAVING needs a GROUP BY before it.", "HAVING precisa de um GROUP BY antes."),
    ("The subquery must select exactly one column.", "A subconsulta deve selecionar exatamente uma coluna."),
    ("USING names column {a}, which is not in both tables.", "USING cita a coluna {a}, que não está nas duas tabelas."),
    (
        "ORDER BY and LIMIT belong to the end of the whole statement: {a}.",
        "ORDER BY e LIMIT ficam no fim do comando inteiro: {a}.",
    ),
    ("SQLite stops reading at {a}.", "O SQLite para de ler em {a}."),
    ("The statement breaks off before its end.", "O comando se interrompe antes do fim."),
    ("SQLite cannot read {a}: look for an unclosed quote.", "O SQLite não lê {a}: procure aspas não fechadas."),
    ("SQLite cannot read the statement.", "O SQLite não lê o comando."),
    # tables and joins
    (
        "The gold joins {a}{where} instead of reading it in a subquery.",
        "A referência junta {a}{where} em vez de ler em uma subconsulta.",
    ),
    (
        "The gold reads {a} in a subquery{where} instead of joining it.",
        "A referência lê {a} em uma subconsulta{where} em vez de juntar.",
    ),
    ("Join on {a} instead of {b}{where}.", "Junte por {a} em vez de {b}{where}."),
    ("Join {a}{where}, which the gold reads too.", "Junte {a}{where}, que a referência também lê."),
    ("Leave out {a}{where}: the gold does not join it.", "Deixe fora {a}{where}: a referência não junta."),
    (
        "Read from tables, not from a subquery in FROM{where}, as the gold does.",
        "Leia de tabelas, não de uma subconsulta no FROM{where}, como a referência.",
    ),
    (
        "Read from a subquery in FROM{where}, as the gold does.",
        "Leia de uma subconsulta no FROM{where}, como a referência.",
    ),
    ("Read {a} instead of {b}{where}.", "Leia {a} em vez de {b}{where}."),
    (
        "Connect the join conditions with {a}, not {b}{where}.",
        "Ligue as condições de junção com {a}, não {b}{where}.",
    ),
    ("Add the join condition {a}{where}.", "Acrescente a condição de junção {a}{where}."),
    # filters
    ("Connect the conditions with {a}, not {b}{where}.", "Ligue as condições com {a}, não {b}{where}."),
    ("Add the condition {a}{where}.", "Acrescente a condição {a}{where}."),
    ("Drop the condition {a}{where}.", "Retire a condição {a}{where}."),
    ("Filter by {a} instead of {b}{where}.", "Filtre por {a} em vez de {b}{where}."),
    ("Compare {a} with {b}, not {c} (letter case){where}.",
     "Compare {a} com {b}, não {c} (maiúsculas e minúsculas){where}."),
    ("Compare {a} with {b}, not {c} (place of the % wildcard){where}.",
     "Compare {a} com {b}, não {c} (lugar do curinga %){where}."),
    ("Compare {a} with {b}, not {c} (text against number){where}.",
     "Compare {a} com {b}, não {c} (texto contra número){where}."),
    ("Compare {a} with {b}, not {c} (spelling){where}.", "Compare {a} com {b}, não {c} (grafia){where}."),
    ("Compare {a} with {b}, not {c}{where}.", "Compare {a} com {b}, não {c}{where}."),
    # DISTINCT, selection, grouping, order, limit
    ("Select DISTINCT rows{where}.", "Selecione linhas com DISTINCT{where}."),
    ("Do not drop repeated rows with DISTINCT{where}.", "Não elimine linhas repetidas com DISTINCT{where}."),
    ("Use DISTINCT inside {a}{where}.", "Use DISTINCT dentro de {a}{where}."),
    ("Do not use DISTINCT inside {a}{where}.", "Não use DISTINCT dentro de {a}{where}."),
    ("Select only {a} instead of {b}{where}.", "Selecione só {a} em vez de {b}{where}."),
    ("Select {a} instead of {b}{where}.", "Selecione {a} em vez de {b}{where}."),
    ("Select {a} too{where}.", "Selecione também {a}{where}."),
    ("Do not select {a}{where}.", "Não selecione {a}{where}."),
    ("Do not group by {a}{where}.", "Não agrupe por {a}{where}."),
    ("Group by {a} instead of {b}{where}.", "Agrupe por {a} em vez de {b}{where}."),
    ("Group by {a}{where}.", "Agrupe por {a}{where}."),
    ("Do not order by {a}{where}.", "Não ordene por {a}{where}."),
    ("Order by {a} instead of {b}{where}.", "Ordene por {a} em vez de {b}{where}."),
    ("Order by {a}{where}.", "Ordene por {a}{where}."),
    ("Use no LIMIT instead of {b}{where}.", "Não use LIMIT em vez de {b}{where}."),
    ("Use {a} instead of none{where}.", "Use {a} em vez de nenhum{where}."),
    ("Use {a} instead of {b}{where}.", "Use {a} em vez de {b}{where}."),
    # SQLite's own
    ("no such table: {a}", "não existe a tabela: {a}"),
    ("no such column: {a}", "não existe a coluna: {a}"),
    ("no such function: {a}", "não existe a função: {a}"),
    ("ambiguous column name: {a}", "nome de coluna ambíguo: {a}"),
    ("near {a}: syntax error", "perto de {a}: erro de sintaxe"),
    ("misuse of aggregate: {a}", "uso indevido de agregação: {a}"),
    ("misuse of aggregate function {a}", "uso indevido da função de agregação {a}"),
    ("incomplete input", "comando incompleto"),
    (
        "SELECTs to the left and right of {a} do not have the same number of result columns",
        "os SELECTs à esquerda e à direita de {a} não têm o mesmo número de colunas",
    ),
    (
        "{a} ORDER BY term does not match any column in the result set",
        "o termo {a} do ORDER BY não corresponde a nenhuma coluna do resultado",
    ),
    ("sub-select returns {a} columns - expected {b}", "a subconsulta devolve {a} colunas; o esperado é {b}"),
    ("wrong number of arguments to function {a}", "número errado de argumentos para a função {a}"),
    ("a GROUP BY clause is required before HAVING", "é preciso um GROUP BY antes do HAVING"),
    ("unrecognized token: {a}", "símbolo não reconhecido: {a}"),
)  # fmt: skip
_PLACES = (
    (" in the query after ", " na consulta depois de "),
    (" in the subquery of FROM", " na subconsulta do FROM"),
    (" in the subquery of ", " na subconsulta de "),
    (" in HAVING", " no HAVING"),
)
_WHERE = "(?:" + "|".join(re.escape(english) + ".*" for english, _ in _PLACES) + ")?"


def in_portuguese(explanation: str) -> str:
    """The sentence in Brazilian Portuguese; as it is where no template fits (a rare message of SQLite).

    >>> in_portuguese("Compare singer.name with 'Ann', not 'ann' (letter case) in the query after UNION.")
    "Compare singer.name com 'Ann', não 'ann' (maiúsculas e minúsculas) na consulta depois de UNION."
    """
    for pattern, portuguese in _patterns():
        found = pattern.fullmatch(explanation)
        if found:
            return portuguese.format(**{name: _part(name, text) for name, text in found.groupdict().items()})
    return explanation


def _part(name: str, text: str) -> str:
    """What stands in a field: places are sentences of ours, a message may be one, all else is SQL."""
    if name == "message":
        return in_portuguese(text)
    if name == "where":
        for english, portuguese in _PLACES:
            text = text.replace(english, portuguese)
        return text
    return text.replace("(a subquery)", "(uma subconsulta)")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(_expression(english), re.DOTALL), portuguese) for english, portuguese in TEMPLATES)


def _expression(template: str) -> str:
    parts = re.split(r"\{(\w+)\}", template)
    written = [re.escape(parts[0])]
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        written += [f"(?P<{name}>{_WHERE if name == 'where' else '.+?'})", re.escape(rest)]
    return "".join(written)
