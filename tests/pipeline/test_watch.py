"""Watching a run that goes on: renewed with each complete variant, until all are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paretune.cli import main
from paretune.pipeline.watch import watch
from paretune.run.folder import RunFolder
from paretune.text import Voice
from tests.simulated_run import variants, write_run

pytestmark = pytest.mark.usefixtures("undrawn")

EN = Voice("en")


class Growing:
    """A run folder that grows by one step at each pause, as if a run worked on it."""

    def __init__(self, whole: Path, folder: Path, steps: list[str]) -> None:
        self.whole, self.folder, self.steps = whole, folder, steps

    def __call__(self, seconds: float) -> None:
        step = self.steps.pop(0)
        if step.endswith("/cut"):
            name = step.removesuffix("/cut")
            lines = (self.whole / name).read_text(encoding="utf-8").splitlines(keepends=True)
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
        elif (self.whole / step).is_dir():
            shutil.copytree(self.whole / step, self.folder / step, dirs_exist_ok=True)
        else:
            self.folder.mkdir(exist_ok=True)
            shutil.copy(self.whole / step, self.folder / step)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write_run(tmp_path / "whole", variants(3))


def test_watch_renews_with_each_complete_variant_and_stops_with_the_last(whole: Path, tmp_path: Path) -> None:
    steps = ["manifest.json", "prepared", "baseline", "run-1/answers.jsonl/cut", "run-1", "run-2"]
    growing = Growing(whole, tmp_path / "run", list(steps))
    said: list[str] = []
    renewed: list[list[str]] = []
    folder = RunFolder(tmp_path / "run")

    def renew() -> None:
        renewed.append(sorted(path.parent.name for path in folder.path.glob("*/sql.jsonl")))

    watch(folder, renew, EN, said.append, growing)
    assert growing.steps == []
    done = [[name for name in names if name != "prepared"] for names in renewed]
    assert done == [["baseline"], ["baseline", "run-1"], ["baseline", "run-1", "run-2"]]
    assert "1 of 3 variants complete; run-1: answers 77/155, sql 0/155, choice 0/240" in said
    assert said[-1] == "3 of 3 variants complete"


def test_watch_looks_again_where_a_file_cannot_be_read_now(whole: Path) -> None:
    said: list[str] = []
    manifest = (whole / "manifest.json").read_text(encoding="utf-8")
    (whole / "manifest.json").write_text("{", encoding="utf-8")

    def mend(seconds: float) -> None:
        (whole / "manifest.json").write_text(manifest, encoding="utf-8")

    calls: list[None] = []
    watch(RunFolder(whole), lambda: calls.append(None), EN, said.append, mend)
    assert "looking again in 5 s" in said[0]
    assert len(calls) == 1


def test_report_watch_of_an_unfinished_run_writes_tables_and_page_until_ctrl_c(
    whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "__defaults__", (interrupt,))
    (whole / "run-2" / "choice.jsonl").unlink()
    assert main(["report", str(whole), "--watch"]) == 0
    said = capsys.readouterr().err
    assert "2 of 3 variants complete; run-2: answers 155/155, sql 155/155, choice 0/240" in said
    assert "no longer watching; the run goes on" in said
    assert (whole / "tables" / "summary.csv").is_file()
    page = (whole / "report" / "index.html").read_text(encoding="utf-8")
    assert "Planned but without complete answers: run-2" in page


def test_report_watch_of_a_finished_run_ends_with_the_verdict(
    whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(whole), "--watch"]) == 0
    printed = capsys.readouterr().out
    assert "VERDICT" in printed
    assert printed.splitlines()[-1] == f"page: {(whole / 'report' / 'index.html').resolve()}"


def test_watch_is_refused_for_other_stages(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(whole), "--watch"]) == 2
    assert "--watch: compare does not wait for a run" in capsys.readouterr().err
