"""Complete run folders with a planted gain and a planted loss, for tests of whatever reads a run folder.

    write_run(tmp_path / "run", variants(6), size="demo", seed=3)

`demo` uses the embedded benchmark's own questions (six databases, nine subjects, cloze, and the Portuguese suite);
`spider` has the size of Spider dev and MMLU test (1034 questions in 20 databases, 14042 in 57 subjects, by letter).
Everything is drawn from the seed. A variant differs from the baseline by flips of single questions, so its planted
difference holds in expectation and its figure in one folder varies as a real one would; the scales and checkpoints of
one adapter flip nested sets of questions.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from paretune.config import BASELINE, ExperimentConfig, GeneralConfig, TrainingConfig, VariantConfig
from paretune.files import fingerprint
from paretune.records import ChoiceAnswer, ChoiceOutcome, Method
from paretune.run.jsonl import Record, read_lines, write_lines
from paretune.sql.prompt import PromptConfig
from paretune.sql.records import SqlOutcome, SqlVerdict
from paretune.sql.task import SqlTarget
from tests.simulated_questions import File, Prepared, Size, SuiteQuestions, prepare

Flags = npt.NDArray[np.bool_]
WEIGHTS = fingerprint("weights") * 4
ERRORS = ("wrong_filter", "wrong_join_key", "wrong_aggregate", "wrong_columns", "missing_filter")
WRONG_FORMS = (
    "SELECT * FROM ({gold}) WHERE 0",
    "SELECT COUNT(*) FROM ({gold}) AS found WHERE 1 = 2",
    "SELECT 'extra', * FROM ({gold})",
)


@dataclass(frozen=True, slots=True)
class SimulatedVariant:
    """gain, loss: planted points on the target and off the general ability. churn: share of questions that flip both
    ways besides, on either axis."""

    name: str
    gain: float = 0.0
    loss: float = 0.0
    source: str | None = None
    adapter_scale: float = 1.0
    checkpoint: int | None = None
    seed: int = 42
    peak_learning_rate: float | None = None
    churn: float = 0.06

    @property
    def kind(self) -> Literal["trained", "scaled", "checkpoint"]:
        """The manifest's word for it."""
        if self.source is None:
            return "trained"
        return "checkpoint" if self.checkpoint is not None else "scaled"

    @property
    def rate(self) -> float:
        """Its learning rate: one of its own where none is named, so that two variants are two recipes."""
        return self.peak_learning_rate or 1e-4 * (1 + zlib.crc32(self.name.encode()) % 10_000 / 1000)

    def config(self) -> VariantConfig:
        """As an experiment file would name it."""
        training = TrainingConfig(peak_learning_rate=self.rate, seed=self.seed)
        return VariantConfig(
            name=self.name,
            source=self.source,
            adapter_scale=self.adapter_scale,
            checkpoint=self.checkpoint,
            training=training if self.source is None else None,
        )


ALL_VARIANTS = (
    SimulatedVariant("run-1", 25.0, 5.0, peak_learning_rate=2e-4),
    SimulatedVariant("run-2", 17.0, 1.0, peak_learning_rate=5e-5),
    SimulatedVariant("run-1@0.5", 17.0, 1.5, source="run-1", adapter_scale=0.5, churn=0.03),
    SimulatedVariant("run-1@0.25", 7.0, 0.3, source="run-1", adapter_scale=0.25, churn=0.02),
    SimulatedVariant("run-1@step-200", 14.0, 2.5, source="run-1", checkpoint=200),
    SimulatedVariant("run-1@0.75", 23.0, 3.0, source="run-1", adapter_scale=0.75, churn=0.04),
    SimulatedVariant("run-1@step-400", 21.0, 4.0, source="run-1", checkpoint=400),
    SimulatedVariant("run-1@step-600", 24.0, 5.0, source="run-1", checkpoint=600),
    SimulatedVariant("run-2@0.5", 9.0, 0.3, source="run-2", adapter_scale=0.5, churn=0.03),
    SimulatedVariant("run-3", 27.0, 12.0, peak_learning_rate=1e-3),
    SimulatedVariant("run-4", 24.0, 4.0, peak_learning_rate=2e-4, seed=43),
)


def variants(count: int) -> tuple[SimulatedVariant, ...]:
    """`count` variants with the baseline, which is not named: 2 to 12."""
    return ALL_VARIANTS[: count - 1]


def write_run(
    folder: Path, planted: Sequence[SimulatedVariant], *, size: Size = "demo", seed: int = 42, name: str = "simulated"
) -> Path:
    """Write the whole run folder; returns it."""
    prepared = prepare(size, seed)
    config = _config(name, planted, prepared, seed)
    _write_prepared(folder, prepared, {variant.name: 0 for variant in planted if variant.kind == "trained"})
    generator = np.random.default_rng(seed)
    right_sql = _baseline_right(generator, [row["db_id"] for row in prepared.sql], 0.42)
    right_choice: dict[str, Flags] = {}
    for suite in prepared.suites:
        right_choice[suite.name] = _baseline_right(generator, [row["subject"] for row in suite.rows], 0.45)
    for variant in (None, *planted):
        label = BASELINE if variant is None else variant.name
        sql = right_sql if variant is None else _flipped(right_sql, variant.gain, variant, "sql", seed)
        write_sql(folder, label, prepared, sql, seed)
        choice = {
            suite_name: right if variant is None else _flipped(right, -variant.loss, variant, suite_name, seed)
            for suite_name, right in right_choice.items()
        }
        write_choice(folder, label, prepared, choice, seed)
        if variant is not None and variant.kind == "trained":
            _write_training(folder, variant, seed)
    _write_manifest(folder, config, planted, prepared)
    return folder


def change_lines(path: Path, change: Callable[[Record], Record | None]) -> None:
    """Rewrite a file record by record; None drops the record. For planting a defect."""
    header, records = read_lines(path)
    changed = [change(record) for record in records]
    write_lines(path, header, [record for record in changed if record is not None])


def change_header(path: Path, **parts: Any) -> None:
    """Replace parts of a file's header."""
    header, records = read_lines(path)
    write_lines(path, {**header, **parts}, records)


def change_manifest(folder: Path, **parts: Any) -> None:
    """Replace parts of the manifest."""
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text(encoding="utf-8")), **parts}
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_sql(folder: Path, variant: str, prepared: Prepared, right: Flags, seed: int) -> None:
    """answers.jsonl and sql.jsonl of one variant. right: (questions,) whether each is answered correctly."""
    verdicts = [_verdict(row, bool(ok), variant, seed) for row, ok in zip(prepared.sql, right, strict=True)]
    answers = [
        {"index": v.index, "db_id": v.db_id, "text": v.text, "tokens": max(1, len(v.text) // 4), "finish": "stop"}
        for v in verdicts
    ]
    decided = {**_conditions(variant), "prepared": prepared.mark("sql"), "decoding": "greedy", "max_new_tokens": 256,
               "batch_size": 16}  # fmt: skip
    header = {"kind": "answers", "fingerprint": fingerprint(decided), **decided}
    write_lines(folder / variant / "answers.jsonl", header, answers)
    conditions = {"prepared": prepared.mark("sql"), "rules": "official", "limit_seconds": 30.0,
                  "databases": fingerprint(_database_hashes(prepared)), "sqlite": "3.45.0", "judge": 1}  # fmt: skip
    mark = fingerprint([header["fingerprint"], conditions])
    judged = {"kind": "sql", "fingerprint": mark, "answers": header["fingerprint"], **conditions}
    write_lines(folder / variant / "sql.jsonl", judged, map(_plain, verdicts))


def write_choice(folder: Path, variant: str, prepared: Prepared, right: dict[str, Flags], seed: int) -> None:
    """choice.jsonl of one variant. right: suite -> (questions,) whether each is answered correctly."""
    lines = []
    for suite in prepared.suites:
        generator = np.random.default_rng([seed, zlib.crc32(suite.name.encode()), 3])
        noise = generator.exponential(1.0, size=(len(suite.rows), 4))
        others = generator.integers(1, 4, size=len(suite.rows))
        for row, ok, gaps, other in zip(
            suite.rows, right[suite.name].tolist(), noise.tolist(), others.tolist(), strict=True
        ):
            lines.append(_choice_answer(row, ok, variant, suite.method, gaps, other))
    decided = {**_conditions(variant), "prepared": prepared.mark("choice"), "prompts": fingerprint("prompts")}
    header = {"kind": "choice", "fingerprint": fingerprint(decided), **decided}
    write_lines(folder / variant / "choice.jsonl", header, map(_plain, lines))


def _conditions(variant: str) -> Record:
    """What decides the answers of a variant, which its name tells: run-1, run-1@0.5, run-1@step-200."""
    source, _, derived = variant.partition("@")
    checkpoint = derived.removeprefix("step-") if derived.startswith("step-") else None
    tuned = variant != BASELINE
    return {
        "weights": WEIGHTS,
        "adapter": fingerprint(["adapter", source, checkpoint]) if tuned else None,
        "adapter_scale": (float(derived) if derived and checkpoint is None else 1.0) if tuned else None,
        "precision": "float32",
        "quantization": "none",
    }


def _database_hashes(prepared: Prepared) -> dict[str, str]:
    return {
        f"target/database/{db_id}": fingerprint(db_id) * 4 for db_id in sorted({row["db_id"] for row in prepared.sql})
    }


def _baseline_right(generator: np.random.Generator, clusters: Sequence[str], accuracy: float) -> Flags:
    """Correct or not, with clusters that are easier and harder than each other."""
    names = sorted(set(clusters))
    shift = dict(zip(names, generator.normal(0, 0.08, size=len(names)), strict=True))
    level = np.array([accuracy + shift[cluster] for cluster in clusters])
    found: Flags = generator.random(len(clusters)) < np.clip(level, 0.05, 0.95)
    return found


def _flipped(right: Flags, points: float, variant: SimulatedVariant, axis: str, seed: int) -> Flags:
    """The baseline's answers with `points` planted, in expectation."""
    family = zlib.crc32((variant.source or variant.name).encode())
    draws = np.random.default_rng([seed, family, zlib.crc32(axis.encode())]).random(len(right))
    share = float(right.mean())
    up = (variant.churn / 2 + max(points, 0) / 100) / max(1 - share, 0.05)
    down = (variant.churn / 2 + max(-points, 0) / 100) / max(share, 0.05)
    flipped: Flags = np.where(right, draws >= down, draws < up)
    return flipped


def _verdict(row: Record, correct: bool, variant: str, seed: int) -> SqlVerdict:
    generator = np.random.default_rng([seed, row["index"], zlib.crc32(variant.encode())])
    outcome, error_class, error, sql = SqlOutcome.CORRECT, None, None, row["gold"]
    if not correct:
        kind = generator.choice(["wrong", "invalid_sql", "no_answer", "timeout"], p=[0.72, 0.22, 0.04, 0.02])
        outcome = SqlOutcome(str(kind))
        error_class = str(generator.choice(ERRORS)) if outcome is SqlOutcome.WRONG else str(outcome)
        sql = str(generator.choice(WRONG_FORMS)).format(gold=row["gold"])
        if outcome is SqlOutcome.INVALID_SQL:
            sql, error = "SELECT no_such_column FROM " + row["db_id"], "no such column: no_such_column"
        elif outcome is SqlOutcome.NO_ANSWER:
            sql = ""
    text = sql or "I cannot answer this question."
    return SqlVerdict(
        index=row["index"],
        db_id=row["db_id"],
        question=row["question"],
        text=f"```sql\n{text}\n```" if sql and variant == BASELINE else text,
        sql=sql,
        gold=row["gold"],
        outcome=outcome,
        execution_match=correct,
        test_suite_match=None,
        exact_set_match=correct,
        hardness=row["hardness"],
        both_empty=False,
        error_class=error_class,
        error=error,
        seconds=round(float(generator.exponential(0.002)), 5),
    )


def _plain(line: SqlVerdict | ChoiceAnswer) -> Record:
    """The fields as they are; asdict copies each value, which takes longer than all the rest."""
    return {name: getattr(line, name) for name in line.__slots__}


def _choice_answer(
    row: Record, correct: bool, variant: str, method: Method, gaps: Sequence[float], other: int
) -> ChoiceAnswer:
    predicted = row["answer"] if correct else (row["answer"] + other) % 4
    rates = [0.4 + gap for gap in gaps]
    rates[predicted] = 0.2
    sizes = [len(option.encode()) if method == "cloze" else 3 for option in row["options"]]
    scores = [-rate * size for rate, size in zip(rates, sizes, strict=True)]
    if method == "letter":
        total = math.log(sum(map(math.exp, scores))) + 0.05
        scores = [score - total for score in scores]
    return ChoiceAnswer(
        suite=row["suite"],
        id=row["id"],
        subject=row["subject"],
        category=row["category"],
        variant=variant,
        method=method,
        outcome=ChoiceOutcome.CORRECT if correct else ChoiceOutcome.WRONG,
        correct=correct,
        correct_raw=scores.index(max(scores)) == row["answer"] if method == "cloze" else None,
        answer=row["answer"],
        predicted=predicted,
        log_probabilities=tuple(round(score, 4) for score in scores),
        letter_mass=round(sum(map(math.exp, scores)), 4) if method == "letter" else None,
        prompt_tokens=300 + len(row["question"]) // 4,
    )


def _write_training(folder: Path, variant: SimulatedVariant, seed: int) -> None:
    generator = np.random.default_rng([seed, zlib.crc32(variant.name.encode())])
    steps = np.arange(10, 801, 10)
    losses = 0.25 + 1.3 * np.exp(-steps * variant.rate * 60) + generator.normal(0, 0.03, len(steps))
    rates = variant.rate * np.minimum(steps / 30, 0.5 * (1 + np.cos(np.pi * steps / 800)))
    lines = [
        {
            "step": int(step),
            "epoch": round(step / 400, 4),
            "loss": round(float(loss), 4),
            "learning_rate": float(rate),
            "gradient_norm": round(float(generator.uniform(0.4, 1.2)), 3),
            "tokens": int(step) * 1200,
            "seconds": round(float(step) * 0.3, 2),
            "skipped": 0,
        }
        for step, loss, rate in zip(steps, losses, rates, strict=True)
    ]
    header = {"kind": "training", "fingerprint": fingerprint([variant.name, "training"])}
    write_lines(folder / variant.name / "training.jsonl", header, lines)


def _config(name: str, planted: Sequence[SimulatedVariant], prepared: Prepared, seed: int) -> ExperimentConfig:
    general = tuple(
        GeneralConfig(kind=suite.name, path=None if suite.name.startswith("demo") else "mmlu", method=suite.method)
        for suite in prepared.suites
    )
    target = SqlTarget(kind="demo") if prepared.size == "demo" else SqlTarget(path="spider")
    configured = tuple(variant.config() for variant in planted)
    return ExperimentConfig(
        name=name, variants=configured, general=general, target=target, prompt=PromptConfig(), seed=seed
    )


def _write_prepared(folder: Path, prepared: Prepared, left_out: dict[str, int]) -> None:
    suites = {suite.name: _suite_header(suite) for suite in prepared.suites}
    files: dict[File, Record] = {"sql": {}, "train": {"left_out": left_out}, "choice": {"suites": suites}}
    for name, more in files.items():
        header = {"kind": f"prepared-{name}", "fingerprint": prepared.mark(name), **more}
        write_lines(folder / "prepared" / f"{name}.jsonl", header, prepared.rows(name))


def _suite_header(suite: SuiteQuestions) -> Record:
    return {"chance": 0.25, "shots": 5, "method": suite.method, "notes": []}


def _write_manifest(
    folder: Path, config: ExperimentConfig, planted: Sequence[SimulatedVariant], prepared: Prepared
) -> None:
    variants: dict[str, Record] = {BASELINE: _entry(SimulatedVariant(BASELINE), len(prepared.train), "baseline")}
    variants |= {variant.name: _entry(variant, len(prepared.train), variant.kind) for variant in planted}
    work = [{"stage": "prepare", "variant": None, "seconds": 3.5, "ended": "2026-01-01T00:00:00+00:00"}]
    for name, entry in variants.items():
        stages = {"train": entry["seconds"], "generate": 40.0, "score": 2.0, "choice": 60.0}
        work += [
            {"stage": stage, "variant": name, "seconds": seconds, "ended": "2026-01-01T00:10:00+00:00"}
            for stage, seconds in stages.items()
            if seconds
        ]
    manifest = {
        "name": config.name,
        "config": config.as_dict(),
        "versions": {"paretune": "0.1.0", "torch": "2.13.0", "transformers": "5.17.0"},
        "hardware": {"device": "cpu", "cores": 2, "memory_gib": 16},
        "git_commit": "0" * 40,
        "data": {"target/dev.json": fingerprint("dev") * 4, **_database_hashes(prepared)},
        "model": {
            "name": config.model.path,
            "weights": WEIGHTS,
            "precision": "float32",
            "quantization": "none",
            "device": "cpu",
        },
        "work": work,
        "variants": variants,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _entry(variant: SimulatedVariant, rows: int, kind: str) -> Record:
    trained = kind == "trained"
    return {
        "kind": kind,
        "source": variant.source,
        "adapter_scale": None if kind == "baseline" else variant.adapter_scale,
        "checkpoint": variant.checkpoint,
        "train_rows": rows if trained else 0,
        "left_out_rows": 0,
        "steps": 800 if trained else 0,
        "skipped_steps": 0,
        "tokens": 960_000 if trained else 0,
        "seconds": 240.0 if trained else 0.0,
    }
