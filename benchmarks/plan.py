"""What a plan says before a run beside what the run then takes: one JSON line per stage, then the peak of memory.

    python -m benchmarks.plan EXPERIMENT --out FOLDER [--set KEY=VALUE ...] [--card CARD]

The run folder must be new; a run folder beside it with the same model, task and machine makes the plan a measured one.
With --card the plan is the card's, and the run is on this machine: for the card that this machine has.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from paretune.cli import main as paretune
from paretune.config.read import load_experiment
from paretune.pipeline.plan import card_named, plan_experiment
from paretune.pipeline.session import Session
from paretune.run.folder import RunFolder
from paretune.text import Voice


def main(words: Sequence[str] | None = None) -> int:
    """Plan, run, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--card")
    arguments = parser.parse_args(words)
    config = load_experiment(arguments.experiment, arguments.settings)
    session = Session(config, RunFolder(arguments.out), Voice("en"), print)
    plan = plan_experiment(session, card_named(arguments.card) if arguments.card else None)
    settings = [word for setting in arguments.settings for word in ("--set", setting)]
    if status := paretune(["run", str(arguments.experiment), "--out", str(arguments.out), *settings]):
        return status
    work = json.loads((arguments.out / "manifest.json").read_text(encoding="utf-8"))["work"]
    for item in plan.estimates:
        took = sum(entry["seconds"] for entry in work
                   if (entry["stage"], entry["variant"] or "") == (item.stage, item.variant))  # fmt: skip
        planned = None if item.seconds is None else round(item.seconds, 2)
        print(json.dumps({"stage": item.stage, "variant": item.variant, "basis": item.basis, "planned": planned,
                          "measured": round(took, 2) or None}))  # fmt: skip
    print(json.dumps({"planned_peak_gib": round(plan.peak_bytes / 2**30, 2), "measured_peak_gib": _peak()}))
    return 0


def _peak() -> float | None:
    """Of the GPU, in this process."""
    import torch

    return round(torch.cuda.max_memory_allocated() / 2**30, 2) if torch.cuda.is_available() else None


if __name__ == "__main__":
    raise SystemExit(main())
