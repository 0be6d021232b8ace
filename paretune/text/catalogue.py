"""What one language must bring: its words, and how it writes numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language.

    name: as its speakers call it. between_limits: what separates the two limits of an interval. singular: noun as
    templates have it -> the same noun after exactly 1. text: code (in other languages than English also the English
    word itself) -> template.
    """

    name: str
    decimal_mark: str
    between_limits: str
    singular: Mapping[str, str]
    text: Mapping[str, str]
