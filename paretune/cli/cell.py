"""paretune cell: some cells of an experiment, done by this process beside others."""

from __future__ import annotations

import argparse

from paretune.cli.cells import add_experiment
from paretune.cli.run import keep_memory_on_cpu, open_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune cell`."""
    parser.description = (
        "Do some cells of an experiment, in the order of a plain run and with one loaded model. A cell that is done is "
        "left as it is; one that was interrupted goes on. Other processes may do other cells at the same time."
    )
    add_experiment(parser)
    parser.add_argument(
        "cell",
        nargs="+",
        metavar="ID",
        help="as `paretune cells` prints them, such as train:run-1; or a variant's name: all of its cells",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do the cells; raises ParetuneError for what the user can mend."""
    from contextlib import nullcontext

    from paretune.pipeline.cells import cells_of, find_cells, work_alone
    from paretune.pipeline.tracking import tracking

    session = open_session(arguments)
    cells = find_cells(cells_of(session.config, session.task.facets.lines), arguments.cell)
    session.folder.refuse_other_things()
    keep_memory_on_cpu()
    reports = any(cell.kind == "report" for cell in cells)  # one process sends for all
    with session.folder.shared(), tracking(session) if reports else nullcontext():
        for cell in cells:
            work_alone(session, cell)
    return 0
