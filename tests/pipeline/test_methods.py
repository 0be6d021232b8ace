"""Every training method goes from the experiment file to the tables, on the embedded benchmark with a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

import paretune as pt
from paretune.methods import METHODS
from paretune.run.jsonl import read_lines
from tests.tiny_experiment import run_stages, tiny_experiment
from tests.tiny_models import save_tiny_model

EXPERIMENT = tiny_experiment(
    "methods",
    "questions = 8\ntrain_rows = 8\nmax_new_tokens = 4",
    """
batch_size = 4
epochs = 2
rank = 2
peak_learning_rate = 2e-2
calibration = "texts.txt"
block_size = 16
""",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("methods")
    save_tiny_model(home / "model")
    (home / "texts.txt").write_text("the sun rises in the east\nwater boils at 100 degrees\n", encoding="utf-8")
    variants = [f'[[variant]]\nname = "{name}"\nmethod = "{name}"\n' for name in METHODS]
    variants.append('[[variant]]\nfrom = "oft"\nadapter_scale = 0.5\n')
    (home / "methods.toml").write_text(EXPERIMENT + "".join(variants), encoding="utf-8")
    run_stages(home / "methods.toml", home / "run", "train", "evaluate", "compare")
    return home / "run"


@pytest.mark.parametrize("name", METHODS)
def test_method_from_the_experiment_file_to_the_tables(name: str, run: Path) -> None:
    rows = pt.Run(run).tables()["tradeoff"]
    assert name in set(rows["variant"])
    for part in ("answers", "sql", "choice"):
        assert len(read_lines(run / name / f"{part}.jsonl")[1]) == len(
            read_lines(run / "baseline" / f"{part}.jsonl")[1]
        )


@pytest.mark.parametrize("name", [*METHODS, "oft@0.5"])
def test_method_changes_what_the_model_says(name: str, run: Path) -> None:
    def options(variant: str) -> list[list[float]]:
        return [line["log_probabilities"] for line in read_lines(run / variant / "choice.jsonl")[1]]

    differences = [abs(a - b) for one, other in zip(options(name), options("baseline"), strict=True)
                   for a, b in zip(one, other, strict=True)]  # fmt: skip
    assert max(differences) > 0.01
    if name == "oft@0.5":
        assert options(name) != options("oft")


def test_method_is_part_of_the_header_of_its_training(run: Path) -> None:
    assert "method" not in read_lines(run / "lora" / "training.jsonl")[0]["config"]
    config = read_lines(run / "oft" / "training.jsonl")[0]["config"]
    assert (config["method"], config["block_size"]) == ("oft", 16)
    assert not {"rank", "calibration", "settings"} & set(config)
