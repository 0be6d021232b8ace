"""paretune card: a model card for the Hub, to be README.md beside the adapter."""

from __future__ import annotations

import argparse
from pathlib import Path

from paretune.text import LANGUAGES, voice_named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune card`."""
    parser.description = (
        "Print a model card for the Hub: Markdown with model-index metadata, gain and loss with their intervals, how "
        "they were measured, and how to use the adapter."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a run folder")
    parser.add_argument("--variant", metavar="NAME", help="whose card (default: the pick)")
    parser.add_argument("--lang", default="en", help=f"language of the card: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Print the card; raises ParetuneError for what the user can mend."""
    from paretune.analysis.comparison import compare_run
    from paretune.report.card import card_text
    from paretune.run.load import load_run, seed_of

    voice = voice_named(arguments.lang)
    records = load_run(arguments.folder)
    comparison = compare_run(records, seed=seed_of(records.manifest))
    print(card_text(records, comparison, arguments.variant, voice), end="")
    return 0
