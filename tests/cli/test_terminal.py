"""What commands show on a real terminal: within its width, in colour only where there is one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pseudo_terminal import COLOUR, ROOT, on_a_terminal
from tests.simulated_run import SimulatedVariant, variants, write_run

PAGE = re.compile(r"page: |Audit: ")  # lines that may be longer: a path is not broken
LONG = ("qwen2.5-7b-lora-r64-lr2e-4-ep3@step-200", "qwen2.5-7b-lora-r16-lr2e-4-ep3@step-400")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "simulated", variants(3))


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    planted = [SimulatedVariant(name, gain, 2.0) for name, gain in zip(LONG, (25.0, 12.0), strict=True)]
    return write_run(tmp_path_factory.mktemp("runs") / "long", planted)


def paretune(*words: str, columns: int, **environment: str) -> list[str]:
    shown = on_a_terminal(["-m", "paretune", *words], columns, **environment)
    assert shown.status == 0, shown.raw
    return shown.lines


def longest(lines: list[str]) -> int:
    return max(len(line) for line in lines if not PAGE.match(line))


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("command", ["compare", "audit", "list"])
@pytest.mark.parametrize("folder", ["run", "long_names"])
def test_command_fits_the_terminal(command: str, columns: int, folder: str, request: pytest.FixtureRequest) -> None:
    lines = paretune(command, str(request.getfixturevalue(folder)), columns=columns)
    assert longest(lines) <= columns


def test_wide_terminal_has_fewer_blocks_of_columns(run: Path) -> None:
    narrow, wide = (paretune("compare", str(run), columns=columns) for columns in (80, 140))
    assert sum(line.startswith("variant ") for line in wide) < sum(line.startswith("variant ") for line in narrow)


def test_long_names_leave_out_what_they_share_and_say_so(long_names: Path) -> None:
    lines = paretune("compare", str(long_names), columns=80)
    assert any(line.startswith("…r64-lr2e-4-ep3@step-200 ") for line in lines)
    assert "…: qwen2.5-7b-lora-" in lines


def test_file_is_100_columns_wide_whatever_the_terminal(run: Path, tmp_path: Path) -> None:
    words = ["-m", "paretune", "compare", str(run)]
    out = str(tmp_path / "out")
    code = f"import subprocess, sys; subprocess.run([sys.executable, *{words!r}], stdout=open({out!r}, 'w'))"
    on_a_terminal(["-c", code], 60)
    lines = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    assert 90 < longest(lines) <= 100


def test_columns_variable_decides_in_a_file(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "paretune", "audit", str(run)], cwd=ROOT, check=True, capture_output=True, text=True,
        env={"PATH": "", "COLUMNS": "60", "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert longest(done.stdout.splitlines()) <= 60


@pytest.mark.parametrize("command", ["compare", "audit"])
def test_colours_only_on_a_terminal_and_never_with_no_color(command: str, run: Path) -> None:
    words = ["-m", "paretune", command, str(run)]
    assert COLOUR.search(on_a_terminal(words, 80).raw)
    assert not COLOUR.search(on_a_terminal(words, 80, NO_COLOR="1").raw)
    assert not COLOUR.search(on_a_terminal(words, 80, TERM="dumb").raw)
    piped = subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not COLOUR.search(piped.stdout)


def test_compare_ends_with_the_verdict_and_the_absolute_page(run: Path) -> None:
    (run / "report").mkdir(exist_ok=True)
    (run / "report" / "index.html").touch()
    lines = paretune("compare", str(run), columns=80)
    assert lines[-1] == f"page: {(run / 'report' / 'index.html').resolve()}"
    assert Path(lines[-1].removeprefix("page: ")).is_absolute()
    verdict = lines.index("VERDICT")
    assert lines[verdict + 1].startswith(("Keep the base model:", "Use run-"))


def test_audit_counts_its_levels_first_and_hangs_its_lines(run: Path) -> None:
    lines = paretune("audit", str(run), columns=60)
    assert re.fullmatch(r"\d+ invalid · \d+ warnings? · \d+ notes?", lines[0])
    said = [line for line in lines if line.startswith(("INVALID", "WARNING", "NOTE"))]
    assert len(said) == sum(map(int, re.findall(r"\d+", lines[0])))
    assert all(line.startswith(("INVALID", "WARNING", "NOTE", "  ")) for line in lines[1:] if line)
    advice = [line for line in lines if line.startswith("    what to do")]
    assert len(advice) < len(said)  # findings that are alike are told once what to do


def test_list_has_one_row_per_variant_of_a_run_folder(run: Path) -> None:
    lines = paretune("list", str(run), columns=80)
    rows = {line.split()[0]: line for line in lines if line.startswith(("baseline", "run-"))}
    assert list(rows) == ["baseline", "run-1", "run-2"]
    assert all(row.count("155/155") == 1 for row in rows.values())
    assert "3 of 3 variants complete" in lines


BAR = """
import sys, time
from paretune.progress import progress_bar
with progress_bar(sys.argv[1], 14042, whole=lambda left: None if left is None else left + 840) as advance:
    for _ in range(12):
        advance(600)
        time.sleep(0.05)
"""


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_progress_never_loses_the_time_left_to_a_long_name(columns: int) -> None:
    shown = on_a_terminal(["-c", BAR, f"3/12 {LONG[0]} answer questions"], columns)
    bars = [line for line in shown.lines if "%" in line]
    assert longest(bars) <= columns
    assert re.search(r"/14042 left 00:\d\d, run 14 min$", bars[-1].rstrip())
    assert bars[-1].startswith("3/12 ")
    assert "stions  " in bars[-1].partition("%")[0]


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("words", [[], ["--help"], ["run", "--help"], ["report", "--help"]], ids=" ".join)
def test_help_fits_the_terminal(words: list[str], columns: int) -> None:
    lines = on_a_terminal(["-m", "paretune", *words], columns).lines
    assert max(len(line) for line in lines) <= max(columns, 86)  # examples are lines to be copied whole
    assert any(line.startswith(("  paretune ", "    paretune ")) for line in lines)
