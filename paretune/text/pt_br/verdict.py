"""What to do with the variants, and why one is or is not picked."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "verdict.baseline": "Só o modelo base foi avaliado: ele acerta {accuracy} % das questões de {benchmark}.",
    "verdict.baseline-general": "Acurácia geral: {accuracy} % em {suite}. Ainda não há o que comparar.",
    "verdict.pick": "Use {variant}: {change:+} p.p. em {benchmark}, de {before:.1} % para {after:.1} % de acertos.",
    "verdict.base-no-gain": "Fique com o modelo base: nenhuma variante tem ganho demonstrado.",
    "verdict.base-all-worse": "Fique com o modelo base: toda variante acerta menos questões da tarefa-alvo.",
    "verdict.base-all-lose": (
        "Fique com o modelo base: toda variante que ganha perde mais de {budget} p.p. de acurácia geral."
    ),
    "verdict.base-no-evidence": (
        "Fique com o modelo base: há variantes que ganham, mas para nenhuma está descartada uma perda maior que "
        "{budget} p.p. de acurácia geral."
    ),
    "verdict.largest-gain": (
        "O maior ganho é o de {variant}: {change:+} p.p., de {before:.1} % para {after:.1} % de acertos."
    ),
    "verdict.largest-change": "A maior variação é a de {variant}: {change:+} p.p. em {benchmark}.",
    "verdict.detectable": "Um ganho verdadeiro de {detectable:.1} p.p. seria demonstrado quatro vezes em cinco.",
    "verdict.nothing-detectable": "Com tão poucos dados, nenhuma diferença é detectada com segurança.",
    "verdict.general": "Acurácia geral ({suite}): {change:+} p.p.",
    "verdict.general-worst": "Acurácia geral ({suite}, a pior de {suites} suítes): {change:+} p.p.",
    "verdict.ruled-out": "Uma perda maior que {margin} p.p. está descartada.",
    "verdict.not-ruled-out": "Não se pode descartar uma perda maior que {margin} p.p.",
    "verdict.loss-shown": "Uma perda maior que {margin} p.p. está demonstrada.",
    "verdict.near-chance": (
        "Ali não se pode medir uma perda maior que {margin} p.p.: o modelo base está só {losable:.1} p.p. acima "
        "do acaso, com o intervalo a menos de {clear} p.p. dele ({times} margens)."
    ),
    "verdict.near-ceiling": (
        "Ali não se pode medir uma perda maior que {margin} p.p.: o intervalo do modelo base chega a menos de {clear} "
        "p.p. de 100 % ({times} margens), onde as questões são fáceis demais para mostrar o que se esquece."
    ),
    "verdict.suite": "{variant} em relação a {base}: {change:+} p.p. em {suite} ({shown}).",
    "verdict.suites": (
        "{variant} em relação a {base} em {suites} suítes: ganho demonstrado em {gained}; perda demonstrada em {lost}."
    ),
    "verdict.worst-suite": "A pior de {suites} suítes é {suite}: {change:+} p.p.",
    "verdict.not-picked": "Não escolhidas: {reasons}.",
    "verdict.split": (
        "De {count} variantes, a de maior ganho em metade dos bancos ganha {choosing:.1} p.p. ali e {judging:.1} "
        "na outra "
        "metade (média de {splits} divisões): é o que a escolha acrescenta."
    ),
    "verdict.worst-subject": (
        "A pior de {subjects} disciplinas de {suite} em {variant}: {subject}, {change:+} p.p. Os intervalos de todas "
        "as disciplinas e variantes valem juntos: em cada uma está descartada uma perda maior que {bound:.1} p.p."
    ),
    "verdict.missing-seeds": "Sementes planejadas sem respostas: {names}.",
    "decision:pick": "escolhida",
    "decision:gain not shown": "ganho não demonstrado",
    "decision:loss on the target": "perda na tarefa-alvo",
    "decision:loss shown": "perda demonstrada",
    "decision:loss cannot be ruled out": "perda não descartada",
    "decision:loss not measurable": "perda não mensurável",
    "decision:smaller gain": "ganho menor",
    # English words
    "no suite": "nenhuma suíte",
    "worst suite": "pior suíte",
    "decision": "decisão",
    "Trained once (one seed): this is a result about this adapter. Training it again may give another.": (
        "Treinada uma vez (uma semente): o resultado é deste adaptador. Treinar de novo pode dar outro."
    ),
    "Verdict": "Veredito",
}
