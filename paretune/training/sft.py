"""Supervised fine-tuning with TRL and PEFT LoRA: rows of tokens in, an adapter folder out, resumable at any moment.

The loss is taken on the answer and its end-of-turn token only. Prompts were rendered by the same builder that the
evaluation uses (prompts/), so nothing is templated, cut or packed here.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import TrainingConfig
from paretune.errors import TrainingError
from paretune.files import write_text
from paretune.models.adapters import ORIGIN_FILE
from paretune.models.load import LoadedModel
from paretune.run.jsonl import LineWriter, read_lines, set_aside, write_lines
from paretune.training.batches import GpuCollator, LengthGroupedOrder

if TYPE_CHECKING:
    from paretune.training.monitor import Progress

_RESUME_FILES = ("optimizer.pt", "scheduler.pt", "rng_state*.pth", "scaler.pt", "training_args.bin")


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One training example in tokens. The loss is taken on the last `answer_tokens`."""

    tokens: tuple[int, ...]
    answer_tokens: int


def total_steps(rows: int, config: TrainingConfig) -> int:
    """Optimizer steps of a whole training, as the trainer counts them.

    >>> total_steps(100, TrainingConfig(batch_size=8, accumulation_steps=2, epochs=2.0))
    14
    """
    batches = math.ceil(rows / config.batch_size)
    return max(1, math.ceil(config.epochs * math.ceil(batches / config.accumulation_steps)))


def train_adapter(
    base: LoadedModel,
    rows: Sequence[TrainingRow],
    config: TrainingConfig,
    folder: Path,
    fingerprint: str,
    on_step: Callable[[int, int], None],
) -> Progress:
    """Train a LoRA adapter into folder/adapter, logging to folder/training.jsonl; returns what it took in all.

    Continues from the last whole checkpoint of the same fingerprint; what another fingerprint left is set aside.
    Raises TrainingError for no rows, rows longer than max_tokens, three non-finite steps in a row, or no memory.
    """
    if not rows:
        raise TrainingError("no training rows")
    if any(len(row.tokens) > config.max_tokens for row in rows):
        raise TrainingError(f"a training row is longer than max_tokens = {config.max_tokens}; leave it out")
    from paretune.training.monitor import Monitor, Progress, last_checkpoint

    header = {"kind": "training", "fingerprint": fingerprint, "config": asdict(config)}
    _set_aside_foreign(folder, fingerprint)
    resumed = last_checkpoint(folder / "checkpoints")
    _cut_log(folder / "training.jsonl", header, resumed[1].step if resumed else 0)
    with LineWriter(folder / "training.jsonl", header) as writer:
        monitor = Monitor(writer, resumed[1] if resumed else Progress(), on_step, base.precision == "float16")
        trainer = _trainer(base, rows, config, folder / "checkpoints", monitor)
        try:
            trainer.train(resume_from_checkpoint=str(resumed[0]) if resumed else None)
            _save(trainer, base, config, fingerprint, folder, asdict(monitor.progress))
            return monitor.progress
        except RuntimeError as error:
            if "out of memory" in str(error).lower():
                raise TrainingError(
                    "out of memory; lower batch_size (and raise accumulation_steps), set gradient_checkpointing = "
                    'true, or model.quantization = "nf4"'
                ) from error
            raise
        finally:
            base.model = trainer.accelerator.unwrap_model(trainer.model).unload()
            base.model.eval()
            base.model.config.use_cache = True


def is_trained(folder: Path, fingerprint: str) -> bool:
    """Whether folder/adapter is the finished adapter of that fingerprint."""
    origin = folder / "adapter" / ORIGIN_FILE
    return origin.is_file() and json.loads(origin.read_text(encoding="utf-8")).get("fingerprint") == fingerprint


def _set_aside_foreign(folder: Path, fingerprint: str) -> None:
    """Put a training of another fingerprint, or of none, out of the way; its log last, so that a kill hides nothing."""
    log = folder / "training.jsonl"
    if not log.exists() or read_lines(log)[0].get("fingerprint") != fingerprint:
        for name in ("adapter", "checkpoints", "training.jsonl"):
            if (folder / name).exists():
                set_aside(folder / name)


def _cut_log(path: Path, header: dict[str, Any], step: int) -> None:
    """Drop the lines after the checkpoint: those steps are taken again."""
    if path.exists():
        write_lines(path, header, [record for record in read_lines(path)[1] if record["step"] <= step])


def _trainer(base: LoadedModel, rows: Sequence[TrainingRow], config: TrainingConfig, output: Path, monitor: Any) -> Any:
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTTrainer

    class GuardedTrainer(SFTTrainer):  # type: ignore[misc]  # trl ships no usable types
        """Tells the monitor of each batch's tokens and of a loss that is not finite; orders and pads rows our way."""

        def _get_train_sampler(self, *args: Any) -> Any:
            if not config.group_by_length:
                return super()._get_train_sampler(*args)
            return LengthGroupedOrder([len(row.tokens) for row in rows], config.batch_size, config.seed)

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            monitor.count_tokens(int(inputs["attention_mask"].sum()))
            loss = super().training_step(model, inputs, *args, **kwargs)
            if not bool(torch.isfinite(loss)):
                monitor.drop_loss()
                return torch.zeros_like(loss)  # else the trainer's running sum is lost for all later lines
            return loss

        def compute_loss(
            self, model: Any, inputs: Any, *args: Any, num_items_in_batch: Any = None, **kwargs: Any
        ) -> Any:
            if on_gpu:
                return super().compute_loss(model, inputs, *args, num_items_in_batch=num_items_in_batch, **kwargs)
            return answer_loss(model, inputs, num_items_in_batch)

    on_gpu = base.model.device.type == "cuda"
    data = Dataset.from_list([{"input_ids": list(row.tokens), "labels": _labels(row)} for row in rows])
    try:
        trainer = GuardedTrainer(
            model=base.model,
            args=_arguments(base, len(rows), config, output),
            train_dataset=data,
            processing_class=base.tokenizer,
            peft_config=_lora(config),
            callbacks=[monitor],
        )
    except (ValueError, ImportError) as error:
        raise TrainingError(f"the training cannot be set up: {error}") from error
    if on_gpu:
        trainer.data_collator = GpuCollator(trainer.data_collator, base.context_tokens)
    trainer.remove_callback(PrinterCallback)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:  # low-rank weights learn in float32 whatever the base computes in
            parameter.data = parameter.data.float()
    return trainer


def _arguments(base: LoadedModel, rows: int, config: TrainingConfig, output: Path) -> Any:
    from trl import SFTConfig

    on_gpu = base.model.device.type == "cuda"
    return SFTConfig(
        output_dir=str(output),
        learning_rate=config.peak_learning_rate,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation_steps,
        lr_scheduler_type=config.scheduler,
        warmup_steps=_warmup_steps(total_steps(rows, config), config),
        optim=config.optimizer,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_gradient_norm,
        gradient_checkpointing=config.gradient_checkpointing,
        seed=config.seed,
        save_steps=config.checkpoint_steps,
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        max_length=None,
        packing=False,
        bf16=on_gpu and base.precision == "bfloat16",
        fp16=on_gpu and base.precision == "float16",
        use_cpu=not on_gpu,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=on_gpu,
    )


def _lora(config: TrainingConfig) -> Any:
    from peft import LoraConfig

    modules = config.target_modules
    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules="all-linear" if modules == ("all-linear",) else list(modules),
        task_type="CAUSAL_LM",
    )


def _warmup_steps(steps: int, config: TrainingConfig) -> int:
    """The first of them has learning rate 0: of a training of one step nothing would be left."""
    return min(math.ceil(config.warmup_share * steps), steps - 1)


def answer_loss(model: Any, inputs: Any, answer_tokens: Any = None) -> Any:
    """Mean negative log-likelihood of the labels, from logits of the positions that have one in some row of the batch.

    TRL's own loss does so with GPU kernels only; on a CPU it projects every position of the prompt on the vocabulary,
    a third of a small model's training. answer_tokens: divides the sum (default: the labels of this batch), as under
    gradient accumulation.
    """
    import torch

    labels = inputs["labels"][:, 1:]
    positions = (labels != -100).any(dim=0).nonzero().flatten()
    output = model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        logits_to_keep=positions,
        use_cache=False,
    )
    labels = labels[:, positions].flatten()
    total = torch.nn.functional.cross_entropy(
        output.logits.flatten(0, 1).float(), labels, ignore_index=-100, reduction="sum"
    )
    return total / (answer_tokens if answer_tokens is not None else (labels != -100).sum().clamp(min=1))


def _labels(row: TrainingRow) -> list[int]:
    prompt_tokens = len(row.tokens) - row.answer_tokens
    return [-100] * prompt_tokens + list(row.tokens[prompt_tokens:])


def _save(
    trainer: Any, base: LoadedModel, config: TrainingConfig, fingerprint: str, folder: Path, progress: dict[str, Any]
) -> None:
    """Write the adapter beside its final place and rename it there; then drop what only a restart needs."""
    part = folder / "adapter.part"
    shutil.rmtree(part, ignore_errors=True)
    trainer.save_model(str(part))
    origin = {
        "fingerprint": fingerprint,
        "base_weights": base.source.weights,
        "base_names": base.source.names,
        "precision": base.precision,
        "quantization": base.quantization,
        "training": asdict(config),
        "progress": progress,
    }
    for file in part.iterdir():
        if file.name not in ("adapter_config.json", "adapter_model.safetensors"):
            file.unlink()  # tokenizer and model card: copies of what the base has
    _name_base(part, base)
    for checkpoint in (folder / "checkpoints").glob("checkpoint-*"):
        _name_base(checkpoint, base)
        write_text(checkpoint / ORIGIN_FILE, json.dumps({**origin, "checkpoint": checkpoint.name}, indent=1) + "\n")
    write_text(part / ORIGIN_FILE, json.dumps(origin, indent=1) + "\n")
    os.replace(part, folder / "adapter")
    for pattern in _RESUME_FILES:
        for file in (folder / "checkpoints").glob(f"checkpoint-*/{pattern}"):
            file.unlink()


def _name_base(adapter: Path, base: LoadedModel) -> None:
    """Name the base model in adapter_config.json by its name, not by a directory of this machine; modules in order, for
    PEFT writes a set, whose order differs from process to process, and with it the adapter's fingerprint."""
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(modules := config.get("target_modules"), list):
        config["target_modules"] = sorted(modules)
    write_text(path, json.dumps({**config, "base_model_name_or_path": base.source.names[0]}, indent=1) + "\n")
