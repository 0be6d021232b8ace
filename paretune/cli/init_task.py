"""paretune init-task: a database and a file of questions become an experiment that runs as it is."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paretune.errors import ConfigError, StatisticsError
from paretune.text import LANGUAGES, voice_named

if TYPE_CHECKING:
    from paretune.sources.own_task import CheckedPairs, Remark

_SHOWN = 20  # remarks of one kind; the rest are counted
_SHOWN_QUERY = 300  # signs
_EFFECT_POINTS = 10.0
_DISCORDANT_SHARE = 0.25
_TITLES = {
    "fails": "references that fail",
    "unreadable": "references that are no single SELECT statement",
    "not deterministic": "references that do not return the same each time",
    "repeated": "pairs that stand there twice",
    "contradiction": "questions that stand there with different queries",
    "alike": "training pairs too much like a test pair",
    "order of ties": "references whose sorted rows tie",
    "empty": "references that return nothing: a wrong query may do so too",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune init-task`."""
    parser.description = (
        "Read a database and pairs of question and SQL, run every pair, say what cannot be relied on, split the rest "
        "into training and test, and write a folder with an experiment that runs as it is."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the folder to write")
    parser.add_argument(
        "--database", required=True, metavar="FILE", help="a SQLite or DuckDB file, or postgresql://USER@HOST/DATABASE"
    )
    parser.add_argument("--pairs", required=True, type=Path, metavar="FILE", help=".csv, .tsv, .jsonl, .json or .xlsx")
    parser.add_argument("--question", metavar="COLUMN", help="column of the questions (default: by its usual names)")
    parser.add_argument("--sql", metavar="COLUMN", help="column of the queries (default: by its usual names)")
    parser.add_argument("--split", metavar="COLUMN", help="column that says train or test (default: drawn by the seed)")
    parser.add_argument("--test-share", type=float, default=0.5, metavar="SHARE", help="of the pairs (default 0.5)")
    parser.add_argument("--seed", type=int, default=42, help="decides the split (default 42)")
    parser.add_argument("--general", default="demo", metavar="KIND", help="suite of general ability (default demo)")
    parser.add_argument("--model", metavar="MODEL", help="a Hub id, a directory or a GGUF file")
    parser.add_argument("--lang", default="en", help=f"language of the power line: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Check, write, and print the file and what to do next; raises ParetuneError for what the user can mend."""
    from paretune.files import file_sha256
    from paretune.progress import progress_bar
    from paretune.sources.own_task import check_pairs, write_task
    from paretune.sources.pairs import Columns, read_pairs

    voice_named(arguments.lang)  # an unknown language is refused before anything is written
    if not 0 < arguments.test_share < 1:
        raise ConfigError(f"--test-share {arguments.test_share}: expected a share between 0 and 1, such as 0.5")
    _require_kind(arguments.general)
    pairs = read_pairs(arguments.pairs, Columns(arguments.question, arguments.sql, arguments.split))
    with _database(arguments.database) as database:
        _say(f"{arguments.database}: {_describe(database)}")
        share, seed = arguments.test_share, arguments.seed
        with progress_bar("reference queries", len(pairs)) as advance:
            checked = check_pairs(pairs, database, test_share=share, seed=seed, on_done=advance)
        _print_remarks(checked)
        origin = {
            "database": arguments.database, "database_sha256": file_sha256(database), "pairs": str(arguments.pairs),
            "pairs_sha256": file_sha256(arguments.pairs), "seed": arguments.seed, "test_share": arguments.test_share,
            "training": len(checked.training), "test": len(checked.test),
        }  # fmt: skip
        file, fresh = write_task(arguments.directory, database, checked, _experiment(arguments, database), origin)
    print(f"{len(pairs)} pairs: {len(checked.training)} to train on, {len(checked.test)} to ask, "
          f"{len(pairs) - len(checked.training) - len(checked.test)} left out")  # fmt: skip
    _print_power(len(checked.test), arguments.lang)
    print(f"{file}{'' if fresh else ' (kept as it was)'}")
    print(f"next: paretune run {file}")
    return 0


def _require_kind(kind: str) -> None:
    from paretune.choice.suites import suite_names
    from paretune.fields import nearest

    kinds = suite_names()
    if kind not in kinds:
        raise ConfigError(f"--general {kind}: no such suite{nearest(kind, kinds)}")


@contextmanager
def _database(given: str) -> Iterator[Path]:
    """The file, or one that stands for a server, opened once and checked throughout."""
    from paretune.sql.database import check_whole_database
    from paretune.sql.dialects import POSTGRES

    if "://" not in given:
        path = Path(given).expanduser()
        check_whole_database(path)
        yield path
        return
    address = urlsplit(given)
    if address.scheme not in ("postgresql", "postgres"):
        raise ConfigError(f"--database {address.scheme}://...: expected a file, or postgresql://USER@HOST/DATABASE")
    if address.password:
        raise ConfigError("--database: leave the password out, it would be written down; set PGPASSWORD or ~/.pgpass")
    name = address.path.strip("/") or "postgres"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}{POSTGRES.suffix}"
        path.write_text(json.dumps({"url": given}), encoding="utf-8")
        check_whole_database(path)
        yield path


def _describe(database: Path) -> str:
    from paretune.sql.database import read_schema

    schema = read_schema(database)
    shown = [table for table in schema.tables if table.name not in schema.shadow]
    columns = sum(len(table.columns) for table in schema.shown())
    if not columns:
        raise ConfigError(f"{database}: no tables in it")
    return f"{len(shown)} tables and {len(schema.views)} views with {columns} columns"


def _print_remarks(checked: CheckedPairs) -> None:
    """Grouped by kind, what is left out before what is only to know."""
    counts = Counter(remark.kind for remark in checked.remarks)
    for kind, title in _TITLES.items():
        remarks = [remark for remark in checked.remarks if remark.kind == kind]
        if not remarks:
            continue
        _say(f"{title}{' (left out)' if remarks[0].left_out else ''}: {counts[kind]}")
        for remark in remarks[:_SHOWN]:
            _say(_remark_text(remark))
        if counts[kind] > _SHOWN:
            _say(f"  ... and {counts[kind] - _SHOWN} more")


def _remark_text(remark: Remark) -> str:
    query = " ".join(remark.pair.query.split())
    shown = query if len(query) <= _SHOWN_QUERY else query[: _SHOWN_QUERY - 1] + "…"
    return f"  {remark.pair.where}: {remark.message}\n    {shown}"


def _experiment(arguments: argparse.Namespace, database: Path) -> str:
    from paretune.config import DEFAULT_MODEL
    from paretune.experiment_text import experiment_file
    from paretune.sources.own_task import TEST_SPLIT, TRAINING_SPLIT, database_name

    name = arguments.directory.resolve().name
    general: dict[str, Any] = {"kind": arguments.general}
    if arguments.general in ("demo", "demo-pt"):
        general |= {"few_shot": 0, "method": "cloze"}
    chosen: dict[str, dict[str, Any]] = {
        "model": {"path": arguments.model or DEFAULT_MODEL},
        "target": {
            "kind": "spider", "path": "data", "name": database_name(database), "split": TEST_SPLIT,
            "train_splits": [TRAINING_SPLIT], "rules": "result", "max_new_tokens": 128,
        },
        "prompt": {"schema": "compact", "sample_values": 3},
        "general": general,
        "training": {
            "peak_learning_rate": 1e-3, "epochs": 3, "batch_size": 4, "max_tokens": 2048, "checkpoint_steps": 20,
            "logging_steps": 2,
        },
        "variant": {"name": "run-1"},
    }  # fmt: skip
    heading = (
        f"Made from {arguments.database} and {arguments.pairs}.\nEvery key: docs/experiment.md. To check it: --dry-run"
    )
    return experiment_file(heading, name, chosen)


def _print_power(questions: int, language: str) -> None:
    """What so many questions can show, in the words and figures of `paretune power`."""
    from paretune.cli import power

    asked = ["--effect", f"{_EFFECT_POINTS:g}", "--discordant", f"{_DISCORDANT_SHARE:g}", "--lang", language]
    parser = argparse.ArgumentParser()
    power.add_arguments(parser)
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            power.run(parser.parse_args([*asked, "--questions", str(questions)]))
        at_hand = f" --questions {questions}"
    except StatisticsError as error:  # so few that they show nothing; how many would is said all the same
        print(error)
        printed, at_hand = io.StringIO(), ""
        with redirect_stdout(printed):
            power.run(parser.parse_args(asked))
    print(f"paretune power {' '.join(asked[:-2])}{at_hand}")
    print(printed.getvalue(), end="")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
