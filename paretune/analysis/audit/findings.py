"""What an audit looks at and what it says: the records of a run as plain dicts, and findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from paretune.errors import RunFolderError
from paretune.run.folder import RunFolder
from paretune.run.jsonl import Record, read_lines
from paretune.text.audit import WORDING
from paretune.text.language import Language, in_number, number, translator

Level = Literal["invalid", "warning", "note"]
LEVELS: tuple[Level, ...] = ("invalid", "warning", "note")
Figure = str | int | float
Figures = Mapping[str, Figure]
TRANSLATED = {"axis", "where"}  # figures that are words of ours
SHARE_WORTH_A_WARNING = 5.0
SHARE_THAT_INVALIDATES = 50.0


@dataclass(frozen=True)
class Finding:
    """One reason not to believe a figure.

    level: "invalid" (the figure must not be quoted), "warning" (it may mislead), "note" (the reader should know).
    code: what was found, a key of audit_wording.WORDING. figures: what the sentences quote; shares in percent.
    """

    level: Level
    code: str
    figures: Figures

    @property
    def evidence(self) -> str:
        """What was seen, in English."""
        return self.say("en")[0]

    @property
    def advice(self) -> str:
        """What to do about it, in English."""
        return self.say("en")[1]

    def say(self, language: Language) -> tuple[str, str]:
        """Evidence and advice in the language."""
        translate = translator(language)
        words = {name: _word(value, language) for name, value in self.figures.items()}
        for name in TRANSLATED & set(words):
            if " (" not in words[name]:  # else a benchmark by its own name and method
                words[name] = ", ".join(map(translate, words[name].split(", ")))
        evidence, advice = (in_number(translate(sentence).format(**words), language) for sentence in WORDING[self.code])
        return evidence, advice


@dataclass(frozen=True)
class Lines:
    """One line file: its header and its records; both empty where there is no such file."""

    header: Record = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class VariantRecords:
    """What is known of one variant, as records.py and docs name the fields."""

    name: str
    answers: Lines = Lines()
    sql: Lines = Lines()
    choice: Lines = Lines()
    training: Lines = Lines()


@dataclass(frozen=True)
class RunRecords:
    """A whole run; variants in the manifest's order, the baseline first."""

    manifest: Record
    sql: Lines
    train: Lines
    choice: Lines
    variants: tuple[VariantRecords, ...]

    @property
    def config(self) -> Record:
        """The experiment's configuration, empty when it is not known."""
        found = self.manifest.get("config")
        return found if isinstance(found, dict) else {}

    def about(self, variant: str) -> Record:
        """The manifest's entry of a variant, empty when there is none."""
        found = (self.manifest.get("variants") or {}).get(variant)
        return found if isinstance(found, dict) else {}


def read_run(folder: Path) -> RunRecords:
    """All records of a run folder; whatever is missing stays empty. Raises RunFolderError for a folder without runs."""
    run = RunFolder(folder)
    manifest = run.read_manifest()
    known = list(manifest.get("variants") or {})
    there = sorted(path.parent.name for name in ("sql", "choice") for path in folder.glob(f"*/{name}.jsonl"))
    names = list(dict.fromkeys([*known, *(name for name in there if name != "prepared")]))
    names.sort(key=lambda name: name != "baseline")
    if not names:
        raise RunFolderError(f"{folder}: no variant with sql.jsonl or choice.jsonl; expected a run folder")
    variants = tuple(
        VariantRecords(
            name, *(_lines(run.variant(name, f"{kind}.jsonl")) for kind in ("answers", "sql", "choice", "training"))
        )
        for name in names
    )
    sql, train, choice = (_lines(run.prepared(name)) for name in ("sql", "train", "choice"))
    return RunRecords(manifest, sql, train, choice, variants)


def percent(part: int, whole: int) -> float:
    """Share in percent.

    >>> percent(1, 8)
    12.5
    """
    return 100 * part / whole


def level_of_share(share: float) -> Level | None:
    """How grave it is that `share` percent of the answers are not answers: a warning above 5, invalid above 50."""
    if share > SHARE_THAT_INVALIDATES:
        return "invalid"
    return "warning" if share > SHARE_WORTH_A_WARNING else None


def examples(items: Iterable[int] | Iterable[str], limit: int = 4) -> str:
    """The first few of a list, for a sentence.

    >>> examples([3, 1, 2, 9, 7])
    '1, 2, 3, 7, ...'
    """
    ordered: list[int | str] = sorted(items, key=lambda item: (isinstance(item, str), item))
    return ", ".join([*(str(item) for item in ordered[:limit]), *(["..."] if len(ordered) > limit else [])])


def _lines(path: Path) -> Lines:
    return Lines(*read_lines(path)) if path.exists() else Lines()


def _word(value: Figure, language: Language) -> str:
    if not isinstance(value, float):
        return str(value)
    if 0 < abs(value) < 0.001:
        return f"{value:.0e}".replace("e-0", "e-")
    return number(value, language, 3 if 0 < abs(value) < 0.01 else 2 if 0 < abs(value) < 1 else 1)
