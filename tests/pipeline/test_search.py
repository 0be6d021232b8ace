"""The search with the tiny model: looks on validation questions alone, a kill, and the judgement on the test."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.run.jsonl import read_lines
from tests.pipeline.conftest import EXPERIMENT
from tests.tiny_models import save_tiny_model

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
