"""lm-eval's own log-likelihoods and verdicts on real questions, over the same loaded model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paretune.choice.prompts import build_prompts
from paretune.choice.suites.load import load_suite, select_questions
from paretune.config import ModelConfig
from paretune.models.load import load_model
from paretune.records import ChoicePrompt, Method
from tests.engines.hf.test_options_exact import score

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def smollm2(smollm2_gguf: Path) -> Any:
    return load_model(ModelConfig(path=str(smollm2_gguf), precision="float32"))


def real_prompts(suite: str, folder: Path, method: Method, shots: int) -> list[ChoicePrompt]:
    loaded = load_suite(suite, folder, shots=shots, subjects=("philosophy",) if suite == "mmlu" else ())
    questions = select_questions(loaded, limit_per_subject=5, selection="first", seed=0)
    return build_prompts(loaded, questions, shots=shots, method=method)


@pytest.mark.parametrize(
    ("suite", "folder", "method", "shots"),
    [("arc-easy", "arc", "cloze", 0), ("winogrande", "winogrande", "cloze", 0), ("mmlu", "mmlu/data", "letter", 2)],
)
def test_score_choices_real_questions_give_lm_evals_figures(
    smollm2: Any, shared_data: Path, suite: str, folder: str, method: Method, shots: int
) -> None:
    pytest.importorskip("lm_eval")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    prompts = real_prompts(suite, shared_data / folder, method, shots)
    answers = score(smollm2.model, smollm2.tokenizer, prompts)
    harness = HFLM(pretrained=smollm2.model, tokenizer=smollm2.tokenizer, batch_size=4)
    pairs = [
        (prompt.prefix + prompt.contexts[option % len(prompt.contexts)], continuation)
        for prompt in prompts
        for option, continuation in enumerate(prompt.continuations)
    ]
    requests = [Instance("loglikelihood", {}, pair, number) for number, pair in enumerate(pairs)]
    found = iter([value for value, _ in harness.loglikelihood(requests, disable_tqdm=True)])
    for prompt in prompts:
        expected = [next(found) for _ in prompt.continuations]
        answer = answers[prompt.question.id]
        assert answer.log_probabilities == pytest.approx(expected, abs=2e-3)
        raw = int(np.argmax(expected)) == prompt.question.answer
        lengths = [len(text.strip()) for text in prompt.continuations]
        normalised = int(np.argmax(np.array(expected) / lengths)) == prompt.question.answer
        assert answer.correct == (normalised if method == "cloze" else raw)
        assert answer.correct_raw == (raw if method == "cloze" else None)
