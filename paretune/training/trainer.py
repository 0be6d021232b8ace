"""TRL's trainer with what a training here adds: which rows meet, how they are computed, and what a checkpoint holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from trl import SFTTrainer

from paretune.config import TrainingConfig
from paretune.errors import TrainingError
from paretune.objectives import TokenScores, find_objective
from paretune.training.batches import (
    NO_LABEL,
    GpuCollator,
    LengthGroupedOrder,
    MixedOrder,
    TrainingRow,
    WholeRowsCollator,
)
from paretune.training.fused_adapters import FusedAdapters
from paretune.training.monitor import Monitor
from paretune.training.moved_base import AdapterStart
from paretune.training.shared_attention import Shared, logits_at, loss_at, shared_loss, shared_of
from paretune.training.shared_prompts import SharedPromptCollator, SharedPromptOrder, sharable
from paretune.training.step_graphs import StepGraphs


@dataclass(frozen=True, slots=True)
class Computation:
    """How a step is computed. shares: what rows begin with alike is computed once; by_kernel: its attention without a
    mask; fuses: layers of LoRA in one function each; on_gpu: by TRL's own loss where nothing is shared and the
    objective has no loss of its own (has_loss)."""

    shares: bool
    by_kernel: bool
    fuses: bool
    on_gpu: bool
    context_tokens: int
    has_loss: bool = False

    @property
    def by_step(self) -> bool:
        """Whether the rows of a step come as one batch."""
        return self.shares or self.has_loss


class GuardedTrainer(SFTTrainer):  # type: ignore[misc]  # trl ships no usable types
    """Tells the monitor of each batch's tokens and loss; orders, lays out and pads rows our way.

    computation: as given. adapters, graphs: set once layers are fused, and where steps are replayed. start: of an
    adapter that is written as the difference to it.
    """

    def __init__(self, *, rows: Sequence[TrainingRow], config: TrainingConfig, monitor: Monitor,
                 computation: Computation, **arguments: Any) -> None:  # fmt: skip
        self.adapters: FusedAdapters | None = None
        self.graphs: StepGraphs | None = None
        self.start: AdapterStart | None = None
        self.replaced: list[Any] = []  # modules whose forward is another one while training
        self.own_attention: list[tuple[Any, str]] = []  # configurations, and how they attend when not training
        self._zeros: list[str] = []  # weights that were 0 before the first step
        self.computation = computation
        self._rows, self._config, self._monitor = rows, config, monitor
        super().__init__(callbacks=[monitor], **arguments)
        self._objective = find_objective(config.objective)
        if computation.shares:
            self.data_collator: Any = SharedPromptCollator(config.batch_size * config.max_tokens)
        elif computation.has_loss:
            padding = self.processing_class.pad_token_id or 0
            self.data_collator = WholeRowsCollator(config.batch_size, padding, computation.context_tokens)
        elif computation.on_gpu:
            self.data_collator = GpuCollator(self.data_collator, computation.context_tokens)

    def note_start(self, moves_base: bool) -> None:
        """Look at the adapter before its first step."""
        self._zeros = [name for name, weight in self._trained_weights() if not bool(weight.any())]
        self.start = AdapterStart(self.model) if moves_base else None

    def is_trained(self) -> bool:
        """Whether the adapter is another one than before the first step; True where that cannot be told."""
        if self.start is not None:
            return self.start.differs_from(self.model)
        return not self._zeros or any(bool(weight.any()) for name, weight in self._trained_weights()
                                      if name in self._zeros)  # fmt: skip

    def _trained_weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        return ((name, weight) for name, weight in self.model.named_parameters() if weight.requires_grad)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """As the trainer does; an adapter that was written as a difference goes on from what it was trained to."""
        if self.start is None:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
        else:
            self.start.load_trained(self.model, Path(resume_from_checkpoint))

    def _get_train_sampler(self, *args: Any) -> Any:
        target = [row for row in self._rows if row.part == "target"]
        order = self._order_of(target)
        if len(target) == len(self._rows):
            return order or super()._get_train_sampler(*args)
        return MixedOrder(order, len(target), len(self._rows) - len(target), self._config.seed)

    def _order_of(self, rows: Sequence[TrainingRow]) -> Any:
        """The order of a target's rows; None: at random."""
        config, lengths = self._config, [len(row.tokens) for row in rows]
        if config.share_prompts:
            return SharedPromptOrder(
                [sharable(row.tokens, row.answer_tokens) for row in rows],
                lengths,
                rows_per_step=config.batch_size * config.accumulation_steps,
                prompts_per_step=config.prompts_per_step,
                seed=config.seed,
            )
        if config.group_by_length:
            return LengthGroupedOrder(lengths, config.batch_size, config.seed)
        return None

    def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Forward and backward over the step's layouts, or over one batch; the loss, 0 where it is not finite."""
        if self.graphs is not None and "size" in inputs:
            loss = self.graphs.loss(inputs["size"], inputs["padded"], inputs["answer_tokens"])
            if loss is not None:
                self._monitor.count_tokens(inputs["tokens"])
                return self._monitor.note_loss(loss)
        if self.adapters is not None:
            self.adapters.renew()
        if not self.computation.by_step:
            self._monitor.count_tokens(int(inputs["attention_mask"].sum()))
            return self._monitor.note_loss(super().training_step(model, inputs, *args, **kwargs))
        self._monitor.count_tokens(inputs["tokens"])
        losses = [
            super(GuardedTrainer, self).training_step(
                model, {**layout, **{name: max(1, inputs[name]) for name in ("answer_tokens", "compared_tokens")}}
            )
            for layout in inputs["layouts"]
        ]
        return self._monitor.note_loss(torch.stack(losses).sum())

    def compute_loss(self, model: Any, inputs: Any, *args: Any, num_items_in_batch: Any = None, **kwargs: Any) -> Any:
        """Mean loss of the answers' tokens."""
        if self.computation.has_loss:
            shared = shared_of(inputs, by_kernel=self.computation.by_kernel) if self.computation.shares else None
            return self._loss(model, inputs, shared, inputs["answer_tokens"], inputs["compared_tokens"])
        if self.computation.shares:
            return shared_loss(model, inputs, inputs["answer_tokens"], by_kernel=self.computation.by_kernel)
        if self.computation.on_gpu:
            return super().compute_loss(model, inputs, *args, num_items_in_batch=num_items_in_batch, **kwargs)
        return answer_loss(model, inputs, num_items_in_batch)

    def loss_at(self, layout: Mapping[str, Any], shared: Shared, answer_tokens: torch.Tensor) -> torch.Tensor:
        """The loss of a step of one layout, nothing in it known to the host alone."""
        if not self.computation.has_loss:
            return loss_at(self.model, layout, shared, answer_tokens)
        compared = (layout["labels"] != NO_LABEL).sum().clamp(min=1)
        return self._loss(self.model, layout, shared, answer_tokens, compared)

    def _loss(self, model: Any, part: Mapping[str, Any], shared: Shared | None, learnt: Any, compared: Any) -> Any:
        """By the objective's own function. shared: the part's attention; None: it is a batch of whole rows."""
        base_logits = None
        if self._objective.needs_base:
            with torch.no_grad(), self._as_base(model):
                base_logits = token_scores(model, part, shared)[0]
        logits, labels = token_scores(model, part, shared)
        scores = TokenScores(logits, labels, base_logits, learnt, compared)
        return self._objective.loss(self._config.objective_settings, scores)  # type: ignore[misc]  # has_loss says so

    @contextmanager
    def _as_base(self, model: Any) -> Iterator[None]:
        """Within, the model is the base: adapters off, no dropout."""
        with ExitStack() as stack:
            if self.adapters is not None:
                stack.enter_context(self.adapters.off())
            if self.adapters is None or not self.adapters.covers([weight for _, weight in self._trained_weights()]):
                stack.enter_context(self.accelerator.unwrap_model(model).disable_adapter())
            was_training = model.training
            model.eval()
            try:
                yield
            finally:
                model.train(was_training)

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: the trainer's estimate walks all weights at every step."""
        return 0

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: TRL's names a training, a data set and links that are not ours."""

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """As the trainer does, without model cards. What cannot be written whole is removed."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)
            if self.start is not None:
                self.start.write_difference(folder, keep_trained=True)
        except (OSError, RuntimeError, SafetensorError) as error:
            if "out of memory" in str(error).lower():
                raise
            shutil.rmtree(folder, ignore_errors=True)
            raise cannot_be_written(folder, error) from error
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's card


def cannot_be_written(path: Path, error: BaseException) -> TrainingError:
    """The error of a disk that is full or gone, in one line. Libraries wrap and chain the system's own: it is named."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else " ".join(str(error).split())[:200]
    return TrainingError(
        f"{path}: cannot be written ({reason}); checkpoints written before are whole: make room and run the same "
        "command again, it goes on from the last of them"
    )


def token_scores(model: Any, part: Mapping[str, Any], shared: Shared | None) -> tuple[torch.Tensor, torch.Tensor]:
    """(n_places, vocabulary) logits in float32 and (n_places,) labels of a part of a step."""
    if shared is not None:
        return logits_at(model, part, shared), part["labels"]
    labels = part["labels"][:, 1:]
    wanted = labels != NO_LABEL
    positions = wanted.any(dim=0).nonzero().flatten()
    logits = model(
        input_ids=part["input_ids"], attention_mask=part["attention_mask"], logits_to_keep=positions, use_cache=False
    ).logits
    kept = wanted[:, positions]
    return logits[kept].float(), labels[:, positions][kept]


def answer_loss(model: Any, inputs: Any, answer_tokens: Any = None) -> Any:
    """Mean negative log-likelihood of the labels, from logits of the positions that have one in some row of the batch.

    TRL's own loss does so with GPU kernels only; on a CPU it projects every position of the prompt on the vocabulary,
    a third of a small model's training. answer_tokens: divides the sum (default: the labels of this batch), as under
    gradient accumulation.
    """
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
