"""Findings of the audit: what was seen, and under .advice what to do."""

from __future__ import annotations

TEXT: dict[str, str] = {
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
    # English words
    "after the question": "depois da pergunta",
    "before the schema": "antes do esquema",
    "before the question": "antes da pergunta",
}
