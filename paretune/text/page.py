"""What the page says, in English and in Brazilian Portuguese.

The English sentence is its own key, as in language.py, which takes this dictionary in.
"""

from __future__ import annotations

from paretune.text.explorer import SCRIPT

PAGE_PORTUGUESE: dict[str, str] = {
    **SCRIPT,
    "Only the base model has been evaluated: {accuracy} % of {benchmark} is right.": (
        "Só o modelo base foi avaliado: acerta {accuracy} % de {benchmark}."
    ),
    "Its general ability is {accuracy} % on {suite}; there is nothing to compare yet.": (
        "Sua capacidade geral é de {accuracy} % em {suite}; ainda não há o que comparar."
    ),
    "{variant} gains {gain} points on {benchmark} over the base model.": (
        "{variant} ganha {gain} pontos em {benchmark} sobre o modelo base."
    ),
    "A gain of {variant} on {benchmark} is not shown: the change is {gain} points.": (
        "Um ganho de {variant} em {benchmark} não está demonstrado: a variação é de {gain} pontos."
    ),
    "Its general ability ({suite}) changes by {change} points: a loss below {margin} points is shown.": (
        "Sua capacidade geral ({suite}) varia {change} pontos: está demonstrada uma perda abaixo de {margin} p.p."
    ),
    "That interval leaves out 0, but over all questions p is {p} after adjustment for {count} comparisons, so the gain"
    " does not count as shown.": (
        "Esse intervalo não contém 0, mas sobre todas as questões p é {p} após o ajuste para {count} comparações; o "
        "ganho não conta como demonstrado."
    ),
    "It pays with general ability: {suite} changes by {change} points, more than the {margin} allowed.": (
        "Paga com capacidade geral: {suite} varia {change} pontos, mais que os {margin} permitidos."
    ),
    "That it loses less than {margin} points of general ability is not shown: {suite} changes by {change} points.": (
        "Não está demonstrado que perca menos de {margin} p.p. de capacidade geral: {suite} varia {change} pontos."
    ),
    "Chosen among {count} variants for the greatest gain at a loss of at most {budget} points on one half of the "
    "questions ({validation}); the figures above are those of the other half ({test}), with 95 % intervals; "
    "plots and tables show all.": (
        "Escolhida entre {count} variantes pelo maior ganho com perda de até {budget} p.p. em uma metade das questões "
        "({validation}); os valores acima são os da outra metade ({test}), com intervalos de 95 %; "
        "gráficos e tabelas mostram todas."
    ),
    "All {questions} and {general} questions; {count} comparisons were adjusted together (Holm), "
    "95 % intervals in brackets.": (
        "Todas as {questions} e {general} questões; {count} comparações ajustadas em conjunto (Holm), intervalos de "
        "95 % entre colchetes."
    ),
    "{benchmark}: the interval leaves out 0, but adjusted for {count} comparisons p is {p}.": (
        "{benchmark}: o intervalo não contém 0, mas ajustado para {count} comparações p é {p}."
    ),
    "{variant} is the best of {count} on these very questions, which flatters it.": (
        "{variant} é a melhor de {count} nestas mesmas questões, o que a favorece."
    ),
    "On the half of the questions kept for choosing, no variant gained and lost at most {budget} points, "
    "so the base model is the choice.": (
        "Na metade das questões reservada para a escolha, nenhuma variante ganhou perdendo até {budget} p.p.; a "
        "escolha é o modelo base."
    ),
    "{variant} gains {change} points on {benchmark}, from {before} % to {after} % right.": (
        "{variant} ganha {change} pontos em {benchmark}, de {before} % para {after} % de acertos."
    ),
    "{variant} loses on its own task: {benchmark} changes by {change} points, to {after} % right.": (
        "{variant} perde na própria tarefa: {benchmark} varia {change} pontos, para {after} % de acertos."
    ),
    "A gain of {variant} on {benchmark} is not shown: the change is {change} points, and these {questions} "
    "questions show differences from {detectable} points on.": (
        "Um ganho de {variant} em {benchmark} não está demonstrado: a variação é de {change} pontos, e estas "
        "{questions} questões mostram diferenças a partir de {detectable} pontos."
    ),
    "It pays with general ability: {suite} changes by {change} points.": (
        "Paga com capacidade geral: {suite} varia {change} pontos."
    ),
    "That it loses less than {margin} points of general ability is not shown: {suite} changes by {change} "
    "points, and differences from {detectable} points on would show.": (
        "Não está demonstrado que perca menos de {margin} p.p. de capacidade geral: {suite} varia {change} pontos, e "
        "só diferenças a partir de {detectable} pontos apareceriam."
    ),
    "{variant}: gain {gain}, change in general ability {change}": (
        "{variant}: ganho {gain}, variação da capacidade geral {change}"
    ),
    "unknown model": "modelo desconhecido",
    "{benchmark}: {questions} questions in {databases} databases, {rules}": (
        "{benchmark}: {questions} questões em {databases} bancos de dados, {rules}"
    ),
    "official rules": "regras oficiais",
    "multiset rules": "regras de multiconjunto",
    "strict rules": "regras estritas",
    "tp4 rules": "regras de 2025",
    "{suite}: {questions} questions by {method}": "{suite}: {questions} questões por {method}",
    "margin {margin} points": "margem de {margin} p.p.",
    "Training and costs": "Treino e custos",
    "A variant's name leads to the lines that its figures were computed from, a figure to its questions in the "
    "explorer below.": (
        "O nome de uma variante leva às linhas das quais seus valores foram calculados; um valor, às suas questões no "
        "explorador abaixo."
    ),
    "Figures": "Resultados",
    "deviation between seeds": "desvio entre sementes",
    "variants of one recipe": "variantes de uma receita",
    "The intervals hold both the questions and the seeds.": "Os intervalos abrangem as questões e as sementes.",
    "The same recipe with other seeds, in points": "A mesma receita com outras sementes, em pontos",
    "Points of general ability lost where a curve reaches a gain of {gain} points": (
        "Pontos de capacidade geral perdidos onde uma curva chega a um ganho de {gain} pontos"
    ),
    "curve": "curva",
    "points lost": "pontos perdidos",
    "A figure leads to the very questions that it counts, in the explorer below.": (
        "Um número leva às próprias questões que ele conta, no explorador abaixo."
    ),
    "What was learned and what was forgotten": "O que foi aprendido e o que foi esquecido",
    "benchmark": "avaliação",
    "detectable, points": "detectável, pontos",
    "p (McNemar)": "p (McNemar)",
    "p (permutation)": "p (permutação)",
    "McNemar's exact p takes questions as independent; p (Holm) respects databases and subjects.": (
        "O p exato de McNemar toma as questões como independentes; p (Holm) respeita bancos e disciplinas."
    ),
    "Questions that changed sides against the baseline": "Questões que mudaram de lado em relação à base",
    "base model, %": "modelo base, %",
    "variant, %": "variante, %",
    "Holm over all subjects and variants; intervals take the questions of a subject as independent.": (
        "Holm sobre todas as disciplinas e variantes; os intervalos tomam as questões de cada uma como independentes."
    ),
    "{variant}: every subject, the greatest loss first": "{variant}: todas as disciplinas, a maior perda primeiro",
    "Why SQL was wrong: questions, and their share in percent": (
        "Por que o SQL estava errado: questões e sua parcela em %"
    ),
    "What became of the answers, in questions": "O que foi das respostas, em questões",
    "Why SQL is wrong": "Por que o SQL erra",
    "training, s": "treino, s",
    "answering, s": "respostas, s",
    "scoring, s": "pontuação, s",
    "multiple choice, s": "múltipla escolha, s",
    "steps": "passos",
    "training rows": "linhas de treino",
    "training tokens": "tokens de treino",
    "prompt tokens": "tokens de prompt",
    "tokens answered": "tokens respondidos",
    "cut answers": "respostas cortadas",
    "Cut answers hit the token limit before they ended.": "Respostas cortadas bateram no limite de tokens.",
    "Training rows left out as too long: {counts}.": "Linhas de treino deixadas de fora por longas: {counts}.",
    "Training steps skipped as not finite: {counts}.": "Passos de treino saltados por não serem finitos: {counts}.",
    "Within a subject, variants stand in the order of the names under the plot.": (
        "Em cada disciplina, as variantes estão na ordem dos nomes sob o gráfico."
    ),
    "What it cost": "Quanto custou",
    "confidence": "confiança",
    "margin, points": "margem, p.p.",
    "bootstrap replicates": "réplicas de bootstrap",
    "seed of the statistics": "semente da estatística",
    "Model": "Modelo",
    "Statistics": "Estatística",
    "Versions": "Versões",
    "Hardware": "Máquina",
    "name": "nome",
    "weights": "pesos",
    "precision": "precisão",
    "quantization": "quantização",
    "device": "dispositivo",
    "parameters": "parâmetros",
    "cores": "núcleos",
    "threads": "linhas de execução",
    "processor": "processador",
    "gpu": "GPU",
    "memory": "memória",
    "Data (SHA-256)": "Dados (SHA-256)",
    "Configuration": "Configuração",
    "The same configuration, weights, data and versions give the same lines.": (
        "A mesma configuração e os mesmos pesos, dados e versões dão as mesmas linhas."
    ),
    "How to make it again": "Como reproduzir",
    "A fingerprint covers everything that decides an answer: weights, adapter, prompt, decoding, data.": (
        "Uma impressão digital abrange tudo o que decide uma resposta: pesos, adaptador, prompt, decodificação, dados."
    ),
    "Fingerprints": "Impressões digitais",
    "Verdict": "Veredito",
    "Reasons not to believe it": "Razões para não acreditar",
    "The audit found nothing.": "A auditoria não encontrou nada.",
    "No finding makes these figures unusable.": "Nada torna estes valores inutilizáveis.",
    "Do not quote these figures: a finding of the audit makes them invalid.": (
        "Não cite estes valores: um achado da auditoria os invalida."
    ),
    "computed from": "calculado de",
    "(and {count} alike)": "(e mais {count} assim)",
    "{count} notes": "{count} notas",
    "1 note": "1 nota",
    "Explorer": "Explorador",
    "Contents": "Conteúdo",
    "Language": "Idioma",
    "note": "nota",
    "warning": "aviso",
    "invalid": "inválido",
}
