"""Compare and report: finished lines to tables, plots and the page. No model is needed."""

from __future__ import annotations

from pathlib import Path

from paretune.report.comparison_records import Comparison
from paretune.report.export import export_tp4
from paretune.report.folder import compare_folder, report_folder
from paretune.report.run_records import load_run
from paretune.stages.prepare import target_directory
from paretune.stages.session import Session


def compare(session: Session) -> tuple[Comparison, str]:
    """Write tables/*; returns the comparison and the text of the two main tables."""
    return compare_folder(session.folder, session.language, session.say)


def report(session: Session, comparison: Comparison) -> Path:
    """Write the plots and report/index.html; returns the page's path."""
    databases = target_directory(session.config.target) / "database"
    return report_folder(session.folder, comparison, session.language, databases)


def export(session: Session) -> list[Path]:
    """Write the run in the form of the 2025 results."""
    return export_tp4(load_run(session.folder.path), session.folder.path / "export-tp4")
