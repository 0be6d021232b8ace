from __future__ import annotations

from pathlib import Path

import pytest

from paretune.analysis.units import units_of
from paretune.config import ExperimentConfig
from paretune.config.read import load_experiment
from paretune.errors import ConfigError

GROUND = '[target]\nkind = "demo"\n[training]\nepochs = 2\n'


def load(folder: Path, text: str, *settings: str) -> ExperimentConfig:
    file = folder / "trial.toml"
    file.write_text(GROUND + text, encoding="utf-8")
    return load_experiment(file, settings)


def names(config: ExperimentConfig) -> list[str]:
    return [variant.name for variant in config.variants]


def test_sweep_grid_is_every_combination_over_the_training_section(tmp_path: Path) -> None:
    config = load(tmp_path, "[sweep]\nrank = [8, 16]\npeak_learning_rate = [1e-5, 2e-4]\nalpha = 4\n")
    assert names(config) == [
        "rank-8-rate-1e-05", "rank-8-rate-0.0002", "rank-16-rate-1e-05", "rank-16-rate-0.0002",
    ]  # fmt: skip
    trainings = [variant.training for variant in config.variants if variant.training is not None]
    assert [(item.settings.rank, item.peak_learning_rate) for item in trainings] == [
        (8, 1e-5), (8, 2e-4), (16, 1e-5), (16, 2e-4),
    ]  # fmt: skip
    assert {(item.settings.alpha, item.epochs) for item in trainings} == {(4.0, 2.0)}


def test_sweep_variants_stand_behind_the_files_own_and_can_be_derived_from(tmp_path: Path) -> None:
    own = '[[variant]]\nname = "run-1"\n[[variant]]\nfrom = "seed-2"\nadapter_scale = 0.5\n'
    assert names(load(tmp_path, own + "[sweep]\nseed = [1, 2]\n")) == ["run-1", "seed-2@0.5", "seed-1", "seed-2"]


def test_sweep_seeds_of_equal_settings_are_one_recipe(tmp_path: Path) -> None:
    config = load(tmp_path, "[sweep]\nrank = [8, 16]\nseed = [1, 2, 3]\n")
    units, planned = units_of({"config": config.as_dict()}, names(config))
    assert planned == 2
    assert [unit.distinct_seeds for unit in units] == [3, 3]


def test_sweep_several_tables_are_a_list_of_grids(tmp_path: Path) -> None:
    config = load(tmp_path, "[[sweep]]\nrank = [8]\nseed = [1, 2]\n[[sweep]]\nrank = [64]\nseed = [1]\n")
    assert names(config) == ["rank-8-seed-1", "rank-8-seed-2", "rank-64-seed-1"]


def test_sweep_name_is_made_by_the_template(tmp_path: Path) -> None:
    config = load(tmp_path, '[sweep]\nname = "r{rank}-s{seed}"\nrank = 8\nseed = [1, 2]\n')
    assert names(config) == ["r8-s1", "r8-s2"]


def test_sweep_of_modules_takes_lists_and_names_folders(tmp_path: Path) -> None:
    config = load(tmp_path, '[sweep]\ntarget_modules = [["q_proj", "v_proj"], "all-linear", "a/b"]\n')
    assert names(config) == ["target-modules-q_proj+v_proj", "target-modules-all-linear", "target-modules-a-b"]
    assert config.variants[0].training is not None
    assert config.variants[0].training.settings.target_modules == ("q_proj", "v_proj")


def test_sweep_is_changed_by_a_setting(tmp_path: Path) -> None:
    assert names(load(tmp_path, "[sweep]\nseed = [1, 2]\n", "sweep.seed=[7]")) == ["seed-7"]


def test_sweep_large_is_made_where_its_size_is_stated(tmp_path: Path) -> None:
    text = f"[sweep]\nvariants = 70\nseed = {list(range(70))}\n"
    assert len(load(tmp_path, text).variants) == 70


REFUSED = [
    ("rnk = [8]\n", "sweep.rnk: unknown key; did you mean 'rank'?"),
    ("", "sweep: nothing to vary; give a training key a list, for example seed = [1, 2, 3]"),
    ("rank = 8\n", "sweep: nothing to vary"),
    ("rank = []\n", "sweep.rank: expected one value or more, found an empty list"),
    ("rank = [8, 16, 8]\n", "sweep.rank: 8 stands there twice; remove one"),
    ('rank = [8, "x"]\n', "sweep.rank: expected a whole number, found 'x'"),
    ("rank = [8, 0]\n", "sweep.rank: expected at least 1, found 0"),
    ('rank = "x"\nseed = [1]\n', "sweep.rank: expected a whole number, found 'x'"),
    (f"seed = {list(range(65))}\n", "sweep: makes 65 variants; more than 64 must be stated: variants = 65 in [sweep]"),
    ("variants = 3\nseed = [1, 2]\n", "sweep.variants: states 3, but the grid makes 2"),
    (
        'name = "r{rank}"\nrank = [8]\nseed = [1, 2]\n',
        "two variants are called 'r8'; set sweep.name so that",
    ),
    ('name = "r{rnk}"\nrank = [8]\n', "sweep.name: {rnk} is no key of this sweep; did you mean 'rank'?"),
    ('name = "r{rank"\nrank = [8]\n', "sweep.name: 'r{rank': "),
    ('name = "{}"\nrank = [8]\n', "sweep.name: {} is no key of this sweep"),
    ('name = "{rank}/{seed}"\nrank = [8]\nseed = [1]\n', "expected a plain folder name, found '8/1'"),
    ('name = "baseline"\nseed = [1]\n', "two variants are called 'baseline'"),
    ("share_prompts = [true]\ngroup_by_length = true\n", "share_prompts orders rows by their prompts"),
]


@pytest.mark.parametrize(("lines", "expected"), REFUSED, ids=[expected[:40] for _, expected in REFUSED])
def test_sweep_that_cannot_be_is_refused_with_file_and_key(tmp_path: Path, lines: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "[sweep]\n" + lines)
    assert str(caught.value).startswith(f"{tmp_path / 'trial.toml'}: ")
    assert expected in str(caught.value)


def test_sweep_named_like_a_variant_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two variants are called 'seed-1'"):
        load(tmp_path, '[[variant]]\nname = "seed-1"\n[sweep]\nseed = [1]\n')


@pytest.mark.parametrize("sweep", ["sweep = 3\n", "sweep = [3]\n"])
def test_sweep_that_is_no_table_is_refused(tmp_path: Path, sweep: str) -> None:
    (tmp_path / "trial.toml").write_text(sweep + GROUND, encoding="utf-8")
    with pytest.raises(ConfigError, match="sweep: expected a table, found 3"):
        load_experiment(tmp_path / "trial.toml")


def test_sweep_over_methods_with_a_key_of_one_of_them(tmp_path: Path) -> None:
    config = load(tmp_path, 'block_size = 16\n[sweep]\nmethod = ["dora", "oft"]\nseed = [1, 2]\n')
    assert names(config) == ["method-dora-seed-1", "method-dora-seed-2", "method-oft-seed-1", "method-oft-seed-2"]
    trainings = [variant.training for variant in config.variants if variant.training is not None]
    assert trainings[2].settings.block_size == 16
    config = load(tmp_path, '[sweep]\nmethod = "oft"\nblock_size = [8, 16]\n')
    assert names(config) == ["block-size-8", "block-size-16"]
