from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paretune.errors import DataError
from paretune.logs import READERS, read_log
from tests.logs.written import eval_file, inspect_log, lm_eval_folder, samples, written_samples
from tests.simulated_run import variants, write_run


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_read_log_csv_has_what_its_columns_say(tmp_path: Path) -> None:
    path = tmp_path / "base.csv"
    path.write_text("id,correct,cluster,question,answer\nq1,1,a,Why?,because\nq2,False,b,,\n", encoding="utf-8-sig")
    (benchmark,) = read_log(path).benchmarks
    first, second = benchmark.answers
    assert (first.id, first.correct, first.cluster, first.question, first.text) == ("q1", True, "a", "Why?", "because")
    assert (second.correct, second.cluster) == (False, "b")
    assert benchmark.chance is None


def test_read_log_jsonl_cluster_field_is_the_named_one(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"id": 1, "correct": True, "topic": 7}, {"id": 2, "correct": 0.0, "topic": 8})
    (benchmark,) = read_log(path, "topic").benchmarks
    assert [(answer.id, answer.correct, answer.cluster) for answer in benchmark.answers] == [
        ("1", True, "7"),
        ("2", False, "8"),
    ]


def test_read_log_jsonl_without_the_cluster_field_names_line_and_fields(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"id": 1, "correct": True, "topic": 7})
    with pytest.raises(DataError, match=r"a.jsonl, line 1: no value in the cluster field 'subject' \(fields: id, corr"):
        read_log(path, "subject")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"id": 1}, "line 1: no value under correct"),
        ({"id": 1, "correct": "maybe"}, "line 1: correct is 'maybe'; expected true, false, 1 or 0"),
        ([1], "line 1: expected a JSON object, found list"),
    ],
)
def test_read_log_jsonl_broken_line_is_named(tmp_path: Path, record: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_log(lines(tmp_path / "a.jsonl", record))


def test_read_log_duplicated_id_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", *({"id": name, "correct": True} for name in "abca"))
    with pytest.raises(DataError, match=r"question a stands there 2 times; keep one .* \(4 lines, 3 questions\)"):
        read_log(path)


@pytest.mark.parametrize("name", ["notes.txt", "notes.json", "folder"])
def test_read_log_what_is_no_log_says_what_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_text("{}", encoding="utf-8")
    else:
        path.mkdir()
    with pytest.raises(DataError, match="no log that is known here; expected") as caught:
        read_log(path)
    assert all(expected in str(caught.value) for expected in READERS)


def test_read_log_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there; expected"):
        read_log(tmp_path / "none.csv")


def test_read_log_lm_eval_choice_task(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path / "out", {"tiny": samples([True, False, True])}, shots=5)
    (benchmark,) = read_log(folder).benchmarks
    assert benchmark.name == "tiny"
    assert benchmark.conditions == {"metric": "acc", "filter": "none", "shots": "5", "version": "1"}
    assert benchmark.chance == 0.5
    first, second, _ = benchmark.answers
    assert (first.id, first.correct, first.question, first.options) == ("0", True, "0?", ("x", "y"))
    assert (first.reference, first.predicted, first.log_probabilities) == ("x", 0, (-1.0, -2.0))
    assert (second.correct, second.reference, second.predicted) == (False, "y", 0)


def test_read_log_lm_eval_file_of_another_name_is_known_by_its_lines(tmp_path: Path) -> None:
    (benchmark,) = read_log(lines(tmp_path / "tuned.jsonl", *samples([True, False]))).benchmarks
    assert (benchmark.name, [answer.correct for answer in benchmark.answers]) == ("tuned", [True, False])


def test_read_log_lm_eval_first_filter_decides(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path / "out", {"gsm": written_samples([True, False])})
    (benchmark,) = read_log(folder).benchmarks
    assert (benchmark.conditions["filter"], benchmark.chance) == ("strict-match", 0.0)
    assert [(answer.correct, answer.text, answer.reference) for answer in benchmark.answers] == [
        (True, "It is 0", "0"),
        (False, "It is many", "2"),
    ]


def test_read_log_lm_eval_older_lines_without_filter_are_read(tmp_path: Path) -> None:
    old = [{key: value for key, value in line.items() if key not in ("filter", "metrics")} for line in samples([True])]
    (benchmark,) = read_log(lm_eval_folder(tmp_path / "out", {"tiny": old})).benchmarks
    assert benchmark.conditions == {"metric": "acc", "shots": "0", "version": "1"}


def test_read_log_lm_eval_older_lines_of_several_filters_are_those_of_the_first(tmp_path: Path) -> None:
    old = [{key: value for key, value in line.items() if key != "filter"} for line in written_samples([True, False])]
    (benchmark,) = read_log(lm_eval_folder(tmp_path / "out", {"gsm": old})).benchmarks
    assert [answer.correct for answer in benchmark.answers] == [True, False]
    old[2] = {**old[2], "resps": [["Another answer"]]}
    with pytest.raises(DataError, match="gsm: question 0 stands there 2 times"):
        read_log(lm_eval_folder(tmp_path / "again", {"gsm": old}))


def test_read_log_lm_eval_group_is_one_benchmark_clustered_by_task(tmp_path: Path) -> None:
    tasks = {"mmlu_law": samples([True, False]), "mmlu_math": samples([True])}
    groups = {"mmlu": ["mmlu_stem", "mmlu_law"], "mmlu_stem": ["mmlu_math"]}
    (benchmark,) = read_log(lm_eval_folder(tmp_path / "out", tasks, group_subtasks=groups)).benchmarks
    assert benchmark.name == "mmlu"
    assert [(answer.id, answer.cluster) for answer in benchmark.answers] == [
        ("mmlu_law/0", "mmlu_law"),
        ("mmlu_law/1", "mmlu_law"),
        ("mmlu_math/0", "mmlu_math"),
    ]


def test_read_log_lm_eval_cluster_field_is_one_of_the_document(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path / "out", {"tiny": samples([True] * 5)})
    (benchmark,) = read_log(folder, "topic").benchmarks
    assert [answer.cluster for answer in benchmark.answers] == ["topic 0"] * 4 + ["topic 1"]


def test_read_log_lm_eval_share_instead_of_a_verdict_is_refused(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path / "out", {"mc2": samples([True, True], acc=0.4)})
    with pytest.raises(DataError, match=r"no metric says right or wrong for each question \(it has acc\)"):
        read_log(folder)


def test_read_log_lm_eval_two_evaluations_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path / "out", {"tiny": samples([True])})
    lm_eval_folder(folder / "again", {"tiny": samples([False])})
    with pytest.raises(DataError, match="tiny was logged more than once"):
        read_log(folder)


@pytest.mark.parametrize("packing", [93, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_read_log_inspect_eval_file_equals_its_json(tmp_path: Path, packing: int) -> None:
    log = inspect_log(["C", "I", "C"])
    as_json = tmp_path / "log.json"
    as_json.write_text(json.dumps(log), encoding="utf-8")
    (benchmark,) = read_log(eval_file(tmp_path / "log.eval", log, packing)).benchmarks
    assert (benchmark,) == read_log(as_json).benchmarks
    assert (benchmark.name, benchmark.conditions["metric"]) == ("sums", "match")
    assert [(answer.id, answer.correct) for answer in benchmark.answers] == [("s0", True), ("s1", False), ("s2", True)]
    assert (benchmark.answers[1].reference, benchmark.answers[1].text) == ("2", "many")


def test_read_log_inspect_epochs_are_clusters_of_one_sample(tmp_path: Path) -> None:
    (benchmark,) = read_log(eval_file(tmp_path / "log.eval", inspect_log(["C", "I"], epochs=2))).benchmarks
    assert [(answer.id, answer.cluster) for answer in benchmark.answers] == [
        ("s0, epoch 1", "s0"),
        ("s1, epoch 1", "s1"),
        ("s0, epoch 2", "s0"),
        ("s1, epoch 2", "s1"),
    ]
    (by_topic,) = read_log(tmp_path / "log.eval", "topic").benchmarks
    assert {answer.cluster for answer in by_topic.answers} == {"topic 0"}


def test_read_log_inspect_system_message_is_part_of_the_prompt(tmp_path: Path) -> None:
    log, other = inspect_log(["C"]), inspect_log(["C"])
    other["samples"][0]["messages"][0]["content"] = "Answer briefly."
    marks = [
        read_log(eval_file(tmp_path / name, item)).benchmarks[0].answers[0].prompt
        for name, item in (("one.eval", log), ("two.eval", other))
    ]
    assert marks[0] != marks[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "error"}, "its status is 'error', not 'success'"),
        ({"samples": inspect_log(["P"])["samples"]}, "no scorer says right or wrong of every sample .it has match"),
        ({"samples": [{"id": "s0", "epoch": 1}]}, "1 samples have no score, such as s0"),
        ({"samples": []}, "no samples in it"),
    ],
)
def test_read_log_inspect_unfinished_or_unscored_log_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_log(eval_file(tmp_path / "log.eval", inspect_log(["C"], **change)))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _headless(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_journal/start.json", "{}")


@pytest.mark.parametrize(
    ("damage", "message"), [(_cut, "not a zip file that can be read"), (_headless, "no header.json in it")]
)
def test_read_log_inspect_damaged_file_is_refused(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    path = eval_file(tmp_path / "log.eval", inspect_log(["C"]))
    damage(path)
    with pytest.raises(DataError, match=message):
        read_log(path)


def test_read_log_run_variant_has_target_and_suites(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2), size="demo", seed=3)
    log = read_log(folder / "run-1")
    names = [benchmark.name for benchmark in log.benchmarks]
    assert names == ["demo, execution accuracy", "demo", "demo-pt"]
    target = log.benchmarks[0]
    assert len({answer.cluster for answer in target.answers}) == 6
    assert target.conditions["metric"] == "execution accuracy"
    with pytest.raises(DataError, match="a run folder; name one of its variants"):
        read_log(folder)
