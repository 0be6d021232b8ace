"""The notebooks are what their source gives, and run from the first cell to the last on the demo."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from notebooks.build import FILES, PARAMETERS, notebook
from tests.tiny_models import save_tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("language", FILES)
def test_notebook_is_what_its_source_gives(language: str) -> None:
    text = FILES[language].read_text(encoding="utf-8")
    assert text == notebook(language), "run: python -m notebooks.build"
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert re.findall("[«»@]", "".join(text.split("@KAGGLE"))) == []


def test_notebooks_differ_in_words_alone() -> None:
    """The same cells, and the same code once comments and texts are left out."""
    cells = [json.loads(notebook(language))["cells"] for language in FILES]
    english, portuguese = [[(cell["id"], cell["cell_type"]) for cell in own] for own in cells]
    assert english == portuguese
    for first, second in zip(*cells, strict=True):
        if first["cell_type"] == "code":
            assert _code(first["source"]) == _code(second["source"])


def _code(source: list[str]) -> list[str]:
    """Lines of code without comments and the contents of strings."""
    text = re.sub(r'"""(.|\n)*?"""|"[^"\n]*"', '""', "".join(source))
    return [line.partition("#")[0].strip() for line in text.splitlines() if line.partition("#")[0].strip()]


@pytest.mark.parametrize("language", ["pt-BR"])
def test_notebook_runs_on_the_demo_without_an_accelerator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    settings = [
        f"model.path={save_tiny_model(tmp_path / 'model')}", "target.questions=6", "target.train_rows=8",
        "target.max_new_tokens=4", "general.questions_per_subject=1", "training.checkpoint_steps=2",
        "training.max_tokens=1024",
    ]  # fmt: skip
    for name, value in {
        "PARETUNE_HOME": str(tmp_path / "store"), "PARETUNE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    made = nbformat.reads(FILES[language].read_text(encoding="utf-8"), as_version=4)
    place = next(n for n, cell in enumerate(made.cells) if PARAMETERS in cell.metadata.get("tags", ()))
    edited = f'EXPERIMENT = "demo"\nTRAIN = ["run-1"]\nSETTINGS = {settings!r}\n'
    made.cells.insert(place + 1, nbformat.v4.new_code_cell(edited))
    done = NotebookClient(
        made, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT / "notebooks")}}
    ).execute()

    run = tmp_path / "store" / "runs" / "demo"
    assert (run / "run-1" / "adapter" / "adapter_config.json").is_file()
    assert not (run / "run-2").exists()
    texts = [output.text for cell in done.cells for output in cell.get("outputs", ()) if output.output_type == "stream"]
    assert any("run-2: não treinada, fica de fora" in text for text in texts)
    shown = [output.data for cell in done.cells for output in cell.get("outputs", ()) if "data" in output]
    tables = [data["text/markdown"] for data in shown if "text/markdown" in data]
    assert any("run-1@0.5" in table and "acurácia" in table.lower() for table in tables)
    assert sum("image/png" in data for data in shown) >= 1
    pages = [data["text/html"] for data in shown if data.get("text/html", "").startswith("<iframe")]
    assert len(pages) == 1
    assert "&lt;html" in pages[0]
    names = sorted(file.name for file in (run / "export-tp4").glob("*.csv"))
    assert names == [
        "avaliacao_Baseline_Model.csv", "avaliacao_Fine-Tuned_Run_1.csv", "avaliacao_Fine-Tuned_Run_1@0.5.csv",
        "avaliacao_mmlu_resultados.csv", "summary_fase3_accuracy.csv",
    ]  # fmt: skip
