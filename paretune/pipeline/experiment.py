"""Whole experiments: the stages in their order, what is done already, and what would be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.config import BASELINE, EngineConfig, VariantConfig
from paretune.errors import ParetuneError
from paretune.pipeline.cells import cells_of, work
from paretune.pipeline.check import find_problems, find_remarks
from paretune.pipeline.cluster import run_cells
from paretune.pipeline.done import PartDone, known_rows, list_progress
from paretune.pipeline.doubts import trained_on_the_test
from paretune.pipeline.pace import Course, Speeds, Work, describe_time, earlier_speeds
from paretune.pipeline.prepare import (
    GeneralData,
    prepare,
    read_general,
    read_target,
)
from paretune.pipeline.repair import repair
from paretune.pipeline.samples import FILE as SAMPLES
from paretune.pipeline.samples import Drawing
from paretune.pipeline.session import Session, describe_machine
from paretune.pipeline.start import note_kinds, start
from paretune.run.jsonl import count_lines
from paretune.run.load import Run
from paretune.sources.store import with_stored_paths
from paretune.sql.spider import data_name
from paretune.tasks import TargetData
from paretune.training.sft import total_steps

if TYPE_CHECKING:
    from paretune.analysis.results import Comparison
    from paretune.pipeline.report import Claims


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. problems: what it would stop at; remarks: what makes its figures doubtful."""

    text: str
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def run_all(
    session: Session, variants: Sequence[VariantConfig], claims: Claims, target_data: Path | None = None,
    *, cluster: str | None = None,
) -> tuple[Run, Comparison]:  # fmt: skip
    """All stages for these variants, and the baseline, which every table compares with; returns what there is to tell.
    target_data: as in report_folder. cluster: where to train and answer, if not in this process."""
    baseline = session.config.variant(BASELINE)
    variants = variants if baseline in variants else [baseline, *variants]
    if cluster is None:
        train_and_evaluate(session, variants)
    else:
        run_cells(session, variants, cluster)
    session.release()
    from paretune.pipeline.report import report_session

    return report_session(session, claims, target_data)


def train_and_evaluate(session: Session, variants: Sequence[VariantConfig], *, training: bool = True) -> None:
    """Prepare, then train and evaluate each variant: the ones that others derive from come first.

    Without training, what is prepared already from these settings is used as it is: the data need not be there.
    """
    choices = start(session, variants, training=training)
    session.course = _course(session, sorted(variants, key=lambda variant: variant.source is not None), len(choices))
    cells = cells_of(session.config, session.task.facets.lines, variants, training=training)
    for name, group in groupby(cells, key=lambda cell: cell.variant):
        if session.course is not None and name in session.course.variants:
            session.say(session.course.says(name))
        for cell in group:
            if name:
                work(session, cell, choices)


def train_only(session: Session, variants: Sequence[VariantConfig]) -> None:
    """Prepare and train."""
    from paretune.pipeline.train import train

    prepare(session)
    note_kinds(session)
    for variant in sorted(variants, key=lambda variant: variant.source is not None):
        train(session, variant)
        repair(session, variant)


def describe_plan(session: Session) -> Plan:
    """What a run would do and what would stop it, after reading all data but no weights."""
    session.config = with_stored_paths(session.config)
    target, general = read_target(session.config, session.task), read_general(session.config)
    engine = session.config.engine
    lines = [f"experiment {session.config.name} in {session.folder.path}", f"model {session.config.model.path}"]
    if engine != EngineConfig():
        lines.append(f"engine {engine.kind}")
    lines.append(_describe_target(session, target))
    lines.extend(_describe_general(item) for item in general)
    rows = list_progress(session)[0]
    states = _states(rows)
    for variant in session.config.all_variants():
        what = _describe_variant(variant, len(target.training))
        lines.append(f"variant {variant.name}: {what}{states.get(variant.name, '')}")
    owed = sum(len(item.questions) * len(item.methods) for item in general)
    todo = todo_of(session, rows, {"train": len(target.training), "answers": len(target.questions), "choice": owed})
    lines.append(_describe_time(session, todo))
    doubts = session.task.doubts(session.config, target)
    remarks = (*trained_on_the_test(target), *doubts, *find_remarks(session))
    return Plan("\n".join(lines), tuple(find_problems(session, target)), remarks)


def _states(rows: Sequence[PartDone]) -> dict[str, str]:
    """By variant, what of it is done already and what would be made anew, for the end of a line."""
    parts: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        parts.setdefault(row.variant, {}).setdefault(row.state, []).append(row.part)
    words = {"done": "done already", "outdated": "outdated, would be made anew"}
    return {
        variant: "".join(f"; {words[state]}: {', '.join(states[state])}" for state in words if state in states)
        for variant, states in parts.items()
    }


def todo_of(session: Session, rows: Sequence[PartDone], counts: Mapping[str, int]) -> list[Work]:
    """What is not done yet. counts: training rows, and the answers that a whole variant has, of each part."""
    stages = {"adapter": "train", "answers": "generate", session.task.facets.lines: "score", "choice": "choice"}
    todo = []
    for row in rows:
        if not row.variant or row.state == "done":
            continue
        training = session.config.variant(row.variant).training
        if row.part == "adapter" and training is None:
            continue  # a repair takes seconds
        if row.part == "adapter" and training is not None:
            steps = total_steps(counts["train"], training)
            todo.append(Work(row.variant, "train", steps, training.batch_size * training.accumulation_steps))
        else:
            whole = counts["choice" if row.part == "choice" else "answers"]
            done = row.done if row.state == "missing" else 0
            stage = stages[row.part]
            drawn = Drawing.of(session.config).samples if stage == "generate" else 1
            if drawn > 1:  # one of them counts; what is drawn already goes on where it ended
                done = count_lines(session.folder.variant(row.variant, SAMPLES)) if row.state == "missing" else 0
            todo.append(Work(row.variant, stage, max(0, whole * drawn - done)))
    return todo


def like_this(session: Session) -> tuple[Speeds, int]:
    """The speeds of the runs beside this one with its model, task and machine, and how many these are."""
    like = {"config": session.config.as_dict(), "hardware": describe_machine()["hardware"]}
    return earlier_speeds(session.folder.path.absolute().parent, like)


def _describe_time(session: Session, todo: Sequence[Work]) -> str:
    speeds, count = like_this(session)
    return describe_time(todo, speeds, count, session.folder.path.parent)


def _course(session: Session, variants: Sequence[VariantConfig], choices: int) -> Course | None:
    """Where the run stands; None where that cannot be found out, which stops nothing: the stage itself will say why."""
    try:
        rows = known_rows(session)
    except ParetuneError:
        return None
    prepared = {row.part: row.done for row in rows if not row.variant}
    lines = session.task.facets.lines
    counts = {"train": prepared["prepared/train"], "answers": prepared[f"prepared/{lines}"], "choice": choices}
    speeds, _ = earlier_speeds(session.folder.path.absolute().parent, session.folder.read_manifest())
    names = tuple(variant.name for variant in variants)
    return Course(names, [work for work in todo_of(session, rows, counts) if work.variant in names], speeds)


def _describe_target(session: Session, target: TargetData) -> str:
    facets, clusters = session.task.facets, {question.cluster for question in target.questions}
    name = data_name(session.config.as_dict()["target"], clusters) or session.config.target.kind
    return (
        f"target {name}: {len(target.questions)} questions in {len(clusters)} "
        f"{facets.cluster if len(clusters) == 1 else facets.clusters}, {len(target.training)} training rows"
    )


def _describe_general(item: GeneralData) -> str:
    subjects = len({question.subject for question in item.questions})
    return (
        f"general {item.suite.name}: {len(item.questions)} questions in {subjects} subjects, "
        f"{'several numbers of' if item.shots is None else item.shots} shots, by {' and '.join(item.methods)}"
    )


def _describe_variant(variant: VariantConfig, rows: int) -> str:
    if variant.training is not None:
        return f"train {total_steps(rows, variant.training)} steps at {variant.training.peak_learning_rate:g}, evaluate"
    return "evaluate" if variant.repair is None else f"repair {variant.source} by {variant.repair}, evaluate"
