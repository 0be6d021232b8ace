"""Entry points as if packages that give them were installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

_REAL = metadata.entry_points


def with_points(*points: metadata.EntryPoint) -> Callable[..., Any]:
    """`metadata.entry_points` that knows these too, and nobody else's of their groups."""
    groups = {point.group for point in points}

    def entry_points(**wanted: Any) -> Any:
        if wanted.get("group") not in groups:
            return _REAL(**wanted)
        return [point for point in points if all(getattr(point, key) == value for key, value in wanted.items())]

    return entry_points


def written(folder: Path, text: str) -> Path:
    """An experiment file."""
    (folder / "x.toml").write_text(text, encoding="utf-8")
    return folder / "x.toml"
