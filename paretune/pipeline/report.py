"""Tables, plots and the page of a run folder, from the folder alone: neither experiment file nor weights are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.report.plots import write_plots
from paretune.report.tables import print_tables, write_tables
from paretune.run.folder import RunFolder
from paretune.run.jsonl import Record
from paretune.run.load import Run
from paretune.text import Voice

DEFAULT_SEED = 42


@dataclass(frozen=True, slots=True)
class Claims:
    """What is stated before looking. margin_points: the loss that would not matter; budget_points: the loss that the
    chosen variant may have (the margin when absent); every_pair: compare all variants with each other too."""

    margin_points: float = 1.0
    budget_points: float | None = None
    every_pair: bool = False


def compare_folder(
    run: Run,
    voice: Voice,
    say: Callable[[str], None],
    claims: Claims = Claims(),
    *,
    into: RunFolder | None,
) -> tuple[Comparison, str]:
    """Compare a run; returns the comparison and the text of the main tables, and says what makes figures unusable.
    Raises as compare_run.

    into: the folder whose tables/* are written, usually the run's own; None writes nothing.
    """
    comparison = compare_run(
        run,
        seed=int(run.config.get("seed", DEFAULT_SEED)),
        margin_points=claims.margin_points,
        budget_points=claims.budget_points,
        every_pair=claims.every_pair,
    )
    for name, missing in comparison.incomplete.items():
        say(f"{name}: left out of the tables ({'; '.join(missing)})")
    if into is not None:
        write_tables(comparison, into.tables, voice)
    for finding in audit_run(run):
        if finding.level == "invalid":
            evidence, advice = finding.say(voice)
            say(f"{voice.say('invalid').upper()}  {evidence}. {advice}")
    return comparison, print_tables(comparison, voice)


def report_folder(run: Run, comparison: Comparison, voice: Voice, databases: Path | None, *, into: RunFolder) -> Path:
    """Write the plots and report/index.html below `into`, usually the run's own folder; returns the page's path.

    databases: folder of <db_id>/<db_id>.sqlite; when None, where the manifest says they were, if they are there.
    """
    from paretune.report.page import write_page

    write_plots(comparison, into.report, voice)
    there = databases or databases_of(run.manifest)
    return write_page(run, comparison, audit_run(run), into.report, voice, databases=there)


def databases_of(manifest: Record) -> Path | None:
    """The databases that a run was asked about, where they lie on this machine; None where they do not."""
    from paretune.demo.build import demo_directory

    target = manifest.get("config", {}).get("target", {})
    if target.get("kind") == "demo":
        return demo_directory() / "spider" / "database"
    found = Path(str(target.get("path") or "")) / "database"
    return found if target.get("path") and found.is_dir() else None
