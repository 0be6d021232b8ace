from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from paretune.config.settings import absolute, apply_setting, resolve_paths
from paretune.errors import ConfigError


def applied(table: dict[str, Any], *settings: str) -> dict[str, Any]:
    for setting in settings:
        apply_setting(table, setting)
    return table


def test_setting_value_is_read_as_toml_and_else_as_text() -> None:
    table = applied(
        {}, "training.rank=4", "training.epochs=0.5", "training.gradient_checkpointing=true",
        'target.exclude_databases=["a", "b"]', "target.split=dev", 'name="x"',
    )  # fmt: skip
    assert table["training"] == {"rank": 4, "epochs": 0.5, "gradient_checkpointing": True}
    assert table["target"] == {"exclude_databases": ["a", "b"], "split": "dev"}
    assert table["name"] == "x"


def test_setting_value_may_hold_an_equals_sign() -> None:
    assert applied({}, "name=a=b") == {"name": "a=b"}


def test_setting_replaces_what_the_file_says_and_keeps_the_rest() -> None:
    assert applied({"training": {"rank": 4, "alpha": 8}}, "training.rank=2") == {"training": {"rank": 2, "alpha": 8}}


@pytest.mark.parametrize("setting", ["rank", "=4", "training.=4", ".rank=4", "a..b=4"])
def test_setting_without_key_or_value_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match=r"expected KEY\.KEY=VALUE"):
        apply_setting({}, setting)


def test_setting_below_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="'seed' is a value, not a section"):
        apply_setting({"seed": 3}, "seed.a=4")


def test_general_as_a_table_or_a_single_list_needs_no_kind() -> None:
    assert applied({"general": {"kind": "mmlu"}}, "general.few_shot=2")["general"] == {"kind": "mmlu", "few_shot": 2}
    single = applied({"general": [{"kind": "mmlu"}]}, "general.few_shot=2")
    assert single["general"] == [{"kind": "mmlu", "few_shot": 2}]


def test_general_single_answers_to_its_kind_too() -> None:
    assert applied({"general": [{"kind": "mmlu"}]}, "general.mmlu.few_shot=2")["general"][0]["few_shot"] == 2
    assert applied({"general": {"kind": "mmlu"}}, "general.mmlu.few_shot=2")["general"]["few_shot"] == 2


def test_general_several_is_addressed_by_kind() -> None:
    general = applied({"general": [{"kind": "mmlu"}, {"kind": "piqa"}]}, "general.piqa.few_shot=2")["general"]
    assert general == [{"kind": "mmlu"}, {"kind": "piqa", "few_shot": 2}]


def test_general_without_kind_is_the_default_kind() -> None:
    general = applied({"general": [{"path": "a"}, {"kind": "piqa"}]}, "general.mmlu.few_shot=2")["general"]
    assert general[0]["few_shot"] == 2


@pytest.mark.parametrize("setting", ["general.few_shot=2", "general.arc.few_shot=2"])
def test_general_several_without_a_known_kind_is_refused_with_the_kinds(setting: str) -> None:
    with pytest.raises(ConfigError, match=r"say which general: general\.mmlu, general\.piqa"):
        apply_setting({"general": [{"kind": "mmlu"}, {"kind": "piqa"}]}, setting)


def test_variant_is_addressed_by_name_also_with_a_dot() -> None:
    table = {"variant": [{"name": "run-1"}, {"name": "run-1.b"}]}
    variants = applied(table, "variant.run-1.rank=2", "variant.run-1.b.rank=3")["variant"]
    assert [variant["rank"] for variant in variants] == [2, 3]


def test_variant_unknown_is_refused_with_the_names() -> None:
    with pytest.raises(ConfigError, match=r"say which variant: variant\.run-1, variant\.run-2"):
        apply_setting({"variant": [{"name": "run-1"}, {"name": "run-2"}]}, "variant.run-3.rank=2")


def test_variant_list_of_values_is_refused_without_a_traceback() -> None:
    with pytest.raises(ConfigError):
        apply_setting({"variant": ["run-1"]}, "variant.run-1.rank=2")


def test_model_hub_name_stays_and_files_become_absolute(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    changed = {
        "org/name": "org/name",
        "weights": str(tmp_path / "weights"),
        "./absent": str(tmp_path / "absent"),
        "absent.gguf": str(tmp_path / "absent.gguf"),
        "/somewhere": "/somewhere",
        "~/x": str(Path.home() / "x"),
    }
    assert {value: absolute(value, tmp_path, may_be_hub_name=True) for value in changed} == changed
    assert absolute(3, tmp_path, may_be_hub_name=True) == 3


def test_data_path_never_stays_relative(tmp_path: Path) -> None:
    assert absolute("data/spider", tmp_path, may_be_hub_name=False) == str(tmp_path / "data" / "spider")


def test_paths_in_lists_of_sections_are_resolved(tmp_path: Path) -> None:
    table: dict[str, Any] = {
        "general": [{"path": "./a"}, {"path": "./b"}],
        "variant": [{"name": "x", "adapter": "./c"}],
        "training": {"path": "./untouched"},
    }
    resolve_paths(table, tmp_path)
    assert [general["path"] for general in table["general"]] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert table["variant"][0]["adapter"] == str(tmp_path / "c")
    assert table["training"]["path"] == "./untouched"
