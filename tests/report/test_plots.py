"""Plots: the same bytes each time, text that stays text, names that cover neither each other nor a point."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.report.page.figure import NARROW, WIDE, Frame, ends_shown, whisker
from paretune.report.page.first import first_screen
from paretune.report.plots import DRAWINGS, draw_subjects, draw_tradeoff, draw_training, image_bytes, write_plots
from paretune.report.plots.labels import _length_inside
from paretune.report.plots.look import OKABE_ITO, ON_DARK, _contrast, distinct_looks, inks, readable
from paretune.run.load import load_run
from paretune.stats.intervals import Interval
from paretune.text import LANGUAGES, Voice
from tests.simulated_run import variants, write_run

COUNTS = (2, 3, 6, 12)


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Comparison]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        count: compare_run(load_run(write_run(folder / str(count), variants(count))), replicates=200)
        for count in COUNTS
    }


def test_write_plots_same_comparison_same_svg(comparisons: dict[int, Comparison], tmp_path: Path) -> None:
    written = write_plots(comparisons[6], tmp_path / "one", Voice("en"))
    write_plots(comparisons[6], tmp_path / "two", Voice("en"))
    assert sorted(path.name for path in written) == sorted(
        f"{name}{suffix}" for name in ("tradeoff", "training", "subjects") for suffix in (".svg", "-dark.svg", ".png")
    )
    for path in written:
        again = (tmp_path / "two" / path.name).read_bytes()
        assert path.read_bytes() == again, path.name
        if path.suffix == ".svg":
            assert b"<dc:date>" not in again
        else:
            assert again.startswith(b"\x89PNG")


def test_draw_tradeoff_svg_names_every_variant_as_text(comparisons: dict[int, Comparison]) -> None:
    text = image_bytes(draw_tradeoff(comparisons[6], Voice("en"), dark=False), "svg").decode()
    for name in (
        "baseline: SQL accuracy 40.0 %, demo 45.0 %",
        "run-1",
        "run-2",
        "run-1@0.5",
        "run-1@0.25",
        "run-1@step-200",
        "loses more than the 1 point allowed",
        "Pareto front",
        "the pick: the base model",
    ):
        assert re.search(rf"<text[^>]*>(<tspan[^>]*>)?{re.escape(name)}<", text), name


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dark", [False, True])
def test_draw_tradeoff_labels_do_not_overlap(comparisons: dict[int, Comparison], count: int, dark: bool) -> None:
    figure = draw_tradeoff(comparisons[count], Voice("en"), dark)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [text for text in axes.texts if text.get_bbox_patch() is not None]
    assert len(names) == count
    # The annotation's own extent would hold its leader too; the patch behind it holds the words only.
    boxes = [patch.get_window_extent() for patch in (text.get_bbox_patch() for text in names) if patch is not None]
    assert len(boxes) == count
    assert min(box.width for box in boxes) > 15
    for one, two in combinations(boxes, 2):
        width, height = min(one.x1, two.x1) - max(one.x0, two.x0), min(one.y1, two.y1) - max(one.y0, two.y0)
        assert width <= 1.5 or height <= 1.5
    frame = axes.get_window_extent()
    for box in boxes:
        assert frame.x0 - 1 <= box.x0
        assert box.x1 <= frame.x1 + 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(DRAWINGS))
def test_draw_every_plot_in_every_language(comparisons: dict[int, Comparison], language: str, name: str) -> None:
    text = image_bytes(DRAWINGS[name](comparisons[3], Voice(language), False, False), "svg").decode()
    words = " ".join(re.findall(r">([^<>]+)</text>", text))
    if language == "pt-BR":
        assert not re.search(r"\b(accuracy|change|points|step|loss|subject)\b", words)
        assert not re.search(r"\d\.\d", words)
    assert (
        ("no training was watched" in words or "nenhum treino" in words) if name == "forgetting" else "run-1" in words
    )


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_draw_legend_and_titles_stay_within_the_picture(
    comparisons: dict[int, Comparison], language: str, narrow: bool
) -> None:
    for draw in DRAWINGS.values():
        figure = draw(comparisons[6], Voice(language), False, narrow)
        figure.draw_without_rendering()
        titles = [axes.title if axes.title.get_text() else axes._left_title for axes in figure.axes]
        titles += [figure._suptitle] if figure._suptitle else []
        for part in (*figure.legends, *titles):
            box = part.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1


@pytest.mark.parametrize("dark", [False, True])
def test_distinct_looks_no_two_variants_are_drawn_alike(comparisons: dict[int, Comparison], dark: bool) -> None:
    names = ["run-1", "run-2", "run-1@0.5", "run-1@0.25", "run-1@step-200"]
    found = distinct_looks(comparisons[6], names, dark)
    assert len({(look.colour, look.marker, look.hollow) for look in found.values()}) == len(names)
    assert {name for name, look in found.items() if look.hollow} == set(names[2:])
    assert {found[name].colour for name in names if name.startswith("run-1")} == {found["run-1"].colour}


def test_draw_subjects_legend_tells_an_adapter_from_its_scale(comparisons: dict[int, Comparison]) -> None:
    figure = draw_subjects(comparisons[6], Voice("en"), dark=False)
    lines = {bars.get_label(): bars[0] for bars in figure.axes[0].containers}
    whole, half = lines["run-1"], lines["run-1@0.5"]
    assert whole.get_color() == half.get_color()
    assert whole.get_marker() != half.get_marker()
    assert whole.get_markerfacecolor() != half.get_markerfacecolor()


def test_draw_training_without_training_says_so(comparisons: dict[int, Comparison]) -> None:
    text = image_bytes(draw_training(replace(comparisons[2], training=()), Voice("pt-BR"), dark=True), "svg").decode()
    assert "nenhum treino foi registrado" in text


def test_draw_tradeoff_colours_are_okabe_ito(comparisons: dict[int, Comparison]) -> None:
    figure = draw_tradeoff(comparisons[3], Voice("en"), dark=False)
    drawn = {str(line.get_color()) for line in figure.axes[0].lines}
    assert {OKABE_ITO[0], OKABE_ITO[1]} <= drawn


def test_plots_import_no_pyplot_and_no_matplotlib_at_import() -> None:
    code = (
        "import sys, paretune.report.plots; assert 'matplotlib' not in sys.modules;"
        "from paretune.report.plots.look import new_figure;"
        "paretune.report.plots.image_bytes(new_figure(True, 1, (2, 2))[0], 'svg');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("line", "length"),
    [(((-5, 5), (15, 5)), 10), (((0, 0), (3, 4)), 5), (((-5, 20), (15, 20)), 0), (((5, -5), (5, 3)), 3)],
)
def test_length_inside_clips_to_the_box(line: tuple[tuple[float, float], tuple[float, float]], length: float) -> None:
    assert _length_inside((0, 0, 10, 10), line) == pytest.approx(length)


@pytest.mark.parametrize("dark", [False, True])
def test_readable_words_have_enough_contrast(dark: bool) -> None:
    paper = inks(dark)["paper"]
    for colour in (*(ON_DARK if dark else OKABE_ITO), inks(dark)["text"]):
        assert _contrast(readable(colour, inks(dark)), paper) >= 4.5
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


def _interval(low: float, estimate: float, high: float) -> Interval:
    return Interval(estimate, low, high, 0.95, 100, 10, "")


def test_ends_shown_one_interval_far_longer_than_the_rest_does_not_squeeze_them() -> None:
    usual = [_interval(8, 10, 12), _interval(3, 5, 7)]
    assert ends_shown(usual) == [10, 5, 8, 12, 3, 7]
    assert ends_shown([*usual, _interval(-90, 9, 108)]) == [10, 5, 9, 8, 12, 3, 7]
    assert ends_shown([_interval(-90, 9, 108)]) == [9, -90, 108]
    assert ends_shown([]) == []


def test_whisker_beyond_the_scale_ends_there_with_an_arrow() -> None:
    assert "goes-on" not in whisker(_interval(8, 10, 12), (0, 20), 0)
    drawn = whisker(_interval(-90, 10, 110), (0, 20), 0)
    assert drawn.count("goes-on") == 2
    ends = [float(end) for end in re.findall(r'x[12]="([-\d.]+)" y[12]="8', drawn)]
    assert min(ends) >= 0
    assert max(ends) <= 120


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("frame", [WIDE, NARROW])
def test_page_drawing_names_do_not_cover_each_other(
    comparisons: dict[int, Comparison], count: int, frame: Frame
) -> None:
    drawn = first_screen(comparisons[count], [], Voice("en"), "#audit").wide if frame is WIDE else ""
    drawn = drawn or first_screen(comparisons[count], [], Voice("en"), "#audit").narrow
    names = re.findall(r'<text class="name" x="([\d.]+)" y="([\d.]+)" text-anchor="middle">([^<]+)<', drawn)
    assert len(names) == len(comparisons[count].units)
    boxes = [(float(x) - 3 * len(name), float(x) + 3 * len(name), float(y)) for x, y, name in names]
    for one, two in combinations(boxes, 2):
        apart = min(one[1], two[1]) - max(one[0], two[0])
        assert apart <= 2 or abs(one[2] - two[2]) >= 11
    for left, right, y in boxes:
        assert left >= 0
        assert right <= frame.width
        assert 0 <= y <= frame.height
