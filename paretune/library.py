"""The promised names of `import paretune`: experiments, run folders, and comparisons of what others measured.

Nothing here changes the process: no environment variable, log level or allocator setting. docs/python.md shows each.
"""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paretune.errors import DataError, StatisticsError
from paretune.findings import Finding
from paretune.text import voice_named

if TYPE_CHECKING:
    from paretune.analysis.results import Comparison
    from paretune.config import ExperimentConfig
    from paretune.run.load import Run as Records
    from paretune.sql.records import SqlVerdict
    from paretune.stats.paired import PairedDifference

Answers = Sequence[bool] | Mapping[Any, bool]


def _quiet(_: str) -> None:
    """For callers who want no progress lines."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment file, checked. config: its frozen configuration."""

    config: ExperimentConfig

    @classmethod
    def load(cls, file: str | Path, settings: Mapping[str, object] | None = None) -> Experiment:
        """Read an experiment file. settings: keys to change, as {"target.path": "spider", "training.rank": 8}.

        Raises ConfigError naming file, key and the nearest right one.
        """
        from paretune.choice.suites import check_suites
        from paretune.config.read import load_experiment
        from paretune.engines import check_engine

        config = load_experiment(Path(file), [f"{key}={_toml(value)}" for key, value in (settings or {}).items()])
        check_engine(config, str(file))
        check_suites(config, str(file))
        return cls(config)

    def run(self, out: str | Path | None = None, *, lang: str = "en", say: Callable[[str], None] = _quiet) -> Run:
        """Prepare, train, evaluate, compare and report; what is done already is not done again.

        out: the run folder, runs/<experiment> when absent. say: receives a line of progress now and then.
        """
        from paretune.files import runs_directory
        from paretune.pipeline.experiment import run_all
        from paretune.pipeline.report import Claims
        from paretune.pipeline.session import Session
        from paretune.run.folder import RunFolder

        folder = RunFolder(Path(out) if out is not None else runs_directory() / self.config.name)
        folder.refuse_other_things()
        session = Session(self.config, folder, voice_named(lang), say)
        with folder.locked():
            run_all(session, list(self.config.all_variants()), Claims())
        return Run(folder.path)


class Run:
    """A run folder, read once. `records` holds every line as a typed record."""

    def __init__(self, folder: str | Path) -> None:
        """Raises RunFolderError where no run lies there."""
        from paretune.run.load import load_run

        self.records: Records = load_run(Path(folder))

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.records.path

    def comparison(
        self, *, margin: float | None = None, budget: float | None = None, every_pair: bool = False
    ) -> Comparison:
        """Everything that can be said about gain and loss. margin, budget: points, instead of those stated in the
        experiment, which the verdict then says. Raises RunFolderError where the variants cannot be compared."""
        from paretune.analysis.comparison import compare_run
        from paretune.run.load import seed_of

        seed = seed_of(self.records.manifest)
        return compare_run(self.records, seed=seed, margin_points=margin, budget_points=budget, every_pair=every_pair)

    def verdict(self, lang: str = "en") -> str:
        """What a reader should take away, in sentences."""
        from paretune.report.verdict import verdict_text

        text = verdict_text(self.comparison(), voice_named(lang))
        return "\n".join((text.gain, text.general, *text.basis))

    def findings(self) -> list[Finding]:
        """What makes the figures untrustworthy, the gravest first; see also `audit`."""
        return audit(self)

    def tables(self) -> dict[str, Any]:
        """Every table as a pandas DataFrame, by the name of its CSV file; intervals as columns _low and _high."""
        import pandas

        from paretune.report.csv import csv_files

        return {name: pandas.read_csv(io.StringIO(text)) for name, text in csv_files(self.comparison()).items()}

    def page(self, folder: str | Path, lang: str = "en") -> Path:
        """Write FOLDER/index.html, the page that opens offline, and return it."""
        from paretune.analysis.audit import audit_run
        from paretune.report.page import write_page

        records = self.records
        data = records.task.data_folder(records.manifest)
        return write_page(
            records, self.comparison(), audit_run(records), Path(folder), voice_named(lang), target_data=data
        )

    def _repr_html_(self) -> str:
        """The page, for a notebook: the one in the folder, or else one made for this."""
        import tempfile

        made = self.folder / "report" / "index.html"
        if made.is_file():
            text = made.read_text(encoding="utf-8")
        else:
            with tempfile.TemporaryDirectory() as folder:
                text = self.page(folder).read_text(encoding="utf-8")
        return f'<iframe srcdoc="{html.escape(text)}" width="100%" height="800" style="border:0"></iframe>'


def compare(
    baseline: Answers,
    tuned: Answers,
    *,
    clusters: Sequence[Hashable] | Mapping[Any, Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 42,
) -> PairedDifference:
    """What the second model gains over the first on the same questions, in points, with everything needed to judge it.

    baseline, tuned: whether each question was answered correctly, as sequences in the same order or as mappings by
    question id. clusters: of each question (its database, subject, document); without them questions count as
    independent. Raises DataError where the questions differ, StatisticsError or EmptySample where there is nothing to
    compare.
    """
    import numpy as np

    from paretune.stats.paired import paired_difference

    ids = _ids(baseline, tuned)
    first, second = _flags(baseline, ids), _flags(tuned, ids)
    labels: Sequence[Hashable] | None
    if isinstance(clusters, Mapping):
        if ids is None or any(name not in clusters for name in ids):
            raise DataError("clusters: expected one for each question id; give answers by id, too")
        labels = [clusters[name] for name in ids]
    else:
        labels = list(clusters) if clusters is not None else None
    generator = np.random.default_rng(seed)
    return paired_difference(first, second, labels, generator=generator, confidence=confidence)


def compare_logs(base: str | Path, *tuned: str | Path, cluster: str = "", margin: float = 1.0) -> Comparison:
    """What others logged, paired by question: everything that `paretune compare BASE TUNED` shows.

    base, tuned: logs of lm-eval or inspect-ai, CSV, JSONL, or variants of run folders. cluster: field that names what
    questions share. margin: points. Raises DataError where the logs are not of the same questions, asked alike.
    """
    from paretune.analysis.comparison import compare_run
    from paretune.logs import read_log
    from paretune.logs.paired import paired_run

    return compare_run(paired_run([read_log(Path(path), cluster) for path in (base, *tuned)], margin))


def score_sql(
    predictions: Sequence[Mapping[str, str]], databases: str | Path, *, rules: str = "official", **settings: Any
) -> list[SqlVerdict]:
    """The verdict on each predicted query, by execution in processes that can be killed.

    predictions: each {"sql": ..., "gold": ..., "db_id": ...} and, if there is one, "question". databases: the folder
    of <db_id>/<db_id>.sqlite. settings: of `paretune.sql.score.ScoreSettings`, for example limit_seconds.
    """
    from paretune.sql.records import SqlPrediction
    from paretune.sql.score import ScoreSettings, score_predictions

    rows = []
    for index, item in enumerate(predictions):
        missing = [key for key in ("sql", "gold", "db_id") if not isinstance(item.get(key), str)]
        if missing:
            raise DataError(f"prediction {index}: expected a text under {', '.join(map(repr, missing))}")
        rows.append(SqlPrediction(index, item["db_id"], item.get("question", ""), item["gold"], item["sql"]))
    chosen: Any = rules
    return score_predictions(rows, Path(databases), ScoreSettings(rules=chosen, **settings))


def audit(run: Run | str | Path) -> list[Finding]:
    """What makes the figures of a run untrustworthy, from its records alone, the gravest first."""
    from paretune.analysis.audit import audit_run

    return audit_run((run if isinstance(run, Run) else Run(run)).records)


def power(
    effect: float,
    discordant: float,
    *,
    claim: Literal["difference", "non-inferiority"] = "difference",
    true_loss: float = 0.0,
    probability: float = 0.8,
    confidence: float = 0.95,
    family: int = 1,
) -> int:
    """Questions needed, taken as independent, to show a difference of `effect` points, or to rule out a loss of more
    than `effect` points where `true_loss` are lost (claim "non-inferiority").

    discordant: share of questions that the two models answer differently, in (0, 1]. family: comparisons judged
    together. Raises StatisticsError for what is impossible.
    """
    from paretune.stats.power import Plan, questions_needed, questions_to_rule_out

    plan = Plan(discordant, probability, confidence, family)
    if claim == "non-inferiority":
        return questions_to_rule_out(effect, plan, true_loss=true_loss)
    if claim != "difference":
        raise StatisticsError(f'claim {claim!r}: expected "difference" or "non-inferiority"')
    return questions_needed(effect, plan)


def _ids(first: Answers, second: Answers) -> list[Hashable] | None:
    """The ids that both have; None for sequences."""
    if not isinstance(first, Mapping) and not isinstance(second, Mapping):
        return None
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        raise DataError("baseline and tuned: expected two sequences, or two mappings by question id")
    different = set(first) ^ set(second)
    if different:
        raise DataError(f"{len(different)} questions have one answer only, for example {next(iter(different))!r}")
    return list(first)


def _flags(answers: Answers, ids: list[Hashable] | None) -> list[bool]:
    values = list(answers) if ids is None or not isinstance(answers, Mapping) else [answers[name] for name in ids]
    strange = next((value for value in values if value not in (True, False)), None)
    if strange is not None:
        raise DataError(f"expected true or false for each question, found {strange!r}")
    return [bool(value) for value in values]


def _toml(value: object) -> str:
    """A value as --set reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_quoted(item) for item in value)}]"
    return str(value)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str | Path) else _toml(value)
