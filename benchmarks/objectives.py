"""What each training objective costs beside plain fine-tuning; on a GPU also whether graphs compute the same.

    python -m benchmarks.objectives [--shape small | qwen2.5-1.5b | --model PATH] [--rows ROWS.npz] [--steps N]

Prints per objective seconds of processors (CPU) or of the clock (GPU) per step, and the ratio to plain fine-tuning. The
seconds of `masked` hold its passes over all rows before the first step. Without --rows (benchmarks/training.py writes
them) rows are random: prompts of 300 tokens with 8 rows each, answers of 32. The last column is the largest difference
between the logged losses of steps replayed as CUDA graphs and of the same steps computed one kernel after another.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.training import SHAPES, load, read_rows, wait, within
from paretune.config import TrainingConfig
from paretune.models.load import LoadedModel
from paretune.objectives import OBJECTIVES, find_objective
from paretune.pipeline.replay import mixed_count
from paretune.run.jsonl import read_lines
from paretune.training import sft
from paretune.training.batches import TrainingRow

SHAPES["small"] = {
    "model_type": "qwen2", "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 8192, "tie_word_embeddings": True,
    "max_position_embeddings": 4096,
}  # fmt: skip
TEXT_TOKENS = 80  # of a built-in text, about
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in OBJECTIVES},
    "masked": ("masked", {"least_probability": 1e-6}),  # of random weights
    "kl": ("kl", {"kl_texts": "none"}),
    "kl with texts": ("kl", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--model", help="a directory or GGUF file instead of random weights")
    parser.add_argument("--rows", type=Path, metavar="NPZ")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=16)
    arguments = parser.parse_args()
    base = load(arguments.shape, arguments.model)
    vocabulary = int(base.model.config.vocab_size)
    count = arguments.steps * arguments.batch_size
    rows = random_rows(count) if arguments.rows is None else read_rows(arguments.rows)[:count]
    texts = [TrainingRow(tokens(TEXT_TOKENS, number), TEXT_TOKENS - 1) for number in range(mixed_count(count, 0.1))]
    rows, texts = within(rows, vocabulary), [replace(row, part="text") for row in within(texts, vocabulary)]
    config = TrainingConfig(batch_size=arguments.batch_size, max_tokens=2048, logging_steps=1, checkpoint_steps=10**6,
                            share_prompts=True, fuse_adapters=True)  # fmt: skip
    on_gpu = base.model.device.type == "cuda"
    trained(base, rows[: arguments.batch_size], config)  # libraries are loaded, kernels compiled
    plain = 0.0
    print(f"{'objective':16}{'steps':>6}{'s per step':>12}{'ratio':>8}{'losses apart':>14}")
    for name, (objective, settings) in CASES.items():
        made = replace(config, objective=objective, objective_settings=find_objective(objective).settings(**settings))
        given = [*rows, *texts] if name == "kl with texts" else rows
        seconds, losses = trained(base, given, made)
        plain = plain or seconds
        apart = ""
        if on_gpu:
            with mock.patch.object(sft, "_is_replayable", return_value=False):
                again = trained(base, given, made)[1]
            apart = f"{max(abs(one - other) for one, other in zip(losses, again, strict=True)):.5f}"
        print(f"{name:16}{len(losses):6}{seconds / len(losses):12.4f}{seconds / plain:8.2f}{apart:>14}", flush=True)


def trained(base: LoadedModel, rows: Sequence[TrainingRow], config: TrainingConfig) -> tuple[float, list[float]]:
    """Seconds of an epoch, and the loss of each step."""
    clock = time.perf_counter if base.model.device.type == "cuda" else time.process_time
    with tempfile.TemporaryDirectory() as folder:
        wait()
        start = clock()
        sft.train_adapter(base, rows, config, Path(folder), "benchmark", lambda *_: None, lambda line: None)
        wait()
        seconds = clock() - start
        return seconds, [line["loss"] for line in read_lines(Path(folder) / "training.jsonl")[1]]


def random_rows(count: int) -> list[TrainingRow]:
    """Eight rows per prompt of 300 tokens, each with a question of 20 and an answer of 32."""
    return [TrainingRow((*tokens(300, -1 - row // 8), *tokens(52, row)), 32) for row in range(count)]


def tokens(count: int, seed: int) -> tuple[int, ...]:
    """Made up."""
    generator = random.Random(seed)
    return tuple(generator.randrange(5, 100_000) for _ in range(count))


if __name__ == "__main__":
    main()
