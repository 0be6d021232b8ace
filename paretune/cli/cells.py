"""paretune cells: the pieces of work of an experiment, what each needs, and how far it is."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.cli.fetch import add_store
from paretune.cli.run import add_settings, open_session
from paretune.text import LANGUAGES

if TYPE_CHECKING:
    from paretune.pipeline.cells import CellState
    from paretune.pipeline.session import Session

_KINDS = ("prepare", "train", "repair", "answer", "choice", "judge", "report")
_COLUMNS = (36, 10, 10, 10)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune cells`."""
    parser.description = (
        "List the cells of an experiment: pieces of work that any process may do once what they need is done. "
        "docs/cluster.md has recipes for Slurm, SkyPilot and HF Jobs."
    )
    add_experiment(parser)
    parser.add_argument("--kind", choices=_KINDS, action="append", default=[], help="only these; several one by one")
    parser.add_argument("--todo", action="store_true", help="print the ids of those that are not done, alone")
    parser.add_argument("--json", action="store_true", help="one JSON object per cell, with all that is known of it")


def add_experiment(parser: argparse.ArgumentParser) -> None:
    """What names an experiment and its folder."""
    parser.add_argument("experiment", type=Path, help="experiment file, for example experiments/demo.toml")
    add_settings(parser, "model.path=FILE.gguf")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: as of paretune run)")
    add_store(parser)
    parser.add_argument("--lang", default="en", help=f"language of messages and page: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Print the cells in the order of a plain run; reads data and fingerprints, no weights."""
    from paretune.pipeline.cells import list_cells

    session = open_session(arguments)
    states, reason = list_cells(session)
    states = [item for item in states if not arguments.kind or item.cell.kind in arguments.kind]
    if arguments.todo:
        for item in states:
            if item.state != "done":
                print(item.cell.id)
        return 0
    if not arguments.json:
        print(_line("cell", "state", "memory", "GPU", "needs"))
    for item in states:
        print(json.dumps(_facts(session, item)) if arguments.json else _row(session, item))
    if reason and not arguments.json:
        print(session.voice.say("list.unchecked", reason=reason))
    return 0


def _row(session: Session, item: CellState) -> str:
    from paretune.pipeline.resources import resources_of

    needed = resources_of(session, item.cell)
    gpu = "all" if needed.gpu_bytes is None else "-" if not needed.gpu_bytes else _gib(needed.gpu_bytes)
    state = session.voice.say(item.state)
    return _line(item.cell.id, state, _gib(needed.memory_bytes), gpu, " ".join(item.cell.needs) or "-")


def _facts(session: Session, item: CellState) -> dict[str, Any]:
    from paretune.pipeline.resources import resources_of

    return {
        "id": item.cell.id,
        **asdict(item.cell),
        "state": item.state,
        "fingerprint": item.fingerprint,
        **asdict(resources_of(session, item.cell)),
    }


def _line(*texts: str) -> str:
    padded = [f"{text:<{width}}" for text, width in zip(texts, _COLUMNS, strict=False)]
    return " ".join([*padded, *texts[len(_COLUMNS) :]])


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
