"""Do our `official` verdicts equal those of the official script (a checkout of taoyds/test-suite-sql-eval)?

    python -m benchmarks.official_agreement --official CHECKOUT --spider DIR [--predictions FILE ...]

Scores mutants of the gold queries, the gold itself and any prediction files with both, and lists every combination of
verdicts by the kind of change. The script needs the packages sqlparse and tqdm. It opens databases for writing, so it
gets copies; it cannot be interrupted, so it runs in a process of its own that is replaced when it hangs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.sql_mutants import Mutant, mutants
from paretune.records import SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.database import read_names
from paretune.sql.predictions import join_predictions, read_predictions
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.sql.spider import read_split

_SECONDS_UNTIL_HUNG = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR")
    parser.add_argument("--predictions", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--per-question", type=int, default=3, help="mutants of each gold query (default: 3)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    questions = read_split(arguments.spider, "dev")
    database = arguments.spider / "database"
    db_ids = {question.db_id for question in questions}
    schemas = {db_id: read_names(database / db_id / f"{db_id}.sqlite") for db_id in db_ids}
    items = [Mutant(question, "gold itself", question.gold) for question in questions]
    items += mutants(questions, schemas, arguments.per_question, arguments.seed)
    for path in arguments.predictions:
        items += _predicted(path, questions)
    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder)
        for db_id in db_ids:
            (copies / db_id).mkdir()
            shutil.copy(database / db_id / f"{db_id}.sqlite", copies / db_id)
        theirs = official_verdicts(items, copies, arguments.official)
    ours = _our_verdicts(items, database)
    report(items, theirs, ours)


def _predicted(path: Path, questions: Sequence[SqlQuestion]) -> list[Mutant]:
    """Rows of a prediction file that the official script could have been given: not empty, on one line."""
    joined = join_predictions(read_predictions(path).rows, questions)
    return [
        Mutant(SqlQuestion(row.index, row.db_id, row.question, row.gold), path.stem, " ".join(row.text.split()))
        for row in joined
        if row.text.strip()
    ]


def _our_verdicts(items: Sequence[Mutant], database: Path) -> list[SqlVerdict]:
    predictions = [
        SqlPrediction(position, item.question.db_id, item.question.question, item.question.gold, item.sql)
        for position, item in enumerate(items)
    ]
    return score_predictions(predictions, database, ScoreSettings(as_written=True))


def official_verdicts(items: Sequence[Mutant], databases: Path, checkout: Path) -> list[str]:
    """For each item what eval_exec_match says: "right", "wrong", "crashed" (an exception) or "hung"."""
    verdicts: list[str] = []
    context = multiprocessing.get_context("spawn")
    while len(verdicts) < len(items):
        ours, theirs = context.Pipe()
        process = context.Process(target=_official_process, args=(theirs, str(checkout)), daemon=True)
        process.start()
        while len(verdicts) < len(items):
            item = items[len(verdicts)]
            path = databases / item.question.db_id / f"{item.question.db_id}.sqlite"
            ours.send((str(path), item.sql.strip().replace(" value ", " 1 "), item.question.gold.strip()))
            if not ours.poll(_SECONDS_UNTIL_HUNG):
                verdicts.append("hung")
                break
            verdicts.append(ours.recv())
        process.kill()
        process.join()
    return verdicts


def _official_process(connection: Connection, checkout: str) -> None:
    sys.path.insert(0, checkout)
    from exec_eval import eval_exec_match  # type: ignore[import-not-found]  # lies in the checkout

    while True:
        path, predicted, gold = connection.recv()
        try:
            verdict = "right" if eval_exec_match(path, predicted, gold, False, False, False) else "wrong"
        except Exception:  # whatever a prediction makes the script raise
            verdict = "crashed"
        connection.send(verdict)


def report(items: Sequence[Mutant], theirs: Sequence[str], ours: Sequence[SqlVerdict]) -> None:
    """Print how often each pair of verdicts occurred, then the pairs that contradict each other by kind."""
    table = Counter((official, str(verdict.outcome)) for official, verdict in zip(theirs, ours, strict=True))
    print(f"{len(items)} queries, {len(items) - sum(item.kind == 'gold itself' for item in items)} of them not gold")
    print("official  ours            count")
    for (official, outcome), count in sorted(table.items()):
        print(f"{official:<9} {outcome:<15} {count:>5}")
    split: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    for item, official, verdict in zip(items, theirs, ours, strict=True):
        if official in {"crashed", "hung"} or (official == "right") != verdict.execution_match:
            key = (item.kind, official, str(verdict.outcome))
            split[key] += 1
            examples.setdefault(key, item.sql)
    contradictions = sum(count for (_, official, _), count in split.items() if official in {"right", "wrong"})
    print(f"contradictions: {contradictions}; without an official verdict: {sum(split.values()) - contradictions}")
    for (kind, official, outcome), count in sorted(split.items()):
        print(
            f"  {kind}: official {official}, ours {outcome}: {count}, e.g. {examples[kind, official, outcome][:150]!r}"
        )


if __name__ == "__main__":
    main()
