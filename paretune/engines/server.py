"""An engine that asks a server: any that has OpenAI's `/v1/completions`, over HTTP (docs/servers.md).

What is sent is the rendered prompt, never a conversation: the server's chat template may be another than the
tokenizer's of model.path, which is read here for rendering and counting; weights are not.

Multiple choice is scored by log-probabilities where the server returns those of a prompt's own tokens ("echo"), of next
tokens that a request names ("tokens"), or of the most probable next tokens ("top N"); the last two for letters only.
Which it does is found out by asking.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from paretune.engines import http
from paretune.engines.base import Generation, Host, OnAnswer, OnOptions, OptionLogprobs, Sampling
from paretune.engines.hf.tokens import EncodedQuestion, Tokens, encode_prompts
from paretune.engines.http import Connection, RefusedError, Server
from paretune.errors import ConfigError, EngineError, ModelError, PromptError
from paretune.files import file_sha256, fingerprint
from paretune.models.adapters import adapter_fingerprint
from paretune.models.chat import Message, completion, encode, render
from paretune.records import ChoicePrompt, Method

_TRAINED = "adapter"  # the folder in a variant's that training writes; the variant's name says which one it is
_FEWEST_TOP = 5  # most probable tokens that hosted services return at most
_NOT_OFFERED = (400, 404, 405, 422, 501)  # how servers say that they do not know a field
_PROBE_TOKENS = 24
_PROBES = (
    "Write one SQLite query that answers the question. Reply with the query only.\nQuestion: How many are there?",
    "Which column joins them? CREATE TABLE singer (id INTEGER, name TEXT); CREATE TABLE song (singer_id INTEGER)",
    "Name the capital of France.",
    "Explain in one sentence why the sky is blue.",
    "List the names of all cities with more than one million inhabitants, the largest first.",
    "Continue: 2, 4, 8, 16,",
)
_TOKENS_OF_ITS_OWN = 2  # that a server may put in front of a prompt
_SAME = 1e-6  # between log-probabilities of one computation made twice
_MARKS_OF_A_SPACE = ("\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}", "\N{LOWER ONE EIGHTH BLOCK}")  # in names of tokens


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """[engine] of kind "server".

    url: up to and with /v1. model: what the server calls the base model (absent: it has one). adapters: the last part
    of a variant's `adapter`, or the name of a variant trained in this run -> what the server calls it; not needed where
    both are the same. concurrency: requests at once. limit_seconds: for one request. retries: further attempts at a
    request that failed, pause_seconds: before the first of them. top_logprobs: of the next token, where the server has
    no others. check_adapters: refuse a server that answers with an adapter exactly as without.
    """

    url: str
    model: str | None = None
    adapters: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = field(default=16, metadata={"minimum": 1, "maximum": 1024})
    limit_seconds: float = field(default=300.0, metadata={"above": 0.0})
    retries: int = field(default=5, metadata={"minimum": 0, "maximum": 100})
    pause_seconds: float = field(default=1.0, metadata={"above": 0.0, "maximum": 600.0})
    top_logprobs: int = field(default=20, metadata={"minimum": 2, "maximum": 1000})
    check_adapters: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("engine.url: expected an address such as http://127.0.0.1:8000/v1")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ConfigError("engine.url: expected an address alone, without name, password or query; give the key in "
                              f"the environment, as {http.KEY_VARIABLE}")  # fmt: skip

    @property
    def base_url(self) -> str:
        """The address that paths are added to.

        >>> ServerSettings("http://127.0.0.1:8000/").base_url
        'http://127.0.0.1:8000/v1'
        """
        address = self.url.rstrip("/")
        return address if urlsplit(address).path else f"{address}/v1"


@dataclass(frozen=True, slots=True)
class Served:
    """What asks for one state of the model. model: its name on the server; loras: llama.cpp's adapters by their
    number, with the scale of each."""

    model: str
    loras: tuple[tuple[int, float], ...] = ()

    def fields(self) -> dict[str, Any]:
        """The parts of a request that choose it. llama.cpp's cache takes keys and values of a prompt for those of
        another scale of its adapters: it is off where there are adapters.

        >>> Served("base", ((0, 0.5),)).fields()
        {'model': 'base', 'lora': [{'id': 0, 'scale': 0.5}], 'cache_prompt': False}
        """
        loras = [{"id": number, "scale": scale} for number, scale in self.loras]
        return {"model": self.model, **({"lora": loras, "cache_prompt": False} if loras else {})}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a server says of itself. models: name -> the rest of its entry; loras: number -> path, of llama.cpp's."""

    base: str
    version: str | None
    models: Mapping[str, Mapping[str, Any]]
    loras: Mapping[int, str]


class ServerEngine:
    """Answers by asking a server; an adapter is a model of its own there, or one of llama.cpp's with a scale."""

    Settings: ClassVar[type[Any]] = ServerSettings
    takes_peft: ClassVar[bool] = False

    def __init__(self, settings: ServerSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._server = Server(
            settings.base_url, settings.concurrency, settings.limit_seconds, settings.retries, settings.pause_seconds
        )
        self._active: Served | None = None  # inside `variant`
        self._told_of_fewer = False
        self._differing: set[Served] = set()  # of which it is known that they do not answer as the base model

    @classmethod
    def build(cls, settings: Any, host: Host) -> ServerEngine:
        """See EngineKind."""
        return cls(settings, host)

    @property
    def conditions(self) -> Mapping[str, Any]:
        """See Engine. Another address, version or way of scoring makes other answers; the key is no part of it."""
        decided = {"kind": "server", **self._identity, "choices": self._choices or "written"}
        return {"engine": decided}

    @property
    def context_tokens(self) -> int:
        """See Engine. The model's, or the server's where that is shorter and it says so."""
        own = self._host.model.context_alone
        served = self._known.models.get(self._known.base, {}).get("max_model_len")
        return min(own, served) if isinstance(served, int) and served > 0 else own

    def render(self, messages: Sequence[Message], cue: str = "Answer") -> str:
        """See Engine."""
        return render(self._tokenizer, messages, cue)

    def completion(self, messages: Sequence[Message], answer: str) -> str:
        """See Engine."""
        return completion(self._tokenizer, messages, answer)

    def count_tokens(self, text: str) -> int:
        """See Engine."""
        return len(encode(self._tokenizer, text))

    def adapter_fingerprint(self, adapter: Path) -> str:
        """See Engine. Of what the server calls it, and of the files where they are here: it shows none of its own."""
        served = self._served(adapter, 1.0)
        named = [served.model, [[self._known.loras[number], scale] for number, scale in served.loras]]
        if (adapter / "adapter_config.json").is_file():
            named.append(adapter_fingerprint(adapter))
        elif adapter.is_file():
            named.append(file_sha256(adapter))
        return fingerprint(named)

    def describe(self) -> Mapping[str, Any]:
        """See Engine."""
        return {"name": self._known.base, "engine": "server", **self._identity}

    @contextmanager
    def variant(self, adapter: Path | None, scale: float = 1.0) -> Iterator[None]:
        """See Engine. Raises EngineError where the server answers with the adapter exactly as without."""
        served = self._base if adapter is None or scale == 0 else self._served(adapter, scale)
        if served != self._base and served not in self._differing and self._settings.check_adapters:
            self._require_difference(served, str(adapter))
        before, self._active = self._active, served
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
        """See Engine. Each prompt is one request: a server forms its batches. Whether it uses a seed
        is its own affair."""
        served, known = self._now, set(answered)

        async def ask(connection: Connection, position: int) -> Generation:
            name, body = f"prompt {position}", self._greedy(served, prompts[position], max_new_tokens)
            if sampling is not None:
                body |= {"temperature": sampling.temperature, "seed": sampling.seeds[position]}
            choice = await _completion(connection, body, name)
            self._require_whole(name, prompts[position], choice["prompt_tokens"])
            return self._generation(name, choice, max_new_tokens)

        http.each(self._server, (place for place in range(len(prompts)) if place not in known), ask, on_answer)

    def option_logprobs(
        self, prompts: Sequence[ChoicePrompt], on_options: OnOptions, answered: Collection[int] = ()
    ) -> None:
        """See Engine. Raises EngineError where the server returns no log-probabilities of the options."""
        known = set(answered)
        wanted = [position for position in range(len(prompts)) if position not in known]
        if not wanted:
            return
        for position in wanted:
            if prompts[position].method not in self.choice_methods():
                raise EngineError(f"question {prompts[position].question.id}: the server returns no log-probabilities "
                                  'of its options; set general.method = "generate"')  # fmt: skip
        questions = _encoded(self._tokenizer, prompts)
        for position in wanted:
            self._refuse_too_long(prompts[position], questions[position])
        served = self._now

        async def ask(connection: Connection, position: int) -> OptionLogprobs:
            prompt, question = prompts[position], questions[position]
            values = await self._option_values(connection, served, prompt, question)
            return OptionLogprobs(values, max(map(len, question.contexts)))

        http.each(self._server, wanted, ask, on_options)

    def choice_methods(self) -> Collection[Method]:
        """See ScoresSomeChoices."""
        scored: tuple[Method, ...] = ("letter", "cloze") if self._choices == "echo" else ("letter",)
        return ("generate",) if self._choices is None else (*scored, "generate")

    def release(self) -> None:
        """See Engine."""

    # What the server is

    @cached_property
    def _known(self) -> _Known:
        listed = http.get(self._server, "/models")
        entries = listed.get("data") if isinstance(listed, dict) else None
        models = {
            str(entry["id"]): entry
            for entry in entries or ()
            if isinstance(entry, dict) and entry.get("id") is not None
        }
        base = self._settings.model
        if base is None:
            bases = [name for name, entry in models.items() if not entry.get("parent")]
            if len(bases) != 1:
                there = f"it has {', '.join(bases)}" if bases else "it lists none"
                raise ConfigError(
                    f"engine.model: missing; name the base model as {self._server.url} calls it ({there})"
                )
            base = bases[0]
        return _Known(base, self._version(), models, self._loras())

    def _version(self) -> str | None:
        """By the addresses at which vLLM, Ollama and llama.cpp say it; None where no address does."""
        for path, key in (("/version", "version"), ("/api/version", "version"), ("/props", "build_info")):
            said = http.get(self._server, path, root=True)
            if isinstance(said, dict) and isinstance(said.get(key), str):
                return str(said[key])
        return None

    def _loras(self) -> dict[int, str]:
        said = http.get(self._server, "/lora-adapters", root=True)
        entries = [entry for entry in said if isinstance(entry, dict)] if isinstance(said, list) else []
        return {int(entry["id"]): str(entry.get("path", "")) for entry in entries if isinstance(entry.get("id"), int)}

    @property
    def _identity(self) -> dict[str, Any]:
        return {"url": self._server.url, "model": self._known.base, "version": self._known.version}

    @property
    def _base(self) -> Served:
        """The base model; llama.cpp's adapters are switched off, which they are not by default."""
        return Served(self._known.base, tuple((number, 0.0) for number in sorted(self._known.loras)))

    @property
    def _now(self) -> Served:
        return self._active if self._active is not None else self._base

    def _served(self, adapter: Path, scale: float) -> Served:
        """What asks for the adapter. Raises ModelError naming what the server has."""
        called = adapter.parent.name if adapter.name == _TRAINED else adapter.name
        known, mapping = self._known, self._settings.adapters
        mapped = mapping.get(called, mapping.get(adapter.name))
        names = (str(adapter), called) if mapped is None else (mapped,)
        for number, path in known.loras.items():
            place = Path(path)
            if any(name in (path, place.name, place.stem, str(number)) for name in names) or _same_file(place, adapter):
                return Served(known.base, tuple((other, scale * (other == number)) for other in sorted(known.loras)))
        by_root = [name for name, entry in known.models.items() if _same_file(Path(str(entry.get("root"))), adapter)]
        found = mapped or next((name for name in names if name in known.models), by_root[0] if by_root else None)
        if found is None or found == known.base:
            there = [*(name for name in known.models if name != known.base), *known.loras.values()]
            has = f"it has {', '.join(there)}" if there else "it has none"
            raise ModelError(f"{adapter}: {self._server.url} has no such adapter ({has}); give it to the server, or "
                             f"say what it is called there: engine.adapters.{called} = NAME")  # fmt: skip
        if scale != 1.0:
            raise ModelError(f"{adapter}: adapter_scale = {scale:g}: {self._server.url} takes no scale; llama.cpp's "
                             "server does, and the engine \"transformers\"")  # fmt: skip
        return Served(found)

    def _require_difference(self, served: Served, adapter: str) -> None:
        """Raises EngineError where a server takes the adapter's name and answers as if there were none."""
        base, again, tuned = (self._probe(state) for state in (self._base, self._base, served))
        noise = max((abs(one - other) for one, other in zip(base[1], again[1], strict=True)), default=0.0)
        moved = max((abs(one - other) for one, other in zip(base[1], tuned[1], strict=True)), default=0.0)
        if base[0] == tuned[0] and moved <= max(_SAME, 4 * noise):
            raise EngineError(
                f"{adapter}: {self._server.url} answers {len(_PROBES)} questions with it exactly as without: it "
                "ignores the adapter. Start the server with it (docs/servers.md), or set engine.check_adapters = false "
                "for one that changes so little"
            )
        self._differing.add(served)

    def _probe(self, served: Served) -> tuple[list[str], list[float]]:
        """Answers, and what their most probable first tokens have, where the server says so."""
        texts: dict[int, str] = {}
        values: dict[int, float] = {}
        prompts = [self.render([{"role": "user", "content": text}]) for text in _PROBES]

        async def ask(connection: Connection, position: int) -> tuple[str, float | None]:
            body = self._greedy(served, prompts[position], _PROBE_TOKENS)
            text = str((await _completion(connection, body, "a probe"))["text"])
            if self._choices is None:
                return text, None
            body = {**self._greedy(served, prompts[position], 1), "logprobs": _FEWEST_TOP}
            listed = _top_logprobs(await _completion(connection, body, "a probe"))
            return text, max(listed.values()) if listed else None

        def tell(position: int, answer: tuple[str, float | None]) -> None:
            texts[position] = answer[0]
            if answer[1] is not None:
                values[position] = answer[1]

        http.each(self._server, range(len(prompts)), ask, tell)
        return [texts[place] for place in range(len(prompts))], [
            values.get(place, 0.0) for place in range(len(prompts))
        ]

    # Writing

    def _greedy(self, served: Served, text: str, max_new_tokens: int) -> dict[str, Any]:
        ends = [self._end_of_turn] if self._end_of_turn else []
        stop = {"stop": ends} if ends else {}
        return {**served.fields(), "prompt": self._sent(text), "max_tokens": max_new_tokens, "temperature": 0.0, **stop}

    def _sent(self, text: str) -> str:
        """The text without the beginning-of-sequence token that a server puts in front of every text by itself."""
        return text.removeprefix(self._first_token) if self._first_token else text

    def _require_whole(self, name: str, prompt: str, read: int | None) -> None:
        """Raises EngineError where the server has read more than the prompt; says so where it reports less, which may
        be a cut or a cache."""
        wanted = self.count_tokens(prompt)
        if read is None or abs(read - wanted) <= _TOKENS_OF_ITS_OWN:
            return
        told = f"{name}: {self._server.url} reports {read} tokens read, the prompt has {wanted}"
        if read > wanted:
            raise EngineError(f"{told}: it puts prompts into a template of its own, or model.path names another "
                              "model's tokenizer; see docs/servers.md")  # fmt: skip
        if not self._told_of_fewer:
            self._told_of_fewer = True
            self._host.say(f"note: {told}: where its context is shorter than that, it cuts prompts (docs/servers.md)")

    def _generation(self, name: str, choice: Mapping[str, Any], max_new_tokens: int) -> Generation:
        text = str(choice["text"])
        if self._end_of_turn:
            text = text.partition(self._end_of_turn)[0]
        reason = choice.get("finish_reason")
        if reason == "content_filter":
            raise EngineError(f"{name}: the server's filter has cut the answer; such a server cannot be measured")
        counted = choice["completion_tokens"]
        tokens = counted if counted is not None else self.count_tokens(text) + (reason != "length")
        tokens = min(max(tokens, 1), max_new_tokens)
        finish: Any = "length" if reason == "length" or (reason is None and tokens == max_new_tokens) else "stop"
        ending = self._host.ending
        end = ending.find(text) if ending is not None else None
        if ending is None or end is None:
            return Generation(text, tokens, finish)
        chatter = max(0, tokens - self.count_tokens(text[:end]) - (finish == "stop"))
        if ending.stops:
            return Generation(text[:end], tokens, "statement", chatter)
        return Generation(text, tokens, finish, chatter)

    # Multiple choice

    @cached_property
    def _choices(self) -> str | None:
        """How options are scored: "echo", "tokens", "top N", or None: not at all."""
        text = "The first letter of the alphabet is"
        asked = {**self._base.fields(), "prompt": text, "max_tokens": 1, "temperature": 0.0}
        wanted = self.count_tokens(text)
        choice = self._tried({**asked, "echo": True, "logprobs": 1})
        if choice is not None and wanted <= len(_token_logprobs(choice)) <= wanted + 2:
            return "echo"
        if self._names_tokens:
            return "tokens"
        for number in dict.fromkeys((self._settings.top_logprobs, _FEWEST_TOP)):
            choice = self._tried({**asked, "logprobs": number})
            if choice is not None and len(_top_logprobs(choice)) > 1:
                return f"top {number}"
        return None

    @cached_property
    def _names_tokens(self) -> bool:
        """Whether the server returns log-probabilities of the next tokens that a request names: one request per
        question instead of one per option, and unlike echo it may use a cache of prompts."""
        text = "The first letter of the alphabet is"
        wanted = sorted(set(encode(self._tokenizer, text)))[:2]
        asked = {**self._base.fields(), "prompt": text, "max_tokens": 1, "temperature": 0.0}
        choice = self._tried({**asked, **_naming(wanted)})
        return choice is not None and set(map(_name, wanted)) <= _top_logprobs(choice).keys()

    def _tried(self, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        try:
            return http.post(self._server, "/completions", body, _read)
        except RefusedError as error:
            if error.status in _NOT_OFFERED:
                return None
            raise

    async def _option_values(
        self, connection: Connection, served: Served, prompt: ChoicePrompt, question: EncodedQuestion
    ) -> tuple[float, ...]:
        name = f"question {prompt.question.id}"
        asked = {**served.fields(), "max_tokens": 1, "temperature": 0.0}
        if self._names_tokens and len(prompt.contexts) == 1 and all(len(one) == 1 for one in question.continuations):
            tokens = [one[0] for one in question.continuations]
            body = {**asked, "prompt": self._sent(_option_text(prompt, 0)[0].rstrip()), **_naming(tokens)}
            return _named(await _completion(connection, body, name), tokens, len(question.contexts[0]), name)
        if self._choices != "echo":
            if any(len(tokens) > 1 for tokens in question.continuations):
                raise EngineError(f"{name}: a letter of several tokens, of which the server tells only the first; set "
                                  'general.method = "generate"')  # fmt: skip
            number, text = int(str(self._choices).removeprefix("top ")), _option_text(prompt, 0)[0]
            body = {**asked, "prompt": self._sent(text.rstrip()), "logprobs": number}
            letters = [text[len(text.rstrip()) :] + letter for letter in prompt.continuations]
            return _among(_top_logprobs(await _completion(connection, body, name)), letters, name)
        values: list[float] = []
        for option, (context, continuation) in enumerate(zip(question.contexts, question.continuations, strict=True)):
            body = {**asked, "prompt": self._sent("".join(_option_text(prompt, option))), "echo": True, "logprobs": 1}
            choice = await _completion(connection, body, name)
            values.append(_sum_of_last(choice, len(context) + len(continuation), len(continuation), name))
        return tuple(values)

    def _refuse_too_long(self, prompt: ChoicePrompt, question: EncodedQuestion) -> None:
        longest = max(map(sum, zip(map(len, question.contexts), map(len, question.continuations), strict=True)))
        if longest >= self.context_tokens:
            raise PromptError(f"question {prompt.question.id}: {longest} tokens, but the context holds "
                              f"{self.context_tokens}; use fewer shots")  # fmt: skip

    # The tokenizer

    @property
    def _tokenizer(self) -> Any:
        return self._host.model.tokenizer_alone

    @cached_property
    def _end_of_turn(self) -> str:
        answer = "SELECT 1"
        return completion(self._tokenizer, [{"role": "user", "content": "a"}], answer).rpartition(answer)[2].strip()

    @cached_property
    def _first_token(self) -> str:
        """The text of the token that the tokenizer puts in front of every text; "" where it puts none."""
        tokenizer = self._tokenizer
        first = tokenizer("a")["input_ids"][0]
        return str(tokenizer.bos_token) if first == tokenizer.bos_token_id and first is not None else ""


async def _completion(connection: Connection, body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        return await connection.post("/completions", body, _read)
    except RefusedError as error:
        raise RefusedError(f"{name}: {error}", error.status) from error


def _read(reply: Any) -> Mapping[str, Any]:
    """The one answer of a reply, with the numbers of tokens beside it. Raises ValueError where there is none."""
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("its answer holds no choices")
    if not isinstance(choices[0].get("text"), str):
        raise ValueError("its answer holds no text")
    usage = reply.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    counts = {key: usage[key] if isinstance(usage.get(key), int) else None
              for key in ("prompt_tokens", "completion_tokens")}  # fmt: skip
    return {**choices[0], **counts}


def _token_logprobs(choice: Mapping[str, Any]) -> list[float | None]:
    """Of every token of an echoed prompt, the written one behind it left out."""
    logprobs = choice.get("logprobs")
    values = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    if not isinstance(values, list):
        return []
    written = 1 if choice["completion_tokens"] is None else choice["completion_tokens"]
    return values[: len(values) - written]


def _sum_of_last(choice: Mapping[str, Any], whole: int, last: int, name: str) -> float:
    """The log-probability of a prompt's last tokens. whole: how many tokens the tokenizer here makes of the prompt."""
    values = _token_logprobs(choice)
    _require_same_tokens(len(values), whole, name)
    known = [value for value in values[len(values) - last :] if isinstance(value, (int, float))]
    if len(known) < last:
        raise EngineError(f"{name}: the server leaves out log-probabilities of the option's tokens")
    return min(0.0, float(sum(known)))


def _require_same_tokens(read: int, whole: int, name: str) -> None:
    if not whole - 1 <= read <= whole + 1:
        raise EngineError(f"{name}: the server makes {read} tokens of what is {whole} by the tokenizer of "
                          "model.path; name the model that is served")  # fmt: skip


def _naming(tokens: Sequence[int]) -> dict[str, Any]:
    """The fields of a request that ask for the log-probabilities of these next tokens, in vLLM's words."""
    return {"logprobs": 1, "logprob_token_ids": list(tokens), "return_tokens_as_token_ids": True}


def _name(token: int) -> str:
    return f"token_id:{token}"


def _named(choice: Mapping[str, Any], tokens: Sequence[int], whole: int, name: str) -> tuple[float, ...]:
    """The log-probabilities of the next tokens that were named. whole: how many tokens the tokenizer here makes of
    the prompt."""
    if choice["prompt_tokens"] is not None:
        _require_same_tokens(choice["prompt_tokens"], whole, name)
    listed = _top_logprobs(choice)
    if any(_name(token) not in listed for token in tokens):
        raise EngineError(f"{name}: the server leaves out log-probabilities of the option's tokens")
    return tuple(min(0.0, listed[_name(token)]) for token in tokens)


def _top_logprobs(choice: Mapping[str, Any]) -> dict[str, float]:
    """The most probable next tokens, in the form of OpenAI's completions or in that of its conversations."""
    logprobs = choice.get("logprobs")
    if not isinstance(logprobs, dict):
        return {}
    tops = logprobs.get("top_logprobs")
    if isinstance(tops, list) and tops and isinstance(tops[0], dict):
        return {_plain(token): float(value) for token, value in tops[0].items()}
    content = logprobs.get("content")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        listed = content[0].get("top_logprobs")
        return {_plain(str(item["token"])): float(item["logprob"]) for item in listed or () if "logprob" in item}
    return {}


def _among(listed: Mapping[str, float], letters: Sequence[str], name: str) -> tuple[float, ...]:
    """The options' values among the most probable tokens; of one that is not among them no more than the least."""
    if not any(letter in listed for letter in letters):
        raise EngineError(f"{name}: none of its letters is among the {len(listed)} most probable tokens; raise "
                          'engine.top_logprobs, or set general.method = "generate"')  # fmt: skip
    least = min(listed.values())
    return tuple(min(0.0, listed.get(letter, least)) for letter in letters)


def _plain(token: str) -> str:
    for mark in _MARKS_OF_A_SPACE:
        token = token.replace(mark, " ")
    return token


def _option_text(prompt: ChoicePrompt, option: int) -> tuple[str, str]:
    context = prompt.contexts[option if len(prompt.contexts) > 1 else 0]
    return prompt.prefix + context, prompt.continuations[option]


def _encoded(tokenizer: Any, prompts: Sequence[ChoicePrompt]) -> list[EncodedQuestion]:
    """Every question's whole contexts and continuations as tokens, in the order of the prompts."""
    encoded: dict[int, EncodedQuestion] = {}
    for group in encode_prompts(tokenizer, prompts):
        for item in group.questions:
            contexts: tuple[Tokens, ...] = tuple(group.prefix + context for context in item.contexts)
            encoded[item.index] = EncodedQuestion(item.index, contexts, item.continuations)
    return [encoded[index] for index in range(len(prompts))]


def _same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
