"""paretune power: how many questions a claim needs, and what that costs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.errors import ConfigError, RunFolderError
from paretune.text import Voice, voice_named

if TYPE_CHECKING:
    from paretune.stats.power import Clustering, Plan

STAGES = {"target": "generate", "general": "choice"}  # that answer
DIFFERENCE, NON_INFERIORITY = "difference", "non-inferiority"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--claim",
        choices=(DIFFERENCE, NON_INFERIORITY),
        default=DIFFERENCE,
        help="what is to be shown: a difference, or that a loss of more than the margin is ruled out",
    )
    parser.add_argument("--effect", type=float, metavar="POINTS", help="difference to be shown")
    parser.add_argument("--margin", type=float, metavar="POINTS", help="with non-inferiority: the loss to be ruled out")
    parser.add_argument(
        "--true-loss", type=float, default=0.0, metavar="POINTS", help="with non-inferiority: what is lost (default 0)"
    )
    parser.add_argument(
        "--discordant", type=float, required=True, metavar="SHARE", help="share of questions answered differently, 0.1"
    )
    parser.add_argument("--power", type=float, default=0.8, help="probability of showing it (default 0.8)")
    parser.add_argument("--confidence", type=float, default=0.95, help="level of the interval (default 0.95)")
    parser.add_argument(
        "--family",
        type=int,
        metavar="N",
        help="recipes compared together, each at its share of the level (default: those that --experiment or --run "
        "plans, else 1)",
    )
    parser.add_argument("--questions", type=int, help="questions at hand: print what they can show as well")
    parser.add_argument(
        "--clusters",
        metavar="N",
        help="databases or subjects: their number, or their sizes separated by commas, such as 120,84,40",
    )
    parser.add_argument(
        "--intraclass", type=float, metavar="R", help="correlation of differences within a cluster, such as 0.02"
    )
    parser.add_argument("--experiment", type=Path, metavar="FILE", help="whose recipes and variants are counted")
    cost = parser.add_mutually_exclusive_group()
    cost.add_argument("--seconds-per-question", type=float, metavar="S", help="to print the minutes it costs")
    cost.add_argument("--run", type=Path, metavar="FOLDER", help="a run folder whose own speeds give the minutes")
    parser.add_argument(
        "--variants", type=int, help="variants that answer the questions (default: the experiment's or run's, else 2)"
    )
    parser.add_argument("--lang", default="en", help="en or pt-BR")


def run(arguments: argparse.Namespace) -> int:
    """Print the questions needed, what the questions at hand can show, and the minutes."""
    from paretune.stats.power import Plan, minutes_needed

    voice = voice_named(arguments.lang)
    _check(arguments)
    speeds = _speeds(arguments)
    clustering = _clustering(arguments)
    family, variants = _planned(arguments)
    plan = Plan(arguments.discordant, arguments.power, arguments.confidence, family, clustering)
    if clustering is None:
        print(voice.say("Questions are taken as independent; --clusters and --intraclass say how far they are not."))
    elif clustering.sizes:
        print(voice.say("power.clusters", clusters=clustering.clusters, effective=clustering.effective))
    if arguments.family is None and family > 1:
        print(voice.say("power.family", recipes=family))
    needed = _claimed(arguments, plan, voice)
    for axis, seconds in speeds.items():
        print(
            voice.say(
                "power.minutes",
                variants=variants,
                seconds=seconds,
                axis=voice.say(axis),
                minutes=minutes_needed(needed, seconds, variants),
            )
        )
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if (arguments.clusters is None) != (arguments.intraclass is None):
        raise ConfigError("--clusters and --intraclass belong together: give both or neither")
    if arguments.variants is not None and arguments.variants < 1:
        raise ConfigError(f"--variants {arguments.variants}: expected at least 1")
    wanted, other = ("effect", "margin") if arguments.claim == DIFFERENCE else ("margin", "effect")
    if getattr(arguments, wanted) is None:
        raise ConfigError(f"--claim {arguments.claim} needs --{wanted} POINTS")
    if getattr(arguments, other) is not None:
        raise ConfigError(f"--{other} does not belong to --claim {arguments.claim}; name --{wanted}")
    if arguments.claim == DIFFERENCE and arguments.true_loss:
        raise ConfigError(f"--true-loss does not belong to --claim {DIFFERENCE}; remove it")


def _planned(arguments: argparse.Namespace) -> tuple[int, int]:
    """Recipes judged together, and variants that answer, the baseline included: as given, else those that are planned
    in the experiment file or the run folder."""
    from paretune.analysis.units import units_of
    from paretune.config.read import load_experiment
    from paretune.run.claims import planned_variants
    from paretune.run.folder import RunFolder

    if arguments.experiment is not None:
        manifest = {"config": load_experiment(arguments.experiment).as_dict()}
    else:
        manifest = RunFolder(arguments.run).read_manifest() if arguments.run is not None else {}
    recipes, variants = units_of(manifest, ())[1], len(planned_variants(manifest)) + 1
    return (
        max(1, recipes) if arguments.family is None else arguments.family,
        max(2, variants) if arguments.variants is None else arguments.variants,
    )


def _clustering(arguments: argparse.Namespace) -> Clustering | None:
    from paretune.stats.power import Clustering

    if arguments.clusters is None:
        return None
    try:
        sizes = [int(part) for part in str(arguments.clusters).split(",")]
    except ValueError:
        raise ConfigError(f"--clusters {arguments.clusters}: expected a number, or sizes such as 120,84,40") from None
    if len(sizes) == 1:
        return Clustering(sizes[0], arguments.intraclass)
    return Clustering.of(sizes, arguments.intraclass)


def _claimed(arguments: argparse.Namespace, plan: Plan, voice: Voice) -> int:
    """The questions needed for the claim; says them, and what those at hand reach."""
    from paretune.stats.power import (
        minimum_detectable_effect,
        power_to_rule_out,
        questions_needed,
        questions_to_rule_out,
    )

    power, questions = arguments.power, arguments.questions
    if arguments.claim == DIFFERENCE:
        needed = questions_needed(arguments.effect, plan)
        if questions is not None:
            points = minimum_detectable_effect(questions, plan)
            print(voice.say("power.detectable", questions=questions, points=points))
        print(voice.say("power.needed", points=arguments.effect, power=power, questions=needed))
        return needed
    margin, loss = arguments.margin, arguments.true_loss
    needed = questions_to_rule_out(margin, plan, true_loss=loss)
    if questions is not None:
        reached = power_to_rule_out(questions, margin, plan, true_loss=loss)
        print(voice.say("power.rules-out", questions=questions, points=margin, loss=loss, reached=reached))
    print(voice.say("power.needed-to-rule-out", points=margin, loss=loss, power=power, questions=needed))
    return needed


def _speeds(arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds per question of each axis: as given, or those of a run, where it has got so far. Raises RunFolderError
    where nothing was answered yet."""
    if arguments.seconds_per_question is not None:
        return {"as given": arguments.seconds_per_question}
    if arguments.run is None:
        return {}
    from paretune.pipeline.pace import speeds_of
    from paretune.run.folder import RunFolder
    from paretune.run.load import load_run

    load_run(arguments.run)  # refuses a damaged folder
    run = speeds_of(RunFolder(arguments.run))
    known = {axis: run.of_one(stage) for axis, stage in STAGES.items()}
    speeds = {axis: seconds for axis, seconds in known.items() if seconds is not None}
    if not speeds:
        raise RunFolderError(f"{arguments.run}: no variant has answered questions there; run `paretune evaluate` first")
    return speeds
