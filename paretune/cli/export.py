"""paretune export: a variant as a PEFT adapter, merged weights or a GGUF file, checked by its answers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from paretune.cli.fetch import add_store
from paretune.cli.run import add_settings, keep_memory_on_cpu
from paretune.errors import ConfigError
from paretune.files import runs_directory

_KINDS = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune export`."""
    parser.description = (
        "Write a variant for other programs: as an adapter with its scale inside, as merged weights, or as a GGUF file "
        "for llama.cpp and Ollama. The files then answer questions of the run; how many answers are equal is printed."
    )
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT", help="experiment file of a finished run")
    parser.add_argument("target", type=Path, metavar="DIR", help="the new folder")
    parser.add_argument("--variant", required=True, metavar="NAME", help="for example run-1 or run-1@0.5")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--merge", action="store_true", help="weights with the update added, as transformers reads them")
    form.add_argument("--gguf", choices=_KINDS, metavar="TYPE", help=f"a GGUF file: {', '.join(_KINDS)}")
    parser.add_argument("--questions", type=int, default=32, metavar="N", help="answered as a check (default 32)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="run folder (default: runs/<experiment>)")
    add_settings(parser, "model.path=FILE.gguf")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write, check and print; raises ParetuneError for what the user can mend."""
    from paretune.config.read import load_experiment
    from paretune.pipeline.export import export
    from paretune.pipeline.session import Session
    from paretune.run.folder import RunFolder
    from paretune.text import voice_named

    if arguments.questions < 1:
        raise ConfigError(f"--questions {arguments.questions}: expected at least 1")
    config = load_experiment(arguments.experiment, arguments.settings)
    variant = config.variant(arguments.variant)
    folder = RunFolder(arguments.out or runs_directory() / config.name)
    session = Session(config, folder, voice_named("en"), lambda line: print(line, file=sys.stderr, flush=True))
    keep_memory_on_cpu()
    form = "merged" if arguments.merge else arguments.gguf or "adapter"
    agreement = export(session, variant, arguments.target, form, arguments.questions)
    print(f"{variant.name} as {form}: {arguments.target}")
    print(f"{agreement.equal} of {agreement.questions} answers are those of {variant.name} to the letter")
    if agreement.changed:
        print(f"changed: questions {', '.join(agreement.changed[:10])}{' ...' if len(agreement.changed) > 10 else ''}")
    return 0
