"""Suites by name: what an experiment may name, and what a suite of another package needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from paretune.choice.prompts import build_prompts
from paretune.choice.suites import SUITES, check_suites, suite_names
from paretune.choice.suites.base import Form, SuiteKind, letters, options, worded
from paretune.choice.suites.files import Item, Splits, SuiteFolder, as_question
from paretune.choice.suites.load import load_suite
from paretune.config.read import load_experiment
from paretune.errors import ConfigError

GROUND = '[target]\nkind = "demo"\n[[variant]]\nname = "run-1"\n'


def check(folder: Path, general: str) -> None:
    file = folder / "trial.toml"
    file.write_text(f"{GROUND}[general]\n{general}\n", encoding="utf-8")
    check_suites(load_experiment(file), str(file))


def test_every_suite_is_registered_by_its_own_name() -> None:
    assert all(name == suite.name for name, suite in SUITES.items())
    assert suite_names()[: len(SUITES)] == list(SUITES)


@pytest.mark.parametrize("kind", ["demo", "piqa", "lm-eval"])
def test_general_that_its_suite_can_obey_is_taken(kind: str, tmp_path: Path) -> None:
    check(tmp_path, f'kind = "{kind}"\npath = "x"\n' + ('tasks = ["a"]' if kind == "lm-eval" else ""))


@pytest.mark.parametrize(
    ("general", "expected"),
    [
        ('kind = "mmul"\npath = "x"', r"trial\.toml: general\.kind: no suite 'mmul'; did you mean 'mmlu'\?"),
        ('kind = "piqa"\npath = "x"\nsubjects = ["physics"]', r"general\.subjects: piqa has no subjects"),
        ('kind = "truthfulqa-mc1"\npath = "x"\nfew_shot = 5', r"general\.few_shot: truthfulqa-mc1 brings its own"),
    ],
)
def test_general_that_its_suite_cannot_obey_is_refused_by_key(general: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        check(tmp_path, general)


def _read_sums(folder: SuiteFolder, subjects: Sequence[str], shots: int) -> Splits:
    items = [Item("sums", f"{number} + 1", [str(number), str(number + 1)], 1) for number in range(5)]
    rows = [as_question(item, subject="sums", category="sums", row=str(place)) for place, item in enumerate(items)]
    return Splits(rows[1:], {"sums": rows[:1]}, [])


SUMS = SuiteKind(
    "sums",
    _read_sums,
    cloze=Form(worded("{stripped} ="), options),
    letter=Form(worded("{stripped} = ?\n{lettered}\n="), letters),
    methods=("letter", "cloze"),
    embedded=lambda: Path(__file__).parent,
)


@pytest.fixture
def _sums_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package brought the suite above."""
    module = ModuleType("package_of_sums")
    module.SUMS = SUMS  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "package_of_sums", module)
    point = metadata.EntryPoint("sums", "package_of_sums:SUMS", "paretune.suites")

    def entry_points(group: str, name: str = "sums") -> list[metadata.EntryPoint]:
        return [point] if group == point.group and name == point.name else []

    monkeypatch.setattr(metadata, "entry_points", entry_points)


@pytest.mark.usefixtures("_sums_installed")
def test_suite_of_another_package_is_read_and_asked(tmp_path: Path) -> None:
    check(tmp_path, 'kind = "sums"\nfew_shot = 1')
    suite = load_suite("sums", None, shots=1)
    prompt = build_prompts(suite, suite.questions, shots=1, method="cloze")[0]
    assert prompt.prefix + prompt.contexts[0] == "0 + 1 = 1\n\n1 + 1 ="
    assert prompt.continuations == (" 1", " 2")
    assert "sums" in suite_names()


@pytest.mark.usefixtures("_sums_installed")
def test_method_that_a_suite_does_not_offer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"general\.method: sums cannot be asked by generate; it can by letter, cloze"
    ):
        check(tmp_path, 'kind = "sums"\nmethod = "all"')
