"""The wheel, as a stranger gets it: built, installed into a new environment, and run from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.tiny_models import save_tiny_model

ROOT = Path(__file__).resolve().parents[1]


def run(*words: str | Path, folder: Path) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, words)], cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel in it. The tests' own environment lends what paretune depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what belongs to the package is not known")
    for name in run("git", "ls-files", "-z", folder=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source, folder=folder)
    (wheel,) = folder.glob("paretune-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "new", folder=folder)
    python = folder / "new" / "bin" / "python"
    run(*pip, "--python", python, "install", "--no-deps", wheel, folder=folder)
    (packages,) = (folder / "new" / "lib").glob("python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "new" / "bin"


def test_installed_wheel_is_the_code_that_runs(environment: Path, tmp_path: Path) -> None:
    place = run(environment / "python", "-c", "import paretune; print(paretune.__file__)", folder=tmp_path)
    assert place.startswith(str(environment.parent))


def test_installed_wheel_answers_help(environment: Path, tmp_path: Path) -> None:
    assert "usage: paretune" in run(environment / "paretune", "--help", folder=tmp_path)


def test_installed_wheel_prepares_the_demo(environment: Path, tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "model")
    run(
        environment / "paretune", "prepare", ROOT / "experiments" / "demo.toml", "--out", tmp_path / "run",
        "--set", f"model.path={model}", folder=tmp_path,
    )  # fmt: skip
    assert len((tmp_path / "run" / "prepared" / "sql.jsonl").read_text(encoding="utf-8").splitlines()) > 80
