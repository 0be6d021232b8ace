"""The plots."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "plot.pick": "a escolhida: perda maior que {budget} p.p. descartada",
    "plot.general": "variação da acurácia geral ({suite}), p.p.",
    "plot.gain": "ganho em {metric}, p.p.",
    "plot.scales": "{variant} em escala reduzida",
    "plot.checkpoints": "checkpoints de {variant}",
    "plot.forgetting": (
        "Ganho e esquecimento por passo, em {questions} questões de validação, nenhuma delas do teste; barras: "
        "intervalos de 95 % de cada observação isolada."
    ),
    "plot.subjects": "Variação por disciplina, {suite}",
    "plot.subjects-shown": "as {count} de {all} disciplinas que mais mudaram",
    # English words
    "the pick: the base model": "a escolhida: o modelo base",
    "interval, all variants together": "intervalo, todas as variantes juntas",
    "Pareto front": "fronteira de Pareto",
    "Training curves": "Curvas de treino",
    "Gain and forgetting by step": "Ganho e esquecimento por passo",
    "Kullback-Leibler divergence from the base model, nats per token": (
        "divergência de Kullback-Leibler em relação ao modelo base, nats por token"
    ),
    "bits per byte of general text, more than the base model": ("bits por byte de texto geral, acima do modelo base"),
    "no training was watched": "nenhum treino foi observado",
    "Ring: a loss was shown, and the training ended there.": (
        "Círculo: uma perda foi demonstrada, e o treino terminou ali."
    ),
    "loss": "perda",
    "learning rate": "taxa de aprendizado",
    "gradient norm": "norma do gradiente",
    "step": "passo",
    "change in accuracy, points": "variação da acurácia, p.p.",
    "no training was logged": "nenhum treino foi registrado",
    "no subjects to compare": "não há disciplinas para comparar",
}
