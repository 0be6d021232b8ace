"""What is watched while training: the log, the progress bar, steps that are not finite or train nothing, a signal to
stop, and what a checkpoint must remember."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from paretune.errors import TrainingError
from paretune.files import write_text
from paretune.run.jsonl import LineWriter

PROGRESS_FILE = "paretune_progress.json"  # written last into a checkpoint: without it the checkpoint is not whole
NON_FINITE_IN_A_ROW = 3


@dataclass(slots=True)
class Progress:
    """How far a training is, across restarts. tokens: of the rows, prompt and answer, padding left out and shared
    prompts counted for each row. seconds: of training, model loading left out. skipped_steps: steps whose loss or
    gradient was not finite. last_loss: of the last line of the log; None without one, or where it was not finite."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    skipped_steps: int = 0
    last_loss: float | None = None


class Monitor(TrainerCallback):  # type: ignore[misc]  # transformers ships no usable types
    """Writes training.jsonl, moves the bar, drops non-finite steps and stops after three in a row.

    stop_asked: set from outside: the training saves after the step in progress and ends. look: called every look_steps
    and after the last step; what it returns stands in that step's line, its seconds count apart, and where it says
    "stop" the training ends there (stopped).
    """

    def __init__(
        self, writer: LineWriter, progress: Progress, on_step: Callable[[int, int], None], gradient_scaling: bool
    ) -> None:
        self.progress = progress
        self.stop_asked = False
        self.look: Callable[[int], Mapping[str, Any]] | None = None
        self.look_steps = 1
        self.stopped = any((record.get("monitor") or {}).get("stop") for record in writer.done)
        self._looking = 0.0  # seconds
        self._losses_finite: list[torch.Tensor] = []  # of the step in progress, one flag per batch, not yet looked at
        self._logged_loss_is_whole = True  # no loss is missing from the mean that the next line would hold
        self._writer = writer
        self._on_step = on_step
        self._gradient_scaling = gradient_scaling  # float16: the scaler itself skips overflowing gradients
        self._in_a_row = 0
        self._started = time.monotonic()
        self._seconds_before = progress.seconds
        self._tokens_before = progress.tokens
        self._tokens_here = 0

    def count_tokens(self, tokens: int) -> None:
        """Add the tokens of one batch."""
        self._tokens_here += tokens
        self.progress.tokens = self._tokens_before + self._tokens_here

    def note_loss(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss of one batch, 0 where it is not finite: then its step will be skipped, its line has no loss.

        Else the trainer's running sum would be lost for all later lines. Nothing waits for the device here.
        """
        finite = loss.isfinite()
        self._losses_finite.append(finite)
        return torch.where(finite, loss, torch.zeros_like(loss))

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Drop the gradients of a step that is not finite, so that the optimizer leaves weights and moments alone."""
        parameters = [p for p in kwargs["model"].parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters]) if parameters else torch.zeros(())
        losses = torch.stack([flag.to(norm.device) for flag in self._losses_finite] or [torch.ones_like(norm).bool()])
        self._losses_finite.clear()
        losses_finite, size = torch.stack([losses.all().to(norm.dtype), norm]).tolist()  # waits for the device, once
        self._logged_loss_is_whole &= bool(losses_finite)
        if losses_finite and size == 0.0 and state.global_step == 0:
            raise TrainingError(
                "step 1: every gradient is 0, so nothing would be trained; check that target_modules takes part in "
                "the model's computation"
            )
        if losses_finite and (self._gradient_scaling or math.isfinite(size)):
            self._in_a_row = 0
            return
        for parameter in parameters:
            parameter.grad = None
        self.progress.skipped_steps += 1
        self._in_a_row += 1
        if self._in_a_row >= NON_FINITE_IN_A_ROW:
            raise TrainingError(
                f"step {state.global_step + 1}: loss or gradient not finite for {self._in_a_row} steps in a row; lower "
                "peak_learning_rate, or set model.precision to float32 or bfloat16"
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Move the bar; where a stop is asked for, save and end."""
        self.progress.step = state.global_step
        self.progress.seconds = self._seconds_before + time.monotonic() - self._started - self._looking
        self._on_step(state.global_step, state.max_steps)
        if self._is_due(state):
            control.should_log = True
        if self.stop_asked:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Write one line of training.jsonl for a logged step."""
        if not logs or "loss" not in logs:
            return
        gradient_norm = logs.get("grad_norm")
        self.progress.last_loss = _finite(logs["loss"]) if self._logged_loss_is_whole else None
        seen = self._looked(state.global_step) if self._is_due(state) else {}
        self._writer.append(
            {
                "step": state.global_step,
                "epoch": round(float(logs.get("epoch", state.epoch or 0.0)), 4),
                "loss": self.progress.last_loss,
                "learning_rate": _finite(logs.get("learning_rate")),
                "gradient_norm": _finite(gradient_norm),
                "tokens": self.progress.tokens,
                "seconds": round(self.progress.seconds, 2),
                "skipped": self.progress.skipped_steps,
                **seen,
            }
        )
        self._logged_loss_is_whole = True
        if self.stopped:
            control.should_save = control.should_training_stop = True

    def _is_due(self, state: Any) -> bool:
        step = state.global_step
        return self.look is not None and (step % self.look_steps == 0 or step == state.max_steps)

    def _looked(self, step: int) -> dict[str, Any]:
        assert self.look is not None
        started = time.monotonic()
        seen = dict(self.look(step))
        took = time.monotonic() - started
        self._looking += took
        self.stopped = bool(seen.get("stop"))
        return {"monitor": {**seen, "seconds": round(took, 2)}}

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint as whole."""
        self.progress.step = state.global_step
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        write_text(folder / PROGRESS_FILE, json.dumps(asdict(self.progress)) + "\n")


def last_checkpoint(folder: Path) -> tuple[Path, Progress] | None:
    """The latest whole checkpoint below `folder` and how far it was; None where there is none."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        step = path.name.removeprefix("checkpoint-")
        if step.isdigit() and (path / PROGRESS_FILE).is_file() and (path / "optimizer.pt").is_file():
            found.append((int(step), path))
    if not found:
        return None
    path = max(found)[1]
    return path, Progress(**json.loads((path / PROGRESS_FILE).read_text(encoding="utf-8")))


def _finite(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None
