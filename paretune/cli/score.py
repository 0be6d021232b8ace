"""paretune score: verdicts on predicted SQL of any origin, without a model."""

from __future__ import annotations

import argparse
import os
import threading
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.errors import DataError, ScoringError
from paretune.text import LANGUAGES, voice_named

if TYPE_CHECKING:
    from paretune.sql.pool import WorkerPool
    from paretune.sql.predictions import PredictionRow
    from paretune.sql.records import SqlPrediction, SqlQuestion, SqlVerdict
    from paretune.sql.score import ScoreSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune score`."""
    parser.description = (
        "Score predicted SQL against a split in Spider's or BIRD's layout, or against a file of references: one "
        "verdict per question, and a summary."
    )
    parser.add_argument("--spider", type=Path, metavar="DIR", help="data in Spider's or BIRD's layout")
    parser.add_argument("--split", default="dev", help="DIR/<split>.json holds the questions (default: dev)")
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help=".json (texts, objects, BIRD's object), .jsonl with sql (and index), .csv with generated_sql, or one "
        "query per line",
    )
    parser.add_argument("--column", metavar="NAME", help="column or key of the SQL (default: the first usual name)")
    parser.add_argument(
        "--gold",
        type=Path,
        metavar="FILE",
        help="references in place of the split's, same formats; with --databases and a db_id per query no --spider",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.jsonl", help="write one verdict per line")
    parser.add_argument(
        "--rules",
        metavar="NAME",
        help="when two results are the same: official (Spider's script), result (rows and values alone), multiset, "
        "strict, bird, subset or tp4 (default: official where a tables.json describes the databases, bird for BIRD's "
        "questions, else result)",
    )
    parser.add_argument("--keep-distinct", action="store_true", help="official rules: do not drop DISTINCT")
    parser.add_argument("--as-written", action="store_true", help="run each text whole; extract no statement from it")
    parser.add_argument("--max-rows", type=int, default=500_000, metavar="N", help="of one result (default: 500000)")
    parser.add_argument("--databases", type=Path, metavar="DIR", help="<db_id>/<db_id>.sqlite (default: DIR/database)")
    parser.add_argument(
        "--known-wrong", type=Path, metavar="FILE", help="positions of questions to leave out of a second figure"
    )
    parser.add_argument("--limit-seconds", type=float, default=30.0, help="for one predicted query (default: 30)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one per processor)")
    parser.add_argument("--lang", default="en", help=f"language of the summary: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Score and print; raises ParetuneError for what the user can mend."""
    from paretune.sql.pool import WorkerPool
    from paretune.sql.score import ScoreSettings, processors

    voice = voice_named(arguments.lang)
    _check_output(arguments)
    limits = ScoreSettings(workers=arguments.workers)  # refuses a number of workers that cannot be
    with WorkerPool(limits.workers or processors(), limits.memory_bytes) as pool:
        pool.start()
        threading.Thread(target=_import_summary, daemon=True).start()
        header, verdicts = _score(arguments, pool)
    _check_ours(verdicts)
    if arguments.out is not None:
        from paretune.run.jsonl import write_lines

        write_lines(arguments.out, header, verdicts)
    from paretune.sql.summary import score_summary

    print(score_summary(verdicts, header, voice))
    return 0


def _import_summary() -> None:
    """Scipy comes with it, which takes as long as many queries: imported while the workers start and execute."""
    import_module("paretune.sql.summary")


def _score(arguments: argparse.Namespace, pool: WorkerPool) -> tuple[dict[str, object], list[SqlVerdict]]:
    """What decides the verdicts, and the verdicts."""
    from paretune.progress import progress_bar
    from paretune.sql.bird import read_known_wrong
    from paretune.sql.predictions import join_predictions, read_predictions
    from paretune.sql.score import ScoreSettings, default_rules, score_predictions

    questions, gold, databases = _questions(arguments)
    tables_file = _tables_file(arguments, databases)
    file = read_predictions(
        arguments.predictions, column=arguments.column, db_ids={question.db_id for question in questions}
    )
    settings = ScoreSettings(
        rules=arguments.rules or default_rules(questions, tables_file),
        limit_seconds=arguments.limit_seconds,
        workers=arguments.workers,
        keep_distinct=arguments.keep_distinct,
        as_written=file.as_written,
        whole_texts=arguments.as_written,
        max_rows=arguments.max_rows,
    )
    known_wrong = read_known_wrong(arguments.known_wrong, questions) if arguments.known_wrong else frozenset()
    predictions = [
        replace(item, known_wrong=item.index in known_wrong) for item in join_predictions(file.rows, questions, gold)
    ]
    header = _header(arguments, settings, questions, predictions, databases, tables_file)
    if arguments.known_wrong:
        header["known_wrong"] = sorted(known_wrong)
    with progress_bar("score", len(predictions)) as advance:
        verdicts = score_predictions(
            predictions,
            databases,
            settings,
            cache=_cache_folder(),
            tables_file=tables_file,
            on_verdict=lambda _: advance(1),
            pool=pool,
        )
    return header, verdicts


def _questions(
    arguments: argparse.Namespace,
) -> tuple[list[SqlQuestion], list[PredictionRow] | None, Path]:
    """The questions, the rows of a gold file if there is one, and the folder of the databases."""
    from paretune.sql.predictions import questions_of_gold, read_predictions
    from paretune.sql.spider import database_folder, read_questions

    if arguments.spider is None:
        if arguments.gold is None or arguments.databases is None:
            raise DataError("--spider: missing; name the data's folder, or give --gold and --databases")
        gold = read_predictions(arguments.gold).rows
        return questions_of_gold(gold), None, arguments.databases
    questions = read_questions(arguments.spider, arguments.split)
    db_ids = {question.db_id for question in questions}
    rows = read_predictions(arguments.gold, db_ids=db_ids).rows if arguments.gold else None
    return questions, rows, arguments.databases or database_folder(arguments.spider)


def _tables_file(arguments: argparse.Namespace, databases: Path) -> Path:
    """Spider's tables.json: beside the split, else (as for Spider-Syn) beside the folder of the databases."""
    beside = [folder / "tables.json" for folder in (arguments.spider, databases.parent) if folder is not None]
    return next(filter(Path.is_file, beside), beside[-1])


def _split_file(arguments: argparse.Namespace) -> Path:
    directory: Path = arguments.spider
    return directory / f"{arguments.split}.json"


def _check_output(arguments: argparse.Namespace) -> None:
    """Find out before the work whether its result can be kept."""
    import tempfile

    out: Path | None = arguments.out
    if out is None:
        return
    if out.exists() and not out.is_file():
        raise DataError(f"--out {out}: a folder or a device; expected a file to write")
    split = None if arguments.spider is None else _split_file(arguments)
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
    questions: list[SqlQuestion],
    predictions: list[SqlPrediction],
    databases: Path,
    tables_file: Path,
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
        "databases": hashlib.sha256(listing.encode()).hexdigest(),
    }
    if arguments.gold:
        hashes["gold"] = file_sha256(arguments.gold)
    if arguments.spider is not None:
        hashes = {"predictions": hashes.pop("predictions"), "split": file_sha256(_split_file(arguments)), **hashes}
    if tables_file.is_file():
        hashes["tables"] = file_sha256(tables_file)
    return {
        "kind": "sql verdicts",
        "paretune": paretune.__version__,
        "sqlite": sqlite3.sqlite_version,
        "rules": settings.rules,
        "keep_distinct": settings.keep_distinct,
        "as_written": settings.as_written or settings.whole_texts,
        "max_rows": settings.max_rows,
        "limit_seconds": settings.limit_seconds,
        "split": arguments.split if arguments.spider is not None else arguments.gold.stem,
        "questions_in_split": len(questions),
        "predictions": len(predictions),
        "databases": len(files),
        "test_suite": any(len(paths) > 1 for paths in files.values()),
        "sha256": hashes,
    }
