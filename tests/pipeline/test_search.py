"""The search with the tiny model: looks on validation questions alone, a kill, and the judgement on the test."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.cli import main
from paretune.config.read import load_experiment, read_table
from paretune.pipeline import train as pipeline_train
from paretune.pipeline.search import Limits, Search
from paretune.pipeline.session import Session
from paretune.run.folder import RunFolder
from paretune.run.jsonl import count_lines, read_lines
from paretune.run.load import load_run
from paretune.text import Voice
from paretune.training.sft import train_adapter
from tests.pipeline.conftest import EXPERIMENT
from tests.simulated_run import SimulatedVariant, write_run
from tests.tiny_models import save_tiny_model
from tests.undrawn import draw_nothing

pytest.importorskip("optuna", reason="Optuna is not installed")

SEARCHED = (
    EXPERIMENT.partition('[[variant]]\nname = "run-2"')[0]
    + """
[validation]
questions = 8
general_questions = 8
[search]
scales = [0.5, 1.0]
candidates = 1
seeds = [1, 2]
[search.space]
rank = [2, 4]
peak_learning_rate = { low = 1e-3, high = 1e-1, log = true }
"""
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    save_tiny_model(folder / "model")
    (folder / "x.toml").write_text(SEARCHED, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(home: Path) -> Path:
    assert main(["search", str(home / "x.toml"), "--trials", "3", "--out", str(home / "run")]) == 0
    return home / "run"


def test_search_looks_at_every_scale_of_every_training(found: Path) -> None:
    header, looks = read_lines(found / "search" / "looks.jsonl")
    assert {(look["training"], look["scale"]) for look in looks} == {
        (at, scale) for at in range(3) for scale in (0.5, 1)
    }
    assert {len(look["answers"]["target"]) for look in looks} == {len(header["base"]["target"])}
    assert looks[0]["recipe"] == {"rank": 2, "peak_learning_rate": 1e-2}  # the experiment's own recipe first


def test_search_asks_nothing_of_the_test(found: Path) -> None:
    asked, tested, trained = (
        {record["question"] for record in read_lines(found / "search" / "prepared" / f"{name}.jsonl")[1]}
        for name in ("validation", "sql", "train")
    )
    assert asked
    assert not asked & (tested | trained)
    assert not list((found / "search").glob("trial-*/answers.jsonl"))


def test_search_judges_candidates_with_every_seed_and_says_what_was_looked_at(found: Path) -> None:
    final = tomllib.loads((found / "search" / "final.toml").read_text(encoding="utf-8"))
    names = [item["name"] for item in final["variant"]]
    assert names[0] == "run-1"
    assert {"search-1-seed-1", "search-1-seed-2"} <= set(names)
    assert all((found / name / "sql.jsonl").is_file() for name in names)
    page = (found / "report" / "index.html").read_text(encoding="utf-8")
    assert "A search looked at 6 states of the model" in page
    assert "A search looked at 6 states" in (found / "tables" / "claims.md").read_text(encoding="utf-8")
    with open(found / "tables" / "search.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert sum(row["candidate"] == "true" for row in rows) == 1
    assert all(float(row["gain_low"]) <= float(row["gain_points"]) <= float(row["gain_high"]) for row in rows)


def test_search_run_again_looks_at_nothing_anew(home: Path, found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (found / "search" / "looks.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["search", str(home / "x.toml"), "--trials", "3", "--out", str(found), "--lang", "pt-BR"]) == 0
    output = capsys.readouterr()
    assert (found / "search" / "looks.jsonl").read_bytes() == before
    assert "trial-" not in output.err
    assert "Uma busca examinou 6 estados do modelo" in output.out


def test_search_killed_while_it_trains_goes_on_with_the_same_recipe(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paretune.pipeline import search as module

    words = ["search", str(home / "x.toml"), "--trials", "2", "--out", str(tmp_path / "run")]
    trained: list[str] = []
    real = module.train  # type: ignore[attr-defined]  # imported there

    def killed(session: object, variant: object) -> None:
        trained.append(json.dumps(variant.training.as_dict(), sort_keys=True))  # type: ignore[attr-defined]  # a variant
        if len(trained) == 2:
            raise KeyboardInterrupt
        real(session, variant)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(module, "train", killed)
    assert main(words) == 130
    assert main(words) == 0
    assert trained[1] == trained[2]
    assert len(trained) == 3
    assert len(read_lines(tmp_path / "run" / "search" / "looks.jsonl")[1]) == 4


def searching(home: Path, folder: Path, text: str = SEARCHED) -> tuple[Search, list[str]]:
    """A search without its command, and what it says."""
    file = home / f"{folder.name}.toml"
    file.write_text(text, encoding="utf-8")
    said: list[str] = []
    session = Session(load_experiment(file), RunFolder(folder), Voice("en"), said.append)
    return Search(session, read_table(file), str(file)), said


def test_report_of_a_searched_run_reads_the_search_back_without_optuna(
    found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(found, tmp_path / "run")
    for path in (run / "tables").glob("search.*"):
        path.unlink()
    monkeypatch.setitem(sys.modules, "optuna", None)
    draw_nothing(monkeypatch)
    monkeypatch.setattr("paretune.report.search.image_bytes", lambda *_: b"<svg></svg>")
    assert main(["report", str(run)]) == 0
    for name in ("search.csv", "search.md"):
        assert (run / "tables" / name).read_bytes() == (found / "tables" / name).read_bytes()
    page = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert "6 states of 3 trainings were looked at" in page
    assert "6 estados de 3 treinamentos foram examinados" in page


def test_search_trains_the_own_variants_of_the_experiment_once(found: Path) -> None:
    manifest = RunFolder(found).read_manifest()
    assert manifest["variants"]["run-1"]["taken_from"] == str(found / "search" / "trial-000")
    assert all("taken_from" not in manifest["variants"][f"search-1-seed-{seed}"] for seed in (1, 2))
    adapters = [found / name / "adapter" / "adapter_model.safetensors" for name in ("run-1", "search/trial-000")]
    assert adapters[0].read_bytes() == adapters[1].read_bytes()


def test_search_from_runs_takes_the_adapter_that_saw_the_same_rows_and_no_other(
    home: Path, found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two runs with the recipe, one saw the validation questions in its training."""
    plain = home / "plain.toml"
    plain.write_text(SEARCHED.partition("[validation]")[0], encoding="utf-8")
    assert main(["train", str(plain), "--out", str(tmp_path / "plain")]) == 0
    trained: list[str] = []
    real = train_adapter

    def noted(base: Any, rows: Any, config: Any, folder: Path, *rest: Any, **more: Any) -> Any:
        trained.append(folder.name)
        return real(base, rows, config, folder, *rest, **more)

    monkeypatch.setattr(pipeline_train, "train_adapter", noted)
    words = ["search", str(home / "x.toml"), "--trials", "1", "--out", str(tmp_path / "run"), "--from",
             str(tmp_path / "plain"), "--from", str(found), "--set", "validation.general_questions=6"]  # fmt: skip
    capsys.readouterr()
    assert main(words) == 0
    assert trained == ["search-1-seed-1", "search-1-seed-2"]
    said = " ".join(capsys.readouterr().err.split())
    assert f"search: {tmp_path / 'plain'} was trained on rows of" in said
    assert "its adapters are not taken, its recipes are trained anew" in said
    assert f"trial-000: the adapter of {found / 'run-1'} is taken" in said
    noted_facts = RunFolder(tmp_path / "run" / "search").read_manifest()["variants"]["trial-000"]
    assert noted_facts["taken_from"] == str(found / "run-1")
    header, looks = read_lines(tmp_path / "run" / "search" / "looks.jsonl")
    before = read_lines(found / "search" / "looks.jsonl")[1]
    for look, former in zip(looks, before, strict=False):
        assert look["answers"]["target"] == former["answers"]["target"]
        assert len(look["answers"]["general"]["demo"]) == len(header["base"]["general"]["demo"]) == 6


def test_search_drops_what_the_monitor_stops_and_looks_at_the_rest(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paretune.pipeline import monitor
    from paretune.pipeline import search as module

    stopping = SEARCHED.replace("[training]\n", "[training]\nmonitor_steps = 2\nstop_when_loss = 1.0\n")
    search, said = searching(home, tmp_path / "run", stopping)
    now: list[str] = []
    real, test = module.train, monitor.loss_test  # type: ignore[attr-defined]  # imported there

    def training(session: Any, variant: Any) -> None:
        now.append(variant.name)
        real(session, variant)

    def lost(*arguments: Any, **more: Any) -> Any:
        found = test(*arguments, **more)
        return replace(found, verdict="shown") if now[-1] == "trial-001" else found

    monkeypatch.setattr(module, "train", training)
    monkeypatch.setattr(monitor, "loss_test", lost)
    looked = search.run(Limits(trials=3))
    assert {look.training for look in looked.looks} == {0, 2}
    steps = {name: len(read_lines(tmp_path / f"run/search/{name}/training.jsonl")[1]) for name in now}
    assert steps["trial-001"] == 2 < steps["trial-000"]
    assert read_lines(tmp_path / "run/search/looks.jsonl")[0]["dropped"] == {"trial-001": "stopped by the monitor"}
    assert any("trial-001: stopped after step 2" in line for line in said)


def test_search_by_minutes_keeps_back_what_the_judgement_takes(home: Path, tmp_path: Path) -> None:
    search, _ = searching(home, tmp_path / "run")
    assert len({look.training for look in search.run(Limits(minutes=1e-6)).looks}) == 1  # one in any case
    inner = RunFolder(tmp_path / "run" / "search")
    inner.update_manifest({"work": [{"stage": "train", "variant": "trial-000", "seconds": 100.0},
                                    {"stage": "look", "variant": "trial-000", "seconds": 10.0}]})  # fmt: skip
    count = {name: count_lines(inner.prepared(name)) for name in ("sql", "choice", "validation", "validation_choice")}
    answers = 5.0 * (count["sql"] + count["choice"]) / (count["validation"] + count["validation_choice"])
    (chosen,) = search.run(Limits(minutes=1e-6)).chosen
    states = 1 + 1 + 2 * (1 if chosen.scale == 1.0 else 2)  # the base, run-1, a candidate of two seeds
    seconds = 100.0 + 10.0 + 2 * 100.0 + states * answers
    assert len({look.training for look in search.run(Limits(minutes=seconds / 60 - 0.01)).looks}) == 1
    assert len({look.training for look in search.run(Limits(trials=2, minutes=seconds / 60 + 0.5)).looks}) == 2


FINAL_TEXT = """
name = "searched"
[model]
path = "/models/base"
[target]
kind = "demo"
[training]
batch_size = 4
[sweep]
rank = [4, 8]
[[variant]]
name = "run-1"
[[variant]]
from = "run-1"
adapter_scale = 0.5
[[variant]]
name = "search-1-seed-1"
rank = 2
seed = 1
[[variant]]
name = "search-1-seed-2"
rank = 2
seed = 2
[[variant]]
name = "search-1-seed-3"
rank = 2
seed = 3
"""


def judged(folder: Path, *planted: SimulatedVariant) -> Comparison:
    """The comparison of a simulated run, with the file of what was judged beside it."""
    write_run(folder, planted, size="spider")
    (folder / "search").mkdir()
    (folder / "search" / "final.toml").write_text(FINAL_TEXT, encoding="utf-8")
    return compare_run(load_run(folder), replicates=100)


@pytest.mark.parametrize(
    ("best", "names"),
    [
        ("search-1-seed-", ["search-1-seed-1", "search-1-seed-2", "search-1-seed-3"]),
        ("run-1@0.5", ["run-1", "run-1@0.5"]),
        ("rank-8", ["rank-8"]),
    ],
)
def test_pick_of_a_search_is_written_as_an_experiment_of_its_own(
    home: Path, tmp_path: Path, best: str, names: list[str]
) -> None:
    def gain(name: str) -> float:
        return 25.0 if name.startswith(best) else 5.0

    comparison = judged(
        tmp_path / "run",
        SimulatedVariant("run-1", 5.0, 0.0, churn=0.02),
        SimulatedVariant("run-1@0.5", gain("run-1@0.5"), 0.0, source="run-1", adapter_scale=0.5, churn=0.02),
        *(SimulatedVariant(f"search-1-seed-{seed}", gain("search-1-seed-"), 0.0, seed=seed, churn=0.0,
                           peak_learning_rate=3e-4) for seed in (1, 2, 3)),
        SimulatedVariant("rank-8", gain("rank-8"), 0.0, churn=0.02),
    )  # fmt: skip
    assert comparison.verdict.pick is not None
    search, _ = searching(home, tmp_path / "run")
    path = search.write_pick(comparison)
    assert path == tmp_path / "run" / "search" / "pick.toml"
    assert path is not None
    config = load_experiment(path)
    assert [variant.name for variant in config.variants] == names
    assert config.model.path == "/models/base"
    trainings = [variant.training for variant in config.variants if variant.training is not None]
    if best == "search-1-seed-":
        assert [(training.as_dict()["rank"], training.seed) for training in trainings] == [(2, 1), (2, 2), (2, 3)]
    if best == "rank-8":
        assert [training.as_dict()["rank"] for training in trainings] == [8]


def test_search_whose_test_picks_the_base_writes_no_pick_and_removes_a_former_one(home: Path, tmp_path: Path) -> None:
    comparison = judged(tmp_path / "run", SimulatedVariant("run-1", 0.0, 0.0))
    assert comparison.verdict.pick is None
    (tmp_path / "run" / "search" / "pick.toml").write_text("former", encoding="utf-8")
    search, _ = searching(home, tmp_path / "run")
    assert search.write_pick(comparison) is None
    assert not (tmp_path / "run" / "search" / "pick.toml").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[validation]\nquestions = 8\ngeneral_questions = 8\n", ""), "no [validation] section"),
        (("[search]", "[x]"), "x: unknown key"),
        (("rank = [2, 4]", "rnak = [2, 4]"), "search.space.rnak: unknown key; did you mean 'rank'?"),
        (("rank = [2, 4]", "rank = []"), "search.space.rank: expected one value or more, found an empty list"),
        (("rank = [2, 4]", "rank = [2, 2]"), "search.space.rank: a value stands there twice"),
        (("rank = [2, 4]", "rank = [0, 2]"), "search.space.rank: expected at least 1, found 0"),
        (("rank = [2, 4]", "seed = [1, 2]"), "search.space.seed: unknown key"),
        (("rank = [2, 4]", "block_size = [2, 4]"), "search.space.block_size: no method that is searched has this key"),
        (
            ("low = 1e-3, high = 1e-1", "low = 1e-1, high = 1e-3"),
            "peak_learning_rate: an empty range; expected low below",
        ),
        (
            ("low = 1e-3, high", "low = 0.0, high"),
            "peak_learning_rate: an empty range; expected low below high, above 0",
        ),
        (("low = 1e-3, high", "hihg"), "search.space.peak_learning_rate.low: expected a number, found None"),
        (("scales = [0.5, 1.0]", "scales = [0.0]"), "search.scales: expected numbers above 0"),
        (("scales = [0.5, 1.0]", "scales = [1.0, 1.0]"), "search.scales: expected one number or more, all different"),
        (("seeds = [1, 2]", "seeds = [1.5]"), "search.seeds: expected whole numbers"),
        (("candidates = 1", "candidates = 0"), "search.candidates: expected at least 1, found 0"),
        (("candidates = 1", "candidate = 1"), "search.candidate: unknown key; did you mean 'candidates'?"),
    ],
)
def test_search_section_that_cannot_be_obeyed_is_refused(
    change: tuple[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change[0] in SEARCHED
    (tmp_path / "x.toml").write_text(SEARCHED.replace(*change), encoding="utf-8")
    assert main(["search", str(tmp_path / "x.toml"), "--trials", "1", "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "search: give --trials N, --minutes M or both"),
        (["--trials", "0"], "--trials 0: expected more than 0"),
        (["--minutes", "-1"], "--minutes -1.0: expected more than 0"),
    ],
)
def test_search_without_a_limit_is_refused(
    words: list[str], message: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", str(home / "x.toml"), "--out", str(tmp_path / "run"), *words]) == 2
    assert message in capsys.readouterr().err


def test_search_without_its_section_says_what_to_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["search", str(tmp_path / "x.toml"), "--trials", "1", "--out", str(tmp_path / "run")]) == 2
    assert "no [search] section; add one that says what may vary" in capsys.readouterr().err
