"""Processes of the command line that start in milliseconds: forked from one that has imported everything.

Each line on standard input is {"words": [...], "out": FILE, "err": FILE, "drawn": false for empty plots}; for each, the
process's number and then its exit status (negative: killed by that signal) are printed. The forks are processes of
their own and can be killed.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

import pytest

from tests.undrawn import draw_nothing


def import_everything() -> None:
    import matplotlib.pyplot
    import peft
    import scipy.stats
    import sqlglot
    import torch
    import transformers
    from transformers.models.qwen2 import modeling_qwen2

    import paretune.pipeline.experiment
    import paretune.pipeline.report
    import paretune.report.page
    import paretune.training.sft

    _ = (matplotlib.pyplot, peft, scipy.stats, sqlglot, torch, transformers.AutoTokenizer, transformers.Trainer)
    _ = (
        modeling_qwen2,
        paretune.report.page,
        paretune.pipeline.report,
        paretune.pipeline.experiment,
        paretune.training.sft,
    )


def work(order: dict[str, Any]) -> None:
    from paretune.cli import main

    if not order["drawn"]:
        draw_nothing(pytest.MonkeyPatch())
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["paretune", *order["words"]]
    status = 1
    try:
        status = main(order["words"])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def serve() -> None:
    import_everything()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            work(json.loads(line))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
