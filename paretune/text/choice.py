"""What `paretune choice` and `paretune perplexity` print, in Brazilian Portuguese."""

from __future__ import annotations

CHOICE_PORTUGUESE: dict[str, str] = {
    "by letter": "por letra",
    "by text of the answer, a byte": "pelo texto da resposta, por byte",
    "by text of the answer, raw": "pelo texto da resposta, sem normalizar",
    "by writing": "por escrito",
    "micro (all questions)": "micro (todas as questões)",
    "macro (mean of subjects)": "macro (média das disciplinas)",
    "category": "categoria",
    "subject": "disciplina",
    "chance level": "nível do acaso",
    "questions whose letters hold under half of the probability": (
        "questões em que as letras somam menos da metade da probabilidade"
    ),
    "written answers without a letter": "respostas escritas sem letra",
    "format and knowledge": "formato e conhecimento",
    "kept": "mantida",
    "lost format": "formato perdido",
    "lost knowledge": "conhecimento perdido",
    "written only": "só por escrito",
    "moved from the baseline": "mudança em relação à base",
    "clustered by subject": "agrupados por disciplina",
    "already answered": "já respondidas",
    "bits a byte": "bits por byte",
    "perplexity a token": "perplexidade por token",
    "tokens": "tokens",
    "bytes": "bytes",
    "window": "janela",
    "clustered by window": "agrupados por janela",
}
