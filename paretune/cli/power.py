"""paretune power: how many questions a difference needs, and what that costs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from paretune.errors import ConfigError, RunFolderError
from paretune.text import voice_named

ANSWERING = {"target": "generate", "general": "choice"}  # the stage that answers an axis


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--effect", type=float, required=True, metavar="POINTS", help="difference to be shown")
    parser.add_argument(
        "--discordant", type=float, required=True, metavar="SHARE", help="share of questions answered differently, 0.1"
    )
    parser.add_argument("--power", type=float, default=0.8, help="probability of showing it (default 0.8)")
    parser.add_argument("--confidence", type=float, default=0.95, help="level of the interval (default 0.95)")
    parser.add_argument("--questions", type=int, help="questions at hand: print what they can show as well")
    parser.add_argument("--clusters", type=int, metavar="N", help="databases or subjects the questions come from")
    parser.add_argument(
        "--intraclass", type=float, metavar="R", help="correlation of differences within a cluster, such as 0.02"
    )
    cost = parser.add_mutually_exclusive_group()
    cost.add_argument("--seconds-per-question", type=float, metavar="S", help="to print the minutes it costs")
    cost.add_argument("--run", type=Path, metavar="FOLDER", help="a run folder whose own speeds give the minutes")
    parser.add_argument("--variants", type=int, default=2, help="variants that answer the questions (default 2)")
    parser.add_argument("--lang", default="en", help="en or pt-BR")


def run(arguments: argparse.Namespace) -> int:
    """Print the questions needed, what the questions at hand can show, and the minutes."""
    from paretune.stats.power import Clustering, minimum_detectable_effect, minutes_needed, questions_needed

    voice = voice_named(arguments.lang)
    if (arguments.clusters is None) != (arguments.intraclass is None):
        raise ConfigError("--clusters and --intraclass belong together: give both or neither")
    if arguments.variants < 1:
        raise ConfigError(f"--variants {arguments.variants}: expected at least 1")
    speeds = _speeds(arguments)
    clustering = Clustering(arguments.clusters, arguments.intraclass) if arguments.clusters is not None else None
    shared: dict[str, Any] = {
        "power": arguments.power,
        "confidence": arguments.confidence,
        "clustering": clustering,
    }
    if arguments.questions is not None:
        detectable = minimum_detectable_effect(arguments.questions, arguments.discordant, **shared)
        print(voice.say("power.detectable", questions=arguments.questions, points=detectable))
    needed = questions_needed(arguments.effect, arguments.discordant, **shared)
    print(voice.say("power.needed", points=arguments.effect, power=arguments.power, questions=needed))
    for axis, seconds in speeds.items():
        minutes = minutes_needed(needed, seconds, arguments.variants)
        print(
            voice.say(
                "power.minutes",
                variants=arguments.variants,
                seconds=seconds,
                axis=voice.say(axis),
                minutes=minutes,
            )
        )
    return 0


def _speeds(arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds a question for each axis that a speed is known of."""
    if arguments.seconds_per_question is not None:
        return {"as given": arguments.seconds_per_question}
    if arguments.run is None:
        return {}
    return speeds_of(arguments.run)


def speeds_of(folder: Path) -> dict[str, float]:
    """Seconds a question that a run spent on each axis: "target" and "general", where it has got so far.

    Its manifest's seconds for generating or choosing over the lines of the same variants. Raises RunFolderError where
    nothing was answered yet.
    """
    from paretune.run.folder import work_seconds
    from paretune.run.load import load_run

    records = load_run(folder)
    speeds: dict[str, float] = {}
    for axis, stage in ANSWERING.items():
        seconds = lines = 0.0
        for variant in records.all_variants:
            answered = len(variant.sql if axis == "target" else variant.choice)
            spent = work_seconds(records.manifest, variant.name, variant.headers).get(stage, 0.0)
            if answered and spent:
                seconds, lines = seconds + spent, lines + answered
        if lines:
            speeds[axis] = seconds / lines
    if not speeds:
        raise RunFolderError(f"{folder}: no variant has answered questions there; run `paretune evaluate` first")
    return speeds
