"""Every objective and replay go from the experiment file to the tables, on the embedded benchmark with a tiny model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import paretune as pt
from paretune.cli import main
from paretune.engines.hf.engine import HfEngine
from paretune.objectives import OBJECTIVES
from paretune.pipeline import replay
from paretune.run.jsonl import read_lines
from paretune.training.general import PROMPTS, TEXTS, read_lines_of, read_prompts
from tests.tiny_experiment import run_stages, tiny_experiment
from tests.tiny_models import save_tiny_model

EXPERIMENT = tiny_experiment(
    "objectives",
    "questions = 8\ntrain_rows = 8\nmax_new_tokens = 4",
    """
batch_size = 4
epochs = 2
rank = 2
peak_learning_rate = 2e-2
share_prompts = true
fuse_adapters = true
least_probability = 0.003
max_tokens = 900
""",
)
REPLAY = {"self": "self", "rows": "rows.jsonl", "prompts": "prompts.txt"}
VARIANTS = (*OBJECTIVES, *REPLAY)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in `run`, and what it was made of."""
    home = tmp_path_factory.mktemp("objectives")
    save_tiny_model(home / "model")
    rows = [{"prompt": f"What is {number} plus 1?", "completion": str(number + 1)} for number in range(4)]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (home / "prompts.txt").write_text("Name a colour.\n\nSay hello.\n", encoding="utf-8")
    variants = [f'[[variant]]\nname = "{name}"\nobjective = "{name}"\n' for name in OBJECTIVES]
    variants += [f'[[variant]]\nname = "{name}"\nreplay = "{value}"\nreplay_share = 0.3\n'
                 for name, value in REPLAY.items()]  # fmt: skip
    (home / "objectives.toml").write_text(EXPERIMENT + "".join(variants), encoding="utf-8")
    run_stages(home / "objectives.toml", home / "run", "train", "evaluate", "compare")
    return home


@pytest.mark.parametrize("name", VARIANTS)
def test_objective_from_the_experiment_file_to_the_tables(name: str, home: Path) -> None:
    run = home / "run"
    assert name in set(pt.Run(run).tables()["tradeoff"]["variant"])
    for part in ("answers", "sql", "choice"):
        assert len(read_lines(run / name / f"{part}.jsonl")[1]) == len(
            read_lines(run / "baseline" / f"{part}.jsonl")[1]
        )


def test_objectives_train_different_adapters(home: Path) -> None:
    adapters = {(home / "run" / name / "adapter" / "adapter_model.safetensors").read_bytes() for name in VARIANTS}
    assert len(adapters) == len(VARIANTS)


def test_objective_and_general_rows_are_part_of_the_header_of_a_training(home: Path) -> None:
    headers = {name: read_lines(home / "run" / name / "training.jsonl")[0] for name in VARIANTS}
    assert "objective" not in headers["sft"]["config"]
    assert (headers["kl"]["config"]["objective"], headers["kl"]["config"]["kl_weight"]) == ("kl", 0.5)
    assert headers["kl"]["text_rows"] == 1
    assert {name: headers[name].get("replay_rows") for name in VARIANTS if name not in OBJECTIVES} == dict.fromkeys(
        REPLAY, 3
    )


def test_general_rows_stand_among_the_costs(home: Path) -> None:
    costs = pt.Run(home / "run").tables()["costs"]
    by_variant = dict(zip(costs["variant"], costs["general_rows"], strict=True))
    assert {name: int(by_variant[name]) for name in ("baseline", "sft", "kl", "self")} == {
        "baseline": 0, "sft": 0, "kl": 1, "self": 3,
    }  # fmt: skip


def test_replay_by_the_base_is_written_once_and_drawn_apart(home: Path) -> None:
    header, records = read_lines(home / "run" / "prompts" / "replay.jsonl")
    assert header["kind"] == "replay"
    assert sorted((record["prompt"], record["draw"]) for record in records)[0] == ("Name a colour.", 0)
    assert len({(record["prompt"], record["draw"]) for record in records}) == 3
    repeated = [record["text"] for record in records if [r["prompt"] for r in records].count(record["prompt"]) == 2]
    assert len(set(repeated)) == 2
    assert not (home / "run" / "rows" / "replay.jsonl").exists()


def _train(home: Path, folder: Path, *settings: str) -> int:
    changes = [word for setting in settings for word in ("--set", setting)]
    return main(["train", str(home / "objectives.toml"), "--out", str(folder), "--variant", "prompts", *changes])


def test_replay_interrupted_goes_on_to_the_same_training(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(home / "cache"))
    shutil.copytree(home / "run" / "prepared", tmp_path / "run" / "prepared")
    shutil.copy(home / "run" / "manifest.json", tmp_path / "run")
    asked: list[int] = []
    generate = HfEngine.generate

    def counted(
        self: Any, prompts: Any, longest: int, on_answer: Any, answered: Any = (), sampling: Any = None
    ) -> None:
        asked.append(len(prompts) - len(answered))
        generate(self, prompts, longest, on_answer, answered, sampling)

    monkeypatch.setattr(HfEngine, "generate", counted)
    whole = home / "run" / "prompts"
    lines = (whole / "replay.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "run" / "prompts").mkdir()
    (tmp_path / "run" / "prompts" / "replay.jsonl").write_text("".join(lines[:3]) + lines[3][:9], encoding="utf-8")
    assert _train(home, tmp_path / "run") == 0
    assert asked == [1]
    mine = tmp_path / "run" / "prompts"
    assert sorted((mine / "replay.jsonl").read_text(encoding="utf-8").splitlines()) == sorted(
        line.strip() for line in lines
    )
    file = Path("adapter") / "adapter_model.safetensors"
    assert (mine / file).read_bytes() == (whole / file).read_bytes()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ('{"prompt": "Hello"}\n{"prompt": 3}\n', "row 2: expected {"),
        ('{"prompt": "Hello", "completion": 3}\n', "row 1: expected {"),
        ("{oops\n", "row 1: not JSON"),
        ("\n", "replay is empty"),
        (None, "cannot be read"),
    ],
)
def test_replay_file_that_cannot_be_used_is_named(
    rows: str | None, expected: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PARETUNE_CACHE", str(home / "cache"))
    file = tmp_path / "own.jsonl"
    if rows is not None:
        file.write_text(rows, encoding="utf-8")
    assert _train(home, tmp_path / "run", f"variant.prompts.replay={file}") != 0
    assert "own.jsonl" in (said := capsys.readouterr().err)
    assert expected in said


@pytest.mark.parametrize("name", ["sql", "choice"])
def test_replay_of_a_test_question_is_refused(
    name: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(home / "cache"))
    question = read_lines(home / "run" / "prepared" / f"{name}.jsonl")[1][3]["question"]
    (tmp_path / "own.txt").write_text(f"Name a colour.\nPlease tell me: {question.upper()}\n", encoding="utf-8")
    assert _train(home, tmp_path / "run", f"variant.prompts.replay={tmp_path / 'own.txt'}") != 0
    said = capsys.readouterr().err
    assert "own.txt, row 2: replay: " in said
    assert "is a question of the test; take it out" in said


def test_replay_leaves_out_built_in_prompts_that_are_asked_in_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    session: Any = SimpleNamespace(task=SimpleNamespace(facets=SimpleNamespace(lines="sql", names={})))
    asked = {
        "sql": [{"question": "Why does ice float on water?"}],
        "choice": [{"question": "why do we have leap years"}],
    }
    monkeypatch.setattr(replay, "prepared_lines", lambda session, name: ("mark", asked[name]))
    prompts = read_prompts("self")
    kept = replay._without_test_questions(session, "self", prompts)
    assert {prompt.text for prompt in prompts} - {prompt.text for prompt in kept} == {
        "Why does ice float on water?", "Why do we have leap years?",
    }  # fmt: skip


def test_built_in_prompts_and_texts_are_many_and_different() -> None:
    for file in PROMPTS:
        lines = read_lines_of(file, "replay")
        assert len(set(lines)) == len(lines) >= 100
    assert len(set(read_lines_of(TEXTS, "kl_texts"))) >= 30
