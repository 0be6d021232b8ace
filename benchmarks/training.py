"""How fast a training is: a plain padded PEFT loop beside ours, in one run.

    python -m benchmarks.training --rows ROWS.npz --out FILE.json [--shape qwen2.5-1.5b | --model PATH] [--mistral]
    python -m benchmarks.training --rows ROWS.npz --write-rows --spider DIR --tokenizer DIR

Rows are those of train_spider as an experiment renders them, in tokens; --write-rows makes the file, without weights.
Weights are random unless --model names some: the time of a step does not depend on them. The loop is what PEFT's and
transformers' guides amount to: batches grouped by length and padded, adapters as PEFT makes them, autocast, logits of
all positions. --mistral: Mistral-7B's shape in 4 bits beside TRL's defaults.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from paretune.config import TrainingConfig
from paretune.models.load import LoadedModel
from paretune.models.source import ModelSource
from paretune.training.batches import LengthGroupedOrder, TrainingRow

SHAPES: dict[str, dict[str, Any]] = {
    "qwen2.5-1.5b": {
        "model_type": "qwen2", "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
        "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True,
        "max_position_embeddings": 32768, "rope_theta": 1e6, "rms_norm_eps": 1e-6,
    },
    "mistral-7b": {
        "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "sliding_window": None,
        "max_position_embeddings": 32768, "rope_theta": 1e6,
    },
    "tiny": {
        "model_type": "qwen2", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 2048, "tie_word_embeddings": True,
        "max_position_embeddings": 4096,
    },
}  # fmt: skip
WARM_UP = 3  # steps before the clock runs: kernels are compiled and memory is had
LEFT_OUT = ("soccer_1", "baseball_1")  # as in experiments/spider-1.5b.toml


def main() -> None:
    # Else the loop's logits of whole batches do not fit between the pieces that other lengths have left.
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, metavar="NPZ")
    parser.add_argument("--write-rows", action="store_true")
    parser.add_argument("--spider", type=Path, metavar="DIR")
    parser.add_argument("--tokenizer", metavar="DIR")
    parser.add_argument("--out", type=Path, metavar="JSON")
    parser.add_argument("--shape", choices=SHAPES, default="qwen2.5-1.5b")
    parser.add_argument("--model", help="a directory or GGUF file instead of random weights")
    parser.add_argument("--steps", type=int, default=20, help="timed steps where no whole epoch is")
    parser.add_argument("--loop-steps", type=int, default=8)
    parser.add_argument("--mistral", action="store_true")
    parser.add_argument("--max-rows", type=int, help="the first rows only, to try the script")
    arguments = parser.parse_args()
    if arguments.write_rows:
        write_rows(arguments.rows, arguments.spider, arguments.tokenizer)
        return
    rows = within(read_rows(arguments.rows)[: arguments.max_rows], SHAPES[arguments.shape]["vocab_size"])
    found: dict[str, Any] = {"machine": machine(), "limit_tflops": matmul_tflops(), "rows": []}
    base = load(arguments.shape, arguments.model)
    for record in one_shape(base, rows, arguments.steps, arguments.loop_steps):
        report(found, record, arguments.out)
    del base
    if arguments.mistral:
        for record in mistral(rows, arguments.steps):
            report(found, record, arguments.out)


def report(found: dict[str, Any], record: dict[str, Any], out: Path | None) -> None:
    """Add the rates that follow from a record, print it, and write all so far."""
    seconds = record["ms_per_step"] / 1e3
    record["rows_tokens_per_second"] = round(record["tokens_per_step"] / seconds)
    record["share_computed"] = round(record["computed_per_step"] / record["tokens_per_step"], 3)
    operations = 4 * record["linear_weights"] * record["computed_per_step"]  # forward, and backward to the inputs
    record["share_of_limit"] = round(operations / seconds / (found["limit_tflops"] * 1e12), 3)
    record["epoch_seconds"] = round(record["epoch_tokens"] / record["rows_tokens_per_second"], 1)
    found["rows"].append(record)
    print(json.dumps(record), flush=True)
    if out is not None:
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def one_shape(base: LoadedModel, rows: Sequence[TrainingRow], steps: int, loop_steps: int) -> Any:
    """Records of the loop and of ours."""
    yield {"name": "plain loop, 16 rows padded", **plain_loop(base, rows, 16, loop_steps)}
    plain = TrainingConfig(batch_size=16, max_tokens=2048, logging_steps=1000, checkpoint_steps=10**6,
                           optimizer="adamw_torch_fused")  # fmt: skip
    shared: dict[str, Any] = {"share_prompts": True}
    fused = {**shared, "fuse_adapters": True}
    for name, count, overrides in (
        ("shared prompts, adapters by PEFT, 16 rows", steps, shared),
        ("shared prompts, fused adapters, 16 rows", None, fused),
        ("shared prompts, fused adapters, 64 rows", None, {**fused, "batch_size": 64}),
    ):
        yield {"name": name, **ours(base, rows, replace(plain, **overrides), count)}


def ours(base: LoadedModel, rows: Sequence[TrainingRow], config: TrainingConfig, count: int | None) -> dict[str, Any]:
    """A record of `train_adapter` itself, log included: so many steps, or the whole epoch."""
    from paretune.training.sft import total_steps, train_adapter
    from paretune.training.shared_prompts import SharedPromptCollator, SharedPromptOrder, sharable
    from paretune.training.step_sizes import StepSizes, plan_sizes

    whole = total_steps(len(rows), config)
    steps = whole if count is None else min(count + WARM_UP, whole)
    config = replace(config, epochs=steps / whole)
    times: list[float] = []

    def on_step(step: int, _: int) -> None:
        if step in (WARM_UP, steps):
            wait()
        times.append(time.perf_counter())

    per_step = config.batch_size * config.accumulation_steps
    order = list(SharedPromptOrder([sharable(row.tokens, row.answer_tokens) for row in rows],
                                   [len(row.tokens) for row in rows], rows_per_step=per_step,
                                   prompts_per_step=config.prompts_per_step, seed=config.seed))  # fmt: skip
    collator = SharedPromptCollator(config.batch_size * config.max_tokens)
    timed = [[rows[place] for place in order[first : first + per_step]]
             for first in range(WARM_UP * per_step, steps * per_step, per_step)]  # fmt: skip
    batches = [collator([{"input_ids": row.tokens, "labels": row.tokens[-row.answer_tokens :]} for row in step])
               for step in timed]  # fmt: skip
    shapes = [(sum(layout["input_ids"].shape[1] for layout in batch["layouts"]), batch["answer_tokens"])
              for batch in batches]  # fmt: skip
    sizes = StepSizes(per_step, plan_sizes(shapes))
    padded_to = [size[0] if (size := sizes.holding(*shape)) else shape[0] for shape in shapes]
    clean()
    reset_peak()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        train_adapter(base, rows, config, Path(folder) / "run", "benchmark", on_step, print)
    return {
        "rows_per_step": per_step,
        "steps": len(batches),
        "training_seconds": round(time.perf_counter() - start, 1),
        "ms_per_step": 1e3 * (times[-1] - times[WARM_UP - 1]) / len(batches),
        "median_ms_per_step": round(1e3 * float(np.median(np.diff(times[WARM_UP - 1 :]))), 1),
        "tokens_per_step": sum(batch["tokens"] for batch in batches) / len(batches),
        "computed_per_step": sum(tokens for tokens, _ in shapes) / len(batches),
        "sizes": len(sizes.sizes),
        "padding_of_sizes": round(sum(padded_to) / sum(tokens for tokens, _ in shapes) - 1, 3),
        **common(base, rows),
    }


def plain_loop(base: LoadedModel, rows: Sequence[TrainingRow], size: int, steps: int) -> dict[str, Any]:
    """A record of a loop as guides write it."""
    import torch
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(base.model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear",
                                                  task_type="CAUSAL_LM"))  # fmt: skip
    model.train()
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=2e-4)
    device = base.model.device
    order = list(LengthGroupedOrder([len(row.tokens) for row in rows], size, 42))
    batches = [[rows[place] for place in order[first : first + size]] for first in range(0, len(order), size)]
    batches = batches[: WARM_UP + steps]
    started, done, tokens, places, short = 0.0, 0, 0, 0, 0
    reset_peak()
    for number, batch in enumerate(batches):
        if number == WARM_UP:
            wait()
            started = time.perf_counter()
        inputs = {name: item.to(device) for name, item in padded(batch).items()}
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=base.precision == "bfloat16"):
                loss = model(**inputs, use_cache=False).loss
            loss.backward()
        except torch.OutOfMemoryError:  # the longest batches, on cards that do not hold their logits
            optimizer.zero_grad()
            clean()
            short += 1
            continue
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if number >= WARM_UP:
            done += 1
            tokens += sum(len(row.tokens) for row in batch)
            places += inputs["input_ids"].numel()
    wait()
    seconds = time.perf_counter() - started
    record = {
        "rows_per_step": size,
        "steps": done,
        "ms_per_step": 1e3 * seconds / done,
        "tokens_per_step": tokens / done,
        "computed_per_step": places / done,
        "batches_out_of_memory": short,
        **common(base, rows),
    }
    base.model = model.unload()
    return record


def padded(batch: Sequence[TrainingRow]) -> dict[str, Any]:
    import torch

    longest = max(len(row.tokens) for row in batch)
    ids, mask = np.zeros((len(batch), longest), int), np.zeros((len(batch), longest), int)
    labels = np.full((len(batch), longest), -100)
    for number, row in enumerate(batch):
        length = len(row.tokens)
        ids[number, :length], mask[number, :length] = row.tokens, 1
        labels[number, length - row.answer_tokens : length] = row.tokens[-row.answer_tokens :]
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask), "labels": torch.tensor(labels)}


def mistral(rows: Sequence[TrainingRow], steps: int) -> Any:
    """Records in 4 bits: TRL's defaults, ours, and ours where no row shares anything and all are 1024 tokens long."""
    base = load_nf4("mistral-7b")
    words = base.model.config.vocab_size
    rows = within([row for row in rows if len(row.tokens) <= 1024], words)
    plain = TrainingConfig(batch_size=1, accumulation_steps=8, max_tokens=1024, optimizer="paged_adamw_8bit",
                           gradient_checkpointing=True, logging_steps=1000, checkpoint_steps=10**6)  # fmt: skip
    yield {"name": "Mistral-7B nf4, TRL's defaults, 1 x 8 rows", **trl_defaults(base, rows, max(3, steps // 4))}
    config = replace(plain, share_prompts=True, fuse_adapters=True)
    yield {"name": "Mistral-7B nf4, ours, 1 x 8 rows", **ours(base, rows, config, steps)}
    generator = np.random.default_rng(0)
    worst = [TrainingRow(tuple(generator.integers(0, words, 1024).tolist()), 128) for _ in range(64)]
    yield {"name": "Mistral-7B nf4, ours, 1 x 8 rows of 1024 tokens, nothing shared", **ours(base, worst, config, 3)}


def trl_defaults(base: LoadedModel, rows: Sequence[TrainingRow], steps: int) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    times: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step in (1, steps + 1):
                wait()
                times.append(time.perf_counter())

    reset_peak()
    drawn = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))[: 8 * (steps + 1)]]
    data = Dataset.from_list([
        {"input_ids": list(row.tokens),
         "labels": [-100] * (len(row.tokens) - row.answer_tokens) + list(row.tokens[-row.answer_tokens :])}
        for row in drawn
    ])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder, per_device_train_batch_size=1, gradient_accumulation_steps=8, max_length=1024,
            max_steps=steps + 1, save_strategy="no", report_to="none", disable_tqdm=True, shuffle_dataset=False,
            bf16=torch.cuda.is_available(), use_cpu=not torch.cuda.is_available(),
        )  # fmt: skip
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = SFTTrainer(model=base.model, args=arguments, train_dataset=data, processing_class=base.tokenizer,
                             peft_config=lora, callbacks=[Clock()])  # fmt: skip
        trainer.train()
    timed = sum(len(row.tokens) for row in drawn[8:]) / steps
    record = {
        "rows_per_step": 8,
        "steps": steps,
        "ms_per_step": 1e3 * (times[1] - times[0]) / steps,
        "tokens_per_step": timed,
        "computed_per_step": timed,
        **common(base, rows),
    }
    base.model = trainer.accelerator.unwrap_model(trainer.model).unload()
    base.model.gradient_checkpointing_disable()
    return record


def common(base: LoadedModel, rows: Sequence[TrainingRow]) -> dict[str, Any]:
    return {
        "linear_weights": linear_weights(base.model),
        "epoch_tokens": sum(len(row.tokens) for row in rows),
        "peak_gib": peak_gib(),
    }


def linear_weights(model: Any) -> int:
    """Weights that a token is multiplied by; the head is not, but at labels."""
    return sum(
        module.in_features * module.out_features
        for name, module in model.named_modules()
        if hasattr(module, "in_features")
        and "lm_head" not in name
        and ".lora_" not in name
        and ".base_layer" not in name
    )


def load(shape: str, path: str | None) -> LoadedModel:
    """Random weights of a shape, or a model of this project's loader; in bfloat16 on CUDA, float32 elsewhere."""
    import torch

    if path is not None:
        from paretune.config import ModelConfig
        from paretune.models.load import load_model

        return load_model(ModelConfig(path=path))
    from transformers import AutoConfig, AutoModelForCausalLM

    on_gpu = torch.cuda.is_available()
    kind = dict(SHAPES[shape])
    config = AutoConfig.for_model(kind.pop("model_type"), **kind)
    torch.manual_seed(0)
    with torch.device("cuda" if on_gpu else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16 if on_gpu else torch.float32)
    precision = "bfloat16" if on_gpu else "float32"
    return LoadedModel(model.eval(), tokenizer(), ModelSource(Path(shape), shape, (shape,)), precision, "none", 4096)


def load_nf4(shape: str) -> LoadedModel:
    """Random weights of a shape, its linear layers but the head in NF4 with double quantisation."""
    import bitsandbytes as bnb
    import torch

    base = load(shape, None)
    for name, module in list(base.model.named_modules()):
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name:
            packed = bnb.nn.Linear4bit(module.in_features, module.out_features, bias=module.bias is not None,
                                       compute_dtype=base.model.dtype, quant_type="nf4")  # fmt: skip
            packed.weight = bnb.nn.Params4bit(module.weight.data, requires_grad=False, quant_type="nf4",
                                              compress_statistics=True)  # fmt: skip
            base.model.set_submodule(name, packed.to(base.model.device))
    base.model.is_loaded_in_4bit = True
    base.quantization = "nf4"
    clean()
    return base


def tokenizer() -> Any:
    """One that a trainer accepts; rows are tokens already."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({"<pad>": 0, "</s>": 1}, unk_token="<pad>"))
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>")


def write_rows(path: Path, spider: Path, tokenizer_directory: str) -> None:
    """Render and tokenise train_spider once."""
    from transformers import AutoTokenizer

    from paretune.models.chat import completion, encode, render
    from paretune.sql.database import schema_text
    from paretune.sql.prompt import SqlPromptBuilder, one_line
    from paretune.sql.spider import database_path, read_split

    made = AutoTokenizer.from_pretrained(tokenizer_directory)
    builder = SqlPromptBuilder(cache(lambda db_id: schema_text(database_path(spider, db_id), "create_table", 0)))
    tokens, lengths, answers = [], [], []
    for question in read_split(spider, "train_spider", LEFT_OUT):
        messages = builder.messages(question)
        prompt = encode(made, render(made, messages))
        answer = encode(made, completion(made, messages, one_line(question.gold)))
        tokens.extend([*prompt, *answer])
        lengths.append(len(prompt) + len(answer))
        answers.append(len(answer))
    np.savez_compressed(path, tokens=np.array(tokens, np.int32), lengths=lengths, answers=answers)


def read_rows(path: Path) -> list[TrainingRow]:
    found = np.load(path)
    ends = np.cumsum(found["lengths"])
    tokens = np.split(found["tokens"], ends[:-1])
    return [TrainingRow(tuple(row.tolist()), int(answer)) for row, answer in zip(tokens, found["answers"], strict=True)]


def within(rows: Sequence[TrainingRow], vocabulary: int) -> list[TrainingRow]:
    """The rows in tokens of a smaller vocabulary: what is shared stays shared."""
    return [TrainingRow(tuple(token % vocabulary for token in row.tokens), row.answer_tokens) for row in rows]


def machine() -> dict[str, Any]:
    from paretune.pipeline.session import describe_machine

    return describe_machine()


def matmul_tflops() -> float:
    """What one large product reaches, in 10^12 operations per second: bfloat16 on a GPU, float32 elsewhere."""
    import torch

    on_gpu = torch.cuda.is_available()
    size = 8192 if on_gpu else 1024
    one, other = (torch.randn((size, size), device="cuda" if on_gpu else "cpu",
                              dtype=torch.bfloat16 if on_gpu else torch.float32) for _ in range(2))  # fmt: skip
    times = []
    for _ in range(10):
        wait()
        start = time.perf_counter()
        one @ other
        wait()
        times.append(time.perf_counter() - start)
    return 2 * size**3 / float(np.median(times)) / 1e12


def wait() -> None:
    _on_gpu(lambda cuda: cuda.synchronize())


def reset_peak() -> None:
    _on_gpu(lambda cuda: cuda.reset_peak_memory_stats())


def clean() -> None:
    gc.collect()
    _on_gpu(lambda cuda: cuda.empty_cache())


def peak_gib() -> float | None:
    found: list[float] = []
    _on_gpu(lambda cuda: found.append(round(cuda.max_memory_allocated() / 2**30, 2)))
    return found[0] if found else None


def _on_gpu(what: Callable[[Any], Any]) -> None:
    import torch

    if torch.cuda.is_available():
        what(torch.cuda)


if __name__ == "__main__":
    main()
