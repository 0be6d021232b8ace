"""Suites of multiple choice by name: one file each, and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from paretune import plugins
from paretune.choice.suites import (
    arc,
    boolq,
    commonsense_qa,
    demo,
    enem,
    hellaswag,
    mmlu,
    openbookqa,
    piqa,
    truthfulqa,
    winogrande,
)
from paretune.choice.suites.base import SuiteKind
from paretune.config import LM_EVAL, ExperimentConfig, GeneralConfig
from paretune.errors import ConfigError, DataError
from paretune.fields import nearest
from paretune.records import METHODS

GROUP = "paretune.suites"  # of entry points
SUITES: Mapping[str, SuiteKind] = {
    suite.name: suite
    for suite in (
        mmlu.SUITE,
        arc.EASY,
        arc.CHALLENGE,
        hellaswag.SUITE,
        piqa.SUITE,
        winogrande.SUITE,
        openbookqa.SUITE,
        truthfulqa.SUITE,
        commonsense_qa.SUITE,
        boolq.SUITE,
        enem.SUITE,
        demo.ENGLISH,
        demo.PORTUGUESE,
    )
}


def suite_names() -> list[str]:
    """Every suite that can be asked, those of other packages included; lm-eval's tasks are another matter."""
    return plugins.names(GROUP, SUITES)


def suite_kind(name: str) -> SuiteKind:
    """The suite of that name. Raises DataError naming the known ones."""
    try:
        return plugins.load(GROUP, SUITES, name)
    except KeyError as error:
        raise DataError(f"no suite {name!r}; expected one of {', '.join(sorted(suite_names()))}") from error


def check_suites(config: ExperimentConfig, where: str) -> None:
    """Refuse a [general] table that its suite cannot obey.

    Raises ConfigError naming the file (where), the key and what was expected.
    """
    for general in config.general:
        if general.kind != LM_EVAL:
            _check(general, where)


def _check(general: GeneralConfig, where: str) -> None:
    names = suite_names()
    if general.kind not in names:
        known = [*names, LM_EVAL]
        raise ConfigError(f"{where}: general.kind: no suite {general.kind!r}{nearest(general.kind, known)}")
    suite = suite_kind(general.kind)
    if general.subjects and not suite.has_subjects:
        raise ConfigError(f"{where}: general.subjects: {suite.name} has no subjects; remove the key")
    if general.few_shot and not suite.takes_shots:
        raise ConfigError(f"{where}: general.few_shot: {suite.name} brings its own examples; set it to 0")
    missing = set(METHODS if general.method == "all" else (general.method,)) - set(suite.methods)
    if missing:
        raise ConfigError(f"{where}: general.method: {suite.name} cannot be asked by {', '.join(sorted(missing))}; "
                          f"it can by {', '.join(suite.methods)}")  # fmt: skip
