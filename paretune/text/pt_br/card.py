"""The model card."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "card.what": ("Um adaptador de {base}, treinado para {benchmark}; mediu-se o que ele ganha e o que esquece."),
    "card.variant": (
        "{variant} varia {change:+} p.p. em {benchmark}, de {before:.1} % para {after:.1} % de acertos: {finding}."
    ),
    "card.recipe": (
        "{variant} é uma de {seeds} sementes da receita {recipe}, que varia {change:+} p.p. em {benchmark}, de "
        "{before:.1} % para {after:.1} % de acertos: {finding}."
    ),
    "card.shots": ", {shots} exemplos resolvidos",
    "card.terms": (
        "Uma perda de até {margin} p.p. não importaria, a escolhida pode perder {budget} p.p.; os intervalos das "
        "variações valem para todas as {planned} variantes juntas ({level:g} %)."
    ),
    "card.precision": "Precisão {precision}, decodificação gulosa.",
    "card.versions": "Versões: {versions}. Semente do sorteio de questões: {seed}.",
    "card.training": (
        "{rows} linhas de treino, {steps} passos, {epochs} épocas, taxa de aprendizado máxima {rate}, semente {seed}."
    ),
    "card.method": "Método: {method} ({settings}).",
    "card.checkpoint": "O adaptador é o de depois do passo {step} de {source}.",
    "card.repair": "O adaptador foi alterado após o treino, sem dados: {repair} ({settings}), a partir de {source}.",
    "card.prompts": (
        "Pergunte na forma em que ele foi treinado: `prepared/` da pasta da execução contém cada prompt ao pé da letra."
    ),
    "card.scale": (
        "Estes números são do adaptador a {scale} de sua força; `paretune export EXPERIMENTO PASTA --variant "
        "{variant}` escreve um que já a contém."
    ),
    # English words
    "Gain and loss": "Ganho e perda",
    "How it was measured": "Como foi medido",
    "How it was trained": "Como foi treinado",
    "How to use it": "Como usar",
    "Limits": "Limites",
    "Accuracy before and after": "Acurácia antes e depois",
    "this model, %": "este modelo, %",
    "change, points": "variação, p.p.",
    "The adapter was trained elsewhere; how is not known to the measurement.": (
        "O adaptador foi treinado em outro lugar; a medição não sabe como."
    ),
    "Public benchmarks may be in the base model's pre-training data; only the change is about this adapter.": (
        "Avaliações públicas podem estar nos dados de pré-treino do modelo base; só a variação é deste adaptador."
    ),
    "Accuracies: 95 % intervals in brackets.": "Acurácias: intervalos de 95 % entre colchetes.",
    "Accuracies: 95 % intervals in brackets; changes of parts likewise, each alone and exploratory.": (
        "Acurácias: intervalos de 95 % entre colchetes; variações de partes também, cada uma isolada e exploratória."
    ),
    "Finding: whether that interval leaves out 0; p (family) counts all variants planned.": (
        "Conclusão: se esse intervalo exclui 0; p (família) conta todas as variantes planejadas."
    ),
    "Detectable: the smallest true difference that such data would show in this way 80 % of the time.": (
        "Detectável: a menor diferença verdadeira que dados assim mostrariam deste modo em 80 % das vezes."
    ),
    "Variants that differ in nothing but the seed are one recipe: it is what is claimed.": (
        "Variantes que só diferem na semente são uma receita: é sobre ela que se afirma."
    ),
}
