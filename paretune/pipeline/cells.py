"""An experiment as a graph of cells: idempotent pieces of work with what they need and what they write.

A plain run does them in their order in one process, which keeps the model loaded in between. Other processes, on this
machine or others, may do any of them whose needs are done: `work_alone` checks that first, by the fingerprints that the
stages ask for. docs/cluster.md has the recipes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from paretune.config import NO_REPLAY, ExperimentConfig, VariantConfig
from paretune.errors import ConfigError, RunFolderError
from paretune.fields import nearest
from paretune.pipeline.check import check_adapters
from paretune.pipeline.choices import read_choices
from paretune.pipeline.conditions import training_fingerprint
from paretune.pipeline.done import list_progress
from paretune.pipeline.evaluate import answer, answer_headers, asked_questions, choose, is_unusable, score
from paretune.pipeline.prepare import is_prepared, prepare, take_prepared
from paretune.pipeline.repair import repair, repair_fingerprint
from paretune.pipeline.replay import FILE as REPLAY
from paretune.pipeline.session import Session
from paretune.pipeline.start import note_kinds
from paretune.run.folder import is_complete
from paretune.training.sft import is_trained

if TYPE_CHECKING:
    from paretune.pipeline.choices import Choices
    from paretune.pipeline.done import PartDone

Kind = Literal["prepare", "train", "repair", "answer", "choice", "judge", "report"]
State = Literal["done", "missing", "outdated"]
KINDS: tuple[Kind, ...] = ("prepare", "train", "repair", "answer", "choice", "judge", "report")


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece of work. variant: "" for the whole experiment. needs: ids of the cells before it. inputs, outputs:
    files and folders of the run folder."""

    kind: Kind
    variant: str
    needs: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def id(self) -> str:
        """What a user calls it: "prepare", or "train:run-1"."""
        return f"{self.kind}:{self.variant}" if self.variant else self.kind

    @property
    def needs_model(self) -> bool:
        """Whether it loads weights."""
        return self.kind in ("train", "repair", "answer", "choice")


@dataclass(frozen=True, slots=True)
class CellState:
    """A cell and how far it is. fingerprint: of what it writes, as the settings ask for it; "" where not known."""

    cell: Cell
    state: State
    fingerprint: str


def cells_of(
    config: ExperimentConfig, lines: str, variants: Sequence[VariantConfig] | None = None, *, training: bool = True
) -> tuple[Cell, ...]:
    """The cells of an experiment in the order of a plain run: variants that others derive from come first.

    lines: the task's name of its files. variants: these only (all when None). training: whether adapters are made.
    """
    chosen = config.all_variants() if variants is None else variants
    cells = {"prepare": Cell("prepare", "", (), (), ("prepared",))}
    for variant in sorted(chosen, key=lambda variant: variant.source is not None):
        source = variant if variant.source is None else config.variant(variant.source)
        for cell in _cells_of_variant(variant, source, lines, training):
            cells.setdefault(cell.id, cell)
    judged = tuple(cell.id for cell in cells.values() if cell.kind in ("choice", "judge"))
    return (*cells.values(), Cell("report", "", judged, (".",), ("tables", "report")))


def _cells_of_variant(variant: VariantConfig, source: VariantConfig, lines: str, training: bool) -> Iterator[Cell]:
    name, owner = variant.name, source.name
    needs: tuple[str, ...] = ("prepare",)
    inputs: tuple[str, ...] = ("prepared",)
    if source.is_trained:
        files = tuple(f"{owner}/{part}" for part in ("adapter", "training.jsonl", "checkpoints"))
        inputs = (*inputs, *(files if variant.checkpoint is not None else files[:2]))
        if training:
            replay = source.training is not None and source.training.replay != NO_REPLAY
            made = (*files, f"{owner}/{REPLAY}") if replay else files
            yield Cell("train", owner, needs, ("prepared",), made)
            needs = (*needs, f"train:{owner}")
    if variant.repair is not None:
        yield Cell("repair", name, needs, inputs, (f"{name}/adapter",))
        needs, inputs = ("prepare", f"repair:{name}"), ("prepared", f"{name}/adapter")
    yield Cell("answer", name, needs, inputs, (f"{name}/answers.jsonl",))
    yield Cell("choice", name, needs, inputs, (f"{name}/choice.jsonl",))
    answers = (f"{name}/answers.jsonl",)
    yield Cell("judge", name, ("prepare", f"answer:{name}"), ("prepared", *answers), (f"{name}/{lines}.jsonl",))


def find_cells(cells: Sequence[Cell], names: Sequence[str]) -> list[Cell]:
    """The cells of these ids or variants, in the order of a plain run. Raises ConfigError with the nearest name."""
    ids = {cell.id for cell in cells}
    variants = {cell.variant for cell in cells if cell.variant}
    for name in names:
        if name not in ids | variants:
            raise ConfigError(f"no cell {name!r}{nearest(name, sorted(ids | variants))}")
    whole = variants & set(names) - ids
    return [cell for cell in cells if cell.id in names or cell.variant in whole]


def work(session: Session, cell: Cell, choices: Choices) -> None:
    """Do one cell of a variant; nothing where it is done. Raises what its stage raises."""
    from paretune.pipeline.train import train

    variant = session.config.variant(cell.variant)
    if cell.kind == "train":
        session.engine.release()
        train(session, variant)
    elif cell.kind == "repair":
        repair(session, variant)
    elif cell.kind == "answer":
        answer(session, variant, choices)
    elif cell.kind == "choice":
        choose(session, variant, choices)
    else:
        score(session, variant)
    if session.mirror is not None:
        session.mirror.send_work()


def work_alone(session: Session, cell: Cell, *, wait: bool = False) -> None:
    """Do one cell in a folder that other processes may share, after a look at what it needs.

    wait: for a process that is at it.

    Raises RunFolderError where that is not done, or another process is at the cell, and what its stage raises.
    """
    with session.folder.doing(cell.id, wait=wait):
        if cell.kind == "prepare":
            prepare(session)
            note_kinds(session)
            return
        if not is_prepared(session):
            raise _not_yet(session, cell, "prepare")
        take_prepared(session)
        if cell.kind == "report":
            from paretune.pipeline.report import report_session

            report_session(session)
            return
        variant = session.config.variant(cell.variant)
        for remark in check_adapters(session, [variant]):
            session.say(f"note: {remark}")
        choices = read_choices(session.folder, session.config.general)
        _check_needs(session, cell, variant, choices)
        work(session, cell, choices)


def _check_needs(session: Session, cell: Cell, variant: VariantConfig, choices: Choices) -> None:
    """By the fingerprints that the stages before it ask for."""
    if cell.kind == "train":
        return
    owner = session.config.variant(variant.source or variant.name)
    if owner.is_trained and not is_trained(session.folder.path / owner.name, training_fingerprint(session, owner)):
        raise _not_yet(session, cell, f"train:{owner.name}")
    repairs = variant.repair is not None and cell.kind != "repair"
    if repairs and not is_trained(session.folder.path / variant.name, repair_fingerprint(session, variant)):
        raise _not_yet(session, cell, f"repair:{variant.name}")
    if cell.kind == "judge" and not is_unusable(session, variant):
        wanted = answer_headers(session, variant, choices, session.folder)[0]["fingerprint"]
        path = session.folder.variant(variant.name, "answers.jsonl")
        if not is_complete(path, wanted, len(asked_questions(session)[1])):
            raise _not_yet(session, cell, f"answer:{variant.name}")


def _not_yet(session: Session, cell: Cell, need: str) -> RunFolderError:
    return RunFolderError(f"{session.folder.path}: {cell.id} needs {need}, which is not done; do that cell first")


def list_cells(session: Session) -> tuple[list[CellState], str]:
    """Every cell with its state, by the rows of `list_progress`; and why states were not checked against the settings,
    where they were not."""
    rows, reason = list_progress(session)
    return cell_states(session, rows), reason


def cell_states(session: Session, rows: Sequence[PartDone]) -> list[CellState]:
    """Every cell with its state. rows: of all parts of the experiment."""
    lines = session.task.facets.lines
    kinds: Mapping[str, Kind] = {"adapter": "train", "answers": "answer", "choice": "choice", lines: "judge"}
    parts: dict[str, list[PartDone]] = {}
    for row in rows:
        kind = kinds[row.part] if row.variant else "prepare"
        if kind == "train" and not session.config.variant(row.variant).is_trained:
            kind = "repair"
        parts.setdefault(f"{kind}:{row.variant}" if row.variant else kind, []).append(row)
    found: list[CellState] = []
    for cell in cells_of(session.config, lines):
        if cell.kind == "report":
            found.append(CellState(cell, _report_state(session, found), ""))
            continue
        states = {row.state for row in parts[cell.id]}
        worst: State = "outdated" if "outdated" in states else "missing" if "missing" in states else "done"
        found.append(CellState(cell, worst, "+".join(row.fingerprint for row in parts[cell.id] if row.fingerprint)))
    return found


def _report_state(session: Session, others: Sequence[CellState]) -> State:
    """The page holds no fingerprint: it is outdated where a file that it shows is newer, or will be made anew."""
    page = session.folder.report / "index.html"
    if not page.exists():
        return "missing"
    made = page.stat().st_mtime
    shown = [session.folder.path / file for item in others if item.cell.variant for file in item.cell.outputs]
    newer = any(path.stat().st_mtime > made for path in shown if path.is_file())
    return "outdated" if newer or any(item.state != "done" for item in others) else "done"
