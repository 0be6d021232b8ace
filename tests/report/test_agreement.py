"""One figure, one verdict: tables, CSV files, page and terminal of many runs never disagree."""

from __future__ import annotations

import csv
import html
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison, UnitVerdict
from paretune.findings import Finding
from paretune.records import ChoiceOutcome
from paretune.report.csv import csv_files
from paretune.report.page import write_page
from paretune.report.page.parts import typeset
from paretune.report.plots import draw_tradeoff
from paretune.report.tables import general_table, target_table
from paretune.report.text_table import Table
from paretune.report.verdict import claims_table, closing_text, verdict_text
from paretune.run.load import Run, Variant, load_run
from paretune.text import Voice
from tests.simulated_run import SimulatedVariant, write_run
from tests.undrawn import draw_nothing

RUNS = 200
PAGES = 4
EN = Voice("en")
FIGURE = re.compile(r"[+-]?\d+\.\d \[[+-]?\d+\.\d, [+-]?\d+\.\d\]")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Five variants: a recipe of two seeds, two others, and a scale of one of them."""
    planted = [
        SimulatedVariant("a-1", seed=1, peak_learning_rate=2e-4),
        SimulatedVariant("a-2", seed=2, peak_learning_rate=2e-4),
        SimulatedVariant("b"),
        SimulatedVariant("c"),
        SimulatedVariant("c@0.5", source="c", adapter_scale=0.5),
    ]
    return _with_more_choices(load_run(write_run(tmp_path_factory.mktemp("template") / "run", planted)), 4)


def _with_more_choices(records: Run, times: int) -> Run:
    """Every general question several times: the demo's 180 can rule out no loss that matters."""
    variants = tuple(
        replace(
            one, choice=tuple(replace(line, id=f"{line.id}+{copy}") for copy in range(times) for line in one.choice)
        )
        for one in records.variants
    )
    questions = tuple(
        replace(line, id=f"{line.id}+{copy}") for copy in range(times) for line in records.choice_questions
    )
    return replace(records, variants=variants, choice_questions=questions)


def simulated(template: Run, seed: int) -> Run:
    """The same run with other answers, other terms, and now and then without some variant."""
    generator = np.random.default_rng(seed)
    base = template.variants[0]
    sql = generator.random(len(base.verdicts)) < generator.uniform(0.1, 0.6)
    choice = generator.random(len(base.choice)) < generator.choice([0.3, 0.62, 0.66, 0.97])
    variants = [_answered(base, sql, choice)]
    for variant in template.variants[1:]:
        gain, loss = generator.choice([0.0, 0.1, 0.4]), generator.choice([0.0, 0.0, 0.0, 0.02, 0.3])
        tuned = np.where(sql, generator.random(len(sql)) > 0.03, generator.random(len(sql)) < gain)
        kept = np.where(choice, generator.random(len(choice)) > loss, generator.random(len(choice)) < 0.004)
        variants.append(_answered(variant, tuned, kept))
    incomplete = {}
    while len(variants) > 1 and generator.random() < 0.15:
        lost = variants.pop(int(generator.integers(1, len(variants))))
        incomplete[lost.name] = ("no answers were scored (sql.jsonl)",)
    claims = {
        "margin_points": float(generator.choice([1.0, 3.0])),
        "level": float(generator.choice([0.9, 0.95])),
    }
    if generator.random() < 0.3:
        claims["loss_budget_points"] = float(generator.choice([2.5, 4.0]))
    config = {**template.manifest["config"], "claims": claims}
    manifest = {**template.manifest, "config": config}
    return replace(template, variants=tuple(variants), incomplete=incomplete, manifest=manifest)


def _answered(variant: Variant, sql: Any, choice: Any) -> Variant:
    kinds = {True: ChoiceOutcome.CORRECT, False: ChoiceOutcome.WRONG}
    return replace(
        variant,
        verdicts=tuple(
            replace(line, outcome="correct" if right else "wrong", error_class=None if right else "wrong_filter")
            for line, right in zip(variant.verdicts, sql.tolist(), strict=True)
        ),
        choice=tuple(
            replace(line, outcome=kinds[right], correct=right)
            for line, right in zip(variant.choice, choice.tolist(), strict=True)
        ),
    )


def test_tables_csv_page_and_terminal_agree_on_every_claim(
    template: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_nothing(monkeypatch)
    picks = set()
    for seed in range(RUNS):
        records = simulated(template, seed)
        comparison = compare_run(records, replicates=20, seed=seed)
        check_sentences(comparison)
        check_tables(comparison)
        check_csv(comparison)
        if seed < PAGES:
            check_page(records, comparison, tmp_path / str(seed))
        verdict = comparison.verdict
        picks.add(verdict.pick.unit.name if verdict.pick else None)
    assert len(picks) > 3  # several outcomes were really seen, the base model and the recipe's rivals among them
    assert None in picks


def check_sentences(comparison: Comparison) -> None:
    """The two sentences say what the verdict holds; the terminal repeats them letter by letter."""
    verdict, said = comparison.verdict, verdict_text(comparison, EN)
    closing = " ".join(closing_text(comparison, [], Path("run"), EN, None).split())
    assert said.gain in closing
    assert said.general in closing
    assert all(line in closing for line in said.basis)
    subject = verdict.subject
    if subject is None:
        assert not verdict.units
        return
    assert said.gain.startswith("Use ") == (verdict.pick is not None)
    assert said.variant == subject.unit.name
    assert EN.interval(subject.unit.leading.interval, signed=True) in said.gain
    assert EN.interval(subject.worst.interval, signed=True) in said.general
    assert ("is ruled out." in said.general) == (subject.worst.interval.low > -verdict.terms.budget_points and
                                                 not _insensitive(subject))  # fmt: skip
    if verdict.pick is not None:
        assert subject.unit.leading.interval.low > 0
        assert all(claim.interval.low > -verdict.terms.budget_points for claim in subject.unit.primary)
    else:
        shown = [item for item in verdict.units if item.unit.leading.interval.low > 0]
        assert ("no variant is shown to gain" in said.gain) == (not shown)
    for one in (said.gain, said.general):
        for figure in FIGURE.findall(one):
            assert figure in (
                EN.interval(subject.unit.leading.interval, signed=True),
                EN.interval(subject.worst.interval, signed=True),
            )


def _insensitive(item: UnitVerdict) -> bool:
    """Nothing can be said of a loss; where a gain is shown, something can."""
    test = item.worst.budget
    return test is not None and test.low <= 0 and test.sensitivity is not None and bool(test.sensitivity.limit)


def check_tables(comparison: Comparison) -> None:
    """The same figures and findings stand in the table of claims, of accuracies and of every suite."""
    claimed = _rows(claims_table(comparison, EN))
    accuracies = _rows(target_table(comparison, EN))
    for item in comparison.verdict.units:
        row, name = claimed[item.unit.name], item.unit.name
        assert row[1:4] == [accuracies[name][2], accuracies[name][3], accuracies[name][5]]
        low = item.unit.leading.interval.low
        assert (row[3] == "gain shown") == (low > 0)
        assert (row[7] == "pick") == (item is comparison.verdict.pick)
        suite = next(table for table in comparison.suites if (table.suite, table.method) == (row[4], item.worst.method))
        if not item.unit.is_recipe:
            changes = general_table(comparison, suite, EN).rows
            at = [line[0] for line in changes].index(name)
            assert changes[at + 1][1] == row[5]
        for variant in item.unit.variants if item.unit.is_recipe else ():
            assert accuracies[variant][5] == "one seed of several"
    points = {point.variant: point for point in comparison.plane.points}
    for item in comparison.verdict.units:
        if not item.unit.is_recipe:
            assert points[item.unit.name].gain == item.unit.leading.interval


def _rows(table: Table) -> dict[str, list[str]]:
    return {row[0]: list(row) for row in table.rows}


def check_csv(comparison: Comparison) -> None:
    """claims.csv, comparisons.csv and pick.csv hold the objects' own figures."""
    files = {name: list(csv.DictReader(io.StringIO(text))) for name, text in csv_files(comparison).items()}
    pick = comparison.verdict.pick
    assert files["pick"][0]["pick"] == (pick.unit.name if pick else "baseline")
    for item in comparison.verdict.units:
        rows = [row for row in files["claims"] if row["unit"] == item.unit.name]
        target = next(row for row in rows if row["axis"] == "target")
        assert float(target["difference_low_points"]) == pytest.approx(item.unit.leading.interval.low, rel=1e-8)
        assert target["finding"] == item.unit.leading.finding
        assert (target["decision"] == "pick") == (item is pick)
        if not item.unit.is_recipe:
            same = next(
                row for row in files["comparisons"] if (row["axis"], row["second"]) == ("target", item.unit.name)
            )
            for column in ("difference_points", "difference_low_points", "family_p", "finding"):
                assert same[column] == target[column]


def check_page(records: Run, comparison: Comparison, folder: Path) -> None:
    """The page's first screen has the sentences, its tables the figures."""
    finding = Finding("invalid", "never-stops", {"variant": "baseline", "share": 90.0, "questions": 9})
    text = write_page(records, comparison, [finding], folder, EN).read_text(encoding="utf-8")
    said = verdict_text(comparison, EN)
    words = html.unescape(re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", text)))
    for sentence in (said.headline, said.gain, said.general, *said.basis):
        assert typeset(sentence) in words
    for row in claims_table(comparison, EN).rows:
        for cell in row:
            assert typeset(cell) in words


def test_plot_rings_the_pick_and_draws_the_claimed_intervals(template: Run) -> None:
    for seed in range(8):
        comparison = compare_run(simulated(template, seed), replicates=20, seed=seed)
        (axes,) = draw_tradeoff(comparison, EN, dark=False).axes
        rings = [one for one in axes.collections if isinstance(one, PathCollection)]
        ring = next(one for one in rings if one.get_sizes().tolist() == [190.0])
        pick = comparison.verdict.pick
        names = pick.unit.variants if pick else ("baseline",)
        points = {point.variant: point for point in comparison.plane.points}
        expected = [(points[name].gain.estimate, points[name].general_change.estimate) for name in names]
        assert np.asarray(ring.get_offsets()).tolist() == pytest.approx(np.array(expected))
