"""What the command line says of itself: its commands in groups, examples, and how to start."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping, Sequence

DESCRIPTION = "What a fine-tuned language model gains, what it forgets, and where to stop."
START = """\
paretune: what a fine-tuned language model gains, what it forgets, and where to
stop. Three ways to start:

  The demo, without a GPU (a small model, its own questions; some minutes):
    paretune init                 # writes experiment.toml, every key explained
    paretune run experiment.toml  # tables, plots and one HTML page

  Google Colab, with a T4 GPU:
    open notebooks/paretune_colab.ipynb of the repository

  Your own database, and a spreadsheet of questions with their queries:
    paretune init-task shop --database shop.sqlite --pairs questions.csv
    paretune run shop/experiment.toml --dry-run
    paretune run shop/experiment.toml

paretune --help lists every command; paretune doctor says what this machine
can run.
"""
_EXPERIMENT = "experiments/demo.toml"
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "": (
        "paretune run experiment.toml --dry-run",
        "paretune run experiment.toml",
        "paretune report runs/demo --lang pt-BR",
    ),
    "run": (
        f"paretune run {_EXPERIMENT} --dry-run",
        f"paretune run {_EXPERIMENT}",
        f"paretune run {_EXPERIMENT} --set model.path=FILE.gguf --out runs/other-model",
    ),
    "prepare": (f"paretune prepare {_EXPERIMENT}",),
    "train": (f"paretune train {_EXPERIMENT} --variant run-1",),
    "evaluate": (f"paretune evaluate {_EXPERIMENT} --variant baseline",),
    "search": (
        "paretune search experiments/search-demo.toml --trials 8",
        "paretune search experiment.toml --minutes 120 --from runs/earlier",
    ),
    "cells": (f"paretune cells {_EXPERIMENT}", f"paretune cells {_EXPERIMENT} --todo --kind train"),
    "cell": (f"paretune cell {_EXPERIMENT} prepare", f"paretune cell {_EXPERIMENT} train:run-1 answer:run-1"),
    "list": (f"paretune list {_EXPERIMENT}", "paretune list runs/demo"),
    "compare": (
        "paretune compare runs/demo",
        "paretune compare runs/demo --margin 2 --every-pair",
        "paretune compare results/base results/tuned --html page.html",
    ),
    "report": (
        "paretune report runs/demo --lang pt-BR --out elsewhere",
        "paretune report runs/demo --watch",
        "paretune report runs",
    ),
    "init": ("paretune init", "paretune init mine.toml"),
    "init-task": ("paretune init-task shop --database shop.sqlite --pairs questions.csv",),
    "fetch": ("paretune fetch", "paretune fetch spider"),
    "score": (
        "paretune score --spider DIR --predictions answers.sql",
        "paretune score --gold gold.csv --databases DIR --predictions answers.csv",
    ),
    "choice": ("paretune choice --model MODEL --suite demo --method cloze --shots 0",
               "paretune choice --model MODEL --adapter DIR --suite mmlu --path DIR --limit 20"),
    "perplexity": ("paretune perplexity --model MODEL --adapter DIR --text FILE",),
    "plan": (f"paretune plan {_EXPERIMENT}", f"paretune plan {_EXPERIMENT} --card t4"),
    "power": (
        "paretune power --effect 2 --discordant 0.1",
        "paretune power --claim non-inferiority --margin 1 --discordant 0.1",
    ),
    "card": ("paretune card runs/demo > README.md", "paretune card runs/demo --variant run-1@0.5 --lang pt-BR"),
    "dial": (
        "paretune dial experiment.toml --variant run-1",
        "paretune dial experiment.toml --variant run-1 --scales 0,0.5,1 --checkpoints --lang pt-BR",
    ),
    "export": (
        "paretune export experiment.toml run-1-half --variant run-1@0.5",
        "paretune export experiment.toml run-1-gguf --variant run-1 --gguf q8_0",
    ),
    "audit": ("paretune audit runs/demo", "paretune audit runs/demo --strict"),
    "sync": ("paretune sync runs /content/drive/MyDrive/paretune/runs",),
    "doctor": ("paretune doctor",),
    "test-suite": ("paretune test-suite --spider DIR --out DIR",),
}  # fmt: skip


class Formatter(argparse.HelpFormatter):
    """Wraps prose, and leaves lines that are indented, such as examples, as they stand."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (
            [line] if line.startswith(" ") else textwrap.wrap(line, width, initial_indent=indent) or [""]
            for line in text.splitlines()
        )
        return "\n".join(part for line in lines for part in line)


def grouped(groups: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """The commands with what they do, under the names of their groups. groups: title -> (command, text)."""
    width = max(len(name) for commands in groups.values() for name, _ in commands)
    sections = []
    for title, commands in groups.items():
        sections.append("\n".join([f"{title}:", *(f"    {name:<{width}}  {text}" for name, text in commands)]))
    return "\n\n".join(sections)


def examples(command: str) -> str:
    """The end of a command's help; "" stands for paretune itself."""
    lines = EXAMPLES.get(command, ())
    return "\n".join(["examples:", *(f"  {line}" for line in lines)]) if lines else ""
