"""Do our verdicts equal those of the official scripts?

    python -m benchmarks.official_agreement --official CHECKOUT --spider DIR --predictions FILE_OR_FOLDER ...
        [--bird CHECKOUT] [--mutants N]

For every prediction: execution match, the same with DISTINCT kept, and strict exact set match, by `evaluate()` of
test-suite-sql-eval, one prediction per call and with nothing prepared; with --bird also execution match and soft F1
by `execute_model()` of BIRD's mini_dev over Spider's databases. --mutants adds the gold queries and N mutants of each.
Every contradiction is listed by its kind. The scripts need sqlparse, nltk, tqdm and func_timeout. They open databases
for writing, so they get copies; they cannot be interrupted, so they run in a process that is replaced when it hangs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import multiprocessing
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.sql_mutants import mutants
from paretune.sql.database import read_names
from paretune.sql.predictions import join_predictions, read_predictions
from paretune.sql.records import SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.sql.spider import read_split

_SECONDS_UNTIL_HUNG = 60.0
Judgement = dict[str, bool | float | None]  # by metric; None: no verdict


@dataclass(frozen=True, slots=True)
class Item:
    """A prediction under comparison. source: its file, or the kind of its mutation."""

    question: SqlQuestion
    source: str
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--bird", type=Path, metavar="CHECKOUT")
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR")
    parser.add_argument("--predictions", type=Path, nargs="*", default=[], metavar="FILE_OR_FOLDER")
    parser.add_argument("--mutants", type=int, default=0, metavar="N", help="of each gold query (default: 0)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    questions = read_split(arguments.spider, "dev")
    items = _predicted(arguments.predictions, questions)
    if arguments.mutants:
        items += _mutated(questions, arguments.spider / "database", arguments.mutants, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder)
        for db_id in {question.db_id for question in questions}:
            (copies / db_id).mkdir()
            shutil.copy(arguments.spider / "database" / db_id / f"{db_id}.sqlite", copies / db_id)
        tables = arguments.spider / "tables.json"
        theirs = in_processes(items, _Spider(arguments.official, copies, tables))
        report("test-suite-sql-eval", items, theirs, spider_verdicts(items, arguments.spider / "database"))
        if arguments.bird:
            theirs = in_processes(items, _Bird(arguments.bird, copies))
            report("BIRD mini_dev", items, theirs, bird_verdicts(items, arguments.spider / "database"))


def _predicted(paths: Sequence[Path], questions: Sequence[SqlQuestion]) -> list[Item]:
    """All rows of all files that a script could be given: on one line, not empty."""
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    items = []
    for file in files:
        if file.name.endswith(".official.jsonl"):
            continue
        rows = read_predictions(file, db_ids={question.db_id for question in questions}).rows
        for row in join_predictions(rows, questions):
            text = " ".join(row.text.split("\n")).strip()
            if text:
                items.append(Item(SqlQuestion(row.index, row.db_id, row.question, row.gold), file.stem, text))
    return items


def _mutated(questions: Sequence[SqlQuestion], databases: Path, count: int, seed: int) -> list[Item]:
    schemas = {
        db_id: read_names(databases / db_id / f"{db_id}.sqlite") for db_id in {question.db_id for question in questions}
    }
    items = [Item(question, "gold itself", question.gold) for question in questions]
    return items + [Item(item.question, item.kind, item.sql) for item in mutants(questions, schemas, count, seed)]


def spider_verdicts(items: Sequence[Item], databases: Path) -> list[Judgement]:
    plain, kept = (
        _ours(items, databases, ScoreSettings(keep_distinct=keep, whole_texts=True)) for keep in (False, True)
    )
    return [
        {"execution": one.execution_match, "keep distinct": other.execution_match, "exact": one.exact_set_match_strict}
        for one, other in zip(plain, kept, strict=True)
    ]


def bird_verdicts(items: Sequence[Item], databases: Path) -> list[Judgement]:
    verdicts = _ours(items, databases, ScoreSettings(rules="bird"))
    return [{"execution": item.execution_match, "soft F1": item.soft_f1} for item in verdicts]


def _ours(items: Sequence[Item], databases: Path, settings: ScoreSettings) -> list[SqlVerdict]:
    predictions = [
        SqlPrediction(place, item.question.db_id, item.question.question, item.question.gold, item.text)
        for place, item in enumerate(items)
    ]
    return score_predictions(predictions, databases, settings)


def load_evaluation(checkout: Path) -> Any:
    """The module evaluation.py of a checkout of test-suite-sql-eval."""
    sys.path.insert(0, str(checkout))
    evaluation: Any = importlib.import_module("evaluation")  # these two lie in the checkout
    process_sql: Any = importlib.import_module("process_sql")
    nltk: Any = importlib.import_module("nltk")  # of the script

    try:
        nltk.word_tokenize("a b")
    except LookupError:  # the model that finds sentences is not installed: words alone, as in one sentence
        process_sql.word_tokenize = lambda text: nltk.word_tokenize(text, preserve_line=True)
    return evaluation


@dataclass(frozen=True, slots=True)
class _Spider:
    """evaluate() of a checkout, asked about one prediction."""

    checkout: Path
    databases: Path
    tables: Path

    def judge(self) -> Callable[[Item], Judgement]:
        evaluation = load_evaluation(self.checkout)
        kept: list[dict[str, Any]] = []
        evaluation.print_scores = lambda scores, *_, **__: kept.append(scores["all"])
        keys = evaluation.build_foreign_key_map_from_json(str(self.tables))
        folder = Path(tempfile.mkdtemp())
        gold, predicted = folder / "gold.txt", folder / "predicted.txt"

        def ask(item: Item, what: str, keep_distinct: bool) -> dict[str, Any]:
            gold.write_text(f"{' '.join(item.question.gold.split())}\t{item.question.db_id}\n", encoding="utf-8")
            predicted.write_text(f"{item.text}\n", encoding="utf-8")
            with contextlib.redirect_stdout(io.StringIO()):
                databases = str(self.databases)
                evaluation.evaluate(str(gold), str(predicted), databases, what, keys, False, keep_distinct, False)
            return kept.pop()

        def judge(item: Item) -> Judgement:
            scores, distinct = ask(item, "all", False), ask(item, "exec", True)
            return {
                "execution": bool(scores["exec"]),
                "keep distinct": bool(distinct["exec"]),
                "exact": bool(scores["exact"]),
            }

        return judge


@dataclass(frozen=True, slots=True)
class _Bird:
    """execute_model() of a checkout, asked about one prediction."""

    checkout: Path
    databases: Path

    def judge(self) -> Callable[[Item], Judgement]:
        for server in ("psycopg2", "pymysql"):  # imported by the script for databases that are not asked here
            sys.modules.setdefault(server, ModuleType(server))
        sys.path.insert(0, str(self.checkout / "evaluation"))
        execution, soft_f1 = (importlib.import_module(f"evaluation_{name}") for name in ("ex", "f1"))

        def ask(script: ModuleType, item: Item) -> float:
            database = self.databases / item.question.db_id / f"{item.question.db_id}.sqlite"
            with contextlib.redirect_stdout(io.StringIO()):
                answer = script.execute_model(item.text, item.question.gold, str(database), 0, 30.0, "SQLite")
            return float(answer["res"])

        def judge(item: Item) -> Judgement:
            return {"execution": bool(ask(execution, item)), "soft F1": round(ask(soft_f1, item), 9)}

        return judge


def in_processes(items: Sequence[Item], script: _Spider | _Bird) -> list[Judgement | None]:
    """What a script says of each item; None where it raises or hangs."""
    verdicts: list[Judgement | None] = []
    context = multiprocessing.get_context("spawn")
    while len(verdicts) < len(items):
        ours, theirs = context.Pipe()
        process = context.Process(target=_process, args=(theirs, script), daemon=True)
        process.start()
        while len(verdicts) < len(items):
            ours.send(items[len(verdicts)])
            if not ours.poll(_SECONDS_UNTIL_HUNG):
                verdicts.append(None)
                break
            verdicts.append(ours.recv())
        process.kill()
        process.join()
    return verdicts


def _process(connection: Connection, script: _Spider | _Bird) -> None:
    judge = script.judge()
    while True:
        item = connection.recv()
        try:
            verdict: Judgement | None = judge(item)
        except Exception as error:  # whatever a prediction makes the script raise
            print(f"no verdict: {type(error).__name__}: {error}"[:300], file=sys.stderr)
            verdict = None
        connection.send(verdict)


def report(name: str, items: Sequence[Item], theirs: Sequence[Judgement | None], ours: Sequence[Judgement]) -> None:
    """Print counts and contradictions by file and metric, each contradiction with its kind."""
    print(f"{name}: {len(items)} predictions, {theirs.count(None)} without a verdict")
    print(f"{'source':24} {'metric':14} {'n':>6} {'theirs':>7} {'ours':>7} {'contradictions':>15}")
    kinds: Counter[str] = Counter()
    for source in dict.fromkeys(item.source for item in items):
        rows = [place for place, item in enumerate(items) if item.source == source and theirs[place] is not None]
        for metric in ours[0]:
            pairs = [(place, (theirs[place] or {})[metric], round(ours[place][metric] or 0, 9)) for place in rows]
            other = [(place, official) for place, official, own in pairs if official != own]
            sums = [round(sum(official or 0 for _, official, _ in pairs), 1), round(sum(own for _, _, own in pairs), 1)]
            print(f"{source:24} {metric:14} {len(pairs):6} {sums[0]:7} {sums[1]:7} {len(other):15}")
            for place, official in other:
                kind = kind_of(items[place], metric)
                kinds[kind] += 1
                if kind == "unexplained":
                    print(f"    {items[place].question.index}: theirs {official}: {items[place].text[:150]!r}")
    print("kinds:", dict(kinds) or "none")


def kind_of(item: Item, metric: str) -> str:
    """Why a verdict differs (docs/results.md), "unexplained" where nothing known fits."""
    words = item.text.lower().split()
    both = f"{item.text} {item.question.gold}".lower().split()
    if metric == "exact" and "on" in both and "or" in both:
        return "OR behind a join's ON"
    if not words or words[0].strip("(") not in {"select", "with", "values"}:
        return "no query"
    return "unexplained"


if __name__ == "__main__":
    main()
