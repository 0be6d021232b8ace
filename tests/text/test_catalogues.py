"""Every word and code that the package says is in every catalogue, with the same fields, and none is dead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import paretune
from paretune.analysis.results import Finding, Likeness, SampleFigure
from paretune.records import ChoiceOutcome
from paretune.report.page.script import FAMILIES
from paretune.sql.differences import ErrorClass
from paretune.sql.explain import UNCLASSIFIED
from paretune.sql.records import SqlOutcome
from paretune.sql.rules import RULES
from paretune.stats.claims import LossVerdict
from paretune.stats.family import ALONE, BONFERRONI, FLIPPED
from paretune.stats.pick import Reason
from paretune.text import LANGUAGES, SOURCE, Voice

PACKAGE = Path(paretune.__file__).parent
CATALOGUES = {language: PACKAGE / "text" / language.lower().replace("-", "_") for language in LANGUAGES}
SPEAKS = {"say", "tell", "template", "Phrase", "_plain"}  # tell: say about the target, some fields filled in
ENGLISH = Voice(SOURCE).catalogue.text


def trees() -> Iterator[ast.Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent not in CATALOGUES.values():
            yield ast.parse(path.read_text(encoding="utf-8"))


def texts_by_subject(language: str) -> dict[str, dict[str, str]]:
    """File name -> its codes and words with what they say."""
    folder = CATALOGUES[language]
    names = sorted(path.stem for path in folder.glob("[!_]*.py"))
    return {name: import_module(f"paretune.text.{folder.name}.{name}").TEXT for name in names}


def constants(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def spoken(node: ast.expr) -> set[str]:
    """The texts that an argument may be, as far as they are written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    return spoken(node.body) | spoken(node.orelse) if isinstance(node, ast.IfExp) else set()


def calls() -> list[tuple[str, set[str] | None]]:
    """Every literal text that is said or put into a phrase, with the names of the fields that stand beside it (None
    where they cannot be read there)."""
    said = []
    for call in (node for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in SPEAKS or not call.args:
            continue
        fields: set[str] | None = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
        if any(keyword.arg is None for keyword in call.keywords):
            fields = None
        if name == "Phrase" and len(call.args) > 1:
            given = call.args[1]
            readable = isinstance(given, ast.Dict) and all(isinstance(key, ast.Constant) for key in given.keys)
            fields = {key.value for key in given.keys} if readable else None  # type: ignore[attr-defined]  # as checked
        at = 1 if name == "_plain" and len(call.args) > 1 else 0
        said += [(text, None if name in ("tell", "template", "_plain") else fields) for text in spoken(call.args[at])]
    return said


CALLS = calls()
CONSTANTS = set().union(*map(constants, trees()))
ASSETS = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("**/assets/*"))
ENUMERATED = {
    "outcome": {*SqlOutcome},
    "class": {*ErrorClass, UNCLASSIFIED},
    "margin": {*get_args(LossVerdict)},
    "change": {*get_args(Finding)},
    "decision": {"pick", *get_args(Reason)},
    "sample": {*get_args(SampleFigure)},
    "served": {*get_args(Likeness)},
    "family": {ALONE, BONFERRONI, FLIPPED},
}


def is_alive(key: str) -> bool:
    """Whether anything in the package can say this key."""
    family, _, name = key.partition(":")
    if name and family in ENUMERATED:
        return name in ENUMERATED[family]
    if key.startswith("audit."):
        return key.removeprefix("audit.").removesuffix(".advice") in CONSTANTS
    if key.startswith("sql.sqlite-"):  # said by SQLite itself, and recognised
        return True
    if key in (
        "sql.only-reading",
        "sql.gold-fails",
        "sql.gold-too-large",
        "sql.nothing-extracted",
    ):  # messages, recognised
        return any(text.startswith(ENGLISH[key].partition("{")[0]) for text in CONSTANTS)
    known = CONSTANTS | {f"{rule} rules" for rule in RULES}
    return key in known or key in {*SqlOutcome, *ChoiceOutcome} or f'"{key}"' in ASSETS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_is_said_is_in_the_catalogue(language: str) -> None:
    voice = Voice(language)
    assert len(CALLS) > 200
    missing = set()
    for text, _ in CALLS:
        try:
            voice.template(text)
        except KeyError:
            missing.add(text)
    assert missing == set()


def test_every_text_is_said_with_all_its_fields() -> None:
    lacking = {
        (text, name)
        for text, fields in CALLS
        if fields is not None
        for name in set(_fields(Voice(SOURCE).template(text))) - fields
    }
    assert lacking == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_the_catalogue_is_dead(language: str) -> None:
    assert [key for key in Voice(language).catalogue.text if not is_alive(key)] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_catalogues_hold_the_same_codes_with_the_same_fields(language: str) -> None:
    text = Voice(language).catalogue.text
    assert [code for code in text if code in ENGLISH] == list(ENGLISH)
    for key, template in text.items():
        english = ENGLISH.get(key, key)
        assert _fields(template) == _fields(english), key
        assert template.strip("\n") == template, key
        if " " in english and not english.endswith("}"):
            assert template.endswith(".") == english.endswith(".") or template.endswith("p.p."), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_subjects_with_the_same_codes(language: str) -> None:
    subjects, source = texts_by_subject(language), texts_by_subject(SOURCE)
    assert list(subjects) == list(source)
    for subject, english in source.items():
        assert [code for code in subjects[subject] if code in ENGLISH] == list(english), subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_says_a_text_once_and_leaves_out_no_subject(language: str) -> None:
    texts = [text for subject in texts_by_subject(language).values() for text in subject]
    assert sorted(texts) == sorted(Voice(language).catalogue.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_writes_numbers_as_its_language_does(language: str) -> None:
    catalogue = Voice(language).catalogue
    foreign = {",": ".", ".": ","}[catalogue.decimal_mark]
    literal = (part for text in catalogue.text.values() for part, *_ in Formatter().parse(text))
    assert [text for text in literal if re.search(rf"\d\{foreign}\d", text)] == []


def test_families_of_the_script_are_families_of_the_catalogue() -> None:
    assert {source for sources in FAMILIES.values() for source in sources} <= set(ENUMERATED)


def _fields(template: str) -> dict[str, str | None]:
    return {name: style for _, name, style, _ in Formatter().parse(template) if name is not None}
