"""paretune audit: what makes the figures of a run, or of published files, untrustworthy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.cli.run import add_settings
from paretune.errors import ConfigError
from paretune.files import runs_directory
from paretune.findings import Level, count_by_level
from paretune.text import LANGUAGES, Voice, voice_named

if TYPE_CHECKING:
    from paretune.course2025.published import CorrectedRow
    from paretune.findings import Finding
    from paretune.report.screen import Ink, Screen

_INKS: Mapping[Level, Ink] = {"invalid": "red", "warning": "yellow", "note": "faint"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune audit`."""
    parser.add_argument(
        "experiment", nargs="?", type=Path, help="a run folder, or an experiment file whose run folder is in runs/"
    )
    add_settings(parser, "name=again")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder of the experiment file, if not in runs/")
    parser.add_argument("--rescore", action="store_true", help="judge every stored answer again (with --data)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the run's data in Spider's layout, to rescore")
    parser.add_argument("--databases", type=Path, metavar="DIR", help="<db_id>/<db_id>.sqlite (default: DATA/database)")
    parser.add_argument("--tp4", type=Path, metavar="DIR", help="published CSV files in the form of the 2025 results")
    parser.add_argument("--spider", type=Path, metavar="DIR", help="data in Spider's layout, to score them again")
    parser.add_argument("--split", default="dev", help="the split that the published rows belong to (default: dev)")
    parser.add_argument(
        "--questions-per-category", type=int, default=50, metavar="N", help="of the published choice file (default 50)"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a finding is invalid")
    parser.add_argument("--lang", default="en", help=f"language: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, the gravest first; published figures with their corrections before."""
    from paretune.report.screen import Screen

    voice = voice_named(arguments.lang)
    if (arguments.experiment is None) == (arguments.tp4 is None):
        raise ConfigError("name a run folder or experiment file, or published files with --tp4 DIR --spider DIR")
    if arguments.rescore != (arguments.data is not None) or (arguments.databases and not arguments.rescore):
        raise ConfigError("--rescore and --data DIR belong together, and --databases to them")
    if arguments.tp4 is not None:
        findings = _published(arguments, voice)
    else:
        from paretune.analysis.audit import audit_run, gravest_first
        from paretune.run.load import load_run

        run = load_run(_folder(arguments))
        findings = audit_run(run)
        if arguments.rescore:
            from paretune.sql.rescore import rescore_findings

            findings = gravest_first([*rescore_findings(run, arguments.data, arguments.databases), *findings])
    print_findings(findings, voice, Screen.of(sys.stdout))
    return int(arguments.strict and any(finding.level == "invalid" for finding in findings))


def print_findings(findings: Sequence[Finding], voice: Voice, screen: Screen) -> None:
    """How many of each level; then each kind of finding: its evidence, and what to do once for all that are alike."""
    counts = count_by_level(findings)
    summary = voice.say("terminal.findings", invalid=counts["invalid"], warnings=counts["warning"],
                        notes=counts["note"])  # fmt: skip
    print(screen.inked(summary, "bold"))
    for (level, _), alike in groupby(findings, key=lambda finding: (finding.level, finding.code)):
        said = [finding.say(voice) for finding in alike]
        word = voice.say(level).upper()
        print()
        for evidence, _ in said:
            lines = screen.wrapped(evidence, " " * (len(word) + 2))
            lines[0] = screen.inked(word, _INKS[level]) + lines[0][len(word) :]
            print("\n".join(lines))
        for advice in dict.fromkeys(advice for _, advice in said):
            print("\n".join(screen.wrapped(f"{voice.say('what to do')}: {advice}", "    ", "      ")))


def _folder(arguments: argparse.Namespace) -> Path:
    given: Path = arguments.experiment
    if given.is_dir():
        return given
    if arguments.out is not None:
        return Path(arguments.out)
    from paretune.config.read import load_experiment

    return runs_directory() / load_experiment(given, arguments.settings).name


def _published(arguments: argparse.Namespace, voice: Voice) -> list[Finding]:
    from paretune.course2025.published import audit_published, read_published
    from paretune.sql.spider import read_split

    if arguments.spider is None:
        raise ConfigError("--tp4 needs --spider DIR: published queries are run again on its databases")
    if arguments.questions_per_category < 1:
        raise ConfigError(f"--questions-per-category {arguments.questions_per_category}: expected at least 1")
    questions = read_split(arguments.spider, arguments.split)
    rows, findings = audit_published(
        read_published(arguments.tp4),
        questions,
        arguments.spider / "database",
        questions_per_category=arguments.questions_per_category,
    )
    _print_rows(rows, voice)
    return findings


def _print_rows(rows: Sequence[CorrectedRow], voice: Voice) -> None:
    titles = ["variant", "questions", "published", "reproduced", "by the official rule", "over databases"]
    table = [[voice.say(title) for title in titles]]
    for row in rows:
        published, reproduced, official = (
            voice.number(value) for value in (row.published, row.reproduced, row.official.estimate)
        )
        alone, wide = (voice.limits(interval.low, interval.high) for interval in (row.independent, row.official))
        table.append([row.variant, str(row.questions), published, reproduced, f"{official} {alone}", wide])
    widths = [max(len(line[column]) for line in table) for column in range(len(titles))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print()
