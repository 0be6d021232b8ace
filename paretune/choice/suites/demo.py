"""The general half of the embedded benchmark, in English and in Portuguese, in MMLU's layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from paretune.choice.suites import mmlu
from paretune.choice.suites.base import Form, SuiteKind, described, letters, options, worded
from paretune.choice.suites.mmlu import read_mmlu
from paretune.demo.build import demo_directory


def _folder(name: str) -> Callable[[], Path]:
    return lambda: Path(demo_directory()) / name


ENGLISH = SuiteKind(
    "demo",
    lambda folder, subjects, shots: read_mmlu(folder, subjects),
    mmlu.LETTER,
    mmlu.CLOZE,
    has_subjects=True,
    embedded=_folder("mmlu"),
)
PORTUGUESE = SuiteKind(
    "demo-pt",
    lambda folder, subjects, shots: read_mmlu(folder, subjects),
    Form(
        worded("{stripped}\n{lettered}\nResposta:"),
        letters,
        described("As questões a seguir são de múltipla escolha (com respostas) sobre {topic}.\n\n"),
    ),
    Form(
        worded("Pergunta: {stripped}\nResposta:"),
        options,
        described("As perguntas a seguir (com respostas) são sobre {topic}.\n\n"),
    ),
    has_subjects=True,
    embedded=_folder("mmlu-pt"),
)
