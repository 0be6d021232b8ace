"""Statements of claims: free until the first answer, and never written over after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from paretune.config import ClaimsConfig, ExperimentConfig, GeneralConfig, VariantConfig
from paretune.run.claims import (
    Change,
    Terms,
    planned_suites,
    planned_variants,
    record_claims,
    repeated_evaluations,
    stated_terms,
    statements,
)
from paretune.run.folder import RunFolder
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import SqlTarget
from tests.simulated_run import variants, write_run


def experiment(
    names: tuple[str, ...] = ("a", "b"), suites: tuple[Any, ...] = ("demo",), **claims: Any
) -> ExperimentConfig:
    return ExperimentConfig(
        "x",
        variants=tuple(VariantConfig(name) for name in names),
        general=tuple(GeneralConfig(kind) for kind in suites),
        claims=ClaimsConfig(**claims),
        target=SqlTarget(kind="demo"),
        prompt=PromptConfig(),
    )


def answer(folder: RunFolder) -> None:
    path = folder.variant("baseline", "sql.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    found = RunFolder(tmp_path / "run")
    found.path.mkdir()
    return found


def test_record_claims_before_any_answer_replaces_the_statement(folder: RunFolder) -> None:
    assert not record_claims(folder, experiment(margin_points=1.0))
    assert not record_claims(folder, experiment(margin_points=2.0, margin_reason="why not"))
    (stated,) = statements(folder.read_manifest())
    assert (stated["margin_points"], stated["margin_reason"]) == (2.0, "why not")
    assert len(stated["fingerprint"]) == 16
    assert stated_terms(folder.read_manifest()) == (Terms(2.0, "why not"), ())


def test_record_claims_questions_under_the_same_names_are_no_answers(folder: RunFolder) -> None:
    for name in ("sql.jsonl", "choice.jsonl"):
        folder.prepared(name.removesuffix(".jsonl")).parent.mkdir(exist_ok=True)
        folder.prepared(name.removesuffix(".jsonl")).write_text("{}\n", encoding="utf-8")
    assert not record_claims(folder, experiment())
    assert len(statements(folder.read_manifest())) == 1


def test_record_claims_after_an_answer_is_kept_beside_the_first(folder: RunFolder) -> None:
    record_claims(folder, experiment())
    answer(folder)
    assert not record_claims(folder, experiment())
    later = experiment(("a", "c"), margin_points=0.5, loss_budget_points=2.0, primary_suites=("demo",), level=0.9)
    assert record_claims(folder, later)
    manifest = folder.read_manifest()
    assert len(statements(manifest)) == 2
    terms, changes = stated_terms(manifest)
    assert (terms.margin_points, terms.budget_points, terms.level) == (0.5, 2.0, 0.9)
    assert changes == (
        Change("margin", "1", "0.5"),
        Change("budget", "1", "2"),
        Change("primary suites", "", "demo"),
        Change("level", "0.95", "0.9"),
        Change("variants added", "", "c"),
        Change("variants removed", "b", ""),
    )
    assert planned_variants(manifest) == ("a", "b", "c")


def test_record_claims_taken_back_still_shows_both_changes(folder: RunFolder) -> None:
    record_claims(folder, experiment())
    answer(folder)
    for margin in (0.5, 1.0):
        record_claims(folder, experiment(margin_points=margin))
    assert [change.what for change in stated_terms(folder.read_manifest())[1]] == ["margin", "budget"] * 2


def test_record_claims_suite_left_out_later_stays_planned(folder: RunFolder) -> None:
    record_claims(folder, experiment(suites=("demo", "demo-pt")))
    answer(folder)
    record_claims(folder, experiment(suites=("demo",)))
    assert planned_suites(folder.read_manifest()) == ("demo", "demo-pt")


def test_record_claims_folder_of_before_goes_by_the_defaults(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", variants(3))
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"].pop("claims")
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    folder = RunFolder(path)
    assert stated_terms(folder.read_manifest()) == (Terms(), ())
    assert planned_suites(folder.read_manifest()) == ("demo", "demo-pt")
    same = experiment(("run-1", "run-2"), suites=("demo", "demo-pt"))
    assert not record_claims(folder, same)
    assert record_claims(folder, experiment(("run-1", "run-2"), suites=("demo", "demo-pt"), margin_points=3.0))
    assert [change.what for change in stated_terms(folder.read_manifest())[1]] == ["margin", "budget"]


def test_repeated_evaluations_are_named(folder: RunFolder) -> None:
    answer(folder)
    assert repeated_evaluations(folder.path) == ()
    for name in ("baseline/sql.jsonl.old-1", "baseline/sql.jsonl.old-2"):
        (folder.path / name).write_text("{}\n", encoding="utf-8")
    assert repeated_evaluations(folder.path) == ("baseline/sql.jsonl.old-1", "baseline/sql.jsonl.old-2")
