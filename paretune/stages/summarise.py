"""Compare and report: finished lines to tables, plots and the page. No model is needed."""

from __future__ import annotations

from pathlib import Path

from paretune.audit import audit_run
from paretune.audit_records import read_run
from paretune.report.comparison import compare_run
from paretune.report.comparison_records import Comparison
from paretune.report.export import export_tp4
from paretune.report.plots import write_plots
from paretune.report.run_records import load_run
from paretune.report.tables import print_tables, write_tables
from paretune.stages.prepare import target_directory
from paretune.stages.session import Session


def compare(session: Session) -> tuple[Comparison, str]:
    """Write tables/*; returns the comparison and the text of the two main tables."""
    comparison = compare_run(load_run(session.folder.path), seed=session.config.seed)
    for name, missing in comparison.incomplete.items():
        session.say(f"{name}: left out of the tables ({'; '.join(missing)})")
    write_tables(comparison, session.folder.tables, session.language)
    return comparison, print_tables(comparison, session.language)


def report(session: Session, comparison: Comparison) -> Path:
    """Write the plots and report/index.html; returns the page's path."""
    from paretune.report.page import write_page

    write_plots(comparison, session.folder.report, session.language)
    findings = audit_run(read_run(session.folder.path))
    records = load_run(session.folder.path)
    databases = target_directory(session.config.target) / "database"
    return write_page(records, comparison, findings, session.folder.report, session.language, databases=databases)


def export(session: Session) -> list[Path]:
    """Write the run in the form of the 2025 results."""
    return export_tp4(load_run(session.folder.path), session.folder.path / "export-tp4")
