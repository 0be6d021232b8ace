"""Brazilian Portuguese of the verdict and of what is claimed."""

from __future__ import annotations

VERDICT_PORTUGUESE: dict[str, str] = {
    "Only the base model has been evaluated: it answers {accuracy} % of the {benchmark} questions correctly.": (
        "Só o modelo base foi avaliado: ele acerta {accuracy} % das questões de {benchmark}."
    ),
    "General accuracy: {accuracy} % on {suite}. There is nothing to compare yet.": (
        "Acurácia geral: {accuracy} % em {suite}. Ainda não há o que comparar."
    ),
    "Use {variant}: {change} points on {benchmark}, from {before} % to {after} % correct.": (
        "Use {variant}: {change} p.p. em {benchmark}, de {before} % para {after} % de acertos."
    ),
    "Keep the base model: no variant is shown to gain.": (
        "Fique com o modelo base: nenhuma variante tem ganho demonstrado."
    ),
    "Keep the base model: every variant that gains loses more than {budget} points of general accuracy.": (
        "Fique com o modelo base: toda variante que ganha perde mais de {budget} p.p. de acurácia geral."
    ),
    "Keep the base model: of no variant that gains a loss of more than {budget} points of general accuracy is ruled "
    "out.": (
        "Fique com o modelo base: de nenhuma variante que ganha está descartada uma perda maior que {budget} p.p. de "
        "acurácia geral."
    ),
    "The largest gain is that of {variant}: {change} points, from {before} % to {after} % correct.": (
        "O maior ganho é o de {variant}: {change} p.p., de {before} % para {after} % de acertos."
    ),
    "The largest change is that of {variant}: {change} points on {benchmark}.": (
        "A maior variação é a de {variant}: {change} p.p. em {benchmark}."
    ),
    "A true gain of {points} points would be shown four times in five.": (
        "Um ganho verdadeiro de {points} p.p. seria demonstrado quatro vezes em cinco."
    ),
    "So few data show no difference reliably.": "Com tão poucos dados, nenhuma diferença é detectada com segurança.",
    "General accuracy ({place}): {change} points.": "Acurácia geral ({place}): {change} p.p.",
    "{suite}": "{suite}",
    "{suite}, the worst of {suites} suites": "{suite}, a pior de {suites} suítes",
    "A loss of more than {margin} points is ruled out.": "Uma perda maior que {margin} p.p. está descartada.",
    "A loss of more than {margin} points cannot be ruled out.": (
        "Não se pode descartar uma perda maior que {margin} p.p."
    ),
    "A loss of more than {margin} points is shown.": "Uma perda maior que {margin} p.p. está demonstrada.",
    "A loss of more than {margin} points cannot be measured there: the base model is only {losable} points above "
    "chance, errors counted, and that is all it could lose.": (
        "Ali não se pode medir uma perda maior que {margin} p.p.: o modelo base está só {losable} p.p. acima do acaso, "
        "com incerteza, e não teria mais do que isso a perder."
    ),
    "A loss of more than {margin} points cannot be measured there: the base model answers nearly everything "
    "correctly, so the questions are too easy to show what is forgotten.": (
        "Ali não se pode medir uma perda maior que {margin} p.p.: o modelo base acerta quase tudo, e as questões são "
        "fáceis demais para mostrar o que se esquece."
    ),
    "loss > {margin} points": "perda > {margin} p.p.",
    "worst suite": "pior suíte",
    "decision": "decisão",
    "pick": "escolhida",
    "gain not shown": "ganho não demonstrado",
    "loss on the target": "perda na tarefa-alvo",
    "loss cannot be ruled out": "perda não descartada",
    "loss not measurable": "perda não mensurável",
    "smaller gain": "ganho menor",
    "ruled out": "descartada",
    "cannot be ruled out": "não descartada",
    "not measurable": "não mensurável",
    "one seed of several": "uma semente entre várias",
    "p (family)": "p (família)",
    "What is claimed, in points against the baseline": "O que se afirma, em pontos em relação à base",
    "Pick: the largest gain that is shown and whose loss of more than {budget} points is ruled out on every primary "
    "suite.": (
        "Escolhida: o maior ganho demonstrado com perda maior que {budget} p.p. descartada em toda suíte primária."
    ),
    "Changes: {level} % intervals in brackets.": "Variações: intervalos de {level} % entre colchetes.",
    "Changes: intervals in brackets that hold for all {count} variants together ({level} %; {method}).": (
        "Variações: intervalos entre colchetes que valem para todas as {count} variantes juntas ({level} %; {method})."
    ),
    "Bonferroni": "Bonferroni",
    "one comparison": "uma só comparação",
    "sign flips of clusters": "trocas de sinal de grupos inteiros",
    "{variant}: p is {family_p} by {method}, which decides, and {holm_p} by Holm.": (
        "{variant}: p é {family_p} por {method}, que decide, e {holm_p} por Holm."
    ),
    "Changed after the fact: variants added: {after}.": "Alterado depois: variantes acrescentadas: {after}.",
    "Changed after the fact: variants removed: {before}; they still count in the family.": (
        "Alterado depois: variantes retiradas: {before}; elas ainda contam na família."
    ),
    "Changed after the fact: {what} {before} → {after}.": "Alterado depois: {what} {before} → {after}.",
    "Planned but without complete answers: {before}; they still count in the family.": (
        "Planejadas mas sem respostas completas: {before}; elas ainda contam na família."
    ),
    "Planned but without answers: suites {before}.": "Planejadas mas sem respostas: suítes {before}.",
    "Evaluated more than once, the former answers are kept as: {before}.": (
        "Avaliado mais de uma vez; as respostas anteriores estão em: {before}."
    ),
    "margin": "margem",
    "margin's reason": "motivo da margem",
    "budget": "orçamento de perda",
    "primary suites": "suítes primárias",
    "level": "nível",
    "none": "nenhum",
    "none stated": "nenhum declarado",
    "all": "todas",
    "budget of the pick, points": "orçamento de perda da escolhida, pontos",
    "level of all changes together": "nível de todas as variações juntas",
    "Not picked: {reasons}.": "Não escolhidas: {reasons}.",
    "Of {count} variants the one with the largest gain on one half of the databases gains {choosing} points there and "
    "{judging} on the other half (mean of {splits} splits): that is what picking adds.": (
        "De {count} variantes, a de maior ganho em metade dos bancos ganha {choosing} p.p. ali e {judging} na outra "
        "metade (média de {splits} divisões): é o que a escolha acrescenta."
    ),
    "The databases are too few to speak for others: the figures hold for these databases.": (
        "Os bancos são poucos para representar outros: os números valem para estes bancos."
    ),
    "Planned seeds without answers: {names}.": "Sementes planejadas sem respostas: {names}.",
    "Trained once (one seed): this is a result about this adapter. Training it again may give another.": (
        "Treinada uma vez (uma semente): o resultado é deste adaptador. Treinar de novo pode dar outro."
    ),
    "Accuracies: 95 % intervals in brackets.": "Acurácias: intervalos de 95 % entre colchetes.",
    "Accuracies: 95 % intervals in brackets; changes of parts likewise, each alone and exploratory.": (
        "Acurácias: intervalos de 95 % entre colchetes; variações de partes também, cada uma isolada e exploratória."
    ),
    "Change: against the baseline, in points, paired by question, clustered by database; the {databases} databases "
    "are worth {effective} of equal size.": (
        "Variação: em relação à base, em pontos, pareada por questão, agrupada por banco de dados; os {databases} "
        "bancos valem por {effective} de mesmo tamanho."
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
    "p (family) decides; p (Holm) stands beside it.": "p (família) decide; p (Holm) está ao lado.",
    "McNemar's exact p takes questions as independent; p (family) and p (Holm) respect databases and subjects.": (
        "O p exato de McNemar toma as questões como independentes; p (família) e p (Holm) respeitam bancos e "
        "disciplinas."
    ),
    "the gain is not shown": "o ganho não está demonstrado",
    "the pick: a loss of more than {budget} points is ruled out": (
        "a escolhida: perda maior que {budget} p.p. descartada"
    ),
    "the pick: the base model": "a escolhida: o modelo base",
    "interval, all variants together": "intervalo, todas as variantes juntas",
    "Audit: nothing found that would invalidate these figures.": (
        "Auditoria: nada encontrado que invalide estes números."
    ),
    "Audit: {invalid} findings that make figures unusable, {warnings} warnings, {notes} notes; `paretune audit "
    "{folder}` tells what to do.": (
        "Auditoria: {invalid} achados que tornam números inutilizáveis, {warnings} avisos, {notes} notas; `paretune "
        "audit {folder}` diz o que fazer."
    ),
    "questions are taken as independent; --clusters and --intraclass say how far they are not": (
        "as questões são tomadas como independentes; --clusters e --intraclass dizem quanto não são"
    ),
    "{clusters} clusters, worth {effective} of equal size": "{clusters} grupos, valem por {effective} de mesmo tamanho",
    "{questions} questions rule out a loss of more than {points} points, where {loss} are lost, with probability "
    "{reached}": (
        "{questions} questões descartam uma perda maior que {points} pontos, quando se perdem {loss}, com "
        "probabilidade {reached}"
    ),
    "questions needed to rule out a loss of more than {points} points, where {loss} are lost, with probability "
    "{power}: {questions}": (
        "questões necessárias para descartar uma perda maior que {points} pontos, quando se perdem {loss}, com "
        "probabilidade {power}: {questions}"
    ),
    "page: {path}": "página: {path}",
    "page: not written yet; `paretune report {folder}` writes it": (
        "página: ainda não escrita; `paretune report {folder}` a escreve"
    ),
}
