"""The model card: metadata that the Hub's own classes read, and the comparison's own figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from paretune.analysis.comparison import compare_run
from paretune.analysis.results import Comparison
from paretune.cli import main
from paretune.errors import RunFolderError
from paretune.report.card import card_text
from paretune.run.load import Run, load_run
from paretune.text import LANGUAGES, Voice
from tests.simulated_run import SimulatedVariant, change_manifest, variants, write_run

EN = Voice("en")
FIGURE = re.compile(r"[+-]?\d+\.\d \[[+-]?\d+\.\d, [+-]?\d+\.\d\]")


def compared(folder: Path) -> tuple[Run, Comparison]:
    records = load_run(folder)
    return records, compare_run(records, replicates=100)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Comparison]:
    return compared(write_run(tmp_path_factory.mktemp("run") / "run", variants(4)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_metadata_is_read_by_the_hub_with_the_figures_of_the_comparison(
    run: tuple[Run, Comparison], language: str
) -> None:
    records, comparison = run
    data = ModelCard(card_text(records, comparison, "run-1", Voice(language))).data
    assert (data.base_model, data.library_name) == (comparison.model, "peft")
    assert data.eval_results is not None
    found = {(one.task_type, one.dataset_name): one for one in data.eval_results}
    row = next(row for row in comparison.variants if row.name == "run-1")
    target = found["text-generation", comparison.target_benchmark]
    assert target.metric_value == float(EN.number(row.leading.estimate))
    difference = comparison.difference("run-1", "target")
    assert difference is not None
    assert target.metric_args["change_low"] == float(EN.number(difference.interval.low))
    for suite in comparison.suites:
        cell = next(one for one in suite.rows if (one.kind, one.variant) == ("all", "run-1"))
        general = found["multiple-choice", suite.suite]
        assert general.metric_value == float(EN.number(cell.accuracy.estimate))
        assert cell.change is not None
        assert general.metric_args["change_points"] == float(EN.number(cell.change.estimate))


def test_card_quotes_no_figure_that_the_comparison_does_not_have(run: tuple[Run, Comparison]) -> None:
    records, comparison = run
    known = {EN.interval(one.claim.interval, signed=True) for one in comparison.differences}
    known |= {EN.interval(row.target) for row in comparison.variants}
    known |= {EN.interval(row.accuracy) for suite in comparison.suites for row in suite.rows}
    quoted = FIGURE.findall(card_text(records, comparison, "run-1", EN))
    assert len(quoted) > 8
    assert set(quoted) <= known


def test_card_says_data_rules_seeds_versions_and_training(run: tuple[Run, Comparison]) -> None:
    text = card_text(*run, "run-1", EN)
    for fact in ("155 questions in 6 databases, official rules", "180 questions by cloze, 5 shots", "torch 2.13.0",
                 "800 steps", "lora (rank 16, alpha 32", "seed 42", "Trained once (one seed)"):  # fmt: skip
        assert fact in text


def test_card_of_a_scale_says_how_to_get_it(run: tuple[Run, Comparison]) -> None:
    text = card_text(*run, "run-1@0.5", EN)
    assert "at 0.5 of its strength; `paretune export EXPERIMENT DIR --variant run-1@0.5` writes one" in text
    assert "strength" not in card_text(*run, "run-1", EN)


def test_card_portuguese_has_its_own_headings_and_decimal_commas(run: tuple[Run, Comparison]) -> None:
    body = card_text(*run, "run-1", Voice("pt-BR")).split("\n---\n")[1]
    for heading in ("## Ganho e perda", "## Como foi medido", "## Limites", "## Como usar"):
        assert heading in body
    prose = body.partition("```")[0]
    assert not re.search(r"\d\.\d \[", prose)


def test_card_of_nothing_picked_asks_for_a_name(run: tuple[Run, Comparison]) -> None:
    records, comparison = run
    assert comparison.verdict.pick is None
    with pytest.raises(RunFolderError, match=r"no variant is picked.*--variant run-1 or run-2"):
        card_text(records, comparison, None, EN)


@pytest.mark.parametrize(("name", "said"), [("run1", "did you mean 'run-1'"), ("baseline", "no card of 'baseline'")])
def test_card_of_a_name_without_an_adapter_is_refused(run: tuple[Run, Comparison], name: str, said: str) -> None:
    with pytest.raises(RunFolderError, match=said):
        card_text(*run, name, EN)


def test_card_default_is_the_pick_and_a_recipe_is_named(tmp_path: Path) -> None:
    planted = [SimulatedVariant(f"a-{seed}", 40.0, -10.0, seed=seed, peak_learning_rate=2e-4) for seed in (1, 2, 3)]
    records, comparison = compared(write_run(tmp_path / "run", planted))
    pick = comparison.verdict.pick
    assert pick is not None
    text = card_text(records, comparison, None, EN)
    assert f"# simulated: {pick.unit.variants[0]}" in text
    assert f"is one of 3 seeds of the recipe {pick.unit.name}" in text
    assert "Not picked" not in text


def test_card_shows_no_folder_of_this_machine(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [SimulatedVariant("odd_name*|x", 10.0)])
    records = load_run(folder)
    change_manifest(folder, model={**records.manifest["model"], "name": f"{tmp_path}/weights/qwen.gguf"})
    text = card_text(*compared(folder), "odd_name*|x", EN)
    assert str(tmp_path) not in text
    assert "An adapter of qwen.gguf" in text
    assert 'from_pretrained("BASE_MODEL")' in text
    assert ModelCard(text).data.base_model is None
    assert r"odd\_name\*|x changes" in text


def test_card_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    assert main(["card", str(folder), "--variant", "run-1", "--lang", "pt-BR"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("---\nbase_model: ")
    assert "## Como usar" in printed
    assert main(["card", str(folder)]) == 2
    assert "error: " in capsys.readouterr().err
