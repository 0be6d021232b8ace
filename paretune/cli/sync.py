"""paretune sync: finished parts of a store or of runs to another place, such as Google Drive."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune sync`."""
    parser.description = (
        "Copy what is finished from SOURCE to TARGET. It can be stopped at any moment; called again, it goes on."
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a store, a folder of runs, or one run folder")
    parser.add_argument("target", type=Path, metavar="TARGET", help="a folder, made where it is absent")


def run(arguments: argparse.Namespace) -> int:
    """Copy and print the counts; raises ParetuneError for what the user can mend."""
    from paretune.sources.sync import Synced, sync

    counts: Counter[str] = Counter()

    def note(synced: Synced) -> None:
        counts[synced.outcome] += 1
        if synced.outcome == "unfinished":
            print(f"{synced.path}: not finished, left out", file=sys.stderr)
        elif synced.outcome == "ahead":
            print(f"{synced.path}: the target has more or newer; left as it is", file=sys.stderr)

    sync(arguments.source, arguments.target, note)
    print(f"{counts['copied']} files copied, {counts['there']} there already, {counts['ahead']} newer in "
          f"{arguments.target}, {counts['unfinished']} not finished")  # fmt: skip
    return 0
