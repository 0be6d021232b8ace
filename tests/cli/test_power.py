"""paretune power: the printed figures and the user's mistakes."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from paretune.cli import power
from paretune.errors import ConfigError, ParetuneError, RunFolderError, StatisticsError, UndefinedFigure
from tests.simulated_run import change_manifest, variants, write_run


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    power.add_arguments(parser)
    return power.run(parser.parse_args(words))


ASKED = ("--effect", "1.0", "--discordant", "0.1", "--power", "0.8")


def test_power_prints_questions_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ASKED) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Questions are taken as independent; --clusters and --intraclass say how far they are not.",
        "questions needed to show 1.00 points with probability 0.80: 7849",
    ]


def test_power_family_and_unequal_clusters_need_more(capsys: pytest.CaptureFixture[str]) -> None:
    run("--effect", "10", "--discordant", "0.2", "--clusters", "20", "--intraclass", "0.05")
    equal = int(capsys.readouterr().out.split()[-1])
    sizes = "4,15,16,18,30,30,38,40,40,42,45,56,62,62,78,80,82,84,92,120"
    run("--effect", "10", "--discordant", "0.2", "--clusters", sizes, "--intraclass", "0.05")
    out = capsys.readouterr().out
    assert "20 clusters, worth 15.1 of equal size" in out
    assert int(out.split()[-1]) > equal
    run("--effect", "3", "--discordant", "0.2")
    alone = int(capsys.readouterr().out.split()[-1])
    run("--effect", "3", "--discordant", "0.2", "--family", "6")
    assert int(capsys.readouterr().out.split()[-1]) > 1.4 * alone


def test_power_of_ruling_a_loss_out(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--claim", "non-inferiority", "--margin", "1", "--discordant", "0.1")
    run(*asked, "--questions", "7893")
    out = capsys.readouterr().out.splitlines()
    assert out[1] == (
        "7893 questions rule out a loss of more than 1.00 points, where 0.00 are lost, with probability 0.80"
    )
    assert out[2].endswith(": 7893")
    run(*asked, "--true-loss", "0.2", "--lang", "pt-BR")
    assert "quando se perdem 0,20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--effect", "50", "--discordant", "0.1"), "at most 10 points"),
        (("--effect", "1e-300", "--discordant", "0.1"), "up to 10,000,000 questions shows 1e-300 points so reliably"),
        (("--effect", "inf", "--discordant", "0.1"), "expected points in"),
        (("--claim", "non-inferiority", "--margin", "1e-300", "--discordant", "0.1"), "take a larger effect or margin"),
        (("--effect", "2", "--discordant", "0.1", "--questions", "10"), "10 questions show no difference reliably"),
        (("--claim", "non-inferiority", "--margin", "1", "--true-loss", "1.5", "--discordant", "0.1"), "true loss"),
        (("--claim", "non-inferiority", "--discordant", "0.1"), "--margin"),
        (("--claim", "non-inferiority", "--effect", "1", "--margin", "1", "--discordant", "0.1"), "--effect"),
        (("--effect", "1", "--true-loss", "1", "--discordant", "0.1"), "--true-loss"),
        (("--effect", "1", "--discordant", "0.1", "--family", "0"), "family"),
        (("--effect", "1", "--discordant", "0.1", "--clusters", "a,b", "--intraclass", "0.1"), "--clusters a,b"),
    ],
)
def test_power_impossible_requests_are_refused(words: tuple[str, ...], named: str) -> None:
    with pytest.raises(ParetuneError, match=named):
        run(*words)


def test_power_in_portuguese_writes_commas(capsys: pytest.CaptureFixture[str]) -> None:
    run(*ASKED, "--lang", "pt-BR", "--questions", "14042", "--seconds-per-question", "0.5")
    out = capsys.readouterr().out
    assert "0,75 p.p." in out
    assert "7849" in out
    assert "130,8" in out


def test_power_clusters_that_cannot_suffice_are_refused() -> None:
    with pytest.raises(UndefinedFigure, match="20 clusters"):
        run(*ASKED, "--clusters", "20", "--intraclass", "0.05")


def test_power_clusters_raise_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    run("--effect", "3", "--discordant", "0.2", "--clusters", "57", "--intraclass", "0.01")
    clustered = int(capsys.readouterr().out.split()[-1])
    run("--effect", "3", "--discordant", "0.2")
    assert clustered > int(capsys.readouterr().out.split()[-1])


@pytest.mark.parametrize("words", [("--clusters", "20"), ("--intraclass", "0.1"), ("--variants", "0")])
def test_power_incomplete_options_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        run(*ASKED, *words)


def test_power_impossible_share_is_refused() -> None:
    with pytest.raises(StatisticsError, match="discordant"):
        run("--effect", "1", "--discordant", "10")


def test_power_takes_speeds_from_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "run", variants(3), size="demo", seed=1)
    questions = len((folder / "baseline" / "sql.jsonl").read_text().splitlines()) - 1
    run(*ASKED, "--run", str(folder))
    printed = capsys.readouterr().out
    assert f"at {40.0 / questions:.3f} s per question (target)" in printed
    assert "s per question (general)" in printed


def test_power_run_without_answers_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2), size="demo", seed=1)
    change_manifest(folder, work=[])
    with pytest.raises(RunFolderError, match="evaluate"):
        run(*ASKED, "--run", str(folder))


def test_power_counts_the_recipes_and_variants_of_an_experiment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[target]\nkind = "demo"\n[sweep]\nrank = [4, 8, 16]\nseed = [1, 2]\n', encoding="utf-8")
    run(*ASKED, "--experiment", str(file), "--seconds-per-question", "1")
    counted = capsys.readouterr().out
    assert "recipes are planned and judged together, each at its share of the level: 3" in counted
    assert "minutes for 7 variants" in counted
    run(*ASKED, "--family", "3")
    given = capsys.readouterr().out.splitlines()[-1]
    assert given in counted
    assert "recipes" not in given


def test_power_counts_the_candidates_of_a_search_with_their_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.toml"
    search = "[search]\ncandidates = 2\nseeds = [1, 2, 3]\n[search.space]\nrank = [4, 8]\n"
    text = f'[target]\nkind = "demo"\n[validation]\nquestions = 9\n{search}[[variant]]\nname = "run-1"\n'
    file.write_text(text, encoding="utf-8")
    run(*ASKED, "--experiment", str(file), "--seconds-per-question", "1")
    counted = capsys.readouterr().out
    assert "at its share of the level: 3" in counted  # run-1 and two candidates
    assert "minutes for 8 variants" in counted


def test_power_counts_the_recipes_that_a_run_plans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "run", variants(4), size="demo", seed=1)
    run(*ASKED, "--run", str(folder))
    planned = capsys.readouterr().out
    assert "at its share of the level: 3" in planned
    assert "minutes for 4 variants" in planned
