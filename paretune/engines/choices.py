"""One suite of multiple choice asked of any engine, and judged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from paretune.choice.verdict import judge, judge_written
from paretune.engines.base import Engine, Generation, OnWritten, OptionLogprobs, WritesChoices
from paretune.records import ChoiceAnswer, ChoicePrompt

WRITTEN_TOKENS = 16  # that an answer in writing may have; the letter stands in the first few

OnChoice = Callable[[ChoiceAnswer], None]


def answer_choices(
    engine: Engine,
    prompts: Sequence[ChoicePrompt],
    *,
    suite: str,
    variant: str,
    on_answer: OnChoice,
    answered: Collection[tuple[str, str]] = (),
) -> None:
    """Ask every prompt with the engine as it stands; on_answer receives each verdict once, as soon as it is known.

    Prompts of the methods letter, cloze and generate may be mixed. answered: (method, question id) of what an earlier
    run has answered; to resume, give all prompts again and these (see Engine). Raises what the engine raises.
    """
    scored = [prompt for prompt in prompts if prompt.method != "generate"]
    written = [prompt for prompt in prompts if prompt.method == "generate"]

    def on_options(position: int, options: OptionLogprobs) -> None:
        prompt = scored[position]
        on_answer(judge(prompt, options.values, suite, variant, prompt_tokens=options.prompt_tokens))

    def on_written(position: int, text: str, prompt_tokens: int) -> None:
        on_answer(judge_written(written[position], text, suite, variant, prompt_tokens=prompt_tokens))

    done = _positions(scored, answered)
    if len(done) < len(scored):
        engine.option_logprobs(scored, on_options, done)
    done = _positions(written, answered)
    if len(done) < len(written):
        _write(engine, written, on_written, done)


def _positions(prompts: Sequence[ChoicePrompt], answered: Collection[tuple[str, str]]) -> set[int]:
    known = set(answered)
    return {place for place, prompt in enumerate(prompts) if (prompt.method, prompt.question.id) in known}


def _write(engine: Engine, prompts: Sequence[ChoicePrompt], on_written: OnWritten, answered: Collection[int]) -> None:
    if isinstance(engine, WritesChoices):
        engine.written_choices(prompts, WRITTEN_TOKENS, on_written, answered)
        return
    texts = [(prompt.prefix + prompt.contexts[0]).rstrip() for prompt in prompts]

    def on_generation(position: int, generation: Generation) -> None:
        on_written(position, generation.text, engine.count_tokens(texts[position]))

    engine.generate(texts, WRITTEN_TOKENS, on_generation, answered)
