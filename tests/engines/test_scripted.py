from __future__ import annotations

from collections.abc import Callable

import pytest

from paretune.engines.base import Engine, Generation
from paretune.engines.scripted import ScriptedEngine
from tests.engines.contract import EngineContract, answers_of


def reversed_words(prompt: str) -> str:
    return " ".join(reversed(prompt.split()))


class TestScriptedEngine(EngineContract):
    @pytest.fixture
    def make(self) -> Callable[[], Engine]:
        return lambda: ScriptedEngine(reversed_words)


def test_scripted_answers_with_the_function_and_counts_words() -> None:
    engine = ScriptedEngine(reversed_words)
    assert answers_of(engine, ["a b c", "d"], 3) == [Generation("c b a", 3, "stop"), Generation("d", 1, "stop")]
    assert answers_of(engine, ["a b c"], 2) == [Generation("c b", 2, "length")]
