"""paretune dial: an adapter at several scales and checkpoints, on questions that are not the test's."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from paretune.cli.cells import add_experiment
from paretune.cli.run import keep_memory_on_cpu, open_session
from paretune.errors import ConfigError
from paretune.text import Voice

if TYPE_CHECKING:
    from paretune.analysis.dial import DialPoint
    from paretune.config import VariantConfig

MOST = 4.0  # of a scale, as in a [[variant]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune dial`."""
    parser.description = (
        "Measure both axes of one adapter at several scales, and at its checkpoints, on the validation questions of "
        "the experiment. Nothing is trained, and the base model is loaded once. The pick follows the rules of the "
        "verdict; what to run for its test figures is printed."
    )
    add_experiment(parser)
    parser.add_argument("--variant", required=True, metavar="NAME", help="whose adapter, for example run-1")
    parser.add_argument(
        "--scales", default="0,0.25,0.5,0.75,1", metavar="LIST", help="factors on its update (default %(default)s)"
    )
    parser.add_argument("--checkpoints", action="store_true", help="at each of its checkpoints, too")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write tables/dial.csv; raises ParetuneError for what the user can mend."""
    scales = _scales(arguments.scales)
    session = open_session(arguments)
    variant = session.config.variant(arguments.variant)
    session.folder.refuse_other_things()
    from paretune.pipeline.dial import turn_dial
    from paretune.report.dial import dial_table, write_dial
    from paretune.report.screen import Screen
    from paretune.report.text_table import as_text

    keep_memory_on_cpu()
    with session.folder.locked():
        dial = turn_dial(session, variant, scales, checkpoints=arguments.checkpoints)
        path = session.folder.tables / "dial.csv"
        write_dial(dial, path)
    print(as_text(dial_table(dial, session.task.facets, session.voice), Screen.of(sys.stdout)))
    if dial.pick is not None:
        print(f"\n{_what_to_run(dial.pick, variant, session.config.variants, arguments.experiment, session.voice)}")
    print(path)
    print(session.voice.say("dial.page", command=f"paretune report {session.folder.path}"))
    return 0


def _scales(text: str) -> list[float]:
    try:
        scales = [float(part) for part in text.split(",")]
    except ValueError:
        scales = []
    if not scales or not all(0 <= scale <= MOST for scale in scales):
        raise ConfigError(f"--scales {text}: expected numbers from 0 to {MOST:g} between commas, such as 0,0.5,1")
    return scales


def _what_to_run(
    pick: DialPoint, variant: VariantConfig, variants: tuple[VariantConfig, ...], experiment: Path, voice: Voice
) -> str:
    """How to get the test figures of the pick: it is a variant, or becomes one by lines to add."""
    there = [
        item.name
        for item in variants
        if (item.name == variant.name and pick.name == variant.name)
        or (item.source, item.adapter_scale, item.checkpoint) == (variant.name, pick.scale, pick.checkpoint)
    ]
    command = f"paretune run {experiment} --variant {there[0] if there else pick.name}"
    if there:
        return voice.say("dial.run", command=command)
    from paretune.experiment_text import toml_tables

    item: dict[str, str | int | float] = {"from": variant.name}
    item |= {"checkpoint": pick.checkpoint} if pick.checkpoint is not None else {}
    item |= {"adapter_scale": pick.scale} if pick.scale != 1.0 else {}
    return voice.say("dial.add", command=command) + "\n" + indent(toml_tables({"variant": [item]}), "    ")
