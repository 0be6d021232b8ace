"""Which schema in the prompt suits a model, untrained and tuned?

    python -m benchmarks.schemas --model DIR|GGUF --data SPIDER --out DIR [--schemas create_table,compact,m-schema]
        [--experiment experiments/schemas-1.5b.toml] [--set KEY=VALUE]

Trains, answers and judges the experiment once per schema, the base loaded once, in run folders DIR/SCHEMA that a later
call continues; then prints one table of all schemas whose folders are complete, and writes it to DIR/schemas.json.
Verdicts are reached while the next variant is trained. A folder is a run like any other: `paretune report DIR/SCHEMA`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from paretune.analysis.axes import target_axis
from paretune.config import ExperimentConfig
from paretune.config.read import load_experiment
from paretune.engines.hf.engine import describe_model
from paretune.models.load import LoadedModel, ModelHandle
from paretune.pipeline.cells import cells_of, work
from paretune.pipeline.session import Session, describe_machine
from paretune.pipeline.start import start
from paretune.run.folder import RunFolder, work_seconds
from paretune.run.load import load_run
from paretune.stats.intervals import accuracy_interval
from paretune.stats.seeds import seed_effect
from paretune.text import voice_named

SCHEMAS = {  # settings of each; the shapes that a reader may choose between
    "create_table": ("prompt.schema=create_table",),
    "compact": ("prompt.schema=compact",),
    "m-schema": ("prompt.schema=m-schema", "prompt.sample_values=3"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="directory or GGUF file")
    parser.add_argument("--data", type=Path, required=True, help="Spider's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--schemas", default=",".join(SCHEMAS))
    parser.add_argument("--experiment", type=Path, default=Path("experiments/schemas-1.5b.toml"))
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    arguments = parser.parse_args()
    given = [f"model.path={Path(arguments.model).resolve()}", f"target.path={arguments.data.resolve()}"]
    schemas = {name: load_experiment(arguments.experiment, [*given, *SCHEMAS[name], *arguments.settings])
               for name in arguments.schemas.split(",")}  # fmt: skip
    base: LoadedModel | None = None
    for name, config in schemas.items():
        begun = time.perf_counter()
        base = work_through(config, RunFolder(arguments.out / name), base)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    rows = [row for name in SCHEMAS if (arguments.out / name).is_dir() for row in rows_of(name, arguments.out / name)]
    print(table(rows))
    record = {"machine": describe_machine(), "rows": rows}
    (arguments.out / "schemas.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def work_through(config: ExperimentConfig, folder: RunFolder, base: LoadedModel | None) -> LoadedModel:
    """Train, answer and judge what is missing; returns the base model."""
    session = Session(config, folder, voice_named("en"), print, _model=None if base is None else ModelHandle.of(base))
    variants = config.all_variants()
    choices = start(session, variants)
    base = session.base
    folder.update_manifest({"model": describe_model(base)})
    with folder.side_by_side(), ThreadPoolExecutor(1) as beside:
        judged: list[Future[None]] = []
        for cell in cells_of(config, session.task.facets.lines, variants):
            if cell.kind == "judge":
                judged.append(beside.submit(work, session, cell, choices))
            elif cell.variant:
                work(session, cell, choices)
        for verdicts in judged:
            verdicts.result()
    return base


def rows_of(schema: str, folder: Path) -> list[dict[str, Any]]:
    """Accuracy of the base, of every training, and of the recipe over all seeds."""
    run = load_run(folder)
    axis = target_axis(run)
    tokens = [question.prompt_tokens or 0 for question in run.questions]
    training = [variant.entry.tokens for variant in run.variants[1:]]
    facts = {"schema": schema, "questions": len(axis.ids), "prompt_tokens": round(float(np.mean(tokens)), 1)}
    rows: list[dict[str, Any]] = []
    for place, variant in enumerate(run.variants):
        seconds = work_seconds(run.manifest, variant.name, variant.headers)
        rows.append({
            **facts, "what": variant.name,
            **_figure(accuracy_interval(axis.correct[:, place], axis.clusters)),
            "training_tokens": training[place - 1] if place else None,
            "train_seconds": seconds.get("train"), "answer_seconds": seconds.get("generate"),
        })  # fmt: skip
    tuned = axis.correct[:, 1:].T
    if len(tuned) > 1:
        accuracy = seed_effect(np.zeros(len(axis.ids), dtype=bool), tuned, axis.clusters)  # questions and seeds random
        gain = seed_effect(axis.correct[:, 0], tuned, axis.clusters)
        rows.append({
            **facts, "what": f"mean of {len(tuned)} seeds", **_figure(accuracy.interval),
            "gain": _figure(gain.interval), "seed_deviation": gain.seed_deviation,
        })  # fmt: skip
    return rows


def _figure(interval: Any) -> dict[str, float]:
    return {"accuracy": round(interval.estimate, 2), "low": round(interval.low, 2), "high": round(interval.high, 2)}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = ["| schema | variant | execution accuracy, % | prompt tokens | train, s | write SQL, s |",
             "| :-- | :-- | --: | --: | --: | --: |"]  # fmt: skip
    for row in rows:
        seconds = (f"{row[key]:.1f}" if row.get(key) is not None else "" for key in ("train_seconds", "answer_seconds"))
        accuracy = f"{row['accuracy']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        lines.append(f"| {row['schema']} | {row['what']} | {accuracy} | {row['prompt_tokens']:.0f} | "
                     f"{' | '.join(seconds)} |")  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
