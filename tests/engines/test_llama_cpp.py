"""llama.cpp's own server answers as the same model does in this process, with an adapter at any scale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paretune.engines.hf.engine import HfEngine
from paretune.engines.server import ServerEngine
from tests.engines import llama_cpp
from tests.engines.asked import engine_of
from tests.engines.contract import answers_of, assert_close, question, values_of
from tests.engines.test_server import server_engine
from tests.tiny_models import add_tiny_adapter, tiny_model, tiny_tokenizer

STATES = ((None, 1.0), (Path("tuned"), 1.0), (Path("tuned.gguf"), 0.5), (Path("tuned"), 2.0), (Path("tuned"), 0.0))
PROMPTS = ("SELECT name", "Question: which one is right?\nA. the first\nB. the second", "count the concerts")
LETTERS = tuple(
    question(str(number), "", text, (" B", " a", " f"))
    for number, text in enumerate(("Which hoots?\nAnswer:", "Which sings?\nAnswer:", "Which one is right?\nAnswer:"))
)


def model_of_whole_characters() -> Any:
    """llama.cpp keeps back the log-probabilities of a token that is a part of a character: this model writes none."""
    import torch

    model, tokenizer = tiny_model("qwen2"), tiny_tokenizer()
    parts = [token for token in range(len(tokenizer)) if "\N{REPLACEMENT CHARACTER}" in tokenizer.decode([token])]
    with torch.no_grad():
        model.get_input_embeddings().weight[parts] = 0.0
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as llama.cpp reads it, and an adapter in both forms."""
    pytest.importorskip("xllamacpp", reason="llama.cpp's server is not installed (pip install xllamacpp)")
    home = tmp_path_factory.mktemp("llama")
    llama_cpp.write_model(model_of_whole_characters(), tiny_tokenizer(), home / "tiny.gguf")
    tuned = add_tiny_adapter(tiny_model("qwen2"))
    tuned.save_pretrained(home / "tuned")
    llama_cpp.write_adapter(tuned, home / "tuned.gguf")
    return home


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with llama_cpp.running(folder / "tiny.gguf", folder / "tuned.gguf") as address:
        yield address


@pytest.fixture
def served(url: str) -> ServerEngine:
    return server_engine(url, top_logprobs=320)


@pytest.fixture
def embedded() -> HfEngine:
    return engine_of(model_of_whole_characters(), tiny_tokenizer(), fast=False)


@pytest.mark.parametrize(("adapter", "scale"), STATES)
def test_answers_and_letters_are_those_of_the_model_embedded(
    served: ServerEngine, embedded: HfEngine, folder: Path, adapter: Path | None, scale: float
) -> None:
    with served.variant(adapter, scale), embedded.variant(adapter and folder / "tuned", scale):
        assert answers_of(served, PROMPTS) == answers_of(embedded, PROMPTS)
        assert_close(values_of(served, LETTERS), values_of(embedded, LETTERS))


def test_server_is_known_by_its_version_and_scores_letters(served: ServerEngine, folder: Path) -> None:
    said = served.conditions["engine"]
    assert said["choices"] == "top 320"
    assert said["version"]
    assert set(served.choice_methods()) == {"letter", "generate"}
    assert served.adapter_fingerprint(Path("tuned")) != served.adapter_fingerprint(folder / "tuned.gguf")
