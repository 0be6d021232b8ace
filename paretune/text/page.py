"""What the page says, in English and in Brazilian Portuguese.

The English sentence is its own key, as in language.py, which takes this dictionary in.
"""

from __future__ import annotations

from paretune.text.explorer import SCRIPT

PAGE_PORTUGUESE: dict[str, str] = {
    **SCRIPT,
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
