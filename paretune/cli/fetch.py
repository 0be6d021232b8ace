"""paretune fetch: a benchmark by its name, into the store."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def add_store(parser: argparse.ArgumentParser) -> None:
    """`--store`, for every command that reads or fills the store."""
    parser.add_argument(
        "--store", type=Path, metavar="DIR", help="the store of data, models and runs (default: $PARETUNE_HOME)"
    )


def choose_store(arguments: argparse.Namespace) -> None:
    """Let what `--store` names be the store of this process and of those it starts."""
    if getattr(arguments, "store", None) is not None:
        os.environ["PARETUNE_HOME"] = str(arguments.store.resolve())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune fetch`."""
    parser.description = "Fetch a benchmark, check it and lay it out; without a name, say what is known and there."
    parser.add_argument("name", nargs="?", help="spider, mmlu, arc, hellaswag, bird-mini-dev, ...")
    parser.add_argument(
        "--from", dest="origin", metavar="ORIGIN", help="hub, kaggle, an address, or a local .zip, .tar.gz or folder"
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="a folder in place of the store's")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fetch and print the folder; raises ParetuneError for what the user can mend."""
    from paretune.errors import ConfigError
    from paretune.sources.fetch import fetch

    if arguments.name is None:
        if arguments.origin is not None or arguments.to is not None:
            raise ConfigError("--from and --to need the name of a benchmark; paretune fetch lists the names")
        _print_known()
        return 0
    done = fetch(arguments.name, arguments.origin, to=arguments.to, say=_say)
    _say(f"{done.marker.name}: {len(done.marker.files)} files from {done.marker.origin}" if done.fresh
         else f"{done.marker.name}: there already, from {done.marker.origin}")  # fmt: skip
    for note in done.marker.notes:
        _say(f"  {note}")
    print(done.folder)
    return 0


def _print_known() -> None:
    from paretune.sources.known import KNOWN
    from paretune.sources.store import data_folder, read_marker

    for data in KNOWN.values():
        there = read_marker(data.name, data_folder(data.name)) is not None
        origins = ", ".join(data.origins) or "FILE"
        print(f"{data.name:<18} {'there' if there else '-':<6} {origins:<18} {data.page}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
