from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from paretune.cli import choice, perplexity
from paretune.errors import DataError, ModelError
from tests.tiny_models import add_tiny_adapter, save_tiny_model, tiny_model


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny_model(folder / "base")
    add_tiny_adapter(tiny_model("qwen2")).save_pretrained(folder / "run-1" / "adapter")
    return folder


def parsed(command: str, *options: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    (choice if command == "choice" else perplexity).add_arguments(parser)
    return parser.parse_args([str(option) for option in options])


def demo(folder: Path, *options: str | Path) -> argparse.Namespace:
    return parsed(
        "choice", "--model", folder / "base", "--suite", "demo", "--shots", "2", "--limit", "2",
        "--precision", "float32", *options,
    )  # fmt: skip


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_choice_all_methods_and_an_adapter_writes_a_line_each_and_sums_up(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    options = ("--method", "all", "--adapter", model_folder / "run-1" / "adapter", "--out", out, "--lang", "pt-BR")
    assert choice.run(demo(model_folder, *options)) == 0
    header, *lines = lines_of(out)
    keys = {(line["variant"], line["method"], line["id"]) for line in lines}
    assert len(keys) == len(lines)
    assert {key[:2] for key in keys} == {
        (name, method) for name in ("baseline", "run-1") for method in ("letter", "cloze", "generate")
    }
    printed = capsys.readouterr().out
    assert "formato perdido" in printed
    assert "nível do acaso: 25,0 %" in printed
    assert header["header"]["adapters"].keys() == {"run-1"}


def test_choice_killed_and_resumed_writes_the_same_bytes(model_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    adapter = model_folder / "run-1" / "adapter"
    options = ("--method", "all", "--adapter", adapter, "--token-budget", "300", "--out", out)
    choice.run(demo(model_folder, *options))
    whole = out.read_bytes()
    for share in (0.2, 0.45, 0.9):
        out.write_bytes(whole[: whole.rindex(b"\n", 0, int(len(whole) * share)) + 30])  # within a line
        choice.run(demo(model_folder, *options))
        assert out.read_bytes() == whole


def test_choice_adapter_folder_missing_is_refused(model_folder: Path) -> None:
    with pytest.raises(ModelError, match="expected an adapter in PEFT's format: a folder, an archive"):
        choice.run(demo(model_folder, "--adapter", model_folder / "run-9"))


def test_choice_adapter_in_an_archive_is_that_of_the_folder(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    folder = model_folder / "run-1" / "adapter"
    archive = shutil.make_archive(str(tmp_path / "shared"), "zip", folder)
    variants = choice.variant_names([str(folder), archive])
    assert list(variants) == ["baseline", "run-1", "shared"]
    printed = []
    for adapter in (folder, archive):
        choice.run(demo(model_folder, "--method", "cloze", "--limit", "1", "--adapter", adapter))
        printed.append(capsys.readouterr().out.replace("shared", "run-1"))
    assert printed[0] == printed[1]


def test_choice_same_adapter_twice_is_refused(model_folder: Path) -> None:
    folder = model_folder / "run-1" / "adapter"
    with pytest.raises(DataError, match="given twice"):
        choice.variant_names([str(folder)] * 3)


def test_perplexity_prints_bits_with_interval_for_base_and_adapter(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("A coruja não canta; the lark sings at dawn. " * 20, encoding="utf-8")
    options = ("--adapter", model_folder / "run-1" / "adapter", "--window", "64", "--precision", "float32")
    assert perplexity.run(parsed("perplexity", "--model", model_folder / "base", "--text", text, *options)) == 0
    printed = capsys.readouterr().out
    assert len(re.findall(r"\[\d\.\d{4}, \d\.\d{4}\]", printed)) == 2  # as all English tables write limits
    assert printed.count("bits per byte: ") == 2
    assert printed.count("[") == 2
    figures = {line for line in printed.splitlines() if "bits per byte" in line}
    assert len(figures) == 2  # the adapter changes it


def test_perplexity_text_not_utf8_is_refused(model_folder: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match="not UTF-8"):
        perplexity.run(parsed("perplexity", "--model", model_folder / "base", "--text", text))


def test_choice_out_that_is_somebody_elses_file_is_refused_and_left(model_folder: Path, tmp_path: Path) -> None:
    for content in ('{"my": "data"}\n', "notes, not JSON\n"):
        out = tmp_path / "mine.jsonl"
        out.write_text(content)
        with pytest.raises(DataError, match="not a file of answers that paretune choice wrote; choose another name"):
            choice.run(demo(model_folder, "--out", out))
        assert out.read_text() == content
        assert list(tmp_path.iterdir()) == [out]


def test_choice_one_more_adapter_keeps_the_answers_there_are(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, adapter = tmp_path / "answers.jsonl", model_folder / "run-1" / "adapter"
    choice.run(demo(model_folder, "--out", out))
    kept = lines_of(out)[1:]
    choice.run(demo(model_folder, "--out", out, "--adapter", adapter))
    header, *lines = lines_of(out)
    assert lines[: len(kept)] == kept
    assert {line["variant"] for line in lines[len(kept) :]} == {"run-1"}
    assert header["header"]["adapters"].keys() == {"run-1"}
    whole = out.read_bytes()
    choice.run(demo(model_folder, "--out", out))  # without it again: nothing to ask, nothing lost
    assert out.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [out]


def test_choice_other_settings_say_where_the_former_answers_are(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    choice.run(demo(model_folder, "--out", out))
    choice.run(demo(model_folder, "--out", out, "--method", "cloze"))
    assert f"the former is kept as {out}.old-1" in capsys.readouterr().err


def test_choice_adapter_that_changed_is_asked_anew_and_the_former_answers_kept(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "answers.jsonl", tmp_path / "mine" / "adapter"
    add_tiny_adapter(tiny_model("qwen2")).save_pretrained(folder)
    choice.run(demo(model_folder, "--out", out, "--adapter", folder))
    before = lines_of(out)
    add_tiny_adapter(tiny_model("qwen2"), seed=9).save_pretrained(folder)
    choice.run(demo(model_folder, "--out", out, "--adapter", folder))
    after = lines_of(out)
    assert f"mine changed and is asked anew; the former file is kept as {out}.old-1" in capsys.readouterr().err
    assert [line for line in after if line.get("variant") == "baseline"] == [
        line for line in before if line.get("variant") == "baseline"
    ]
    assert after[1:] != before[1:]
    assert len(after) == len(before)


@pytest.mark.parametrize("number", ["0", "-5", "many"])
def test_choice_token_budget_that_is_none_is_refused(
    number: str, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        demo(model_folder, "--token-budget", number)
    assert "--token-budget" in capsys.readouterr().err


def test_choice_plain_gives_the_same_verdicts(model_folder: Path, tmp_path: Path) -> None:
    for name, options in (("fast", ()), ("plain", ("--plain",))):
        choice.run(demo(model_folder, "--method", "all", "--out", tmp_path / name, *options))
    fast, plain = (
        {(line["method"], line["id"]): line["predicted"] for line in lines_of(tmp_path / name)[1:]}
        for name in ("fast", "plain")
    )
    assert fast == plain


def test_perplexity_of_two_texts_is_refused(model_folder: Path, tmp_path: Path) -> None:
    options = ("--text", tmp_path / "a", "--text", tmp_path / "b")
    with pytest.raises(DataError, match="given several times"):
        perplexity.run(parsed("perplexity", "--model", model_folder / "base", *options))
