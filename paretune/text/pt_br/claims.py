"""What is claimed, for which family of comparisons, and what was changed afterwards."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "claims.loss-beyond": "perda > {margin} p.p.",
    "claims.pick": (
        "Escolhida: o maior ganho demonstrado com perda maior que {budget} p.p. descartada em toda suíte primária."
    ),
    "claims.alone": "Variações: intervalos de {level:g} % entre colchetes.",
    "claims.family": (
        "Variações: intervalos entre colchetes que valem para todas as {count} variantes juntas ({level:g} %; "
        "{method})."
    ),
    "claims.family-suites": (
        "Variações: intervalos entre colchetes que valem para todas as {count} comparações juntas ({level:g} %; "
        "{method})."
    ),
    "claims.suites": "O que se afirma, em p.p. em relação a {base}",
    "claims.no-clusters": (
        "As questões contam como independentes; se compartilham um documento ou banco, --cluster CAMPO o indica."
    ),
    "claims.chance-unknown": (
        "{suite}: a acurácia de um palpite cego não é conhecida e é tomada como 0; pode-se descartar uma perda onde "
        "havia pouco a perder."
    ),
    "claims.holm-differs": "{variant}: p é {family:p} por {method}, que decide, e {holm:p} por Holm.",
    "claims.changed": "Alterado depois: {what} {before} → {after}.",
    "claims.variants-added": "Alterado depois: variantes acrescentadas: {after}.",
    "claims.variants-removed": "Alterado depois: variantes retiradas: {before}; elas ainda contam na família.",
    "claims.variants-missing": "Planejadas mas sem respostas completas: {before}; elas ainda contam na família.",
    "claims.suites-missing": "Planejadas mas sem respostas: suítes {before}.",
    "claims.searched": (
        "Uma busca examinou {before} estados do modelo em questões de validação. O que ela escolheu ({after}) foi "
        "treinado de novo e é julgado aqui, em questões que a busca nunca viu."
    ),
    "claims.repeated": "Avaliado mais de uma vez; as respostas anteriores estão em: {before}.",
    "margin:ruled out": "descartada",
    "margin:cannot be ruled out": "não descartada",
    "margin:not measurable": "não mensurável",
    "margin:shown": "demonstrada",
    "change:one seed of several": "uma semente entre várias",
    "change:gain shown": "ganho demonstrado",
    "change:loss shown": "perda demonstrada",
    "change:not shown": "variação não demonstrada",
    "family:one comparison": "uma só comparação",
    "family:Bonferroni": "Bonferroni",
    "family:sign flips of clusters": "trocas de sinal de grupos inteiros",
    # English words
    "What is claimed, in points against the baseline": "O que se afirma, em p.p. em relação ao modelo base",
    "margin": "margem",
    "margin's reason": "motivo da margem",
    "budget": "orçamento de perda",
    "primary suites": "suítes primárias",
    "none stated": "nenhum declarado",
    "all": "todas",
    "budget of the pick, points": "orçamento de perda da escolhida, p.p.",
    "level of all changes together": "nível de todas as variações juntas",
}
