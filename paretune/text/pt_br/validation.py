"""What validation questions say: the dial and the search."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "search.title": "O que a busca examinou, em questões de validação",
    "search.state": "estado",
    "search.worst": "variação da pior suíte",
    "search.front": "fronteira",
    "search.candidate": "julgado no teste",
    "search.looks": (
        "{looks} estados de {trainings} treinamentos foram examinados, em {questions} questões do alvo e {general} de "
        "capacidade geral; treinamentos que não deram em nada ou foram interrompidos: {dropped}. A tabela mostra a "
        "fronteira. Os intervalos valem para os {looks} em conjunto."
    ),
    "search.pick": "A escolha do teste, para executar de novo: {path}",
    "search.no-pick": "O teste escolhe o modelo base: nenhuma receita é afirmada. O que foi julgado: {path}",
    "search.gain": "ganho no alvo, p.p. (validação)",
    "search.change": "variação da pior suíte, p.p. (validação)",
    "search.all": "Tudo o que a busca examinou",
    "search.look": "um estado examinado",
    "search.interval": "intervalo da fronteira, para todos em conjunto",
    "search.section": "O que a busca examinou",
    "search.claim": (
        "A fronteira foi escolhida por seus valores, que por isso são otimistas; nada se afirma a partir deles. O que "
        "se afirma está acima, pelas questões do teste, que a busca nunca usou."
    ),
    "search.again": "A escolha do teste, para executar de novo (TOML)",
    "dial.title": (
        "O regulador de {variant}, por {questions} questões de validação da tarefa-alvo e de capacidade geral "
        "({choices}); nenhuma delas é do teste"
    ),
    "dial.intervals": "Os intervalos das variações contra o modelo base valem para os {planned} pontos juntos.",
    "dial.pick": "Escolha: {variant}.",
    "dial.none": "Escolha: o modelo base.",
    "dial.page": "Na página da execução, com a curva: {command}",
    "dial.section": "Escalas e checkpoints em questões de validação",
    "dial.introduction": (
        "Um adaptador com outras intensidades e em outros passos, examinado antes do teste. Os intervalos são dos "
        "pontos medidos; uma curva entre eles não é medição."
    ),
    "dial.plot": "O regulador de {variant}: variação em relação ao modelo base, em p.p.",
    "dial.measured": "medido",
    "dial.interpolated": "interpolado, não medido",
    "dial.step": "após {step} passos",
    "dial.finished": "adaptador final",
    "dial.ring": "a escolha",
    "dial.run": "Seus valores no teste: {command}",
    "dial.add": "Seus valores no teste: acrescente estas linhas ao experimento e depois {command}",
    # English words
    "scale": "escala",
    "yes": "sim",
}
