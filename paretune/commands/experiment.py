"""paretune run, prepare, train, evaluate, compare, report, list: experiments from a TOML file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.language import LANGUAGES, parse_language

if TYPE_CHECKING:
    from paretune.config import VariantConfig
    from paretune.stages.session import Session

STAGES = {
    "run": "everything: prepare, train, evaluate, compare, report",
    "prepare": "read the data and write what every variant will be asked",
    "train": "train the adapters",
    "evaluate": "answer and judge every question",
    "compare": "write and print the tables",
    "report": "write the tables, the plots and the page",
    "list": "what is done and what is missing",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all stages share."""
    parser.add_argument("experiment", type=Path, help="experiment file, for example experiments/demo.toml")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="change a key of the file, for example model.path=FILE.gguf",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/<experiment>)")
    parser.add_argument("--variant", metavar="NAME", help="only this variant")
    parser.add_argument("--dry-run", action="store_true", help="check settings and data, say what would be done")
    parser.add_argument("--export", choices=("tp4",), help="also write the results in this form (with compare, report)")
    parser.add_argument("--lang", default="en", help=f"language of tables and page: {' or '.join(LANGUAGES)}")


def run_stage(stage: str, arguments: argparse.Namespace) -> int:
    """Run one stage of an experiment; raises ParetuneError for what the user can mend."""
    from paretune.config import load_experiment
    from paretune.runfolder import RunFolder
    from paretune.stages.session import Session

    config = load_experiment(arguments.experiment, arguments.settings)
    folder = RunFolder(arguments.out or Path("runs") / config.name)
    session = Session(config, folder, parse_language(arguments.lang), _say)
    variants = [config.variant(arguments.variant)] if arguments.variant else list(config.all_variants())
    if stage == "list":
        from paretune.stages.experiment import print_progress

        print(print_progress(session))
        return 0
    if arguments.dry_run:
        from paretune.stages.experiment import describe_plan

        print(describe_plan(session))
        return 0
    with folder.locked():
        _work(stage, session, variants)
        if arguments.export:
            from paretune.stages.summarise import export

            for path in export(session):
                _say(f"wrote {path}")
    return 0


def _work(stage: str, session: Session, variants: list[VariantConfig]) -> None:
    from paretune.stages import experiment

    if stage == "prepare":
        from paretune.stages.prepare import prepare

        prepare(session)
        experiment.note_kinds(session)
    elif stage == "train":
        experiment.train_only(session, variants)
    elif stage == "evaluate":
        experiment.train_and_evaluate(session, variants, training=False)
    elif stage == "run":
        text, page = experiment.run_all(session, variants)
        print(text)
        print(page)
    else:
        from paretune.stages.summarise import compare, report

        comparison, text = compare(session)
        print(text)
        if stage == "report":
            print(report(session, comparison))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
