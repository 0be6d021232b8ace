"""paretune init: an experiment file to start from, every key explained."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from paretune.errors import ConfigError

_HEADING = """An experiment for paretune. A line such as #seed = 42 shows a key's default; remove the # to change it.
Every key: docs/experiment.md. To check it: paretune run {file} --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune init`."""
    parser.description = "Write an experiment file in which every key is explained, with two variants to start from."
    parser.add_argument("file", nargs="?", type=Path, default=Path("experiment.toml"), help="default: experiment.toml")
    parser.add_argument("--page", action="store_true", help="print docs/experiment.md instead")


def run(arguments: argparse.Namespace) -> int:
    """Write the file; raises ConfigError where one is there already."""
    from paretune.disk import write_bytes
    from paretune.experiment_text import experiment_file, experiment_page

    if arguments.page:
        print(experiment_page(), end="")
        return 0
    file: Path = arguments.file
    if file.exists():
        raise ConfigError(f"{file}: there already; name another file")
    chosen: dict[str, dict[str, Any]] = {
        "model": {"path": "HuggingFaceTB/SmolLM2-135M-Instruct"},
        "target": {"kind": "demo", "questions": 84, "train_rows": 120, "max_new_tokens": 64},
        "prompt": {"schema": "compact"},
        "general": {"kind": "demo", "few_shot": 0, "method": "cloze"},
        "training": {"peak_learning_rate": 2e-3, "batch_size": 4, "max_tokens": 512, "checkpoint_steps": 10},
        "variant": {"name": "run-1"},
    }
    write_bytes(file, experiment_file(_HEADING.format(file=file.name), file.stem, chosen).encode())
    print(file)
    return 0
