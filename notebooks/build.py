"""The notebooks for Google Colab in both languages, made from the one text below: python -m notebooks.build

`«English|Português»` in a cell is replaced by the text of the notebook's language. Edit here, never the .ipynb files.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FILES = {"en": FOLDER / "paretune_colab.ipynb", "pt-BR": FOLDER / "paretune_colab.pt-BR.ipynb"}
PARAMETERS = "parameters"  # tag of the cell that a user edits

TEXT, CODE = "markdown", "code"
CELLS: tuple[tuple[str, str], ...] = (
    (TEXT, """# «What fine-tuning gains and what it forgets|O que o ajuste fino ganha e o que ele esquece»

*[«Leia em português|Read in English»](paretune_colab«.pt-BR|».ipynb)*

«This notebook repeats the course experiment of 2025: Mistral-7B-Instruct in 4 bits, LoRA adapters trained on Spider at two
learning rates, execution accuracy of the SQL, and MMLU before and after. In Colab, choose a GPU (Runtime, Change runtime
type, T4). With `EXPERIMENT = "demo"` it runs anywhere, without a GPU, in minutes.

Run the cells from top to bottom. **When a session is lost, run them all again:** everything lies on Drive, what is finished
is skipped, and a training goes on from its last checkpoint.|Este notebook repete o experimento da disciplina de 2025:
Mistral-7B-Instruct em 4 bits, adaptadores LoRA treinados no Spider com duas taxas de aprendizado, acurácia de execução do
SQL e MMLU antes e depois. No Colab, escolha uma GPU (Ambiente de execução, Alterar o tipo de ambiente de execução, T4). Com
`EXPERIMENT = "demo"` ele roda em qualquer máquina, sem GPU, em minutos.

Execute as células de cima para baixo. **Se a sessão cair, execute todas de novo:** tudo fica no Drive, o que já terminou é
pulado e um treinamento continua do último checkpoint.»"""),
    (PARAMETERS, """# «A file in experiments/:|Um arquivo em experiments/:» tp4, tp4-published, demo
EXPERIMENT = "tp4"
# «Variants to train; take one out and it is not trained|Variantes a treinar; sem o nome aqui, não se treina»
TRAIN = ["run-1", "run-2"]
# «Changes to the experiment, such as|Mudanças no experimento, como» "target.questions=1034",
# "variant.run-1.adapter=/content/drive/MyDrive/run1.zip" («for|para» tp4-published)
SETTINGS = []
# "hub", "kaggle", «or empty: the Hub, else Kaggle|ou vazio: o Hub, senão o Kaggle»
DATA_FROM = ""
# «paretune's folder, .zip file or git address, unless this notebook lies in it|Pasta, .zip ou git do paretune, se preciso»
SOURCE = ""
LANGUAGE = "«en|pt-BR»"
"""),
    (TEXT, """## «Drive and installation|Drive e instalação»

«In Colab, Drive keeps data, adapters and results. Packages that Colab brings (torch, numpy, ...) stay as they are; only
what is missing or too old is installed. `doctor` then says what this machine can run.|No Colab, o Drive guarda dados,
adaptadores e resultados. Os pacotes que o Colab já traz (torch, numpy, ...) ficam como estão; só se instala o que falta ou
é antigo demais. Depois, `doctor` diz o que esta máquina consegue rodar.»"""),
    (CODE, """import gc
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

IN_COLAB = "COLAB_RELEASE_TAG" in os.environ
if IN_COLAB:
    from google.colab import drive

    drive.mount("/content/drive")


def find_program():
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "experiments" / "demo.toml").is_file():
            return folder
    if Path(SOURCE).is_dir() and SOURCE:
        return Path(SOURCE)
    target = Path("paretune-source").resolve()
    if not SOURCE:
        raise RuntimeError("«SOURCE: name a folder, .zip file or git address|SOURCE: informe pasta, .zip ou endereço git»")
    if not target.exists() and SOURCE.endswith(".zip"):
        shutil.unpack_archive(SOURCE, target)
    elif not target.exists():
        subprocess.run(["git", "clone", "--depth", "1", SOURCE, str(target)], check=True)
    return next(file.parent.parent for file in target.rglob("demo.toml") if file.parent.name == "experiments")


PROGRAM = find_program()
if importlib.util.find_spec("paretune") is None:
    kept = []
    for name in ("torch", "torchvision", "torchaudio", "triton", "numpy", "scipy", "pandas", "pyarrow", "pillow"):
        try:
            kept.append(f"{name}=={metadata.version(name).partition('+')[0]}")
        except metadata.PackageNotFoundError:
            pass
    Path("kept.txt").write_text("\\n".join(kept))
    wanted = [str(PROGRAM), "@KAGGLE@"] + (["@QUANTIZATION@"] if shutil.which("nvidia-smi") else [])
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-c", "kept.txt", *wanted], check=True)
    importlib.invalidate_caches()


def paretune(*words):
    \"\"\"«One command of paretune; an error stops the notebook|Um comando do paretune; um erro para o notebook».\"\"\"
    from paretune.cli import main

    status = main([str(word) for word in words])
    gc.collect()
    if "torch" in sys.modules:
        sys.modules["torch"].cuda.empty_cache()
    if status:
        raise RuntimeError(f"paretune {words[0]}: «see the message above|veja a mensagem acima»")


paretune("doctor")
"""),
    (TEXT, """## «Data|Dados»

«Spider and MMLU are fetched once, checked, and kept in the store. For Kaggle the key is a Colab secret (`KAGGLE_USERNAME`
and `KAGGLE_KEY`, or `KAGGLE_API_TOKEN`), a variable of the environment, or `kaggle.json` here, on Drive or in
`~/.kaggle`.|Spider e MMLU são baixados uma vez, verificados e guardados. Para o Kaggle, a chave é um secret do Colab
(`KAGGLE_USERNAME` e `KAGGLE_KEY`, ou `KAGGLE_API_TOKEN`), uma variável de ambiente, ou o arquivo `kaggle.json` aqui, no Drive
ou em `~/.kaggle`.»"""),
    (CODE, """from paretune.config.read import load_experiment
from paretune.sources.known import known_data

KEYS = ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN")
if IN_COLAB:
    from google.colab import userdata

    for key in KEYS:
        try:
            os.environ.setdefault(key, userdata.get(key))
        except Exception:  # «no such secret, or this notebook may not read it|não há esse secret, ou sem permissão»
            pass
for file in (Path("kaggle.json"), Path("/content/drive/MyDrive/kaggle.json")):
    if file.is_file():
        content = json.loads(file.read_text())
        os.environ.setdefault("KAGGLE_USERNAME", content["username"])
        os.environ.setdefault("KAGGLE_KEY", content["key"])

FILE = PROGRAM / "experiments" / f"{EXPERIMENT}.toml"
OPTIONS = [word for setting in SETTINGS for word in ("--set", setting)]
config = load_experiment(FILE, SETTINGS)
for part in (config.target, *config.general):
    if part.path is None and part.kind not in ("demo", "demo-pt", "lm-eval"):
        paretune("fetch", known_data(part.kind).name, *(["--from", DATA_FROM] if DATA_FROM else []))
"""),
    (TEXT, """## «Check and prepare|Verificar e preparar»

«The dry run finds what would stop the experiment later; `prepare` writes what every variant will be asked.|A verificação
encontra o que pararia o experimento mais tarde; `prepare` grava o que será perguntado a cada variante.»"""),
    (CODE, """from paretune.files import runs_directory

RUN = runs_directory() / config.name
paretune("run", FILE, *OPTIONS, "--out", RUN, "--dry-run")
paretune("prepare", FILE, *OPTIONS, "--out", RUN)
"""),
    (TEXT, """## «Train|Treinar»

«Only the variants in `TRAIN`; an adapter that is finished is not trained again.|Só as variantes de `TRAIN`; um adaptador
pronto não é treinado de novo.»"""),
    (CODE, """for name in TRAIN:
    if config.variant(name).is_trained:
        paretune("train", FILE, *OPTIONS, "--out", RUN, "--variant", name)
"""),
    (TEXT, """## «Evaluate|Avaliar»

«The base model and every variant whose adapter is there answer the same questions, and each query is executed.|O modelo
base e todas as variantes cujo adaptador existe respondem às mesmas questões, e cada consulta é executada.»"""),
    (CODE, """READY = []
for variant in config.all_variants():
    source = config.variant(variant.source) if variant.source else variant
    if not source.is_trained or (RUN / source.name / "adapter" / "adapter_config.json").is_file():
        READY += ["--variant", variant.name]
    else:
        print(f"{variant.name}: «not trained, left out|não treinada, fica de fora»")
paretune("evaluate", FILE, *OPTIONS, "--out", RUN, *READY)
"""),
    (TEXT, """## «Results|Resultados»

«Tables with 95 % intervals, plots, the page with every question, and the files in the form of the course.|Tabelas com
intervalos de 95 %, gráficos, a página com cada questão e os arquivos na forma da disciplina.»"""),
    (CODE, """paretune("report", FILE, *OPTIONS, "--out", RUN, "--export", "tp4", "--lang", LANGUAGE)
"""),
    (CODE, """from IPython.display import HTML, Image, Markdown, display

for table in sorted((RUN / "tables").glob("*.md")):
    display(Markdown(table.read_text(encoding="utf-8")))
for plot in sorted((RUN / "report").rglob("*.png")):
    display(Image(filename=str(plot), width=720))
"""),
    (CODE, """from html import escape

page = (RUN / "report" / "index.html").read_text(encoding="utf-8")
frame = '<iframe srcdoc="{}" width="100%" height="800" style="border: 0"></iframe>'
display(HTML(frame.format(escape(page))))
"""),
    (CODE, """import pandas

for file in sorted((RUN / "export-tp4").glob("*.csv")):
    print(file)
    display(pandas.read_csv(file).head())
"""),
)  # fmt: skip


def notebook(language: str) -> str:
    """The text of the .ipynb file in one language."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return (
        json.dumps(
            {
                "cells": [_cell(place, kind, source, language) for place, (kind, source) in enumerate(CELLS)],
                "metadata": {"accelerator": "GPU", "kernelspec": kernel, "language_info": {"name": "python"}},
                "nbformat": 4,
                "nbformat_minor": 5,
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


def _cell(place: int, kind: str, source: str, language: str) -> dict[str, Any]:
    chosen = 1 + list(FILES).index(language)
    text = re.sub(r"«([^|»]*)\|([^|»]*)»", lambda match: match[chosen], source).strip()
    extras = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, packages in extras["optional-dependencies"].items():
        text = text.replace(f"@{name.upper()}@", packages[0])
    cell: dict[str, Any] = {"cell_type": TEXT if kind == TEXT else CODE, "id": f"cell-{place}", "metadata": {}}
    if kind == PARAMETERS:
        cell["metadata"]["tags"] = [PARAMETERS]
    if kind != TEXT:
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": text.splitlines(keepends=True)}


def main() -> None:
    """Write both notebooks."""
    for language, file in FILES.items():
        file.write_text(notebook(language), encoding="utf-8")


if __name__ == "__main__":
    main()
