"""What an engine is: something that answers prompts, with a base model and with adapters over it.

`Engine` is what the pipeline needs; `WritesChoices`, `ScoresTexts` and `RunsLmEval` are abilities beyond it, which an
engine may have; `ScoresSomeChoices` is for one that lacks some. `tests/engines/contract.py` says the same as tests;
every engine passes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from paretune.engines.perplexity import PerplexityResult, WindowScore
from paretune.models.chat import Message
from paretune.models.load import ModelHandle
from paretune.records import ChoicePrompt, Method
from paretune.tasks import Ending

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer. tokens: how many were generated, the stop token included.

    finish: "stop", the model ended its turn; "statement", the engine ended it behind a complete statement; "length", it
    was cut off. chatter_tokens: of the tokens, those written behind a complete statement.
    """

    text: str
    tokens: int
    finish: Literal["stop", "length", "statement"]
    chatter_tokens: int = 0


@dataclass(frozen=True, slots=True)
class OptionLogprobs:
    """What a model makes of one question's options.

    values: (n_options,) natural log of P(continuation | prefix + context), summed over tokens. prompt_tokens: of the
    prefix and the longest context.
    """

    values: tuple[float, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Sampling:
    """Answers that are drawn instead of the most probable ones.

    temperature: above 0. seeds: (n_prompts,), each alone with its prompt decides the draw, whatever else is asked.
    """

    temperature: float
    seeds: tuple[int, ...]


OnAnswer = Callable[[int, Generation], None]
OnOptions = Callable[[int, OptionLogprobs], None]
OnWritten = Callable[[int, str, int], None]  # position, text, tokens of the prompt


@dataclass(frozen=True, slots=True)
class Host:
    """What an engine is given. model: weights and tokenizer, had when first asked for; batch_size: prompts that
    `generate` answers together, token_budget: tokens that `option_logprobs` and the like compute together (None: as
    the engine sees fit); ending: where an answer of the task is complete; say: tells the user one line."""

    model: ModelHandle
    batch_size: int | None = None
    token_budget: int | None = None
    ending: Ending | None = None
    say: Say = lambda line: None


class Engine(Protocol):
    """Answers prompts. Nothing is loaded before the first question or the first `variant`.

    What is asked comes with positions: answers are handed on as they are ready, in any order, each once. `answered`
    names positions that need no answer; they may not change the others' answers, so batches keep the members that
    they had when nothing was answered, and a resumed run gives what an uninterrupted one gives.
    """

    @property
    def conditions(self) -> Mapping[str, Any]:
        """What decides an answer beside prompt and adapter, as JSON values; it is part of the answers' fingerprint."""

    @property
    def context_tokens(self) -> int:
        """Tokens that a prompt and its answer may have together. Raises ModelError where the model is not there."""

    def render(self, messages: Sequence[Message], cue: str = "Answer") -> str:
        """The prompt: the exact text up to where the model answers. messages alternate, user first and last; cue: the
        word before an answer where there is no chat template."""

    def completion(self, messages: Sequence[Message], answer: str) -> str:
        """What follows the rendered prompt when the model answers so, its end of turn included."""

    def count_tokens(self, text: str) -> int:
        """Tokens of a rendered text."""

    def adapter_fingerprint(self, adapter: Path) -> str:
        """Fingerprint of all that an adapter brings. Raises ModelError where it is none for this engine."""

    def describe(self) -> Mapping[str, Any]:
        """What the manifest says of the model that answers; loads it."""

    def variant(self, adapter: Path | None, scale: float = 1.0) -> AbstractContextManager[None]:
        """Within, the base model answers with the adapter at that scale (None: without any); after it, as before.

        Raises ModelError where the adapter does not fit the base model.
        """

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        on_answer: OnAnswer,
        answered: Collection[int] = (),
        sampling: Sampling | None = None,
    ) -> None:
        """Answer every rendered prompt, greedily unless sampling says otherwise: on_answer(position, generation).

        Raises EngineError naming the prompt that cannot be answered.
        """

    def option_logprobs(
        self, prompts: Sequence[ChoicePrompt], on_options: OnOptions, answered: Collection[int] = ()
    ) -> None:
        """The log-probability of each option's continuation: on_options(position, options).

        Raises EngineError where one question alone is too much, PromptError where it does not fit the context or an
        option has no token of its own.
        """

    def release(self) -> None:
        """Hand back the memory that only answering needs, for a training between two variants."""


@runtime_checkable
class WritesChoices(Protocol):
    """An engine that answers raw texts of multiple choice in its own way; others are asked through `generate`."""

    def written_choices(
        self,
        prompts: Sequence[ChoicePrompt],
        max_new_tokens: int,
        on_written: OnWritten,
        answered: Collection[int] = (),
    ) -> None:
        """Continue prefix and context, without a chat template: on_written(position, text, tokens of the prompt)."""


@runtime_checkable
class ScoresSomeChoices(Protocol):
    """An engine that `option_logprobs` cannot be asked of for every method; the others are asked in writing."""

    def choice_methods(self) -> Collection[Method]:
        """The methods of multiple choice that it can answer, "generate" among them."""


@runtime_checkable
class ScoresTexts(Protocol):
    """An engine that knows what a raw text costs."""

    def text_logprobs(
        self, text: str, *, window: int | None = None, on_window: Callable[[WindowScore], None] = lambda score: None
    ) -> PerplexityResult:
        """Every token of the text counted once, in windows. Raises EmptySample for an empty text."""


@runtime_checkable
class RunsLmEval(Protocol):
    """An engine that lm-eval can ask."""

    def lm_eval_model(self, batch_size: int) -> Any:
        """The model as it stands, as an `lm_eval.api.model.LM`."""


class EngineKind(Protocol):
    """A class of engines, as the registry and the entry points of `paretune.engines` name it.

    Settings: a frozen dataclass of the kind's own keys in the [engine] table, checked by its annotations. takes_peft:
    whether adapters are folders in PEFT's format, and so can be trained here.
    """

    Settings: ClassVar[type[Any]]
    takes_peft: ClassVar[bool]

    @classmethod
    def build(cls, settings: Any, host: Host) -> Engine:
        """The engine; neither weights nor data are read yet."""
