"""Brazilian Portuguese: what a code of en.py says, and what an English word of the source says."""

from __future__ import annotations

from paretune.text.catalogue import Catalogue

SINGULAR: dict[str, str] = {
    "inválidos": "inválido",
    "avisos": "aviso",
    "questões": "questão",
    "bancos de dados": "banco de dados",
    "bancos": "banco",
    "grupos": "grupo",
    "variantes": "variante",
    "execuções": "execução",
    "comparações": "comparação",
    "respostas": "resposta",
    "linhas": "linha",
    "tokens": "token",
    "pontos": "ponto",
    "prompts": "prompt",
    "receitas": "receita",
    "passos": "passo",
    "épocas": "época",
    "exemplos resolvidos": "exemplo resolvido",
    "disciplinas": "disciplina",
    "notas": "nota",
    "minutos": "minuto",
    "consultas": "consulta",
    "problemas impeditivos": "problema impeditivo",
    "sementes": "semente",
    "semelhantes": "semelhante",
}
TEXT: dict[str, str] = {
    # `paretune list`
    "list.prepared": "preparado: {parts}",
    "list.complete": "{complete} de {count} variantes completas",
    "list.unchecked": "linhas contadas, não conferidas com as configurações: {reason}",
    "outdated": "desatualizado",
    "training": "treino",
    "no experiment file was named": "nenhum arquivo de experimento foi informado",
    "not judged": "não julgado",
    "last change": "última alteração",
    # o veredito e o que se afirma
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
        "do acaso, "
        "com incerteza, e não teria mais do que isso a perder."
    ),
    "verdict.near-ceiling": (
        "Ali não se pode medir uma perda maior que {margin} p.p.: o modelo base acerta quase tudo, e as questões são "
        "fáceis demais para mostrar o que se esquece."
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
    "no suite": "nenhuma suíte",
    "verdict.worst-subject": (
        "A pior de {subjects} disciplinas de {suite} em {variant}: {subject}, {change:+} p.p. Os intervalos de todas "
        "as disciplinas e variantes valem juntos: em cada uma está descartada uma perda maior que {bound:.1} p.p."
    ),
    "verdict.missing-seeds": "Sementes planejadas sem respostas: {names}.",
    # o cartão do modelo
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
    "scale": "escala",
    "yes": "sim",
    "search.title": "O que a busca examinou, em questões de validação",
    "search.state": "estado",
    "search.worst": "variação da pior suíte",
    "search.front": "fronteira",
    "search.candidate": "julgado no teste",
    "search.looks": (
        "{looks} estados de {trainings} treinamentos foram examinados, em {questions} questões do alvo e {general} de "
        "capacidade geral; {dropped} treinamentos não deram em nada ou foram interrompidos. A tabela mostra a "
        "fronteira. Os intervalos valem para os {looks} em conjunto."
    ),
    "search.pick": "A escolha do teste, para executar de novo: {path}",
    "search.no-pick": "O teste escolhe o modelo base: nenhuma receita é afirmada. O que foi julgado: {path}",
    "search.gain": "ganho no alvo, p.p. (validação)",
    "search.change": "variação da pior suíte, p.p. (validação)",
    "search.all": "Tudo o que a busca examinou",
    "search.look": "um estado examinado",
    "search.interval": "intervalo da fronteira, para todos em conjunto",
    "search.section": "O que a busca examinou",
    "search.claim": (
        "A fronteira foi escolhida por seus valores, que por isso são otimistas; nada se afirma a partir deles. O que "
        "se afirma está acima, pelas questões do teste, que a busca nunca usou."
    ),
    "search.again": "A escolha do teste, para executar de novo (TOML)",
    "claims.repeated": "Avaliado mais de uma vez; as respostas anteriores estão em: {before}.",
    "table.change": (
        "Variação: em relação ao modelo base, em p.p., pareada por questão, agrupada por banco de dados; os "
        "{databases} bancos valem por {effective:.1} de mesmo tamanho."
    ),
    "margin:ruled out": "descartada",
    "margin:cannot be ruled out": "não descartada",
    "margin:not measurable": "não mensurável",
    "margin:shown": "demonstrada",
    "change:one seed of several": "uma semente entre várias",
    "dial.title": (
        "O regulador de {variant}, por {questions} questões de validação da tarefa-alvo e de capacidade geral "
        "({choices}); nenhuma delas é do teste"
    ),
    "dial.intervals": "Os intervalos das variações contra o modelo base valem para os {planned} pontos juntos.",
    "dial.pick": "Escolha: {variant}.",
    "dial.none": "Escolha: o modelo base.",
    "dial.page": "Na página da execução, com a curva: {command}",
    "dial.section": "Escalas e checkpoints em questões de validação",
    "dial.introduction": (
        "Um adaptador com outras intensidades e em outros passos, examinado antes do teste. Os intervalos são dos "
        "pontos medidos; uma curva entre eles não é medição."
    ),
    "dial.plot": "O regulador de {variant}: variação em relação ao modelo base, em p.p.",
    "dial.measured": "medido",
    "dial.interpolated": "interpolado, não medido",
    "dial.step": "após {step} passos",
    "dial.finished": "adaptador final",
    "dial.ring": "a escolha",
    "dial.run": "Seus valores no teste: {command}",
    "dial.add": "Seus valores no teste: acrescente estas linhas ao experimento e depois {command}",
    "decision:pick": "escolhida",
    "decision:gain not shown": "ganho não demonstrado",
    "decision:loss on the target": "perda na tarefa-alvo",
    "decision:loss shown": "perda demonstrada",
    "decision:loss cannot be ruled out": "perda não descartada",
    "decision:loss not measurable": "perda não mensurável",
    "decision:smaller gain": "ganho menor",
    "family:one comparison": "uma só comparação",
    "family:Bonferroni": "Bonferroni",
    "family:sign flips of clusters": "trocas de sinal de grupos inteiros",
    "plot.pick": "a escolhida: perda maior que {budget} p.p. descartada",
    "facts.margin": "margem de {margin} p.p.",
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
    "audit.ranked-without-evidence": (
        "{second} sobre {first}: {difference:g} p.p. [{low:g}; {high:g}] pela regra oficial, p {probability:g} "
        "com as questões "
        "de uma mesma referência como uma só unidade; {questions} questões mostram {detectable:g} p.p. ou mais"
    ),
    "audit.these-databases-only": (
        "{second} sobre {first}: {difference:g} p.p. [{low:g}; {high:g}] pela regra oficial, p {probability:g} "
        "com as questões "
        "de uma mesma referência como uma só unidade; sobre {clusters} bancos o intervalo contém 0"
    ),
    "worst suite": "pior suíte",
    "decision": "decisão",
    "p (family)": "p (família)",
    "What is claimed, in points against the baseline": "O que se afirma, em p.p. em relação ao modelo base",
    "margin": "margem",
    "margin's reason": "motivo da margem",
    "budget": "orçamento de perda",
    "primary suites": "suítes primárias",
    "none stated": "nenhum declarado",
    "all": "todas",
    "budget of the pick, points": "orçamento de perda da escolhida, p.p.",
    "level of all changes together": "nível de todas as variações juntas",
    "The databases are too few to speak for others: the figures hold for these databases.": (
        "Os bancos são poucos para representar outros: os números valem para estes bancos."
    ),
    "Trained once (one seed): this is a result about this adapter. Training it again may give another.": (
        "Treinada uma vez (uma semente): o resultado é deste adaptador. Treinar de novo pode dar outro."
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
    "p (family) decides; p (Holm) stands beside it.": "p (família) decide; p (Holm) está ao lado.",
    "McNemar's exact p takes questions as independent; p (family) and p (Holm) respect databases and subjects.": (
        "O p exato de McNemar toma as questões como independentes; p (família) e p (Holm) respeitam bancos e "
        "disciplinas."
    ),
    "the gain is not shown": "o ganho não está demonstrado",
    "the pick: the base model": "a escolhida: o modelo base",
    "interval, all variants together": "intervalo, todas as variantes juntas",
    "Audit: nothing found that would invalidate these figures.": (
        "Auditoria: nada encontrado que invalide estes números."
    ),
    "Questions are taken as independent; --clusters and --intraclass say how far they are not.": (
        "As questões são tomadas como independentes; --clusters e --intraclass dizem quanto não são."
    ),
    "cluster: none runs here; all of this machine is used": (
        "cluster: nenhum em execução nesta máquina; a máquina inteira é usada"
    ),
    # words of tables, plots and the terminal
    "done": "pronto",
    "missing": "falta",
    "after the question": "depois da pergunta",
    "before the schema": "antes do esquema",
    "over databases": "sobre bancos",
    "what to do": "o que fazer",
    "published": "publicado",
    "reproduced": "reproduzido",
    "by the official rule": "pela regra oficial",
    "questions": "questões",
    "execution accuracy": "acurácia de execução",
    "confidence intervals": "intervalos de confiança",
    "questions as independent: one database": "questões como independentes: um só banco",
    "clustered by database": "agrupados por banco de dados",
    "rules": "regras",
    "only the first of the split were scored": "só as primeiras da partição foram avaliadas",
    "only a part was scored": "só uma parte foi avaliada",
    "test-suite accuracy": "acurácia na suíte de testes",
    "the reference fails on the suite": "a consulta de referência falha na suíte",
    "one database per db_id: no suite": "um banco por db_id: sem suíte",
    "exact set match, lenient": "correspondência exata, tolerante",
    "exact set match, strict": "correspondência exata, estrita",
    "DISTINCT kept": "DISTINCT mantido",
    "texts run as written": "textos executados como escritos",
    "soft F1": "F1 parcial",
    "without questions known to be wrong": "sem questões sabidamente erradas",
    "simple": "simples",
    "moderate": "moderadas",
    "challenging": "desafiadoras",
    "two runs of the reference differ": "duas execuções da referência diferem",
    "the order in which rows are stored decides the reference's result": (
        "a ordem em que as linhas estão gravadas decide o resultado da referência"
    ),
    "the reference reads the clock or chance": "a referência depende do relógio ou do acaso",
    "why SQL was wrong, with an example each": "por que o SQL estava errado, com um exemplo de cada",
    "predictions": "predições",
    "split": "partição",
    "databases": "bancos de dados",
    "references": "referências",
    "tables": "tabelas",
    "as given": "como informado",
    "target": "tarefa-alvo",
    "general": "geral",
    "change": "variação",
    "all questions": "todas as questões",
    "Execution accuracy in percent by hardness": "Acurácia de execução em % por dificuldade",
    "Trade-off against the baseline, in points": "Ganhos e perdas em relação ao modelo base, em p.p.",
    "gain": "ganho",
    "change in general accuracy": "variação da acurácia geral",
    "ability kept, %": "capacidade mantida, %",
    "points lost per point gained": "p.p. perdidos por p.p. ganho",
    "probability on the front": "probabilidade na fronteira",
    "Front: no other variant is as good on both axes and better on one.": (
        "Fronteira: nenhuma outra variante é tão boa nos dois eixos e melhor em um deles."
    ),
    "p (Holm)": "p (Holm)",
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
    "gain in execution accuracy, points": "ganho em acurácia de execução, p.p.",
    "Gain and loss against the baseline": "Ganho e perda em relação ao modelo base",
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
    # words of the page
    "Usable": "Utilizável",
    "Usable with care": "Utilizável com cautela",
    "Do not quote": "Não cite",
    "How far to trust it": "Até onde confiar",
    "general change": "variação geral",
    "base model": "modelo base",
    "Loss of general accuracy allowed": "Perda de acurácia geral permitida",
    "as stated": "como declarado",
    "Variants": "Variantes",
    "What this rests on": "Em que isto se baseia",
    "Reasons for doubt": "Motivos para desconfiar",
    "Nothing found that would invalidate these figures.": "Nada encontrado que invalide estes números.",
    "Whiskers: intervals that hold for all variants together. Dashed: the loss allowed.": (
        "Barras: intervalos que valem para todas as variantes juntas. Tracejado: a perda permitida."
    ),
    "better": "melhor",
    "invalid": "inválido",
    "warning": "aviso",
    "note": "nota",
    "unknown model": "modelo desconhecido",
    "official rules": "regras oficiais",
    "multiset rules": "regras de multiconjunto",
    "strict rules": "regras estritas",
    "tp4 rules": "regras de 2025",
    "result rules": "regras de resultado",
    "bird rules": "regras do BIRD",
    "subset rules": "regras de subconjunto de colunas",
    "Training and costs": "Treino e custos",
    "Click a figure to see its questions, a head to sort by it.": (
        "Clique em um número para ver suas questões, em um cabeçalho para ordenar."
    ),
    "Click a number to see exactly those questions.": "Clique em um número para ver exatamente essas questões.",
    "category, questions": "categoria, questões",
    "Bold: a change that holds with all subjects and variants counted (Holm). Point at a figure for more.": (
        "Negrito: variação que se mantém contando todas as disciplinas e variantes (Holm). Aponte um número "
        "para ver mais."
    ),
    "Raw records and their fingerprints": "Registros brutos e suas impressões digitais",
    "These links need the run folder beside the page; everything else is in the page itself.": (
        "Estes links precisam da pasta da execução ao lado da página; todo o resto está na própria página."
    ),
    "what was asked": "o que foi perguntado",
    "answers": "respostas",
    "answers judged": "respostas julgadas",
    "general questions": "questões gerais",
    "complete": "completa",
    "incomplete": "incompleta",
    "state": "estado",
    "base model, %": "modelo base, %",
    "What is there and what is missing": "O que já existe e o que falta",
    "Tables as files": "Tabelas em arquivos",
    "table": "tabela",
    "Skip to the questions": "Ir para as questões",
    "Copy as Markdown": "Copiar em Markdown",
    "Figures": "Resultados",
    "deviation between seeds": "desvio entre sementes",
    "variants of one recipe": "variantes de uma receita",
    "The intervals hold both the questions and the seeds.": "Os intervalos abrangem as questões e as sementes.",
    "The same recipe with other seeds, in points": "A mesma receita com outras sementes, em p.p.",
    "curve": "curva",
    "points lost": "p.p. perdidos",
    "What was learned and what was forgotten": "O que foi aprendido e o que foi esquecido",
    "benchmark": "benchmark",
    "detectable, points": "detectável, p.p.",
    "p (McNemar)": "p (McNemar)",
    "p (permutation)": "p (permutação)",
    "Questions whose outcome changed": "Questões cujo resultado mudou em relação ao modelo base",
    "Holm over all subjects and variants; intervals take the questions of a subject as independent.": (
        "Holm sobre todas as disciplinas e variantes; os intervalos tomam as questões de cada uma como independentes."
    ),
    "Outcome of each answer (number of questions)": "Resultado de cada resposta (nº de questões)",
    "Why the SQL is wrong": "Por que o SQL está errado",
    "training, s": "treino, s",
    "answering, s": "respostas, s",
    "scoring, s": "pontuação, s",
    "multiple choice, s": "múltipla escolha, s",
    "steps": "passos",
    "training rows": "linhas de treino",
    "of them general": "delas, gerais",
    "training tokens": "tokens de treino",
    "prompt tokens": "tokens de prompt",
    "generated tokens": "tokens gerados",
    "cut answers": "respostas cortadas",
    "Cut answers hit the token limit before they ended.": "Respostas cortadas bateram no limite de tokens.",
    "chatter tokens": "tokens supérfluos",
    "tokens per question": "tokens por questão",
    "Does the server answer as what it stands for?": "O servidor responde como aquilo que representa?",
    "stands for": "representa",
    "questions gained": "questões ganhas",
    "questions lost": "questões perdidas",
    "alike?": "igual?",
    "same answers, %": "respostas iguais, %",
    "Several answers per question, in percent": "Várias respostas por questão, em porcentagem",
    "ended by the model": "encerradas pelo modelo",
    "ended behind the statement": "encerradas após o comando",
    "Chatter tokens were written behind a complete statement.": (
        "Tokens supérfluos foram escritos depois de um comando completo."
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
    "threads": "threads",
    "processor": "processador",
    "gpu": "GPU",
    "Data (SHA-256)": "Dados (SHA-256)",
    "Configuration": "Configuração",
    "The same configuration, weights, data and versions give the same lines.": (
        "A mesma configuração e os mesmos pesos, dados e versões dão as mesmas linhas."
    ),
    "Reproduce this run": "Reproduzir esta execução",
    "A fingerprint covers everything that decides an answer: weights, adapter, prompt, decoding, data.": (
        "Uma impressão digital abrange tudo o que decide uma resposta: pesos, adaptador, prompt, decodificação, dados."
    ),
    "Verdict": "Veredito",
    "Do not quote these figures: a finding of the audit makes them invalid.": (
        "Não cite estes valores: um achado da auditoria os invalida."
    ),
    "Explorer": "Explorador",
    "Contents": "Conteúdo",
    "Language": "Idioma",
    # `paretune choice` and `paretune perplexity`
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
    "bits per byte": "bits por byte",
    "perplexity per token": "perplexidade por token",
    "tokens": "tokens",
    "bytes": "bytes",
    "window": "janela",
    "clustered by window": "agrupados por janela",
    # what the page's explorer says
    "category": "categoria",
    "subject": "disciplina",
    "Dark": "Escuro",
    "Light": "Claro",
    "All questions and answers": "Todas as questões e respostas",
    "{shown} of {all} questions": "{shown} de {all} questões",
    "any": "qualquer",
    "newly right": "passou a acertar",
    "no longer right": "deixou de acertar",
    "right before and after": "certas antes e depois",
    "wrong before and after": "erradas antes e depois",
    "any change": "qualquer mudança",
    "question": "questão",
    "database": "banco",
    "group": "grupo",
    "groups": "grupos",
    "level": "nível",
    "accuracy": "acurácia",
    "reference": "referência",
    "no answer in the text": "nenhuma resposta no texto",
    "before the question": "antes da pergunta",
    "hardness": "dificuldade",
    "difficulty": "dificuldade",
    "easy": "fácil",
    "medium": "média",
    "hard": "difícil",
    "extra": "muito difícil",
    "unknown": "desconhecida",
    "prompt": "prompt",
    "reference SQL": "SQL de referência",
    "not in the reference": "não está na referência",
    "only in the reference": "só na referência",
    "differs from the reference": "diferença em relação à referência",
    "raw answer": "resposta bruta",
    "reason": "motivo",
    "no SQL was found in the answer": "nenhum SQL foi encontrado na resposta",
    "the same text as the reference": "o mesmo texto da referência",
    "both results empty": "ambos os resultados vazios",
    "{count} tokens": "{count} tokens",
    "result: first {shown} of {count} rows": "resultado: as primeiras {shown} de {count} linhas",
    "result: {count} rows": "resultado: {count} linhas",
    "result: 1 row": "resultado: 1 linha",
    "column {number}": "coluna {number}",
    "cut at the token limit": "cortada no limite de tokens",
    "option": "opção",
    "right option": "opção certa",
    "chosen": "escolhida",
    "wrong answer": "resposta errada",
    "not asked": "não perguntada",
    "No question fits these filters.": "Nenhuma questão atende a estes filtros.",
    "This browser cannot unpack the answers; open the page in a newer one, or read the lines beside it.": (
        "Este navegador não consegue descompactar as respostas; abra a página em um mais novo ou leia as linhas ao "
        "lado dela."
    ),
    "Unpacking…": "Descompactando…",
    "page {page} of {pages}": "página {page} de {pages}",
    "letter": "letra",
    "cloze": "texto da resposta",
    "generate": "geração",
    "logged": "como no registro",
    "Target questions": "Questões da tarefa-alvo",
    "General questions": "Questões gerais",
    "text in question or answer": "texto na questão ou na resposta",
    "suite": "suíte",
    "method": "método",
    "Clear": "Limpar",
    "Previous": "Anterior",
    "Next": "Próxima",
    "Close": "Fechar",
    "outcome": "desfecho",
    "The explorer needs JavaScript; the lines are in the files beside this page.": (
        "O explorador precisa de JavaScript; as linhas estão nos arquivos ao lado desta página."
    ),
    "Each answer of each variant, beside the reference.": "Cada resposta de cada variante, ao lado da referência.",
    "Enter opens a question, J and K go to the next and the previous one, Esc closes it.": (
        "Enter abre uma questão, J e K vão à próxima e à anterior, Esc fecha."
    ),
    "Questions": "Questões",
    "Filters": "Filtros",
    "compared with": "em relação a",
    "{variant} against {base}, all questions:": "{variant} em relação a {base}, todas as questões:",
    "Copy link": "Copiar link",
    "Copied": "Copiado",
    "Not copied": "Não copiado",
    "Copy": "Copiar",
    "to fix": "para corrigir",
    "probability on {letters}": "probabilidade em {letters}",
    "Probability of each letter; the highest is chosen.": "Probabilidade de cada letra; a maior é a escolhida.",
    "Probability per byte of each option; the highest is chosen.": (
        "Probabilidade por byte de cada opção; a maior é a escolhida."
    ),
    "Skip to the verdict": "Ir para o veredito",
    "variant": "variante",
    "STEM": "STEM",
    "Humanities": "Humanidades",
    "Social sciences": "Ciências sociais",
    "Other": "Outras",
    # `paretune power`
    "power.detectable": "{questions} questões mostram uma diferença de {points:.2} p.p.",
    "power.needed": "questões necessárias para mostrar {points:.2} p.p. com probabilidade {power:.2}: {questions}",
    "power.minutes": "minutos para {variants} variantes a {seconds:.3} s por questão ({axis}): {minutes:.1}",
    # tables
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
    "section.reasons": "Por que as respostas estão erradas",
    "plot.general": "variação da acurácia geral ({suite}), p.p.",
    "plot.gain": "ganho em {metric}, p.p.",
    "facts.questions": "tarefa-alvo: {benchmark}, {questions} questões em {count} {clusters}",
    "table.execution": "Acurácia de execução em %: {benchmark}, {questions} questões em {databases} bancos de dados",
    "table.general": "Acurácia geral em %: {suite} por {method}, {questions} questões",
    "table.served": (
        "Igual: todo o intervalo da mudança fica dentro da margem de {margin} p.p.. Diferente: ele exclui 0. Vale "
        "para todas as variantes servidas de um benchmark em conjunto."
    ),
    "served:alike": "igual",
    "served:different": "diferente",
    "served:not shown": "não demonstrado",
    "table.samples": (
        "Uma de k: ao menos uma de k respostas sorteadas está certa, o que só ajuda onde a resposta certa é conhecida; "
        "estimado sem viés a partir de todas as sorteadas. Voto: a resposta cujo resultado a maioria delas tem."
    ),
    "sample:mean": "uma sorteada",
    "sample:pass": "uma de {k} (pass@{k})",
    "sample:oracle": "uma de todas as {k} (oráculo)",
    "sample:vote": "voto de {k}",
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
    "change:gain shown": "ganho demonstrado",
    "change:loss shown": "perda demonstrada",
    "change:not shown": "variação não demonstrada",
    # plots
    "plot.scales": "{variant} em escala reduzida",
    "plot.checkpoints": "checkpoints de {variant}",
    "plot.forgetting": (
        "Ganho e esquecimento por passo, em {questions} questões de validação, nenhuma delas do teste; barras: "
        "intervalos de 95 % de cada observação isolada."
    ),
    "plot.subjects": "Variação por disciplina, {suite}",
    "plot.subjects-shown": "as {count} de {all} disciplinas que mais mudaram",
    # the verdict: gain, general ability, what they rest on
    # the line under the page's title
    "facts.target": "SQL: {benchmark}, {questions} questões em {databases} bancos de dados, {rules}",
    "facts.logged": "{suite}: {questions} questões",
    "facts.general": "geral: {suite}, {questions} questões por {method}",
    # the page of a folder of runs
    "runs.heading": "{folder}: {count} execuções",
    "runs.facts": "{model} · {benchmark} · {count} variantes · escolhida: {pick}",
    "runs.no-verdict": "Sem veredito: {reason}",
    # the page
    "page.alike": "(e mais {count} semelhantes)",
    "page.notes": "{count} notas",
    "page.unfinished": "Não terminado: {done} de {planned} variantes têm todas as respostas; faltam: {names}",
    "page.no-baseline": (
        "Não terminado: o modelo base ainda não respondeu tudo; por isso ainda não há o que comparar."
    ),
    "page.progress": "{done} de {asked}",
    "page.card": "Copiar o cartão de modelo de {variant}",
    "page.subject": (
        "{variant}: {before:.1} % → {after:.1} %, {change:+} p.p., {gained} que passou a acertar, {lost} que deixou de "
        "acertar, p (Holm) {p:p}"
    ),
    # the first screen of the page
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
    # the audit: what was seen, and under .advice what to do
    "audit.no-manifest": "{file} falta ou não é JSON",
    "audit.no-manifest.advice": "Não se sabe como estas linhas foram feitas; sem ele não podem ser comparadas.",
    "audit.no-file": "falta {file}; não se sabe o que foi perguntado",
    "audit.no-file.advice": (
        "Prepare de novo com as mesmas configurações e dados ou obtenha o arquivo com o autor da pasta."
    ),
    "audit.unreadable-lines": "{file}: {count} de {lines} linhas não podem ser lidas ({reason})",
    "audit.unreadable-lines.advice": (
        "Apague o arquivo e avalie de novo; linhas de conteúdo desconhecido não sustentam nenhum valor."
    ),
    "audit.not-asked": "{file}: {count} linhas respondem a questões que não foram feitas ({examples})",
    "audit.not-asked.advice": "Avalie a variante de novo; estas linhas vêm de outro conjunto de questões.",
    "audit.two-lines": "{file}: {count} linhas repetem uma questão que já tem linha ({examples})",
    "audit.two-lines.advice": "Avalie a variante de novo: uma questão, uma linha.",
    "audit.another-reference": (
        "{file}: {count} linhas têm banco ou referência diferente do que foi perguntado ({examples})"
    ),
    "audit.another-reference.advice": "Avalie a variante de novo; os vereditos são sobre outras referências.",
    "audit.another-right-answer": (
        "{file}: {count} linhas têm resposta certa ou disciplina diferente do que foi perguntado ({examples})"
    ),
    "audit.another-right-answer.advice": "Avalie a variante de novo; os vereditos são sobre outras respostas.",
    "audit.different-methods": "{variant} respondeu a outras suítes, ou por outros métodos, que {first}",
    "audit.different-methods.advice": "Faça a todas as variantes as mesmas suítes pelos mesmos métodos.",
    "audit.outdated-answers": "{file} responde a uma versão anterior das questões (impressão digital {fingerprint})",
    "audit.outdated-answers.advice": (
        "Avalie a variante de novo: as mesmas questões podem ter sido feitas com outras palavras."
    ),
    "audit.other-answers": "{file}: os vereditos julgam respostas diferentes das de answers.jsonl",
    "audit.other-answers.advice": "Pontue as respostas de novo (`paretune evaluate`).",
    "audit.prepared-changed": "{file} foi alterado depois de escrito: suas linhas não têm sua impressão digital",
    "audit.prepared-changed.advice": "Prepare e avalie de novo: o que se perguntou às variantes não é o que está aqui.",
    "audit.fewer-questions": "há {count} questões aqui, mas o experimento pede {questions}",
    "audit.fewer-questions.advice": (
        "Diga por quê; se questões foram retiradas depois de ver os resultados, reponha-as e avalie de novo."
    ),
    "audit.other-databases": "{variant}: seu SQL foi julgado em outros bancos que não os do manifesto",
    "audit.other-databases.advice": "Pontue de novo as respostas de todas as variantes no mesmo conjunto de bancos.",
    "audit.header-changed": "{file}: o cabeçalho foi alterado depois de escrito: sua impressão digital é outra",
    "audit.header-changed.advice": "Avalie a variante de novo: não se sabe em que condições estas linhas foram feitas.",
    "audit.two-models": "{variant}: SQL e múltipla escolha foram respondidos com {setting} diferente",
    "audit.two-models.advice": "Avalie os dois eixos com um só modelo; uma troca entre dois modelos não existe.",
    "audit.manifest-differs": "{variant}: {setting} é {manifest} no manifesto e {header} nas respostas",
    "audit.manifest-differs.advice": "Avalie a variante de novo com as configurações do experimento.",
    "audit.tuned-baseline": "a base respondeu com um adaptador ({files})",
    "audit.tuned-baseline.advice": "Avalie a base sem adaptador; assim todo ganho é medido contra um modelo ajustado.",
    "audit.no-adapter": "{variant}: respondeu sem adaptador ({files})",
    "audit.no-adapter.advice": "Avalie a variante de novo: estas são respostas do modelo base.",
    "audit.other-adapter": "{variant}: {file} foi respondido com um adaptador diferente do que está aqui",
    "audit.other-adapter.advice": "Avalie a variante de novo ou reponha o adaptador que respondeu.",
    "audit.lines-of-another": "{variant}: {count} linhas de múltipla escolha são de outra variante ({others})",
    "audit.lines-of-another.advice": "Avalie a variante de novo: suas linhas foram copiadas.",
    "audit.other-source": "{variant} é uma escala de {source}, mas respondeu com outro adaptador",
    "audit.other-source.advice": "Avalie a variante de novo com o adaptador da sua origem.",
    "audit.one-adapter-twice": "{first} e {second} têm o mesmo adaptador",
    "audit.one-adapter-twice.advice": "Conte-o uma vez: não são dois treinos.",
    "audit.contradictory-lines": "{variant}: {count} de {questions} linhas ({axis}) se contradizem ({examples})",
    "audit.contradictory-lines.advice": (
        "Pontue as respostas de novo: o resultado de uma linha deve seguir dos seus valores."
    ),
    "audit.verdict-on-another-text": (
        "{variant}: {count} vereditos são sobre um texto diferente do da resposta (posições {examples})"
    ),
    "audit.verdict-on-another-text.advice": "Pontue as respostas de novo.",
    "audit.no-raw-answers": "{variant}: as respostas brutas a {questions} questões não foram guardadas",
    "audit.no-raw-answers.advice": "Peça-as: sem os textos nenhum veredito pode ser conferido.",
    "audit.statement-not-in-answer": (
        "{variant}: {count} comandos não estão na resposta de onde viriam (posições {examples})"
    ),
    "audit.statement-not-in-answer.advice": (
        "Pontue as respostas de novo: os vereditos são sobre SQL que o modelo não escreveu."
    ),
    "audit.extracted-otherwise": (
        "{variant}: de {count} de {questions} respostas lê-se hoje outro comando (posições {examples})"
    ),
    "audit.extracted-otherwise.advice": "Pontue de novo as respostas de todas as variantes com uma só versão.",
    "audit.reference-judged-wrong": (
        "{variant}: {count} consultas iguais à referência não foram consideradas certas (posições {examples})"
    ),
    "audit.reference-judged-wrong.advice": (
        "Examine o banco e a referência: uma que não é determinística não julga nada."
    ),
    "audit.identical-answers": (
        "{first} e {second} deram as mesmas respostas ({axis}) a todas as {questions} questões, até o último dígito"
    ),
    "audit.identical-answers.advice": (
        "Verifique se o adaptador foi aplicado; dois modelos diferentes não respondem igual."
    ),
    "audit.fails-alone": "{variant}: {share:g} % das respostas ({axis}) são {sign}, contra {base:g} % das da base",
    "audit.fails-alone.advice": (
        "Leia essas respostas: um analisador, um limite ou um banco ausente pode ter falhado só nesta variante."
    ),
    "audit.target-floor": "nenhuma variante acerta mais de {share:g} % do alvo",
    "audit.target-floor.advice": (
        "No piso não há o que comparar; veja respostas brutas ou escolha questões mais fáceis ou um modelo maior."
    ),
    "audit.target-ceiling": "toda variante acerta ao menos {share:g} % do alvo",
    "audit.target-ceiling.advice": "No teto não há o que ganhar; escolha questões mais difíceis.",
    "audit.near-chance": (
        "{suite} ({method}): o modelo base tem {accuracy:g} %, só {losable:g} p.p. acima dos {chance:g} % do chute"
    ),
    "audit.near-chance.advice": (
        "Uma perda pequena pode ser tudo o que ele sabia: não afirme nada nesta suíte ou use cloze ou um modelo maior."
    ),
    "audit.near-ceiling": "{suite} ({method}): o modelo base tem {accuracy:g} %; as questões mal distinguem modelos",
    "audit.near-ceiling.advice": "Use uma suíte mais difícil: uma perda de habilidade pode não aparecer aqui.",
    "audit.giant-cluster": (
        "{axis}: {share:g} % de {questions} questões vêm de um só de {clusters} grupos; valem por {effective:g} grupos"
    ),
    "audit.giant-cluster.advice": "Leia os números como os desse único banco ou disciplina.",
    "audit.reference-in-prompt": (
        "{count} de {questions} prompts contêm a própria consulta de referência (posições {examples})"
    ),
    "audit.reference-in-prompt.advice": "Retire-a e avalie de novo: a resposta foi mostrada.",
    "audit.groups-renamed": (
        "{count} de {clusters} bancos ou grupos de teste servem ao treino com outro nome: {examples}"
    ),
    "audit.groups-renamed.advice": "Separe pelo que contêm, não pelo nome.",
    "audit.references-copied": (
        "{variant}: {share:g} % de {questions} respostas são a consulta de referência letra por letra"
    ),
    "audit.references-copied.advice": "Procure um vazamento; um modelo que já viu o teste não é medido por ele.",
    "audit.cut-but-stopped": (
        "{variant}: {count} de {questions} respostas se interrompem, ou enchem o limite de tokens, embora constem "
        "como terminadas"
    ),
    "audit.cut-but-stopped.advice": "Confira como o fim da resposta é anotado e aumente max_new_tokens.",
    "audit.not-greedy": "as respostas foram sorteadas, não as mais prováveis ({decoding})",
    "audit.not-greedy.advice": "Decodifique de forma gulosa ou repita o sorteio e conte sua variação.",
    "audit.lenient-rules": "os vereditos seguem as regras {rules}, pelas quais uma consulta que falha pode estar certa",
    "audit.lenient-rules.advice": "Pontue com as regras oficiais.",
    "audit.short-limit": "as consultas tiveram só {seconds:g} segundos; um veredito pode depender da máquina",
    "audit.short-limit.advice": "Permita 30 segundos.",
    "audit.no-chat-template": "{model} é um modelo de instrução, mas os prompts não mostram modelo de conversa",
    "audit.no-chat-template.advice": (
        "Pergunte na forma em que ele foi treinado: a base fica abaixo da sua habilidade e o ganho parece maior."
    ),
    "audit.training-diverged": "{variant}: o treino terminou com perda {last:g}, depois de {first:g} no início",
    "audit.training-diverged.advice": "Diminua a taxa de aprendizado; este adaptador desaprendeu.",
    "audit.variants-deleted": "avaliadas nesta execução e agora sem respostas: {count} variantes ({variants})",
    "audit.variants-deleted.advice": "Reponha-as: uma comparação conta toda variante que foi tentada.",
    "audit.variants-left": "avaliadas nesta execução e fora do experimento: {count} variantes ({variants})",
    "audit.variants-left.advice": "Cite-as: uma comparação conta toda variante que foi tentada.",
    "audit.evaluated-again": (
        "{variant} foi avaliada de novo: {count} conjuntos anteriores de respostas foram postos de lado"
    ),
    "audit.evaluated-again.advice": "Diga por quê; a melhor de duas avaliações parece melhor do que é.",
    "audit.trained-again": "{variant} foi treinada de novo: {count} treinos anteriores foram postos de lado",
    "audit.trained-again.advice": "Diga por quê; o melhor de dois treinos parece melhor do que é.",
    "audit.questions-changed": "o que se pergunta foi preparado mais de uma vez: {files} foram postos de lado",
    "audit.questions-changed.advice": "Diga se resultados já tinham sido vistos.",
    "audit.checkpoint-picked": "{variant} é o passo {step} de {source}, cujo último passo não é comparado",
    "audit.checkpoint-picked.advice": "Avalie também o treino inteiro ou cite a regra que escolheu o passo.",
    "audit.table-differs": "{file}: {variant} está com {written} %, as linhas dão {recomputed:g} %",
    "audit.table-differs.advice": "Escreva as tabelas de novo (`paretune compare PASTA`).",
    "audit.table-of-others": "{file} tem linhas sem respostas por trás: {variants}",
    "audit.table-of-others.advice": "Escreva as tabelas de novo (`paretune compare PASTA`).",
    "audit.unusable-adapter": "{variant} ficou de fora: {reason}",
    "audit.unusable-adapter.advice": (
        "Treine-a de novo com taxa de aprendizado menor ou outra precisão; conte-a entre as variantes tentadas."
    ),
    "audit.published-summary": "{variant}: o resumo diz {written:g} %, as linhas dão {recomputed:g} %",
    "audit.published-summary.advice": "Cite o valor das linhas.",
    "audit.published-aggregate": "{variant}: o agregado diz {written:g} %, a média das categorias é {recomputed:g} %",
    "audit.published-aggregate.advice": "Cite a média das categorias.",
    "audit.other-questions": (
        "{count} de {questions} linhas de {variant} perguntam outra coisa que a partição naquela posição"
    ),
    "audit.other-questions.advice": "Estas não são as questões que dizem ser: cite o conjunto ou compare no mesmo.",
    "audit.references-changed": (
        "{count} de {questions} linhas de {variant} têm outra referência que a partição, para a mesma questão"
    ),
    "audit.references-changed.advice": "Pontue com as referências da partição.",
    "audit.different-rows": (
        "{second} tem {other} linhas, {first} tem {rows}, ou outras questões: não são comparadas nas mesmas"
    ),
    "audit.different-rows.advice": "Compare nas questões que ambas responderam.",
    "audit.copied-run": "{first} e {second} escreveram o mesmo SQL em todas as {questions} linhas",
    "audit.copied-run.advice": "Conte uma vez: um arquivo é cópia do outro.",
    "audit.data-changed": "{count} arquivos de dados não são os do manifesto: {examples}",
    "audit.data-changed.advice": "Obtenha os arquivos que a execução cita e pontue de novo.",
    "audit.no-data-hashes": "o manifesto não tem hashes de {examples}: não se sabe se estes são os dados da execução",
    "audit.no-data-hashes.advice": "Leia a concordância como concordância com os dados em mãos.",
    "audit.prepared-not-data": (
        "{count} de {questions} questões não são as dos dados: outra pergunta, banco ou referência (posições "
        "{examples})"
    ),
    "audit.prepared-not-data.advice": "Prepare e avalie de novo a partir dos dados.",
    "audit.verdict-differs": (
        "{variant}: {count} de {questions} vereditos mudam quando as respostas são julgadas de novo (posições "
        "{examples}); {recomputed:g} % em vez de {written:g} %"
    ),
    "audit.verdict-differs.advice": "Cite o valor dos novos vereditos.",
    "audit.failed-lines": "{variant}: {count} de {questions} linhas ({axis}) falharam por motivo nosso, não do modelo",
    "audit.failed-lines.advice": "Pontue-as de novo antes de qualquer comparação.",
    "audit.missing-answers": (
        "{variant}: {count} de {questions} questões ({axis}) não têm linha; as variantes são comparadas em dados "
        "diferentes"
    ),
    "audit.missing-answers.advice": "Termine a avaliação ou compare só o que todas as variantes responderam.",
    "audit.different-setup": "as variantes diferem em {setting} ({axis}): {values}",
    "audit.different-setup.advice": "Avalie todas as variantes com a mesma configuração; a diferença pode vir dela.",
    "audit.different-prompts": (
        "{variant}: {count} questões ({axis}) foram feitas com prompt de outro comprimento que o da base"
    ),
    "audit.different-prompts.advice": (
        "Faça a todas as variantes as mesmas perguntas; exemplos e modelos de prompt mudam a acurácia em vários p.p.."
    ),
    "audit.no-sql": "{variant}: nenhum comando SQL foi encontrado em {share:g} % de {questions} respostas",
    "audit.no-sql.advice": (
        "Leia as respostas brutas; se o modelo escreve SQL que não é extraído, o número mede o analisador."
    ),
    "audit.cut-statements": (
        "{variant}: {count} de {questions} respostas ({share:g} %) bateram no limite de tokens dentro do SQL; a "
        "acurácia de execução pode ser qualquer valor de {lowest:g} a {highest:g} %"
    ),
    "audit.cut-statements.advice": (
        "Aumente max_new_tokens e avalie de novo: não se sabe o que um comando inacabado teria sido."
    ),
    "audit.never-stops": (
        "{variant}: {share:g} % de {questions} respostas seguiram até o limite de tokens depois do comando; isso "
        "custa tempo e não muda os valores"
    ),
    "audit.never-stops.advice": (
        "Treine o token de fim de turno ou confira os tokens de parada, para poupar esse tempo."
    ),
    "audit.failed-matches-empty": (
        "{variant}: {count} de {correct} respostas corretas são consultas que falharam onde a referência é vazia "
        "(posições {examples})"
    ),
    "audit.failed-matches-empty.advice": "Conte consulta que falhou como erro: pontue com as regras oficiais.",
    "audit.both-empty": (
        "{variant}: {count} de {correct} respostas corretas não devolveram linhas, como a referência; ali qualquer "
        "consulta assim conta"
    ),
    "audit.both-empty.advice": (
        "Considere-as não comprovadas; a acurácia de suíte de testes ou dados que devolvem linhas dizem mais."
    ),
    "audit.gold-fails": "{count} de {questions} consultas de referência não executam (posições {examples})",
    "audit.gold-fails.advice": "Corrija-as ou exclua-as: ali nenhuma predição pode estar certa.",
    "audit.unknown-names": (
        "{variant}: {share:g} % de {questions} consultas citam tabelas ou colunas que o banco não tem"
    ),
    "audit.unknown-names.advice": (
        "Leia alguns prompts: sem o esquema o número mede adivinhação de nomes. Se o esquema está lá, o modelo não o "
        "usa: treine por mais tempo ou escolha um modelo maior."
    ),
    "audit.no-schema": (
        "{share:g} % de {questions} prompts não mostram esquema: nem definição de tabela, nem as tabelas da referência"
    ),
    "audit.no-schema.advice": "Ponha o esquema no prompt do treino e da avaliação.",
    "audit.prompts-differ": "o texto em torno da pergunta difere entre treino e avaliação ({where})",
    "audit.prompts-differ.advice": (
        "Construa os dois prompts com a mesma função; o modelo ajustado fica preso ao texto que viu."
    ),
    "audit.train-in-test": (
        "{count} de {questions} questões de teste também estão no treino, palavra por palavra (posições {examples})"
    ),
    "audit.train-in-test.advice": "Retire-as do treino e treine de novo.",
    "audit.train-elsewhere": (
        "{count} de {questions} questões de teste também estão no treino com a mesma consulta, em outro banco "
        "(posições {examples}): valem no máximo {points:g} p.p."
    ),
    "audit.train-elsewhere.advice": "Nada, a não ser que tão pouco importe; nesse caso, retire-as do treino.",
    "audit.validation-in-test": (
        "{count} de {questions} questões de validação também são feitas no teste ({examples})"
    ),
    "audit.validation-in-test.advice": (
        "O que foi escolhido por elas foi escolhido pelo teste; prepare e treine de novo com esta versão."
    ),
    "audit.validation-in-train": (
        "{count} de {questions} questões de validação também estão entre as linhas de treino ({examples})"
    ),
    "audit.validation-in-train.advice": (
        "A acurácia nelas é em parte memória; retire as repetições dos dados de treino e treine de novo."
    ),
    "audit.train-near-test": (
        "{count} de {questions} questões de teste quase igualam uma linha de treino do mesmo banco (posições "
        "{examples})"
    ),
    "audit.train-near-test.advice": "Examine-as; retire o que só difere na redação.",
    "audit.shots-in-test": (
        "{count} de {questions} questões de teste aparecem como exemplos resolvidos nos prompts (posições {examples})"
    ),
    "audit.shots-in-test.advice": "Tire exemplos só das linhas de treino.",
    "audit.groups-overlap": "{count} de {clusters} grupos de teste também servem ao treino: {examples}",
    "audit.groups-overlap.advice": (
        "Diga isso ou separe por grupo; o que foi visto no treino faz o ganho parecer maior."
    ),
    "audit.no-answer": "{variant}: nenhuma resposta foi lida em {share:g} % de {questions} textos",
    "audit.no-answer.advice": (
        "Leia as respostas brutas; se o modelo responde em uma forma que não é lida, o número mede o analisador."
    ),
    "audit.cut-answers": "{variant}: {share:g} % de {questions} respostas bateram no limite de tokens",
    "audit.cut-answers.advice": (
        "Aumente max_new_tokens e avalie de novo: não se sabe o que uma resposta cortada teria sido."
    ),
    "audit.databases-overlap": "{count} de {clusters} bancos de teste também servem ao treino: {examples}",
    "audit.databases-overlap.advice": (
        "Diga isso ou separe por banco; esquemas vistos no treino fazem o ganho parecer maior."
    ),
    "audit.test-repeats": "{count} de {questions} questões ({axis}) repetem uma anterior",
    "audit.test-repeats.advice": "Contadas como estão; o número efetivo de questões é menor.",
    "audit.rows-truncated": "{variant}: {count} de {rows} linhas de treino terminam antes do seu SQL",
    "audit.rows-truncated.advice": (
        "Deixe fora as linhas longas ou aumente max_tokens: resposta cortada ensina a não terminar."
    ),
    "audit.rows-left-out": "{variant}: {count} de {rows} linhas de treino ficaram fora pelo comprimento",
    "audit.rows-left-out.advice": "Se forem muitas, aumente max_tokens: as questões difíceis são as longas.",
    "audit.non-finite-steps": "{variant}: {count} de {steps} passos de treino tiveram perda ou gradiente não finito",
    "audit.non-finite-steps.advice": (
        "Ache a causa (precisão, preenchimento, taxa de aprendizado) antes de citar esta variante."
    ),
    "audit.below-chance": (
        "{variant}, {suite} ({method}): {correct} de {questions} corretas, muito abaixo dos {chance:g} % de um chute "
        "cego; um chutador vai tão mal com probabilidade {probability:g}"
    ),
    "audit.below-chance.advice": (
        "Isto é erro de avaliação, não esquecimento: veja as respostas brutas e como a opção é lida."
    ),
    "audit.at-chance": (
        "{variant}, {suite} ({method}): {accuracy:g} % [{low:g}; {high:g}] não se distingue dos {chance:g} % do chute"
    ),
    "audit.at-chance.advice": (
        "No nível do acaso nada se perde nem se mantém; use a verossimilhança do texto (cloze) ou um modelo maior."
    ),
    "audit.letters-improbable": (
        "{variant}, {suite}: em {share:g} % de {questions} questões todas as letras juntas têm probabilidade abaixo "
        "de 0,5"
    ),
    "audit.letters-improbable.advice": (
        "O modelo não responde com letras: informe cloze ao lado e, até lá, chame de perda de formato."
    ),
    "audit.one-letter": "{variant}, {suite} ({method}): {share:g} % de {questions} respostas são a mesma opção",
    "audit.one-letter.advice": "O modelo quase não considera a pergunta; confira o prompt e compare com cloze.",
    "audit.no-letter": (
        "{variant}, {suite}: nenhuma opção pôde ser lida em {share:g} % de {questions} respostas geradas"
    ),
    "audit.no-letter.advice": (
        "Leia as respostas brutas; informe também as log-probabilidades das letras: perda de formato não é de "
        "conhecimento."
    ),
    "audit.too-few-questions": (
        "{variant}, {axis}: {difference:+} p.p. [{low:+}; {high:+}]. Com {questions} questões, só variações a "
        "partir de "
        "{detectable:.1} p.p. são detectadas com segurança."
    ),
    "audit.too-few-questions.advice": (
        "Não afirme diferença nem igualdade; `paretune power` diz quantas questões são necessárias."
    ),
    "audit.few-clusters": "{axis}: {questions} questões vêm de só {clusters} grupos (bancos ou disciplinas)",
    "audit.few-clusters.advice": (
        "Leia os números como os destes bancos ou disciplinas; acrescente outros em vez de mais questões."
    ),
    "audit.selected-on-test": "a variante escolhida ({variant}) foi selecionada nas linhas de teste",
    "audit.selected-on-test.advice": "Selecione em linhas de validação e cite o valor de teste só dessa variante.",
    "audit.best-of-many": (
        "{variants} variantes foram medidas nas mesmas linhas de teste; a melhor parece melhor do que é"
    ),
    "audit.best-of-many.advice": (
        "A escolhida é julgada por intervalos que valem para todas juntas; uma escolha por outra regra precisa de "
        "linhas de validação."
    ),
    "audit.single-seed": (
        "cada uma de {recipes} receitas foi treinada com uma semente: as diferenças são destes adaptadores, não das "
        "receitas"
    ),
    "audit.single-seed.advice": "Treine as receitas que importam com três sementes ou mais.",
    "audit.public-test-set": (
        "{benchmarks}: publicados antes do treino do modelo; as questões podem estar nos dados de treino dele"
    ),
    "audit.public-test-set.advice": (
        "Compare variantes de uma mesma base; não leia o nível como habilidade em dados novos."
    ),
    "audit.published-score": (
        "{variant}: publicado {published:g} %, reproduzido {reproduced:g} % pela regra de 2025 (conjuntos de linhas "
        "impressas, consulta que falhou é resultado vazio); {official:g} % pela regra oficial ([{low:g}; {high:g}] "
        "com questões como independentes, [{wide_low:g}; {wide_high:g}] sobre {clusters} bancos)"
    ),
    "audit.published-score.advice": "Cite o valor oficial com o intervalo.",
    "audit.published-differs": (
        "{variant}: publicado {published:g} %, mas as próprias linhas dão {reproduced:g} % pela mesma regra"
    ),
    "audit.published-differs.advice": "Ache as linhas que diferem antes de usar qualquer dos valores.",
    "audit.text-after-query": (
        "{variant}: {count} de {questions} respostas continuam após o comando; extraí-lo dá {extracted} corretas em "
        "vez de {official:g}"
    ),
    "audit.text-after-query.advice": "Pare no fim do turno ou extraia um comando e diga isso.",
    "audit.old-data": (
        "{count} de {questions} linhas diferem em redação ou referência dos dados atuais: uma versão mais antiga"
    ),
    "audit.old-data.advice": "Nomeie a versão; compare só com valores da mesma.",
    "audit.ranked-without-evidence.advice": "Não os ordene com estes dados.",
    "audit.these-databases-only.advice": (
        "Afirme a diferença só para estes bancos; para outros são precisos mais bancos."
    ),
    # outcomes of SQL answers
    "outcome:correct": "certa",
    "outcome:wrong": "resultado errado",
    "outcome:invalid_sql": "erro de SQL",
    "outcome:not_a_query": "não é consulta",
    "outcome:timeout": "tempo esgotado",
    "outcome:too_large": "resultado grande demais",
    "outcome:no_answer": "sem resposta",
    "outcome:gold_failed": "a referência falha",
    "outcome:gold_too_large": "a referência devolve resultados demais",
    "outcome:failed": "falha da ferramenta",
    # classes of SQL errors
    "class:no_statement": "nenhum comando SQL",
    "class:syntax": "sintaxe",
    "class:unknown_table": "tabela desconhecida",
    "class:unknown_column": "coluna desconhecida",
    "class:ambiguous_column": "coluna ambígua",
    "class:unknown_function": "função desconhecida",
    "class:set_operation": "operação de conjunto",
    "class:wrong_table": "tabela errada",
    "class:missing_join": "junção ausente",
    "class:needless_join": "junção desnecessária",
    "class:wrong_join_key": "chave de junção errada",
    "class:wrong_aggregate": "agregação errada",
    "class:wrong_columns": "colunas erradas",
    "class:missing_columns": "colunas ausentes",
    "class:extra_columns": "colunas a mais",
    "class:wrong_grouping": "agrupamento errado",
    "class:missing_filter": "filtro ausente",
    "class:needless_filter": "filtro desnecessário",
    "class:wrong_filter": "filtro errado",
    "class:wrong_literal": "literal errado",
    "class:distinct": "DISTINCT",
    "class:wrong_order": "ordem errada",
    "class:wrong_limit": "LIMIT errado",
    "class:other": "outro motivo",
    "class:unclassified": "não classificado",
    # why SQL was wrong; the first that fits a sentence of an old line counts, so the order matters
    "sql.no-statement": "A resposta não contém nenhum comando SQL.",
    "sql.nothing-extracted": "nenhum comando SQL na resposta",
    "sql.not-a-query": "A resposta é um comando {statement}; só consultas de leitura são executadas.",
    "sql.only-reading": "só leitura é permitida; recusado: {action}",
    "sql.gold-fails": "a consulta de referência falha: {detail}",
    "sql.gold-too-large": "a consulta de referência devolve resultados demais: {detail}",
    "sql.too-long": "O comando é longo ou aninhado demais para ser comparado com a consulta de referência.",
    "sql.not-comparable": "As duas consultas não podem ser comparadas cláusula a cláusula: {message}",
    "sql.alike": "Nenhuma cláusula as distingue: são iguais, então veja expressões, empates e o que há nos dados.",
    "sql.no-clause": "Nenhuma cláusula as distingue: {message}.",
    "sql.drop-set-operation": "Retire {given}{where}: a consulta de referência é uma só.",
    "sql.combine": "Combine duas consultas com {wanted}{where}, como a consulta de referência.",
    "sql.quoted-column-elsewhere": (
        "A coluna {column} não está em nenhuma das tabelas lidas{where} (está em {tables}); entre aspas o SQLite a "
        "toma por texto."
    ),
    "sql.quoted-column": (
        "A coluna {column} não está em nenhuma das tabelas lidas{where}; entre aspas o SQLite a toma por texto."
    ),
    "sql.column-to-join": (
        "A coluna {column} não está em nenhuma das tabelas lidas; está em {tables}, que é preciso juntar ou nomear."
    ),
    "sql.table-lacks-column": (
        "{table} não tem a coluna {column}; ela está em {tables}, que é preciso juntar ou nomear."
    ),
    "sql.ambiguous-column": "A coluna {column} está em várias das tabelas lidas: escreva a tabela antes dela.",
    "sql.table-near": "Não existe a tabela {table}; seria {near}?",
    "sql.unknown-table": "Não existe a tabela {table}; existem {tables}.",
    "sql.column-near": "Nenhuma tabela tem a coluna {column}; seria {near}?",
    "sql.unknown-column": "Nenhuma tabela tem a coluna {column}.",
    "sql.unknown-function": "O SQLite não tem a função {function}: escreva com uma que ele tenha.",
    "sql.misplaced-aggregate": (
        "Uma agregação {aggregate} está onde as linhas ainda não foram agrupadas: leve-a ao HAVING."
    ),
    "sql.misplaced-aggregate-unnamed": "Uma agregação está onde as linhas ainda não foram agrupadas: leve-a ao HAVING.",
    "sql.wrong-arguments": "A função {function} recebeu um número de argumentos que o SQLite não aceita.",
    "sql.set-operation-columns": "Os dois lados da operação de conjunto selecionam números diferentes de colunas.",
    "sql.having-alone": "HAVING precisa de um GROUP BY antes.",
    "sql.subquery-columns": "A subconsulta deve selecionar exatamente uma coluna.",
    "sql.using-column": "USING cita a coluna {column}, que não está nas duas tabelas.",
    "sql.clause-order": "ORDER BY e LIMIT ficam no fim do comando inteiro: {clause}.",
    "sql.stops-at": "O SQLite para de ler em {token}.",
    "sql.breaks-off": "O comando se interrompe antes do fim.",
    "sql.unclosed": "O SQLite não lê {token}: procure aspas não fechadas.",
    "sql.unreadable": "O SQLite não lê o comando.",
    "sql.join-not-subquery": "A consulta de referência junta {tables}{where} em vez de ler em uma subconsulta.",
    "sql.subquery-not-join": "A consulta de referência lê {tables} em uma subconsulta{where} em vez de juntar.",
    "sql.join-on": "Junte por {wanted} em vez de {given}{where}.",
    "sql.join-missing": "Junte {tables}{where}, que a consulta de referência também lê.",
    "sql.join-needless": "Deixe fora {tables}{where}: a consulta de referência não junta.",
    "sql.from-tables": "Leia de tabelas, não de uma subconsulta no FROM{where}, como a consulta de referência.",
    "sql.from-subquery": "Leia de uma subconsulta no FROM{where}, como a consulta de referência.",
    "sql.read-instead": "Leia {wanted} em vez de {given}{where}.",
    "sql.join-connector": "Ligue as condições de junção com {wanted}, não {given}{where}.",
    "sql.join-condition-missing": "Acrescente a condição de junção {condition}{where}.",
    "sql.filter-connector": "Ligue as condições com {wanted}, não {given}{where}.",
    "sql.condition-missing": "Acrescente a condição {condition}{where}.",
    "sql.condition-needless": "Retire a condição {condition}{where}.",
    "sql.filter-by": "Filtre por {wanted} em vez de {given}{where}.",
    "sql.literal-case": "Compare {unit} com {wanted}, não {given} (maiúsculas e minúsculas){where}.",
    "sql.literal-wildcard": "Compare {unit} com {wanted}, não {given} (lugar do curinga %){where}.",
    "sql.literal-type": "Compare {unit} com {wanted}, não {given} (texto contra número){where}.",
    "sql.literal-spelling": "Compare {unit} com {wanted}, não {given} (grafia){where}.",
    "sql.literal": "Compare {unit} com {wanted}, não {given}{where}.",
    "sql.distinct-missing": "Selecione linhas com DISTINCT{where}.",
    "sql.distinct-needless": "Não elimine linhas repetidas com DISTINCT{where}.",
    "sql.distinct-inside": "Use DISTINCT dentro de {aggregates}{where}.",
    "sql.distinct-not-inside": "Não use DISTINCT dentro de {aggregates}{where}.",
    "sql.select-only": "Selecione só {wanted} em vez de {given}{where}.",
    "sql.select-instead": "Selecione {wanted} em vez de {given}{where}.",
    "sql.select-too": "Selecione também {wanted}{where}.",
    "sql.select-not": "Não selecione {given}{where}.",
    "sql.group-not": "Não agrupe por {given}{where}.",
    "sql.group-instead": "Agrupe por {wanted} em vez de {given}{where}.",
    "sql.group": "Agrupe por {wanted}{where}.",
    "sql.order-not": "Não ordene por {given}{where}.",
    "sql.order-instead": "Ordene por {wanted} em vez de {given}{where}.",
    "sql.order": "Ordene por {wanted}{where}.",
    "sql.no-limit": "Não use LIMIT em vez de {given}{where}.",
    "sql.use-not-none": "Use {wanted} em vez de nenhum{where}.",
    "sql.use-instead": "Use {wanted} em vez de {given}{where}.",
    "sql.sqlite-no-table": "não existe a tabela: {table}",
    "sql.sqlite-no-column": "não existe a coluna: {column}",
    "sql.sqlite-no-function": "não existe a função: {function}",
    "sql.sqlite-ambiguous": "nome de coluna ambíguo: {column}",
    "sql.sqlite-near": "perto de {token}: erro de sintaxe",
    "sql.sqlite-misuse": "uso indevido de agregação: {aggregate}",
    "sql.sqlite-misuse-of": "uso indevido da função de agregação {aggregate}",
    "sql.sqlite-incomplete": "comando incompleto",
    "sql.sqlite-set-columns": "os SELECTs à esquerda e à direita de {operator} não têm o mesmo número de colunas",
    "sql.sqlite-order-term": "o termo {place} do ORDER BY não corresponde a nenhuma coluna do resultado",
    "sql.sqlite-subselect": "a subconsulta devolve {given} colunas; o esperado é {wanted}",
    "sql.sqlite-arguments": "número errado de argumentos para a função {function}",
    "sql.sqlite-group-by": "é preciso um GROUP BY antes do HAVING",
    "sql.sqlite-token": "símbolo não reconhecido: {token}",
    "sql.message": "{message}",
    "sql.on-subquery": "{condition} (uma subconsulta)",
    # where in a query
    "place.query-after": " na consulta depois de {operator}{where}",
    "place.from": " na subconsulta do FROM{where}",
    "place.subquery": " na subconsulta de {unit}{where}",
    "place.having": " no HAVING{where}",
}
CATALOGUE = Catalogue("Português", ",", "; ", SINGULAR, TEXT)
