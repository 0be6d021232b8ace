"""The engine of transformers' models: the door of this room.

Importing this module loads nothing heavy; torch and transformers come with the first question. `fast = false` makes
every answer with the model's own forward, one text at a time: slow, and what the rest of the room is checked against.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from paretune.engines.base import Host, OnAnswer, OnOptions, OnWritten, Sampling
from paretune.engines.perplexity import PerplexityResult, WindowScore
from paretune.errors import ModelError
from paretune.models.adapters import adapter_fingerprint, on_base
from paretune.models.chat import Message, completion, encode, render
from paretune.models.load import LoadedModel, choose_precision
from paretune.records import ChoicePrompt

if TYPE_CHECKING:
    from paretune.engines.hf.options import ChoicePlan

_MOST_PLANS = 16  # suites whose packed prompts are kept


@dataclass(frozen=True, slots=True)
class TransformersSettings:
    """[engine] of kind "transformers". fast: shared prefixes, packed batches and fused kernels; false: the model's own
    forward."""

    fast: bool = True


class HfEngine:
    """Answers with the model of the [model] table; adapters are folders in PEFT's format.

    What weights do not enter (tokens, packing) is done once for the base model and all its adapters, as long as the
    same prompts are asked.
    """

    Settings: ClassVar[type[Any]] = TransformersSettings
    takes_peft: ClassVar[bool] = True

    def __init__(self, settings: TransformersSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._active: Any = None  # the model with an adapter, inside `variant`
        self._plans: list[ChoicePlan] = []

    @classmethod
    def build(cls, settings: Any, host: Host) -> HfEngine:
        """See EngineKind."""
        return cls(settings, host)

    @property
    def conditions(self) -> Mapping[str, Any]:
        """See Engine. The usual way says nothing of itself: answers made before there was a choice stay valid."""
        model = self._host.model
        decided: dict[str, Any] = {
            "weights": model.source.weights,
            "precision": choose_precision(model.config.precision),
            "quantization": model.config.quantization,
        }
        if not self._settings.fast:
            decided["engine"] = {"kind": "transformers", "fast": False}
        return decided

    @property
    def context_tokens(self) -> int:
        """See Engine."""
        return self._host.model.context_tokens

    def render(self, messages: Sequence[Message], cue: str = "Answer") -> str:
        """See Engine."""
        return render(self._host.model.tokenizer, messages, cue)

    def completion(self, messages: Sequence[Message], answer: str) -> str:
        """See Engine."""
        return completion(self._host.model.tokenizer, messages, answer)

    def count_tokens(self, text: str) -> int:
        """See Engine."""
        return len(encode(self._host.model.tokenizer, text))

    def adapter_fingerprint(self, adapter: Path) -> str:
        """See Engine."""
        if not (adapter / "adapter_config.json").is_file():
            raise ModelError(f"{adapter}: no adapter_config.json; expected an adapter in PEFT's format")
        return adapter_fingerprint(adapter)

    def describe(self) -> Mapping[str, Any]:
        """See Engine."""
        return describe_model(self._host.model.load())

    @contextmanager
    def variant(self, adapter: Path | None, scale: float = 1.0) -> Iterator[None]:
        """See Engine. The adapter stays unmerged and computes in the base's precision."""
        with on_base(self._host.model.load(), adapter, scale) as model, self.lent(model):
            yield

    @contextmanager
    def lent(self, model: Any) -> Iterator[None]:
        """Within, answer with this model as it stands (eval mode), such as one that is being trained."""
        before, self._active = self._active, model
        try:
            yield
        finally:
            self._active = before

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        on_answer: OnAnswer,
        answered: Collection[int] = (),
        sampling: Sampling | None = None,
    ) -> None:
        """See Engine."""
        from paretune.engines.hf.generate import TransformersEngine

        host, fast = self._host, self._settings.fast
        engine = TransformersEngine(
            self._model,
            host.model.tokenizer,
            host.batch_size if fast else 1,
            ending=host.ending,
            say=host.say,
            fast=fast,
        )
        engine.generate(prompts, max_new_tokens, on_answer, answered, sampling)

    def option_logprobs(
        self, prompts: Sequence[ChoicePrompt], on_options: OnOptions, answered: Collection[int] = ()
    ) -> None:
        """See Engine."""
        model = self._model
        if not self._settings.fast:
            from paretune.engines.hf.own_forward import option_logprobs

            option_logprobs(model, self._host.model.tokenizer, prompts, on_options, answered)
            return
        from paretune.engines.hf.options import score_plan

        score_plan(model, self._plan(prompts, model.device.type), on_options, answered)

    def written_choices(
        self,
        prompts: Sequence[ChoicePrompt],
        max_new_tokens: int,
        on_written: OnWritten,
        answered: Collection[int] = (),
    ) -> None:
        """See WritesChoices. The text is the prompt's as it stands, with the tokenizer's own special tokens."""
        if not self._settings.fast:
            from paretune.engines.hf.own_forward import written_choices

            written_choices(self._model, self._host.model.tokenizer, prompts, max_new_tokens, on_written, answered)
            return
        from paretune.engines.hf.written_choice import write_choices

        budget = self._host.token_budget
        write_choices(
            self._model, self._host.model.tokenizer, prompts, max_new_tokens, on_written, answered, token_budget=budget
        )

    def text_logprobs(
        self, text: str, *, window: int | None = None, on_window: Callable[[WindowScore], None] = lambda score: None
    ) -> PerplexityResult:
        """See ScoresTexts. Raises EngineError where one window does not fit the memory."""
        from paretune.engines.hf.perplexity import measure_perplexity

        return measure_perplexity(
            self._model,
            self._host.model.tokenizer,
            text,
            window=window,
            token_budget=self._host.token_budget,
            on_window=on_window,
            fast=self._settings.fast,
        )

    def lm_eval_model(self, batch_size: int) -> Any:
        """See RunsLmEval. Prompts longer than the context are cut from the left, as lm-eval does."""
        import copy

        from lm_eval.models.huggingface import HFLM

        own = copy.deepcopy(self._host.model.tokenizer)  # lm-eval changes its settings
        longest = self._host.model.load().context_tokens
        return HFLM(pretrained=self._model, tokenizer=own, batch_size=batch_size, max_length=longest)

    def release(self) -> None:
        """See Engine."""
        for plan in self._plans:
            plan.release()

    def _plan(self, prompts: Sequence[ChoicePrompt], device: str) -> ChoicePlan:
        """The prompts packed for this kind of device; a plan is kept for the variants that follow."""
        from paretune.engines.hf.options import plan_choices

        wanted = tuple(prompts)
        for plan in self._plans:
            if plan.prompts == wanted:
                return plan
        plan = plan_choices(self._host.model.tokenizer, wanted, device=device, token_budget=self._host.token_budget)
        self._plans = [*self._plans[1 - _MOST_PLANS :], plan]
        return plan

    @property
    def _model(self) -> Any:
        return self._active if self._active is not None else self._host.model.load().model


def describe_model(base: LoadedModel) -> dict[str, Any]:
    """What the manifest says of a loaded model."""
    return {
        "name": base.source.names[0],
        "weights": base.source.weights,
        "precision": base.precision,
        "quantization": base.quantization,
        "device": str(base.model.device),
        "parameters": int(base.model.num_parameters()),
    }
