"""paretune plan: minutes, memory and disk of an experiment, before it starts."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from paretune.cli.cells import add_experiment
from paretune.cli.run import open_session

if TYPE_CHECKING:
    from paretune.pipeline.plan import ExperimentPlan
    from paretune.report.text_table import Table

_WORDS = {"train": "training", "generate": "answers", "choice": "multiple choice", "score": "judging",
          "report": "tables and page", "prepare": "prepare", "replay": "replay answers", "monitor": "monitor",
          "look": "looks of the search"}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune plan`."""
    parser.description = (
        "Minutes, memory and disk of what is still to do, on this machine (by its earlier runs, else by a probe of "
        "some seconds) or on a named card (by its stated figures). docs/training.md says what each figure rests on."
    )
    add_experiment(parser)
    parser.add_argument("--card", metavar="CARD", help='t4, l4, a100, h100, h200, or "GB,TFLOPS[,GB/s]"')
    parser.add_argument(
        "--trials", type=int, metavar="N", help="count `paretune search EXPERIMENT --trials N` and its judgement, too"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    from paretune.config.read import read_table
    from paretune.pipeline.plan import card_named, plan_experiment
    from paretune.pipeline.plan_search import plan_search
    from paretune.report.screen import Screen
    from paretune.report.text_table import as_text

    card = None if arguments.card is None else card_named(arguments.card)
    session, search = open_session(arguments), None
    if arguments.trials is not None:
        table = read_table(arguments.experiment, arguments.settings)
        search = plan_search(session.config, table, str(arguments.experiment), arguments.trials)
    plan = plan_experiment(session, card, search)
    if arguments.json:
        totals = {"seconds": plan.seconds, "peak_bytes": plan.peak_bytes, "disk_bytes": plan.disk_bytes}
        print(json.dumps({**asdict(plan), **totals}))
    else:
        print(as_text(as_table(plan), Screen.of(sys.stdout)))
    return 0


def as_table(plan: ExperimentPlan) -> Table:
    """The plan as a table with its advice and notes."""
    from paretune.report.text_table import Table

    header = ("stage", "variant", "minutes", "GiB", "disk, MB", "basis")
    rows: list[tuple[str, ...]] = [
        (_WORDS[item.stage], item.variant, _minutes(item.seconds), _gib(item.memory_bytes), _mb(item.disk_bytes),
         item.basis)
        for item in plan.estimates
    ]  # fmt: skip
    rows.append(("in all", "", _minutes(plan.seconds), _gib(plan.peak_bytes or None), _mb(plan.disk_bytes), ""))
    notes = (*(f"advice: {text}" for text in plan.advice), *(f"note: {text}" for text in plan.notes))
    return Table(f"on {plan.where}, {plan.memory_bytes / 2**30:.1f} GiB of memory", header, tuple(rows), notes)


def _minutes(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds / 60:.1f}"


def _gib(size: int | None) -> str:
    return "" if size is None else f"{size / 2**30:.1f}"


def _mb(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f}"
