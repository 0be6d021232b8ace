"""paretune choice: multiple choice over one base model and any number of its adapters."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.errors import DataError
from paretune.records import ChoiceAnswer, ChoiceOutcome, ChoicePrompt, Method
from paretune.text import LANGUAGES, voice_named

if TYPE_CHECKING:
    from paretune.choice.suites.load import Suite
    from paretune.models.load import LoadedModel

_METHODS: dict[str, tuple[Method, ...]] = {
    "letter": ("letter",),
    "cloze": ("cloze",),
    "generate": ("generate",),
    "all": ("letter", "cloze", "generate"),
}


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
    parser.add_argument("--out", type=Path, metavar="FILE.jsonl", help="write one answer a line; continued if there")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name a base model and adapters."""
    parser.add_argument("--model", required=True, help="a Hub id, a directory or a GGUF file")
    parser.add_argument("--adapter", type=Path, action="append", default=[], metavar="DIR", help="may be repeated")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16"))
    parser.add_argument("--quantization", default="none", choices=("none", "nf4", "int8"))
    parser.add_argument("--token-budget", type=int, metavar="N", help="tokens a batch (default: by device)")
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
    base = load_base(arguments)
    with _kept(arguments, _header(arguments, suite, base, prompts)) as (answers, keep):
        _score(arguments, base, variants, prompts, suite.name, answers, keep)
    order = {name: place for place, name in enumerate(variants)}
    wanted = {(prompt.method, prompt.question.id) for prompt in prompts}
    chosen = [item for item in answers if item.variant in order and (item.method, item.id) in wanted]
    chosen.sort(key=lambda answer: order[answer.variant])
    print(choice_summary(chosen, chance=suite.chance, voice=voice))
    return 0


def variant_names(adapters: Sequence[Path]) -> dict[str, Path | None]:
    """ "baseline" and a name for each adapter: its folder's (or the folder's above, for .../run-1/adapter).

    Raises DataError where a folder is missing or two adapters would have one name.
    """
    found: dict[str, Path | None] = {"baseline": None}
    for folder in adapters:
        if not folder.is_dir():
            raise DataError(f"--adapter {folder}: no such folder; expected an adapter in PEFT's format")
        path = folder.resolve()
        name = path.parent.name if path.name == "adapter" else path.name
        name = name if name not in found else str(folder)
        if name in found:
            raise DataError(f"--adapter {folder}: given twice")
        found[name] = folder
    return found


def load_base(arguments: argparse.Namespace) -> LoadedModel:
    """The base model that the options name."""
    from paretune.config import ModelConfig
    from paretune.models.load import load_model

    return load_model(
        ModelConfig(path=arguments.model, precision=arguments.precision, quantization=arguments.quantization)
    )


def _score(
    arguments: argparse.Namespace,
    base: LoadedModel,
    variants: dict[str, Path | None],
    prompts: Sequence[ChoicePrompt],
    suite: str,
    answers: list[ChoiceAnswer],
    keep: Any,
) -> None:
    """What is not answered yet, variant by variant; prompts are tokenised and packed once."""
    from paretune.engines.hf.options import AskedSuite
    from paretune.models.adapters import on_base
    from paretune.progress import progress_bar

    wanted = {(prompt.method, prompt.question.id) for prompt in prompts}
    asked = AskedSuite(suite, prompts, arguments.token_budget)
    for variant, folder in variants.items():
        done = {(answer.method, answer.id) for answer in answers if answer.variant == variant} & wanted
        if done == wanted:
            continue
        with on_base(base, folder) as model, progress_bar(variant, len(wanted), len(done)) as advance:

            def take(answer: ChoiceAnswer, advance: Any = advance) -> None:
                keep(answer)
                advance(1)

            asked.score(model, base.tokenizer, variant=variant, answered=done, on_answer=take)


@contextmanager
def _kept(arguments: argparse.Namespace, header: dict[str, Any]) -> Iterator[tuple[list[ChoiceAnswer], Any]]:
    """Answers kept so far, and where to put the next."""
    from paretune.run.jsonl import LineWriter

    answers: list[ChoiceAnswer] = []
    if arguments.out is None:
        yield answers, answers.append
        return
    if arguments.out.is_dir():
        raise DataError(f"--out {arguments.out}: a folder; expected a file to write")
    with LineWriter(arguments.out, header) as writer:
        answers += [_answer(record) for record in writer.done]

        def keep(answer: ChoiceAnswer) -> None:
            writer.append(answer)
            answers.append(answer)

        yield answers, keep


def _answer(record: dict[str, Any]) -> ChoiceAnswer:
    values = record | {
        "outcome": ChoiceOutcome(record["outcome"]),
        "log_probabilities": tuple(record["log_probabilities"]),
    }
    return ChoiceAnswer(**values)


def _header(
    arguments: argparse.Namespace, suite: Suite, base: LoadedModel, prompts: Sequence[ChoicePrompt]
) -> dict[str, Any]:
    """What decides the answers: weights, adapters, prompts, precision, versions."""
    import torch
    import transformers

    import paretune
    from paretune.files import fingerprint
    from paretune.models.adapters import adapter_fingerprint

    return {
        "kind": "choice answers",
        "paretune": paretune.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "suite": suite.name,
        "shots": arguments.shots,
        "methods": list(_METHODS[arguments.method]),
        "prompts": fingerprint([[item.method, item.prefix, item.contexts, item.continuations] for item in prompts]),
        "files": dict(suite.files),
        "weights": base.source.weights,
        "precision": base.precision,
        "quantization": base.quantization,
        "token_budget": arguments.token_budget,
        "adapters": {
            name: adapter_fingerprint(folder)
            for name, folder in variant_names(arguments.adapter).items()
            if folder is not None
        },
    }
