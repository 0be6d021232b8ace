"""paretune compare BASE TUNED [MORE ...]: what several models answered to the same questions, as others logged it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from paretune.errors import ConfigError
from paretune.text import voice_named

DEFAULT_MARGIN = 1.0
_OF_EXPERIMENTS = ("settings", "variant", "dry_run", "export", "budget", "databases")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `compare` takes beside a stage's options."""
    logs = parser.add_argument_group("compare BASE TUNED [MORE ...]: logs, paired by question")
    logs.add_argument(
        "tuned",
        type=Path,
        nargs="*",
        metavar="TUNED",
        help="logs to compare with the first one: a variant of a run folder (RUN/run-1), lm-eval's samples (a file or "
        "their folder), a log of inspect-ai, or CSV or JSONL with id and correct",
    )
    logs.add_argument("--cluster", default="", metavar="FIELD", help="field that names what questions share")
    logs.add_argument("--html", type=Path, metavar="FILE", help="also write the page")


def compare_logs(arguments: argparse.Namespace) -> int:
    """Print the tables and the verdict; with --out write the tables, with --html the page. Raises ParetuneError."""
    for name in _OF_EXPERIMENTS:
        if getattr(arguments, name):
            option = "set" if name == "settings" else name.replace("_", "-")
            raise ConfigError(f"--{option}: only for an experiment or a run folder; logs are compared as they are")
    if arguments.html is not None and arguments.html.suffix != ".html":
        raise ConfigError(f"--html {arguments.html}: expected the name of a file that ends in .html")
    margin = DEFAULT_MARGIN if arguments.margin is None else arguments.margin
    if not 0 < margin < 100:
        raise ConfigError(f"--margin {margin:g}: expected points above 0 and below 100")
    from paretune.analysis.audit import audit_run
    from paretune.analysis.comparison import compare_run
    from paretune.logs import read_log
    from paretune.logs.paired import paired_run
    from paretune.report.screen import Screen
    from paretune.report.tables import print_tables, write_tables
    from paretune.report.verdict import closing_text

    voice = voice_named(arguments.lang)
    logs = [read_log(path, arguments.cluster) for path in (arguments.experiment, *arguments.tuned)]
    run = paired_run(logs, margin)
    comparison = compare_run(run, every_pair=arguments.every_pair)
    findings = audit_run(run)
    if arguments.out is not None:
        for file in write_tables(comparison, arguments.out, voice):
            print(f"wrote {file}", file=sys.stderr)
    page = None
    if arguments.html is not None:
        from paretune.report.page import write_page

        page = write_page(run, comparison, findings, arguments.html.parent, voice, name=arguments.html.name)
    screen = Screen.of(sys.stdout)
    print(print_tables(comparison, voice, screen))
    print(closing_text(comparison, findings, None, voice, page, screen), end="")
    return 0
