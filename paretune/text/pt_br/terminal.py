"""What commands print: `list`, `score`, `choice`, `perplexity`, `power`, and the lines under a comparison."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "list.prepared": "preparado: {parts}",
    "list.complete": "{complete} de {count} variantes completas",
    "list.unchecked": "linhas contadas, não conferidas com as configurações: {reason}",
    "terminal.audit": (
        "Auditoria: {invalid} inválidos, {warnings} avisos, {notes} notas; `paretune audit {folder}` diz o que fazer."
    ),
    "terminal.findings": "{invalid} inválidos · {warnings} avisos · {notes} notas",
    "terminal.page": "página: {path}",
    "terminal.no-page": "página: ainda não escrita; `paretune report {folder}` a escreve",
    "power.clusters": "{clusters} grupos, valem por {effective:.1} de mesmo tamanho",
    "power.family": "receitas planejadas e julgadas em conjunto, cada uma com sua parte do nível: {recipes}",
    "power.rules-out": (
        "{questions} questões descartam uma perda maior que {points:.2} p.p., quando se perdem {loss:.2}, com "
        "probabilidade {reached:.2}"
    ),
    "power.needed-to-rule-out": (
        "questões necessárias para descartar uma perda maior que {points:.2} p.p., quando se perdem {loss:.2}, com "
        "probabilidade {power:.2}: {questions}"
    ),
    "power.detectable": "{questions} questões mostram uma diferença de {points:.2} p.p.",
    "power.needed": "questões necessárias para mostrar {points:.2} p.p. com probabilidade {power:.2}: {questions}",
    "power.minutes": "minutos para {variants} variantes a {seconds:.3} s por questão ({axis}): {minutes:.1}",
    # English words
    "outdated": "desatualizado",
    "training": "treino",
    "no experiment file was named": "nenhum arquivo de experimento foi informado",
    "not judged": "não julgado",
    "last change": "última alteração",
    "Audit: nothing found that would invalidate these figures.": (
        "Auditoria: nada encontrado que invalide estes números."
    ),
    "Questions are taken as independent; --clusters and --intraclass say how far they are not.": (
        "As questões são tomadas como independentes; --clusters e --intraclass dizem quanto não são."
    ),
    "cluster: none runs here; all of this machine is used": (
        "cluster: nenhum em execução nesta máquina; a máquina inteira é usada"
    ),
    "done": "pronto",
    "missing": "falta",
    "over databases": "sobre bancos",
    "what to do": "o que fazer",
    "published": "publicado",
    "reproduced": "reproduzido",
    "by the official rule": "pela regra oficial",
    "confidence intervals": "intervalos de confiança",
    "predictions": "predições",
    "split": "partição",
    "databases": "bancos de dados",
    "references": "referências",
    "tables": "tabelas",
    "as given": "como informado",
    "by letter": "por letra",
    "by text of the answer, a byte": "pelo texto da resposta, por byte",
    "by text of the answer, raw": "pelo texto da resposta, sem normalizar",
    "by writing": "por escrito",
    "micro (all questions)": "micro (todas as questões)",
    "macro (mean of subjects)": "macro (média das disciplinas)",
    "chance level": "nível do acaso",
    "questions whose letters hold under half of the probability": (
        "questões em que as letras somam menos da metade da probabilidade"
    ),
    "written answers without a letter": "respostas escritas sem letra",
    "failed": "falha da ferramenta",
    "format and knowledge": "formato e conhecimento",
    "kept": "mantida",
    "lost format": "formato perdido",
    "lost knowledge": "conhecimento perdido",
    "written only": "só por escrito",
    "moved from the baseline": "mudança em relação ao modelo base",
    "clustered by subject": "agrupados por disciplina",
    "questions as independent: few subjects": "questões como independentes: poucas disciplinas",
    "bits per byte": "bits por byte",
    "perplexity per token": "perplexidade por token",
    "tokens": "tokens",
    "bytes": "bytes",
    "window": "janela",
    "clustered by window": "agrupados por janela",
}
