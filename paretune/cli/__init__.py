"""The command line: names of commands, their options, and errors in one line."""

from __future__ import annotations

import argparse
import errno
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from paretune import __version__
from paretune.cli import (
    audit,
    card,
    cell,
    cells,
    choice,
    dial,
    doctor,
    export,
    fetch,
    init,
    init_task,
    logs,
    perplexity,
    plan,
    power,
    run,
    score,
    search,
    suite,
    sync,
)
from paretune.cli import help as help_text
from paretune.errors import ParetuneError

_COMMANDS = {
    "init": (init, "write an experiment file to start from"),
    "init-task": (init_task, "make a task of your own database and questions"),
    "fetch": (fetch, "fetch a benchmark by its name"),
    "score": (score, "score anybody's predicted SQL"),
    "choice": (choice, "score multiple-choice questions with a model"),
    "perplexity": (perplexity, "bits per byte of a text"),
    "plan": (plan, "minutes, memory and disk of an experiment, before it starts"),
    "power": (power, "how many questions an effect needs"),
    "card": (card, "write a model card for the Hub"),
    "search": (search, "find the best recipe within a loss budget"),
    "cells": (cells, "the pieces of work of an experiment, for several processes"),
    "cell": (cell, "do some of these pieces"),
    "audit": (audit, "what makes a figure untrustworthy"),
    "dial": (dial, "an adapter at several scales and checkpoints, on validation questions"),
    "export": (export, "write a variant as an adapter, merged weights or a GGUF file"),
    "sync": (sync, "copy finished parts of a store or of runs to another place"),
    "doctor": (doctor, "what this machine can run, and what to set"),
    "test-suite": (suite, "build extra databases, to catch queries right by luck"),
}
_GROUPS = {
    "to start": ("doctor", "init", "init-task", "fetch"),
    "an experiment, whole or stage by stage": (
        "run",
        "prepare",
        "train",
        "evaluate",
        "list",
        "plan",
        "search",
        "cells",
        "cell",
    ),
    "its results": ("compare", "report", "dial", "card", "export", "audit", "sync"),
    "single tools": ("score", "choice", "perplexity", "power", "test-suite"),
}

_RESUMING = ("fetch", "sync", "dial", "search")  # beside the stages: what they finished is kept
_MOMENT = 0.05  # seconds
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what a stream that takes no more says
# Set before transformers is imported; what the user has set stays.
_QUIET = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "false"}


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    texts = {**run.STAGES, **{name: text for name, (_, text) in _COMMANDS.items()}}
    groups = {title: [(name, texts[name]) for name in names] for title, names in _GROUPS.items()}
    parser = argparse.ArgumentParser(
        prog="paretune",
        usage="paretune [-h] [--version] COMMAND ...",
        description=f"{help_text.DESCRIPTION}\n\n{help_text.grouped(groups)}",
        epilog=f"{help_text.examples('')}\n\nparetune COMMAND --help lists the options of a command.",
        formatter_class=help_text.Formatter,
    )
    parser.add_argument("--version", action="version", version=f"paretune {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS, prog="paretune"
    )
    for name, text in texts.items():
        module = run if name in run.STAGES else _COMMANDS[name][0]
        command = commands.add_parser(
            name, description=text, epilog=help_text.examples(name), formatter_class=help_text.Formatter
        )
        module.add_arguments(command)
        if name == "compare":
            logs.add_arguments(command)
        elif name == "run":
            run.add_cluster(command)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 fine, 2 an error the user can mend, 130 interrupted."""
    given = sys.argv[1:] if words is None else list(words)
    if not given or not _is_command(given[0]):
        return 2 if given else _start()
    arguments = build_parser().parse_args(given)
    fetch.choose_store(arguments)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that is not a query
    if "RANK" not in os.environ and not getattr(arguments, "cluster_address", None):
        # several GPUs without a launcher: transformers' trainer refuses; one is enough
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    elif "LOCAL_RANK" in os.environ:  # a launcher's process sees its own
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        number = int(os.environ["LOCAL_RANK"])
        os.environ["CUDA_VISIBLE_DEVICES"] = devices[number] if len(devices) > number else str(number)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without our letters gets a substitute, not a traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        with _heeding_interrupts():
            return _run(arguments)
    except ParetuneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; {_what_is_kept(arguments)}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # even asking whether a file exists fails in a folder that may not be entered
        if error.filename is None and error.errno not in _FULL:
            raise
        return _refused_by_system(error)


def _refused_by_system(error: OSError) -> int:
    if error.filename is None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in its buffer
    print(f"error: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
    return 2


def _start() -> int:
    """What paretune says without a command."""
    print(help_text.START, end="")
    return 0


def _is_command(word: str) -> bool:
    """Whether it is a command, or an option; else says so, with the nearest command."""
    known = [*run.STAGES, *_COMMANDS]
    if word in known or word.startswith("-"):
        return True
    from paretune.fields import nearest

    print(f"error: no command {word!r}{nearest(word, known)}", file=sys.stderr)
    return False


def _run(arguments: argparse.Namespace) -> int:
    """The exit status of one command."""
    if arguments.command in run.STAGES:
        status = run.run_stage(arguments.command, arguments)
    else:
        status = int(_COMMANDS[arguments.command][0].run(arguments))
    sys.stdout.flush()  # else a full disk is noticed at the very end, by nobody
    return status


def _what_is_kept(arguments: argparse.Namespace) -> str:
    resumes = arguments.command in (*run.STAGES, *_RESUMING) or (arguments.command == "choice" and arguments.out)
    return "the same command goes on from here" if resumes else "nothing was kept; the same command starts anew"


@contextmanager
def _heeding_interrupts() -> Iterator[None]:
    """Within, Ctrl-C is heeded where Python would drop it: in a finalizer or a callback of a weak reference, of which
    torch has many. It says "Exception ignored" there and goes on; here the signal is sent once more, a moment later."""
    former = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            main_thread = threading.main_thread().ident
            threading.Timer(_MOMENT, signal.pthread_kill, (main_thread, signal.SIGINT)).start()
        else:
            former(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = former
