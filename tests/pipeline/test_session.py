from __future__ import annotations

import subprocess
from pathlib import Path

from paretune.pipeline.session import _git_commit


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_git_commit_is_that_of_the_checkout_which_holds_the_program(tmp_path: Path) -> None:
    program = tmp_path / "venv" / "session.py"
    program.parent.mkdir()
    program.write_text("", encoding="utf-8")
    assert _git_commit(program) is None
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "mine")
    assert _git_commit(program) is None  # installed inside somebody's repository
    git(tmp_path, "add", "venv/session.py")
    git(tmp_path, "commit", "--quiet", "-m", "it")
    commit = _git_commit(program)
    assert commit is not None
    assert len(commit) == 12
