"""What of an experiment is done, what is missing, and what the next run would make anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from paretune.config import BASELINE
from paretune.errors import ParetuneError
from paretune.pipeline.choices import read_choices
from paretune.pipeline.conditions import training_fingerprint
from paretune.pipeline.evaluate import answer_headers, verdicts_header
from paretune.pipeline.prepare import data_hashes, prepare, read_general, read_target
from paretune.pipeline.repair import repair_fingerprint
from paretune.pipeline.session import Session, prepared_mark
from paretune.report.text_table import Table
from paretune.run.folder import RunFolder, same_fingerprint
from paretune.run.jsonl import count_lines, read_header, read_lines
from paretune.run.load import task_of
from paretune.sources.store import with_stored_paths
from paretune.text import Voice
from paretune.training.sft import is_trained


@dataclass(frozen=True, slots=True)
class PartDone:
    """One line of `paretune list`. done: lines there; wanted: lines a whole file has (None where not known yet);
    outdated: other settings or data made it, and the next `run` makes it anew; fingerprint: which the settings ask
    for, "" where that is not known."""

    variant: str
    part: str
    done: int
    wanted: int | None
    state: Literal["done", "missing", "outdated"]
    fingerprint: str = ""


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
    variants = {variant.name: variant.makes_adapter for variant in session.config.all_variants()}
    lines = session.task.facets.lines
    return _rows(session.folder, lines, variants, known or _Known.unchecked(session)), reason


def folder_progress(folder: RunFolder) -> list[PartDone]:
    """What is done in a run folder by itself, without its experiment file: lines are counted, and headers must name
    what is asked and what was answered."""
    manifest = folder.read_manifest()
    lines = task_of(manifest).facets.lines
    configured = [item for item in manifest.get("config", {}).get("variants", ()) if item.get("name")]
    trained = {str(item["name"]): bool(item.get("training") or item.get("repair")) for item in configured}
    if not configured:
        noted = manifest.get("variants", {})
        kinds = ("trained", "repaired")
        trained = {str(name): entry.get("kind") in kinds for name, entry in noted.items() if name != BASELINE}
    return _rows(folder, lines, {BASELINE: False, **trained}, _Known.of_headers(folder, lines, trained))


def listing(folder: RunFolder, rows: Sequence[PartDone], voice: Voice, reason: str = "") -> Table:
    """`paretune list`: a row per variant. reason: why nothing was checked against the settings."""
    say = voice.say
    lines = rows[0].part.removeprefix("prepared/")
    variants = [name for name in dict.fromkeys(row.variant for row in rows) if name]
    parts = {(row.variant, row.part): row for row in rows}
    table = []
    complete = 0
    for name in variants:
        complete += all(parts[name, part].state == "done" for part in ("answers", lines, "choice"))
        adapter = parts.get((name, "adapter"))
        table.append(
            (
                name,
                "–" if adapter is None else say(adapter.state),
                _cell([parts[name, "answers"], parts[name, lines]], voice),
                _cell([parts[name, "choice"]], voice),
                _last_change(folder.path / name),
            )
        )
    prepared = [row for row in rows if not row.variant]
    notes = [say("list.prepared", parts=tuple(
        f"{row.part.removeprefix('prepared/')} {_cell([row], voice)}" for row in prepared))]  # fmt: skip
    if reason:
        notes.append(say("list.unchecked", reason=reason))
    notes.append(say("list.complete", complete=complete, count=len(variants)))
    page = folder.report / "index.html"
    if page.is_file():
        notes.append(say("terminal.page", path=str(page.resolve())))
    header = (say("variant"), say("training"), say("target"), say("general"), say("last change"))
    return Table(str(folder.path), header, tuple(table), tuple(notes))


def _cell(parts: Sequence[PartDone], voice: Voice) -> str:
    """How far one thing is: its lines, and in words what speaks against them. parts: one made from the other."""
    first, last = parts[0], parts[-1]
    if any(part.state == "outdated" for part in parts):
        return f"{first.done}/{first.wanted} {voice.say('outdated')}"
    if not first.done:
        return voice.say("missing")
    if first.wanted is None or first.done < first.wanted:
        share = f" ({100 * first.done // first.wanted} %)" if first.wanted else ""
        return f"{first.done}/{first.wanted or '?'}{share}"
    return f"{first.done}/{first.wanted}" + ("" if last.state == "done" else f" {voice.say('not judged')}")


def _last_change(folder: Path) -> str:
    """When a variant's files changed last, in local time; "" where there is none."""
    times = [path.stat().st_mtime for path in folder.glob("*.jsonl")]
    return datetime.fromtimestamp(max(times)).strftime("%Y-%m-%d %H:%M") if times else ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What whole files hold. lines: of each prepared file, and "owed" to choice.jsonl; marks: fingerprint by (variant,
    part), of an adapter that of its training; None where it was not found out."""

    lines: dict[str, int | None]
    marks: dict[tuple[str, str], str] | None

    @classmethod
    def unchecked(cls, session: Session) -> _Known:
        """The lines of what is prepared in the folder, by no fingerprint."""
        return cls(_lines_wanted(session.folder, session.task.facets.lines), None)

    @classmethod
    def of_headers(cls, folder: RunFolder, lines: str, trained: Mapping[str, bool]) -> _Known:
        """What the headers of a folder ask of each other: answers those of the prepared questions, verdicts those of
        the answers."""
        asked = {name: str(read_header(folder.prepared(name)).get("fingerprint", "")) for name in _prepared(lines)}
        marks = {("", f"prepared/{name}"): mark for name, mark in asked.items()}
        for variant in (BASELINE, *trained):
            answers, verdicts, choice = (
                read_header(folder.variant(variant, f"{name}.jsonl")) for name in ("answers", lines, "choice")
            )
            own = {"answers": (answers, answers.get("prepared") == asked[lines]),
                   lines: (verdicts, verdicts.get("answers") == answers.get("fingerprint")),
                   "choice": (choice, choice.get("prepared") == asked["choice"])}  # fmt: skip
            marks |= {(variant, part): str(header.get("fingerprint")) for part, (header, fresh) in own.items() if fresh}
        return cls(_lines_wanted(folder, lines), marks)

    @classmethod
    def of(cls, session: Session, prepared: RunFolder) -> _Known:
        """The fingerprints that the stages would ask for. prepared: where what is asked now lies."""
        choices = read_choices(prepared, session.config.general)
        marks = {
            ("", f"prepared/{name}"): prepared_mark(prepared, name) for name in _prepared(session.task.facets.lines)
        }
        trained = set()
        for variant in sorted(session.config.all_variants(), key=lambda variant: variant.source is not None):
            owner = session.config.variant(variant.source or variant.name)
            if variant.is_trained:
                marks[variant.name, "adapter"] = training_fingerprint(session, variant, prepared)
                if is_trained(session.folder.path / variant.name, marks[variant.name, "adapter"]):
                    trained.add(variant.name)
            if owner.is_trained and owner.name not in trained:
                continue  # no answers can be those of an adapter that is not made yet
            if variant.repair is not None:
                marks[variant.name, "adapter"] = repair_fingerprint(session, variant)
                if not is_trained(session.folder.path / variant.name, marks[variant.name, "adapter"]):
                    continue
            answers, choice = answer_headers(session, variant, choices, prepared)
            verdicts = verdicts_header(session, answers["fingerprint"], prepared)
            for part, header in (("answers", answers), (session.task.facets.lines, verdicts), ("choice", choice)):
                marks[variant.name, part] = str(header["fingerprint"])
        return cls(_lines_wanted(prepared, session.task.facets.lines), marks)


@contextmanager
def _prepared_now(session: Session) -> Iterator[RunFolder]:
    """Where lies what would be asked now: in the run folder if settings and data are those of its manifest, else in a
    passing folder, prepared for this purpose."""
    target, general = read_target(session.config, session.task), read_general(session.config)
    manifest = session.folder.read_manifest()
    config = json.loads(json.dumps(session.config.as_dict()))
    if (manifest.get("config"), manifest.get("data")) == (config, data_hashes(target, general)):
        yield session.folder
        return
    with TemporaryDirectory(prefix="paretune-") as folder:
        passing = replace(session, folder=RunFolder(Path(folder)), say=lambda _: None)
        prepare(passing)
        yield passing.folder


def known_rows(session: Session) -> list[PartDone]:
    """`list_progress` of what has just been prepared in the run folder; data are not read again."""
    variants = {variant.name: variant.makes_adapter for variant in session.config.all_variants()}
    return _rows(session.folder, session.task.facets.lines, variants, _Known.of(session, session.folder))


def _prepared(lines: str) -> tuple[str, ...]:
    return lines, "train", "choice"


def _rows(folder: RunFolder, lines: str, variants: Mapping[str, bool], known: _Known) -> list[PartDone]:
    """variants: whether an adapter of each is made here."""
    rows = [_row(known, "", f"prepared/{name}", folder.prepared(name), known.lines[name]) for name in _prepared(lines)]
    for variant, trained in variants.items():
        if trained:
            rows.append(_adapter_row(folder, known, variant))
        for part, wanted in (("answers", lines), (lines, lines), ("choice", "owed")):
            rows.append(_row(known, variant, part, folder.variant(variant, f"{part}.jsonl"), known.lines[wanted]))
    return rows


def _row(known: _Known, variant: str, part: str, path: Path, wanted: int | None) -> PartDone:
    done, mark = count_lines(path), (known.marks or {}).get((variant, part), "")
    if known.marks is not None and path.exists() and not same_fingerprint(path, mark):
        return PartDone(variant, part, done, wanted, "outdated", mark)
    return PartDone(variant, part, done, wanted, "done" if wanted is not None and done >= wanted else "missing", mark)


def _adapter_row(folder: RunFolder, known: _Known, variant: str) -> PartDone:
    own, mark = folder.path / variant, (known.marks or {}).get((variant, "adapter"), "")
    if not (own / "adapter" / "adapter_config.json").is_file():
        return PartDone(variant, "adapter", 0, 1, "missing", mark)
    return PartDone(variant, "adapter", 1, 1, "done" if not mark or is_trained(own, mark) else "outdated", mark)


def _lines_wanted(prepared: RunFolder, lines: str) -> dict[str, int | None]:
    """Lines of the prepared files, and the answers that a variant owes to choice.jsonl: three per question of a suite
    that is asked by all methods."""
    there = {name: prepared.prepared(name) for name in _prepared(lines)}
    counts = {name: count_lines(path) if path.exists() else None for name, path in there.items()}
    suites = read_header(there["choice"]).get("suites", {})
    by_all = [name for name, suite in suites.items() if suite["method"] == "all"]
    counts["owed"] = counts["choice"]
    if by_all:
        records = read_lines(there["choice"])[1]
        counts["owed"] = len(records) + 2 * sum(record["suite"] in by_all for record in records)
    return counts
