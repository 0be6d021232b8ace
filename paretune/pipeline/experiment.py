"""Whole experiments: the stages in their order, what is done already, and what would be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.config import BASELINE, EngineConfig, VariantConfig
from paretune.errors import DataError
from paretune.pipeline.prepare import GeneralData, is_prepared, prepare, read_general, take_prepared
from paretune.pipeline.session import Session
from paretune.run.jsonl import read_lines
from paretune.run.load import load_run
from paretune.sources.store import with_stored_paths
from paretune.tasks import TargetData

if TYPE_CHECKING:
    from paretune.pipeline.report import Claims


@dataclass(frozen=True, slots=True)
class PartDone:
    """One line of `paretune list`. done: lines there; wanted: lines a whole file has (None where not known yet)."""

    variant: str
    part: str
    done: int
    wanted: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. problems: what it would stop at; remarks: what makes its figures doubtful."""

    text: str
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def run_all(
    session: Session, variants: Sequence[VariantConfig], claims: Claims, target_data: Path | None = None
) -> str:
    """All stages for these variants, and the baseline, which every table compares with; returns the tables and the
    verdict as text. target_data: as in report_folder."""
    from paretune.pipeline.report import closing, compare_folder, report_folder

    baseline = session.config.variant(BASELINE)
    train_and_evaluate(session, variants if baseline in variants else [baseline, *variants])
    session.release()
    run = load_run(session.folder.path)
    comparison, text = compare_folder(run, session.voice, session.say, claims, into=session.folder)
    with session.folder.timed("report"):
        report_folder(run, comparison, session.voice, target_data, into=session.folder)
    return f"{text}\n{closing(run, comparison, session.voice, session.folder)}"


def train_and_evaluate(session: Session, variants: Sequence[VariantConfig], *, training: bool = True) -> None:
    """Prepare, then train and evaluate each variant: the ones that others derive from come first.

    Without training, what is prepared already from these settings is used as it is: the data need not be there.
    """
    from paretune.pipeline.check import check_adapters
    from paretune.pipeline.choices import read_choices
    from paretune.pipeline.evaluate import evaluate
    from paretune.pipeline.train import train

    if training or not is_prepared(session):
        prepare(session)
    else:
        take_prepared(session)
    note_kinds(session)
    for remark in check_adapters(session, variants):
        session.say(f"note: {remark}")
    choices = read_choices(session.folder, session.config.general)
    for variant in sorted(variants, key=lambda variant: variant.source is not None):
        source = variant if variant.source is None else session.config.variant(variant.source)
        if training and source.is_trained:
            session.engine.release()
            train(session, source)
        evaluate(session, variant, choices)


def train_only(session: Session, variants: Sequence[VariantConfig]) -> None:
    """Prepare and train."""
    from paretune.pipeline.train import train

    prepare(session)
    note_kinds(session)
    for variant in variants:
        train(session, variant)


def note_kinds(session: Session) -> None:
    """Say in the manifest what each variant is."""
    for variant in session.config.all_variants():
        if variant.source is not None:
            kind = "checkpoint" if variant.checkpoint is not None else "scaled"
        elif variant.adapter is not None:
            kind = "adapter"
        else:
            kind = "trained" if variant.is_trained else "baseline"
        session.note_variant(
            variant.name,
            {"kind": kind, "source": variant.source, "adapter_scale": variant.adapter_scale,
             "checkpoint": variant.checkpoint},
        )  # fmt: skip


def describe_plan(session: Session) -> Plan:
    """What a run would do and what would stop it, after reading all data but no weights."""
    from paretune.pipeline.check import find_problems, find_remarks
    from paretune.pipeline.doubts import trained_on_the_test

    session.config = with_stored_paths(session.config)
    target, general = session.task.read(session.config), read_general(session.config)
    engine = session.config.engine
    lines = [f"experiment {session.config.name} in {session.folder.path}", f"model {session.config.model.path}"]
    if engine != EngineConfig():
        lines.append(f"engine {engine.kind}")
    lines.append(_describe_target(session, target))
    lines.extend(_describe_general(item) for item in general)
    for variant in session.config.all_variants():
        lines.append(f"variant {variant.name}: {_describe_variant(variant, len(target.training))}")
    doubts = session.task.doubts(session.config, target)
    remarks = (*trained_on_the_test(target), *doubts, *find_remarks(session))
    return Plan("\n".join(lines), tuple(find_problems(session, target)), remarks)


def list_progress(session: Session) -> list[PartDone]:
    """What is done and what is missing, from the files alone."""
    rows = []
    lines = session.task.facets.lines
    wanted = {name: _count(session.folder.prepared(name)) for name in (lines, "train", "choice")}
    for name, count in wanted.items():
        rows.append(PartDone("", f"prepared/{name}", count or 0, count))
    choice = _choice_lines(session.folder.prepared("choice"))
    for variant in session.config.all_variants():
        if variant.is_trained:
            trained = (session.folder.variant(variant.name, "adapter") / "adapter_config.json").is_file()
            rows.append(PartDone(variant.name, "adapter", int(trained), 1))
        for part, whole in (("answers", wanted[lines]), (lines, wanted[lines]), ("choice", choice)):
            done = _count(session.folder.variant(variant.name, f"{part}.jsonl")) or 0
            rows.append(PartDone(variant.name, part, done, whole))
    return rows


def print_progress(session: Session) -> str:
    """`list_progress` as a table."""
    say = session.voice.say
    lines = []
    for row in list_progress(session):
        whole = "?" if row.wanted is None else str(row.wanted)
        state = say("done") if row.wanted is not None and row.done >= row.wanted else say("missing")
        lines.append(f"{row.variant or '-':<24} {row.part:<16} {row.done:>6} / {whole:<6} {state}")
    return "\n".join(lines)


def _choice_lines(path: Path) -> int | None:
    """Answers that a variant owes to prepared/choice.jsonl: three a question of a suite asked by all methods."""
    try:
        header, records = read_lines(path)
    except DataError:
        return None
    by_all = {name for name, suite in header.get("suites", {}).items() if suite.get("method") == "all"}
    return sum(3 if record["suite"] in by_all else 1 for record in records)


def _count(path: Path) -> int | None:
    try:
        return len(read_lines(path)[1])
    except DataError:
        return None


def _describe_target(session: Session, target: TargetData) -> str:
    clusters = len({question.cluster for question in target.questions})
    return (
        f"target {session.config.target.kind}: {len(target.questions)} questions in {clusters} "
        f"{session.task.facets.clusters}, "
        f"{len(target.training)} training rows"
    )


def _describe_general(item: GeneralData) -> str:
    subjects = len({question.subject for question in item.questions})
    return (
        f"general {item.suite.name}: {len(item.questions)} questions in {subjects} subjects, "
        f"{'several numbers of' if item.shots is None else item.shots} shots, by {' and '.join(item.methods)}"
    )


def _describe_variant(variant: VariantConfig, rows: int) -> str:
    if variant.training is not None:
        from paretune.training.sft import total_steps

        return f"train {total_steps(rows, variant.training)} steps at {variant.training.peak_learning_rate:g}, evaluate"
    return "evaluate"
