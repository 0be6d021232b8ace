"""paretune plan: what it counts, what its figures rest on, and what it advises where a stage does not fit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.cli.plan import as_table
from paretune.config import ModelConfig, TrainingConfig
from paretune.config.read import load_experiment
from paretune.errors import ConfigError, ModelError
from paretune.pipeline.pace import Speeds
from paretune.pipeline.plan import Card, ExperimentPlan, card_named, plan_experiment
from paretune.pipeline.prepare import read_general, read_target
from paretune.pipeline.replay import mixed_count
from paretune.pipeline.session import Session
from paretune.pipeline.shape import shape_of
from paretune.report.text_table import as_text
from paretune.run.folder import RunFolder
from paretune.tasks import find_task
from paretune.text import Voice
from paretune.training.sft import total_steps
from tests.pipeline.conftest import WholeRun
from tests.tiny_experiment import tiny_experiment
from tests.tiny_models import save_tiny_model

EXPERIMENT = tiny_experiment(
    "planned",
    "questions = 12\ntrain_rows = 20\nmax_new_tokens = 8\nbatch_size = 4",
    """
batch_size = 4
[[variant]]
name = "run-1"
[[variant]]
from = "run-1"
repair = "spectral"
""",
)
MISTRAL = ModelConfig(path="mistralai/Mistral-7B-Instruct-v0.2")


def _offline(*_: object, **__: object) -> None:
    raise OSError("no network")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    for name in ("hf_hub_download", "snapshot_download"):
        monkeypatch.setattr(f"huggingface_hub.{name}", _offline)
    save_tiny_model(tmp_path / "model")
    return tmp_path


def _plan(home: Path, text: str = EXPERIMENT, card: Card | None = None) -> ExperimentPlan:
    (home / "x.toml").write_text(text, encoding="utf-8")
    config = load_experiment(home / "x.toml")
    return plan_experiment(Session(config, RunFolder(home / "runs" / "x"), Voice("en"), print), card)


def test_plan_on_this_machine_probes_it_and_covers_every_stage(home: Path) -> None:
    plan = _plan(home)
    assert [(item.stage, item.variant) for item in plan.estimates] == [
        ("prepare", ""),
        *((stage, "baseline") for stage in ("generate", "score", "choice")),
        *((stage, "run-1") for stage in ("train", "generate", "score", "choice")),
        *((stage, "run-1@spectral") for stage in ("generate", "score", "choice")),
        ("report", ""),
    ]
    assert {item.basis for item in plan.estimates if item.stage in ("train", "generate", "choice")} == {"probed"}
    assert plan.seconds is not None
    assert all(item.seconds for item in plan.estimates)
    assert plan.advice == ()


def test_plan_beside_a_finished_run_takes_its_speeds(home: Path, whole_run: WholeRun) -> None:
    home = whole_run.folder.parent
    (home / "x.toml").write_text((home / "tiny.toml").read_text(encoding="utf-8"), encoding="utf-8")
    config = load_experiment(home / "x.toml")
    plan = plan_experiment(Session(config, RunFolder(home / "new"), Voice("en"), print))
    work = json.loads((whole_run.folder / "manifest.json").read_text(encoding="utf-8"))["work"]
    for stage in ("train", "choice"):
        measured = sum(entry["seconds"] for entry in work if entry["stage"] == stage)
        planned = sum(item.seconds or 0.0 for item in plan.estimates if item.stage == stage)
        assert planned == pytest.approx(measured, rel=0.2), stage  # the same work, by its own seconds
    assert {item.basis for item in plan.estimates if item.stage == "train"} == {"measured"}


def test_plan_leaves_out_what_is_done(home: Path, whole_run: WholeRun, tmp_path: Path) -> None:
    home = whole_run.folder.parent
    run = shutil.copytree(whole_run.folder, tmp_path / "runs" / "copied")
    shutil.rmtree(run / "run-2")
    config = load_experiment(home / "tiny.toml")
    plan = plan_experiment(Session(config, RunFolder(run), Voice("en"), print))
    assert {item.variant for item in plan.estimates} == {"run-2", ""}


def test_plan_counts_the_samples_of_each_question(home: Path) -> None:
    one = _plan(home, card=card_named("t4"))
    several = _plan(home, EXPERIMENT.replace("batch_size = 4\n[general]", "batch_size = 4\ntemperature = 1.0\n"
                                             "samples = 5\n[general]"), card_named("t4"))  # fmt: skip
    first = [next(item for item in plan.estimates if item.stage == "generate") for plan in (one, several)]
    assert first[1].disk_bytes == 5 * (first[0].disk_bytes or 0)
    assert 1.0 < (first[1].seconds or 0.0) / (first[0].seconds or 1.0) <= 5.0  # prompts are computed once


def test_plan_on_a_named_card_says_that_it_is_derived_and_what_the_card_lacks(home: Path) -> None:
    plan = _plan(home, card=card_named("t4"))
    assert plan.where == "T4"
    assert {item.basis for item in plan.estimates} == {"measured", "derived"}  # measured: reading the data, here
    text = as_text(as_table(plan))
    assert "not measured on this card" in text
    assert "no bfloat16" in text
    faster = _plan(home, card=card_named("h200"))
    seconds = [next(item.seconds or 0.0 for item in one.estimates if item.stage == "train") for one in (plan, faster)]
    assert seconds[0] == pytest.approx(seconds[1] * 989 / 65)


def test_plan_of_what_does_not_fit_advises_what_does(home: Path) -> None:
    text = EXPERIMENT.replace('path = "model"', f'path = "{MISTRAL.path}"').replace(
        "batch_size = 4\n[[variant]]", "batch_size = 16\n[[variant]]"
    )
    plan = _plan(home, text, card_named("t4"))
    assert plan.peak_bytes > plan.memory_bytes
    assert len(plan.advice) == 1
    assert 'model.quantization = "nf4"' in plan.advice[0]
    follows = text.replace('v0.2"', 'v0.2"\nquantization = "nf4"').replace(
        "[training]", "[training]\ngradient_checkpointing = true"
    )
    assert _plan(home, follows, card_named("t4")).advice == ()
    assert "the tokenizer is not here" in " ".join(plan.notes)


def test_plan_of_a_sweep_has_a_training_for_each_of_its_variants(home: Path) -> None:
    plan = _plan(
        home, EXPERIMENT.partition("[[variant]]")[0] + "[sweep]\nrank = [4, 8]\nseed = [1, 2]\n", card_named("l4")
    )
    assert sum(item.stage == "train" for item in plan.estimates) == 4
    disk = {item.variant: item.disk_bytes or 0 for item in plan.estimates if item.stage == "train"}
    assert disk["rank-8-seed-1"] == 2 * disk["rank-4-seed-1"]


def test_plan_as_json_has_its_totals(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "x.toml").write_text(EXPERIMENT, encoding="utf-8")
    words = ["plan", str(home / "x.toml"), "--out", str(home / "run"), "--card", "24,121,300", "--json"]
    assert main(words) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["seconds"] == pytest.approx(sum(item["seconds"] for item in plan["estimates"]))
    assert plan["peak_bytes"] == max(item["memory_bytes"] or 0 for item in plan["estimates"])
    assert plan["memory_bytes"] == 24_000_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [("t5", "did you mean 't4'"), ("24", "expected GB,TFLOPS"), ("a,b", "expected numbers"), ("0,1", "above 0")],
)
def test_card_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        card_named(text)


def test_shape_of_a_published_model_has_its_published_number_of_weights(home: Path) -> None:
    shape = shape_of(MISTRAL)
    assert shape.multiplied + shape.others == 7_241_732_096
    assert shape.weight_bytes("bfloat16", "none") == 2 * 7_241_732_096
    training = TrainingConfig()
    assert shape.adapter_numbers(training) == 41_943_040  # of rank 16 on all linear layers, as PEFT counts them
    assert shape.adapter_numbers(replace(training, method="mlp-only")) < 41_943_040


def test_shape_of_an_unknown_model_offline_is_refused(home: Path) -> None:
    with pytest.raises(ModelError, match="nor to be had from the Hub"):
        shape_of(ModelConfig(path="nobody/nothing"))


WATCHED = """
[validation]
questions = 8
general_questions = 6
monitor_questions = 5
[search]
scales = [0.5, 1.0]
candidates = 2
seeds = [1, 2, 3]
[search.space]
rank = [2, 4, 64]
"""
TRAIN, ANSWER, CHOICE = 1.0, 2.0, 0.5  # seconds of a row, an answer and a choice


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speeds of a run beside this one."""
    amount = {"train": 100.0, "generate": 100.0, "choice": 100.0, "score": 100.0}
    each = {"train": TRAIN, "generate": ANSWER, "choice": CHOICE, "score": 0.01}
    known = Speeds({stage: 100.0 * seconds for stage, seconds in each.items()}, amount)
    monkeypatch.setattr("paretune.pipeline.plan.like_this", lambda session: (known, 1))


def seconds_of(plan: ExperimentPlan, stage: str, variant: str) -> float:
    """Of one stage; 0 where the plan has no such work."""
    return sum(item.seconds or 0.0 for item in plan.estimates if (item.stage, item.variant) == (stage, variant))


def rows_of(home: Path) -> int:
    """Training rows of the experiment, what is held out left aside."""
    config = load_experiment(home / "x.toml")
    return len(read_target(config, find_task(config.target.kind)).training)


@pytest.mark.usefixtures("planted")
def test_plan_counts_replay_monitor_and_the_base_models_pass(home: Path) -> None:
    settings = 'name = "run-1"\nobjective = "kl"\nreplay = "self"\nreplay_share = 0.25\nmonitor_steps = 2'
    plan = _plan(home, EXPERIMENT.replace('name = "run-1"', settings) + WATCHED)
    rows = rows_of(home)
    replayed, texts = mixed_count(rows, 0.25), mixed_count(rows, 0.1)
    steps = total_steps(rows + replayed + texts, TrainingConfig(batch_size=4))
    assert seconds_of(plan, "train", "run-1") == pytest.approx(steps * 4 * 1.5 * TRAIN)
    assert seconds_of(plan, "replay", "run-1") == pytest.approx(replayed * ANSWER)
    looks = 1 + -(-steps // 2)
    assert seconds_of(plan, "monitor", "run-1") == pytest.approx(looks * (5 * ANSWER + 5 * CHOICE))
    assert {item.basis for item in plan.estimates if item.stage in ("train", "replay", "monitor")} == {"measured"}
    assert "general rows of a training count as long as the target's" in plan.notes


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(("settings", "factor"), [('objective = "dft"', 1.0), ('objective = "masked"', 1.5)])
def test_plan_counts_no_pass_that_is_not_made(home: Path, settings: str, factor: float) -> None:
    plain = seconds_of(_plan(home), "train", "run-1")
    other = _plan(home, EXPERIMENT.replace('name = "run-1"', f'name = "run-1"\n{settings}'))
    assert seconds_of(other, "train", "run-1") == pytest.approx(factor * plain)
    assert {item.stage for item in other.estimates} == {item.stage for item in _plan(home).estimates}


@pytest.mark.usefixtures("planted")
def test_plan_counts_all_validation_questions_of_every_checkpoint_and_stop(home: Path) -> None:
    best = 'name = "run-1"\nbest_checkpoint = "target"\ncheckpoint_steps = 2'
    plan = _plan(home, EXPERIMENT.replace('name = "run-1"', best) + WATCHED)
    checkpoints = -(-total_steps(rows_of(home), TrainingConfig(batch_size=4)) // 2)
    config = load_experiment(home / "x.toml")
    held = len(read_target(config, find_task("demo")).validation)
    suite = sum(len(item.validation) for item in read_general(config))
    assert seconds_of(plan, "monitor", "run-1") == pytest.approx((1 + checkpoints) * (held * ANSWER + suite * CHOICE))
    stop = 'name = "run-1"\nmonitor_steps = 100\nstop_when_loss = 1.0'
    watched = _plan(home, EXPERIMENT.replace('name = "run-1"', stop) + WATCHED)
    assert seconds_of(watched, "monitor", "run-1") == pytest.approx(2 * (5 * ANSWER + suite * CHOICE))


@pytest.mark.usefixtures("planted")
def test_plan_of_a_search_counts_trials_looks_and_the_judgement(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = _plan(home, EXPERIMENT + WATCHED)
    assert any("--trials N counts it" in note for note in alone.notes)
    words = ["plan", str(home / "x.toml"), "--out", str(home / "runs" / "x"), "--trials", "5", "--json"]
    assert main(words) == 0
    plan = json.loads(capsys.readouterr().out)
    found = {(item["stage"], item["variant"]): item for item in plan["estimates"]}
    config = load_experiment(home / "x.toml")
    held = len(read_target(config, find_task("demo")).validation)
    suite = sum(len(item.validation) for item in read_general(config))
    own = found["train", "run-1"]
    assert found["train", "trials"]["seconds"] == pytest.approx(5 * own["seconds"])
    assert found["look", "trials"]["seconds"] == pytest.approx((1 + 5 * 2) * (held * ANSWER + suite * CHOICE))
    finals = [f"search-{number}-seed-{seed}" for number in (1, 2) for seed in (1, 2, 3)]
    assert all(found["train", name]["seconds"] == pytest.approx(own["seconds"]) for name in finals)
    assert all(found["generate", f"{name}{scale}"]["seconds"] == pytest.approx(12 * ANSWER)
               for name in finals for scale in ("", "@0.5"))  # fmt: skip
    assert found["train", "trials"]["memory_bytes"] > own["memory_bytes"]  # of rank 64
    assert plan["seconds"] == pytest.approx(sum(item["seconds"] for item in plan["estimates"]))


@pytest.mark.parametrize(
    ("text", "trials", "message"),
    [(EXPERIMENT, "5", "--trials belongs to a search; add [search] and [validation]"),
     (EXPERIMENT + WATCHED, "0", "--trials 0: expected at least 1")],
)  # fmt: skip
def test_plan_of_a_search_that_cannot_be_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], text: str, trials: str, message: str
) -> None:
    (home / "x.toml").write_text(text, encoding="utf-8")
    assert main(["plan", str(home / "x.toml"), "--out", str(home / "run"), "--trials", trials]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_dry_run_counts_what_a_training_takes_besides_its_rows(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = Speeds(
        {"train": 60.0, "generate": 6000.0, "choice": 60.0}, {"train": 60.0, "generate": 60.0, "choice": 60.0}
    )
    monkeypatch.setattr("paretune.pipeline.experiment.like_this", lambda session: (known, 1))
    times = []
    for settings in ("", "\nmonitor_steps = 1"):
        text = EXPERIMENT.replace('name = "run-1"', f'name = "run-1"{settings}') + WATCHED
        (home / "x.toml").write_text(text, encoding="utf-8")
        assert main(["run", str(home / "x.toml"), "--out", str(home / "run"), "--dry-run"]) == 0
        times.append(next(line for line in capsys.readouterr().out.splitlines() if line.startswith("time: ")))
    assert all(line.startswith("time: about ") for line in times)
    assert times[0] != times[1]  # minutes more of answers
