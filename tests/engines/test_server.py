from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from paretune.engines import server
from paretune.engines.base import Engine, Host
from paretune.engines.hf.engine import HfEngine
from paretune.engines.http import Connection
from paretune.engines.server import ServerEngine, ServerSettings
from paretune.errors import ConfigError, EngineError, ModelError
from paretune.models.load import LoadedModel, ModelHandle
from paretune.models.source import ModelSource
from paretune.tasks import Ending
from tests.engines.asked import engine_of
from tests.engines.contract import QUESTIONS, EngineContract, answers_of, assert_close, options_of, question, values_of
from tests.engines.hf.test_generate import model_that_stops
from tests.engines.loopback import VERSION, running
from tests.tiny_models import add_tiny_adapter, tiny_model, tiny_tokenizer

LETTERS = tuple(
    question(str(number), "", text, (" B", " a", " f"))  # of one token each
    for number, text in enumerate(("Which hoots?\nAnswer:", "Which sings?\nAnswer:", "Which one is right?\nAnswer:"))
)


def server_engine(
    url: str,
    *,
    ending: Ending | None = None,
    tokenizer: Any = None,
    say: Callable[[str], None] = lambda line: None,
    **settings: Any,
) -> ServerEngine:
    handle = ModelHandle.of(
        LoadedModel(None, tokenizer or tiny_tokenizer(), ModelSource(Path("tiny"), "", ("tiny",)), "", "none", 2048)
    )
    return ServerEngine(
        ServerSettings(url, **{"pause_seconds": 0.01, **settings}), Host(handle, ending=ending, say=say)
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny model that ends some answers by itself, and an adapter called "tuned" over it."""
    home = tmp_path_factory.mktemp("served")
    model, tokenizer = model_that_stops(), tiny_tokenizer()
    model.generation_config.eos_token_id += [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")]
    model.save_pretrained(home / "tiny")
    tokenizer.save_pretrained(home / "tiny")
    add_tiny_adapter(tiny_model("qwen2")).save_pretrained(home / "tuned")
    return home / "tiny", home / "tuned"


@pytest.fixture(scope="module")
def vllm(folders: tuple[Path, Path]) -> Iterator[str]:
    """A server with adapters by name and with echo."""
    with running(*folders) as url:
        yield url


@pytest.fixture(scope="module")
def llama_cpp(folders: tuple[Path, Path]) -> Iterator[str]:
    """A server with adapters by scale, and the most probable tokens alone."""
    with running(*folders, "--as", "llama.cpp", "--without", "echo") as url:
        yield url


@pytest.fixture
def embedded(folders: tuple[Path, Path]) -> HfEngine:
    """The same model in this process."""
    return engine_of(model_that_stops(), tiny_tokenizer(), fast=False)


class TestServerEngine(EngineContract):
    @pytest.fixture
    def make(self, vllm: str) -> Callable[[], Engine]:
        return lambda: server_engine(vllm, concurrency=3)

    @pytest.fixture
    def adapter(self, folders: tuple[Path, Path]) -> Path:
        return folders[1]


def test_server_answers_as_the_same_model_embedded(vllm: str, embedded: HfEngine, folders: tuple[Path, Path]) -> None:
    engine = server_engine(vllm)
    assert answers_of(engine) == answers_of(embedded)
    assert_close(values_of(engine), values_of(embedded))
    with engine.variant(folders[1]), embedded.variant(folders[1]):
        assert answers_of(engine) == answers_of(embedded)
        assert_close(values_of(engine), values_of(embedded))


def test_llama_cpp_takes_the_adapter_at_a_scale(llama_cpp: str, embedded: HfEngine, folders: tuple[Path, Path]) -> None:
    engine = server_engine(llama_cpp)
    engine_letters = server_engine(llama_cpp, top_logprobs=320)
    for adapter, scale in ((None, 1.0), (Path("tuned"), 1.0), (Path("tuned.gguf"), 0.5), (Path("tuned"), 0.0)):
        with engine.variant(adapter, scale), embedded.variant(adapter and folders[1], scale):
            assert answers_of(engine) == answers_of(embedded)
        with engine_letters.variant(adapter, scale), embedded.variant(adapter and folders[1], scale):
            assert_close(values_of(engine_letters, LETTERS), values_of(embedded, LETTERS))


def test_letter_beyond_the_most_probable_has_no_more_than_the_least_of_them(llama_cpp: str, embedded: HfEngine) -> None:
    exact = values_of(embedded, LETTERS)
    reached = 0
    for number in (250, 200, 20):
        engine = server_engine(llama_cpp, top_logprobs=number)
        if number == 20:
            with pytest.raises(EngineError, match=r"none of its letters .* raise engine\.top_logprobs"):
                options_of(engine, LETTERS)
            continue
        shown = values_of(engine, LETTERS)
        for ours, theirs in zip(shown, exact, strict=True):
            assert max(range(len(ours)), key=ours.__getitem__) == max(range(len(theirs)), key=theirs.__getitem__)
            assert all(one >= other - 1e-4 for one, other in zip(ours, theirs, strict=True))
            reached += any(one > other + 1e-3 for one, other in zip(ours, theirs, strict=True))
    assert reached
    with pytest.raises(EngineError, match=r"birds/0: a letter of several tokens"):
        options_of(server_engine(llama_cpp), QUESTIONS[:1])


@pytest.mark.parametrize("without", [(), ("echo",)])
def test_letters_of_one_token_are_exact_in_one_request(
    without: tuple[str, ...], embedded: HfEngine, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Mapping[str, Any]] = []
    ask = server._completion

    async def noted(connection: Connection, body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        sent.append(body)
        return await ask(connection, body, name)

    with running(*folders, "--without", *without) as url, embedded.variant(folders[1]):
        engine = server_engine(url, check_adapters=False)
        monkeypatch.setattr(server, "_completion", noted)
        with engine.variant(folders[1]):
            assert_close(values_of(engine, LETTERS), values_of(embedded, LETTERS))
    assert len(sent) == len(LETTERS)
    assert not any("echo" in body for body in sent)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"prompt_tokens": 9}, "q: the server makes 9 tokens of what is 7 by the tokenizer of model.path"),
        ({"prompt_tokens": None}, "q: the server leaves out log-probabilities of the option's tokens"),
    ],
)
def test_letters_named_are_refused_where_the_prompt_was_another_or_one_is_missing(
    choice: dict[str, Any], expected: str
) -> None:
    listed = {"logprobs": {"top_logprobs": [{"token_id:3": -1.0}]}}
    with pytest.raises(EngineError, match=expected):
        server._named({**choice, **listed}, [3, 4], 7, "q")


@pytest.mark.parametrize(
    ("without", "methods", "choices"),
    [((), {"letter", "cloze", "generate"}, "echo"), (("tokens",), {"letter", "cloze", "generate"}, "echo"),
     (("echo",), {"letter", "generate"}, "tokens"), (("echo", "tokens"), {"letter", "generate"}, "top 20"),
     (("echo", "logprobs"), {"generate"}, "written")],
)  # fmt: skip
def test_way_of_scoring_is_found_out(
    without: tuple[str, ...], methods: set[str], choices: str, folders: tuple[Path, Path]
) -> None:
    with running(*folders, "--without", *without) as url:
        engine = server_engine(url)
        assert set(engine.choice_methods()) == methods
        assert engine.conditions["engine"]["choices"] == choices
        if choices == "written":
            with pytest.raises(EngineError, match=r'birds/0: .* set general\.method = "generate"'):
                options_of(engine)


def test_conditions_name_address_model_and_version_and_no_key(vllm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETUNE_API_KEY", "very-secret")
    engine = server_engine(vllm)
    said = {"url": vllm, "model": "tiny", "version": VERSION}
    assert engine.conditions == {"engine": {"kind": "server", **said, "choices": "echo"}}
    assert engine.describe() == {"name": "tiny", "engine": "server", **said}
    assert "very-secret" not in repr([engine.conditions, engine.describe(), vars(engine)])


def test_adapter_ignored_is_caught(folders: tuple[Path, Path]) -> None:
    with running(*folders, "--as", "ignorant") as url:
        engine = server_engine(url)
        with (
            pytest.raises(EngineError, match=r"exactly as without: it ignores the adapter.*check_adapters = false"),
            engine.variant(folders[1]),
        ):
            pass
        unchecked = server_engine(url, check_adapters=False)
        base = answers_of(unchecked)
        with unchecked.variant(folders[1]):
            assert answers_of(unchecked) == base


def test_adapter_by_another_name_is_found_by_the_mapping(vllm: str, tmp_path: Path) -> None:
    engine = server_engine(vllm, adapters={"run-1": "tuned"})
    base = answers_of(engine)
    with engine.variant(tmp_path / "run-1"):
        assert answers_of(engine) != base
    with pytest.raises(ModelError, match=r"run-2: http://.* has no such adapter \(it has tuned\).*engine\.adapters"):
        engine.adapter_fingerprint(tmp_path / "run-2")
    mapped = server_engine(vllm, adapters={"run-1": "absent"}, check_adapters=False)
    with mapped.variant(tmp_path / "run-1"), pytest.raises(EngineError, match=r"404 .*absent does not exist"):
        answers_of(mapped)


def test_adapter_trained_in_this_run_goes_by_the_name_of_its_variant(vllm: str, llama_cpp: str, tmp_path: Path) -> None:
    for url in (vllm, llama_cpp):
        engine = server_engine(url)
        base = answers_of(engine)
        with engine.variant(tmp_path / "tuned" / "adapter"):
            assert answers_of(engine) != base
        mapped = server_engine(url, adapters={"run-1": "tuned"})
        assert mapped.adapter_fingerprint(tmp_path / "run-1" / "adapter")
    with pytest.raises(ModelError, match=r"run-2/adapter: .* engine\.adapters\.run-2 = NAME"):
        server_engine(vllm).adapter_fingerprint(tmp_path / "run-2" / "adapter")


def test_scale_is_refused_where_the_server_takes_none(vllm: str) -> None:
    with (
        pytest.raises(ModelError, match=r"adapter_scale = 0\.5: .* takes no scale"),
        server_engine(vllm).variant(Path("tuned"), 0.5),
    ):
        pass


def test_adapter_fingerprint_tells_names_and_files_apart(vllm: str, folders: tuple[Path, Path]) -> None:
    engine = server_engine(vllm, adapters={"other": "another"})
    marks = {engine.adapter_fingerprint(path) for path in (Path("tuned"), folders[1], Path("other"))}
    assert len(marks) == 3


def test_settings_stand_with_their_defaults_in_the_page_on_servers() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "servers.md").read_text(encoding="utf-8")
    for item in fields(ServerSettings):
        default = f"`{json.dumps(item.default)}`" if isinstance(item.default, (int, float)) else ""
        if item.default_factory is not MISSING:
            default = "`{}`"
        elif item.default is MISSING:
            default = "required"
        assert f"| `{item.name}` | {default}" in page


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("localhost:8000", "expected an address such as"),
        ("ftp://127.0.0.1/v1", "expected an address such as"),
        ("http://user:word@127.0.0.1/v1", "give the key in the environment"),
        ("http://127.0.0.1/v1?key=word", "give the key in the environment"),
    ],
)
def test_address_that_is_none_or_holds_a_key_is_refused_without_repeating_it(url: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        ServerSettings(url)
    assert "word" not in str(caught.value).replace("password", "")


def test_statement_ends_the_answer_where_the_task_says_so(vllm: str) -> None:
    def find(text: str) -> int | None:
        return 3 if len(text) >= 3 else None

    whole = answers_of(server_engine(vllm))
    counted = answers_of(server_engine(vllm, ending=Ending(find, "", stops=False)))
    cut = answers_of(server_engine(vllm, ending=Ending(find, "", stops=True)))
    assert [answer.text for answer in counted] == [answer.text for answer in whole]
    for before, answer, short in zip(whole, counted, cut, strict=True):
        if len(before.text) >= 3:
            assert (short.text, short.finish, short.tokens) == (before.text[:3], "statement", before.tokens)
        assert answer.chatter_tokens == short.chatter_tokens <= before.tokens
    assert any(answer.chatter_tokens for answer in counted)


def test_first_token_that_a_server_adds_itself_is_not_sent_twice(vllm: str) -> None:
    tokenizer = tiny_tokenizer(adds_bos=True, bos_in_template=True)
    engine = server_engine(vllm, tokenizer=tokenizer)
    prompt = engine.render([{"role": "user", "content": "a"}])
    assert prompt.startswith("<s>")
    plain = prompt.removeprefix("<s>")
    assert answers_of(engine, [prompt], 8) == answers_of(server_engine(vllm), [plain], 8)


def test_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineError, match=r"http://127\.0\.0\.1:9/v1/models: no usable answer in 2 attempts"):
        answers_of(server_engine("http://127.0.0.1:9", retries=1))


def test_model_of_several_must_be_named(vllm: str) -> None:
    engine = server_engine(vllm, model="tuned")
    assert engine.describe()["name"] == "tuned"


@pytest.fixture(autouse=True)
def _no_key_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    if "PARETUNE_API_KEY" in os.environ:
        monkeypatch.delenv("PARETUNE_API_KEY")
