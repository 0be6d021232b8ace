from __future__ import annotations

from pathlib import Path

import pytest

from paretune.config import (
    BASELINE,
    DEFAULT_MODEL,
    ExperimentConfig,
    TrainingConfig,
    load_experiment,
)
from paretune.errors import ConfigError
from paretune.files import fingerprint
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import SqlTarget

SMALLEST = '[target]\nkind = "demo"\n[general]\nkind = "demo"\n[[variant]]\nname = "run-1"\n'
GROUND = '[target]\nkind = "demo"\n[general]\nkind = "demo"\n'
RUN_1 = '[[variant]]\nname = "run-1"\n'


def load(folder: Path, text: str, *settings: str) -> ExperimentConfig:
    file = folder / "trial.toml"
    file.write_text(text, encoding="utf-8")
    return load_experiment(file, settings)


def refusal(folder: Path, text: str, *settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *settings)
    return str(caught.value)


def test_experiment_smallest_has_the_documented_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, SMALLEST)
    assert config.name == "trial"
    assert config.model.path == DEFAULT_MODEL
    assert config.seed == 42
    assert config.prompt == PromptConfig()
    assert config.target == SqlTarget(kind="demo")
    assert [variant.name for variant in config.all_variants()] == [BASELINE, "run-1"]
    assert config.variant("run-1").training == TrainingConfig()
    assert not config.variant(BASELINE).is_trained


def test_training_section_is_overridden_key_by_key_in_a_variant(tmp_path: Path) -> None:
    text = GROUND + "[training]\nrank = 4\nepochs = 2\n" + RUN_1 + "rank = 32\n" + '[[variant]]\nname = "run-2"\n'
    config = load(tmp_path, text)
    trainings = [config.variant(name).training for name in ("run-1", "run-2")]
    assert [(t.rank, t.epochs) for t in trainings if t] == [(32, 2.0), (4, 2.0)]


UNKNOWN = [
    ("[modle]\n" + SMALLEST, "modle", "model"),
    (SMALLEST.replace("[target]\n", "[target]\nquestion = 3\n"), "target.question", "questions"),
    (SMALLEST.replace("[general]\n", "[general]\nfewshot = 3\n"), "general.fewshot", "few_shot"),
    (SMALLEST + "leaning_rate = 0.1\n", "variant.run-1.leaning_rate", "peak_learning_rate"),
    ("[training]\nalhpa = 1\n" + SMALLEST, "training.alhpa", "alpha"),
    ("[model]\nquantisation = 'nf4'\n" + SMALLEST, "model.quantisation", "quantization"),
    (SMALLEST + "adapter_scal = 0.5\n", "variant.run-1.adapter_scal", "adapter_scale"),
]


def with_lm_eval(*lines: str) -> str:
    return GROUND.replace('[general]\nkind = "demo"', "\n".join(['[general]\nkind = "lm-eval"', *lines])) + RUN_1


def test_general_by_lm_eval_leaves_shots_and_method_to_its_tasks(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (general,) = load(tmp_path, with_lm_eval('tasks = ["arc_easy", "piqa"]', 'path = "tasks"')).general
    assert general.tasks == ("arc_easy", "piqa")
    assert (general.few_shot, general.path) == (None, str(tmp_path / "tasks"))
    assert load(tmp_path, with_lm_eval('tasks = "piqa"', "few_shot = 0")).general[0].few_shot == 0
    assert load(tmp_path, GROUND + RUN_1).general[0].few_shot == 5


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "general.tasks: missing"),
        (['tasks = ["piqa", "piqa"]'], "general.tasks: expected different tasks"),
        (['tasks = ["piqa"]', 'method = "letter"'], "general.method: lm-eval's tasks decide this"),
        (['tasks = ["piqa"]', 'subjects = ["law"]'], "general.subjects: lm-eval's tasks decide this"),
        (['tasks = ["piqa"]', 'selection = "first"'], "general.selection: lm-eval's tasks decide this"),
    ],
)
def test_general_by_lm_eval_with_a_key_that_does_not_fit_is_refused(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    assert message in refusal(tmp_path, with_lm_eval(*lines))


def test_general_tasks_of_another_kind_are_refused(tmp_path: Path) -> None:
    text = GROUND + 'tasks = ["piqa"]\n' + RUN_1
    assert 'general.tasks: only for kind = "lm-eval"' in refusal(tmp_path, text)


def test_file_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: no such experiment file"):
        load_experiment(tmp_path / "absent.toml")
    assert "trial.toml: not valid TOML" in refusal(tmp_path, "a = = 3")
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(ConfigError, match=r"latin\.toml: cannot be read"):
        load_experiment(tmp_path / "latin.toml")


def test_variant_by_a_wrong_name_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no variant 'run1' in experiment 'trial'; did you mean 'run-1'"):
        load(tmp_path, SMALLEST).variant("run1")


def test_experiment_as_dict_distinguishes_settings(tmp_path: Path) -> None:
    first = load(tmp_path, SMALLEST).as_dict()
    assert fingerprint(first) == fingerprint(load(tmp_path, SMALLEST).as_dict())
    assert fingerprint(first) != fingerprint(load(tmp_path, SMALLEST, "training.rank=4").as_dict())


def test_setting_of_a_variant_without_a_name_is_addressed_by_the_name_it_gets(tmp_path: Path) -> None:
    text = SMALLEST + '[[variant]]\nfrom = "run-1"\nadapter_scale = 0.5\n'
    config = load(tmp_path, text, 'variant.run-1@0.5.name="half"', "variant.half.adapter_scale=0.25")
    assert (config.variants[1].name, config.variants[1].adapter_scale) == ("half", 0.25)
    with pytest.raises(ConfigError, match=r"say which variant: variant\.run-1, variant\.run-1@0\.5$"):
        load(tmp_path, text, "variant.run-9.rank=4")
