"""paretune score: verdicts on anybody's predicted SQL, without a model."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.errors import DataError, ScoringError
from paretune.text import LANGUAGES, voice_named

if TYPE_CHECKING:
    from paretune.records import SqlPrediction, SqlQuestion, SqlVerdict
    from paretune.sql.predictions import PredictionFile
    from paretune.sql.score import ScoreSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune score`."""
    parser.description = (
        "Score predicted SQL against a split in Spider's layout: one verdict a question, and a summary."
    )
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR", help="data in Spider's layout")
    parser.add_argument("--split", default="dev", help="DIR/<split>.json holds the questions (default: dev)")
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help=".json list of texts, .jsonl with sql (and index), .csv with generated_sql, or one query a line",
    )
    parser.add_argument("--gold", type=Path, metavar="FILE", help="gold queries in place of the split's, same formats")
    parser.add_argument("--out", type=Path, metavar="FILE.jsonl", help="write one verdict a line")
    parser.add_argument(
        "--rules",
        choices=("official", "multiset", "strict", "tp4"),
        default="official",
        help="when two results are the same (default: official, as in test-suite-sql-eval)",
    )
    parser.add_argument("--databases", type=Path, metavar="DIR", help="<db_id>/<db_id>.sqlite (default: DIR/database)")
    parser.add_argument("--limit-seconds", type=float, default=30.0, help="for one predicted query (default: 30)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a processor)")
    parser.add_argument("--lang", default="en", help=f"language of the summary: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Score and print; raises ParetuneError for what the user can mend."""
    from paretune.progress import progress_bar
    from paretune.run.jsonl import write_lines
    from paretune.sql.predictions import join_predictions, read_predictions
    from paretune.sql.score import ScoreSettings, score_predictions
    from paretune.sql.spider import read_questions
    from paretune.sql.summary import score_summary

    voice = voice_named(arguments.lang)
    databases = arguments.databases or arguments.spider / "database"
    _check_output(arguments)
    file = read_predictions(arguments.predictions)
    settings = ScoreSettings(
        rules=arguments.rules,
        limit_seconds=arguments.limit_seconds,
        workers=arguments.workers,
        as_written=file.as_written,
    )
    questions = read_questions(arguments.spider, arguments.split)
    gold = read_predictions(arguments.gold).rows if arguments.gold else None
    predictions = join_predictions(file.rows, questions, gold)
    header = _header(arguments, settings, file, questions, predictions, databases)
    with progress_bar("score", len(predictions)) as advance:
        verdicts = score_predictions(
            predictions,
            databases,
            settings,
            cache=_cache_folder(),
            tables_file=arguments.spider / "tables.json",
            on_verdict=lambda _: advance(1),
        )
    _check_ours(verdicts)
    if arguments.out is not None:
        write_lines(arguments.out, header, verdicts)
    print(score_summary(verdicts, header, voice))
    return 0


def _check_output(arguments: argparse.Namespace) -> None:
    """Find out before the work whether its result can be kept."""
    import tempfile

    out: Path | None = arguments.out
    if out is None:
        return
    if out.exists() and not out.is_file():
        raise DataError(f"--out {out}: a folder or a device; expected a file to write")
    split = arguments.spider / f"{arguments.split}.json"
    for read in filter(None, (arguments.predictions, arguments.gold, split)):
        if out.exists() and read.exists() and out.samefile(read):
            raise DataError(f"--out {out}: this file is read; name another one to write")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError as error:
        raise DataError(f"--out {out}: nothing can be written in {out.parent} ({error.strerror})") from error


def _check_ours(verdicts: list[SqlVerdict]) -> None:
    """Refuse to sum up when a question was lost by our own fault."""
    failed = [verdict for verdict in verdicts if verdict.outcome == "failed"]
    if failed:
        raise ScoringError(
            f"{len(failed)} questions could not be scored, the first at index {failed[0].index} ({failed[0].error}); "
            "nothing was written; run again, with fewer --workers if memory is short"
        )


def _cache_folder() -> Path | None:
    """Where gold results stay between calls; None where that folder cannot be written."""
    from paretune.files import cache_directory

    folder = cache_directory() / "gold"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _header(
    arguments: argparse.Namespace,
    settings: ScoreSettings,
    file: PredictionFile,
    questions: list[SqlQuestion],
    predictions: list[SqlPrediction],
    databases: Path,
) -> dict[str, object]:
    """What decides the verdicts: versions, settings and the hashes of everything read."""
    import hashlib
    import sqlite3

    import paretune
    from paretune.files import file_sha256
    from paretune.sql.score import find_databases

    files = find_databases(databases, {prediction.db_id for prediction in predictions})
    listing = "".join(f"{file_sha256(path)}  {path.name}\n" for paths in files.values() for path in paths)
    hashes = {
        "predictions": file_sha256(arguments.predictions),
        "split": file_sha256(arguments.spider / f"{arguments.split}.json"),
        "databases": hashlib.sha256(listing.encode()).hexdigest(),
    }
    if arguments.gold:
        hashes["gold"] = file_sha256(arguments.gold)
    if (arguments.spider / "tables.json").is_file():
        hashes["tables"] = file_sha256(arguments.spider / "tables.json")
    return {
        "kind": "sql verdicts",
        "paretune": paretune.__version__,
        "sqlite": sqlite3.sqlite_version,
        "rules": settings.rules,
        "as_written": file.as_written,
        "limit_seconds": settings.limit_seconds,
        "split": arguments.split,
        "questions_in_split": len(questions),
        "predictions": len(predictions),
        "databases": len(files),
        "test_suite": any(len(paths) > 1 for paths in files.values()),
        "sha256": hashes,
    }
