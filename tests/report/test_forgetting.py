"""The plot of what a training's monitor saw: on the page, in files, and only where somebody looked."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.report.page.sections import _forgotten
from paretune.report.plots import image_bytes, write_plots
from paretune.report.plots.forgetting import draw_forgetting
from paretune.run.load import load_run
from paretune.text import LANGUAGES, Voice
from tests.simulated_run import change_lines, variants, write_run

LOOKS = (200, 400, 800)


def _seen(step: int, *, stop: bool) -> dict[str, Any]:
    """A line of the monitor: 1 point gained per 40 steps, 1 lost per 100 on one suite."""

    def change(points: float) -> dict[str, Any]:
        return {"accuracy": 45 + points, "base": 45.0, "low": points - 4, "high": points + 4, "questions": 100}

    return {"target": {**change(step / 40), "loss": 0.3, "base_loss": 0.9}, "kl": step / 2000, "bits_per_byte": 0.85,
            "base_bits_per_byte": 0.8, "general": {"demo": change(-step / 100)}, "stop": stop}  # fmt: skip


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = write_run(tmp_path_factory.mktemp("watched") / "run", variants(3))

    def look(line: dict[str, Any]) -> dict[str, Any]:
        step = line["step"]
        return {**line, "monitor": _seen(step, stop=step == LOOKS[-1])} if step in LOOKS else line

    change_lines(folder / "run-1" / "training.jsonl", look)
    return compare_run(load_run(folder), replicates=20)


def test_compare_run_watched_training_keeps_what_was_seen(watched: Comparison) -> None:
    first, second = watched.training
    assert (first.variant, second.looks) == ("run-1", ())
    assert [look.step for look in first.looks] == list(LOOKS)
    last = first.looks[-1]
    assert (last.target.estimate, last.target.low, last.target.high) == (20.0, 16.0, 24.0)
    assert last.general["demo"].estimate == -8.0
    assert last.divergence == 0.4
    assert last.bits == pytest.approx(0.05)
    assert [look.stopped for look in first.looks] == [False, False, True]


def test_draw_forgetting_starts_at_the_base_model_and_rings_the_stop(watched: Comparison) -> None:
    figure = draw_forgetting(watched, Voice("en"), dark=False)
    curves = [[_points(line) for line in axes.get_lines()] for axes in figure.axes]
    drawn = [next(points for points in lines if len(points) == 4) for lines in curves]
    assert drawn[0] == [(0, 0), (200, 5), (400, 10), (800, 20)]
    assert drawn[1] == [(0, 0), (200, -2), (400, -4), (800, -8)]
    assert drawn[2] == [(0, 0), (200, 0.1), (400, 0.2), (800, 0.4)]
    assert [step for step, _ in drawn[3]] == [0, *LOOKS]
    assert curves[1].count([(800, -8)]) == 1
    assert [(800, 20)] not in curves[0]


def _points(line: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("narrow", [False, True])
def test_draw_forgetting_says_what_it_shows_in_the_language(watched: Comparison, language: str, narrow: bool) -> None:
    text = image_bytes(draw_forgetting(watched, Voice(language), True, narrow), "svg").decode()
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
    title = Voice(language).say("plot.forgetting", questions=100)
    assert all(word in words for word in title.split())
    assert Voice(language).say("first.beyond", budget=1) in words


def test_draw_forgetting_nothing_watched_says_so(watched: Comparison, tmp_path: Path) -> None:
    alone = compare_run(load_run(write_run(tmp_path / "run", variants(2))), replicates=20)
    text = image_bytes(draw_forgetting(alone, Voice("pt-BR"), dark=False), "svg").decode()
    assert "nenhum treino foi observado" in text


def test_plot_is_on_the_page_and_in_files_only_where_somebody_looked(watched: Comparison, tmp_path: Path) -> None:
    alone = compare_run(load_run(write_run(tmp_path / "run", variants(2))), replicates=20)
    assert [plot.name for plot in _forgotten(watched, Voice("en")).plots] == ["forgetting"]
    assert _forgotten(alone, Voice("en")).plots == ()
    written = {path.name for path in write_plots(watched, tmp_path / "watched", Voice("en"))}
    assert {"forgetting.svg", "forgetting-dark.svg", "forgetting.png"} <= written
    assert not any("forgetting" in path.name for path in write_plots(alone, tmp_path / "alone", Voice("en")))
