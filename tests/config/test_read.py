from __future__ import annotations

from pathlib import Path

import pytest

from paretune.config import BASELINE, DEFAULT_MODEL, ExperimentConfig, TrainingConfig
from paretune.config.read import load_experiment
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
    assert [(t.settings.rank, t.epochs) for t in trainings if t] == [(32, 2.0), (4, 2.0)]


UNKNOWN = [
    ("[modle]\n" + SMALLEST, "modle", "model"),
    (SMALLEST.replace("[target]\n", "[target]\nquestion = 3\n"), "target.question", "questions"),
    (SMALLEST.replace("[general]\n", "[general]\nfewshot = 3\n"), "general.fewshot", "few_shot"),
    (SMALLEST + "leaning_rate = 0.1\n", "variant.run-1.leaning_rate", "peak_learning_rate"),
    ("[training]\nalhpa = 1\n" + SMALLEST, "training.alhpa", "alpha"),
    ("[model]\nquantisation = 'nf4'\n" + SMALLEST, "model.quantisation", "quantization"),
    (SMALLEST + "adapter_scal = 0.5\n", "variant.run-1.adapter_scal", "adapter_scale"),
]


@pytest.mark.parametrize(("text", "key", "near"), UNKNOWN, ids=[key for _, key, _ in UNKNOWN])
def test_key_unknown_is_refused_with_file_key_and_nearest(tmp_path: Path, text: str, key: str, near: str) -> None:
    message = refusal(tmp_path, text)
    assert message.startswith(f"{tmp_path / 'trial.toml'}: {key}: ")
    assert f"did you mean {near!r}" in message


def test_key_unknown_and_like_none_lists_the_known_ones(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[prompt]\nzzz = 1\n" + SMALLEST)
    assert "prompt.zzz" in message
    assert all(name in message for name in ("schema", "sample_values", "few_shot"))


WRONG = [
    ("[training]\nrank = true\n", "training.rank", "a whole number"),
    ("[training]\nrank = 8.0\n", "training.rank", "a whole number"),
    ('[training]\nrank = "8"\n', "training.rank", "a whole number"),
    ("[training]\nrank = 0\n", "training.rank", "at least 1"),
    ("[training]\nepochs = true\n", "training.epochs", "a number"),
    ("[training]\nepochs = 0\n", "training.epochs", "more than 0"),
    ("[training]\npeak_learning_rate = 0.0\n", "training.peak_learning_rate", "more than 0"),
    ("[training]\npeak_learning_rate = 3\n", "training.peak_learning_rate", "at most 1"),
    ("[training]\npeak_learning_rate = nan\n", "training.peak_learning_rate", "finite"),
    ("[training]\ndropout = 1.0\n", "training.dropout", "at most 0.99"),
    ("[training]\ngradient_checkpointing = 1\n", "training.gradient_checkpointing", "true or false"),
    ("[training]\ntarget_modules = [1]\n", "training.target_modules", "a list of strings"),
    ("[training]\noptimizer = 'adam_torch'\n", "training.optimizer", "did you mean 'adamw_torch'"),
    ("[prompt]\nfew_shot = -1\n", "prompt.few_shot", "at least 0"),
    ("[prompt]\nschema = 'createtable'\n", "prompt.schema", "did you mean 'create_table'"),
    ("[model]\nprecision = 32\n", "model.precision", "'float32'"),
    ("[model]\npath = 3\n", "model.path", "a string"),
    ("model = 3\n", "model", "a table"),
    ("seed = -1\n", "seed", "at least 0"),
    ("seed = true\n", "seed", "a whole number"),
    ('name = "a/b"\n', "name", "folder name"),
    ("name = 3\n", "name", "folder name"),
]


@pytest.mark.parametrize(("head", "key", "expected"), WRONG, ids=[head.strip() for head, _, _ in WRONG])
def test_value_impossible_is_refused_with_what_was_expected(tmp_path: Path, head: str, key: str, expected: str) -> None:
    message = refusal(tmp_path, head + SMALLEST)
    assert message.startswith(f"{tmp_path / 'trial.toml'}: {key}: ")
    assert expected in message


def test_shots_negative_in_general_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, SMALLEST.replace("[general]\n", "[general]\nfew_shot = -1\n"))
    assert "general.few_shot: expected at least 0, found -1" in message


def test_rank_zero_in_a_variant_names_the_variant(tmp_path: Path) -> None:
    assert "variant.run-1.rank: expected at least 1, found 0" in refusal(tmp_path, SMALLEST + "rank = 0\n")


@pytest.mark.parametrize("variants", ["", "variant = []\n"])
def test_variants_none_leave_the_base_model(tmp_path: Path, variants: str) -> None:
    config = load(tmp_path, variants + GROUND)
    assert [variant.name for variant in config.all_variants()] == ["baseline"]


def test_variants_two_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two variants are called 'run-1'" in refusal(tmp_path, SMALLEST + RUN_1)


def test_variant_called_baseline_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, SMALLEST + '[[variant]]\nname = "baseline"\n')
    assert "two variants are called 'baseline' (the baseline is always there)" in message


@pytest.mark.parametrize("name", ["prepared", "tables", "report", "manifest.json", "Tables"])
def test_variant_named_like_a_part_of_the_run_folder_is_refused(tmp_path: Path, name: str) -> None:
    message = refusal(tmp_path, GROUND + f'[[variant]]\nname = "{name}"\n')
    assert f"variant.{name}.name" in message


@pytest.mark.parametrize("name", ["a/b", "..", "", " a"])
def test_variant_whose_name_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    assert "expected a plain folder name" in refusal(tmp_path, GROUND + f'[[variant]]\nname = "{name}"\n')


def test_variant_without_name_is_refused(tmp_path: Path) -> None:
    assert "variant[1].name: missing" in refusal(tmp_path, SMALLEST + "[[variant]]\nrank = 4\n")


def test_variant_derived_takes_its_name_from_scale_and_checkpoint(tmp_path: Path) -> None:
    derived = '[[variant]]\nfrom = "run-1"\n'
    text = SMALLEST + derived + "adapter_scale = 0.5\n" + derived + "checkpoint = 200\n"
    config = load(tmp_path, text + derived + "checkpoint = 400\nadapter_scale = 0.25\n")
    assert [v.name for v in config.variants[1:]] == ["run-1@0.5", "run-1@step-200", "run-1@step-400@0.25"]
    assert not any(v.is_trained for v in config.variants[1:])
    assert config.variants[1].source == "run-1"


DERIVED = [
    ('from = "run-1"\nrank = 4\n', "rank: this variant is not trained; remove the key"),
    ('name = "x"\nadapter = "x"\nepochs = 4\n', "epochs: this variant is not trained; remove the key"),
    ('name = "x"\nfrom = "run-1"\nadapter = "x"\n', "give either `from` or `adapter`, not both"),
    ('name = "x"\nadapter = "x"\ncheckpoint = 200\n', "x.checkpoint: an adapter made elsewhere has none here"),
    ('name = "x"\nadapter_scale = 0.5\n', "adapter_scale and checkpoint need `from`"),
    ('name = "x"\ncheckpoint = 200\n', "adapter_scale and checkpoint need `from`"),
    ('from = "run-9"\nadapter_scale = 0.5\n', "from 'run-9': no such variant; did you mean 'run-1'?"),
    ('from = "baseline"\nadapter_scale = 0.5\n', "from 'baseline': no such variant"),
    ('from = "run-1"\ncheckpoint = 250\n', "saves every 200 steps; name a multiple"),
    ('from = "run-1"\ncheckpoint = 0\n', "at least 1"),
    ('from = "run-1"\nadapter_scale = -0.5\n', "at least 0.0"),
    ('from = "run-1"\nadapter_scale = 5\n', "at most 4.0"),
    ("from = 3\n", ".from: expected a string, found 3"),
    ('name = "x"\nsource = "run-1"\n', "source: unknown key"),
]


@pytest.mark.parametrize(("lines", "expected"), DERIVED, ids=[lines.replace("\n", "; ") for lines, _ in DERIVED])
def test_variant_derived_against_the_rules_is_refused(tmp_path: Path, lines: str, expected: str) -> None:
    message = refusal(tmp_path, SMALLEST + "[[variant]]\n" + lines)
    assert str(tmp_path / "trial.toml") in message
    assert expected in message


def test_variant_derived_of_a_derived_is_refused_with_the_owner(tmp_path: Path) -> None:
    text = SMALLEST + '[[variant]]\nfrom = "run-1"\nadapter_scale = 0.5\n[[variant]]\nfrom = "run-1@0.5"\nname = "x"\n'
    assert "name 'run-1' instead" in refusal(tmp_path, text)


def test_checkpoint_of_an_adapter_made_elsewhere_is_refused(tmp_path: Path) -> None:
    text = GROUND + '[[variant]]\nname = "a"\nadapter = "x"\n[[variant]]\nfrom = "a"\ncheckpoint = 200\n'
    assert "checkpoint needs a variant trained here" in refusal(tmp_path, text)


def test_path_relative_in_the_file_is_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "experiments", tmp_path / "elsewhere"
    for folder in (home / "weights", home / "spider", elsewhere / "spider", elsewhere / "mmlu", elsewhere / "made"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    text = (
        '[model]\npath = "weights"\n[target]\npath = "spider"\n[general]\npath = "mmlu"\n'
        '[[variant]]\nname = "a"\nadapter = "made"\n'
    )
    config = load(home, text)
    assert config.model.path == str(home / "weights")
    assert isinstance(config.target, SqlTarget)
    assert config.target.path == str(home / "spider")
    # not there, and all the same never the working directory's
    assert config.general[0].path == str(home / "mmlu")
    assert config.variants[0].adapter == str(home / "made")


def test_path_in_a_setting_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "experiments", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    config = load(home, SMALLEST, "target.path=spider", "model.path=m.gguf")
    assert isinstance(config.target, SqlTarget)
    assert config.target.path == str(elsewhere / "spider")
    assert config.model.path == str(elsewhere / "m.gguf")


def test_model_hub_name_stays_a_name(tmp_path: Path) -> None:
    config = load(tmp_path, '[model]\npath = "mistralai/Mistral-7B-Instruct-v0.2"\n' + SMALLEST)
    assert config.model.path == "mistralai/Mistral-7B-Instruct-v0.2"


def test_paths_left_out_are_looked_up_later(tmp_path: Path) -> None:
    config = load(tmp_path, '[target]\nkind = "spider"\n[general]\nkind = "mmlu"\n')
    assert isinstance(config.target, SqlTarget)
    assert config.target.path is None
    assert config.general[0].path is None


def test_general_left_out_is_the_embedded_suite(tmp_path: Path) -> None:
    config = load(tmp_path, '[target]\nkind = "demo"\n')
    assert [(item.kind, item.method, item.few_shot) for item in config.general] == [("demo", "cloze", 0)]


def test_general_empty_or_twice_is_refused(tmp_path: Path) -> None:
    head = '[target]\nkind = "demo"\n'
    assert "general: expected one or more" in refusal(tmp_path, "general = []\n" + head + RUN_1)
    twice = '[[general]]\nkind = "demo"\n' * 2
    assert "different kinds, found ['demo', 'demo']" in refusal(tmp_path, head + twice + RUN_1)


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


def test_load_experiment_claims_are_read(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(SMALLEST + '[claims]\nmargin_points = 2\nmargin_reason = "noise"\nprimary_suites = ["demo"]\n')
    claims = load_experiment(file).claims
    assert (claims.margin_points, claims.margin_reason, claims.primary_suites) == (2.0, "noise", ("demo",))
    assert claims.loss_budget_points is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[claims]\nmargin_points = 0\n", "claims.margin_points: expected more than 0"),
        ("[claims]\nmargn_points = 1\n", "margin_points"),
        ("[claims]\nlevel = 0.2\n", "claims.level: expected at least 0.8"),
        ('[claims]\nprimary_suites = ["mlu"]\n', "claims.primary_suites: no .* called 'mlu'"),
    ],
)
def test_load_experiment_claims_that_cannot_be_are_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "x.toml"
    file.write_text(SMALLEST + text)
    with pytest.raises(ConfigError, match=named):
        load_experiment(file)


def test_training_that_shares_prompts_is_not_grouped_by_length(tmp_path: Path) -> None:
    both = SMALLEST + "share_prompts = true\ngroup_by_length = true\n"
    assert refusal(tmp_path, both).endswith(
        "trial.toml: variant.run-1: share_prompts orders rows by their prompts; remove group_by_length"
    )


def test_setting_of_a_variant_without_a_name_is_addressed_by_the_name_it_gets(tmp_path: Path) -> None:
    text = SMALLEST + '[[variant]]\nfrom = "run-1"\nadapter_scale = 0.5\n'
    config = load(tmp_path, text, 'variant.run-1@0.5.name="half"', "variant.half.adapter_scale=0.25")
    assert (config.variants[1].name, config.variants[1].adapter_scale) == ("half", 0.25)
    with pytest.raises(ConfigError, match=r"say which variant: variant\.run-1, variant\.run-1@0\.5$"):
        load(tmp_path, text, "variant.run-9.rank=4")


METHODS_SHARED = (
    GROUND + "[training]\nrank = 4\nblock_size = 16\n" + RUN_1 + '[[variant]]\nname = "oft"\nmethod = "oft"\n'
)


def test_training_keys_of_several_methods_go_to_those_that_have_them(tmp_path: Path) -> None:
    config = load(tmp_path, METHODS_SHARED)
    recorded = [variant.training.as_dict() for variant in config.variants if variant.training is not None]
    assert recorded[0]["rank"] == 4
    assert "block_size" not in recorded[0]
    assert recorded[1]["block_size"] == 16
    assert not {"rank", "alpha", "dropout"} & set(recorded[1])


def test_training_key_of_no_method_in_the_file_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, GROUND + "[training]\nblock_size = 16\n" + RUN_1)
    assert "training.block_size: not a key of method 'lora', but of oft; its own are rank, alpha, dropout" in message


@pytest.mark.parametrize(
    ("method", "key", "having"), [("oft", "rank = 4", "lora"), ("mlp-only", "target_modules = []", "lora, rslora"),
                                  ("lora", 'calibration = "x"', "corda"), ("shira", "alpha = 1", "lora")],
)  # fmt: skip
def test_variant_key_of_another_method_is_refused(method: str, key: str, having: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, f'{SMALLEST}method = "{method}"\n{key}\n')
    assert f"variant.run-1.{key.split(maxsplit=1)[0]}: not a key of method {method!r}, but of {having}" in message


def test_corda_without_its_texts_names_the_key(tmp_path: Path) -> None:
    assert "variant.run-1.calibration: missing" in refusal(tmp_path, SMALLEST + 'method = "corda"\n')


def test_corda_texts_are_relative_to_the_file(tmp_path: Path) -> None:
    for text in (SMALLEST + 'method = "corda"\ncalibration = "t.txt"\n',
                 SMALLEST + 'method = "corda"\n[training]\ncalibration = "t.txt"\n'):  # fmt: skip
        training = load(tmp_path, text).variants[0].training
        assert training is not None
        assert training.settings.calibration == str(tmp_path / "t.txt")


def test_method_that_takes_the_bases_weights_is_refused_on_quantised_ones(tmp_path: Path) -> None:
    text = '[model]\nquantization = "nf4"\n' + SMALLEST + 'method = "pissa"\n'
    assert "variant.run-1.method: pissa starts from the base's own weights, which are quantised" in refusal(
        tmp_path, text
    )


def test_method_unknown_names_the_nearest(tmp_path: Path) -> None:
    assert "variant.run-1.method: no method 'dorra'; did you mean 'dora'?" in refusal(
        tmp_path, SMALLEST + 'method = "dorra"\n'
    )
    assert "variant.run-1.method: expected a string, found 3" in refusal(tmp_path, SMALLEST + "method = 3\n")


def test_training_keys_of_objectives_go_to_the_variants_that_have_them(tmp_path: Path) -> None:
    own = (
        '[[variant]]\nname = "near"\nobjective = "kl"\nkl_weight = 2\n[[variant]]\nname = "few"\nobjective = "masked"\n'
    )
    config = load(tmp_path, GROUND + "[training]\nkl_text_share = 0.2\n" + RUN_1 + own)
    run, near, few = (item["training"] for item in config.as_dict()["variants"])
    assert not {"objective", "objective_settings", "replay", "replay_share", "kl_weight"} & set(run)
    assert (near["objective"], near["kl_weight"], near["kl_text_share"], near["kl_texts"]) == (
        "kl",
        2.0,
        0.2,
        "built-in",
    )
    assert (few["objective"], few["least_probability"]) == ("masked", 0.4)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('objective = "kll"', "objective: no objective 'kll'; did you mean 'kl'"),
        ("kl_weight = 1", "kl_weight: not a key of objective 'sft', but of kl; its own are none"),
        (
            'objective = "kl"\nleast_probability = 0.1',
            "least_probability: not a key of objective 'kl', but of masked; its",
        ),
        ('objective = "kl"\nkl_text_share = 0.6', "kl_text_share: expected at most 0.5"),
        ("replay_share = 0.7", "replay_share: expected at most 0.5"),
        (
            'objective = "kl"\nmethod = "pissa"',
            "objective 'kl' compares with the base model, whose weights method 'pissa'",
        ),
    ],
)
def test_objective_that_cannot_be_is_refused(lines: str, expected: str, tmp_path: Path) -> None:
    assert expected in refusal(tmp_path, SMALLEST + lines + "\n")


def test_replay_names_stay_and_files_are_relative_to_the_file(tmp_path: Path) -> None:
    lines = [f'[[variant]]\nname = "v{number}"\nreplay = "{value}"\n'
             for number, value in enumerate(("self", "none", "rows.jsonl"))]  # fmt: skip
    kl = '[[variant]]\nname = "kl"\nobjective = "kl"\nkl_texts = "texts.txt"\n'
    variants = load(tmp_path, GROUND + "".join(lines) + kl).variants
    given = [variant.training.replay for variant in variants if variant.training]
    assert given == ["self", "none", str(tmp_path / "rows.jsonl"), "none"]
    assert variants[3].training is not None
    assert variants[3].training.objective_settings.kl_texts == str(tmp_path / "texts.txt")


def test_variants_that_differ_by_case_alone_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, GROUND + RUN_1 + '[[variant]]\nname = "Run-1"\n')
    assert "variant: 'run-1' and 'Run-1' would be one folder where case does not count" in message
    assert "'baseline' and 'Baseline'" in refusal(tmp_path, GROUND + '[[variant]]\nname = "Baseline"\n')
