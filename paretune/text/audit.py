"""What the audit says, in English and in Brazilian Portuguese: (evidence, advice) of every kind of finding."""

from __future__ import annotations

_BOTH: dict[str, tuple[str, str, str, str]] = {
    "failed-lines": (
        "{variant}: {count} of {questions} {axis} lines failed for reasons of ours, not of the model",
        "Score them again before any comparison.",
        "{variant}: {count} de {questions} linhas ({axis}) falharam por motivo nosso, não do modelo",
        "Pontue-as de novo antes de qualquer comparação.",
    ),
    "missing-answers": (
        "{variant}: {count} of {questions} {axis} questions have no line, so variants are compared on different data",
        "Finish the evaluation, or compare only what all variants answered.",
        "{variant}: {count} de {questions} questões ({axis}) não têm linha; as variantes são comparadas em"
        " dados diferentes",
        "Termine a avaliação ou compare só o que todas as variantes responderam.",
    ),
    "different-setup": (
        "variants differ in {setting} ({axis}): {values}",
        "Evaluate all variants under one setting; the difference may be the setting's.",
        "as variantes diferem em {setting} ({axis}): {values}",
        "Avalie todas as variantes com a mesma configuração; a diferença pode vir dela.",
    ),
    "different-prompts": (
        "{variant}: {count} {axis} questions were asked with another prompt length than the baseline's",
        "Ask all variants the same text; shots and templates change accuracy by points.",
        "{variant}: {count} questões ({axis}) foram feitas com prompt de outro comprimento que o da base",
        "Faça a todas as variantes as mesmas perguntas; exemplos e modelos de prompt mudam a acurácia em pontos.",
    ),
    "no-sql": (
        "{variant}: no SQL statement was found in {share} % of {questions} answers",
        "Read raw answers; if the model writes SQL that is not extracted, the figure measures the parser.",
        "{variant}: nenhum comando SQL foi encontrado em {share} % de {questions} respostas",
        "Leia as respostas cruas; se o modelo escreve SQL que não é extraído, o número mede o analisador.",
    ),
    "cut-statements": (
        "{variant}: {count} of {questions} answers ({share} %) hit the token limit within their SQL, so its execution"
        " accuracy may be anything from {lowest} to {highest} %",
        "Raise max_new_tokens and evaluate again: what an unfinished statement would have become is not known.",
        "{variant}: {count} de {questions} respostas ({share} %) bateram no limite de tokens dentro do SQL; a acurácia"
        " de execução pode ser qualquer valor de {lowest} a {highest} %",
        "Aumente max_new_tokens e avalie de novo: não se sabe o que um comando inacabado teria sido.",
    ),
    "never-stops": (
        "{variant}: {share} % of {questions} answers ran on to the token limit after their statement; that costs time"
        " and does not change the figures",
        "Train the end-of-turn token or check the stop tokens, to save that time.",
        "{variant}: {share} % de {questions} respostas seguiram até o limite de tokens depois do comando; isso custa"
        " tempo e não muda os valores",
        "Treine o token de fim de turno ou confira os tokens de parada, para poupar esse tempo.",
    ),
    "failed-matches-empty": (
        "{variant}: {count} of {correct} correct answers are queries that failed where the gold result is empty"
        " (positions {examples})",
        "Count a failed query as wrong: score with the official rules.",
        "{variant}: {count} de {correct} respostas corretas são consultas que falharam onde a referência é vazia"
        " (posições {examples})",
        "Conte consulta que falhou como erro: pontue com as regras oficiais.",
    ),
    "both-empty": (
        "{variant}: {count} of {correct} correct answers returned no rows, as the gold did; any such query"
        " counts there",
        "Read them as unproven; test-suite accuracy or data that return rows tell more.",
        "{variant}: {count} de {correct} respostas corretas não devolveram linhas, como a referência; ali qualquer"
        " consulta assim conta",
        "Leia-as como não provadas; a acurácia de suíte de testes ou dados que devolvem linhas dizem mais.",
    ),
    "gold-fails": (
        "{count} of {questions} gold queries do not run (positions {examples})",
        "Mend or exclude them: no prediction can be right there.",
        "{count} de {questions} consultas de referência não executam (posições {examples})",
        "Corrija-as ou exclua-as: ali nenhuma predição pode estar certa.",
    ),
    "unknown-names": (
        "{variant}: {share} % of {questions} queries name tables or columns that the database does not have",
        "Show the schema in the prompt; without it the figure measures guessing of names.",
        "{variant}: {share} % de {questions} consultas citam tabelas ou colunas que o banco não tem",
        "Mostre o esquema no prompt; sem ele o número mede adivinhação de nomes.",
    ),
    "no-schema": (
        "{share} % of {questions} prompts show no schema: no table definition and none of the tables that gold needs",
        "Put the schema into the prompt of training and evaluation.",
        "{share} % de {questions} prompts não mostram esquema: nem definição de tabela, nem as tabelas da referência",
        "Ponha o esquema no prompt do treino e da avaliação.",
    ),
    "prompts-differ": (
        "the text around the question differs between training and evaluation ({where})",
        "Build both prompts with one function; a tuned model is tied to the text that it saw.",
        "o texto em torno da pergunta difere entre treino e avaliação ({where})",
        "Construa os dois prompts com a mesma função; o modelo ajustado fica preso ao texto que viu.",
    ),
    "train-in-test": (
        "{count} of {questions} test questions also stand in the training rows, word for word (positions {examples})",
        "Remove them from training and train again.",
        "{count} de {questions} questões de teste também estão no treino, palavra por palavra (posições {examples})",
        "Retire-as do treino e treine de novo.",
    ),
    "train-near-test": (
        "{count} of {questions} test questions nearly equal a training row on the same database (positions {examples})",
        "Look at them; remove what only differs in wording.",
        "{count} de {questions} questões de teste quase igualam uma linha de treino do mesmo banco (posições"
        " {examples})",
        "Examine-as; retire o que só difere na redação.",
    ),
    "shots-in-test": (
        "{count} of {questions} test questions stand as solved examples in the prompts (positions {examples})",
        "Draw examples from training rows only.",
        "{count} de {questions} questões de teste aparecem como exemplos resolvidos nos prompts (posições {examples})",
        "Tire exemplos só das linhas de treino.",
    ),
    "databases-overlap": (
        "{count} of {databases} test databases also serve training: {examples}",
        "Say so, or split by database; schemas seen in training make the gain look larger.",
        "{count} de {databases} bancos de teste também servem ao treino: {examples}",
        "Diga isso ou separe por banco; esquemas vistos no treino fazem o ganho parecer maior.",
    ),
    "test-repeats": (
        "{count} of {questions} {axis} questions repeat an earlier one",
        "Counted as they are; the effective number of questions is smaller.",
        "{count} de {questions} questões ({axis}) repetem uma anterior",
        "Contadas como estão; o número efetivo de questões é menor.",
    ),
    "rows-truncated": (
        "{variant}: {count} of {rows} training rows end before their SQL does",
        "Leave long rows out or raise max_tokens: a cut answer teaches not to finish.",
        "{variant}: {count} de {rows} linhas de treino terminam antes do seu SQL",
        "Deixe fora as linhas longas ou aumente max_tokens: resposta cortada ensina a não terminar.",
    ),
    "rows-left-out": (
        "{variant}: {count} of {rows} training rows were left out for their length",
        "If they are many, raise max_tokens: hard questions are the long ones.",
        "{variant}: {count} de {rows} linhas de treino ficaram fora pelo comprimento",
        "Se forem muitas, aumente max_tokens: as questões difíceis são as longas.",
    ),
    "non-finite-steps": (
        "{variant}: {count} of {steps} training steps had a loss or gradient that is not finite",
        "Find the cause (precision, padding, learning rate) before quoting this variant.",
        "{variant}: {count} de {steps} passos de treino tiveram perda ou gradiente não finito",
        "Ache a causa (precisão, preenchimento, taxa de aprendizado) antes de citar esta variante.",
    ),
    "below-chance": (
        "{variant}, {suite} ({method}): {correct} of {questions} correct, far below the {chance} % of blind guessing;"
        " a guesser does so badly with probability {probability}",
        "This is an evaluation error, not forgetting: look at raw answers and at how the option is read.",
        "{variant}, {suite} ({method}): {correct} de {questions} corretas, muito abaixo dos {chance} % de um"
        " chute cego;"
        " um chutador vai tão mal com probabilidade {probability}",
        "Isto é erro de avaliação, não esquecimento: veja as respostas cruas e como a opção é lida.",
    ),
    "at-chance": (
        "{variant}, {suite} ({method}): {accuracy} % [{low}, {high}] cannot be told from the {chance} % of guessing",
        "Nothing can be lost or kept at chance; use the answer-text likelihood (cloze) or a larger model.",
        "{variant}, {suite} ({method}): {accuracy} % [{low}; {high}] não se distingue dos {chance} % do chute",
        "No nível do acaso nada se perde nem se mantém; use a verossimilhança do texto (cloze) ou um modelo maior.",
    ),
    "letters-improbable": (
        "{variant}, {suite}: on {share} % of {questions} questions all letters together have a probability under 0.5",
        "The model is not answering in letters: report cloze beside it, and call it lost format until then.",
        "{variant}, {suite}: em {share} % de {questions} questões todas as letras juntas têm probabilidade"
        " abaixo de 0,5",
        "O modelo não responde com letras: informe cloze ao lado e, até lá, chame de perda de formato.",
    ),
    "one-letter": (
        "{variant}, {suite} ({method}): {share} % of {questions} answers are the same option",
        "The model hardly looks at the question; check the prompt and compare with cloze.",
        "{variant}, {suite} ({method}): {share} % de {questions} respostas são a mesma opção",
        "O modelo mal olha a pergunta; confira o prompt e compare com cloze.",
    ),
    "no-letter": (
        "{variant}, {suite}: no option could be read in {share} % of {questions} generated answers",
        "Read raw answers; report letter log-probabilities too: lost format is not lost knowledge.",
        "{variant}, {suite}: nenhuma opção pôde ser lida em {share} % de {questions} respostas geradas",
        "Leia as respostas cruas; informe também as log-probabilidades das letras: perda de formato não é de"
        " conhecimento.",
    ),
    "too-few-questions": (
        "{variant}, {axis}: {difference} points [{low}, {high}] on {questions} questions, which show"
        " {detectable} or more",
        "Claim no difference and no equality; `paretune power` tells the questions needed.",
        "{variant}, {axis}: {difference} pontos [{low}; {high}] em {questions} questões, que mostram"
        " {detectable} ou mais",
        "Não afirme diferença nem igualdade; `paretune power` diz quantas questões faltam.",
    ),
    "few-clusters": (
        "{axis}: {questions} questions come from {clusters} clusters (databases or subjects) only",
        "Read the figures as ones of these databases or subjects; add others rather than more questions.",
        "{axis}: {questions} questões vêm de só {clusters} grupos (bancos ou disciplinas)",
        "Leia os números como os destes bancos ou disciplinas; acrescente outros em vez de mais questões.",
    ),
    "selected-on-test": (
        "the chosen variant ({variant}) was selected on test rows",
        "Select on validation rows and quote the test figure of that one variant.",
        "a variante escolhida ({variant}) foi selecionada nas linhas de teste",
        "Selecione em linhas de validação e cite o valor de teste só dessa variante.",
    ),
    "best-of-many": (
        "{variants} variants were measured on the same test rows; the best of them looks better than it is",
        "Choose on validation rows before quoting one as the result.",
        "{variants} variantes foram medidas nas mesmas linhas de teste; a melhor parece melhor do que é",
        "Escolha em linhas de validação antes de citar uma como resultado.",
    ),
    "single-seed": (
        "every recipe was trained once ({recipes} recipes): a difference between two holds for these adapters",
        "Train the recipes that matter with three seeds or more.",
        "cada receita foi treinada uma vez ({recipes} receitas): uma diferença vale para estes adaptadores",
        "Treine as receitas que importam com três sementes ou mais.",
    ),
    "public-test-set": (
        "{benchmarks}: published before the model was trained, so its questions may be in the model's training data",
        "Compare variants of one base; do not read the level as ability on new data.",
        "{benchmarks}: publicados antes do treino do modelo; as questões podem estar nos dados de treino dele",
        "Compare variantes de uma mesma base; não leia o nível como habilidade em dados novos.",
    ),
    "published-score": (
        "{variant}: published {published} %, reproduced {reproduced} % by the 2025 rule (sets of printed rows, a failed"
        " query is an empty result); {official} % by the official rule ([{low}, {high}] with questions as independent,"
        " [{wide_low}, {wide_high}] over {clusters} databases)",
        "Quote the official figure with its interval.",
        "{variant}: publicado {published} %, reproduzido {reproduced} % pela regra de 2025 (conjuntos de linhas"
        " impressas, consulta que falhou é resultado vazio); {official} % pela regra oficial ([{low}; {high}] com"
        " questões como independentes, [{wide_low}; {wide_high}] sobre {clusters} bancos)",
        "Cite o valor oficial com o intervalo.",
    ),
    "published-differs": (
        "{variant}: published {published} %, but its own lines give {reproduced} % by the same rule",
        "Find the lines that differ before using either figure.",
        "{variant}: publicado {published} %, mas as próprias linhas dão {reproduced} % pela mesma regra",
        "Ache as linhas que diferem antes de usar qualquer dos valores.",
    ),
    "text-after-query": (
        "{variant}: {count} of {questions} answers go on after the statement; extracting it gives {extracted} correct"
        " in place of {official}",
        "Stop at the end of turn, or extract one statement and say so.",
        "{variant}: {count} de {questions} respostas continuam após o comando; extraí-lo dá {extracted} corretas"
        " em vez de {official}",
        "Pare no fim do turno ou extraia um comando e diga isso.",
    ),
    "old-data": (
        "{count} of {questions} rows differ in wording or gold from the data at hand: an older release",
        "Name the release; compare with figures of the same one only.",
        "{count} de {questions} linhas diferem em redação ou referência dos dados atuais: uma versão mais antiga",
        "Nomeie a versão; compare só com valores da mesma.",
    ),
    "ranked-without-evidence": (
        "{second} over {first}: {difference} points [{low}, {high}] by the official rule, exact McNemar"
        " p {probability}; {questions} questions show {detectable} points or more",
        "Do not rank them on these data.",
        "{second} sobre {first}: {difference} pontos [{low}; {high}] pela regra oficial, p exato de McNemar"
        " {probability}; {questions} questões mostram {detectable} pontos ou mais",
        "Não os ordene com estes dados.",
    ),
    "these-databases-only": (
        "{second} over {first}: {difference} points [{low}, {high}] by the official rule, exact McNemar"
        " p {probability}, with questions taken as independent; over {clusters} databases the interval holds 0",
        "Claim the difference for these databases only; more databases are needed for others.",
        "{second} sobre {first}: {difference} pontos [{low}; {high}] pela regra oficial, p exato de McNemar"
        " {probability}, com questões como independentes; sobre {clusters} bancos o intervalo contém 0",
        "Afirme a diferença só para estes bancos; para outros são precisos mais bancos.",
    ),
}

WORDING: dict[str, tuple[str, str]] = {code: (words[0], words[1]) for code, words in _BOTH.items()}
LEVEL_NAMES = {"invalid": "inválido", "warning": "aviso", "note": "nota"}
AUDIT_PORTUGUESE: dict[str, str] = {
    **{words[0]: words[2] for words in _BOTH.values()},
    **{words[1]: words[3] for words in _BOTH.values()},
    **LEVEL_NAMES,
    "after the question": "depois da pergunta",
    "before the schema": "antes do esquema",
    "over databases": "sobre bancos",
    "nothing found": "nada encontrado",
    "what to do": "o que fazer",
    "published": "publicado",
    "reproduced": "reproduzido",
    "by the official rule": "pela regra oficial",
}
