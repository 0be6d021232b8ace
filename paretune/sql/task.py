"""Text-to-SQL as a target task: data in Spider's layout or the embedded benchmark, judged by execution."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from paretune.config import ExperimentConfig
from paretune.demo.build import demo_directory
from paretune.errors import ConfigError
from paretune.fields import nearest
from paretune.files import cache_directory, file_sha256, fingerprint
from paretune.findings import Finding
from paretune.run.load import AskedQuestion, Run
from paretune.sql import bird
from paretune.sql.audit import answer_findings, prompt_findings
from paretune.sql.database import schema_text
from paretune.sql.dialects import dialect_of
from paretune.sql.doubts import doubtful_references
from paretune.sql.extract import END_MARKS, statement_end
from paretune.sql.levels import LEVELS, level
from paretune.sql.page import databases_of, result_tables
from paretune.sql.prompt import PromptConfig, SqlPromptBuilder, choose_examples, one_line
from paretune.sql.records import SqlOutcome, SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.rules import RULES
from paretune.sql.score import ScoreSettings, default_rules, score_predictions
from paretune.sql.spider import database_folder, database_path, read_questions, read_split, split_of_kind, take
from paretune.sql.vote import votes
from paretune.tasks import Ending, Facets, Messages, Question, TargetData, Task, Verdict
from paretune.text import Voice
from paretune.text.sql import why_wrong

# Of extraction, execution, comparison and explanation: raised whenever a change of theirs may change a verdict, so that
# earlier verdicts are recognised and not mistaken for present ones.
JUDGE_VERSION = 1
FACETS = Facets(
    lines="sql",
    metric="execution accuracy",
    cluster="database",
    clusters="databases",
    level="hardness",
    levels=LEVELS["hardness"].levels,
    outcomes=tuple(SqlOutcome),
    void=(SqlOutcome.GOLD_FAILED, SqlOutcome.GOLD_TOO_LARGE),
    names={"id": "index", "cluster": "db_id", "reference": "gold", "level": "hardness", "explanation": "error"},
    secondary={"exact_set_match": "exact_set_match", "test_suite": "test_suite_match"},
    marks=("both_empty",),
    left_out=("known_wrong", bird.WITHOUT_KNOWN_WRONG),
    answer="sql",
    sentences={
        "table.target": "table.execution",
        "table.levels": "Execution accuracy in percent by hardness",
        "table.target-change": "table.change",
        "table.these-clusters": (
            "The databases are too few to speak for others: the figures hold for these databases."
        ),
        "table.target-split": "verdict.split",
        "table.p-values": (
            "McNemar's exact p takes questions as independent; p (family) and p (Holm) respect databases and subjects."
        ),
        "table.target-hypervolume": "table.hypervolume",
        "section.reasons": "Why the SQL is wrong",
        "first.accuracy": "first.sql-accuracy",
        "plot.gain": "gain in execution accuracy, points",
        "facts.questions": "facts.target",
        "groups-overlap": "databases-overlap",
        "before the question": "before the schema",
        "both_empty": "both results empty",
        "reference": "reference SQL",
        "no answer in the text": "no SQL was found in the answer",
    },
    cue="SQL",
    progress=("write SQL", "execute SQL"),
    shorter_prompts='use prompt.schema = "compact", fewer sample_values or examples, or exclude the database',
)


@dataclass(frozen=True, slots=True)
class SqlTarget:
    """[target]. path: a directory in Spider's official layout; when absent, the store's (kind "demo" needs none). name:
    what tables call the data (absent: see data_name). questions, train_rows: how many to take (all when absent). rules:
    a name in sql/rules.py; when absent, Spider's official ones for Spider's own data, BIRD's for BIRD's, and `result`
    for all other data (score.default_rules). known_wrong: a file of positions (bird.read_known_wrong) beside the
    split's own; a second figure leaves those questions out. stop: where an answer ends, with the model's turn or behind
    a complete statement. batch_size: answers written together at most (absent: as many as the memory holds).
    temperature: above 0 answers are drawn; samples: of each question; vote: the answer is that of most results, else
    the first sample."""

    kind: Literal["spider", "demo", "spider-dk", "spider-realistic", "spider-syn", "bird"] = "spider"
    path: str | None = None
    name: str | None = None
    split: str = "dev"
    train_splits: tuple[str, ...] = ("train_spider",)
    exclude_databases: tuple[str, ...] = ()
    questions: int | None = field(default=None, metadata={"minimum": 1})
    train_rows: int | None = field(default=None, metadata={"minimum": 1})
    selection: Literal["stratified", "first"] = "stratified"
    rules: str | None = None
    known_wrong: str | None = None
    limit_seconds: float = field(default=30.0, metadata={"minimum": 0.01})
    max_new_tokens: int = field(default=256, metadata={"minimum": 1})
    stop: Literal["turn", "statement"] = "turn"
    batch_size: int | None = field(default=None, metadata={"minimum": 1})
    temperature: float = field(default=0.0, metadata={"minimum": 0.0, "maximum": 5.0, "unsaid": True})
    samples: int = field(default=1, metadata={"minimum": 1, "maximum": 1000, "unsaid": True})
    vote: bool = field(default=False, metadata={"unsaid": True})

    def __post_init__(self) -> None:
        if self.rules is not None and self.rules not in RULES:
            raise ConfigError(
                f"target.rules: expected one of {', '.join(map(repr, RULES))}, found {self.rules!r}"
                f"{nearest(self.rules, list(RULES))}"
            )
        if self.samples > 1 and not self.temperature:
            raise ConfigError(f"target.samples = {self.samples}: all alike at temperature 0; set target.temperature")
        if self.vote and self.samples < 2:
            raise ConfigError("target.vote: one answer has nothing to vote on; set target.samples")


class TextToSql(Task):
    """See paretune.tasks.Task."""

    facets = FACETS
    verdict = SqlVerdict
    target = SqlTarget
    prompt = PromptConfig

    def read(self, config: ExperimentConfig) -> TargetData:
        """The questions of one split and the rows of others; examples shown in prompts are drawn from the rows.

        Raises DataError for whatever is wrong with the files, PromptError where there are fewer rows than examples.
        """
        target, prompt = _settings(config)
        directory = target_directory(target)
        pool = read_split(directory, _split(target), target.exclude_databases)
        known_wrong(target)  # a mistake in it is found before anything is asked
        strata = [_stratum(directory, row) for row in pool]
        chosen = take(pool, target.questions, target.selection, config.seed, strata)
        rows: list[tuple[str, SqlQuestion]] = []
        if any(variant.is_trained for variant in config.variants) or prompt.few_shot or config.validation:
            rows = _training_rows(directory, target, config.seed)
        examples = choose_examples([row for _, row in rows], prompt, config.seed)
        shown = {id(example) for example in examples}

        @cache
        def schema(db_id: str) -> str:
            return schema_text(database_path(directory, db_id), prompt.schema, prompt.sample_values)

        @cache
        def dialect(db_id: str) -> str:
            return dialect_of(database_path(directory, db_id)).name

        def schema_for(row: SqlQuestion) -> str:
            asked = f"{row.question} {row.evidence if prompt.evidence else ''}"
            return schema_text(database_path(directory, row.db_id), prompt.schema, prompt.sample_values, asked)

        by_question = schema_for if prompt.values == "question" and prompt.sample_values else None
        builder = SqlPromptBuilder(schema, examples, dialect, prompt.evidence, by_question)
        hints = {
            (row.db_id, row.question, row.gold): row.evidence
            for row in (*chosen, *(row for _, row in rows))
            if row.evidence
        }

        def messages(question: Question) -> Messages:
            mark = (question.cluster, question.question, question.reference)
            return builder.messages(SqlQuestion(int(question.id), *mark, hints.get(mark, "")))

        return TargetData(
            questions=tuple(_question(directory, row) for row in chosen),
            training=tuple((split, _question(directory, row)) for split, row in rows if id(row) not in shown),
            files=_hashes(directory, target, chosen),
            messages=messages,
        )

    def doubts(self, config: ExperimentConfig, target: TargetData) -> list[str]:
        """See paretune.sql.doubts."""
        settings, _ = _settings(config)
        return doubtful_references(_split(settings), target_directory(settings), target)

    def training_answer(self, row: Question) -> str:
        """The reference on one line."""
        return one_line(row.reference)

    def conditions(self, config: ExperimentConfig, files: Mapping[str, str]) -> dict[str, Any]:
        """Rules, time limit, the databases' content, and the versions of SQLite and of the judge."""
        target, _ = _settings(config)
        databases = {f"target/{name}": digest for name, digest in files.items() if name.startswith("database/")}
        return {
            "rules": _rules(target),
            "limit_seconds": target.limit_seconds,
            "databases": fingerprint(databases),
            "sqlite": sqlite3.sqlite_version,
            "judge": JUDGE_VERSION,
            **({"known_wrong": files.get(target.known_wrong)} if target.known_wrong else {}),
        }

    def judge(
        self,
        config: ExperimentConfig,
        questions: Sequence[Question],
        texts: Sequence[str],
        on_verdict: Callable[[Any], None],
    ) -> list[SqlVerdict]:
        """By execution, in processes that can be killed. Raises DataError or ScoringError."""
        target, _ = _settings(config)
        wrong = known_wrong(target)
        return score_predictions(
            [
                SqlPrediction(
                    int(item.id),
                    item.cluster,
                    item.question,
                    item.reference,
                    text,
                    item.level if item.level in LEVELS["difficulty"].levels else None,
                    int(item.id) in wrong,
                )
                for item, text in zip(questions, texts, strict=True)
            ],
            database_folder(target_directory(target)),
            ScoreSettings(rules=_rules(target), limit_seconds=target.limit_seconds),
            cache=cache_directory() / "gold",
            on_verdict=on_verdict,
        )

    def vote(
        self, config: ExperimentConfig, questions: Sequence[Question], texts: Sequence[Sequence[str]]
    ) -> list[int]:
        """By executed results; see paretune.sql.vote."""
        target, _ = _settings(config)
        settings = ScoreSettings(rules=_rules(target), limit_seconds=target.limit_seconds)
        asked = [(item.cluster, answers) for item, answers in zip(questions, texts, strict=True)]
        return votes(asked, database_folder(target_directory(target)), settings)

    def ending(self, config: ExperimentConfig) -> Ending | None:
        """Behind the first complete statement; engines stop there where the experiment says so."""
        target, _ = _settings(config)
        return Ending(statement_end, END_MARKS, stops=target.stop == "statement")

    def page(self, run: Run, data: Path | None) -> dict[str, Any]:
        """Results of queries where the databases are there."""
        return {"results": None if data is None else result_tables(run, data)}

    def explain(self, verdict: Verdict, voice: Voice) -> str:
        """By the code of the line, or by the sentence of a line of before there were codes."""
        line = verdict.detail
        words = str(line.get("sql") or "").split()
        if verdict.outcome == SqlOutcome.NOT_A_QUERY and words:
            return voice.say("sql.not-a-query", statement=" ".join(words[:2]).upper())
        return why_wrong(voice, line["error"], line.get("error_code"), line.get("error_fields"))

    def answer_findings(self, run: Run) -> Iterable[Finding]:
        """See paretune.sql.audit."""
        return answer_findings(run)

    def prompt_findings(self, questions: Sequence[AskedQuestion]) -> Iterable[Finding]:
        """See paretune.sql.audit."""
        return prompt_findings(questions)

    def scripts(self) -> tuple[str, ...]:
        """Differences between two queries, and result tables."""
        assets = resources.files("paretune.sql") / "assets"
        return tuple((assets / name).read_text(encoding="utf-8") for name in ("difference.js", "results.js"))

    def data_folder(self, manifest: Mapping[str, Any]) -> Path | None:
        """The folder of <db_id>/<db_id>.sqlite."""
        return databases_of(manifest)


class BirdTextToSql(TextToSql):
    """The same for BIRD's data, which have levels of their own."""

    facets = replace(FACETS, level="difficulty", levels=LEVELS["difficulty"].levels)


TASK = TextToSql()
BIRD = BirdTextToSql()


def target_directory(target: SqlTarget) -> Path:
    """The directory in Spider's layout; the embedded benchmark is built at first use."""
    if target.kind == "demo" and target.path is None:
        return demo_directory() / "spider"
    return Path(str(target.path))


def known_wrong(target: SqlTarget) -> frozenset[int]:
    """The positions of the questions that are known to be wrong. Raises DataError as bird.read_known_wrong does."""
    if target.known_wrong is None:
        return frozenset()
    directory = target_directory(target)
    return bird.read_known_wrong(directory / target.known_wrong, read_questions(directory, _split(target)))


def _split(target: SqlTarget) -> str:
    return split_of_kind(target_directory(target), target.kind, target.split)


def _rules(target: SqlTarget) -> str:
    if target.rules is not None:
        return target.rules
    if target.kind == "demo":
        return "official"
    directory = target_directory(target)
    return default_rules(read_questions(directory, _split(target)), directory / "tables.json")


def _settings(config: ExperimentConfig) -> tuple[SqlTarget, PromptConfig]:
    assert isinstance(config.target, SqlTarget)
    assert isinstance(config.prompt, PromptConfig)
    return config.target, config.prompt


def _training_rows(directory: Path, target: SqlTarget, seed: int) -> list[tuple[str, SqlQuestion]]:
    rows = [
        (split, row) for split in target.train_splits for row in read_split(directory, split, target.exclude_databases)
    ]
    strata = [_stratum(directory, row) for _, row in rows]
    kept = {id(row) for row in take([row for _, row in rows], target.train_rows, target.selection, seed, strata)}
    return [(split, row) for split, row in rows if id(row) in kept]


def _hashes(directory: Path, target: SqlTarget, asked: Sequence[SqlQuestion]) -> dict[str, str]:
    names = [f"{split}.json" for split in (_split(target), *target.train_splits)]
    names += [target.known_wrong] if target.known_wrong else []
    files = {name: file_sha256(directory / name) for name in names if (directory / name).is_file()}
    for db_id in sorted({row.db_id for row in asked}):
        files[f"database/{db_id}"] = file_sha256(database_path(directory, db_id))
    return files


def _question(directory: Path, row: SqlQuestion) -> Question:
    return Question(row.index, row.db_id, row.question, row.gold, _level(directory, row))


def _stratum(directory: Path, row: SqlQuestion) -> str:
    return f"{row.db_id}/{_level(directory, row)}"


@cache
def _level(directory: Path, row: SqlQuestion) -> str:
    return level(row, database_path(directory, row.db_id))
