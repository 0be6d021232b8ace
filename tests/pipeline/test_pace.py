from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from paretune.pipeline.pace import Course, Speeds, Work, describe_time, earlier_speeds, speeds_of
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines, write_lines
from tests.simulated_run import change_manifest, variants, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "runs" / "one", variants(3))


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def test_speeds_of_a_run_are_seconds_over_its_lines_and_training_rows(folder: Path) -> None:
    speeds = speeds_of(RunFolder(folder))
    assert speeds.of(Work("x", "generate", 155)) == pytest.approx(40.0)
    assert speeds.of(Work("x", "choice", 120)) == pytest.approx(30.0)
    assert speeds.of(Work("x", "score", 310)) == pytest.approx(4.0)
    assert speeds.of(Work("x", "train", 400, size=8)) == pytest.approx(120.0)  # 240 s for 800 steps of 8 rows
    assert speeds.of(Work("x", "train", 400, size=16)) == pytest.approx(240.0)


def test_speeds_of_a_run_learn_replay_monitor_and_the_objectives_passes(folder: Path) -> None:
    before = speeds_of(RunFolder(folder))
    change = {"questions": 5, "accuracy": 0.0, "base": 0.0, "low": 0.0, "high": 0.0}
    look = {"target": change, "general": {"demo": change}}
    path = folder / "run-1" / "training.jsonl"
    header, steps = read_lines(path)
    write_lines(path, header, [{**steps[0], "monitor": look}, *steps[1:-1], {**steps[-1], "monitor": look}])
    write_lines(folder / "run-1" / "replay.jsonl", {"kind": "replay"}, [{"prompt": str(at)} for at in range(20)])
    found = manifest(folder)
    more = [
        {"stage": "monitor", "variant": "run-1", "seconds": 60.0},
        {"stage": "replay", "variant": "run-1", "seconds": 40.0},
    ]
    tuned = next(item for item in found["config"]["variants"] if item["name"] == "run-1")
    tuned["training"]["objective"] = "kl"
    change_manifest(folder, config=found["config"], work=[*found["work"], *more])
    speeds = speeds_of(RunFolder(folder))
    assert speeds.of_one("monitor") == pytest.approx(60.0 / 30)  # three looks at ten questions, the base model's first
    assert speeds.of_one("replay") == pytest.approx(40.0 / 20)
    assert speeds.amount["train"] == pytest.approx(1.25 * before.amount["train"])  # one of two trainings cost half more


def test_work_without_a_speed_of_its_own_goes_by_what_it_is_like() -> None:
    speeds = Speeds({"generate": 20.0, "choice": 5.0}, {"generate": 10.0, "choice": 10.0})
    work = Work("x", "monitor", 40, like=(("generate", 0.25), ("choice", 0.75)))
    assert speeds.of(work) == pytest.approx(10 * 2.0 + 30 * 0.5)
    assert speeds.of(Work("x", "monitor", 40, like=(("generate", 0.5), ("train", 0.5)))) is None
    speeds.add("monitor", 3.0, 1.0)
    assert speeds.of(work) == pytest.approx(120.0)


def test_course_leaves_out_the_looks_of_a_training_that_is_at_work() -> None:
    todo = [
        Work("run-1", "replay", 5),
        Work("run-1", "train", 10),
        Work("run-1", "monitor", 9),
        Work("run-2", "monitor", 9),
    ]
    course = Course(("run-1", "run-2"), todo, Speeds())
    with course.doing(Work("run-1", "train", 10)):
        assert [(work.variant, work.stage) for work in course.todo] == [("run-2", "monitor")]


def test_earlier_speeds_take_runs_of_the_same_model_task_and_machine_alone(folder: Path) -> None:
    own = manifest(folder)
    other = write_run(folder.parent / "two", variants(2))
    (folder.parent / "no-run").mkdir()
    (folder.parent / "no-run" / "manifest.json").write_text("not JSON", encoding="utf-8")
    assert earlier_speeds(folder.parent, own)[1] == 2
    change_manifest(other, hardware={**own["hardware"], "gpu": "another"})
    speeds, count = earlier_speeds(folder.parent, own)
    assert (count, speeds) == (1, speeds_of(RunFolder(folder)))
    change_manifest(folder, config={**own["config"], "model": {**own["config"]["model"], "path": "another"}})
    assert earlier_speeds(folder.parent, own) == (Speeds(), 0)


def test_describe_time_says_what_it_rests_on_and_what_it_leaves_out() -> None:
    speeds = Speeds()
    todo = [Work("baseline", "generate", 600), Work("baseline", "score", 600), Work("run-1", "train", 10)]
    where = Path("runs")
    assert describe_time(todo, speeds, 0, where).startswith("time: not known; no earlier run in runs ")
    speeds.add("generate", 60.0, 60.0)
    assert describe_time(todo, speeds, 1, where) == (
        "time: about 10 minutes by the speed of 1 run in runs, without training, whose speed is not known"
    )
    speeds.add("train", 300.0, 5.0)
    assert describe_time(todo, speeds, 2, where) == "time: about 20 minutes by the speed of 2 runs in runs"
    assert describe_time([], speeds, 2, where) == "time: nothing is left to train or answer"


def test_course_says_place_and_time_left_by_what_was_measured_first() -> None:
    earlier = Speeds()
    earlier.add("generate", 600.0, 10.0)
    work = [Work("baseline", "generate", 10), Work("run-1", "generate", 10)]
    course = Course(("baseline", "run-1"), list(work), earlier)
    assert course.says("baseline") == "variant 1 of 2: baseline, 20 minutes left"
    with course.doing(work[0]) as doing:
        assert doing.whole(None) == pytest.approx(1200.0)
        assert doing.whole(30.0) == pytest.approx(630.0)
    left = course.left()
    assert left is not None
    assert left < 1.0  # the block took no time, and that counts, not the earlier run
    assert course.place("run-1") == "2/2"


def test_course_without_known_speeds_says_the_place_alone() -> None:
    course = Course(("baseline",), [Work("baseline", "choice", 10)], Speeds())
    assert course.left() is None
    assert course.says("baseline") == "variant 1 of 1: baseline"
