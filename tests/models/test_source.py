from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from paretune.config import DEFAULT_MODEL, ModelConfig
from paretune.errors import ModelError
from paretune.models import source as source_module
from paretune.models.source import find_model
from tests.tiny_models import save_tiny_model


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants as hub

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))


def refusal(path: str | Path, revision: str | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        find_model(ModelConfig(path=str(path), revision=revision))
    return str(caught.value)


def test_directory_is_used_as_it_is(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "tiny")
    found = find_model(ModelConfig(path=str(folder)))
    assert found.directory == folder
    assert found.names == ("tiny",)


def test_weights_fingerprint_follows_the_content_not_the_place(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "one")
    first = find_model(ModelConfig(path=str(folder))).weights
    shutil.copytree(folder, tmp_path / "two")
    assert find_model(ModelConfig(path=str(tmp_path / "two"))).weights == first
    (tmp_path / "two" / "README.md").write_text("words", encoding="utf-8")
    assert find_model(ModelConfig(path=str(tmp_path / "two"))).weights == first
    tokenizer = tmp_path / "two" / "tokenizer_config.json"
    tokenizer.write_text(json.dumps({**json.loads(tokenizer.read_text(encoding="utf-8")), "x": 1}), encoding="utf-8")
    assert find_model(ModelConfig(path=str(tmp_path / "two"))).weights != first
    assert find_model(ModelConfig(path=str(save_tiny_model(tmp_path / "three", seed=1)))).weights != first


def test_directory_without_config_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path}: no config.json; expected a model directory" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["absent.gguf", "./absent", "../absent", "/absent/model", "folder/absent.gguf"])
def test_file_missing_is_refused_before_the_hub_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(source_module, "_from_hub", lambda *_: pytest.fail("the Hub was asked"))
    assert refusal(name).startswith(f"{name}: no such file or directory; ")
    assert refusal(name).endswith("(model.path, or --model)")


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 something else"])
def test_file_that_is_no_gguf_is_refused(tmp_path: Path, cache: Path, content: bytes) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    assert refusal(file) == f"{file}: not a GGUF file; expected one, or a model's directory in transformers' format"
    assert not cache.exists()


def test_file_gguf_but_damaged_is_refused_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + bytes(200))
    assert f"{file}: transformers cannot read this GGUF file" in refusal(file)
    assert list((cache / "models").iterdir()) == []


@pytest.mark.usefixtures("offline")
def test_hub_name_offline_is_refused_with_advice() -> None:
    for name, revision in (
        ("nobody/nothing-of-the-kind", None),
        ("nobody/nothing-of-the-kind", "main"),
        ("gpt2", None),
    ):
        message = refusal(name, revision)
        assert f"model {name!r}: neither a file nor a directory here, nor to be had from the Hub" in message
        assert "name a local copy, a directory or FILE.gguf" in message
        assert "\n" not in message


@pytest.mark.usefixtures("offline")
def test_hub_name_in_the_local_hub_cache_is_found_offline(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--nobody--tiny"
    save_tiny_model(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    found = find_model(ModelConfig(path="nobody/tiny"))
    assert found.directory == repository / "snapshots" / commit
    assert found.names == ("nobody/tiny", "tiny")
    assert find_model(ModelConfig(path="nobody/tiny", revision=commit)).weights == found.weights


CONFIGURATION = ("config.json", "tokenizer.json", "generation_config.json", "chat_template.jinja")
OLD_SHARDS = ("pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin")


@pytest.mark.parametrize(
    ("repository", "fetched"),
    [
        (("model.safetensors", "pytorch_model.bin"), {"model.safetensors"}),
        (
            ("model.safetensors.index.json", "model-00001-of-00001.safetensors", *OLD_SHARDS),
            {"model.safetensors.index.json", "model-00001-of-00001.safetensors", OLD_SHARDS[0]},
        ),
        (("model.safetensors", "consolidated.safetensors", "onnx/model.bin", "tf_model.h5"), {"model.safetensors"}),
        ((*OLD_SHARDS, "training_args.bin"), set(OLD_SHARDS)),
        (("adapter_model.safetensors", "pytorch_model.bin"), {"adapter_model.safetensors", "pytorch_model.bin"}),
    ],
)
def test_hub_repository_pickled_weights_are_fetched_only_where_there_are_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: tuple[str, ...], fetched: set[str]
) -> None:
    from huggingface_hub.utils import filter_repo_objects

    commit = "0123456789abcdef0123456789abcdef01234567"
    asked: list[str | None] = []

    def download(name: str, *, revision: str | None, allow_patterns: list[str], ignore_patterns: list[str]) -> str:
        asked.append(revision)
        files = [*CONFIGURATION, *repository]
        for file in filter_repo_objects(files, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns):
            (tmp_path / commit / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / commit / file).touch()
        return str(tmp_path / commit)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    found = find_model(ModelConfig(path="nobody/tiny", revision="main"))
    here = {str(path.relative_to(found.directory)) for path in found.directory.rglob("*") if path.is_file()}
    assert here == {*CONFIGURATION, *fetched}
    assert asked in (["main"], ["main", commit])  # the second download must not meet a newer commit


@pytest.mark.usefixtures("offline")
def test_default_model_without_its_package_is_sought_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_packaged_gguf", lambda: None)
    assert DEFAULT_MODEL in refusal(DEFAULT_MODEL)


@pytest.mark.usefixtures("offline")
def test_default_model_of_a_revision_is_not_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_from_gguf", lambda *_: pytest.fail("the package was taken"))
    assert DEFAULT_MODEL in refusal(DEFAULT_MODEL, revision="main")


def test_gguf_in_float32_is_kept_apart_and_not_rounded(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def convert(_: Path, directory: Path, kept: str) -> None:
        asked.append(kept)
        (directory / "config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(source_module, "convert_gguf", convert)
    (tmp_path / "a.gguf").write_bytes(b"GGUF and more")
    path = str(tmp_path / "a.gguf")
    plain, half, exact = (
        find_model(ModelConfig(path=path, precision=name)) for name in ("auto", "bfloat16", "float32")
    )
    assert asked == ["bfloat16", "float32"]
    assert plain == half
    assert exact.directory != plain.directory
    assert exact.weights != plain.weights


@pytest.mark.model
def test_smollm2_in_float32_has_the_dequantised_values(smollm2_gguf: Path) -> None:
    from safetensors.torch import load_file

    exact, rounded = (
        load_file(find_model(ModelConfig(path=str(smollm2_gguf), precision=name)).directory / "model.safetensors")
        for name in ("float32", "bfloat16")
    )
    name = "model.layers.0.mlp.up_proj.weight"
    assert str(exact[name].dtype) == "torch.float32"
    assert (exact[name] != rounded[name].float()).any()
    assert (exact[name].bfloat16() == rounded[name]).all()


@pytest.mark.model
def test_smollm2_from_its_package_ends_turns_with_im_end(smollm2_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from paretune.models.chat import completion, encode, render
    from paretune.models.load import load_tokenizer

    found = find_model(ModelConfig())
    assert found.names[0] == smollm2_gguf.stem
    assert find_model(ModelConfig(path=str(smollm2_gguf))) == found
    monkeypatch.setattr(source_module, "convert_gguf", lambda *_: pytest.fail("converted a second time"))
    assert find_model(ModelConfig()) == found
    tokenizer = load_tokenizer(found)
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.pad_token_id is not None
    messages = [{"role": "user", "content": "How many?"}]
    prompt = render(tokenizer, messages)
    assert prompt.endswith("<|im_start|>assistant\n")
    assert completion(tokenizer, messages, "SELECT 1") == "SELECT 1<|im_end|>"
    assert tokenizer.decode(encode(tokenizer, prompt)) == prompt
    config = json.loads((found.directory / "config.json").read_text(encoding="utf-8"))
    assert config["hidden_size"] == 576
    assert "quantization_config" not in config
