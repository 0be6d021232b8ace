"""Supervised fine-tuning with TRL and PEFT: rows of tokens in, an adapter folder out, resumable at any moment.

The loss is computed on the answer and its end-of-turn token only. Prompts were rendered by the same builder that the
evaluation uses (prompts/), so nothing is templated, cut or packed here.
"""

from __future__ import annotations

import json
import math
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import TrainingConfig
from paretune.disk import move
from paretune.errors import TrainingError
from paretune.files import write_text
from paretune.methods import Method, find_method
from paretune.models.adapters import ORIGIN_FILE
from paretune.models.load import LoadedModel
from paretune.objectives import find_objective
from paretune.run.jsonl import LineWriter, read_lines, set_aside, write_lines
from paretune.training.batches import TrainingRow, count_parts

if TYPE_CHECKING:
    from paretune.training.monitor import Progress
    from paretune.training.watching import Watch

_RESUME_FILES = (
    "optimizer.pt",
    "scheduler.pt",
    "rng_state*.pth",
    "scaler.pt",
    "training_args.bin",
    "trained.safetensors",
)


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
    say: Callable[[str], None] = lambda remark: None,
    watch: Watch | None = None,
) -> Progress:
    """Train an adapter into folder/adapter, logging to folder/training.jsonl; returns what it took in all.

    Continues from the last whole checkpoint of the same fingerprint; what another fingerprint left is set aside. say:
    told what a user should know of it. watch: who looks at the model on the way, and may end the training. SIGTERM
    saves a checkpoint and interrupts (KeyboardInterrupt). Raises TrainingError for no rows, rows longer than
    max_tokens, three non-finite steps in a row, nothing trained, no memory or no room on the disk.
    """
    if not rows:
        raise TrainingError("no training rows")
    if any(len(row.tokens) > config.max_tokens for row in rows):
        raise TrainingError(f"a training row is longer than max_tokens = {config.max_tokens}; leave it out")
    from paretune.training.monitor import Monitor, Progress, last_checkpoint

    header = {"kind": "training", "fingerprint": fingerprint, "config": config.as_dict(), **count_parts(rows)}
    method = find_method(config.method)
    _set_aside_foreign(folder, fingerprint)
    resumed = last_checkpoint(folder / "checkpoints")
    _cut_log(folder / "training.jsonl", header, resumed[1].step if resumed else 0)
    with LineWriter(folder / "training.jsonl", header) as writer, _left_as_it_was(base, method):
        monitor = Monitor(writer, resumed[1] if resumed else Progress(), on_step, base.precision == "float16")
        trainer = _trainer(base, rows, config, folder / "checkpoints", monitor, say)
        if watch is not None:
            monitor.look, monitor.look_steps = watch.looking_at(trainer, base), watch.steps
        try:
            if resumed is not None and monitor.stopped:
                trainer._load_from_checkpoint(str(resumed[0]))
            else:
                with _computing(trainer, base, config), _stopping_on_sigterm(monitor):
                    trainer.train(resume_from_checkpoint=str(resumed[0]) if resumed else None)
                if trainer.state.global_step < trainer.state.max_steps and not monitor.stopped:
                    raise KeyboardInterrupt  # SIGTERM, saved
            _save(trainer, base, config, fingerprint, folder, asdict(monitor.progress))
            for remark in _doubts(trainer, monitor.progress):
                say(remark)
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


def is_trained(folder: Path, fingerprint: str) -> bool:
    """Whether folder/adapter is the finished adapter of that fingerprint; where it is to be one of its checkpoints,
    whether that was chosen."""
    origin = _origin(folder)
    chooses = origin.get("training", {}).get("best_checkpoint") is not None
    return origin.get("fingerprint") == fingerprint and (not chooses or "chosen" in origin)


def awaits_choice(folder: Path, fingerprint: str) -> bool:
    """Whether the training of that fingerprint has ended, and its best checkpoint was not chosen yet."""
    return _origin(folder).get("fingerprint") == fingerprint and not is_trained(folder, fingerprint)


def _origin(folder: Path) -> dict[str, Any]:
    """What the adapter in the folder says of its training; empty where there is none."""
    path = folder / "adapter" / ORIGIN_FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _set_aside_foreign(folder: Path, fingerprint: str) -> None:
    """Put a training of another fingerprint, or of none, out of the way; its log last, so that a kill hides nothing."""
    log = folder / "training.jsonl"
    if not log.exists() or read_lines(log)[0].get("fingerprint") != fingerprint:
        for name in ("adapter", "checkpoints", "training.jsonl"):
            if (folder / name).exists():
                set_aside(folder / name)


def _cut_log(path: Path, header: dict[str, Any], step: int) -> None:
    """Drop the lines after the checkpoint: those steps are repeated."""
    if path.exists():
        write_lines(path, header, [record for record in read_lines(path)[1] if record["step"] <= step])


@contextmanager
def _left_as_it_was(base: LoadedModel, method: Method) -> Iterator[None]:
    """Give the base back as it came: its weights, checkpointing off, no hooks, no patched forward, in evaluation
    mode."""
    from paretune.training.moved_base import LentWeights

    model = base.model
    lent = LentWeights(model) if method.moves_base else None
    embedding = model.get_input_embeddings()
    hooks = set(embedding._forward_hooks)
    patched = model.__dict__.get("forward")
    try:
        yield
    finally:
        model = base.model
        if lent is not None:
            lent.give_back()
        model.gradient_checkpointing_disable()
        for hook in set(embedding._forward_hooks) - hooks:  # the trainer and TRL put one there each
            del embedding._forward_hooks[hook]
        if patched is None:
            model.__dict__.pop("forward", None)
        else:
            model.forward = patched
        model.eval()
        model.config.use_cache = True


@contextmanager
def _computing(trainer: Any, base: LoadedModel, config: TrainingConfig) -> Iterator[None]:
    """Within, the model computes as the settings say: by layouts, its adapters and what lies between them fused."""
    import torch

    from paretune.training.fused_adapters import fused_adapters
    from paretune.training.fused_blocks import fused_blocks
    from paretune.training.shared_attention import attending_by_layout
    from paretune.training.step_graphs import StepGraphs

    with ExitStack() as stack:
        own = {id(module) for module in base.model.modules() if "forward" in module.__dict__}
        if trainer.computation.shares:
            trainer.own_attention = stack.enter_context(attending_by_layout(base.model))
        if trainer.computation.fuses:
            precision = getattr(torch, base.precision)
            trainer.adapters = stack.enter_context(fused_adapters(trainer.model, precision))
            stack.enter_context(fused_blocks(base.model, precision))
            if trainer.computation.by_kernel and _is_replayable(base, config):
                rows = config.batch_size * config.accumulation_steps
                trainer.data_collator = replace(trainer.data_collator, padded_rows=rows)
                trainer.graphs = StepGraphs(trainer.model, trainer.adapters, trainer.loss_at)
                stack.callback(setattr, trainer, "graphs", None)
        trainer.replaced = [
            module for module in base.model.modules() if "forward" in module.__dict__ and id(module) not in own
        ]
        yield


def _is_replayable(base: LoadedModel, config: TrainingConfig) -> bool:
    """Whether a step hangs on nothing but its numbers: no random masks, no second forward pass, no scaled loss."""
    random = getattr(config.settings, "dropout", 0.0) > 0.0 or config.gradient_checkpointing
    return base.precision == "bfloat16" and base.quantization == "none" and not random


@contextmanager
def _stopping_on_sigterm(monitor: Any) -> Iterator[None]:
    """Within, SIGTERM makes the training save after its step and end, where signals can be had: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        monitor.stop_asked = True

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _trainer(
    base: LoadedModel, rows: Sequence[TrainingRow], config: TrainingConfig, output: Path, monitor: Any,
    say: Callable[[str], None],
) -> Any:  # fmt: skip
    from datasets import Dataset
    from transformers import PrinterCallback

    from paretune.training.trainer import GuardedTrainer

    method = find_method(config.method)
    computation = _computation(base, rows, config, method, say)
    rows = _learnable(base, rows, config, computation, say)
    data = Dataset.from_list([{"input_ids": list(row.tokens), "labels": list(row.labels)} for row in rows])
    try:
        trainer = GuardedTrainer(
            rows=rows,
            config=config,
            monitor=monitor,
            computation=computation,
            model=base.model,
            args=_arguments(base, len(rows), config, output, computation),
            train_dataset=data,
            processing_class=base.tokenizer,
            peft_config=method.peft_config(config.settings, base, config.seed),
        )
    except (ValueError, ImportError) as error:
        raise TrainingError(f"the training cannot be set up: {error}") from error
    trainer.remove_callback(PrinterCallback)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:  # adapters learn in float32 whatever the base computes in
            parameter.data = parameter.data.float()
    trainer.note_start(method.moves_base)
    return trainer


def _computation(
    base: LoadedModel, rows: Sequence[TrainingRow], config: TrainingConfig, method: Method, say: Callable[[str], None]
) -> Any:
    """How steps are computed: prompts are shared where the settings say so and the model can, layers fused where the
    method's are plain LoRA."""
    from paretune.training.shared_attention import kernel_fits, why_not_shared
    from paretune.training.trainer import Computation

    shares = by_kernel = False
    if config.share_prompts:
        reason = why_not_shared(base.model, max(len(row.tokens) for row in rows))
        if reason is not None:
            say(f"share_prompts: {reason}; every row is computed whole")
        shares = reason is None
        by_kernel = shares and kernel_fits(base.model)
    if config.fuse_adapters and not method.low_rank:
        say(f"fuse_adapters: the layers of {config.method} are no plain LoRA; PEFT computes them")
    fuses = config.fuse_adapters and method.low_rank
    has_loss = find_objective(config.objective).loss is not None
    return Computation(shares, by_kernel, fuses, base.model.device.type == "cuda", base.context_tokens, has_loss)


def _learnable(
    base: LoadedModel, rows: Sequence[TrainingRow], config: TrainingConfig, computation: Any, say: Callable[[str], None]
) -> list[TrainingRow]:
    """The rows with what the objective does not learn masked; rows of which nothing remains are left out."""
    objective = find_objective(config.objective)
    if objective.learns is None:
        return list(rows)
    from paretune.training.probabilities import answer_probabilities

    found = []
    size = config.batch_size * (config.accumulation_steps if computation.shares else 1)
    for row, probabilities in zip(rows, answer_probabilities(base.model, rows, computation, size), strict=True):
        learnt = objective.learns(config.objective_settings, probabilities)
        found.append(replace(row, masked=frozenset(place for place, yes in enumerate(learnt) if not yes)))
    kept = [row for row in found if len(row.masked) < row.answer_tokens]
    n_tokens, n_masked = sum(row.answer_tokens for row in found), sum(len(row.masked) for row in found)
    share = f"{100 * n_masked / n_tokens:.1f} %"
    if not kept:
        raise TrainingError(f"objective {config.objective}: nothing to train: all {n_tokens} answer tokens are masked; "
                            "change the objective's settings")  # fmt: skip
    whole = f"; {len(found) - len(kept)} rows are left out whole" if len(kept) < len(found) else ""
    say(f"objective {config.objective}: {n_masked} of {n_tokens} answer tokens ({share}) get no loss{whole}")
    return kept


def _arguments(base: LoadedModel, rows: int, config: TrainingConfig, output: Path, computation: Any) -> Any:
    """The trainer's settings. Where prompts are shared, or the objective has a loss of its own, the rows of a step come
    as one batch, which the collator cuts."""
    from trl import SFTConfig

    on_gpu = base.model.device.type == "cuda"
    step = config.batch_size * config.accumulation_steps
    return SFTConfig(
        output_dir=str(output),
        learning_rate=config.peak_learning_rate,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=step if computation.by_step else config.batch_size,
        gradient_accumulation_steps=1 if computation.by_step else config.accumulation_steps,
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
        bf16=on_gpu and base.precision == "bfloat16" and not computation.fuses,  # fused: nothing left to cast
        fp16=on_gpu and base.precision == "float16",
        use_cpu=not on_gpu,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=on_gpu,
    )


def _warmup_steps(steps: int, config: TrainingConfig) -> int:
    """The first of them has learning rate 0: of a training of one step nothing would be left."""
    return min(math.ceil(config.warmup_share * steps), steps - 1)


def _save(
    trainer: Any, base: LoadedModel, config: TrainingConfig, fingerprint: str, folder: Path, progress: dict[str, Any]
) -> None:
    """Write the adapter beside its final place and rename it there; then drop what only a restart needs."""
    from safetensors import SafetensorError

    from paretune.training.trainer import cannot_be_written

    _refuse_untrained(trainer)
    part = folder / "adapter.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        trainer.save_model(str(part))
        if trainer.start is not None:
            trainer.start.write_difference(part)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise cannot_be_written(part, error) from error
    origin = {
        "fingerprint": fingerprint,
        "base_weights": base.source.weights,
        "base_names": base.source.names,
        "precision": base.precision,
        "quantization": base.quantization,
        "training": config.as_dict(),
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
    move(part, folder / "adapter", last=(ORIGIN_FILE,))
    for pattern in _RESUME_FILES:
        for file in (folder / "checkpoints").glob(f"checkpoint-*/{pattern}"):
            file.unlink()


def _refuse_untrained(trainer: Any) -> None:
    """An adapter that is what it was before the first step changes nothing: it would pass for a training that forgets
    nothing. Where weights began at 0, as LoRA's B does, those alone say so: decay moves the others."""
    if not trainer.is_trained():
        raise TrainingError(
            "nothing was trained: after the last step the adapter changes no more than before "
            "the first; look at gradient_norm and skipped in training.jsonl, and raise peak_learning_rate or epochs"
        )


def _doubts(trainer: Any, progress: Progress) -> Iterator[str]:
    """What makes a finished training doubtful, in words."""
    if not all(bool(weight.isfinite().all()) for weight in trainer.model.parameters() if weight.requires_grad):
        yield "the adapter holds numbers that are not finite; lower peak_learning_rate"
    uniform = math.log(trainer.model.config.get_text_config().vocab_size)
    if not trainer.computation.has_loss and progress.last_loss is not None and progress.last_loss > uniform:
        yield (f"the last loss, {progress.last_loss:.2f}, is above that of a uniform guess among the tokens, "
               f"{uniform:.2f}: the model is worse than untrained; lower peak_learning_rate")  # fmt: skip


def _name_base(adapter: Path, base: LoadedModel) -> None:
    """Name the base model in adapter_config.json by its name, not by a directory of this machine; modules in order, for
    PEFT writes a set, whose order differs from process to process, and with it the adapter's fingerprint."""
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(modules := config.get("target_modules"), list):
        config["target_modules"] = sorted(modules)
    write_text(path, json.dumps({**config, "base_model_name_or_path": base.source.names[0]}, indent=1) + "\n")
