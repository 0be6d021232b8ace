"""paretune power: the printed figures and the user's mistakes."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from paretune.cli import power
from paretune.errors import ConfigError, RunFolderError, StatisticsError, UndefinedFigure
from tests.simulated_run import change_manifest, variants, write_run


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    power.add_arguments(parser)
    return power.run(parser.parse_args(words))


ASKED = ("--effect", "1.0", "--discordant", "0.1", "--power", "0.8")


def test_power_prints_questions_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ASKED) == 0
    assert capsys.readouterr().out == "questions needed to show 1.00 points with probability 0.80: 7849\n"


def test_power_in_portuguese_writes_commas(capsys: pytest.CaptureFixture[str]) -> None:
    run(*ASKED, "--lang", "pt-BR", "--questions", "14042", "--seconds-per-question", "0.5")
    out = capsys.readouterr().out
    assert "0,75 pontos" in out
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
    speeds = power.speeds_of(folder)
    assert set(speeds) == {"target", "general"}
    questions = len((folder / "baseline" / "sql.jsonl").read_text().splitlines()) - 1
    assert speeds["target"] == pytest.approx(40.0 / questions)
    run(*ASKED, "--run", str(folder))
    assert "(target)" in capsys.readouterr().out


def test_power_run_without_answers_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2), size="demo", seed=1)
    change_manifest(folder, work=[])
    with pytest.raises(RunFolderError, match="evaluate"):
        run(*ASKED, "--run", str(folder))
