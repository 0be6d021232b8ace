"""`paretune test-suite`: build a test suite of databases for Spider's layout, so that lucky matches are found out."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR", help="folder in Spider's official layout")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for <db_id>/*.sqlite; give it to `paretune score --databases` afterwards",
    )
    parser.add_argument(
        "--split",
        action="append",
        metavar="NAME",
        help="split whose references the suite shall tell from their neighbours (default: dev; may be repeated)",
    )
    parser.add_argument("--databases", type=int, default=8, metavar="N", help="variants per database (default: 8)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files (default: 0)")
    parser.add_argument("--db-id", action="append", metavar="ID", help="build for this database only (repeatable)")


def run(arguments: argparse.Namespace) -> int:
    """Build the suite and print, for each database, how many near neighbours are told from their gold."""
    from paretune.errors import ConfigError
    from paretune.sql.suite.build import build_test_suite, read_gold_queries

    if arguments.databases < 1:
        raise ConfigError(f"--databases {arguments.databases}: expected at least 1")
    queries = read_gold_queries(arguments.spider, arguments.split or ["dev"])
    unknown = [name for name in arguments.db_id or [] if name not in queries]
    if unknown:
        raise ConfigError(
            f"--db-id {unknown[0]}: no reference of the split is on it; expected one of {', '.join(sorted(queries))}"
        )
    _refuse_own_databases(arguments.spider, arguments.out)
    _copy_tables_file(arguments.spider, arguments.out)
    print(f"{'database':32} {'queries':>8} {'neighbours':>11} {'told before':>12} {'told after':>11} {'ties':>9}")
    totals = [0, 0, 0, 0]
    for db_id in sorted(arguments.db_id or queries):
        database = arguments.spider / "database" / db_id / f"{db_id}.sqlite"
        report = build_test_suite(database, queries[db_id], arguments.out, arguments.databases, arguments.seed)
        figures = [
            report.gold_queries,
            *(sum(kinds.values()) for kinds in (report.neighbours, report.before, report.after)),
        ]
        totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
        _print_line(db_id, figures, f"{report.ambiguous[0]}, {report.ambiguous[1]}")
        for query in report.failed:
            print(f"  left out, fails or returns too much: {query}")
    _print_line("all", totals, "")
    print("told: neighbours whose result is not the reference's, by the original database alone and by the suite;")
    print("ties: results of references that depend on the order of rows, on the original and on the variants together")
    return 0


def _refuse_own_databases(spider: Path, out: Path) -> None:
    """Variants beside the data's own databases would turn every later score of the data into a test-suite score."""
    from paretune.errors import ConfigError
    from paretune.sql.spider import database_folder

    if out.exists() and out.resolve() == database_folder(spider).resolve():
        raise ConfigError(f"--out {out}: holds the data's own databases; name another folder for the suite")


def _copy_tables_file(spider: Path, out: Path) -> None:
    """Keep tables.json beside the databases' folder, where the scorer looks for its foreign keys."""
    import shutil

    from paretune.errors import DataError

    source, target = spider / "tables.json", out.parent / "tables.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if source.is_file() and out.name == "database" and not target.exists():
            shutil.copyfile(source, target)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror})") from error


def _print_line(name: str, figures: list[int], ties: str) -> None:
    queries, all_of_them, before, after = figures
    if all_of_them == 0:
        print(f"{name:32} {queries:8} {0:11}")
        return
    shares = [f"{count} ({100 * count / all_of_them:.0f} %)" for count in (before, after)]
    print(f"{name:32} {queries:8} {all_of_them:11} {shares[0]:>12} {shares[1]:>11} {ties:>9}")
