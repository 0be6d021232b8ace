"""The first screen of the page."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "first.use": (
        "Use {variant}: {gain:+} p.p. de {accuracy}, e uma perda maior que {budget} p.p. de acurácia geral está "
        "descartada."
    ),
    "first.accuracy": "{metric}",
    "first.sql-accuracy": "acurácia de SQL",
    "first.recipe": "{variant} (receita, {count} sementes)",
    "first.points": "{budget} p.p.",
    "first.explored": (
        "Com {budget} p.p. permitidos, valor diferente do declarado no experimento. "
        "`paretune compare --budget {budget}` diz o mesmo."
    ),
    "first.gain-line": "{change:+} p.p.: {finding}",
    "first.no-change": "{change:+} p.p.: nem ganho nem perda demonstrados",
    "first.loss-line": "{change:+} p.p. {loss}",
    "first.other-suite": "{suite}: {levels}, {change:+} p.p.",
    "first.interval": "intervalo de 95 %: de {low} a {high} %",
    "first.suite": "Acurácia geral · {suite}, {questions} questões",
    "first.worst-suite": "Acurácia geral · {suite}, a pior de {suites} suítes, {questions} questões",
    "first.target": "{accuracy} · {benchmark}, {questions} questões em {count} {clusters}",
    "first.of-largest-gain": "{variant}, que mais ganha · {label}",
    "first.of-largest-change": "{variant}, a melhor delas · {label}",
    "first.of-smallest-loss": "{variant}, que menos perde · {label}",
    "first.seeds": "{count} sementes",
    "first.audit": "{invalid} problemas impeditivos, {warnings} avisos, {notes} notas",
    "first.these": "Os números valem só para estes grupos de questões.",
    "first.scale": "{variant} na escala {scale}",
    "first.checkpoint": "passo {step} de {variant}",
    "first.repair": "{variant} reparado: {repair}",
    "first.gain-not-shown": "O ganho não está demonstrado: {gained:+} p.p.",
    "first.target-loss": "Perde na própria tarefa-alvo: {gained:+} p.p.",
    "first.loss-shown": (
        "Ganha {gain:+} p.p., mas uma perda maior que {budget} p.p. está demonstrada em {suite}: {change:+}."
    ),
    "first.loss-open": (
        "Ganha {gain:+} p.p., mas seu intervalo em {suite} chega a {low:+}: não se pode descartar uma perda maior que "
        "{budget} p.p."
    ),
    "first.not-measurable": "Ganha {gain:+} p.p., mas {suite} não pode mostrar se perde mais de {budget} p.p.",
    "first.smaller-gain": "Ganha menos: {gained:+} p.p.",
    "first.allow": "Permitir {budget} p.p.",
    "first.gained": "{count} questões que passou a acertar",
    "first.lost": "{count} questões que deixou de acertar",
    "first.beyond": "perde mais que o permitido ({budget} p.p.)",
    "first.base": "{what} {accuracy:.1} %",
    "first.x": "p.p. de {accuracy} ganhos",
    "first.y": "p.p. de acurácia geral ganhos ou perdidos ({suite})",
    "first.point": "{variant}: ganho {gain:+}; {suite} {change:+}",
    "first.why-not": "Por que não {variant}?",
    "first.what-changed": "O que {variant} mudou:",
    "first.more-reasons": "As demais ({count} variantes)",
    # English words
    "Gain and loss against the baseline": "Ganho e perda em relação ao modelo base",
    "Usable": "Utilizável",
    "Usable with care": "Utilizável com cautela",
    "Do not quote": "Não cite",
    "How far to trust it": "Até onde confiar",
    "general change": "variação geral",
    "base model": "modelo base",
    "Loss of general accuracy allowed": "Perda de acurácia geral permitida",
    "as stated": "como declarado",
    "Variants": "Variantes",
    "Whiskers: intervals that hold for all variants together. Dashed: the loss allowed.": (
        "Barras: intervalos que valem para todas as variantes juntas. Tracejado: a perda permitida."
    ),
    "better": "melhor",
}
