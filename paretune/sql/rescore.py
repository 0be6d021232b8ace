"""Every stored answer judged again, on data whose hashes are compared with the manifest's.

No check of records finds a careful forger; this one does, as long as the data are at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from paretune.errors import DataError
from paretune.files import cache_directory, file_sha256
from paretune.findings import Figures, Finding, examples, percent
from paretune.run.lines import from_record
from paretune.run.load import AskedQuestion, Run, Variant
from paretune.sql.dialects import database_file
from paretune.sql.records import SqlOutcome, SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.sql.spider import read_questions

# Outcomes that a faster or slower machine may change; a verdict that only moved between these is no finding.
BY_THE_MACHINE = (SqlOutcome.TIMEOUT, SqlOutcome.TOO_LARGE, SqlOutcome.FAILED)


def rescore_findings(run: Run, data: Path, databases: Path | None = None) -> Iterator[Finding]:
    """What differs between a run and its answers judged again.

    data: a directory in Spider's layout; databases: folder of <db_id>/<db_id>.sqlite, DATA/database when absent.
    References and databases are the data's, texts the run's. Raises DataError for data that cannot be read and for a
    run whose questions are of another split than the data have.
    """
    databases = databases or data / "database"
    split = str(run.config.get("target", {}).get("split", "dev"))
    yield from _hashes(run, data, databases)
    official = {question.index: question for question in read_questions(data, split)}
    known = [question for question in run.questions if question.id in official]
    if run.questions and not known:
        raise DataError(f"{data}/{split}.json: none of the run's questions; name the data that it was made from")
    changed = [
        question.id
        for question in run.questions
        if question.id not in official or not _same(official[int(question.id)], question)
    ]  # fmt: skip
    if changed:
        figures: Figures = {"count": len(changed), "questions": len(run.questions), "examples": examples(changed)}
        yield Finding("invalid", "prepared-not-data", figures)
    for variant in run.all_variants:
        yield from _judged_again(run, variant, official, databases)


def _hashes(run: Run, data: Path, databases: Path) -> Iterator[Finding]:
    recorded = run.manifest.get("data")
    hashes = recorded if isinstance(recorded, dict) else {}
    wanted = {name: str(digest) for name, digest in hashes.items() if str(name).startswith("target/")}
    different, used = [], {f"target/database/{question.cluster}" for question in run.questions}
    for name, digest in sorted(wanted.items()):
        part = name.removeprefix("target/")
        db_id = part.removeprefix("database/")
        path = database_file(databases / db_id, db_id) if db_id != part else data / part
        if file_sha256(path) != digest:
            different.append(part)
    if different:
        figures: Figures = {"count": len(different), "examples": examples(different)}
        yield Finding("invalid", "data-changed", figures)
    unknown = sorted(name.removeprefix("target/") for name in used - wanted.keys())
    if unknown:
        yield Finding("warning", "no-data-hashes", {"examples": examples(unknown)})


def _same(official: SqlQuestion, asked: AskedQuestion) -> bool:
    return (official.db_id, official.question, official.gold) == (asked.cluster, asked.question, asked.reference)


def _judged_again(run: Run, variant: Variant, official: dict[int, SqlQuestion], databases: Path) -> Iterator[Finding]:
    header, target = variant.headers["sql"], run.config.get("target", {})
    answers = {answer.id: answer.text for answer in variant.answers}
    verdicts = [from_record(SqlVerdict, line.detail, variant.name) for line in variant.verdicts]
    lines = [line for line in verdicts if line.index in official]
    if not lines:
        return
    settings = ScoreSettings(
        rules=header.get("rules") or target.get("rules") or "official",
        limit_seconds=float(header.get("limit_seconds") or target.get("limit_seconds") or 30.0),
    )
    predictions = [
        SqlPrediction(row.index, row.db_id, row.question, row.gold, answers.get(row.index, line.text))
        for line in lines
        for row in [official[line.index]]
    ]
    again = score_predictions(predictions, databases, settings, cache=cache_directory() / "gold")
    differing = [line.index for line, new in zip(lines, again, strict=True) if _differ(line, new)]
    if differing:
        yield Finding("invalid", "verdict-differs", {
            "variant": variant.name, "count": len(differing), "questions": len(lines), "examples": examples(differing),
            "written": _share(lines), "recomputed": _share(again),
        })  # fmt: skip


def _differ(old: SqlVerdict, new: SqlVerdict) -> bool:
    if old.outcome in BY_THE_MACHINE or new.outcome in BY_THE_MACHINE:
        return old.execution_match and new.outcome not in BY_THE_MACHINE and not new.execution_match
    return (old.outcome is SqlOutcome.CORRECT) != (new.outcome is SqlOutcome.CORRECT)


def _share(verdicts: Sequence[SqlVerdict]) -> float:
    return percent(sum(verdict.outcome is SqlOutcome.CORRECT for verdict in verdicts), len(verdicts))
