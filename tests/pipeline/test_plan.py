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
from paretune.pipeline.plan import Card, ExperimentPlan, card_named, plan_experiment
from paretune.pipeline.session import Session
from paretune.pipeline.shape import shape_of
from paretune.report.text_table import as_text
from paretune.run.folder import RunFolder
from paretune.text import Voice
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
    disk = [next(item.disk_bytes for item in plan.estimates if item.stage == "generate") for plan in (one, several)]
    assert disk[1] == 5 * (disk[0] or 0)


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


def test_plan_says_what_it_leaves_out(home: Path) -> None:
    plan = _plan(home, EXPERIMENT.replace('name = "run-1"', 'name = "run-1"\nobjective = "dft"'), card_named("l4"))
    assert "objectives other than sft" in " ".join(plan.notes)
    assert "objectives other than sft" not in " ".join(_plan(home, card=card_named("l4")).notes)
