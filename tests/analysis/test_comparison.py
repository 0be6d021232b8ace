"""A planted difference is found, a planted null is not claimed, and every figure agrees with a plain count."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paretune.analysis import tradeoff
from paretune.analysis.axes import AnsweredAxis
from paretune.analysis.comparison import compare_run
from paretune.analysis.groups import bonett_price, subject_rows
from paretune.analysis.results import BUDGETS, Comparison
from paretune.analysis.tradeoff import AT_CHANCE, NO_GAIN
from paretune.analysis.verdict import verdict_within
from paretune.errors import EmptySample, RunFolderError
from paretune.report.tables import print_tables
from paretune.report.verdict import worst_subject
from paretune.run.jsonl import Record, read_lines
from paretune.run.lines import from_record
from paretune.run.load import Run, load_run
from paretune.sql.records import SqlVerdict
from paretune.sql.summary import score_summary
from paretune.stats.clusters import joint_bootstrap
from paretune.text import Voice
from tests.simulated_questions import Size
from tests.simulated_run import SimulatedVariant, change_lines, change_manifest, variants, write_run


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_run(tmp_path_factory.mktemp("six") / "run", variants(6)))


@pytest.fixture(scope="module")
def compared(six: Run) -> Comparison:
    return compare_run(six, replicates=2000)


@pytest.fixture(scope="module")
def spider(tmp_path_factory: pytest.TempPathFactory) -> Run:
    planted = (SimulatedVariant("better", gain=25), SimulatedVariant("worse", loss=8))
    return load_run(write_run(tmp_path_factory.mktemp("spider") / "run", planted, size="spider"))


def test_compare_planted_gain_and_loss_are_found(spider: Run) -> None:
    found = compare_run(spider, replicates=500)
    gain, kept = found.difference("better", "target"), found.difference("better", "general")
    same, lost = found.difference("worse", "target"), found.difference("worse", "general")
    assert gain is not None
    assert lost is not None
    assert kept is not None
    assert same is not None
    assert gain.finding == "gain shown"
    assert 25 in gain.interval
    assert lost.finding == "loss shown"
    assert -8 in lost.interval
    assert lost.claim.loss is not None
    assert kept.claim.loss is not None
    assert (lost.claim.loss.verdict, kept.claim.loss.verdict) == ("shown", "ruled out")
    assert same.finding == kept.finding == "not shown"


def test_compare_planted_null_is_rarely_claimed(tmp_path: Path) -> None:
    claims, runs = 0, 25
    for seed in range(runs):
        planted = [SimulatedVariant("null-1", churn=0.2), SimulatedVariant("null-2", churn=0.1)]
        records = load_run(write_run(tmp_path / str(seed), planted, seed=seed))
        found = compare_run(records, replicates=100)
        claims += any(item.finding != "not shown" for item in found.differences if item.axis == "target")
    # The family keeps the chance of any claim on the target below 5 %: more than 5 of 25 has a probability below 0.2 %.
    assert claims <= 5


def test_compare_everything_is_read_off_one_interval(compared: Comparison) -> None:
    for item in compared.differences:
        low, high = item.interval.low, item.interval.high
        assert item.finding == ("gain shown" if low > 0 else "loss shown" if high < 0 else "not shown")
        assert (item.claim.family_p < 0.05) == (item.finding != "not shown")
        assert low <= item.claim.alone.low <= item.claim.alone.high <= high
        if item.claim.loss is not None and item.claim.loss.verdict == "ruled out":
            assert low > -compared.margin_points


def test_compare_figures_equal_plain_counts(six: Run, compared: Comparison) -> None:
    for variant, row in zip(six.variants, compared.variants, strict=True):
        right = sum(line.detail["execution_match"] for line in variant.verdicts)
        assert row.leading.estimate == pytest.approx(100 * right / 155)
        general = [line.correct for line in variant.choice if line.suite == "demo"]
        assert row.general.estimate == pytest.approx(100 * sum(general) / 180)
        assert row.leading.low < row.leading.estimate < row.leading.high
    baseline, tuned = six.variants[0].verdicts, six.variant("run-1").verdicts
    found = compared.difference("run-1", "target")
    assert found is not None
    gained = {
        str(new.id)
        for old, new in zip(baseline, tuned, strict=True)
        if new.detail["execution_match"] > old.detail["execution_match"]
    }
    assert set(found.gained) == gained
    assert found.interval.estimate == pytest.approx(100 * (len(found.gained) - len(found.lost)) / 155)


def test_compare_every_planned_variant_counts_on_each_benchmark(compared: Comparison) -> None:
    assert len(compared.differences) == 5 * 3
    assert {item.claim.comparisons for item in compared.differences} == {5}
    assert all(item.claim.family_p >= item.claim.t_p for item in compared.differences)


@pytest.mark.parametrize("deleted", ["folder", "half of the answers"])
def test_compare_deleting_a_variant_helps_no_other(tmp_path: Path, deleted: str) -> None:
    folder = write_run(tmp_path, variants(4))
    whole = compare_run(load_run(folder), replicates=100)
    if deleted == "folder":
        shutil.rmtree(folder / "run-2")
    else:
        change_lines(folder / "run-2" / "sql.jsonl", lambda line: line if line["index"] % 2 else None)
    part = compare_run(load_run(folder), replicates=100)
    assert part.verdict.planned == whole.verdict.planned == 3
    for variant in ("run-1", "run-1@0.5"):
        before, after = (found.difference(variant, "target") for found in (whole, part))
        assert before is not None
        assert after is not None
        assert after.claim.family_p >= before.claim.family_p
    assert [(one.what, one.before) for one in part.verdict.changes] == [("variants without answers", "run-2")]


def test_compare_lost_suite_and_repeated_evaluation_are_listed(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    for path in (folder / "prepared" / "choice.jsonl", *folder.glob("*/choice.jsonl")):
        change_lines(path, lambda line: None if line["suite"] == "demo-pt" else line)
    (folder / "run-1" / "choice.jsonl.old-1").write_text("{}\n", encoding="utf-8")
    changes = {one.what: one.before for one in compare_run(load_run(folder), replicates=100).verdict.changes}
    assert changes == {
        "suites without answers": "demo-pt",
        "evaluations repeated": "run-1/choice.jsonl.old-1",
    }


def test_compare_best_seed_is_not_the_headline(tmp_path: Path) -> None:
    planted = [
        SimulatedVariant(f"run-{seed}", gain=gain, seed=seed, peak_learning_rate=2e-4)
        for seed, gain in ((42, 4.0), (43, 8.0), (44, 18.0))
    ]
    found = compare_run(load_run(write_run(tmp_path, planted, size="spider")), replicates=100)
    best, recipe = found.difference("run-44", "target"), found.units[0]
    assert best is not None
    assert best.claim.alone.low > 0
    assert best.finding == "one seed of several"
    assert recipe.name == "run-42 + run-43 + run-44"
    assert recipe.leading.finding == "not shown"
    assert found.verdict.planned == 1
    assert found.verdict.pick is None


def test_compare_equal_settings_and_seed_are_one_training(tmp_path: Path) -> None:
    planted = [SimulatedVariant(name, gain=20, peak_learning_rate=2e-4) for name in ("a", "b")]
    unit = compare_run(load_run(write_run(tmp_path, planted)), replicates=100).units[0]
    assert unit.variants == ("a", "b")
    assert "one seed" in unit.caveat


def test_compare_worst_suite_is_quoted_wherever_it_stands(tmp_path: Path) -> None:
    for suite in ("demo", "demo-pt"):

        def forgotten(line: Record, suite: str = suite) -> Record:
            return {**line, "correct": False, "outcome": "wrong"} if line["suite"] == suite else line

        hurt = write_run(tmp_path / suite, [SimulatedVariant("run-1", gain=30)])
        change_lines(hurt / "run-1" / "choice.jsonl", forgotten)
        subject = compare_run(load_run(hurt), replicates=100).verdict.units[0]
        assert subject.worst.benchmark == suite
        assert subject.worst.loss is not None
        assert subject.worst.loss.verdict == "shown"
        assert subject.reason == "loss shown"


def test_compare_every_pair_compares_all(six: Run) -> None:
    found = compare_run(six, replicates=100, every_pair=True)
    assert len(found.differences) == 15 * 3
    assert {(item.first, item.second) for item in found.differences} >= {("run-1", "run-2")}


def test_compare_every_pair_leaves_the_draws_of_each_pair_alone(six: Run) -> None:
    few, all_pairs = (compare_run(six, replicates=100, every_pair=every).differences for every in (False, True))
    whole = {(item.first, item.second, item.axis, item.benchmark): item.bootstrap for item in all_pairs}
    assert all(whole[item.first, item.second, item.axis, item.benchmark] == item.bootstrap for item in few)
    assert len(few) < len(all_pairs)


def test_compare_same_seed_same_comparison(six: Run, compared: Comparison) -> None:
    assert compare_run(six, replicates=2000) == compared


def test_compare_is_json(compared: Comparison) -> None:
    text = json.dumps(compared.as_dict(), allow_nan=False)
    assert json.loads(text)["variants"][0]["name"] == "baseline"


def test_compare_groups_add_up(compared: Comparison) -> None:
    table = compared.main_table()
    for variant in compared.variants:
        rows = [row for row in table.rows if row.variant == variant.name]
        whole = next(row for row in rows if row.kind == "all")
        parts = [row.accuracy for row in rows if row.kind == "category"]
        assert sum(part.n for part in parts) == whole.accuracy.n
        weighted = sum(part.estimate * part.n for part in parts) / whole.accuracy.n
        assert weighted == pytest.approx(whole.accuracy.estimate)
        assert (whole.change is None) == (variant.name == "baseline")
        assert next(row for row in rows if row.kind == "macro").accuracy.clusters == 9
    levels = [row for row in compared.levels if row.variant == "run-1"]
    assert [row.group for row in levels] == ["easy", "medium", "hard", "extra"]
    assert sum(row.accuracy.n for row in levels) == 155


def test_compare_few_subjects_count_as_fixed(compared: Comparison) -> None:
    small = next(table for table in compared.suites if table.suite == "demo-pt")
    whole = next(row for row in small.rows if (row.variant, row.kind) == ("run-1", "all"))
    assert whole.accuracy.clusters == 0
    assert compared.variants[1].general.clusters == 9


def test_compare_same_change_has_one_interval_everywhere(compared: Comparison) -> None:
    for table in compared.suites:
        for row in table.rows:
            if row.kind == "all" and row.change is not None:
                key = (table.suite, table.method, row.variant)
                whole = next(d for d in compared.differences if (d.benchmark, d.method, d.second) == key)
                assert row.change == whole.interval


def test_compare_subjects_are_ranked_by_loss(compared: Comparison) -> None:
    rows = [row for row in compared.subjects if row.variant == "run-1"]
    changes = [row.change.estimate for row in rows]
    assert len(rows) == 9
    assert changes == sorted(changes)
    for row in rows:
        assert row.tuned - row.baseline == pytest.approx(row.change.estimate)
        assert row.change.estimate == pytest.approx(100 * (row.gained - row.lost) / row.questions)


def test_compare_worst_subject_is_quoted_with_an_interval_of_all(compared: Comparison) -> None:
    rows = [row for row in compared.subjects if row.variant == "run-1"]
    for row in rows:
        assert row.together.low < row.change.low
        assert row.together.high > row.change.high
        assert row.together.estimate == pytest.approx(row.change.estimate)
    (sentence,) = worst_subject(compared, "run-1", Voice("en"))
    worst = min(rows, key=lambda row: row.together.low)
    assert sentence.startswith(f"Worst of 9 subjects of {compared.main_suite} under run-1: ")
    assert worst.subject.replace("_", " ") in sentence
    assert Voice("en").interval(worst.together, signed=True) in sentence
    assert f"more than {-worst.together.low:.1f} points is ruled out" in sentence


def test_compare_loss_in_one_subject_is_shown_where_the_mean_hides_it() -> None:
    correct = np.ones((57 * 100, 2), dtype=np.bool_)
    correct[:40, 1] = False  # 40 of the first subject's 100; the mean loses 0.7 points
    groups = tuple(f"s{at // 100}" for at in range(5700))
    axis = AnsweredAxis("general", "mmlu", "letter", True, tuple(map(str, range(5700))), groups, ("",) * 5700, groups,
                        correct, (0.25,) * 5700)  # fmt: skip
    rows = subject_rows(axis, ["baseline", "run-1"])
    assert [row.subject for row in rows if row.together.high < 0] == ["s0"]
    assert rows[0].together.low == pytest.approx(-57.0, abs=3)


def test_compare_error_classes_cover_all_wrong_answers(six: Run, compared: Comparison) -> None:
    for variant in six.variants:
        wrong = sum(not line.detail["execution_match"] for line in variant.verdicts)
        assert sum(row.count for row in compared.error_classes if row.variant == variant.name) == wrong
        assert sum(row.count for row in compared.outcomes if row.variant == variant.name) == 155


def test_compare_tradeoff_curves_go_from_baseline_to_the_whole_adapter(compared: Comparison) -> None:
    curves = {(curve.source, curve.kind): curve for curve in compared.plane.curves}
    assert curves["run-1", "scale"].variants == ("baseline", "run-1@0.25", "run-1@0.5", "run-1")
    assert curves["run-1", "scale"].values == (0.0, 0.25, 0.5, 1.0)
    assert curves["run-1", "checkpoint"].variants == ("baseline", "run-1@step-200", "run-1")
    assert {item.gain for item in compared.plane.matched} == {compared.plane.matched[0].gain}


def test_compare_front_holds_those_that_none_beats(compared: Comparison) -> None:
    points = compared.plane.points
    places = [(point.gain.estimate, point.general_change.estimate) for point in points]
    for point, (gain, change) in zip(points, places, strict=True):
        beaten = any(right >= gain and up >= change and (right, up) != (gain, change) for right, up in places)
        assert point.on_front == (not beaten)
        assert 0 <= point.front_probability <= 1


def test_compare_without_gain_has_no_price(tmp_path: Path) -> None:
    found = compare_run(load_run(write_run(tmp_path, [SimulatedVariant("null")])), replicates=100)
    point = found.plane.points[1]
    assert point.price is None
    assert point.price_reason == NO_GAIN


def test_compare_baseline_at_chance_has_no_retention(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))

    def by_chance(line: Record) -> Record:
        return {**line, "correct": int(line["id"].split("/")[1]) % 4 == 0}

    for name in ("baseline", "run-1"):
        change_lines(folder / name / "choice.jsonl", by_chance)
    point = compare_run(load_run(folder), replicates=100).plane.points[1]
    assert point.retention is None
    assert point.retention_reason == AT_CHANCE


def test_compare_pick_gains_and_its_loss_is_ruled_out(tmp_path: Path) -> None:
    planted = [
        SimulatedVariant("small", gain=12, loss=0.0, churn=0.02),
        SimulatedVariant("best", gain=20, loss=0.0, churn=0.02),
        SimulatedVariant("costly", gain=30, loss=9.0, churn=0.02),
    ]
    verdict = compare_run(load_run(write_run(tmp_path, planted, size="spider")), replicates=100).verdict
    assert verdict.pick is not None
    assert verdict.pick.unit.name == "best"
    assert {item.unit.name: item.reason for item in verdict.units} == {
        "small": "smaller gain",
        "best": "",
        "costly": "loss shown",
    }
    assert verdict.split is not None
    assert verdict.split.picked[2] > 0.9


def test_compare_two_seeds_of_one_recipe_are_grouped(tmp_path: Path) -> None:
    planted = [
        SimulatedVariant("a", gain=20, seed=1, peak_learning_rate=2e-4),
        SimulatedVariant("b", gain=20, seed=2, peak_learning_rate=2e-4),
        SimulatedVariant("c", peak_learning_rate=1e-4),
    ]
    found = compare_run(load_run(write_run(tmp_path, planted)), replicates=100)
    assert [unit.variants for unit in found.units] == [("a", "b"), ("c",)]
    assert found.units[0].target_deviation is not None
    assert (found.units[0].target_deviation_high or 0) > found.units[0].target_deviation
    assert "one seed" in found.units[1].caveat


def test_compare_incomplete_baseline_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    (folder / "baseline" / "sql.jsonl").unlink()
    with pytest.raises(RunFolderError, match="the baseline is not complete"):
        compare_run(load_run(folder))


def test_compare_problem_left_in_the_records_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    change_lines(folder / "run-1" / "choice.jsonl", lambda line: {**line, "outcome": "failed"})
    with pytest.raises(RunFolderError, match="failed here"):
        compare_run(load_run(folder))


def test_compare_no_questions_is_an_error(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    for path in (folder / "prepared" / "sql.jsonl", folder / "baseline" / "sql.jsonl", folder / "run-1" / "sql.jsonl"):
        change_lines(path, lambda _: None)
    with pytest.raises((EmptySample, RunFolderError)):
        compare_run(load_run(folder))


def test_compare_baseline_alone_has_figures_and_no_differences(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    (folder / "run-1" / "sql.jsonl").unlink()
    found = compare_run(load_run(folder), replicates=100)
    assert found.differences == ()
    assert found.verdict.pick is None
    assert found.verdict.subject is None
    assert list(found.incomplete) == ["run-1"]


def test_compare_costs_add_resumed_work_up(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(2))
    entry = {"variant": "run-1", "stage": "train", "ended": ""}
    change_manifest(folder, work=[{**entry, "seconds": 10.0}, {**entry, "seconds": 5.5}])
    cost = compare_run(load_run(folder), replicates=100).costs[1]
    assert cost.stage_seconds == {"train": 15.5}
    assert cost.generated_tokens > 0


def test_compare_twelve_variants_resamples_each_axis_once(spider: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cost is bounded by work done once an axis, not once a variant or a pair: all variants share the same draws."""
    baseline, better, worse = spider.variants
    more = [
        replace(variant, entry=replace(variant.entry, name=f"{variant.name}-{number}"))
        for number in range(6)
        for variant in (better, worse)
    ]
    drawn: list[tuple[int, ...]] = []

    def counted(correct: Any, *rest: Any, **options: Any) -> Any:
        found = joint_bootstrap(correct, *rest, **options)
        drawn.append(found.shape)
        return found

    monkeypatch.setattr(tradeoff, "joint_bootstrap", counted)
    found = compare_run(replace(spider, variants=(baseline, *more[:11])), replicates=10_000)
    assert len(found.variants) == 12
    assert drawn == [(10_000, 12), (10_000, 12)]


@pytest.mark.parametrize(("gained", "lost", "questions"), [(0, 0, 10), (5, 1, 40), (0, 30, 30), (50, 50, 100)])
def test_bonett_price_holds_its_estimate_and_stays_in_range(gained: int, lost: int, questions: int) -> None:
    found = bonett_price(gained, lost, questions)
    assert -100 <= found.low <= found.estimate <= found.high <= 100
    mirrored = bonett_price(lost, gained, questions)
    assert mirrored.low == pytest.approx(-found.high)


@pytest.mark.parametrize("wrong", [("baseline",), ("baseline", "run-1", "run-2")])
def test_compare_nothing_right_at_all_still_has_intervals(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    folder = write_run(tmp_path, variants(3))
    for name in wrong:
        change_lines(folder / name / "sql.jsonl", lambda line: {**line, "outcome": "wrong", "error_class": None})
    found = compare_run(load_run(folder), replicates=200)
    assert found.variants[0].leading.estimate == 0
    assert found.variants[0].leading.high > 1
    difference = found.difference("run-1", "target")
    assert difference is not None
    assert difference.interval.low < difference.interval.estimate < difference.interval.high
    assert difference.finding == ("gain shown" if len(wrong) == 1 else "not shown")
    json.dumps(found.as_dict(), allow_nan=False)


def test_compare_a_handful_of_questions_claims_nothing(tmp_path: Path) -> None:
    folder = write_run(tmp_path, variants(3))
    for name in ("baseline", "run-1", "run-2"):
        change_lines(folder / name / "sql.jsonl", lambda line: line if line["index"] in (0, 30, 31, 60) else None)
        change_lines(folder / name / "choice.jsonl", lambda line: line if line["id"].endswith("/1") else None)
    change_lines(folder / "prepared" / "sql.jsonl", lambda line: line if line["index"] in (0, 30, 31, 60) else None)
    change_lines(folder / "prepared" / "choice.jsonl", lambda line: line if line["id"].endswith("/1") else None)
    found = compare_run(load_run(folder), replicates=200)
    assert {item.finding for item in found.differences} == {"not shown"}
    assert {item.claim.loss.verdict for item in found.differences if item.claim.loss} <= {
        "not measurable",
        "cannot be ruled out",
    }
    assert {item.claim.detectable for item in found.differences if item.axis == "target"} == {None}
    assert found.verdict.pick is None
    json.dumps(found.as_dict(), allow_nan=False)


def test_compare_reference_that_fails_is_in_no_accuracy_as_in_score(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    failed = {"outcome": "gold_failed", "execution_match": False, "error_class": None, "error": "the gold query fails"}
    for path in folder.glob("*/sql.jsonl"):
        if path.parent.name != "prepared":
            change_lines(path, lambda line: {**line, **failed} if line["index"] < 15 else line)
    found = compare_run(load_run(folder), replicates=100)
    verdicts = [from_record(SqlVerdict, line, "line") for line in read_lines(folder / "run-1" / "sql.jsonl")[1]]
    header = {"split": "dev", "questions_in_split": 155, "test_suite": False, "sqlite": "", "paretune": "",
              "rules": "official", "sha256": {}}  # fmt: skip
    printed = score_summary(verdicts, header, Voice("en")).splitlines()[2]
    figure = found.variants[1].leading
    assert (figure.n, found.questions, found.void_questions) == (140, 140, 15)
    assert f"{figure.estimate:.1f} %" in printed
    assert f"[{figure.low:.1f}, {figure.high:.1f}]  n = 140" in printed
    assert sum(row.accuracy.n for row in found.levels if row.variant == "run-1") == 140
    wrong = sum(row.count for row in found.error_classes if row.variant == "run-1")
    assert wrong == sum(v.outcome not in ("correct", "gold_failed") for v in verdicts)
    assert "15 questions whose reference fails are in no accuracy." in print_tables(found, Voice("en"))


def test_compare_every_reference_fails_is_an_error(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    for name in ("baseline", "run-1"):
        change_lines(folder / name / "sql.jsonl", lambda line: {**line, "outcome": "gold_failed"})
    with pytest.raises(EmptySample, match="reference of every target question fails"):
        compare_run(load_run(folder), replicates=100)


@pytest.mark.parametrize("size", ["demo", "spider"])
def test_verdict_within_a_budget_is_what_compare_with_that_budget_says(tmp_path: Path, size: Size) -> None:
    planted = (
        SimulatedVariant("much", gain=25, loss=4.0, churn=0.02),
        SimulatedVariant("some", gain=12, loss=1.0, churn=0.02),
        SimulatedVariant("little", gain=5, loss=0.0, churn=0.01),
    )
    records = load_run(write_run(tmp_path / "run", planted, size=size))
    stated = compare_run(records, replicates=20).verdict
    picks = set()
    for budget in BUDGETS:
        asked = compare_run(records, replicates=20, budget_points=budget).verdict
        moved = verdict_within(stated, budget)
        assert [(item.reason, item.worst.benchmark, item.worst.budget) for item in moved.units] == [
            (item.reason, item.worst.benchmark, item.worst.budget) for item in asked.units
        ]
        assert (moved.pick and moved.pick.unit.name) == (asked.pick and asked.pick.unit.name)
        assert set(moved.changes) == set(asked.changes)
        assert moved.terms == replace(asked.terms, loss_budget_points=moved.terms.loss_budget_points)
        picks.add(moved.pick.unit.name if moved.pick else None)
    assert len(picks) > (1 if size == "spider" else 0)


def test_verdict_within_a_budget_nobody_tested_is_refused(compared: Comparison) -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        verdict_within(compared.verdict, 1.234)
