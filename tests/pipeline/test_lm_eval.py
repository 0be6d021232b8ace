"""An experiment with an axis of lm-eval: tasks of the user's own in a folder, a tiny model, no network."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from paretune.choice.lm_eval import LmEvalSuite, read_lm_eval, score_lm_eval
from paretune.choice.suites.load import Suite
from paretune.cli import main
from paretune.config import GeneralConfig
from paretune.pipeline.prepare import GeneralData, cut_prompts
from paretune.records import ChoiceAnswer
from paretune.run.jsonl import read_lines
from tests.engines.asked import engine_of
from tests.tiny_models import save_tiny_model, tiny_model, tiny_tokenizer

pytestmark = pytest.mark.usefixtures("undrawn")

VARIANTS = ("baseline", "run-1", "run-1@0.5")
EXPERIMENT = """
name = "harness"
[model]
path = "model"
[target]
kind = "demo"
questions = 4
train_rows = 8
max_new_tokens = 4
[[general]]
kind = "demo"
few_shot = 1
questions_per_subject = 2
method = "all"
[[general]]
kind = "lm-eval"
path = "tasks"
tasks = ["own_letters", "own_texts"]
few_shot = 1
questions_per_subject = 9
[training]
batch_size = 2
rank = 2
peak_learning_rate = 1e-2
[[variant]]
name = "run-1"
[[variant]]
from = "run-1"
adapter_scale = 0.5
"""
ROWS = [{"question": f"Which is {n}?", "options": ["one", "two", "three"], "answer": n % 3} for n in range(12)]


def write_task(home: Path, name: str, **settings: object) -> None:
    data = {"test": str(home / "rows.jsonl"), "dev": str(home / "rows.jsonl")}
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": data, "cache_dir": str(home / "cache")},
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}\nAnswer:",
        "doc_to_target": "answer",
    }
    (home / "tasks").mkdir(exist_ok=True)
    (home / "tasks" / f"{name}.yaml").write_text(json.dumps(task | settings), encoding="utf-8")  # JSON is YAML


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed (pip install '.[lm-eval]')")
    home = tmp_path_factory.mktemp("harness")
    save_tiny_model(home / "model")
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    write_task(home, "own_letters", doc_to_choice=["A", "B", "C"], metric_list=[{"metric": "acc"}])
    write_task(home, "own_texts", doc_to_choice="options", metric_list=[{"metric": "acc"}, {"metric": "acc_norm"}])
    (home / "harness.toml").write_text(EXPERIMENT, encoding="utf-8")
    return home


@pytest.fixture(scope="module", autouse=True)
def environment(home: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CUDA_VISIBLE_DEVICES", "HF_HUB_DISABLE_PROGRESS_BARS", "TRANSFORMERS_VERBOSITY"):
            patch.setenv(name, "")
        patch.setenv("TRANSFORMERS_VERBOSITY", "error")
        patch.setenv("PARETUNE_CACHE", str(home / "demo"))
        patch.setenv("MPLBACKEND", "Agg")
        yield


@pytest.fixture(scope="module")
def finished(home: Path) -> Path:
    """A run that nothing interrupted. Not to be changed: copy it."""
    assert main(["run", str(home / "harness.toml"), "--out", str(home / "run")]) == 0
    return home / "run"


def test_prepare_writes_what_lm_eval_will_ask(finished: Path) -> None:
    header, records = read_lines(finished / "prepared" / "choice.jsonl")
    assert list(header["suites"]) == ["demo", "lm-eval/own_letters", "lm-eval/own_texts"]
    letters = header["suites"]["lm-eval/own_letters"]
    assert (letters["shots"], letters["method"], letters["chance"]) == (1, "letter", pytest.approx(1 / 3))
    assert set(letters["lm_eval"]) == {"version", "tasks"}
    asked = next(record for record in records if record["id"] == "own_letters/1")
    assert asked["contexts"] == ["Which is 0?\nAnswer: A\n\nWhich is 1?\nAnswer:"]
    assert asked["continuations"] == [" A", " B", " C"]
    assert (asked["question"], asked["answer"]) == ("Which is 1?\nAnswer:", 1)


def test_run_scores_every_variant_by_lm_eval_beside_another_suite(finished: Path) -> None:
    asked = [(record["suite"], record["id"]) for record in read_lines(finished / "prepared" / "choice.jsonl")[1]]
    assert sum(suite.startswith("lm-eval/") for suite, _ in asked) == 18
    seen = set()
    for variant in VARIANTS:
        records = read_lines(finished / variant / "choice.jsonl")[1]
        assert {(record["suite"], record["id"]) for record in records} == set(asked)
        assert len(records) == 18 + 3 * (len(asked) - 18)
        own = [record for record in records if record["suite"] == "lm-eval/own_texts"]
        assert {(record["method"], record["subject"], record["variant"]) for record in own} == {
            ("cloze", "own_texts", variant)
        }
        seen.add(tuple(tuple(record["log_probabilities"]) for record in own))
    assert len(seen) == len(VARIANTS)  # an adapter that is not applied would answer as another variant does


def test_run_shows_the_axes_of_lm_eval_in_tables_and_page(finished: Path) -> None:
    table = (finished / "tables" / "general_accuracy.csv").read_text(encoding="utf-8")
    page = (finished / "report" / "index.html").read_text(encoding="utf-8")
    for suite in ("lm-eval/own_letters", "lm-eval/own_texts"):
        assert table.count(suite) >= len(VARIANTS)
        assert suite in page


def test_prompts_too_long_for_the_model_are_said_and_noted(home: Path) -> None:
    (suite,) = read_lm_eval(["own_texts"], home / "tasks", shots=1, limit=3)
    general = GeneralConfig("lm-eval", tasks=("own_texts",))
    item = GeneralData(general, Suite(suite.name, suite.questions, {}, suite.chance, {}, ()), suite.questions, suite)
    said: list[str] = []
    session: Any = SimpleNamespace(engine=engine_of(tiny_model("qwen2"), tiny_tokenizer()), say=said.append)
    lengths = sorted(len(tiny_tokenizer()(request["contexts"][0])["input_ids"]) for request in suite.requests)
    assert cut_prompts(session, item, lengths[-1]) is item
    assert said == []
    (note,) = cut_prompts(session, item, lengths[0] - 1).suite.notes
    assert note.startswith(f"3 of 3 prompts are longer than the context of {lengths[0] - 1} tokens")
    assert said == [f"lm-eval/own_texts: {note}"]


def test_list_of_a_finished_run_misses_nothing(home: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", str(home / "harness.toml"), "--out", str(finished)]) == 0
    printed = capsys.readouterr().out
    assert f"{len(VARIANTS)} of {len(VARIANTS)} variants complete" in printed
    assert "outdated" not in printed


def test_second_run_asks_lm_eval_nothing(
    home: Path, finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paretune.models.load.load_model", lambda *_: pytest.fail("the model was loaded"))
    before = {path: path.read_bytes() for path in finished.glob("*/choice.jsonl")}
    assert main(["evaluate", str(home / "harness.toml"), "--out", str(finished)]) == 0
    assert {path: path.read_bytes() for path in finished.glob("*/choice.jsonl*")} == before
    assert "baseline: already answered" in capsys.readouterr().err


def test_killed_amid_a_suite_it_is_scored_anew_and_no_line_stands_twice(
    home: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(finished, tmp_path / "killed")
    path = folder / "baseline" / "choice.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rfind(b'"own_texts/4"') + 30])  # a line cut short by the kill
    scored: list[str] = []

    def score(model: Any, tokenizer: Any, suite: LmEvalSuite, **settings: Any) -> list[ChoiceAnswer]:
        scored.append(suite.name)
        return score_lm_eval(model, tokenizer, suite, **settings)

    monkeypatch.setattr("paretune.pipeline.evaluate.score_lm_eval", score)
    assert main(["evaluate", str(home / "harness.toml"), "--out", str(folder)]) == 0
    assert scored == ["lm-eval/own_texts"]
    assert path.read_bytes() == whole


def test_changed_metric_starts_the_answers_anew(home: Path, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "changed")
    tasks = shutil.copytree(home / "tasks", tmp_path / "tasks")
    task = json.loads((tasks / "own_texts.yaml").read_text(encoding="utf-8"))
    (tasks / "own_texts.yaml").write_text(json.dumps(task | {"metric_list": [{"metric": "acc"}]}), encoding="utf-8")
    words = ["evaluate", str(home / "harness.toml"), "--out", str(folder), "--variant", "baseline"]
    assert main([*words, "--set", f"general.lm-eval.path={tasks}"]) == 0
    assert (folder / "baseline" / "choice.jsonl.old-1").exists()
    records = read_lines(folder / "baseline" / "choice.jsonl")[1]
    assert all(
        record["correct"] == record["correct_raw"] for record in records if record["suite"] == "lm-eval/own_texts"
    )


def test_lm_eval_absent_is_said_before_any_model_is_loaded(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval.evaluator", None)
    monkeypatch.setattr("paretune.models.load.load_model", lambda *_: pytest.fail("the model was loaded"))
    assert main(["run", str(home / "harness.toml"), "--out", str(tmp_path / "run")]) == 2
    assert "needs lm-eval: pip install '.[lm-eval]'" in capsys.readouterr().err
