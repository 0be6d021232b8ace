"""What every engine owes its caller; each engine's tests run all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from paretune.engines.base import Engine, Generation

PROMPTS = (
    "SELECT name",
    "Question: which one is right?\nA. the first\nB. the second",
    "a",
    "CREATE TABLE concert (id INTEGER PRIMARY KEY, year INTEGER); count the concerts after 2014 in each city",
    "SELECT name",
    "b c d e f g",
    "é?",
)


def answers_of(engine: Engine, prompts: Sequence[str] = PROMPTS, max_new_tokens: int = 12) -> list[Generation]:
    """Every prompt's answer by position; fails where one is answered twice or not at all."""
    found: dict[int, Generation] = {}

    def on_answer(position: int, generation: Generation) -> None:
        assert position not in found, f"prompt {position} was answered twice"
        found[position] = generation

    engine.generate(prompts, max_new_tokens, on_answer)
    assert sorted(found) == list(range(len(prompts)))
    return [found[position] for position in range(len(prompts))]


class EngineContract:
    """Subclasses give `make`, a function that builds the engine anew."""

    @pytest.fixture
    def make(self) -> Callable[[], Engine]:
        raise NotImplementedError

    def test_prompts_are_each_answered_once(self, make: Callable[[], Engine]) -> None:
        assert len(answers_of(make())) == len(PROMPTS)

    def test_prompts_none_need_no_answer(self, make: Callable[[], Engine]) -> None:
        assert answers_of(make(), ()) == []

    def test_answer_depends_on_its_prompt_alone(self, make: Callable[[], Engine]) -> None:
        forward = answers_of(make())
        assert answers_of(make(), PROMPTS[::-1])[::-1] == forward
        assert [answers_of(make(), [prompt])[0] for prompt in PROMPTS] == forward

    def test_answers_of_equal_prompts_are_equal(self, make: Callable[[], Engine]) -> None:
        answers = answers_of(make())
        assert answers[0] == answers[4]
        assert len({answer.text for answer in answers}) > 2

    def test_answers_are_the_same_when_asked_again(self, make: Callable[[], Engine]) -> None:
        engine = make()
        assert answers_of(engine) == answers_of(engine)

    def test_answer_cut_off_says_length_and_the_other_says_stop(self, make: Callable[[], Engine]) -> None:
        answers = answers_of(make(), max_new_tokens=12)
        assert {answer.finish for answer in answers} == {"stop", "length"}
        for answer in answers:
            assert 1 <= answer.tokens <= 12
            assert answer.finish == "stop" or answer.tokens == 12

    def test_answer_cut_shorter_is_the_beginning_of_the_longer(self, make: Callable[[], Engine]) -> None:
        for short, long in zip(answers_of(make(), max_new_tokens=3), answers_of(make()), strict=True):
            assert long.text.startswith(short.text.rstrip("\N{REPLACEMENT CHARACTER}"))
            assert short.tokens == min(3, long.tokens)

    def test_error_of_the_caller_comes_through(self, make: Callable[[], Engine]) -> None:
        def on_answer(position: int, generation: Generation) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make().generate(PROMPTS, 3, on_answer)
