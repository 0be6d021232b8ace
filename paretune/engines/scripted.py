"""An engine that answers from functions, or from a Python file that holds them: a whole experiment without a model.

A script is a Python file with

    def answer(prompt: str) -> str                                  what is written after a prompt
    def option_logprobs(prompt: ChoicePrompt) -> Sequence[float]    one number per option (default: all alike)
    def text_bits(text: str) -> float                               what a piece of text costs (default: 8 per byte)
    def sample(prompt: str, seed: int) -> str                       one of several answers, for sampling

and an adapter is another such file. At a scale between 0 and 1 that share of the questions, drawn by what they say, is
answered as the adapter does and the others as the base does; so a scale has an effect without there being weights.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any, ClassVar

from paretune.engines.base import Generation, Host, OnAnswer, OnOptions, OptionLogprobs, Sampling
from paretune.engines.perplexity import PerplexityResult, WindowScore
from paretune.errors import ConfigError, EmptySample, EngineError, ModelError
from paretune.files import file_sha256
from paretune.models.chat import Message
from paretune.records import ChoicePrompt

DEFAULT_WINDOW = 2048


def _all_alike(prompt: ChoicePrompt) -> Sequence[float]:
    return [-math.log(len(prompt.continuations))] * len(prompt.continuations)


def _eight_per_byte(text: str) -> float:
    return 8.0 * len(text.encode())


def _no_sample(prompt: str, seed: int) -> str:
    raise NotImplementedError("expected a function sample(prompt, seed) in the script")


@dataclass(frozen=True, slots=True)
class Script:
    """What answers. fingerprint: of whatever decides the answers."""

    answer: Callable[[str], str]
    option_logprobs: Callable[[ChoicePrompt], Sequence[float]] = _all_alike
    text_bits: Callable[[str], float] = _eight_per_byte
    sample: Callable[[str, int], str] = _no_sample
    name: str = "functions"
    fingerprint: str = ""


def read_script(path: Path) -> Script:
    """The script in a Python file, which is run. Raises ModelError naming the file and what is wrong with it."""
    digest = _fingerprint(path)
    scope: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)
    except Exception as error:  # the user's own code
        raise ModelError(f"{path}: the script cannot be run ({type(error).__name__}: {error})") from error
    known = {name: scope[name] for name in ("answer", "sample", "option_logprobs", "text_bits") if name in scope}
    if not callable(known.get("answer")):
        raise ModelError(f"{path}: expected a function answer(prompt) in the script")
    return Script(**known, name=path.stem, fingerprint=digest)


def _fingerprint(path: Path) -> str:
    if not path.is_file():
        raise ModelError(f"{path}: not there; expected a Python file with a function answer(prompt)")
    return file_sha256(path)[:16]


@dataclass(frozen=True, slots=True)
class ScriptedSettings:
    """[engine] of kind "scripted". path: the script, a Python file; context_tokens: words that a prompt may have."""

    path: str
    context_tokens: int = 1 << 20


class ScriptedEngine:
    """Answers with a script; a word counts as a token."""

    Settings: ClassVar[type[Any]] = ScriptedSettings
    takes_peft: ClassVar[bool] = False

    def __init__(self, script: Script | Callable[[], Script], context_tokens: int = 1 << 20) -> None:
        self._given = script
        self._context_tokens = context_tokens
        self._adapter: tuple[Script, float] | None = None

    @classmethod
    def build(cls, settings: Any, host: Host) -> ScriptedEngine:
        """See EngineKind."""
        path = Path(settings.path)
        if not path.is_file():
            raise ConfigError(f"engine.path = {path}: no such file; expected a script of the scripted engine")
        return cls(lambda: read_script(path), settings.context_tokens)

    @property
    def conditions(self) -> Mapping[str, Any]:
        """See Engine."""
        return {"weights": self._script.fingerprint, "engine": {"kind": "scripted"}}

    @property
    def context_tokens(self) -> int:
        """See Engine."""
        return self._context_tokens

    def render(self, messages: Sequence[Message], cue: str = "Answer") -> str:
        """See Engine. "user: ..." and "assistant: ..." a paragraph each, the last one open."""
        turns = [f"{message['role']}: {message['content']}" for message in messages]
        return "\n\n".join([*turns, "assistant:"])

    def completion(self, messages: Sequence[Message], answer: str) -> str:
        """See Engine."""
        return f" {answer}"

    def count_tokens(self, text: str) -> int:
        """See Engine."""
        return len(text.split())

    def adapter_fingerprint(self, adapter: Path) -> str:
        """See Engine."""
        return _fingerprint(adapter)

    def describe(self) -> Mapping[str, Any]:
        """See Engine."""
        return {"name": self._script.name, "weights": self._script.fingerprint, "engine": "scripted"}

    @contextmanager
    def variant(self, adapter: Path | None, scale: float = 1.0) -> Iterator[None]:
        """See Engine."""
        before = self._adapter
        self._adapter = (read_script(adapter), scale) if adapter is not None else None
        try:
            yield
        finally:
            self._adapter = before

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        on_answer: OnAnswer,
        answered: Collection[int] = (),
        sampling: Sampling | None = None,
    ) -> None:
        """See Engine. Drawn answers are those of `sample`."""
        for position, prompt in enumerate(prompts):
            if position not in answered:
                name = f"prompt {position}"
                self._refuse_too_long(name, prompt, max_new_tokens)
                asked = methodcaller("answer", prompt)
                if sampling is not None:
                    asked = methodcaller("sample", prompt, sampling.seeds[position])
                words = self._call(name, prompt, asked).split(" ")
                kept = words[:max_new_tokens]
                on_answer(
                    position,
                    Generation(" ".join(kept), len(kept), "stop" if len(kept) == len(words) else "length"),
                )

    def option_logprobs(
        self, prompts: Sequence[ChoicePrompt], on_options: OnOptions, answered: Collection[int] = ()
    ) -> None:
        """See Engine."""
        for position, prompt in enumerate(prompts):
            if position in answered:
                continue
            name = f"question {prompt.question.id}"
            text = prompt.prefix + max(prompt.contexts, key=len)
            self._refuse_too_long(name, text, 1)
            values = self._call(name, text, methodcaller("option_logprobs", prompt))
            if len(values) != len(prompt.continuations):
                raise EngineError(f"{name}: the script gives {len(values)} log-probabilities for "
                                  f"{len(prompt.continuations)} options")  # fmt: skip
            on_options(position, OptionLogprobs(tuple(map(float, values)), self.count_tokens(text)))

    def text_logprobs(
        self, text: str, *, window: int | None = None, on_window: Callable[[WindowScore], None] = lambda score: None
    ) -> PerplexityResult:
        """See ScoresTexts. A window of words after another: no overlap, as a script sees no words before."""
        if not text:
            raise EmptySample("the text is empty: it has no bits per byte")
        size = window or DEFAULT_WINDOW
        words = text.split(" ")
        windows: list[WindowScore] = []
        for start in range(0, len(words), size):
            part = " ".join(words[start : start + size]) + (" " if start + size < len(words) else "")
            bits = float(self._call(f"word {start}", part, methodcaller("text_bits", part)))
            windows.append(WindowScore(len(words[start : start + size]), len(part.encode()), bits))
            on_window(windows[-1])
        return PerplexityResult(size, size, tuple(windows))

    def release(self) -> None:
        """See Engine."""

    @property
    def _script(self) -> Script:
        if not isinstance(self._given, Script):
            self._given = self._given()
        return self._given

    def _refuse_too_long(self, name: str, text: str, further: int) -> None:
        if self.count_tokens(text) + further > self._context_tokens:
            raise EngineError(f"{name}: longer than the context of {self._context_tokens} words; shorten it")

    def _call(self, name: str, question: str, ask: Callable[[Script], Any]) -> Any:
        """What base or adapter says, by a draw that the question alone decides."""
        script = self._script
        if self._adapter is not None:
            draw = int.from_bytes(hashlib.sha256(question.encode()).digest()[:6]) / 256**6
            script = self._adapter[0] if draw < self._adapter[1] else script
        try:
            return ask(script)
        except Exception as error:  # the user's own code
            raise EngineError(f"{name}: the script {script.name} fails ({type(error).__name__}: {error})") from error
