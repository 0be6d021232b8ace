"""Repaired variants of an experiment: from the file to the tables, made once, and made anew when their source is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import paretune as pt
from paretune.cli import main
from paretune.config.read import load_experiment
from paretune.errors import ConfigError
from paretune.run.jsonl import read_lines
from tests.tiny_experiment import run_stages, tiny_experiment
from tests.tiny_models import save_tiny_model

EXPERIMENT = tiny_experiment(
    "repairs",
    "questions = 8\ntrain_rows = 8\nmax_new_tokens = 4",
    """
batch_size = 4
epochs = 2
rank = 4
peak_learning_rate = 2e-2
checkpoint_steps = 2
[[variant]]
from = "run-1"
repair = "layer-scale"
first_scale = 0
[[variant]]
from = "run-1"
repair = "intruder-removal"
intruder_scale = 0.0
similarity = 0.9
[[variant]]
from = "run-1"
repair = "spectral"
remove_below = 1.0
adapter_scale = 0.5
[[variant]]
from = "run-1"
checkpoint = 2
repair = "spectral"
remove_below = 0
cut_above = 1
[[variant]]
name = "run-1"
""",
)
REPAIRED = ("run-1@layer-scale", "run-1@intruder-removal", "run-1@spectral@0.5", "run-1@step-2@spectral")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("repairs")
    save_tiny_model(home / "model")
    (home / "x.toml").write_text(EXPERIMENT, encoding="utf-8")
    run_stages(home / "x.toml", home / "run", "run")
    return home


@pytest.fixture(autouse=True)
def _cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(home / "cache"))


def _options(home: Path, variant: str) -> list[list[float]]:
    return [line["log_probabilities"] for line in read_lines(home / "run" / variant / "choice.jsonl")[1]]


def test_repair_stands_in_tables_and_page_under_its_name(home: Path) -> None:
    rows = {row["variant"]: row for row in pt.Run(home / "run").tables()["execution_accuracy"].to_dict("records")}
    assert {name: rows[name]["repair"] for name in REPAIRED} == {
        "run-1@layer-scale": "layer-scale", "run-1@intruder-removal": "intruder-removal",
        "run-1@spectral@0.5": "spectral", "run-1@step-2@spectral": "spectral",
    }  # fmt: skip
    assert {rows[name]["kind"] for name in REPAIRED} == {"repaired"}
    page = (home / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert "run-1 repaired: intruder-removal" in page


@pytest.mark.parametrize("name", REPAIRED)
def test_repair_answers_otherwise_than_its_source_and_the_base(home: Path, name: str) -> None:
    assert _options(home, name) != _options(home, "run-1")
    assert _options(home, name) != _options(home, "baseline")


def test_repair_says_what_decided_its_adapter(home: Path) -> None:
    origin = json.loads((home / "run" / REPAIRED[1] / "adapter" / "paretune.json").read_text(encoding="utf-8"))
    assert origin["repair"] == "intruder-removal"
    assert origin["settings"] == {"similarity": 0.9, "leading_vectors": 10, "intruder_scale": 0.0}
    assert origin["source_adapter"] == read_lines(home / "run" / "run-1" / "answers.jsonl")[0]["adapter"]


def test_repair_is_one_recipe_of_its_own(home: Path) -> None:
    from paretune.analysis.units import units_of

    manifest = json.loads((home / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert [unit.variants for unit in units_of(manifest, ["run-1", *REPAIRED])[0]] == [
        ("run-1",), *((name,) for name in REPAIRED)
    ]  # fmt: skip


def test_repair_is_made_once_and_anew_for_other_settings(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(home / "x.toml"), "--out", str(home / "run"), "--variant", "run-1@layer-scale"]
    assert main(words) == 0
    assert "run-1@layer-scale: already repaired" in capsys.readouterr().err
    file = home / "run" / "run-1@layer-scale" / "adapter" / "adapter_model.safetensors"
    before = file.read_bytes()
    assert main([*words, "--set", "variant.run-1@layer-scale.first_scale=0.25"]) == 0
    assert "its former adapter is kept as adapter.old-1" in capsys.readouterr().err
    assert file.read_bytes() != before
    assert main(words) == 0
    assert file.read_bytes() == before


def test_repair_is_a_cell_between_training_and_answers(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cells", str(home / "x.toml"), "--out", str(home / "run"), "--kind", "repair"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"repair:{name}" in shown for name in REPAIRED)
    assert main(["cell", str(home / "x.toml"), "--out", str(home / "new"), "prepare"]) == 0
    assert main(["cell", str(home / "x.toml"), "--out", str(home / "new"), "answer:run-1@layer-scale"]) == 2
    assert "needs train:run-1, which is not done" in capsys.readouterr().err


def test_repair_outdated_by_its_source_is_listed_and_refused(home: Path, tmp_path: Path,
                                                             capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    import shutil

    run = shutil.copytree(home / "run", tmp_path / "run")
    words = [str(home / "x.toml"), "--out", str(run), "--set", "variant.run-1.seed=7"]
    assert main(["train", *words, "--variant", "run-1"]) == 0
    capsys.readouterr()
    assert main(["cell", *words, "choice:run-1@layer-scale"]) == 2
    assert "needs repair:run-1@layer-scale, which is not done" in capsys.readouterr().err
    assert main(["list", *words]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "run-1@layer-scale" in line)
    assert "outdated" in line


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('repair = "layer-scale"', r"variant\.x\.repair: needs `from`"),
        ('from = "run-1"\nrepair = "layer-scales"', "no repair 'layer-scales'; did you mean 'layer-scale'"),
        ('from = "run-1"\nrepair = "spectral"\nsimilarity = 0.5', r"variant\.x\.similarity: unknown key"),
        ('from = "run-1"\nremove_below = 2', "belongs to repair 'spectral'; name it: repair"),
        ('from = "run-1"\nrepair = "spectral"\ncut_above = 1', "cut_above = 1 is below"),
        ('from = "run-1"\nrepair = "layer-scale"\nlayer_scales = ["a"]', "expected a list of numbers"),
        ('from = "run-1"\nrepair = "layer-scale"\nlayer_scales = [5]', "numbers from 0 to 4"),
        ('from = "turned"\nrepair = "spectral"', "oft trains no low-rank update of the weights"),
        ('from = "lengths"\nrepair = "spectral"', "dora trains no low-rank update of the weights"),
        ('served = "http://127.0.0.1:1/v1"\nfrom = "run-1"\nrepair = "spectral"', "leave only `from`"),
    ],
)
def test_repair_that_cannot_be_is_refused_in_the_file(tmp_path: Path, lines: str, said: str) -> None:
    methods = '[[variant]]\nname = "turned"\nmethod = "oft"\n[[variant]]\nname = "lengths"\nmethod = "dora"\n'
    file = tmp_path / "x.toml"
    file.write_text(
        f'[target]\nkind = "demo"\n[[variant]]\nname = "run-1"\n{methods}[[variant]]\nname = "x"\n{lines}\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=said):
        load_experiment(file)
