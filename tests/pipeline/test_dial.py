"""The dial of a trained adapter on the embedded benchmark with a tiny model, from the command to its lines."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from paretune.analysis.dial import STEP, Dial, DialPoint, between
from paretune.analysis.results import Verdict
from paretune.cli import main
from paretune.pipeline.dial import read_dials
from paretune.pipeline.validation import StateAnswers, Validation, judge_states
from paretune.records import ChoicePrompt, ChoiceQuestion
from paretune.report.dial import dial_table
from paretune.report.screen import FILE
from paretune.report.text_table import as_text
from paretune.run.claims import Terms
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_lines, write_lines
from paretune.run.lines import AskedQuestion, Suite
from paretune.tasks import find_task
from paretune.text import Voice
from tests.tiny_experiment import tiny_experiment
from tests.tiny_models import save_tiny_model

EXPERIMENT = tiny_experiment(
    "dialled",
    "questions = 6\nmax_new_tokens = 4\ntrain_rows = 60",
    """
batch_size = 8
rank = 2
peak_learning_rate = 2e-2
checkpoint_steps = 2
[validation]
questions = 20
general_questions = 18
[[variant]]
name = "run-1"
""",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("dialled")
    save_tiny_model(home / "model")
    (home / "dialled.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["train", str(home / "dialled.toml"), "--out", str(home / "run")]) == 0
    return home


def dial(home: Path, *words: str, folder: Path | None = None) -> int:
    return main(
        ["dial", str(home / "dialled.toml"), "--out", str(folder or home / "run"), "--variant", "run-1", *words]
    )


def lines_of(home: Path) -> list[dict[str, str]]:
    with open(home / "run" / "tables" / "dial.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_dial_measures_scales_and_checkpoints_of_one_loaded_base(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dial(home, "--scales", "0,0.5,1", "--checkpoints") == 0
    printed = capsys.readouterr()
    assert printed.err.count("loading ") == 1
    steps = sorted(int(path.name.rpartition("-")[2]) for path in (home / "run/run-1/checkpoints").glob("checkpoint-*"))
    names = {f"run-1@step-{step}{scale}" for step in steps[:-1] for scale in ("", "@0.5")} | {"run-1", "run-1@0.5"}
    measured = [line for line in lines_of(home) if line["kind"] == "measured"]
    assert {line["variant"] for line in measured} == names | {"baseline"}  # the last checkpoint is the adapter
    kept = read_lines(home / "run/run-1/validation.jsonl")[1]
    assert len(kept) == len(names)
    for line in measured:
        base, gained = (float(line[f"target_{what}"]) for what in ("accuracy_percent", "change_points"))
        assert float(line["target_change_low"]) <= gained <= float(line["target_change_high"])
        assert 0 <= base <= 100
    assert all(name in printed.out for name in ("run-1@0.5", f"run-1@step-{steps[0]}"))
    assert "none of them is the test's" in printed.out.replace("\n", " ")


def test_dial_again_asks_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dial(home, "--scales", "0,0.5,1") == 0
    before = (home / "run/run-1/validation.jsonl").read_bytes()
    capsys.readouterr()
    assert dial(home, "--scales", "0,0.5,1", "--lang", "pt-BR") == 0
    printed = capsys.readouterr()
    assert "loading" not in printed.err
    assert (home / "run/run-1/validation.jsonl").read_bytes() == before
    assert "questões de validação" in printed.out
    assert "Escolha: o modelo base." in printed.out


def test_dial_point_is_what_the_variant_answers(home: Path, tmp_path: Path) -> None:
    """A derived variant at the same scale gives the same verdicts on the same questions."""
    assert dial(home, "--scales", "0.5") == 0
    folder = tmp_path / "run"
    shutil.copytree(home / "run", folder)
    held = read_lines(folder / "prepared/validation.jsonl")[1]
    file = tmp_path / "derived.toml"
    model = f'path = "{home / "model"}"'
    file.write_text(EXPERIMENT.replace('path = "model"', model) + '[[variant]]\nfrom = "run-1"\nadapter_scale = 0.5\n')
    asked = [{**row, "index": number} for number, row in enumerate(held)]
    write_lines(folder / "prepared/sql.jsonl", {"kind": "prepared-sql", "fingerprint": "other"}, asked)
    for name in ("choice", "prompts"):
        asked_name = "choice" if name == "choice" else "choice_prompts"
        shutil.copy(folder / f"prepared/validation_{name}.jsonl", folder / f"prepared/{asked_name}.jsonl")
    assert main(["evaluate", str(file), "--out", str(folder), "--variant", "run-1@0.5"]) == 0
    verdicts = read_lines(folder / "run-1@0.5/sql.jsonl")[1]
    (line,) = [line for line in read_lines(home / "run/run-1/validation.jsonl")[1]
               if line["scale"] == 0.5 and line["checkpoint"] is None]  # fmt: skip
    assert line["target"] == "".join(str(int(verdict["outcome"] == "correct")) for verdict in verdicts)
    choice = {answer["id"]: answer["correct"] for answer in read_lines(folder / "run-1@0.5/choice.jsonl")[1]}
    order = [row["id"] for row in read_lines(folder / "prepared/choice.jsonl")[1]]
    assert line["general"]["demo"] == "".join(str(int(choice[name])) for name in order)
    assert 0 < sum(choice.values()) < len(choice)


def test_dial_read_back_is_what_the_command_printed(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # the width of a file, whatever the terminal of the tests
    capsys.readouterr()
    assert dial(home, "--scales", "0,0.5,1") == 0
    printed = capsys.readouterr().out
    (read,) = read_dials(RunFolder(home / "run"))
    session_free = as_text(dial_table(read, find_task("demo").facets, Voice("en")), FILE)
    assert session_free in printed
    assert "paretune report" in printed


def test_dial_of_a_later_call_counts_the_points_of_before(home: Path, tmp_path: Path) -> None:
    run = shutil.copytree(home / "run", tmp_path / "run")
    assert dial(home, "--scales", "0.5", folder=run) == 0
    assert dial(home, "--scales", "0.25", folder=run) == 0
    (read,) = read_dials(RunFolder(run))
    names = {point.name for point in read.points}
    assert {"run-1@0.25", "run-1@0.5"} <= names
    assert read.verdict.planned == len(names - {"baseline"})


def test_dial_of_another_adapter_or_other_questions_is_not_read_back(home: Path, tmp_path: Path) -> None:
    run = shutil.copytree(home / "run", tmp_path / "run")
    assert dial(home, "--scales", "0.5", folder=run) == 0
    answers = run / "run-1" / "answers.jsonl"
    (point,) = [line for line in read_lines(run / "run-1/validation.jsonl")[1]
                if (line["scale"], line["checkpoint"]) == (0.5, None)]  # fmt: skip
    write_lines(answers, {"adapter": point["adapter"]}, [])
    assert len(read_dials(RunFolder(run))) == 1
    write_lines(answers, {"adapter": "trained anew"}, [])
    assert read_dials(RunFolder(run)) == ()
    answers.unlink()
    header, lines = read_lines(run / "prepared/validation.jsonl")
    write_lines(run / "prepared/validation.jsonl", {**header, "fingerprint": "other"}, lines)
    assert read_dials(RunFolder(run)) == ()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scales", "1,x"], "--scales 1,x: expected numbers from 0 to 4"),
        (["--scales", "5"], "--scales 5: expected numbers from 0 to 4"),
        (["--scales", "0"], "--scales: 0 is the base model"),
        (["--variant", "baseline"], "--variant baseline: has no adapter of its own"),
        (["--set", "training.rank=3"], "run-1: not trained with these settings"),
        (["--set", "validation.questions=15"], "not prepared with these settings"),
    ],
)
def test_dial_that_cannot_be_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert dial(home, *words) == 2
    assert message in capsys.readouterr().err


def verdict_on(gains: dict[str, int], losses: dict[str, int], count: int = 400) -> tuple[Validation, Verdict]:
    """Of states that turn so many questions right, and so many choices wrong."""
    questions = tuple(AskedQuestion(at, f"db-{at % 20}", f"question {at}", f"SELECT {at}") for at in range(count))
    options = ("a", "b")
    choices = tuple(
        ChoicePrompt(ChoiceQuestion(f"s/{at}", "s", "c", f"{at}", options, 0), "cloze", "", ("x",), (" a", " b"))
        for at in range(count)
    )
    validation = Validation(questions, ("",) * count, {"demo": choices}, {"demo": Suite("demo", 0.5)}, "f")

    def state(name: str) -> StateAnswers:
        return StateAnswers.from_record({
            "target": "1" * (100 + gains.get(name, 0)) + "0" * (count - 100 - gains.get(name, 0)),
            "general": {"demo": "1" * (300 - losses.get(name, 0)) + "0" * (count - 300 + losses.get(name, 0))},
        })  # fmt: skip

    states = {name: state(name) for name in ("baseline", *gains)}
    return validation, judge_states(validation, states, Terms(margin_points=3.0), seed=1)


def test_pick_of_the_dial_gains_most_without_a_loss_that_counts() -> None:
    verdict = verdict_on({"x@0.5": 100, "x": 160}, {"x": 60})[1]
    assert verdict.pick is not None
    assert verdict.pick.unit.name == "x@0.5"
    assert {unit.unit.name: unit.reason for unit in verdict.units}["x"] == "loss shown"


def test_curve_between_scales_goes_through_them_and_invents_no_optimum() -> None:
    verdict = verdict_on({"x@0.5": 100, "x": 80}, {"x@0.5": 0, "x": 60})[1]
    units = {unit.unit.name: unit for unit in verdict.units}
    points = (
        DialPoint("baseline", 0.0, None, 25.0, {"demo": 75.0}, None),
        DialPoint("x@0.5", 0.5, None, 50.0, {"demo": 75.0}, units["x@0.5"]),
        DialPoint("x", 1.0, None, 45.0, {"demo": 60.0}, units["x"]),
        DialPoint("x@step-2", 1.0, 2, 99.0, {"demo": 99.0}, units["x"]),
    )
    drawn = Dial("x", points, verdict, 400, {"demo": 400}, (25.0, {"demo": 75.0}))
    curve = list(between(drawn))
    assert [item.scale for item in curve] == [round(at * STEP, 10) for at in range(1, 20) if at != 10]
    gains = [item.target.estimate for item in curve]
    assert all(0 < gain < 25 for gain in gains)
    assert gains[:9] == sorted(gains[:9])
    assert gains[9:] == sorted(gains[9:], reverse=True)
    assert all(item.target.low <= item.target.estimate <= item.target.high for item in curve)
    assert not list(between(Dial("x", points[1:], verdict, 400, {"demo": 400}, (25.0, {"demo": 75.0}))))
