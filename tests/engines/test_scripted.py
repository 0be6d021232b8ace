from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from paretune.config import ModelConfig
from paretune.engines.base import Engine, Generation, Host
from paretune.engines.scripted import Script, ScriptedEngine, ScriptedSettings, read_script
from paretune.errors import ConfigError, EngineError, ModelError
from paretune.models.load import ModelHandle
from paretune.records import ChoicePrompt
from tests.engines.contract import PROMPTS, QUESTIONS, EngineContract, answers_of, options_of, question, values_of

BASE = """
import hashlib, math

def answer(prompt):
    return " ".join(reversed(prompt.split()))

def sample(prompt, seed):
    return " ".join(sorted(prompt.split(), key=lambda word: hashlib.sha256((word + str(seed)).encode()).digest()))

def option_logprobs(prompt):
    drawn = [1 + hashlib.sha256((prompt.contexts[0] + text).encode()).digest()[0] for text in prompt.continuations]
    return [math.log(number / sum(drawn)) for number in drawn]
"""
ADAPTER = "def answer(prompt):\n    return 'SELECT ' + prompt\n"


def reversed_words(prompt: str) -> str:
    return " ".join(reversed(prompt.split()))


def scripted(path: Path, context_tokens: int = 2000) -> ScriptedEngine:
    return ScriptedEngine.build(ScriptedSettings(str(path), context_tokens), Host(ModelHandle(ModelConfig())))


class TestScriptedEngine(EngineContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Engine]:
        path = tmp_path / "base.py"
        path.write_text(BASE)
        return lambda: scripted(path)

    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Path:
        path = tmp_path / "tuned.py"
        path.write_text(ADAPTER)
        return path


def test_scripted_answers_with_the_function_and_counts_words() -> None:
    engine = ScriptedEngine(Script(reversed_words))
    assert answers_of(engine, ["a b c", "d"], 3) == [Generation("c b a", 3, "stop"), Generation("d", 1, "stop")]
    assert answers_of(engine, ["a b c"], 2) == [Generation("c b", 2, "length")]


def test_scripted_without_option_function_finds_all_options_alike() -> None:
    for prompt, values in zip(QUESTIONS, values_of(ScriptedEngine(Script(reversed_words))), strict=True):
        assert values == (pytest.approx(-math.log(len(prompt.continuations))),) * len(prompt.continuations)


def test_scripted_at_a_scale_answers_a_share_as_the_adapter_does(tmp_path: Path) -> None:
    (tmp_path / "tuned.py").write_text(ADAPTER)
    engine = ScriptedEngine(Script(reversed_words))
    prompts = [f"{number} or not" for number in range(200)]
    shares = []
    for scale in (0.0, 0.25, 0.75, 1.0):
        with engine.variant(tmp_path / "tuned.py", scale):
            shares.append(sum(item.text.startswith("SELECT") for item in answers_of(engine, prompts)) / 200)
    assert shares[0] == 0
    assert shares[3] == 1
    assert shares[1] == pytest.approx(0.25, abs=0.1)
    assert shares[2] == pytest.approx(0.75, abs=0.1)


def test_scripted_text_costs_what_the_script_says() -> None:
    engine = ScriptedEngine(Script(reversed_words, text_bits=lambda text: 2.0 * len(text.encode())))
    assert engine.text_logprobs("a lark at dawn", window=2).bits_per_byte == 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def answer(prompt:\n", r"script\.py: the script cannot be run \(SyntaxError"),
        ("1 / 0\n", r"script\.py: the script cannot be run \(ZeroDivisionError"),
        ("def reply(prompt): ...\n", r"script\.py: expected a function answer\(prompt\)"),
    ],
)
def test_script_that_is_none_is_refused_by_name(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(text)
    with pytest.raises(ModelError, match=expected):
        read_script(tmp_path / "script.py")


def test_script_absent_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"engine\.path = .*nothing\.py: no such file"):
        scripted(tmp_path / "nothing.py")


def test_script_that_fails_is_named_with_the_prompt() -> None:
    def fails(prompt: str) -> str:
        raise ValueError("no idea")

    with pytest.raises(EngineError, match=r"prompt 0: the script functions fails \(ValueError: no idea\)"):
        answers_of(ScriptedEngine(Script(fails)), PROMPTS)


def test_script_with_too_few_numbers_is_refused_with_the_question() -> None:
    def one_number(prompt: ChoicePrompt) -> list[float]:
        return [-1.0]

    asked = [question("0", "", "Which?", (" A", " B"))]
    with pytest.raises(EngineError, match="birds/0: the script gives 1 log-probabilities for 2 options"):
        options_of(ScriptedEngine(Script(reversed_words, option_logprobs=one_number)), asked)


def test_script_edited_has_another_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "base.py"
    path.write_text(BASE)
    before = dict(scripted(path).conditions)
    path.write_text(BASE + "# edited\n")
    assert dict(scripted(path).conditions) != before
