"""paretune run, prepare, train, evaluate, compare, report, list: experiments from a TOML file."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.cli.fetch import add_store
from paretune.errors import ConfigError
from paretune.files import runs_directory
from paretune.text import LANGUAGES, voice_named

if TYPE_CHECKING:
    from paretune.analysis.results import Comparison
    from paretune.config import VariantConfig
    from paretune.pipeline.done import PartDone
    from paretune.pipeline.report import Claims
    from paretune.pipeline.session import Session
    from paretune.run.folder import RunFolder
    from paretune.run.load import Run

STAGES = {
    "run": "everything: prepare, train, evaluate, compare, report",
    "prepare": "read the data and write what every variant will be asked",
    "train": "train the adapters",
    "evaluate": "answer and judge every question",
    "compare": "write and print the tables, or compare logs (BASE TUNED)",
    "report": "write the tables, the plots and the page",
    "list": "what is done and what is missing",
}
EXPORTED = ("run", "compare", "report")


def add_settings(parser: argparse.ArgumentParser, example: str) -> None:
    """`--set`, for every command that reads an experiment file."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help=f"change a key of the experiment file, for example {example}",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all stages share."""
    parser.add_argument(
        "experiment", type=Path, help="experiment file; list, compare and report take a run folder, too"
    )
    add_settings(parser, "model.path=FILE.gguf")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="run folder (default: runs/<experiment>, in the store where one is chosen); "
        "of a run folder: where tables and page go",
    )
    add_store(parser)
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME", help="only this variant; may be repeated"
    )
    parser.add_argument("--dry-run", action="store_true", help="check settings and data, and say what a run would do")
    parser.add_argument(
        "--export",
        choices=("tp4",),
        help="also write the CSV files of the course of 2025 (tp4)",
    )
    parser.set_defaults(cluster_address=None)
    claims = parser.add_argument_group("run, compare and report")
    claims.add_argument(
        "--margin", type=float, metavar="POINTS", help="instead of the experiment's [claims]; said as such"
    )
    claims.add_argument("--budget", type=float, metavar="POINTS", help="loss allowed to the pick; likewise")
    claims.add_argument("--every-pair", action="store_true", help="compare all variants with each other too")
    claims.add_argument("--databases", type=Path, metavar="DIR", help="<db_id>/<db_id>.sqlite, to show query results")
    claims.add_argument(
        "--watch", action="store_true", help="report: renew tables and page while a run works, until it is complete"
    )
    parser.add_argument("--lang", default="en", help=f"language of tables and page: {' or '.join(LANGUAGES)}")


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """`--cluster` of `paretune run`."""
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        dest="cluster_address",
        help="train and answer on a Ray cluster, ray://HOST:PORT; auto: the one that runs here, else this machine",
    )


def run_stage(stage: str, arguments: argparse.Namespace) -> int:
    """Run one stage of an experiment; raises ParetuneError for what the user can mend."""
    if getattr(arguments, "tuned", ()):
        from paretune.cli.logs import compare_logs

        return compare_logs(arguments)
    _check_options(stage, arguments)
    if arguments.experiment.is_dir():
        return _from_folder(stage, arguments)
    session = open_session(arguments)
    config, folder = session.config, session.folder
    if arguments.watch:
        return _watch(folder, arguments)
    folder.refuse_other_things()
    variants = [config.variant(name) for name in arguments.variant] or list(config.all_variants())
    if stage == "list":
        from paretune.pipeline.done import list_progress

        _print_list(folder, *list_progress(session), arguments)
        return 0
    if arguments.dry_run:
        from paretune.pipeline.experiment import describe_plan

        plan = describe_plan(session)
        print(plan.text)
        for remark in plan.remarks:
            _say(f"note: {remark}")
        for problem in plan.problems:
            _say(f"error: {problem}")
        return 2 if plan.problems else 0
    if stage in ("compare", "report") and folder.path.is_dir() and not os.access(folder.path, os.W_OK):
        _without_writing(stage, folder, arguments)
        return 0
    from paretune.pipeline.together import is_launched, train_together

    if is_launched():
        if stage != "train":
            raise ConfigError(f"{stage} is the work of one process; a launcher may start `paretune train` alone")
        keep_memory_on_cpu()
        train_together(session, variants)
        return 0
    with folder.locked():
        _work(stage, session, variants, arguments)
        if arguments.export:
            from paretune.course2025.export import export_tp4
            from paretune.run.load import load_run

            for path in export_tp4(load_run(folder.path), folder.path / "export-tp4"):
                _say(f"wrote {path}")
    return 0


def open_session(arguments: argparse.Namespace) -> Session:
    """The experiment that `experiment`, `--set`, `--out` and `--lang` name, with nothing read but its file."""
    from paretune.choice.suites import check_suites
    from paretune.config.read import load_experiment
    from paretune.engines import check_engine
    from paretune.pipeline.session import Session
    from paretune.run.folder import RunFolder

    config = load_experiment(arguments.experiment, arguments.settings)
    check_engine(config, str(arguments.experiment))
    check_suites(config, str(arguments.experiment))
    folder = RunFolder(arguments.out or runs_directory() / config.name)
    return Session(config, folder, voice_named(arguments.lang), _say)


def _check_options(stage: str, arguments: argparse.Namespace) -> None:
    """Refuse options that this stage cannot obey."""
    if arguments.export and stage not in EXPORTED:
        raise ConfigError(f"--export: {stage} makes no results to export; give it to {' or '.join(EXPORTED)}")
    if stage in ("list", "compare", "report") and not arguments.experiment.exists():
        raise ConfigError(f"{arguments.experiment}: no such run folder or experiment file")
    if arguments.databases is not None and stage not in ("run", "report"):
        raise ConfigError(f"--databases: {stage} shows no query results; give it to run or report")
    if arguments.databases is not None and not arguments.databases.is_dir():
        raise ConfigError(f"--databases {arguments.databases}: no such folder; expected <db_id>/<db_id>.sqlite in it")
    if arguments.watch and stage != "report":
        raise ConfigError(f"--watch: {stage} does not wait for a run; paretune report does")
    if getattr(arguments, "cluster", "") or getattr(arguments, "html", None):
        raise ConfigError(
            "--cluster, --html: for logs (paretune compare BASE TUNED); `paretune report` writes the page of a run"
        )


def _from_folder(stage: str, arguments: argparse.Namespace) -> int:
    """Compare or report a run folder without its experiment file, also one that cannot be written."""
    from paretune.run.folder import RunFolder

    folder = RunFolder(arguments.experiment)
    if arguments.watch:
        return _watch(folder, arguments)
    if stage == "list":
        from paretune.pipeline.done import folder_progress

        reason = voice_named(arguments.lang).say("no experiment file was named")
        _print_list(folder, folder_progress(folder), reason, arguments)
        return 0
    ignored = [name for name in ("settings", "variant", "dry_run", "export") if getattr(arguments, name)]
    if stage not in ("compare", "report") or ignored:
        what = f"{stage} needs the experiment file" if not ignored else "--set, --variant, --dry-run, --export"
        raise ConfigError(f"{folder.path}: a run folder; {what}" + (" need the experiment file" if ignored else ""))
    if stage == "report" and not (folder.manifest_path.is_file() or _has_answers(folder.path)):
        from paretune.pipeline.report import report_runs

        if arguments.out is not None:
            raise ConfigError(f"--out: the page over the runs of {folder.path} is written there")
        print(f"page: {report_runs(folder.path, voice_named(arguments.lang), _say).resolve()}")
        return 0
    if arguments.out is not None:
        into = RunFolder(arguments.out)
        with into.locked():
            _summarise(stage, folder, arguments, into)
    elif os.access(folder.path, os.W_OK):
        with folder.locked():
            _summarise(stage, folder, arguments, folder)
    else:
        _without_writing(stage, folder, arguments)
    return 0


def _has_answers(folder: Path) -> bool:
    """Whether it is a run folder that has lost its manifest."""
    return any(folder.glob("*/choice.jsonl"))


def _watch(folder: RunFolder, arguments: argparse.Namespace) -> int:
    """Renew tables and page until the run is complete. The run holds the folder's lock; files are replaced whole."""
    from paretune.config import BASELINE
    from paretune.pipeline.report import compare_folder, report_folder, report_unfinished
    from paretune.pipeline.watch import watch
    from paretune.run.folder import RunFolder
    from paretune.run.load import load_run

    voice, claims = voice_named(arguments.lang), _claims(arguments)
    elsewhere = arguments.out is not None and arguments.experiment.is_dir()
    into = RunFolder(arguments.out) if elsewhere else folder

    def renew() -> None:
        run = load_run(folder.path)
        if BASELINE in run.incomplete:
            page = report_unfinished(run, voice, into=into)
        else:
            comparison = compare_folder(run, voice, _say, claims, into=into)
            page = report_folder(run, comparison, voice, arguments.databases, into=into)
        _say(voice.say("terminal.page", path=str(page.resolve())))

    try:
        watch(folder, renew, voice, _say)
    except KeyboardInterrupt:
        _say("no longer watching; the run goes on")
        return 0
    records = load_run(folder.path)
    _print(records, compare_folder(records, voice, _say, claims, into=into), arguments, into)
    return 0


def _without_writing(stage: str, folder: RunFolder, arguments: argparse.Namespace) -> None:
    """The tables of a run on a read-only disk, printed alone."""
    advice = f"paretune {stage} {folder.path} --out DIR writes them elsewhere"
    if stage == "report":
        raise ConfigError(f"{folder.path}: tables and page cannot be written there; {advice}")
    _say(f"{folder.path}: tables cannot be written there and are printed alone; {advice}")
    _summarise(stage, folder, arguments, None)


def _summarise(stage: str, folder: RunFolder, arguments: argparse.Namespace, into: RunFolder | None) -> None:
    from paretune.config import BASELINE
    from paretune.pipeline.report import compare_folder, report_folder, report_unfinished
    from paretune.run.load import load_run

    voice = voice_named(arguments.lang)
    records = load_run(folder.path)
    if stage == "report" and into is not None and BASELINE in records.incomplete:
        page = report_unfinished(records, voice, into=into)
        print(voice.say("terminal.page", path=str(page.resolve())))
        return
    comparison = compare_folder(records, voice, _say, _claims(arguments), into=into)
    if stage == "report" and into is not None:
        report_folder(records, comparison, voice, arguments.databases, into=into)
    _print(records, comparison, arguments, into)


def _print(records: Run, comparison: Comparison, arguments: argparse.Namespace, into: RunFolder | None) -> None:
    """Tables and verdict; after all files, so that a terminal that cannot take them costs none."""
    from paretune.pipeline.report import printed
    from paretune.report.screen import Screen

    print(printed(records, comparison, voice_named(arguments.lang), Screen.of(sys.stdout), into), end="")


def _print_list(folder: RunFolder, rows: list[PartDone], reason: str, arguments: argparse.Namespace) -> None:
    from paretune.pipeline.done import listing
    from paretune.report.screen import Screen
    from paretune.report.text_table import as_text

    table = listing(folder, rows, voice_named(arguments.lang), reason)
    print(as_text(table, Screen.of(sys.stdout)))


def _claims(arguments: argparse.Namespace) -> Claims:
    from paretune.pipeline.report import Claims

    for name in ("margin", "budget"):
        points = getattr(arguments, name)
        if points is not None and not 0 < points <= 100:
            raise ConfigError(f"--{name} {points}: expected points above 0, at most 100")
    return Claims(arguments.margin, arguments.budget, arguments.every_pair)


def keep_memory_on_cpu() -> None:
    """Before a model is loaded: see `keep_freed_memory`."""
    from paretune.models.load import choose_device, keep_freed_memory

    if choose_device() == "cpu":
        keep_freed_memory()


def _work(stage: str, session: Session, variants: list[VariantConfig], arguments: argparse.Namespace) -> None:
    if stage in ("run", "prepare", "train", "evaluate"):
        _say(f"{session.folder.path}: loading libraries and reading the data")  # seconds of silence otherwise

    if stage in ("run", "train", "evaluate"):
        keep_memory_on_cpu()
        from paretune.pipeline.tracking import tracking

        with tracking(session):
            _work_with_model(stage, session, variants, arguments)
    elif stage == "prepare":
        from paretune.pipeline.prepare import prepare
        from paretune.pipeline.start import note_kinds

        prepare(session)
        note_kinds(session)
    else:
        _summarise(stage, session.folder, arguments, session.folder)


def _work_with_model(
    stage: str, session: Session, variants: list[VariantConfig], arguments: argparse.Namespace
) -> None:
    from paretune.pipeline import experiment

    if stage == "train":
        experiment.train_only(session, variants)
    elif stage == "evaluate":
        experiment.train_and_evaluate(session, variants, training=False)
    else:
        claims, data, cluster = _claims(arguments), arguments.databases, arguments.cluster_address
        run, comparison = experiment.run_all(session, variants, claims, data, cluster=cluster)
        _print(run, comparison, arguments, session.folder)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
