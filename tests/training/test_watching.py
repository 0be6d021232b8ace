"""A training that is looked at ends as one that is not, to the bit; what the looks find stands in its log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from paretune.config import TrainingConfig
from paretune.methods import find_method
from paretune.run.jsonl import LineWriter, read_lines
from paretune.training import monitor, sft
from paretune.training.batches import TrainingRow
from paretune.training.sft import train_adapter
from paretune.training.shared_attention import NAME
from paretune.training.watching import Watch, score_answers
from tests.training.tiny_training import CONFIG, PLAIN, Killed, loaded, rows

FAST = replace(PLAIN, share_prompts=True, fuse_adapters=True, prompts_per_step=2)
KINDS = {
    "plain": CONFIG,
    "shared": replace(CONFIG, share_prompts=True),
    "fast": FAST,
    "checkpointed": replace(PLAIN, gradient_checkpointing=True),
    "pissa": replace(PLAIN, method="pissa", settings=find_method("pissa").settings(rank=4, alpha=8.0)),
}


class Looks:
    """Looks hard at a model: in its own way, with random numbers, and with the adapters off."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.seen: list[tuple[int, float]] = []

    def __call__(self, model: Any, step: int) -> dict[str, Any]:
        assert not model.training
        assert model.config._attn_implementation != NAME
        torch.randn(3)
        scores = score_answers(model, rows()[:5], with_base=True)
        assert scores.divergence is not None
        with torch.inference_mode():
            model.generate(torch.tensor([[5, 6, 7]]), max_new_tokens=3, do_sample=True)
        self.seen.append((step, scores.loss))
        return {
            "loss": scores.loss,
            "kl": scores.divergence,
            **({"stop": step == self.stop_at} if self.stop_at else {}),
        }


def watched(
    folder: Path, config: TrainingConfig, looks: Looks | None, on_step: Any = lambda step, steps: None
) -> bytes:
    base = loaded()
    train_adapter(base, rows(), config, folder, "f", on_step, watch=None if looks is None else Watch(2, looks))
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


class Precise(Looks):
    """Sees in which precision the adapter computes."""

    def __call__(self, model: Any, step: int) -> dict[str, Any]:
        kinds = {weight.dtype for weight in model.parameters() if weight.requires_grad}
        assert kinds == {torch.bfloat16}
        return super().__call__(model, step)


@pytest.mark.parametrize("kind", ["plain", "fast"])
def test_training_in_16_bits_is_looked_at_in_them_and_goes_on_in_its_own(kind: str, tmp_path: Path) -> None:
    adapters = []
    for name, looks in (("without", None), ("with", Precise())):
        base = loaded()
        base.model.to(torch.bfloat16)
        base.precision = "bfloat16"
        watch = None if looks is None else Watch(2, looks)
        train_adapter(base, rows(), KINDS[kind], tmp_path / name, "f", lambda step, steps: None, watch=watch)
        adapters.append((tmp_path / name / "adapter" / "adapter_model.safetensors").read_bytes())
    assert adapters[0] == adapters[1]


@pytest.mark.parametrize("kind", KINDS)
def test_training_looked_at_ends_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    looks = Looks()
    adapters = [watched(tmp_path / name, KINDS[kind], item) for name, item in (("without", None), ("with", looks))]
    assert adapters[0] == adapters[1]
    assert [step for step, _ in looks.seen] == [2, 4, 6, 8, 10, 12]
    assert looks.seen[-1][1] < looks.seen[0][1]
    lines = read_lines(tmp_path / "with" / "training.jsonl")[1]
    assert [line["monitor"]["loss"] for line in lines] == [loss for _, loss in looks.seen]
    assert all(line["monitor"]["kl"] >= 0 and line["monitor"]["seconds"] >= 0 for line in lines)


def test_last_step_is_looked_at(tmp_path: Path) -> None:
    looks = Looks()
    train_adapter(loaded(), rows(), PLAIN, tmp_path, "f", lambda step, steps: None, watch=Watch(5, looks))
    assert [step for step, _ in looks.seen] == [5, 10, 12]


@pytest.mark.parametrize("at", [4, 6, 7])
def test_training_looked_at_killed_and_started_again_has_no_line_twice(tmp_path: Path, at: int) -> None:
    whole = watched(tmp_path / "whole", FAST, Looks())

    def kill(step: int, steps: int) -> None:
        if step == at:
            raise Killed

    with pytest.raises(Killed):
        watched(tmp_path / "killed", FAST, Looks(), kill)
    assert watched(tmp_path / "killed", FAST, Looks()) == whole
    lines = [read_lines(tmp_path / name / "training.jsonl")[1] for name in ("whole", "killed")]
    assert [line["step"] for line in lines[1]] == [2, 4, 6, 8, 10, 12]
    for one, other in zip(*lines, strict=True):
        assert one["monitor"]["loss"] == pytest.approx(other["monitor"]["loss"], abs=1e-6)


def test_training_stopped_by_a_look_keeps_the_adapter_of_that_step(tmp_path: Path) -> None:
    stopped = watched(tmp_path / "stopped", PLAIN, Looks(stop_at=6))
    watched(tmp_path / "whole", PLAIN, None)
    assert stopped != (tmp_path / "whole/adapter/adapter_model.safetensors").read_bytes()
    assert stopped == (tmp_path / "whole/checkpoints/checkpoint-6/adapter_model.safetensors").read_bytes()
    assert [line["step"] for line in read_lines(tmp_path / "stopped/training.jsonl")[1]] == [2, 4, 6]


def test_training_stopped_and_killed_before_its_adapter_was_written_does_not_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = watched(tmp_path / "whole", PLAIN, Looks(stop_at=6))

    def killed(*arguments: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sft, "_save", killed)
        with pytest.raises(Killed):
            watched(tmp_path / "killed", PLAIN, Looks(stop_at=6))
    taken: list[int] = []
    assert watched(tmp_path / "killed", PLAIN, Looks(stop_at=6), lambda step, steps: taken.append(step)) == whole
    assert taken == []


def test_looks_do_not_count_as_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("paretune.training.monitor.time.monotonic", lambda: now[0])
    watching = monitor.Monitor(
        LineWriter(tmp_path / "log.jsonl", {}), monitor.Progress(), lambda step, steps: None, gradient_scaling=False
    )
    now[0] = 7.0  # of training

    def look(step: int) -> dict[str, float]:
        now[0] += 50.0
        return {"loss": 1.0}

    watching.look, watching.look_steps = look, 2
    control = SimpleNamespace(should_log=False)
    for step in (1, 2):
        watching.on_step_end(None, SimpleNamespace(global_step=step, max_steps=10, epoch=0.1), control)
        assert control.should_log == (step == 2)
    watching.on_log(None, SimpleNamespace(global_step=2, max_steps=10, epoch=0.1), control, {"loss": 2.0})
    now[0] += 1.0
    watching.on_step_end(None, SimpleNamespace(global_step=3, max_steps=10, epoch=0.1), control)
    (line,) = read_lines(tmp_path / "log.jsonl")[1]
    assert (line["seconds"], line["monitor"]) == (7.0, {"loss": 1.0, "seconds": 50.0})
    assert watching.progress.seconds == 8.0


def test_scores_are_those_of_the_model_alone() -> None:
    model = loaded().model
    items = [TrainingRow((5, 6, 7, 8, 9, 50, 51), 2), TrainingRow((9, 8, 52, 53, 54), 3)]
    total = 0.0
    with torch.inference_mode():
        for row in items:
            known = model(torch.tensor([row.tokens])).logits[0].log_softmax(-1)
            first = len(row.tokens) - row.answer_tokens
            total -= sum(float(known[place - 1, row.tokens[place]]) for place in range(first, len(row.tokens)))
    scores = score_answers(model, items, with_base=False)
    assert scores.loss == pytest.approx(total / 5, abs=1e-5)
    assert scores.divergence is None
