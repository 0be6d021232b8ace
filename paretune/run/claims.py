"""What was stated before looking: margin, budget, primary suites, level, and the variants that were planned.

`prepare` writes the statement into the manifest. While nothing has been answered it may be changed freely; from the
first answer on every change is added beside the former one, never over it, and a comparison says that it was changed
after the fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from paretune.config import BASELINE, ClaimsConfig, ExperimentConfig
from paretune.files import fingerprint
from paretune.run.folder import RunFolder
from paretune.run.jsonl import Record, read_header

ANSWERS = ("answers.jsonl", "sql.jsonl", "choice.jsonl")
What = Literal[
    "margin", "margin's reason", "budget", "primary suites", "level", "variants added", "variants removed",
    "variants without answers", "suites without answers", "evaluations repeated", "searched",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What a comparison claims by. loss_budget_points: what the pick may lose, None for the margin. primary_suites:
    names of suites, empty for all of them. level: of the intervals of all planned variants together."""

    margin_points: float = 1.0
    margin_reason: str = ""
    loss_budget_points: float | None = None
    primary_suites: tuple[str, ...] = ()
    level: float = 0.95

    @property
    def budget_points(self) -> float:
        """What the pick may lose, in points."""
        return self.margin_points if self.loss_budget_points is None else self.loss_budget_points


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done after answers were there, or is missing from what was planned. "searched" is how it came
    about: before, looks of the search; after, candidates."""

    what: What
    before: str
    after: str


def terms_of(claims: ClaimsConfig) -> Terms:
    """The terms of an experiment's [claims]."""
    return Terms(**asdict(claims))


def record_claims(folder: RunFolder, config: ExperimentConfig) -> bool:
    """Write the experiment's statement into the manifest; whether it changes one made before the first answer."""
    statement = {
        **asdict(terms_of(config.claims)),
        "primary_suites": list(config.claims.primary_suites),
        "suites": [general.kind for general in config.general],
        "variants": [variant.name for variant in config.variants],
    }
    entry = {**statement, "fingerprint": fingerprint(statement)}
    manifest = folder.read_manifest()
    stated = statements(manifest)
    if stated and stated[-1].get("fingerprint") == entry["fingerprint"]:
        return False
    kept: list[Record] = []
    if _has_answers(folder.path):
        # A folder answered before statements were kept goes by the defaults, for the variants that it names.
        kept = stated or [_default_statement(manifest)]
        kept = kept[:-1] if all(kept[-1].get(key) == value for key, value in statement.items()) else kept
    folder.update_manifest({"claims": [*kept, entry]})
    return bool(kept)


def statements(manifest: Record) -> list[Record]:
    """Every statement that the manifest holds, the first one first; empty for a folder of before."""
    found = manifest.get("claims", [])
    return [dict(item) for item in found if isinstance(item, Mapping)] if isinstance(found, Sequence) else []


def stated_terms(manifest: Record) -> tuple[Terms, tuple[Change, ...]]:
    """The terms now in force and what was changed since answers were there."""
    stated = statements(manifest) or [_default_statement(manifest)]
    terms = [_terms(item) for item in stated]
    changes: list[Change] = []
    for before, after, old, new in zip(terms, terms[1:], stated, stated[1:], strict=False):
        changes += changed_terms(before, after)
        former, present = old.get("variants", []), new.get("variants", [])
        added = [name for name in present if name not in former]
        removed = [name for name in former if name not in present]
        changes += [Change("variants added", "", ", ".join(added))] if added else []
        changes += [Change("variants removed", ", ".join(removed), "")] if removed else []
    if (searched := manifest.get("search")) is not None:
        changes.append(Change("searched", str(searched["looks"]), str(searched["candidates"])))
    return terms[-1], tuple(changes)


def changed_terms(before: Terms, after: Terms) -> list[Change]:
    """What differs between two statements of terms."""
    pairs: tuple[tuple[What, object, object], ...] = (
        ("margin", f"{before.margin_points:g}", f"{after.margin_points:g}"),
        ("margin's reason", before.margin_reason, after.margin_reason),
        ("budget", f"{before.budget_points:g}", f"{after.budget_points:g}"),
        ("primary suites", ", ".join(before.primary_suites), ", ".join(after.primary_suites)),
        ("level", f"{before.level:g}", f"{after.level:g}"),
    )
    return [Change(what, str(one), str(two)) for what, one, two in pairs if one != two]


def planned_variants(manifest: Record) -> tuple[str, ...]:
    """Every tuned variant that was planned when answers were there, whether its folder is still there or not.

    Without a statement, in a folder of before: all that the manifest names.
    """
    stated = [str(name) for item in statements(manifest) for name in item.get("variants", [])]
    if stated:
        return tuple(dict.fromkeys(stated))
    configured = [str(item["name"]) for item in manifest.get("config", {}).get("variants", [])]
    noted = [str(name) for name in manifest.get("variants", {})]
    return tuple(name for name in dict.fromkeys([*configured, *noted]) if name != BASELINE)


def planned_suites(manifest: Record) -> tuple[str, ...]:
    """Every suite that was ever planned, by its kind."""
    stated = statements(manifest) or [_default_statement(manifest)]
    return tuple(dict.fromkeys(str(name) for item in stated for name in item.get("suites", [])))


def repeated_evaluations(folder: Path) -> tuple[str, ...]:
    """Files of answers that were set aside (NAME.old-N), as variant/file: each is an evaluation made again. Verdicts
    that judged the same answers as the present ones are none: another version of the judge may have made them."""
    files = (path for name in ANSWERS for path in folder.glob(f"*/{name}.old-*"))
    return tuple(sorted(f"{path.parent.name}/{path.name}" for path in files if not _judged_again(path)))


def _judged_again(path: Path) -> bool:
    present = read_header(path.with_name(path.name.partition(".old-")[0]))
    return "answers" in present and read_header(path).get("answers") == present["answers"]


def _has_answers(folder: Path) -> bool:
    """Whether a variant has answered; prepared/ holds questions under the same names."""
    return any(path.parent.name != "prepared" for name in ANSWERS for path in folder.glob(f"*/{name}"))


def _default_statement(manifest: Record) -> Record:
    """What a folder without a statement goes by: the claims in its configuration, if any, else the defaults."""
    config = manifest.get("config", {})
    known = {item.name for item in fields(ClaimsConfig)}
    given: dict[str, Any] = {key: value for key, value in config.get("claims", {}).items() if key in known}
    given["primary_suites"] = tuple(given.get("primary_suites", ()))
    return {
        **asdict(terms_of(ClaimsConfig(**given))),
        "primary_suites": list(given["primary_suites"]),
        "suites": [str(item.get("kind")) for item in config.get("general", [])],
        "variants": [str(item["name"]) for item in config.get("variants", [])],
    }


def _terms(statement: Record) -> Terms:
    values = {item.name: statement[item.name] for item in fields(Terms) if item.name in statement}
    values["primary_suites"] = tuple(values.get("primary_suites", ()))
    return Terms(**values)
