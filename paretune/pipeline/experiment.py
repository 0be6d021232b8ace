"""Whole experiments: the stages in their order, what is done already, and what would be done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from paretune.config import BASELINE, EngineConfig, VariantConfig
from paretune.errors import ParetuneError
from paretune.pipeline.prepare import (
    GeneralData,
    data_hashes,
    is_prepared,
    prepare,
    read_general,
    take_prepared,
)
from paretune.pipeline.session import Session, prepared_mark
from paretune.run.folder import RunFolder, same_fingerprint
from paretune.run.jsonl import count_lines, read_header, read_lines
from paretune.run.load import load_run
from paretune.sources.store import with_stored_paths
from paretune.tasks import TargetData

if TYPE_CHECKING:
    from paretune.pipeline.report import Claims


@dataclass(frozen=True, slots=True)
class PartDone:
    """One line of `paretune list`. done: lines there; wanted: lines a whole file has (None where not known yet);
    outdated: other settings or data made it, and the next `run` makes it anew."""

    variant: str
    part: str
    done: int
    wanted: int | None
    state: Literal["done", "missing", "outdated"]


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
        if variant.served is not None:
            kind = "served"
        elif variant.source is not None:
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
    states = _states(session)
    for variant in session.config.all_variants():
        what = _describe_variant(variant, len(target.training))
        lines.append(f"variant {variant.name}: {what}{states.get(variant.name, '')}")
    doubts = session.task.doubts(session.config, target)
    remarks = (*trained_on_the_test(target), *doubts, *find_remarks(session))
    return Plan("\n".join(lines), tuple(find_problems(session, target)), remarks)


def _states(session: Session) -> dict[str, str]:
    """By variant, what of it is done already and what would be made anew, for the end of a line."""
    parts: dict[str, dict[str, list[str]]] = {}
    for row in list_progress(session)[0]:
        parts.setdefault(row.variant, {}).setdefault(row.state, []).append(row.part)
    words = {"done": "done already", "outdated": "outdated, would be made anew"}
    return {
        variant: "".join(f"; {words[state]}: {', '.join(states[state])}" for state in words if state in states)
        for variant, states in parts.items()
    }


def list_progress(session: Session) -> tuple[list[PartDone], str]:
    """What is done, what is missing, and what the next `run` would make anew, by the fingerprints that the stages ask
    for; and why these are not known, where data or weights are not here. No weights are loaded or fetched."""
    session.download = False
    session.config = with_stored_paths(session.config)
    known: _Known | None = None
    reason = ""
    if session.folder.prepared(session.task.facets.lines).exists():
        try:
            with _prepared_now(session) as prepared:
                known = _Known.of(session, prepared)
        except ParetuneError as error:
            reason = str(error)
    return _rows(session, known or _Known.unchecked(session)), reason


def print_progress(session: Session) -> str:
    """`list_progress` as a table."""
    say = session.voice.say
    lines = []
    rows, reason = list_progress(session)
    for row in rows:
        whole = "?" if row.wanted is None else str(row.wanted)
        lines.append(f"{row.variant or '-':<24} {row.part:<16} {row.done:>6} / {whole:<6} {say(row.state)}")
    if reason:
        lines.append(say("list.unchecked", reason=reason))
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Known:
    """What whole files hold. lines: of each prepared file, and "owed" to choice.jsonl; marks: fingerprint by (variant,
    part), of an adapter that of its training; None where it was not found out."""

    lines: dict[str, int | None]
    marks: dict[tuple[str, str], str] | None

    @classmethod
    def unchecked(cls, session: Session) -> _Known:
        """The lines of what is prepared in the folder, by no fingerprint."""
        return cls(_lines_wanted(session, session.folder), None)

    @classmethod
    def of(cls, session: Session, prepared: RunFolder) -> _Known:
        """The fingerprints that the stages would ask for. prepared: where what is asked now lies."""
        from paretune.pipeline.choices import read_choices
        from paretune.pipeline.evaluate import answer_headers, verdicts_header
        from paretune.pipeline.train import training_fingerprint
        from paretune.training.sft import is_trained

        choices = read_choices(prepared, session.config.general)
        marks = {("", f"prepared/{name}"): prepared_mark(prepared, name) for name in _prepared(session)}
        trained = set()
        for variant in session.config.all_variants():
            owner = session.config.variant(variant.source or variant.name)
            if variant.is_trained:
                marks[variant.name, "adapter"] = training_fingerprint(session, variant, prepared)
                if is_trained(session.folder.path / variant.name, marks[variant.name, "adapter"]):
                    trained.add(variant.name)
            if owner.is_trained and owner.name not in trained:
                continue  # no answers can be those of an adapter that is not made yet
            answers, choice = answer_headers(session, variant, choices, prepared)
            verdicts = verdicts_header(session, answers["fingerprint"], prepared)
            for part, header in (("answers", answers), (session.task.facets.lines, verdicts), ("choice", choice)):
                marks[variant.name, part] = str(header["fingerprint"])
        return cls(_lines_wanted(session, prepared), marks)


@contextmanager
def _prepared_now(session: Session) -> Iterator[RunFolder]:
    """Where lies what would be asked now: in the run folder if settings and data are those of its manifest, else in a
    passing folder, prepared for this purpose."""
    target, general = session.task.read(session.config), read_general(session.config)
    manifest = session.folder.read_manifest()
    config = json.loads(json.dumps(session.config.as_dict()))
    if (manifest.get("config"), manifest.get("data")) == (config, data_hashes(target, general)):
        yield session.folder
        return
    with TemporaryDirectory(prefix="paretune-") as folder:
        passing = replace(session, folder=RunFolder(Path(folder)), say=lambda _: None)
        prepare(passing)
        yield passing.folder


def _prepared(session: Session) -> tuple[str, ...]:
    return session.task.facets.lines, "train", "choice"


def _rows(session: Session, known: _Known) -> list[PartDone]:
    lines = session.task.facets.lines
    rows = [
        _row(session, known, "", f"prepared/{name}", session.folder.prepared(name), known.lines[name])
        for name in _prepared(session)
    ]
    for variant in session.config.all_variants():
        if variant.is_trained:
            rows.append(_adapter_row(session, known, variant.name))
        for part, wanted in (("answers", lines), (lines, lines), ("choice", "owed")):
            path = session.folder.variant(variant.name, f"{part}.jsonl")
            rows.append(_row(session, known, variant.name, part, path, known.lines[wanted]))
    return rows


def _row(session: Session, known: _Known, variant: str, part: str, path: Path, wanted: int | None) -> PartDone:
    done = count_lines(path)
    if known.marks is not None and path.exists() and not same_fingerprint(path, known.marks.get((variant, part), "")):
        return PartDone(variant, part, done, wanted, "outdated")
    return PartDone(variant, part, done, wanted, "done" if wanted is not None and done >= wanted else "missing")


def _adapter_row(session: Session, known: _Known, variant: str) -> PartDone:
    from paretune.training.sft import is_trained

    folder = session.folder.path / variant
    if not (folder / "adapter" / "adapter_config.json").is_file():
        return PartDone(variant, "adapter", 0, 1, "missing")
    fresh = known.marks is None or is_trained(folder, known.marks[variant, "adapter"])
    return PartDone(variant, "adapter", 1, 1, "done" if fresh else "outdated")


def _lines_wanted(session: Session, prepared: RunFolder) -> dict[str, int | None]:
    """Lines of the prepared files, and the answers that a variant owes to choice.jsonl: three per question of a suite
    that is asked by all methods."""
    there = {name: prepared.prepared(name) for name in _prepared(session)}
    lines = {name: count_lines(path) if path.exists() else None for name, path in there.items()}
    suites = read_header(there["choice"]).get("suites", {})
    by_all = [name for name, suite in suites.items() if suite["method"] == "all"]
    lines["owed"] = lines["choice"]
    if by_all:
        records = read_lines(there["choice"])[1]
        lines["owed"] = len(records) + 2 * sum(record["suite"] in by_all for record in records)
    return lines


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
