"""The command line: names of commands, their options, and errors in one line."""

from __future__ import annotations

import argparse
import errno
import io
import logging
import os
import sys
from collections.abc import Sequence

from paretune import __version__
from paretune.cli import (
    audit,
    choice,
    doctor,
    export,
    fetch,
    init,
    init_task,
    perplexity,
    power,
    run,
    score,
    suite,
    sync,
)
from paretune.errors import ParetuneError

_COMMANDS = {
    "init": (init, "write an experiment file to start from"),
    "init-task": (init_task, "make a task of your own database and questions"),
    "fetch": (fetch, "fetch a benchmark by its name"),
    "score": (score, "score anybody's predicted SQL"),
    "choice": (choice, "score multiple-choice questions with a model"),
    "perplexity": (perplexity, "bits per byte of a text"),
    "power": (power, "how many questions an effect needs"),
    "audit": (audit, "what makes a figure untrustworthy"),
    "export": (export, "write a variant as an adapter, merged weights or a GGUF file"),
    "sync": (sync, "copy finished parts of a store or of runs to another place"),
    "doctor": (doctor, "what this machine can run, and what to set"),
    "test-suite": (suite, "build several databases a schema, to tell lucky queries from right ones"),
}

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what a stream that takes no more says
# Set before transformers is imported; what the user has set stays.
_QUIET = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "false"}


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    parser = argparse.ArgumentParser(
        prog="paretune", description="What a fine-tuned language model gains, what it forgets, and where to stop."
    )
    parser.add_argument("--version", action="version", version=f"paretune {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in run.STAGES.items():
        run.add_arguments(commands.add_parser(name, help=text, description=text))
    for name, (module, text) in _COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=text))
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 fine, 2 an error the user can mend, 130 interrupted."""
    arguments = build_parser().parse_args(words)
    fetch.choose_store(arguments)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that is not a query
    if "RANK" not in os.environ:  # several GPUs without a launcher: transformers' trainer refuses; one is enough
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without our letters gets a substitute, not a traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        if arguments.command in run.STAGES:
            status = run.run_stage(arguments.command, arguments)
        else:
            status = int(_COMMANDS[arguments.command][0].run(arguments))
        sys.stdout.flush()  # else a full disk is noticed at the very end, by nobody
        return status
    except ParetuneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # even asking whether a file exists fails in a folder that may not be entered
        if error.filename is None and error.errno not in _FULL:
            raise
        if error.filename is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in its buffer
        print(f"error: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        return 2
