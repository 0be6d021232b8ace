"""What a user sees, collected through the command line and the files it writes: the content of the golden files.

Each collector is given an empty folder to work in and returns name -> text. Nothing in the texts depends on the
machine, the time, a path, or a version of a library; numbers of CSV files keep six digits.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from paretune.cli import main
from paretune.files import file_sha256
from paretune.run.jsonl import Record, read_lines
from tests.golden.page_outline import digest, digests, outline
from tests.simulated_run import variants, write_run
from tests.tiny_models import save_tiny_model

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "pt-BR")
HEAVY = (
    "torch", "transformers", "peft", "trl", "accelerate", "datasets", "gguf", "sqlglot", "scipy", "numpy", "matplotlib",
    "jinja2", "tqdm", "pandas", "deepeval", "lm_eval",
)  # fmt: skip
OPTIONAL = {"bitsandbytes", "deepeval", "lm_eval"}  # packages that a machine may lack
# Drawing takes seconds and a page holds both languages, so each run has one page: the language that it shows first.
PAGES = {2: "en", 6: "pt-BR", 12: "en"}
_FIXED = {
    "COLUMNS": "80",
    "NO_COLOR": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}
_TINY = """
name = "tiny"
[model]
path = "model"
[target]
kind = "demo"
questions = 12
train_rows = 8
max_new_tokens = 4
batch_size = 2
[general]
kind = "demo"
few_shot = 1
questions_per_subject = 2
method = "cloze"
[training]
batch_size = 2
logging_steps = 1
rank = 2
peak_learning_rate = 1e-2
[[variant]]
name = "run-1"
[[variant]]
from = "run-1"
adapter_scale = 0.5
"""
_STAGES = """
import sys
from paretune.cli import main
for stage in ("prepare", "train", "evaluate", "list"):
    status = main([stage, *sys.argv[1:]])
    if status:
        sys.exit(status)
"""

Texts = dict[str, str]


def simulated(count: int, folder: Path) -> Texts:
    """Tables, printed text, audit and page of a simulated run with `count` variants, baseline included."""
    run = write_run(folder / "run", variants(count))
    texts: Texts = {}
    with _environment(folder):
        texts |= _every_pair(run)
        for language in LANGUAGES:
            texts[f"{language}/compare.txt"] = _printed("compare", str(run), "--lang", language)
            for path in sorted((run / "tables").iterdir()):
                text = path.read_text(encoding="utf-8")
                if path.suffix == ".csv":  # the same in every language, or it is stored twice and seen as new
                    text, shared = _rounded(text), f"tables/{path.name}"
                    texts[shared if texts.get(shared, text) == text else f"{language}/{shared}"] = text
                else:
                    texts[f"{language}/tables/{path.name}"] = text
            texts[f"{language}/audit.txt"] = _printed("audit", str(run), "--lang", language)
            if language == PAGES[count]:
                _printed("report", str(run), "--lang", language)
                page = (run / "report" / "index.html").read_text(encoding="utf-8")
                texts[f"{language}/page.txt"] = outline(page)
                texts[f"{language}/page-digests.txt"] = digests(page)
    return {**texts, "files.txt": _names(run, _files(run))}


def _every_pair(run: Path) -> Texts:
    """What other claims change, in print and in tables."""
    texts = {"other-claims/compare.txt": _printed("compare", str(run), "--every-pair", "--budget", "2.5")}
    for path in (run / "tables" / f"{name}.csv" for name in ("claims", "comparisons", "costs", "pick")):
        texts[f"other-claims/{path.name}"] = _rounded(path.read_text(encoding="utf-8"))
    return texts


def tiny_run(folder: Path) -> Texts:
    """Headers, kinds of lines and fingerprints of a real run of a tiny random model.

    Fingerprints of weights belong to the libraries that wrote them, so what is derived from them is recomputed and
    named in words; any other value is shown as it is.
    """
    save_tiny_model(folder / "model")
    (folder / "tiny.toml").write_text(_TINY, encoding="utf-8")
    run = folder / "run"
    with _environment(folder):
        done = subprocess.run(
            [sys.executable, "-c", _STAGES, str(folder / "tiny.toml"), "--out", str(run)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = [path for path in _files(run) if "checkpoints" not in path.parts]
    return {
        "list.txt": re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE AND TIME", done.stdout.replace(str(run), "FOLDER")),
        "files.txt": _names(run, files),
        "headers.txt": _headers(run, [path for path in files if path.suffix == ".jsonl"]),
        "manifest.json": _manifest(run),
    }


def help_texts(folder: Path) -> Texts:
    """`--help` of paretune and of each command that it names."""
    with _environment(folder):
        whole = _printed("--help")
        commands = re.findall(r"^    ([a-z][a-z-]*)", whole, flags=re.MULTILINE)
        assert len(commands) > 10, whole
        return {"paretune.txt": whole} | {f"{name}.txt": _printed(name, "--help") for name in commands}


def imports(folder: Path) -> Texts:
    """What `import paretune.cli` loads: its own modules, and which heavy packages."""
    code = "import json, sys; import paretune.cli; print(json.dumps(list(sys.modules)))"
    with _environment(folder):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    own = sorted(name for name in loaded if name.partition(".")[0] == "paretune")
    heavy = [name for name in HEAVY if name in loaded]
    return {
        "paretune.txt": "".join(f"{name}\n" for name in own),
        "heavy.txt": f"heavy packages loaded: {', '.join(heavy) or 'none'}\n",
    }


COLLECTORS: dict[str, Callable[[Path], Texts]] = {
    "help": help_texts,
    "imports": imports,
    **{f"simulated-{count}": partial(simulated, count) for count in PAGES},
    "tiny-run": tiny_run,
}


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """Fixed width, no colours, no network, a cache of its own; the variables of before come back."""
    before = dict(os.environ)
    os.environ.update(_FIXED, PARETUNE_CACHE=str(folder / "cache"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _printed(*words: str) -> str:
    """Standard output of a command that succeeds, followed by what `compare` and `audit` say on standard error. The
    folder that the command is about is called FOLDER, wherever it lies."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _as_folder(words) as named:
        try:
            status = main(named)
        except SystemExit as ended:  # argparse's way out of --help
            status = int(ended.code or 0)
    assert status == 0, err.getvalue()
    said = f"standard error:\n{err.getvalue()}" if err.getvalue() and words[0] != "report" else ""
    text = out.getvalue() + said
    return text.replace(words[1], "FOLDER") if len(words) > 1 and Path(words[1]).is_dir() else text


@contextlib.contextmanager
def _as_folder(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words with the folder under a name of its own, so that lines break alike wherever it lies."""
    if len(words) < 2 or not Path(words[1]).is_dir():
        yield words
        return
    folder = Path(words[1])
    with contextlib.chdir(folder.parent):
        link = Path("FOLDER")
        link.symlink_to(folder.name, target_is_directory=True)
        try:
            yield (words[0], str(link), *words[2:])
        finally:
            link.unlink()


def _files(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_file() and path.name != ".lock")


def _names(run: Path, files: list[Path]) -> str:
    return "".join(f"{path.relative_to(run).as_posix()}\n" for path in files)


def _rounded(text: str) -> str:
    """A CSV file with six significant digits: the last of ten may differ between processors."""
    written = io.StringIO()
    rows = [[_six_digits(cell) for cell in row] for row in csv.reader(io.StringIO(text))]
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()


def _six_digits(cell: str) -> str:
    return f"{float(cell):.6g}" if re.fullmatch(r"-?\d+\.\d+(e[-+]?\d+)?", cell) else cell


def _headers(run: Path, files: list[Path]) -> str:
    """Each file's header, with the keys of its lines."""
    headers = {str(path.relative_to(run)): read_lines(path) for path in files}
    names = _names_of_weights(run, {name: header for name, (header, _) in headers.items()})
    text = ""
    for name, (header, records) in headers.items():
        shown = {key: names.get(value, value) if isinstance(value, str) else value for key, value in header.items()}
        if name.startswith("prepared/"):
            shown["fingerprint"] += f" {_in_words(header['fingerprint'], 'the lines', list(records))}"
        else:
            shown |= _derived(run, name, {file: content for file, (content, _) in headers.items()})
        text += f"{name}: {len(records)} lines of {', '.join(records[0])}\n"
        text += json.dumps(shown, ensure_ascii=False, indent=1) + "\n\n"
    return text


def _names_of_weights(run: Path, headers: dict[str, Record]) -> dict[str, str]:
    """The fingerprints of the base and of run-1's adapter, each with the words for what it must be made of."""
    base, adapter = run.parent / "model", run / "run-1" / "adapter"
    files = [[path.name, file_sha256(path)] for path in sorted(base.iterdir())]
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    parts = [
        file_sha256(adapter / "adapter_model.safetensors"),
        {key: sorted(value) if isinstance(value, list) else value for key, value in settings.items()},
    ]
    weights, tuned = headers["baseline/answers.jsonl"]["weights"], headers["run-1/answers.jsonl"]["adapter"]
    return {
        weights: _in_words(weights, "the model's files", files),
        tuned: _in_words(tuned, "run-1's adapter, weights and configuration", parts),
    }


def _derived(run: Path, name: str, headers: dict[str, Record]) -> Record:
    """The fingerprints of a variant's file in words, where they are what they should be."""
    variant, _, file = name.rpartition("/")
    header = headers[name]
    rest = {key: value for key, value in header.items() if key not in ("kind", "fingerprint")}
    if file == "training.jsonl":
        settings = {key: value for key, value in header["config"].items() if key != "logging_steps"}
        for key in ("group_by_length", "share_prompts", "prompts_per_step", "fuse_adapters"):
            del settings[key]  # off: trainings of before these keys stand
        answers = headers[f"{variant}/answers.jsonl"]
        conditions = {key: answers[key] for key in ("weights", "precision", "quantization")}
        decided: Any = {**conditions, "rows": headers["prepared/train.jsonl"]["fingerprint"], "training": settings}
        return {"fingerprint": _in_words(header["fingerprint"], "conditions, rows and settings", decided)}
    if file == "sql.jsonl":
        answers_print = rest.pop("answers")
        data = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["data"]
        databases = {key: value for key, value in data.items() if key.startswith("target/database/")}
        return {
            "fingerprint": _in_words(header["fingerprint"], "answers and the rest", [answers_print, rest]),
            "answers": _in_words(answers_print, "answers.jsonl", None, headers[f"{variant}/answers.jsonl"]),
            "databases": _in_words(header["databases"], "the manifest's databases", databases),
            "sqlite": "of this machine" if header["sqlite"] == sqlite3.sqlite_version else header["sqlite"],
        }
    return {"fingerprint": _in_words(header["fingerprint"], "the rest of this header", rest)}


def _in_words(value: str, name: str, decided: Any, header: Record | None = None) -> str:
    """`of NAME` for the fingerprint of `decided` (or of that header); the value itself where it is another."""
    expected = digest(decided) if header is None else header["fingerprint"]
    return f"of {name}" if value == expected else value


def _manifest(run: Path) -> str:
    """The manifest's keys; the configuration and the variants' entries whole, but for times and paths."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    config = json.loads(json.dumps(manifest["config"]).replace(str(run.parent), "FOLDER"))
    shown = {key: _shape(value) for key, value in manifest.items()}
    measured = ("seconds", "tokens")
    shown["variants"] = {
        name: entry | {key: _shape(entry[key]) for key in measured if key in entry}
        for name, entry in manifest["variants"].items()
    }
    shown["config"] = config
    shown["data"] = sorted(manifest["data"])
    shown["work"] = [f"{entry['stage']} {entry['variant']}" for entry in manifest["work"]]
    shown["versions"] = sorted(set(manifest["versions"]) - OPTIONAL)
    shown["git_commit"] = "str or null"
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


def _shape(value: Any) -> Any:
    """Keys, with the type of each value in its place."""
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    return type(value).__name__
