from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paretune.cli import build_parser, main, power
from paretune.cli.help import EXAMPLES
from paretune.config.read import load_experiment
from paretune.sql.task import SqlTarget

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / "experiments"
DEMO = str(EXPERIMENTS / "demo.toml")
HEAVY = ("torch", "transformers", "numpy", "sqlglot", "scipy", "matplotlib", "peft")
COMMANDS = (
    "run", "prepare", "train", "evaluate", "compare", "report", "list",
    "score", "choice", "perplexity", "power", "audit", "card", "test-suite", "fetch", "sync", "doctor", "export",
    "dial", "plan", "search",
    "init", "init-task", "cells", "cell",
)  # fmt: skip


@pytest.fixture(autouse=True)
def environment_as_before() -> Iterator[None]:
    """The command line sets variables for its own process; here that is the tests' process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def one_error_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """What a refused command says: a single line, exit status 2, nothing on standard output."""
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_commands_are_the_ones_listed_here() -> None:
    words = build_parser().format_help().split()
    assert [name for name in COMMANDS if name not in words] == []
    choices = build_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert sorted(choices or ()) == sorted(COMMANDS)


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "paretune")
def test_help_prints_usage_and_exits_zero(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(" ".join(["usage: paretune", *words]))


def test_import_of_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, paretune.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_error_in_a_process_is_one_line_and_status_two_without_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "paretune", "run", str(tmp_path / "none.toml")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path / 'none.toml'}: no such experiment file\n"
    assert done.stdout == ""


def test_mistyped_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert one_error_line(capsys, ["lst"]) == "error: no command 'lst'; did you mean 'list'?\n"


def test_command_unlike_any_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    error = one_error_line(capsys, ["xyzzy"])
    assert all(name in error for name in COMMANDS)


def test_paretune_alone_says_three_ways_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    for way in ("paretune init ", "notebooks/paretune_colab.ipynb", "paretune init-task shop"):
        assert way in printed
    assert max(map(len, printed.splitlines())) <= 90


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_an_example_that_parses(command: str) -> None:
    parser = build_parser()
    for line in EXAMPLES[command]:
        name, *words = shlex.split(line.partition(" > ")[0])
        assert (name, words[0]) == ("paretune", command)
        assert parser.parse_args(words).command == command


def test_help_groups_hold_every_command_once() -> None:
    lines = [line.split() for line in build_parser().format_help().splitlines() if line.startswith("    ")]
    assert sorted(words[0] for words in lines) == sorted(COMMANDS)


def test_folder_that_may_not_be_entered_is_named_without_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "predictions.json").write_text('["SELECT 1"]')
    monkeypatch.setattr(Path, "is_dir", refuse)
    words = ["score", "--spider", str(tmp_path), "--predictions", str(tmp_path / "predictions.json")]
    assert one_error_line(capsys, words) == f"error: {tmp_path}: Permission denied\n"


def test_unknown_key_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    error = one_error_line(capsys, ["run", DEMO, "--set", "target.question=3", "--dry-run"])
    assert "target.question" in error
    assert "'questions'" in error or "target.questions" in error or "questions?" in error


@pytest.mark.parametrize("stage", ["list", "compare", "report"])
def test_missing_run_folder_is_named(stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = one_error_line(capsys, [stage, str(tmp_path / "none")])
    assert error == f"error: {tmp_path / 'none'}: no such run folder or experiment file\n"


def test_missing_data_directory_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    words = ["prepare", DEMO, "--out", str(tmp_path / "run"), "--set", "target.kind=spider", "--set",
             f"target.path={gone}"]  # fmt: skip
    assert main(words) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {gone}: no such directory")


def test_unknown_variant_is_answered_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", DEMO, "--variant", "run1", "--out", str(tmp_path / "run")]
    error = one_error_line(capsys, words)
    assert "no variant 'run1'" in error
    assert "run-1" in error
    assert not (tmp_path / "run").exists()


def test_dry_run_of_the_demo_says_the_plan_and_writes_no_run_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    assert main(["run", DEMO, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    target = load_experiment(Path(DEMO)).target
    assert isinstance(target, SqlTarget)
    assert f"target demo: {target.questions} questions" in printed
    assert "variant baseline: evaluate" in printed
    assert "variant run-1: train " in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda file: file.stem)
def test_shipped_experiment_loads(file: Path, tmp_path: Path) -> None:
    text = file.read_text(encoding="utf-8")
    settings = [] if 'kind = "demo"' in text else [f"target.path={tmp_path}", f"general.path={tmp_path}"]
    config = load_experiment(file, settings)
    assert config.name == file.stem
    assert all(variant.adapter for variant in config.variants) == file.stem.endswith("-published")


def test_list_of_an_empty_folder_says_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", DEMO, "--out", str(tmp_path)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name in ("baseline", "run-1", "run-2", "run-1@0.5"):
        (own,) = [row for row in rows if row[:1] == [name]]
        assert own[1:] == [own[1], "missing", "missing"]
    assert ["0", "of", "4", "variants", "complete"] in rows
    assert list(tmp_path.iterdir()) == []


def test_weights_not_to_be_had_offline_names_the_setting(
    tmp_path: Path, spider_directory: Path, mmlu_directory: Path
) -> None:
    words = ["prepare", str(EXPERIMENTS / "tp4.toml"), "--out", str(tmp_path / "run")]
    words += ["--set", f"target.path={spider_directory}", "--set", f"general.path={mmlu_directory}"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "paretune", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "mistralai/Mistral-7B-Instruct-v0.2" in errors[0]
    assert "(model.path, or --model)" in errors[0]
    assert "Traceback" not in done.stderr


POWER = (sys.executable, "-m", "paretune", "power", "--effect", "2", "--discordant", "0.1", "--lang", "pt-BR")


def test_output_in_letters_that_the_terminal_lacks_is_substituted() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(POWER, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "quest\\xf5es" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(POWER, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: standard output: No space left on device\n"


class _Dropping:
    """Its end is interrupted, where Python drops what is raised."""

    def __del__(self) -> None:
        raise KeyboardInterrupt


def test_interrupt_that_python_drops_in_a_finalizer_is_heeded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_: object) -> int:
        _Dropping()
        time.sleep(60.0)  # until the signal comes
        return 0

    monkeypatch.setattr(power, "run", work)
    assert main(["power", "--effect", "2", "--discordant", "0.1"]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was kept; the same command starts anew\n"
