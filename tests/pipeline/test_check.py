"""Every case that a dry run has to find: what `run` would stop at, and what makes figures doubtful."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from paretune.cli import main
from paretune.errors import ModelError
from paretune.pipeline.session import Session
from tests.cli.test_main import environment_as_before
from tests.tiny_models import add_tiny_adapter, save_tiny_model, tiny_model

__all__ = ["environment_as_before"]

ROWS = [
    {"db_id": "shop", "question": "Names?", "query": "SELECT name FROM item"},
    {"db_id": "shop", "question": "How many?", "query": "SELECT count(*) FROM item"},
    {"db_id": "shop", "question": "Dearest?", "query": "SELECT max(price) FROM item"},
]
TRAINING = [{"db_id": "shop", "question": f"Item {n}?", "query": f"SELECT {n} FROM item"} for n in range(8)]
EXPERIMENT = """
[model]
path = "model"
[target]
kind = "spider"
path = "data"
max_new_tokens = 8
[training]
batch_size = 2
checkpoint_steps = 2
[[variant]]
name = "run-1"
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model, data and an experiment in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("check")
    save_tiny_model(folder / "model")
    database = folder / "data/database/shop/shop.sqlite"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE item (name TEXT, price REAL)")
        connection.executemany("INSERT INTO item VALUES (?, ?)", [("a", 1.0), ("b", 2.0), ("c", 2.0)])
        connection.commit()
    (folder / "data/dev.json").write_text(json.dumps(ROWS))
    (folder / "data/train_spider.json").write_text(json.dumps(TRAINING))
    (folder / "e.toml").write_text(EXPERIMENT)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may spoil, on a machine without network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(whole, tmp_path / "check")


def dry_run(folder: Path, capsys: pytest.CaptureFixture[str], *settings: str) -> tuple[int, list[str]]:
    """Exit status and what was said beside the plan; no run folder may come of it."""
    words = [word for setting in settings for word in ("--set", setting)]
    status = main(["run", str(folder / "e.toml"), "--dry-run", *words])
    assert not (Path.cwd() / "runs").exists()
    return status, capsys.readouterr().err.splitlines()


def add_variant(folder: Path, text: str) -> None:
    with open(folder / "e.toml", "a") as file:
        file.write(f"[[variant]]\n{text}\n")


def change_rows(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    (folder / f"data/{split}.json").write_text(json.dumps(rows))


def test_dry_run_of_what_can_be_run_says_nothing_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(folder, capsys) == (0, [])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("model.path=/no/such.gguf", "/no/such.gguf: no such file"),
        ("model.path=./nodir", "nodir: no such file or directory"),
        ("model.path=e.gguf", "e.gguf: no such file"),
        ('model.path=""', "no config.json"),
        ("model.path=MODEL", "model 'MODEL': neither a file nor a directory here, nor to be had from the Hub"),
        ("target.max_new_tokens=1000000", "max_new_tokens = 1000000 exceeds the context"),
        ('training.target_modules=["foo"]', "run-1: target_modules: the model has no foo; it has "),
        ("training.target_modules=[]", "run-1: target_modules is empty"),
    ],
)
def test_dry_run_setting_that_cannot_work_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    status, lines = dry_run(folder, capsys, setting)
    assert status == 2
    assert [line for line in lines if line.startswith("error: ") and said in line], lines


def test_dry_run_texts_that_are_not_there_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = dry_run(folder, capsys, "training.method=corda", "training.calibration=/no/such.txt")
    assert status == 2
    assert "error: variant run-1: /no/such.txt: cannot be read (No such file or directory)" in "\n".join(lines)


def test_dry_run_file_that_is_no_model_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "hostname").write_text("here")
    status, lines = dry_run(folder, capsys, f"model.path={folder / 'hostname'}")
    assert (status, lines) == (
        2,
        [
            f"error: {folder / 'hostname'}: not a GGUF file; "
            "expected one, or a model's directory in transformers' format"
        ],
    )


@pytest.mark.parametrize("setting", ["model.quantization=nf4", "training.optimizer=paged_adamw_8bit"])
def test_dry_run_bitsandbytes_missing_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    original = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "bitsandbytes" else original(name))
    status, lines = dry_run(folder, capsys, setting)
    assert status == 2
    assert "needs bitsandbytes" in lines[-1]


def test_dry_run_adapter_that_is_not_there_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_variant(folder, 'name = "other"\nadapter = "nonexist"')
    status, lines = dry_run(folder, capsys)
    assert status == 2
    missing = folder / "nonexist" / "adapter_config.json"
    assert len(lines) == 1
    assert lines[0].startswith(f"error: variant other: {missing}: not readable; expected an adapter in PEFT's format")


def test_dry_run_adapter_of_another_shape_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_tiny_adapter(tiny_model("qwen2", intermediate_size=64)).save_pretrained(folder / "adapter")
    add_variant(folder, 'name = "other"\nadapter = "adapter"')
    status, lines = dry_run(folder, capsys)
    assert status == 2
    assert "variant other: " in lines[0]
    assert "mlp.down_proj has 48 inputs, the adapter's has 64" in lines[0]


def test_dry_run_and_run_say_that_an_adapter_may_be_of_another_base(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "e.toml").write_text((folder / "e.toml").read_text().partition("[[variant]]")[0])
    model = add_tiny_adapter(tiny_model("qwen2"))
    model.peft_config["default"].base_model_name_or_path = "org/other-7b"
    model.save_pretrained(folder / "adapter")
    add_variant(folder, 'name = "other"\nadapter = "adapter"')
    note = "note: variant other: made for org/other-7b; whether model is that model cannot be told from its name"
    assert dry_run(folder, capsys) == (0, [note])
    assert main(["evaluate", str(folder / "e.toml"), "--out", str(folder / "run"), "--variant", "other"]) == 0
    assert note in capsys.readouterr().err.splitlines()


def test_run_adapter_that_does_not_fit_is_refused_before_anything_is_answered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_tiny_adapter(tiny_model("qwen2", num_hidden_layers=3)).save_pretrained(folder / "adapter")
    add_variant(folder, 'name = "other"\nadapter = "adapter"')
    assert main(["run", str(folder / "e.toml"), "--out", str(folder / "run")]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ")
    assert "the adapter does not fit the base model model: it has no model.layers.2." in said
    assert not (folder / "run" / "baseline").exists()


def test_dry_run_adapter_of_another_base_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "adapter").mkdir()
    (folder / "adapter/adapter_config.json").write_text("{}")
    (folder / "adapter/adapter_model.safetensors").write_bytes(b"x")
    (folder / "adapter/paretune.json").write_text(json.dumps({"base_weights": "other"}))
    add_variant(folder, 'name = "other"\nadapter = "adapter"')
    status, lines = dry_run(folder, capsys)
    assert status == 2
    assert "variant other: " in lines[0]
    assert "trained on another base" in lines[0]


def test_dry_run_checkpoint_past_the_end_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_variant(folder, 'from = "run-1"\ncheckpoint = 4')
    assert dry_run(folder, capsys) == (0, [])  # 8 rows in batches of 2
    (folder / "e.toml").write_text((folder / "e.toml").read_text().replace("checkpoint = 4", "checkpoint = 200"))
    status, lines = dry_run(folder, capsys)
    assert status == 2
    assert lines == ["error: variant run-1@step-200: checkpoint = 200, but run-1 ends after 4 steps on 8 rows"]


@pytest.mark.parametrize("query", ["SELEC 1", "EXPLAIN SELECT 1", "VALUES (1)", "SELECT 1; SELECT 2"])
def test_dry_run_and_prepare_name_a_reference_that_nobody_can_judge(
    folder: Path, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    change_rows(folder, "dev", [*ROWS[:2], {**ROWS[2], "query": query}])
    status, lines = dry_run(folder, capsys)
    named = [line for line in lines if line.startswith("note: dev.json: 1 of 3 references ") and "entry 2 (" in line]
    assert (status, len(named)) == (0, 1)
    assert main(["prepare", str(folder / "e.toml"), "--out", str(folder / "run")]) == 0
    assert named[0] in capsys.readouterr().err.splitlines()


def test_dry_run_and_prepare_say_what_is_doubtful_about_the_data(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = ["SELECT gone FROM item", "SELECT random()", "SELECT name, price FROM item ORDER BY price"]
    change_rows(folder, "dev", [{**row, "query": query} for row, query in zip(ROWS, queries, strict=True)])
    change_rows(
        folder, "train_spider", [*TRAINING, ROWS[0], {**ROWS[1], "question": "names", "query": "SELECT lost FROM item"}]
    )
    notes = [
        "note: 1 of 3 test questions stand among the training rows: what is gained on them is memory; take them out of "
        "the training data",
        "note: dev.json: 1 of 3 references fail: they are in no accuracy: entry 0 (invalid sql: no such column: gone)",
        "note: dev.json: 1 of 3 references do not return the same each time: entry 1 (two runs differ)",
        "note: dev.json: 1 of 3 references sort rows that tie, in an order that they leave open: entry 2 (sorted rows "
        "tie, and the query leaves their order open)",
        "note: 1 of 10 training rows hold SQL that fails: train_spider.json entry 9 (no such column: lost)",
    ]
    assert dry_run(folder, capsys) == (0, notes)
    words = ["prepare", str(folder / "e.toml"), "--out", str(folder / "run")]
    assert main(words) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")] == notes
    assert main(words) == 0  # nothing changed: references are not run again, memory is still named
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")] == notes[:1]


def test_prepare_says_a_line_before_its_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr("paretune.pipeline.prepare.prepare", lambda _: said.append(capsys.readouterr().err))
    assert main(["prepare", str(folder / "e.toml"), "--out", str(folder / "run")]) == 0
    assert said == [f"{folder / 'run'}: loading libraries and reading the data\n"]


def test_prepare_says_what_it_read_before_it_loads_the_tokenizer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def loaded(_: Session) -> Any:
        raise ModelError(capsys.readouterr().err.splitlines()[-1])

    monkeypatch.setattr(Session, "engine", property(loaded))
    assert main(["prepare", str(folder / "e.toml"), "--out", str(folder / "run")]) == 2
    assert (
        capsys.readouterr().err == "error: read 3 questions of spider, 8 training rows; general ability: 180 of demo\n"
    )


def test_preparing_imports_no_statistics() -> None:
    asked = "import sys, paretune.pipeline.experiment; print('scipy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True) == "False\n"
