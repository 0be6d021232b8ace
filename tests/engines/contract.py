"""What every engine owes its caller; each engine's tests run all of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from paretune.engines.base import (
    Engine,
    EngineKind,
    Generation,
    OnAnswer,
    OptionLogprobs,
    Sampling,
    ScoresTexts,
    WritesChoices,
)
from paretune.engines.choices import answer_choices
from paretune.errors import ModelError, ParetuneError
from paretune.records import ChoiceAnswer, ChoicePrompt, ChoiceQuestion, Method

PROMPTS = (
    "SELECT name",
    "Question: which one is right?\nA. the first\nB. the second",
    "a",
    "CREATE TABLE concert (id INTEGER PRIMARY KEY, year INTEGER); count the concerts after 2014 in each city",
    "SELECT name",
    "b c d e f g",
    "é?",
)


class Generates(Protocol):
    """The part of an engine that writes."""

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        on_answer: OnAnswer,
        answered: Collection[int] = (),
        sampling: Sampling | None = None,
    ) -> None: ...


def answers_of(
    engine: Generates, prompts: Sequence[str] = PROMPTS, max_new_tokens: int = 12, sampling: Sampling | None = None
) -> list[Generation]:
    """Every prompt's answer by position; fails where one is answered twice or not at all."""
    found: dict[int, Generation] = {}

    def on_answer(position: int, generation: Generation) -> None:
        assert position not in found, f"prompt {position} was answered twice"
        found[position] = generation

    engine.generate(prompts, max_new_tokens, on_answer, sampling=sampling)
    assert sorted(found) == list(range(len(prompts)))
    return [found[position] for position in range(len(prompts))]


class GenerationContract:
    """Subclasses give `make`, a function that builds the engine anew."""

    @pytest.fixture
    def make(self) -> Callable[[], Generates]:
        raise NotImplementedError

    def test_prompts_are_each_answered_once(self, make: Callable[[], Generates]) -> None:
        assert len(answers_of(make())) == len(PROMPTS)

    def test_prompts_none_need_no_answer(self, make: Callable[[], Generates]) -> None:
        assert answers_of(make(), ()) == []

    def test_answer_depends_on_its_prompt_alone(self, make: Callable[[], Generates]) -> None:
        forward = answers_of(make())
        assert answers_of(make(), PROMPTS[::-1])[::-1] == forward
        assert [answers_of(make(), [prompt])[0] for prompt in PROMPTS] == forward

    def test_answers_of_equal_prompts_are_equal(self, make: Callable[[], Generates]) -> None:
        answers = answers_of(make())
        assert answers[0] == answers[4]
        assert len({answer.text for answer in answers}) > 2

    def test_answers_are_the_same_when_asked_again(self, make: Callable[[], Generates]) -> None:
        engine = make()
        assert answers_of(engine) == answers_of(engine)

    def test_answer_cut_off_says_length_and_the_other_says_stop(self, make: Callable[[], Generates]) -> None:
        answers = answers_of(make(), max_new_tokens=12)
        assert {answer.finish for answer in answers} == {"stop", "length"}
        for answer in answers:
            assert 1 <= answer.tokens <= 12
            assert answer.finish == "stop" or answer.tokens == 12

    def test_answer_cut_shorter_is_the_beginning_of_the_longer(self, make: Callable[[], Generates]) -> None:
        for short, long in zip(answers_of(make(), max_new_tokens=3), answers_of(make()), strict=True):
            assert long.text.startswith(short.text.rstrip("\N{REPLACEMENT CHARACTER}"))
            assert short.tokens == min(3, long.tokens)

    def test_error_of_the_caller_comes_through(self, make: Callable[[], Generates]) -> None:
        def on_answer(position: int, generation: Generation) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make().generate(PROMPTS, 3, on_answer)

    def test_answers_known_already_change_no_other(self, make: Callable[[], Generates]) -> None:
        whole = answers_of(make())
        found: dict[int, Generation] = {}
        make().generate(PROMPTS, 12, found.__setitem__, answered={0, 3})
        assert found == {place: answer for place, answer in enumerate(whole) if place not in (0, 3)}

    def test_drawn_answer_depends_on_its_prompt_and_seed_alone(self, make: Callable[[], Generates]) -> None:
        seeds = tuple(range(7, 7 + len(PROMPTS)))
        whole = answers_of(make(), sampling=Sampling(1.0, seeds))
        backwards = answers_of(make(), PROMPTS[::-1], sampling=Sampling(1.0, seeds[::-1]))
        assert backwards[::-1] == whole
        alone = answers_of(make(), [PROMPTS[1]], sampling=Sampling(1.0, seeds[1:2]))
        assert alone == whole[1:2]
        several = answers_of(make(), [PROMPTS[3]] * 6, sampling=Sampling(1.0, (1, 2, 3, 1, 2, 3)))
        assert several[:3] == several[3:]
        assert len({answer.text for answer in several}) > 1


def question(
    name: str, prefix: str, context: str, continuations: Sequence[str], method: Method = "letter"
) -> ChoicePrompt:
    asked = ChoiceQuestion(f"birds/{name}", "birds", "other", context, tuple(text[1:] for text in continuations), 1)
    return ChoicePrompt(asked, method, prefix, (context,), tuple(continuations))


SHOTS = "Questions about birds.\n\nWhich sings at dawn?\nA. the owl\nB. the lark\nAnswer: B\n\n"
QUESTIONS = (
    question("0", SHOTS, "Which hoots?\nA. the owl\nB. the lark\nAnswer:", (" A", " B")),
    question(
        "1", SHOTS, "Which of them is seldom seen over the lake?\nA. one\nB. two\nC. three\nAnswer:", (" A", " B", " C")
    ),
    question("2", "", "The lark sings", (" at dawn", " at night and by day"), "cloze"),
    question("3", SHOTS, "Which hoots?\nA. the owl\nB. the lark\nAnswer:", (" A", " B")),
)
WRITTEN = tuple(
    ChoicePrompt(prompt.question, "generate", prompt.prefix, prompt.contexts, prompt.continuations)
    for prompt in QUESTIONS[:2]
)
CLOSE = 1e-4  # between log-probabilities of the same question in batches of other members, in float32


def options_of(
    engine: Engine, prompts: Sequence[ChoicePrompt] = QUESTIONS, answered: Collection[int] = ()
) -> dict[int, OptionLogprobs]:
    """Every question's options by position; fails where one is answered twice."""
    found: dict[int, OptionLogprobs] = {}

    def on_options(position: int, options: OptionLogprobs) -> None:
        assert position not in found, f"question {position} was answered twice"
        found[position] = options

    engine.option_logprobs(prompts, on_options, answered)
    return found


def values_of(engine: Engine, prompts: Sequence[ChoicePrompt] = QUESTIONS) -> list[tuple[float, ...]]:
    found = options_of(engine, prompts)
    assert sorted(found) == list(range(len(prompts)))
    return [found[position].values for position in range(len(prompts))]


def assert_close(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> None:
    for one, other in zip(first, second, strict=True):
        assert one == pytest.approx(other, abs=CLOSE)


class EngineContract(GenerationContract):
    """Subclasses give `make`, `adapter` (one that changes answers) and `no_adapter` (a path that holds none)."""

    @pytest.fixture
    def make(self) -> Callable[[], Engine]:
        raise NotImplementedError

    @pytest.fixture
    def adapter(self) -> Path:
        raise NotImplementedError

    @pytest.fixture
    def no_adapter(self, tmp_path: Path) -> Path:
        return tmp_path

    def test_kind_names_its_settings(self, make: Callable[[], Engine]) -> None:
        kind: type[EngineKind] = type(make())  # type: ignore[assignment]  # an engine's class is its kind
        assert isinstance(kind.takes_peft, bool)
        assert hasattr(kind.Settings, "__dataclass_fields__")

    def test_conditions_are_json_and_the_same_when_asked_again(self, make: Callable[[], Engine]) -> None:
        conditions = dict(make().conditions)
        assert json.loads(json.dumps(conditions)) == conditions == dict(make().conditions)

    def test_prompt_rendered_holds_every_message_in_order(self, make: Callable[[], Engine]) -> None:
        engine = make()
        messages = [
            {"role": "user", "content": "first question"},
            {"role": "assistant", "content": "first answer"},
            {"role": "user", "content": "second question"},
        ]
        prompt = engine.render(messages)
        places = [prompt.index(message["content"]) for message in messages]
        assert places == sorted(places)
        assert "third answer" in engine.completion(messages, "third answer")
        assert 0 < engine.count_tokens("first question") < engine.count_tokens(prompt) <= engine.context_tokens

    def test_options_each_question_is_answered_once_with_a_number_per_option(self, make: Callable[[], Engine]) -> None:
        found = options_of(make())
        assert sorted(found) == list(range(len(QUESTIONS)))
        for position, options in found.items():
            assert len(options.values) == len(QUESTIONS[position].continuations)
            assert all(value <= 0 for value in options.values)
            assert options.prompt_tokens > 0

    def test_options_none_asked_none_answered(self, make: Callable[[], Engine]) -> None:
        assert options_of(make(), ()) == {}

    def test_options_of_one_text_do_not_add_up_to_more_than_one(self, make: Callable[[], Engine]) -> None:
        for prompt, values in zip(QUESTIONS, values_of(make()), strict=True):
            if prompt.method == "letter":  # texts that exclude each other
                assert sum(map(math.exp, values)) <= 1 + CLOSE

    def test_options_depend_on_their_question_alone(self, make: Callable[[], Engine]) -> None:
        forward = values_of(make())
        assert_close(values_of(make(), QUESTIONS[::-1])[::-1], forward)
        assert_close([values_of(make(), [prompt])[0] for prompt in QUESTIONS], forward)
        assert forward[0] == pytest.approx(forward[3], abs=CLOSE)

    @pytest.mark.parametrize("answered", [{0}, {1, 2}, {0, 1, 2, 3}])
    def test_options_known_already_change_no_other(self, answered: set[int], make: Callable[[], Engine]) -> None:
        whole = options_of(make())
        resumed = options_of(make(), answered=answered)
        assert resumed == {place: options for place, options in whole.items() if place not in answered}

    def test_options_error_of_the_caller_comes_through(self, make: Callable[[], Engine]) -> None:
        def on_options(position: int, options: OptionLogprobs) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make().option_logprobs(QUESTIONS, on_options)

    def test_choices_of_all_methods_are_judged_once_each(self, make: Callable[[], Engine]) -> None:
        answers: list[ChoiceAnswer] = []
        asked = [*QUESTIONS, *WRITTEN]
        answer_choices(make(), asked, suite="birds", variant="baseline", on_answer=answers.append)
        keys = [(answer.method, answer.id) for answer in answers]
        assert sorted(keys) == sorted((prompt.method, prompt.question.id) for prompt in asked)
        kept: list[ChoiceAnswer] = []
        answer_choices(make(), asked, suite="birds", variant="baseline", on_answer=kept.append, answered=set(keys[1:]))
        assert kept == answers[:1]
        assert all(answer.text is not None for answer in answers if answer.method == "generate")

    def test_variant_answers_otherwise_and_leaves_the_base_as_it_was(
        self, make: Callable[[], Engine], adapter: Path
    ) -> None:
        engine = make()
        before = answers_of(engine), values_of(engine)
        with engine.variant(None):
            assert (answers_of(engine), values_of(engine)) == before
        with engine.variant(adapter):
            assert answers_of(engine) != before[0]
            assert values_of(engine) != before[1]
        assert (answers_of(engine), values_of(engine)) == before

    def test_variant_at_scale_zero_is_the_base(self, make: Callable[[], Engine], adapter: Path) -> None:
        engine = make()
        before = answers_of(engine), values_of(engine)
        with engine.variant(adapter, 0.0):
            assert answers_of(engine) == before[0]
            assert_close(values_of(engine), before[1])

    def test_variant_left_by_an_error_is_left(self, make: Callable[[], Engine], adapter: Path) -> None:
        engine = make()
        before = answers_of(engine)
        with pytest.raises(KeyboardInterrupt), engine.variant(adapter):
            raise KeyboardInterrupt
        assert answers_of(engine) == before

    def test_adapter_that_is_none_is_refused_by_name(self, make: Callable[[], Engine], no_adapter: Path) -> None:
        engine = make()
        with pytest.raises(ModelError, match=re.escape(str(no_adapter))):
            engine.adapter_fingerprint(no_adapter)
        with pytest.raises(ModelError, match=re.escape(str(no_adapter))), engine.variant(no_adapter):
            pass

    def test_adapter_fingerprint_is_the_same_when_asked_again(self, make: Callable[[], Engine], adapter: Path) -> None:
        assert make().adapter_fingerprint(adapter) == make().adapter_fingerprint(adapter) != ""

    def test_release_changes_no_answer(self, make: Callable[[], Engine]) -> None:
        engine = make()
        before = answers_of(engine), options_of(engine)
        engine.release()
        assert (answers_of(engine), options_of(engine)) == before

    def test_question_longer_than_the_context_is_refused_by_name(self, make: Callable[[], Engine]) -> None:
        engine = make()
        if engine.context_tokens > 10**5:
            pytest.skip("this engine has no context to speak of")
        long = question("long", "", "word " * engine.context_tokens, (" A", " B"))
        with pytest.raises(ParetuneError, match="birds/long"):
            options_of(engine, [long])

    def test_texts_cost_what_their_windows_cost(self, make: Callable[[], Engine]) -> None:
        engine = make()
        if not isinstance(engine, ScoresTexts):
            pytest.skip("this engine does not score texts")
        text = "A coruja não canta; the lark sings at dawn. " * 6
        windows: list[int] = []
        result = engine.text_logprobs(text, window=16, on_window=lambda window: windows.append(window.n_bytes))
        assert result.n_bytes == len(text.encode()) == sum(windows)
        assert result.bits_per_byte > 0
        with pytest.raises(ParetuneError):
            engine.text_logprobs("")

    def test_choices_written_by_the_engine_itself_are_handed_on_once(self, make: Callable[[], Engine]) -> None:
        engine = make()
        if not isinstance(engine, WritesChoices):
            pytest.skip("this engine is asked through generate")
        found: dict[int, str] = {}
        engine.written_choices(WRITTEN, 4, lambda position, text, tokens: found.update({position: text}), {1})
        assert sorted(found) == [0]
