"""Titles, columns and notes of the tables."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "table.change": (
        "Variação: em relação ao modelo base, em p.p., pareada por questão, agrupada por banco de dados; os "
        "{databases} bancos valem por {effective:.1} de mesmo tamanho."
    ),
    "table.summary": "Ganho e perda em uma tabela: {benchmark}, {questions} questões, e acurácia geral; em porcentagem",
    "table.target": "{Metric} em %: {benchmark}, {questions} questões em {count} {clusters}",
    "table.levels": "{Metric} em % por {level}",
    "table.target-change": (
        "Variação: em relação ao modelo base, em p.p., pareada por questão, agrupada por {cluster}; {count} "
        "{clusters} valem por {effective:.1} de mesmo tamanho."
    ),
    "table.these-clusters": "{clusters}: há poucos para representar outros; os números valem só para estes.",
    "table.target-split": (
        "De {count} variantes, a de maior ganho em uma metade ({clusters}) ganha {choosing:.1} p.p. ali e {judging:.1} "
        "na outra (média de {splits} divisões): é o que a escolha acrescenta."
    ),
    "table.void": "{count} questões cuja referência falha não entram em nenhuma acurácia.",
    "table.p-values": (
        "O p exato de McNemar toma as questões como independentes; p (família) e p (Holm) respeitam {clusters} e "
        "disciplinas."
    ),
    "table.target-hypervolume": (
        "Hipervolume: {area:.0} pontos quadrados, dominados acima de 0 % na tarefa-alvo e {chance:.1} % de acurácia "
        "geral; compare-o só entre experimentos com o mesmo número de variantes nas mesmas questões."
    ),
    "table.reasons": "Motivos: questões e % de todas",
    "table.execution": "Acurácia de execução em %: {benchmark}, {questions} questões em {databases} bancos de dados",
    "table.general": "Acurácia geral em %: {suite} por {method}, {questions} questões",
    "table.served": (
        "Igual: todo o intervalo da mudança fica dentro da margem de {margin} p.p.. Diferente: ele exclui 0. Vale "
        "para todas as variantes servidas de um benchmark em conjunto."
    ),
    "table.samples": (
        "Uma de k: ao menos uma de k respostas sorteadas está certa, o que só ajuda onde a resposta certa é conhecida; "
        "estimado sem viés a partir de todas as sorteadas. Voto: a resposta cujo resultado a maioria delas tem."
    ),
    "table.logged": "Acurácia em %: {suite}, {questions} questões",
    "table.chance": ", acaso {chance:.1} %",
    "table.in-writing": (
        "Perguntado por escrito em vez do método {method}: o servidor não devolve log-probabilidades das alternativas."
    ),
    "table.hypervolume": (
        "Hipervolume: {area:.0} pontos quadrados, dominados acima de 0 % de acurácia de execução e {chance:.1} % de "
        "acurácia geral; compare só entre experimentos com o mesmo número de variantes e as mesmas questões."
    ),
    "table.stopped": (
        "{variant}: o treino foi interrompido após {step} passos, onde o monitor demonstrou uma perda (stop_when_loss)."
    ),
    "table.chosen": "{variant}: o checkpoint após {step} passos, escolhido pelas questões de validação.",
    "table.matched": "Acurácia geral perdida, em p.p., onde uma curva chega a um ganho de {gain:.1} p.p.",
    "table.left-out": "Linhas de treino deixadas de fora por longas: {counts}.",
    "table.skipped": "Passos de treino pulados por não serem finitos: {counts}.",
    "section.reasons": "Por que as respostas estão erradas",
    "served:alike": "igual",
    "served:different": "diferente",
    "served:not shown": "não demonstrado",
    "sample:mean": "uma sorteada",
    "sample:pass": "uma de {k} (pass@{k})",
    "sample:oracle": "uma de todas as {k} (oráculo)",
    "sample:vote": "voto de {k}",
    # English words
    "p (family)": "p (família)",
    "the gain is not shown": "o ganho não está demonstrado",
    "questions": "questões",
    "target": "tarefa-alvo",
    "general": "geral",
    "change": "variação",
    "all questions": "todas as questões",
    "Trade-off against the baseline, in points": "Ganhos e perdas em relação ao modelo base, em p.p.",
    "gain": "ganho",
    "change in general accuracy": "variação da acurácia geral",
    "ability kept, %": "capacidade mantida, %",
    "points lost per point gained": "p.p. perdidos por p.p. ganho",
    "probability on the front": "probabilidade na fronteira",
    "Front: no other variant is as good on both axes and better on one.": (
        "Fronteira: nenhuma outra variante é tão boa nos dois eixos e melhor em um deles."
    ),
    "detectable": "detectável",
    "finding": "conclusão",
    "gain shown": "ganho demonstrado",
    "loss shown": "perda demonstrada",
    "not shown": "não demonstrado",
    "95 % intervals in brackets.": "Intervalos de 95 % entre colchetes.",
    "Few subjects: questions count as independent, and the figures hold for these subjects.": (
        "Poucas disciplinas: as questões contam como independentes, e os números valem para estas disciplinas."
    ),
    "One seed: a difference holds for this adapter; the recipe may vary more.": (
        "Uma só semente: a diferença vale para este adaptador; a receita pode variar mais."
    ),
    "Two seeds: the variance between seeds is hardly known.": (
        "Duas sementes: a variância entre sementes é quase desconhecida."
    ),
    "the base model cannot be told from chance": "o modelo base não se distingue do acaso",
    "too few replicates of the curve reach this gain": "poucas réplicas da curva atingem este ganho",
    "one seed: the difference holds for this adapter, the recipe may vary more": (
        "uma só semente: a diferença vale para este adaptador, a receita pode variar mais"
    ),
    "two seeds: the variance between seeds is hardly known": (
        "duas sementes: a variância entre sementes é quase desconhecida"
    ),
    "tokens per question": "tokens por questão",
    "Does the server answer as what it stands for?": "O servidor responde como aquilo que representa?",
    "stands for": "representa",
    "questions gained": "questões ganhas",
    "questions lost": "questões perdidas",
    "alike?": "igual?",
    "same answers, %": "respostas iguais, %",
    "Several answers per question, in percent": "Várias respostas por questão, em porcentagem",
}
