"""paretune search: the best recipe within a loss budget, judged on questions that the search never saw."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.cli.cells import add_experiment
from paretune.cli.run import add_cluster, keep_memory_on_cpu, open_session
from paretune.errors import ConfigError

if TYPE_CHECKING:
    from paretune.pipeline.search import Limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune search`."""
    parser.description = (
        "Look at recipes of [search.space] on the questions of [validation], and propose the next by what the others "
        "gained and lost; then train the best anew with several seeds and judge them on the test. After a kill the "
        "same command goes on. docs/search.md says how it decides."
    )
    add_experiment(parser)
    parser.add_argument("--trials", type=int, metavar="N", help="trainings of the search, at most")
    parser.add_argument("--minutes", type=float, metavar="M", help="for all of it, the judgement on the test included")
    parser.add_argument(
        "--from", type=Path, action="append", default=[], metavar="RUN", dest="runs",
        help="a run folder whose recipes are looked at first; adapters that it trained on the same rows, with the same "
        "settings and seed, are taken; may be repeated",
    )  # fmt: skip
    add_cluster(parser)


def run(arguments: argparse.Namespace) -> int:
    """Search, judge and print; raises ParetuneError for what the user can mend."""
    from paretune.config.read import read_table
    from paretune.pipeline.looked import FINAL, FOLDER, read_search
    from paretune.pipeline.report import Claims, printed
    from paretune.pipeline.search import Limits, Search
    from paretune.pipeline.tracking import tracking
    from paretune.report.screen import Screen
    from paretune.report.search import search_table
    from paretune.report.text_table import as_text

    limits = Limits(arguments.trials, arguments.minutes)
    _check(limits)
    session = open_session(arguments)
    search = Search(session, read_table(arguments.experiment, arguments.settings), str(arguments.experiment),
                    arguments.runs)  # fmt: skip
    session.folder.refuse_other_things()
    keep_memory_on_cpu()
    screen, say = Screen.of(sys.stdout), session.voice.say
    with session.folder.locked(), tracking(session):
        found = search.run(limits)
        run, comparison = search.judge(found, Claims(), arguments.cluster_address)
        pick = search.write_pick(comparison)
    report = read_search(session.folder, comparison)
    assert report is not None  # just made
    table = search_table(report, session.voice)
    print(f"{printed(run, comparison, session.voice, screen, session.folder)}\n{as_text(table, screen)}\n")
    final = session.folder.path / FOLDER / FINAL
    print(say("search.pick", path=str(pick)) if pick is not None else say("search.no-pick", path=str(final)))
    return 0


def _check(limits: Limits) -> None:
    if limits.trials is None and limits.minutes is None:
        raise ConfigError("search: give --trials N, --minutes M or both; without a limit it would not end")
    for name, value in (("trials", limits.trials), ("minutes", limits.minutes)):
        if value is not None and value <= 0:
            raise ConfigError(f"--{name} {value}: expected more than 0")
