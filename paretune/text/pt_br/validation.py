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
        "capacidade geral; {dropped} treinamentos não deram em nada ou foram interrompidos. A tabela mostra a "
        "fronteira. Os intervalos valem para os {looks} em conjunto."
    ),
    "search.pick": "A escolha do teste, para executar de novo: {path}",
    "search.no-pick": "O teste escolhe o modelo base: nenhuma receita é afirmada. O que foi julgado: {path}",
    "search.gain": "ganho no alvo, p.p. (validação)",
    "search.loss": "perda na pior suíte, p.p. (validação)",
    "dial.title": (
        "O regulador de {variant}, por {questions} questões de validação da tarefa-alvo e de capacidade geral "
        "({choices}); nenhuma delas é do teste"
    ),
    "dial.intervals": "Os intervalos das variações contra o modelo base valem para os {planned} pontos juntos.",
    "dial.pick": "Escolha: {variant}.",
    "dial.none": "Escolha: o modelo base.",
    "dial.run": "Seus valores no teste: {command}",
    "dial.add": "Seus valores no teste: acrescente estas linhas ao experimento e depois {command}",
    # English words
    "scale": "escala",
    "yes": "sim",
}
