"""Which questions stand behind a figure: the explorer's filters for each cell of the main tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from paretune.analysis.results import Comparison, SuiteTable
from paretune.report.page.parts import Filters

RIGHT = {"outcome": "correct"}
CHANGED = {"flip": "changed"}


@dataclass(frozen=True, slots=True)
class FigureLinks:
    """One method a table, each from (variant, column, whether the row holds changes) to filters."""

    comparison: Comparison

    def claims(self, unit: str, column: int, _: bool) -> Filters | None:
        """Those that changed sides on the target, and on the suite that is quoted; none for a recipe of several."""
        item = next((item for item in self.comparison.verdict.units if item.unit.name == unit), None)
        if item is None or item.unit.is_recipe or column not in (1, 5):
            return None
        if column == 1:
            return {**self._target(unit), **CHANGED}
        return {
            "axis": "choice", "suite": item.worst.benchmark, "method": item.worst.method, "variant": unit, **CHANGED
        }  # fmt: skip

    def target(self, variant: str, column: int, _: bool) -> Filters | None:
        """The right ones for the accuracy, those that changed sides for the change; none for a recipe of several."""
        if column not in (1, 2) or all(row.name != variant for row in self.comparison.variants):
            return None
        return {**self._target(variant), **({1: RIGHT, 2: CHANGED}[column])}

    def tradeoff(self, variant: str, column: int, _: bool) -> Filters | None:
        """Those that changed sides on the axis of the column."""
        if column == 1:
            return {**self._target(variant), **CHANGED}
        return {**self._suite(self.comparison.main_table()), "variant": variant, **CHANGED} if column == 2 else None

    def level(self, variant: str, column: int, _: bool) -> Filters | None:
        """The right ones of a level; none for a figure that is not of a level."""
        levels = list(dict.fromkeys(row.group for row in self.comparison.levels))
        left_out = self.comparison.facets.left_out
        if left_out is not None and levels[column - 1] == left_out[1]:
            return None
        return {**self._target(variant), "level": levels[column - 1], **RIGHT}

    def general(self, suite: SuiteTable) -> Callable[[str, int, bool], Filters | None]:
        """The right ones, or those that changed, of all questions or of a category."""
        groups = list(dict.fromkeys(row.group for row in suite.rows if row.kind in ("all", "category")))

        def filters(variant: str, column: int, is_change: bool) -> Filters | None:
            group = {"level": groups[column - 1]} if groups[column - 1] else {}
            return {**self._suite(suite), "variant": variant, **group, **(CHANGED if is_change else RIGHT)}

        return filters

    def _target(self, variant: str) -> dict[str, str]:
        return {"axis": self.comparison.facets.lines, "variant": variant}

    def _suite(self, suite: SuiteTable) -> dict[str, str]:
        return {"axis": "choice", "suite": suite.suite, "method": suite.method}
