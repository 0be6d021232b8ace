"""Cells: the graph, its states, and runs done cell by cell, which must end as a plain run does."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.errors import ConfigError, RunFolderError
from paretune.pipeline.cells import Cell, cells_of, find_cells
from paretune.run.folder import RunFolder
from tests.pipeline.conftest import Commands, WholeRun
from tests.pipeline.test_scripted import BASE, EXPERIMENT, TUNED

pytestmark = pytest.mark.usefixtures("undrawn")

TRAINED = """
[target]
kind = "demo"
[[variant]]
from = "seed-2"
adapter_scale = 0.5
[[variant]]
name = "made"
adapter = "made"
[sweep]
seed = [1, 2]
"""
EVERY_CELL = [
    "prepare",
    *(f"{kind}:{name}" for name in ("baseline", "tuned", "tuned@0.5") for kind in ("answer", "choice", "judge")),
    "report",
]


def graph(folder: Path, **choice: Any) -> tuple[Cell, ...]:
    (folder / "trial.toml").write_text(TRAINED, encoding="utf-8")
    config = load_experiment(folder / "trial.toml")
    if "variants" in choice:
        choice["variants"] = [config.variant(name) for name in choice["variants"]]
    return cells_of(config, "sql", **choice)


def needs(cells: tuple[Cell, ...], name: str) -> tuple[str, ...]:
    return next(cell.needs for cell in cells if cell.id == name)


def test_cells_of_an_experiment_stand_in_the_order_of_a_plain_run(tmp_path: Path) -> None:
    cells = graph(tmp_path)
    ids = [cell.id for cell in cells]
    assert ids[:4] == ["prepare", "answer:baseline", "choice:baseline", "judge:baseline"]
    assert ids[-4:] == ["answer:seed-2@0.5", "choice:seed-2@0.5", "judge:seed-2@0.5", "report"]
    assert [name for name in ids if name.startswith("train")] == ["train:seed-1", "train:seed-2"]
    for place, cell in enumerate(cells):
        assert set(cell.needs) <= set(ids[:place]), cell.id


def test_cells_need_the_training_of_the_adapter_that_they_answer_with(tmp_path: Path) -> None:
    cells = graph(tmp_path)
    assert needs(cells, "answer:seed-2@0.5") == ("prepare", "train:seed-2")
    assert needs(cells, "answer:made") == ("prepare",)
    assert needs(cells, "judge:seed-1") == ("prepare", "answer:seed-1")
    assert len(needs(cells, "report")) == 10


def test_cells_of_a_derived_variant_alone_train_its_source(tmp_path: Path) -> None:
    ids = [cell.id for cell in graph(tmp_path, variants=["seed-2@0.5"])]
    assert ids == ["prepare", "train:seed-2", "answer:seed-2@0.5", "choice:seed-2@0.5", "judge:seed-2@0.5", "report"]
    assert not any(cell.kind == "train" for cell in graph(tmp_path, training=False))


def test_cells_outputs_are_of_one_cell_each(tmp_path: Path) -> None:
    """Else two processes would write one file."""
    outputs = [name for cell in graph(tmp_path) for name in cell.outputs]
    assert len(set(outputs)) == len(outputs)


def test_cell_of_a_wrong_id_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no cell 'train:sed-1'; did you mean 'train:seed-1'\?"):
        find_cells(graph(tmp_path), ["train:sed-1"])


def test_cells_named_by_their_variant_are_all_of_it_in_order(tmp_path: Path) -> None:
    found = [cell.id for cell in find_cells(graph(tmp_path), ["judge:baseline", "seed-1"])]
    assert found == ["judge:baseline", "train:seed-1", "answer:seed-1", "choice:seed-1", "judge:seed-1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cells")
    for name, text in (("scripted.toml", EXPERIMENT), ("base.py", BASE), ("tuned.py", TUNED)):
        (folder / name).write_text(text, encoding="utf-8")
    assert main(["run", str(folder / "scripted.toml"), "--out", str(folder / "whole")]) == 0
    return folder


def cell(home: Path, out: Path, *names: str) -> int:
    return main(["cell", str(home / "scripted.toml"), "--out", str(out), *names])


def listed(home: Path, out: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    assert main(["cells", str(home / "scripted.toml"), "--out", str(out), *words]) == 0
    return capsys.readouterr().out.splitlines()


def results(folder: Path) -> Iterator[Path]:
    """Every file of a run whose bytes depend on nothing but the experiment."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        timed = name.parts[0] in ("tables", "report", ".cells") or "seconds" in path.name
        if path.is_file() and not timed and path.suffix == ".jsonl" and path.name != "sql.jsonl":
            yield name


def timeless(manifest: dict[str, Any]) -> dict[str, Any]:
    work = [{key: item[key] for key in ("stage", "variant", "made") if key in item} for item in manifest.pop("work")]
    return {**manifest, "work": sorted(work, key=str)}


def test_cells_done_one_by_one_in_any_order_end_as_a_plain_run(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    middle = [name for name in EVERY_CELL[1:-1] if not name.startswith("judge")]
    random.Random(3).shuffle(middle)
    judging = [name for name in EVERY_CELL if name.startswith("judge")]
    for name in ["prepare", *middle, *judging, "report"]:
        assert cell(home, out, name) == 0, name
    whole = home / "whole"
    assert list(results(out)) == list(results(whole))
    for file in results(whole):
        assert (out / file).read_bytes() == (whole / file).read_bytes(), file
    for table in ("execution_accuracy", "general_accuracy", "claims", "comparisons", "pick", "outcomes"):
        csv = f"tables/{table}.csv"
        assert (out / csv).read_bytes() == (whole / csv).read_bytes(), csv
    manifests = [timeless(RunFolder(folder).read_manifest()) for folder in (out, whole)]
    assert manifests[0] == manifests[1]


def test_cell_that_is_done_is_left_as_it_is(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shutil.copytree(home / "whole", tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*.jsonl")}
    assert cell(home, out, "tuned") == 0
    assert "tuned: already answered" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*.jsonl")} == before


@pytest.mark.parametrize(
    ("done", "asked", "said"),
    [
        ((), "answer:tuned", "answer:tuned needs prepare, which is not done; do that cell first"),
        (("prepare",), "judge:tuned", "judge:tuned needs answer:tuned, which is not done; do that cell first"),
    ],
)
def test_cell_whose_needs_are_not_done_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], done: tuple[str, ...], asked: str, said: str
) -> None:
    if done:
        cell(home, tmp_path / "run", *done)
    assert cell(home, tmp_path / "run", asked) == 2
    assert said in capsys.readouterr().err


def test_cell_judging_half_the_answers_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(home / "whole", tmp_path / "run")
    (out / "tuned" / "sql.jsonl").unlink()
    path = out / "tuned" / "answers.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:10]), encoding="utf-8")
    assert cell(home, out, "judge:tuned") == 2
    assert "judge:tuned needs answer:tuned" in capsys.readouterr().err
    assert cell(home, out, "answer:tuned", "judge:tuned") == 0


def test_cells_states_follow_the_work(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert listed(home, out, capsys, "--todo") == EVERY_CELL
    cell(home, out, "prepare", "answer:tuned")
    assert listed(home, out, capsys, "--todo") == [x for x in EVERY_CELL if x not in ("prepare", "answer:tuned")]
    assert listed(home, out, capsys, "--todo", "--kind", "answer") == ["answer:baseline", "answer:tuned@0.5"]
    assert listed(home, home / "whole", capsys, "--todo") == []


def test_cells_made_by_other_settings_are_outdated(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(home, home / "whole", capsys, "--set", "target.max_new_tokens=8")
    states = {row.split()[0]: row.split()[1] for row in rows[1:]}
    assert {name for name, state in states.items() if state == "outdated"} == {
        "report", *(name for name in EVERY_CELL if name.startswith(("answer", "judge"))),
    }  # fmt: skip
    assert states["choice:tuned"] == states["prepare"] == "done"


def test_cells_report_older_than_a_verdict_is_outdated(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(home / "whole", tmp_path / "run")
    assert listed(home, out, capsys, "--todo") == []
    (out / "tuned" / "sql.jsonl").touch()
    assert listed(home, out, capsys, "--todo") == ["report"]


def test_cells_as_json_hold_the_fingerprint_of_what_they_write(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = {item["id"]: item for item in map(json.loads, listed(home, home / "whole", capsys, "--json"))}
    assert list(cells) == EVERY_CELL
    header = json.loads((home / "whole" / "tuned" / "choice.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert cells["choice:tuned"]["fingerprint"] == header["header"]["fingerprint"]
    assert cells["judge:tuned"]["needs"] == ["prepare", "answer:tuned"]
    assert cells["judge:tuned"]["gpu_bytes"] == 0


def test_cell_at_which_another_process_works_is_refused_by_its_name(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    other = RunFolder(out)
    with other.shared(), other.doing("prepare"):
        assert cell(home, out, "prepare") == 2
        assert "prepare is being done by process " in capsys.readouterr().err
        assert main(["run", str(home / "scripted.toml"), "--out", str(out)]) == 2
        assert "in use by " in capsys.readouterr().err
    with other.locked():
        assert cell(home, out, "prepare") == 2
        assert "in use by process " in capsys.readouterr().err


def add_many(path: Path, name: str) -> None:
    folder = RunFolder(path)
    with folder.shared():
        for number in range(30):
            folder.add_seconds("train", name, number)


def test_manifest_changed_by_processes_at_once_loses_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=add_many, args=(tmp_path, f"run-{number}")) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    work = RunFolder(tmp_path).read_manifest()["work"]
    assert sorted((item["variant"], item["seconds"]) for item in work) == sorted(
        (f"run-{number}", float(count)) for number in range(3) for count in range(30)
    )


def test_folder_held_alone_cannot_be_shared(tmp_path: Path) -> None:
    with RunFolder(tmp_path).locked(), pytest.raises(RunFolderError, match="in use by process"):  # noqa: SIM117
        with RunFolder(tmp_path).shared():
            pass


def test_cells_of_a_trained_variant_end_as_a_plain_run(commands: Commands, tmp_path: Path, whole_run: WholeRun) -> None:
    """The training by one process, the answers of the derived variant by another."""
    out = tmp_path / "run"

    def do(*names: str) -> str:
        commands.start([*commands.words("cell", out), *names])
        done = commands.finish()
        return done.err if done.status else ""

    assert do("prepare") == ""
    assert "answer:run-1@0.5 needs train:run-1, which is not done" in do("answer:run-1@0.5")
    assert do("train:run-1") == ""
    assert do("choice:run-1@0.5", "answer:run-1@0.5", "judge:run-1@0.5") == ""
    for name in ("run-1/adapter/adapter_model.safetensors", "run-1@0.5/answers.jsonl", "run-1@0.5/choice.jsonl"):
        assert (out / name).read_bytes() == (whole_run.folder / name).read_bytes(), name
    commands.start([*commands.words("cells", out, "variant.run-1.rank=3"), "--todo", "--kind", "train"])
    assert commands.finish().out.splitlines() == ["train:run-1", "train:run-2"]
    outdated = "answer:run-1 needs train:run-1, which is not done"
    commands.start([*commands.words("cell", out, "variant.run-1.rank=3"), "answer:run-1"])
    assert outdated in commands.finish().err
