from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.errors import DataError
from paretune.logs import read_log
from paretune.logs.answers import Benchmark, Log, LoggedAnswer
from paretune.logs.paired import paired_run, variant_names
from paretune.report.tables import print_tables
from paretune.report.verdict import verdict_text
from paretune.stats.paired import paired_estimate
from paretune.text import Voice
from tests.logs.written import eval_file, inspect_log, lm_eval_folder, samples

EN = Voice("en")
BASE = [at % 2 == 0 for at in range(120)]
TUNED = [at % 2 == 0 or at % 8 == 1 for at in range(120)]  # 15 gained, none lost


def log(name: str, verdicts: Sequence[bool], **about: Any) -> Log:
    answers = tuple(
        LoggedAnswer(str(at), correct, question=f"{at}?", reference="r", prompt="p", **about)
        for at, correct in enumerate(verdicts)
    )
    return Log(Path("/logs", name), (Benchmark("sums", answers, {"metric": "match", "shots": "5"}, 0.25),))


def changed(item: Log, change: Callable[[Benchmark], Benchmark]) -> Log:
    return replace(item, benchmarks=tuple(change(benchmark) for benchmark in item.benchmarks))


def first_answer(**values: Any) -> Callable[[Benchmark], Benchmark]:
    return lambda found: replace(found, answers=(replace(found.answers[0], **values), *found.answers[1:]))


def test_compare_logs_equals_the_estimate_of_the_same_answers() -> None:
    comparison = compare_run(paired_run([log("base", BASE), log("tuned", TUNED)], 2.0), replicates=100)
    expected = paired_estimate(np.array(BASE), np.array(TUNED), None).interval(0.025, 0.95)
    (unit,) = comparison.units
    (claim,) = unit.general
    assert (claim.interval.low, claim.interval.estimate, claim.interval.high) == pytest.approx(
        (expected.low, 12.5, expected.high)
    )
    assert claim.loss is not None
    assert (unit.target, claim.finding, claim.loss.verdict, claim.loss.margin) == (None, "gain shown", "ruled out", 2.0)
    assert comparison.difference("tuned", "general") is not None
    assert not comparison.has_target
    assert comparison.verdict.pick is None


def test_compare_logs_table_terminal_and_verdict_quote_one_interval() -> None:
    comparison = compare_run(paired_run([log("base", BASE), log("tuned", TUNED)]), replicates=100)
    interval = EN.interval(comparison.units[0].general[0].interval, signed=True)
    text = verdict_text(comparison, EN)
    assert text.gain == f"tuned against base: {interval} points on sums (gain shown)."
    assert text.general == "A loss of more than 1 point is ruled out."
    assert print_tables(comparison, EN).count(interval) == 2
    assert "sums, 120 questions (metric match, shots 5), chance 25.0 %" in print_tables(comparison, EN)


def test_compare_logs_several_benchmarks_and_models_hold_together() -> None:
    def two(name: str, first: Sequence[bool], second: Sequence[bool]) -> Log:
        one, other = log(name, first).benchmarks[0], log(name, second).benchmarks[0]
        return Log(Path("/logs", name), (one, replace(other, name="products")))

    run = paired_run([two("base", BASE, BASE), two("a", TUNED, BASE), two("b", BASE, TUNED)])
    comparison = compare_run(run, replicates=100)
    assert comparison.verdict.planned == 4
    assert {claim.comparisons for unit in comparison.units for claim in unit.general} == {4}
    text = verdict_text(comparison, EN)
    assert "a against base on 2 suites: gain shown on sums; loss shown on no suite." in text.gain
    assert "b: The worst of 2 suites is sums" in text.general


def test_compare_logs_clusters_make_the_interval() -> None:
    grouped = [
        changed(item, lambda found: replace(
            found, answers=tuple(replace(answer, cluster=f"c{int(answer.id) // 8}") for answer in found.answers)))
        for item in (log("base", BASE), log("tuned", TUNED))
    ]  # fmt: skip
    alone = compare_run(paired_run(grouped), replicates=100).units[0].general[0]
    expected = paired_estimate(np.array(BASE), np.array(TUNED), [at // 8 for at in range(120)])
    assert alone.interval.clusters == 15
    assert alone.interval.low == pytest.approx(expected.low(0.025))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda found: replace(found, answers=found.answers[1:]),
            "no answer to 1 of the questions of .*, for example 0",
        ),
        (first_answer(id="new"), "no answer to 1 of the questions"),
        (first_answer(prompt="other"), "another prompt than in .*base for 1 of 120 questions, for example 0"),
        (first_answer(reference="other"), "another right answer than in"),
        (first_answer(question="other"), "another question than in"),
        (lambda found: replace(found, conditions={"shots": "0"}), "shots 0, but 5 in .*base"),
        (lambda found: replace(found, conditions={"metric": "includes"}), "metric includes, but match in"),
    ],
)
def test_paired_run_logs_of_something_else_are_refused(change: Callable[[Benchmark], Benchmark], message: str) -> None:
    with pytest.raises(DataError, match=message):
        paired_run([log("base", BASE), changed(log("tuned", TUNED), change)])


def test_paired_run_another_benchmark_is_refused_by_name() -> None:
    several = Log(Path("/logs/base"), (*log("base", BASE).benchmarks, Benchmark("products", ())))
    with pytest.raises(DataError, match=r"/logs/tuned: no answers on products \(it has sums\)"):
        paired_run([several, log("tuned", TUNED)])


def test_paired_run_what_one_log_does_not_know_is_no_difference() -> None:
    bare = Log(
        Path("/logs/mine"),
        (Benchmark("questions", tuple(LoggedAnswer(str(at), right) for at, right in enumerate(TUNED))),),
    )
    run = paired_run([bare, log("tuned", BASE)])
    assert [suite.name for suite in run.suites] == ["sums"]
    assert run.choice_questions[0].question == "0?"


def test_paired_run_formats_mix_where_ids_agree(tmp_path: Path) -> None:
    rows = tmp_path / "tuned.csv"
    rows.write_text(
        "id,correct\n" + "".join(f"{at},{int(right)}\n" for at, right in enumerate(TUNED)), encoding="utf-8"
    )
    logs = [read_log(lm_eval_folder(tmp_path / "base", {"tiny": samples(BASE)})), read_log(rows)]
    comparison = compare_run(paired_run(logs), replicates=100)
    (claim,) = comparison.units[0].general
    assert (claim.benchmark, claim.interval.estimate) == ("tiny", 12.5)


def test_paired_run_lm_eval_other_shots_are_refused(tmp_path: Path) -> None:
    base = lm_eval_folder(tmp_path / "base", {"tiny": samples(BASE)})
    tuned = lm_eval_folder(tmp_path / "tuned", {"tiny": samples(TUNED, shots="Question: 7?\nAnswer: y\n\n")}, shots=1)
    with pytest.raises(DataError, match="tiny: shots 1, but 0 in"):
        paired_run([read_log(base), read_log(tuned)])
    alone = [next(folder.rglob("samples_*")) for folder in (base, tuned)]
    for path in (base, tuned):
        next(path.rglob("results_*")).unlink()
    with pytest.raises(DataError, match=r"another prompt than in .* for 120 of 120 questions"):
        paired_run([read_log(path) for path in alone])


def test_paired_run_inspect_other_solver_is_refused(tmp_path: Path) -> None:
    logs = [inspect_log(["C", "I"]), inspect_log(["C", "C"])]
    logs[1]["plan"]["steps"].insert(0, {"solver": "chain_of_thought", "params": {}})
    read = [read_log(eval_file(tmp_path / f"{at}.eval", item)) for at, item in enumerate(logs)]
    with pytest.raises(DataError, match="sums: solver"):
        paired_run(read)


def test_audit_logs_without_texts_finds_no_identical_answers() -> None:
    answers = tuple(LoggedAnswer(str(at), at % 2 == 0) for at in range(40))
    bare = [Log(Path("/logs", name), (Benchmark("questions", answers),)) for name in ("base", "tuned")]
    assert "identical-answers" not in {finding.code for finding in audit_run(paired_run(bare))}
    told = [log(name, BASE, text="the same") for name in ("base", "tuned")]
    assert "identical-answers" in {finding.code for finding in audit_run(paired_run(told))}


def test_variant_names_as_many_parts_as_tell_them_apart() -> None:
    assert variant_names([Path("/x/base.csv"), Path("/x/tuned.csv")]) == ["base", "tuned"]
    assert variant_names([Path("/x/a/r.csv"), Path("/x/b/r.csv")]) == ["a/r", "b/r"]
    names = variant_names([Path(f"/x/{model}/samples_t_2026-01-01T00-00-00.0.jsonl") for model in "ab"])
    assert names == ["a", "b"]
    with pytest.raises(DataError, match="named twice"):
        variant_names([Path("/x/a.csv"), Path("/x/a.csv")])
