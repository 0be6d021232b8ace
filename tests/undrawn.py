"""Tables and pages without drawings, which take longer than all the rest: for tests of anything but plots."""

from __future__ import annotations

import pytest

EMPTY = b"<svg></svg>"


def draw_nothing(patch: pytest.MonkeyPatch) -> None:
    """Every plot is an empty picture from now on."""
    from paretune.report import plots
    from paretune.report.page import plots as page_plots

    for name in plots.DRAWINGS:
        patch.setitem(plots.DRAWINGS, name, lambda *_: None)
    for module in (plots, page_plots):
        patch.setattr(module, "image_bytes", lambda *_: EMPTY)
