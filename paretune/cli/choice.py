"""paretune choice: multiple choice over one base model and any number of its adapters."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.cli.run import keep_memory_on_cpu
from paretune.errors import DataError
from paretune.records import METHODS, ChoiceAnswer, ChoicePrompt, Method
from paretune.text import LANGUAGES, voice_named

if TYPE_CHECKING:
    from paretune.choice.suites.load import Suite
    from paretune.engines.base import Engine
    from paretune.engines.hf.engine import HfEngine

_KIND = "choice answers"  # of a header
_METHODS: dict[str, tuple[Method, ...]] = {**{method: (method,) for method in METHODS}, "all": METHODS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune choice`."""
    parser.description = "Score a model, and adapters over it, on a multiple-choice suite."
    add_model_arguments(parser)
    parser.add_argument("--suite", required=True, help="mmlu, arc-easy, hellaswag, enem, demo, ...")
    parser.add_argument("--path", type=Path, metavar="DIR", help="the suite's folder (demo suites need none)")
    parser.add_argument("--subjects", default="", metavar="A,B", help="only these subjects")
    parser.add_argument("--shots", type=int, default=5, help="solved development rows before each question (5)")
    parser.add_argument("--method", choices=tuple(_METHODS), default="letter", help="how answers are read (letter)")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N questions of each subject")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.jsonl", help="write one answer per line; an existing file is continued"
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name a base model and adapters."""
    parser.add_argument("--model", required=True, help="a Hub id, a directory or a GGUF file")
    parser.add_argument(
        "--adapter", action="append", default=[], help="a folder, an archive or a Hub id; may be repeated"
    )
    parser.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="of the weights (auto: bfloat16 or float16 by what a GPU computes, float32 without one)",
    )
    parser.add_argument(
        "--quantization",
        default="none",
        choices=("none", "nf4", "int8"),
        help="load the base model in 4 bits (nf4) or 8 (int8), by bitsandbytes",
    )
    parser.add_argument("--token-budget", type=positive, metavar="N", help="tokens per batch (default: by device)")
    parser.add_argument(
        "--plain", action="store_true", help="the model's own forward, one text at a time: slow, to check"
    )
    parser.add_argument("--lang", default="en", help=f"language of the summary: {' or '.join(LANGUAGES)}")


def run(arguments: argparse.Namespace) -> int:
    """Score and print; raises ParetuneError for what the user can mend."""
    from paretune.choice.prompts import build_prompts
    from paretune.choice.suites.load import load_suite, select_questions
    from paretune.report.summaries import choice_summary

    voice = voice_named(arguments.lang)
    if arguments.shots < 0 or (arguments.limit is not None and arguments.limit < 1):
        raise DataError("--shots must be 0 or more, --limit 1 or more")
    variants = variant_names(arguments.adapter)
    subjects = [name for name in arguments.subjects.split(",") if name]
    suite = load_suite(arguments.suite, arguments.path, subjects=subjects, shots=arguments.shots)
    questions = select_questions(suite, limit_per_subject=arguments.limit, selection="first", seed=0)
    prompts = [
        prompt
        for method in _METHODS[arguments.method]
        for prompt in build_prompts(suite, questions, shots=arguments.shots, method=method)
    ]
    engine = build_engine(arguments, variants.values())
    with _kept(arguments.out, _header(arguments, variants, suite, engine, prompts)) as (answers, keep):
        _score(engine, variants, prompts, suite.name, answers, keep)
    order = {name: place for place, name in enumerate(variants)}
    wanted = {(prompt.method, prompt.question.id) for prompt in prompts}
    chosen = [item for item in answers if item.variant in order and (item.method, item.id) in wanted]
    chosen.sort(key=lambda answer: order[answer.variant])
    print(choice_summary(chosen, chance=suite.chance, voice=voice))
    return 0


def variant_names(adapters: Sequence[str]) -> dict[str, Path | None]:
    """ "baseline" and a name for each adapter with its folder, unpacked or fetched where need be.

    The name is that of the folder (or of the one above, for .../run-1/adapter), of the archive or on the Hub. Raises
    DataError where two adapters would have one name, ModelError or DataError where one cannot be had.
    """
    from paretune.sources.adapters import find_adapter

    variants: dict[str, Path | None] = {"baseline": None}
    for named in adapters:
        path = Path(named).expanduser()
        if path.is_dir():
            whole = path.resolve()
            name = whole.parent.name if whole.name == "adapter" else whole.name
        else:
            name = path.name.partition(".")[0] if path.is_file() else named
        name = name if name not in variants else named
        if name in variants:
            raise DataError(f"--adapter {named}: given twice")
        variants[name] = find_adapter(named)
    return variants


def build_engine(arguments: argparse.Namespace, adapters: Iterable[Path | None]) -> HfEngine:
    """The engine that the options name; it loads nothing yet."""
    from paretune.config import ModelConfig
    from paretune.engines.base import Host
    from paretune.engines.hf.engine import HfEngine, TransformersSettings
    from paretune.models.adapters import doubt_about_base
    from paretune.models.load import ModelHandle

    keep_memory_on_cpu()
    model = ModelHandle(
        ModelConfig(path=arguments.model, precision=arguments.precision, quantization=arguments.quantization)
    )
    for adapter in filter(None, adapters):
        doubt = doubt_about_base(adapter, model.source.names)
        if doubt is not None:
            say(f"note: {adapter}: {doubt}")
    host = Host(model, token_budget=arguments.token_budget, say=say)
    return HfEngine(TransformersSettings(fast=not arguments.plain), host)


def say(line: str) -> None:
    """Tell the user one line, beside what the command prints."""
    print(line, file=sys.stderr, flush=True)


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected at least 1")
    return number


def _score(
    engine: Engine,
    variants: dict[str, Path | None],
    prompts: Sequence[ChoicePrompt],
    suite: str,
    answers: list[ChoiceAnswer],
    keep: Any,
) -> None:
    """What is not answered yet, variant by variant."""
    from paretune.engines.choices import answer_choices
    from paretune.progress import progress_bar

    wanted = {(prompt.method, prompt.question.id) for prompt in prompts}
    for variant, folder in variants.items():
        done = {(answer.method, answer.id) for answer in answers if answer.variant == variant} & wanted
        if done == wanted:
            continue
        with engine.variant(folder), progress_bar(variant, len(wanted), len(done)) as advance:

            def take(answer: ChoiceAnswer, advance: Any = advance) -> None:
                keep(answer)
                advance(1)

            answer_choices(engine, prompts, suite=suite, variant=variant, on_answer=take, answered=done)


@contextmanager
def _kept(path: Path | None, header: dict[str, Any]) -> Iterator[tuple[list[ChoiceAnswer], Any]]:
    """Answers kept so far, and where to put the next."""
    from paretune.run.jsonl import LineWriter
    from paretune.run.lines import from_record

    answers: list[ChoiceAnswer] = []
    if path is None:
        yield answers, answers.append
        return
    with LineWriter(path, _joined(path, header)) as writer:
        if writer.replaced is not None:
            say(f"{path}: answers under other settings; the file starts anew, the former is kept as {writer.replaced}")
        answers += [from_record(ChoiceAnswer, record, str(path)) for record in writer.done]

        def keep(answer: ChoiceAnswer) -> None:
            writer.append(answer)
            answers.append(answer)

        yield answers, keep


def _joined(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    """The header to go on with: adapters that the file knows already stay in it, further ones join them.

    Answers of an adapter whose content has changed are left out, and the former file is kept under another name.
    Raises DataError for a file that this command did not write.
    """
    from paretune.run.jsonl import read_lines, set_aside, write_lines

    if path.is_dir():
        raise DataError(f"--out {path}: a folder; expected a file to write")
    if not path.exists() or not path.stat().st_size:
        return header
    try:
        found, records = read_lines(path)
    except DataError:
        found, records = {}, []
    if found.get("kind") != _KIND:
        raise DataError(f"--out {path}: not a file of answers that paretune choice wrote; choose another name")
    known: dict[str, str] = found["adapters"]
    if {**found, "adapters": {}} != {**header, "adapters": {}}:
        return header
    wanted = {**header, "adapters": {**known, **header["adapters"]}}
    changed = {name for name, mark in wanted["adapters"].items() if known.get(name, mark) != mark}
    if changed:
        say(f"{path}: {', '.join(sorted(changed))} changed and is asked anew; the former file is kept as "
            f"{set_aside(path)}")  # fmt: skip
    if wanted["adapters"] != known:
        write_lines(path, wanted, [record for record in records if record["variant"] not in changed])
    return wanted


def _header(
    arguments: argparse.Namespace,
    variants: Mapping[str, Path | None],
    suite: Suite,
    engine: Engine,
    prompts: Sequence[ChoicePrompt],
) -> dict[str, Any]:
    """What decides the answers: weights, adapters, prompts, precision, versions."""
    import torch
    import transformers

    import paretune
    from paretune.files import fingerprint

    return {
        "kind": _KIND,
        "paretune": paretune.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "suite": suite.name,
        "shots": arguments.shots,
        "methods": list(_METHODS[arguments.method]),
        "prompts": fingerprint([[item.method, item.prefix, item.contexts, item.continuations] for item in prompts]),
        "files": dict(suite.files),
        **engine.conditions,
        "token_budget": arguments.token_budget,
        "adapters": {
            name: engine.adapter_fingerprint(folder) for name, folder in variants.items() if folder is not None
        },
    }
