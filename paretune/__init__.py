"""paretune: what a fine-tuned language model gains, what it forgets, and where to stop.

The names below are promised; docs/python.md shows them. They load when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Experiment", "Run", "__version__", "audit", "compare", "compare_logs", "power", "score_sql"]

if TYPE_CHECKING:
    from paretune.library import Experiment, Run, audit, compare, compare_logs, power, score_sql


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'paretune' has no attribute {name!r}")
    from paretune import library

    return getattr(library, name)


def __dir__() -> list[str]:
    return sorted(__all__)
