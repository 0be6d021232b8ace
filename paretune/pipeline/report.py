"""Tables, plots and the page of a run folder, from the folder alone: neither experiment file nor weights are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.errors import ParetuneError, RunFolderError
from paretune.pipeline.dial import read_dials
from paretune.pipeline.looked import read_search
from paretune.pipeline.session import Session
from paretune.report.page import write_page, write_unfinished_page
from paretune.report.page.validation import OnValidation
from paretune.report.plots import write_plots
from paretune.report.runs_page import RunEntry, write_runs_page
from paretune.report.screen import Screen
from paretune.report.search import write_search
from paretune.report.tables import print_tables, write_tables
from paretune.report.verdict import closing_text
from paretune.run.folder import RunFolder
from paretune.run.load import Run, load_run, seed_of
from paretune.text import Voice


@dataclass(frozen=True, slots=True)
class Claims:
    """What the command line asks for. margin_points, budget_points: instead of those that the experiment states, which
    is then said; every_pair: compare all variants with each other too."""

    margin_points: float | None = None
    budget_points: float | None = None
    every_pair: bool = False


def compare_folder(
    run: Run,
    voice: Voice,
    say: Callable[[str], None],
    claims: Claims = Claims(),
    *,
    into: RunFolder | None,
) -> Comparison:
    """Compare a run, say which variants are left out, and write the tables. Raises as compare_run.

    into: the folder whose tables/* are written, usually the run's own; None writes nothing.
    """
    comparison = compare_run(
        run,
        seed=seed_of(run.manifest),
        margin_points=claims.margin_points,
        budget_points=claims.budget_points,
        every_pair=claims.every_pair,
    )
    for name, missing in comparison.incomplete.items():
        say(f"{name}: left out of the tables ({'; '.join(missing)})")
    if into is not None:
        write_tables(comparison, into.tables, voice)
    return comparison


def report_session(
    session: Session, claims: Claims = Claims(), target_data: Path | None = None
) -> tuple[Run, Comparison]:
    """Tables, plots and page of what lies in the folder. target_data: as in report_folder."""
    run = load_run(session.folder.path)
    comparison = compare_folder(run, session.voice, session.say, claims, into=session.folder)
    with session.folder.timed("report"):
        report_folder(run, comparison, session.voice, target_data, into=session.folder)
    if session.mirror is not None:
        session.mirror.send_figures(comparison)
    return run, comparison


def printed(run: Run, comparison: Comparison, voice: Voice, screen: Screen, into: RunFolder | None) -> str:
    """What a command says of a comparison: the main tables, and last the verdict, the audit's gravest findings, and the
    page if it is there."""
    page = into.report / "index.html" if into is not None else None
    there = page if page is not None and page.exists() else None
    closing = closing_text(comparison, audit_run(run), run.path, voice, there, screen)
    return f"{print_tables(comparison, voice, screen)}\n{closing}"


def report_folder(run: Run, comparison: Comparison, voice: Voice, target_data: Path | None, *, into: RunFolder) -> Path:
    """Write the plots and report/index.html below `into`, usually the run's own folder, and the tables of the search
    that stands behind the run; returns the page's path.

    target_data: the folder from which the task shows more than the lines hold; when None, where the manifest says it
    was, if it is there.
    """
    folder = RunFolder(run.path)
    looked = OnValidation(read_search(folder, comparison), read_dials(folder))
    write_plots(comparison, into.report, voice)
    if looked.search is not None:
        write_search(looked.search, into.tables, into.report, voice)
    there = target_data or run.task.data_folder(run.manifest)
    return write_page(run, comparison, audit_run(run), into.report, voice, target_data=there, looked=looked)


def report_unfinished(run: Run, voice: Voice, *, into: RunFolder) -> Path:
    """Write the page of a run whose base model has not answered everything yet; returns its path."""
    return write_unfinished_page(run, into.report, voice)


def report_runs(folder: Path, voice: Voice, say: Callable[[str], None]) -> Path:
    """Write FOLDER/index.html over all run folders in it; returns it. A run that cannot be compared is named with the
    reason. Raises RunFolderError where there is no run."""
    paths = [path.parent for path in sorted(folder.glob("*/manifest.json"))]
    if not paths:
        raise RunFolderError(f"{folder}: neither a run folder nor a folder of runs; expected manifest.json in it")
    entries = []
    for path in paths:
        try:
            run = load_run(path)
            entries.append(RunEntry(path, compare_run(run, seed=seed_of(run.manifest))))
        except ParetuneError as error:
            say(str(error))
            entries.append(RunEntry(path, None, str(error).removeprefix(f"{path}: ")))
    return write_runs_page(folder, entries, voice)
