"""Experiment files on the embedded benchmark with a tiny model that lies beside them, and their runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretune.cli import main


def tiny_experiment(name: str, target: str, training: str, *, kind: str = "demo") -> str:
    """The text of a file. target, training: further lines of these sections; other sections may follow the latter."""
    return f"""
name = "{name}"
[model]
path = "model"
[target]
kind = "{kind}"
{target.strip()}
[general]
kind = "demo"
few_shot = 0
questions_per_subject = 2
method = "cloze"
[training]
{training.lstrip()}"""


def run_stages(file: Path, folder: Path, *stages: str) -> None:
    """Do these stages of an experiment, with a cache beside its file."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PARETUNE_CACHE", str(file.parent / "cache"))
        for stage in stages:
            assert main([stage, str(file), "--out", str(folder)]) == 0
